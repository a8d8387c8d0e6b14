//! Sign-in and consent: whose browser, which person, what they gave.

use crate::support::browser::{Browser, parameter};
use crate::support::database::Failure;
use crate::support::flow::{authorize_url, user};
use crate::support::simulator::FaultKind;
use crate::support::{PUBLIC_URL, TestApp, request};
use statibeat_mcp::model::scope::ScopeSet;
use std::time::Duration;

const CONSENT: &str = "https://mcp.example/mcp/oauth/consent";

/// C6
#[test]
fn consent_page_names_client_redirect_host_and_account() {
    let app = TestApp::new();
    let page = Browser::new(&app).sign_in(&authorize_url(&[]), user::MARA_ADMIN).body;
    for scope in ScopeSet::baseline().iter() {
        assert!(page.contains(scope.consent_sentence()), "no {scope:?} in words in {page}");
    }
    for text in [
        "test-client",
        "Unverified app",
        "127.0.0.1",
        "Mara Lindqvist",
        "mara@northwind.example",
        "Northwind",
        "runs on this computer",
    ] {
        assert!(page.contains(text), "no {text} in {page}");
    }
}

#[test]
fn listed_client_is_labeled_as_listed() {
    let app = TestApp::new();
    let listed = authorize_url(&[
        ("client_id", "https://claude.ai/oauth/mcp-oauth-client-metadata"),
        ("redirect_uri", "https://claude.ai/api/mcp/auth_callback"),
    ]);
    let page = Browser::new(&app).sign_in(&listed, user::MARA_ADMIN).body;
    assert!(page.contains("claude.ai") && page.contains("Listed by your operator") && !page.contains("Unverified"));
    let site = r#"<a href="https://claude.ai/" target="_blank" rel="noopener noreferrer">Website<"#;
    assert!(page.contains(site) && !page.contains("<img"), "{page}");
}

/// A31
#[test]
fn declined_request_redirects_with_access_denied_and_stores_nothing() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let target = browser.answer(&consent, "deny").leaves_for();
    assert_eq!(parameter(&target, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&target, "state").as_deref(), Some("xyz"));
    assert_eq!(parameter(&target, "iss").as_deref(), Some(PUBLIC_URL));
    assert_eq!(parameter(&target, "code"), None);
    assert_eq!(browser.answer(&consent, "approve").status, 400, "the answer was given");
    assert_eq!(app.db.count("SELECT count(*) FROM grants") + app.db.count("SELECT count(*) FROM codes"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'approval' AND outcome = 'refused'"), 1);
}

/// C1, C8
#[test]
fn edited_form_grants_only_offered_scopes() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", "mcp.pages.read mcp.beats.read")]), user::MARA_ADMIN);
    let sent = ["mcp.pages.read", "mcp.analytics.read", "openid"].map(str::to_owned);
    let code = parameter(&browser.answer_with(&consent, "approve", &sent).leaves_for(), "code").expect("a code");
    let tokens = crate::support::flow::tokens(&app.redeem(&code, &[]));
    assert_eq!(tokens.scope, "mcp.pages.read");
}

/// C1
#[test]
fn unknown_form_fields_are_ignored() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", "mcp.pages.read")]), user::MARA_ADMIN);
    let edited = [
        ("answer", "approve"),
        ("scope", "mcp.pages.read"),
        ("pages", "all"),
        ("lifetime", "until-revoked"),
        ("client_id", "other"),
        ("redirect_uri", "https://evil.example/cb"),
        ("state", "other"),
        ("resource", "https://other.example"),
        ("code_challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("user_id", user::THEO_MANAGER),
    ];
    let target = browser.answer_fields(&consent, &edited).leaves_for();
    assert!(target.as_str().starts_with("http://127.0.0.1:33418/callback?"), "{target}");
    assert_eq!(parameter(&target, "state").as_deref(), Some("xyz"));
    let code = parameter(&target, "code").expect("a code");
    assert_eq!(app.redeem(&code, &[]).status(), 200, "the first client, challenge and resource");
    assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE user_id = '1' AND client_id = 'test-client'"), 1);
}

#[test]
fn unrequested_write_scope_is_offered_unticked_and_can_be_granted() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", "mcp.incidents.read")]), user::MARA_ADMIN);
    assert_eq!(consent.ticked(), ["mcp.incidents.read"]);
    let sent = ["mcp.incidents.read", "mcp.incidents.write"].map(str::to_owned);
    let code = parameter(&browser.answer_with(&consent, "approve", &sent).leaves_for(), "code").expect("a code");
    assert_eq!(crate::support::flow::tokens(&app.redeem(&code, &[])).scope, "mcp.incidents.read mcp.incidents.write");
}

#[test]
fn approval_without_scopes_shows_the_form_again() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let again = browser.answer_with(&consent, "approve", &[]);
    let words = "Nothing is connected yet: tick at least one thing that the app may do.";
    assert!(again.status == 422 && again.body.contains(words), "{}", again.body);
    assert!(parameter(&browser.answer(&consent, "approve").leaves_for(), "code").is_some(), "the form still works");
}

/// C3
#[test]
fn answered_form_is_rejected_the_second_time() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    browser.answer(&consent, "approve").leaves_for();
    let before = app.db.dump();
    assert_eq!(browser.answer(&consent, "approve").status, 400);
    assert_eq!(Browser::new(&app).answer(&consent, "approve").status, 400, "in whatever browser");
    assert_eq!(app.db.dump(), before);
}

/// C3
#[test]
fn consent_form_expires_after_ten_minutes() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    app.advance(Duration::from_secs(599));
    assert_eq!(browser.open(consent.url.as_str()).status, 200);
    app.advance(Duration::from_secs(1));
    let before = app.db.dump();
    assert_eq!(browser.open(consent.url.as_str()).status, 400);
    for answer in ["approve", "deny", "switch"] {
        assert_eq!(browser.answer(&consent, answer).status, 400, "{answer}");
    }
    assert_eq!(app.db.dump(), before);
}

#[test]
fn consent_page_can_be_reloaded_until_it_is_answered() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let again = browser.open(consent.url.as_str());
    assert_eq!((again.status, again.hidden("request")), (200, consent.hidden("request")));
}

/// C2
#[test]
fn another_browser_can_neither_finish_a_sign_in_nor_answer_its_form() {
    let app = TestApp::new();
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    let consent = victim.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let before = app.db.dump();
    assert_eq!(attacker.open(consent.url.as_str()).status, 403);
    assert_eq!(attacker.answer(&consent, "approve").status, 403);
    let started_elsewhere = attacker.open(&authorize_url(&[]));
    assert_eq!(victim.choose_user(&started_elsewhere, user::MARA_ADMIN).status, 403);
    let others = app.db.dump().lines().filter(|row| before.contains(row)).count();
    assert_eq!(others, before.lines().count(), "nothing of the first visit changed");
}

/// C5
#[test]
fn form_from_another_site_is_rejected() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let before = app.db.dump();
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("request", &consent.hidden("request"))
        .append_pair("person", &consent.hidden("person"))
        .extend_pairs([("answer", "approve"), ("scope", "mcp.pages.read")])
        .extend_pairs([("pages", "all"), ("lifetime", "until-revoked")])
        .finish();
    // The browser sends the visit's cookie along: nothing but where the form comes from is wrong.
    let cookies: Vec<_> = browser.into_cookies().into_iter().filter(|((of, _), _)| of == PUBLIC_URL).collect();
    let cookies =
        cookies.into_iter().map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    let post_as = |media_type: &str, sent_from: &[(&str, &str)]| {
        let own = [("content-type", media_type), ("cookie", cookies.as_str())];
        let headers: Vec<_> = own.into_iter().chain(sent_from.iter().copied()).collect();
        app.send(request("POST", "/mcp/oauth/consent", &headers, body.clone())).status().as_u16()
    };
    let post = |sent_from: &[(&str, &str)]| post_as("application/x-www-form-urlencoded", sent_from);
    for sent_from in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[],
    ] {
        assert_eq!(post(sent_from), 403, "{sent_from:?}");
    }
    assert_eq!(post_as("text/plain", &[("origin", PUBLIC_URL)]), 400, "not a form");
    assert_eq!(app.db.dump(), before);
    assert_eq!(post(&[("origin", PUBLIC_URL)]), 200, "the same form from our page");
}

/// C7
#[test]
fn markup_and_lookalikes_in_a_client_name_are_neutralized() {
    let app = TestApp::new();
    for name in ["<script>alert(1)</script>", "\u{202e}taeBitatS", "StatiBeat Official"] {
        let body =
            serde_json::json!({"redirect_uris": ["http://127.0.0.1:1/callback"], "client_name": name}).to_string();
        let registered =
            app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body));
        let id = crate::support::json(&registered)["client_id"].as_str().expect("an id").to_owned();
        let page = Browser::new(&app).sign_in(&authorize_url(&[("client_id", &id)]), user::MARA_ADMIN).body;
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
        assert!(page.contains("Unverified app"), "{page}");
    }
}

/// C7
#[test]
fn very_long_client_name_is_cut_or_rejected() {
    let app = TestApp::new();
    let register = |name: String| {
        let body =
            serde_json::json!({"redirect_uris": ["http://127.0.0.1:1/callback"], "client_name": name}).to_string();
        app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body))
    };
    assert_eq!(register("x".repeat(10_000)).status(), 400);
    let id = crate::support::json(&register("x".repeat(200)))["client_id"].as_str().expect("an id").to_owned();
    let page = Browser::new(&app).sign_in(&authorize_url(&[("client_id", &id)]), user::MARA_ADMIN).body;
    assert!(page.contains(&"x".repeat(60)) && !page.contains(&"x".repeat(61)));
}

/// C9, C10
#[test]
fn two_tabs_can_connect_at_the_same_time() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let first = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let second = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    for consent in [first, second] {
        let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
        assert_eq!(app.redeem(&code, &[]).status(), 200);
    }
    let asked_again = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    assert_eq!(asked_again.url.path(), "/mcp/oauth/consent");
}

/// C12
#[test]
fn person_without_a_page_or_with_a_disabled_account_gets_no_code() {
    let app = TestApp::new();
    let shown = Browser::new(&app).sign_in(&authorize_url(&[]), user::SAM_WITHOUT_PAGE);
    assert!(shown.status == 403 && shown.body.contains("no status page"), "{}", shown.body);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let shown = Browser::new(&app).sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    assert!(shown.status == 403 && shown.body.contains("disabled"), "{}", shown.body);
    assert_eq!(
        app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"),
        0,
        "both visits are over"
    );
}

/// C12
#[test]
fn upstream_outage_during_sign_in_shows_a_page_and_issues_no_code() {
    for kind in [FaultKind::Status { code: 500, retry_after: None }, FaultKind::DropBefore, FaultKind::MalformedBody] {
        let app = TestApp::new();
        app.upstream.inject(None, "/api/v1/connector/sign-in/exchange", kind.clone());
        let shown = Browser::new(&app).sign_in(&authorize_url(&[]), user::MARA_ADMIN);
        assert_eq!(shown.status, 503, "{kind:?}: {}", shown.body);
        assert_eq!(app.db.count("SELECT count(*) FROM codes"), 0);
        assert_eq!(
            app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"),
            0,
            "{kind:?}"
        );
    }
}

/// A28
#[test]
fn malformed_form_leaves_the_request_open() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    app.db.fail_after(0, Failure::Before);
    let refused = browser.answer(&consent, "approve");
    assert!(refused.status == 503 && !refused.body.contains("http-equiv"), "{}", refused.body);
    app.db.heal();
    assert!(parameter(&browser.answer(&consent, "approve").leaves_for(), "code").is_some());
}

/// A28
#[test]
fn failed_write_of_the_answer_redirects_with_temporarily_unavailable() {
    for (answer, failure) in [("approve", Failure::Before), ("approve", Failure::After), ("deny", Failure::Before)] {
        let app = TestApp::new();
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
        app.db.fail_after(1, failure);
        let target = browser.answer(&consent, answer).leaves_for();
        assert_eq!(parameter(&target, "error").as_deref(), Some("temporarily_unavailable"), "{answer} {failure:?}");
        assert_eq!(parameter(&target, "state").as_deref(), Some("xyz"));
        assert_eq!(parameter(&target, "iss").as_deref(), Some(PUBLIC_URL));
        app.db.heal();
        app.connect(user::MARA_ADMIN, "mcp.pages.read");
    }
}

/// C2
#[test]
fn form_with_the_cookie_of_another_request_gets_403_and_both_stay_open() {
    let app = TestApp::new();
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    let theirs = victim.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let own = attacker.sign_in(&authorize_url(&[]), user::THEO_MANAGER);
    attacker.rename_cookie(&own.hidden("request"), &theirs.hidden("request"));
    let before = app.db.dump();
    assert_eq!(attacker.answer(&theirs, "approve").status, 403);
    assert_eq!(attacker.open(theirs.url.as_str()).status, 403);
    assert_eq!(app.db.dump(), before);
    assert!(parameter(&victim.answer(&theirs, "approve").leaves_for(), "code").is_some());
}

/// C4
#[test]
fn form_shown_to_one_person_is_rejected_for_another() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let mara = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let theo = browser.sign_in(&authorize_url(&[]), user::THEO_MANAGER);
    let before = app.db.dump();
    let (handle, person) = (theo.hidden("request"), mara.hidden("person"));
    let mixed = [("request", handle.as_str()), ("person", &person), ("answer", "approve"), ("scope", "mcp.pages.read")];
    for form in [&mixed[..], &[mixed[0], mixed[2], mixed[3]], &[mixed[0], ("person", ""), mixed[2], mixed[3]]] {
        let shown = browser.submit(&mara, CONSENT, form);
        assert!(shown.status == 403 && shown.body.contains("start connecting again"), "{form:?}: {}", shown.body);
        assert_eq!(shown.body.matches("href").count(), 1, "our own page only: {}", shown.body);
    }
    assert_eq!(app.db.dump(), before);
}

/// C6
#[test]
fn consent_page_has_no_link_or_image_of_the_client() {
    let app = TestApp::new();
    let page =
        Browser::new(&app).sign_in(&authorize_url(&[("logo_uri", "https://evil.example/x.png")]), user::MARA_ADMIN);
    assert_eq!(page.body.matches("<a ").count(), page.body.matches(r#"<a href="/mcp/admin""#).count(), "our own only");
    for forbidden in ["<img", "evil.example", "http-equiv"] {
        assert!(!page.body.contains(forbidden), "{forbidden} in {}", page.body);
    }
    assert!(page.body.contains("end this connection at any time"), "where to revoke");
}
