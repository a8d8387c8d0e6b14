//! Actions on several connections at once: ticked rows, every app of a person, every app on a page.

use crate::support::TestApp;
use crate::support::browser::{Browser, Shown, parameter};
use crate::support::flow::{authorize_url, tokens, user};

const ACTION: &str = "https://mcp.example/mcp/admin/action";
const READ: &str = "mcp.pages.read mcp.incidents.read";
const BLOCKS: &str = "SELECT count(*) FROM page_blocks";

/// Connections of Theo with two apps, of Ines with one, and of Mara with two; each but Mara's has accessed page 42.
fn connected() -> TestApp {
    let app = TestApp::new();
    for (person, client) in [
        (user::THEO_MANAGER, "desk"),
        (user::THEO_MANAGER, "editor"),
        (user::INES_VIEWER, "desk"),
        (user::MARA_ADMIN, "desk"),
        (user::MARA_ADMIN, "editor"),
    ] {
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[("client_id", client), ("scope", READ)]), person);
        let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
        tokens(&app.redeem(&code, &[("client_id", client)]));
    }
    app
}

/// Posts fields of a form that no confirmation page sent.
fn select(browser: &Browser<'_>, page: &Shown, fields: &[(&str, &str)]) -> Shown {
    let token = page.hidden("token");
    let all: Vec<_> = [("token", token.as_str())].into_iter().chain(fields.iter().copied()).collect();
    browser.submit(page, ACTION, &all)
}

/// Posts the confirmation page as it is.
fn confirm(browser: &Browser<'_>, question: &Shown) -> Shown {
    let form =
        question.body.split("<form method=\"post\"").nth(1).expect("a form").split("</form>").next().expect("its end");
    let field = |tag: &str, name: &str| {
        let value = tag.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        value.map(|value| value.replace("&quot;", "\"").replace("&amp;", "&"))
    };
    let fields: Vec<(String, String)> =
        form.split("<input").skip(1).filter_map(|tag| Some((field(tag, "name")?, field(tag, "value")?))).collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    browser.submit(question, ACTION, &fields)
}

#[test]
fn ticked_rows_are_blocked_after_a_confirmation_that_counts_them() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!(page.body.matches("<input type=\"checkbox\" name=\"connection\"").count(), 5, "{}", page.body);
    let ticked = [
        ("selected", "1"),
        ("action", "block"),
        ("page", "42"),
        ("back", "/mcp/admin?sort=person"),
        ("connection", "2 desk"),
        ("connection", "2 editor"),
        ("connection", "3 desk"),
        ("connection", "1 desk"),
    ];
    let question = select(&browser, &page, &ticked);
    assert!(question.body.contains("Block 3 apps of 2 people on Northwind Cloud Status?"), "{}", question.body);
    let counted = "This blocks 3 connections of 2 people on Northwind Cloud Status: desk, editor.";
    assert!(question.body.contains(counted) && question.body.contains("To undo it"), "{}", question.body);
    assert_eq!(app.db.count(BLOCKS), 0, "nothing is blocked before the confirmation");
    let done = confirm(&browser, &question);
    assert!(done.url.as_str().contains("/mcp/admin?sort=person"), "{}", done.url);
    let note = "Blocked on Northwind Cloud Status: 3 connections of 2 people (desk, editor).";
    assert!(done.body.contains(note), "{}", done.body);
    assert_eq!(app.db.count(BLOCKS), 3);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE kind = 'page_block'"), 3);
    let undo = select(
        &browser,
        &done,
        &[("selected", "1"), ("action", "unblock"), ("connection", "2 desk"), ("connection", "3 desk")],
    );
    assert!(undo.body.contains("This lifts the blocks of 2 connections of 2 people"), "{}", undo.body);
    confirm(&browser, &undo);
    assert_eq!(app.db.count(BLOCKS), 1);
}

#[test]
fn form_without_its_confirmation_changes_nothing() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    for fields in [
        &[("action", "block"), ("connection", "2 desk"), ("page", "42")][..],
        &[("action", "block"), ("person", "2"), ("page", "42")],
        &[("action", "block"), ("everybody", "1"), ("page", "42")],
        &[("action", "revoke"), ("connection", "1 desk")],
        &[("action", "revoke"), ("selected", "1"), ("connection", "1 desk"), ("connection", "1 editor")],
        &[("action", "revoke-all")],
    ] {
        let shown = select(&browser, &page, fields);
        assert!(shown.status == 200 && shown.body.contains("name=\"confirmed\""), "{fields:?}: {}", shown.body);
        assert_eq!(app.db.count(BLOCKS), 0, "{fields:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NULL"), 5, "{fields:?}");
    }
}

#[test]
fn several_connections_are_counted_and_named_before_they_end() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let ticked = [("action", "revoke"), ("selected", "1"), ("connection", "1 desk"), ("connection", "1 editor")];
    let several = select(&browser, &page, &ticked).body;
    assert!(several.contains("End 2 of your connections?"), "{several}");
    let one = select(&browser, &page, &ticked[..3]).body;
    assert!(one.contains("End the connection to desk?"), "{one}");
}

/// Enter in a field presses the first button, whatever else the form has. 204 leaves the page as it is, ticks included.
#[test]
fn enter_in_a_field_of_the_list_or_a_confirmation_changes_nothing_and_stays_there() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    for fields in [
        &[("entered", "1"), ("selected", "1"), ("connection", "2 desk"), ("connection", "1 desk")][..],
        &[("entered", "1"), ("confirmed", "1"), ("action", "block"), ("person", "2"), ("page", "42")],
        &[("entered", "1"), ("action", "pause"), ("connection", "1 desk")],
    ] {
        let shown = select(&browser, &page, fields);
        assert!(shown.status == 204 && shown.body.is_empty(), "{fields:?}: {}", shown.body);
        assert_eq!(app.db.count(BLOCKS), 0, "{fields:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NULL"), 5, "{fields:?}");
    }
}

#[test]
fn one_ticked_block_is_lifted_after_its_confirmation_only() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    let block =
        [("action", "block"), ("connection", "2 desk"), ("page", "42"), ("chooses_pages", "1"), ("confirmed", "1")];
    select(&browser, &page, &block);
    let blocked = app.db.count(BLOCKS);
    assert!(blocked > 0);
    let shown = select(&browser, &page, &[("action", "unblock"), ("selected", "1"), ("connection", "2 desk")]);
    assert!(shown.status == 200 && shown.body.contains("name=\"confirmed\""), "{}", shown.body);
    assert_eq!(app.db.count(BLOCKS), blocked);
}

#[test]
fn every_app_of_a_person_or_on_a_page_can_be_blocked() {
    let app = connected();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let one = browser.open(&format!("{ACTION}?action=block&connection=2+desk&page=42"));
    assert!(one.body.contains("Block all apps of Theo Okafor instead…"), "{}", one.body);
    let of_theo = browser.open(&format!("{ACTION}?action=block&person=2"));
    assert!(of_theo.body.contains("Block 2 apps of Theo Okafor on Northwind Cloud Status?"), "{}", of_theo.body);
    let list = browser.open("https://mcp.example/mcp/admin?page=42");
    assert!(list.body.contains("Block all apps on Northwind Cloud Status…"), "{}", list.body);
    let all = browser.open(&format!("{ACTION}?action=block&everybody=1&page=42"));
    assert!(all.body.contains("This blocks 3 connections of 2 people"), "{}", all.body);
    confirm(&browser, &all);
    assert_eq!(app.db.count(BLOCKS), 3, "Mara's own connections stay");
    assert_eq!(browser.open(&format!("{ACTION}?action=block&everybody=1")).status, 404, "no page is named");
    let again = browser.open(&format!("{ACTION}?action=block&everybody=1&page=42"));
    assert_eq!(again.status, 404, "all are blocked");
}

#[test]
fn selection_without_a_fitting_row_returns_to_the_list_with_advice() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::MARA_ADMIN);
    for fields in [
        &[("selected", "1"), ("action", "block"), ("back", "/mcp/admin?sort=app")][..],
        &[("selected", "1"), ("action", "block"), ("connection", "1 desk"), ("back", "/mcp/admin?sort=app")],
        &[("selected", "1"), ("action", "revoke"), ("connection", "2 desk"), ("back", "/mcp/admin?sort=app")],
    ] {
        let shown = select(&browser, &page, fields);
        assert!(shown.url.as_str().contains("/mcp/admin?sort=app"), "{fields:?}: {}", shown.url);
        assert!(shown.body.contains("Nothing was changed: tick at least one app"), "{fields:?}: {}", shown.body);
    }
    assert_eq!(app.db.count(BLOCKS), 0);
}

#[test]
fn block_of_many_apps_by_a_manager_gets_404() {
    let app = connected();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(user::THEO_MANAGER);
    for scope in [("everybody", "1"), ("person", "3"), ("connection", "3 desk")] {
        let fields = [("action", "block"), scope, ("page", "42"), ("confirmed", "1")];
        assert_eq!(select(&browser, &page, &fields).status, 404, "{scope:?}");
    }
    assert_eq!(app.db.count(BLOCKS), 0);
}
