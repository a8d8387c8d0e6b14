//! Narrowing an approval: fewer scopes, fewer pages, an earlier end. It counts from the next call on, and nothing widens a grant.

use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{CLIENT, Tokens, authorize_url, tokens, user};
use crate::support::{PUBLIC_URL, TestApp, json};
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
const NARROW: &str = "https://mcp.example/mcp/admin/narrow";

fn grant_id(app: &TestApp) -> String {
    app.db.text("SELECT id FROM grants ORDER BY rowid LIMIT 1")
}

/// Submits the form of the first grant with these fields, as Mara.
fn narrow(app: &TestApp, fields: &[(&str, &str)]) -> Shown {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let (token, grant) = (page.hidden("token"), grant_id(app));
    let mut all = vec![("token", token.as_str()), ("client", CLIENT), ("grant", grant.as_str())];
    all.extend(fields);
    browser.submit(&page, NARROW, &all)
}

fn stored(app: &TestApp, grant: &str) -> String {
    app.db.text(&format!(
        "SELECT scope || ' | ' || coalesce(pages, 'all') || ' | ' || coalesce(expires_at - {}, 'open') FROM grants WHERE id = '{grant}'",
        app.now().as_seconds()
    ))
}

fn can_read(app: &TestApp, pair: &Tokens, uri: &str) -> bool {
    json(&app.call(&pair.access, "resources/read", json!({ "uri": uri })))["result"]["contents"].is_array()
}

#[test]
fn narrowed_approval_counts_at_the_next_call_despite_a_wider_token() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let page = browser.open_connection(user::MARA_ADMIN, CLIENT).body;
    assert!(page.contains("Approvals") && page.contains("/mcp/admin/narrow?"), "{page}");
    assert!(!page.contains("The approval is narrowed"), "{page}");
    assert!(page.contains("/mcp/admin/activity?client=test-client\""), "{page}");
    assert!(
        can_read(&app, &pair, "statibeat://pages/42/summary") && can_read(&app, &pair, "statibeat://pages/43/summary")
    );
    app.advance(Duration::from_secs(5));
    let fields = [("scope", "mcp.pages.read"), ("pages", "these"), ("page", "43"), ("end", "1d")];
    let done = narrow(&app, &fields);
    assert!(done.body.contains("The approval is narrowed"), "{}", done.body);
    assert_eq!(stored(&app, &grant_id(&app)), "mcp.pages.read | 43 | 86400");
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'narrow' AND outcome = 'done'"), 1);
    app.advance(Duration::from_secs(5));
    assert!(!can_read(&app, &pair, "statibeat://pages/42/summary"), "a page that was taken");
    assert!(can_read(&app, &pair, "statibeat://pages/43/summary"));
    assert!(!can_read(&app, &pair, "statibeat://pages/43/incidents"), "a scope that was taken");
    let arguments = json!({ "page_id": 43, "title": "t", "description": "d", "status": "degraded", "affected_items_freetext": "x" });
    let write = app.call(&pair.access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    assert_eq!(write.status(), 403, "{:?}", write.body());
    let later = tokens(&app.refresh(&pair.refresh, &[]));
    assert_eq!(later.scope, "mcp.pages.read");
    app.advance(Duration::from_secs(86_400));
    assert_eq!(app.ping(&later.access), 401, "the end that was set");
    assert_eq!(json(&app.refresh(&later.refresh, &[]))["error"], "invalid_grant");
}

#[test]
fn form_offers_the_pages_and_only_an_end_that_is_earlier() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let form = || {
        let browser = Browser::new(&app);
        browser.open_admin_page(user::MARA_ADMIN);
        browser.open(&format!("{NARROW}?client={CLIENT}&grant={}", grant_id(&app))).body
    };
    let offers = |form: &str| ["1d", "7d", "30d"].map(|end| form.contains(&format!("value=\"{end}\"")));
    let open = form();
    assert!(open.contains("name=\"page\" value=\"42\"") && open.contains("name=\"page\" value=\"43\""), "{open}");
    assert_eq!(offers(&open), [true, true, true]);
    narrow(&app, &[("scope", "mcp.pages.read"), ("pages", "these"), ("page", "43"), ("end", "7d")]);
    app.advance(Duration::from_secs(5));
    assert_eq!(offers(&form()), [true, false, false]);
}

#[test]
fn form_that_asks_for_more_or_for_nothing_is_refused() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read");
    let first = [("scope", "mcp.pages.read"), ("pages", "these"), ("page", "43"), ("end", "7d")];
    assert_eq!(narrow(&app, &first).status, 200);
    let before = stored(&app, &grant_id(&app));
    for (fields, words) in [
        (vec![("scope", "mcp.pages.read"), ("scope", "mcp.incidents.write"), ("page", "43")], "more than the approval"),
        (vec![("scope", "mcp.pages.read"), ("page", "43"), ("page", "42")], "more than the approval"),
        (vec![("scope", "mcp.pages.read"), ("pages", "all")], "more than the approval"),
        (vec![("scope", "mcp.pages.read"), ("page", "43"), ("end", "30d")], "more than the approval"),
        (vec![("page", "43")], "keep at least one"),
        (vec![("scope", "mcp.pages.read"), ("pages", "these")], "keep at least one"),
    ] {
        let refused = narrow(&app, &fields);
        assert!(refused.status == 422 && refused.body.contains(words), "{fields:?}: {}", refused.body);
        assert_eq!(stored(&app, &grant_id(&app)), before, "{fields:?}");
    }
    let unchanged = [("scope", "mcp.pages.read"), ("page", "43"), ("end", "same")];
    assert_eq!(narrow(&app, &unchanged).status, 200);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'narrow'"), 1, "no change leaves no row");
}

#[test]
fn another_persons_approval_cannot_be_narrowed() {
    let app = TestApp::new();
    app.connect(user::THEO_MANAGER, ALL);
    let before = app.db.text("SELECT scope FROM grants");
    assert_eq!(narrow(&app, &[("scope", "mcp.pages.read"), ("pages", "all")]).status, 404);
    assert_eq!(app.db.text("SELECT scope FROM grants"), before);
}

/// Approves again, with what becomes of the earlier approval; empty for a form that did not ask.
fn approve_again(app: &TestApp, scope: &str, pages: &[(&str, &str)], earlier: &str) -> Tokens {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("scope", ALL)]), user::MARA_ADMIN);
    assert!(consent.body.contains("This app is already connected since"), "{}", consent.body);
    let mut fields = vec![("answer", "approve"), ("lifetime", "30d")];
    fields.extend((!earlier.is_empty()).then_some(("earlier", earlier)));
    fields.extend(pages);
    fields.extend(scope.split(' ').map(|scope| ("scope", scope)));
    let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[]))
}

#[test]
fn second_approval_narrows_the_first_unless_it_is_kept() {
    for (earlier, expected) in [
        ("replace", "mcp.pages.read mcp.incidents.read | 43 | 2592000"),
        ("made-up", "mcp.pages.read mcp.incidents.read | 43 | 2592000"),
        ("keep", "mcp.pages.read mcp.incidents.read mcp.incidents.write | all | open"),
        ("", "mcp.pages.read mcp.incidents.read mcp.incidents.write | all | open"),
    ] {
        let app = TestApp::new();
        let first = app.connect(user::MARA_ADMIN, ALL);
        let grant = grant_id(&app);
        let pages = [("pages", "these"), ("page", "43")];
        approve_again(&app, "mcp.pages.read mcp.incidents.read", &pages, earlier);
        assert_eq!(stored(&app, &grant), expected, "{earlier}");
        assert_eq!(app.ping(&first.access), 200, "{earlier}: the other computer stays connected");
        let rows = app.db.count("SELECT count(*) FROM audit WHERE kind = 'narrow' AND detail = 'replaced'");
        assert_eq!(rows, i64::from(expected.contains("43")), "{earlier}");
    }
}

#[test]
fn approval_with_the_boxes_as_proposed_keeps_what_was_narrowed() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    narrow(&app, &[("scope", "mcp.pages.read"), ("pages", "these"), ("page", "43"), ("end", "7d")]);
    let consent = Browser::new(&app).sign_in(&authorize_url(&[("scope", ALL)]), user::MARA_ADMIN);
    assert_eq!(consent.ticked(), ["mcp.pages.read"]);
}

#[test]
fn first_approval_with_nothing_in_common_with_the_second_is_ended() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, "mcp.incidents.read");
    let second = approve_again(&app, "mcp.pages.read", &[("pages", "all")], "replace");
    assert_eq!((app.ping(&first.access), app.ping(&second.access)), (401, 200));
}

#[test]
fn api_lists_the_approvals_of_an_own_connection() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    app.advance(Duration::from_secs(60));
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let shown = browser.open(&format!("{PUBLIC_URL}/mcp/admin/api/connection?user=1&client={CLIENT}")).body;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let scopes: Vec<&Value> =
        shown["approvals"].as_array().expect("a list").iter().map(|approval| &approval["scopes"]).collect();
    assert_eq!(scopes, [&json!(ALL.split(' ').collect::<Vec<_>>()), &json!(["mcp.pages.read"])]);
}

#[test]
fn enter_in_a_field_of_the_narrow_form_narrows_nothing_and_stays_there() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, ALL);
    let before = stored(&app, &grant_id(&app));
    let shown = narrow(&app, &[("entered", "1"), ("scope", "mcp.pages.read"), ("pages", "all"), ("end", "1d")]);
    assert!(shown.status == 204 && shown.body.is_empty(), "{}", shown.body);
    assert_eq!(stored(&app, &grant_id(&app)), before);
    let form = Browser::new(&app);
    form.open_admin_page(user::MARA_ADMIN);
    let form = form.open(&format!("{NARROW}?client={CLIENT}&grant={}", grant_id(&app)));
    let (idle, narrows) = (form.body.find(r#"name="entered""#), form.body.find("Narrow the approval"));
    assert!(idle.is_some() && idle < narrows, "{}", form.body);
}
