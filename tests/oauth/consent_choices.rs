//! Choices on the consent page, which every later call keeps to: pages, lifetime, account.

use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{Tokens, authorize_url, tokens, user};
use crate::support::{PUBLIC_URL, TestApp, UPSTREAM_URL, json};
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
const READS: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

fn consent(browser: &Browser<'_>, user_id: &str) -> Shown {
    browser.sign_in(&authorize_url(&[("scope", READS)]), user_id)
}

/// Approves with these fields besides the scopes.
fn approved(app: &TestApp, user_id: &str, fields: &[(&str, &str)]) -> Tokens {
    let browser = Browser::new(app);
    let consent = consent(&browser, user_id);
    let scopes = READS.split(' ').map(|scope| ("scope", scope));
    let all: Vec<_> = scopes.chain([("answer", "approve")]).chain(fields.iter().copied()).collect();
    let code = parameter(&browser.answer_fields(&consent, &all).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[]))
}

#[test]
fn unchosen_page_answers_like_a_page_that_does_not_exist() {
    let app = TestApp::new();
    let access = approved(&app, user::MARA_ADMIN, &[("pages", "these"), ("page", "43"), ("lifetime", "7d")]).access;
    let known_to_admins = "SELECT count(*) FROM page_access WHERE page_id <> 43";
    assert_eq!(app.db.count(known_to_admins), 0);
    let pages = app.read(&access, "statibeat://pages");
    assert_eq!(pages["pages"].as_array().map(Vec::len), Some(1), "{pages}");
    assert_eq!((&pages["pages"][0]["id"], &pages["total"]), (&json!(43), &json!(1)));
    assert_eq!(app.read(&access, "statibeat://pages/43/summary")["page"]["id"], 43);
    let read = |page: &str| {
        let uri = format!("statibeat://pages/{page}/summary");
        let answer = app.call(&access, "resources/read", json!({ "uri": uri }));
        String::from_utf8_lossy(answer.body()).replace(page, "N")
    };
    assert_eq!(read("42"), read("999"));
    let write = |page: u32| {
        let arguments = json!({ "page_id": page, "title": "t", "description": "d" });
        let answer = app.call(&access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
        String::from_utf8_lossy(answer.body()).replace(&page.to_string(), "N")
    };
    assert_eq!(write(42), write(999));
    let listed = json(&app.call(&access, "resources/list", json!({}))).to_string();
    assert!(listed.contains("pages/43/") && !listed.contains("pages/42/"), "{listed}");
}

#[test]
fn unchosen_page_is_not_read_from_statibeat() {
    let app = TestApp::new();
    let access = approved(&app, user::MARA_ADMIN, &[("pages", "these"), ("page", "43"), ("lifetime", "7d")]).access;
    assert_eq!(app.read(&access, "statibeat://pages/43/summary")["page"]["id"], 43);
    let calls_for = |page: &str| {
        app.upstream.take_calls();
        app.call(&access, "resources/read", json!({ "uri": format!("statibeat://pages/{page}/summary") }));
        app.upstream.take_calls()
    };
    assert_eq!(calls_for("43").len(), 1, "a chosen page is");
    assert_eq!(calls_for("42"), ["GET /api/v1/me/pages"]);
}

#[test]
fn all_pages_includes_later_pages_and_a_choice_does_not() {
    let app = TestApp::new();
    let all = approved(&app, user::THEO_MANAGER, &[("pages", "all"), ("lifetime", "until-revoked")]).access;
    let fields = [("pages", "these"), ("page", "42"), ("lifetime", "7d"), ("earlier", "keep")];
    let one = approved(&app, user::THEO_MANAGER, &fields).access;
    app.upstream.simulator.set_role(2, 43, Some("page_viewer")).expect("a role");
    let count = |access: &str| app.read(access, "statibeat://pages")["pages"].as_array().map(Vec::len);
    assert_eq!((count(&all), count(&one)), (Some(2), Some(1)));
}

#[test]
fn choice_of_no_page_shows_the_form_again() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let shown = consent(&browser, user::MARA_ADMIN);
    let fields = [("scope", "mcp.pages.read"), ("pages", "these"), ("lifetime", "7d"), ("answer", "approve")];
    for page in [&[][..], &[("page", "77")]] {
        let all: Vec<_> = fields.iter().chain(page).copied().collect();
        let again = browser.answer_fields(&shown, &all);
        assert!(again.status == 422 && again.body.contains("choose at least one page"), "{}", again.body);
        assert_eq!(again.ticked(), ["mcp.pages.read"], "what was unticked stays so");
        assert!(again.body.contains(r#"value="mcp.incidents.read""#), "and can still be ticked");
    }
    let nothing = browser.answer_fields(&shown, &[("pages", "these"), ("lifetime", "7d"), ("answer", "approve")]);
    let words = "Nothing is connected yet: tick at least one thing that the app may do, and choose at least one page";
    assert!(nothing.status == 422 && nothing.body.contains(words), "{}", nothing.body);
    assert!(nothing.body.contains(r#"value="7d" checked"#), "the other choices stay: {}", nothing.body);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 0);
    assert!(parameter(&browser.answer(&shown, "approve").leaves_for(), "code").is_some(), "the form still works");
}

#[test]
fn every_token_expires_with_the_chosen_lifetime() {
    let app = TestApp::new();
    let first = approved(&app, user::MARA_ADMIN, &[("pages", "all"), ("lifetime", "1d")]);
    app.advance(Duration::from_secs(86_400 - 600));
    let late = app.refresh(&first.refresh, &[]);
    assert_eq!(json(&late)["expires_in"], 600, "the access token says when it really ends");
    let late = tokens(&late);
    app.advance(Duration::from_secs(599));
    assert_eq!(app.ping(&late.access), 200);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.ping(&late.access), 401);
    assert_eq!(json(&app.refresh(&late.refresh, &[]))["error"], "invalid_grant");
    assert_eq!(json(&app.refresh(&first.refresh, &[]))["error"], "invalid_grant");
}

#[test]
fn connection_without_a_lifetime_lasts_while_it_is_used() {
    let app = TestApp::new();
    let mut pair = approved(&app, user::MARA_ADMIN, &[("pages", "all"), ("lifetime", "until-revoked")]);
    for _ in 0..3 {
        app.advance(DAY * 29);
        pair = tokens(&app.refresh(&pair.refresh, &[]));
    }
    assert_eq!(app.ping(&pair.access), 200);
}

#[test]
fn unknown_lifetime_or_page_choice_narrows_the_grant() {
    let app = TestApp::new();
    let pair = approved(&app, user::MARA_ADMIN, &[("pages", "all"), ("lifetime", "3650d")]);
    app.advance(DAY);
    assert_eq!(json(&app.refresh(&pair.refresh, &[]))["error"], "invalid_grant");
}

/// The fields of the form as it was shown, with `answer` approve.
fn untouched(consent: &Shown) -> Vec<(String, String)> {
    let mut fields = vec![("answer".to_owned(), "approve".to_owned())];
    for tag in consent.body.split("<input ").skip(1).filter_map(|rest| rest.split('>').next()) {
        let value = |name: &str| tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        if let (true, Some(name), Some(value)) = (tag.contains("checked"), value("name"), value("value")) {
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    fields
}

/// Approves a second consent page of this client as it is shown; returns the page.
fn approved_again(app: &TestApp, parameters: &[(&str, &str)]) -> Shown {
    let browser = Browser::new(app);
    let shown = browser.sign_in(&authorize_url(parameters), user::MARA_ADMIN);
    let fields = untouched(&shown);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let code = parameter(&browser.answer_fields(&shown, &fields).leaves_for(), "code").expect("a code");
    let bound: Vec<_> = parameters.iter().filter(|(name, _)| *name != "scope").copied().collect();
    assert_eq!(app.redeem(&code, &bound).status(), 200);
    shown
}

/// Reads, then a permission to post alone as after a 403, then the reads once more.
#[test]
fn read_that_was_unticked_stays_so_over_a_consent_that_did_not_offer_it() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let all = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.analytics.read";
    let shown = browser.sign_in(&authorize_url(&[("scope", all)]), user::MARA_ADMIN);
    let ticked = ["mcp.pages.read".to_owned(), "mcp.incidents.read".to_owned()];
    let left = browser.answer_with(&shown, "approve", &ticked).leaves_for();
    tokens(&app.redeem(&parameter(&left, "code").expect("a code"), &[]));
    app.advance(DAY);
    let second = approved_again(&app, &[("scope", "mcp.pages.read mcp.analytics.read mcp.incidents.write")]);
    assert_eq!(second.ticked(), ["mcp.pages.read"]);
    app.advance(DAY);
    let third = approved_again(&app, &[("scope", all)]);
    assert_eq!(third.ticked(), ticked, "neither is proposed again, whichever consent offered it last");
    app.advance(DAY);
    let fourth = browser.sign_in(&authorize_url(&[("scope", all)]), user::MARA_ADMIN);
    let reads: Vec<String> = all.split(' ').map(str::to_owned).collect();
    let left = browser.answer_with(&fourth, "approve", &reads).leaves_for();
    tokens(&app.redeem(&parameter(&left, "code").expect("a code"), &[]));
    assert_eq!(
        approved_again(&app, &[("scope", all)]).ticked(),
        reads,
        "a read that the person ticked is no longer unticked"
    );
}

const NEWEST: &str = "SELECT count(*) FROM grants WHERE rowid = (SELECT max(rowid) FROM grants) AND ";

#[test]
fn second_consent_keeps_the_restrictions_of_the_newest_live_grant() {
    let app = TestApp::new();
    let first = [("scope", "mcp.pages.read"), ("scope", "mcp.incidents.write"), ("pages", "these"), ("page", "43")];
    let browser = Browser::new(&app);
    let shown = browser.sign_in(&authorize_url(&[("scope", "")]), user::MARA_ADMIN);
    assert!(!shown.body.contains("before"), "{}", shown.body);
    let fields: Vec<_> = first.into_iter().chain([("lifetime", "7d"), ("answer", "approve")]).collect();
    let code = parameter(&browser.answer_fields(&shown, &fields).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[]));
    app.advance(DAY);
    let again = approved_again(&app, &[("scope", "")]).body;
    assert!(again.contains("This app is already connected since ") && again.contains("As before, until "), "{again}");
    assert_eq!(again.matches("You allowed this last time.").count(), 1, "{again}");
    let kept =
        "scope = 'mcp.pages.read' AND pages = '43' AND resource_tools = 0 AND expires_at - created_at = 6 * 86400";
    assert_eq!(app.db.count(&format!("{NEWEST}{kept}")), 1, "{again}");
    app.advance(DAY * 6);
    let later = approved_again(&app, &[("scope", "")]);
    assert!(later.body.contains("That connection has ended") && !later.body.contains("As before"), "{}", later.body);
    assert_eq!(later.ticked(), ["mcp.pages.read"], "what was unticked stays so");
    assert!(app.db.count(&format!("{NEWEST}pages = '43'")) == 1, "and so do the pages: {}", later.body);
}

#[test]
fn second_consent_ticks_earlier_writes_of_a_preregistered_client() {
    let app = TestApp::new();
    let client = [
        ("client_id", "https://claude.ai/oauth/claude-code-client-metadata"),
        ("redirect_uri", "http://localhost:3118/callback"),
    ];
    approved_again(&app, &[client[0], client[1], ("scope", READS)]);
    let again = approved_again(&app, &[client[0], client[1], ("scope", "mcp.pages.read")]);
    assert_eq!(again.ticked(), ["mcp.pages.read", "mcp.incidents.write"]);
    assert!(!again.body.contains("You allowed this last time."));
    assert_eq!(app.db.count(&format!("{NEWEST}scope = 'mcp.pages.read mcp.incidents.write'")), 1);
}

#[test]
fn revoked_grant_is_remembered_without_posting_and_another_persons_grant_is_not() {
    let app = TestApp::new();
    let fields = [("pages", "these"), ("page", "43"), ("lifetime", "7d")];
    let pair = approved(&app, user::MARA_ADMIN, &fields);
    let theirs = consent(&Browser::new(&app), user::THEO_MANAGER).body;
    assert!(!theirs.contains("before") && !theirs.contains("already connected"), "{theirs}");
    assert!(consent(&Browser::new(&app), user::MARA_ADMIN).body.contains("This app is already connected since"));
    app.revoke(&pair.refresh, &[]);
    let again = consent(&Browser::new(&app), user::MARA_ADMIN);
    assert!(again.body.contains("You connected this app before") && again.body.contains("has ended"), "{}", again.body);
    assert_eq!(again.ticked(), ["mcp.pages.read", "mcp.incidents.read"]);
}

#[test]
fn consent_page_warns_where_the_role_does_not_allow_a_scope() {
    let app = TestApp::new();
    let viewer = consent(&Browser::new(&app), user::INES_VIEWER).body;
    assert_eq!(viewer.matches("your role doesn't allow it on any of your pages").count(), 2, "both writes: {viewer}");
    app.upstream.simulator.set_role(3, 43, Some("page_manager")).expect("a role");
    let mixed = consent(&Browser::new(&app), user::INES_VIEWER).body;
    assert!(mixed.contains("Not on Northwind"), "{mixed}");
    assert!(!consent(&Browser::new(&app), user::MARA_ADMIN).body.contains("your role"), "an admin lacks nothing");
}

#[test]
fn switched_account_closes_the_first_form() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let mara = consent(&browser, user::MARA_ADMIN);
    let leaving = browser.answer_fields(&mara, &[("answer", "switch")]);
    let sign_in = leaving.leaves_for();
    assert!(sign_in.as_str().starts_with(UPSTREAM_URL), "{sign_in}");
    assert_eq!(parameter(&sign_in, "prompt").as_deref(), Some("select_account"));
    let theo = browser.choose_user(&browser.open(sign_in.as_str()), user::THEO_MANAGER);
    assert!(theo.body.contains("Theo Okafor") && !theo.body.contains("Mara"), "{}", theo.body);
    assert_ne!(browser.answer(&mara, "approve").status, 200);
    let target = browser.answer(&theo, "approve").leaves_for();
    assert_eq!(parameter(&target, "state").as_deref(), Some("xyz"), "the client's request is the same");
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE user_id = '2'"), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 1);
    assert!(theo.url.as_str().starts_with(PUBLIC_URL));
}
