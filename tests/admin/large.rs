//! The lists of a large organization, as `npm start -- --large` has it: 60 pages, 200 people, 600 connections.

use crate::support::TestApp;
use crate::support::browser::Browser;

const PAGE: &str = "https://mcp.example/mcp/admin";
const SEED: &str = include_str!("../../dev/large.sql");
/// Admin of all sixty pages.
const ADA: &str = "1001";
/// Manager of one page and viewer of two.
const BRUNO: &str = "1002";

fn large_organization() -> TestApp {
    let app = TestApp::new();
    app.upstream.simulator.add_large_organization();
    for statement in SEED.split(";\n").filter(|statement| statement.contains("INSERT")) {
        app.db.execute(statement);
    }
    app
}

/// The addresses of the list's parts, followed to the end.
fn connections_of(browser: &Browser<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let shown = browser.open(&format!("{PAGE}/api/connections?after={after}"));
        let part: serde_json::Value = serde_json::from_str(&shown.body).expect("JSON");
        let listed = part["connections"].as_array().expect("a list");
        found.extend(listed.iter().map(|one| format!("{} {} {}", one["user_id"], one["client_id"], one["user_name"])));
        match part["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return found,
        }
    }
}

#[test]
fn admin_of_sixty_pages_finds_every_connection_once_and_counted() {
    let app = large_organization();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(ADA).body;
    assert!(page.contains("50 of 600 connections"), "{page}");
    let before = app.db.batches.get();
    browser.open(PAGE);
    assert_eq!(app.db.batches.get() - before, 2, "the session, and one batch for the whole page");
    let mut found = connections_of(&browser);
    assert_eq!(found.len(), 600);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 600);
    assert!(found.iter().any(|one| one.contains("Tove Jansen")), "names are the simulator's");
}

#[test]
fn activity_of_sixty_pages_is_known_for_each_and_counted() {
    let app = large_organization();
    let browser = Browser::new(&app);
    browser.open_admin_page(ADA);
    let shown = browser.open(&format!("{PAGE}/activity")).body;
    assert!(shown.contains("20 of more than 500 entries"), "{shown}");
    assert!(!shown.contains("didn't say whether audit logs are on"), "{shown}");
    let file = browser.open(&format!("{PAGE}/activity.csv")).body;
    assert_eq!(file.matches("\r\n").count(), 1_801, "three writes of each connection, and the names of the columns");
}

#[test]
fn one_confirmation_blocks_every_app_on_a_page_of_a_large_organization() {
    let app = large_organization();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(ADA);
    let on_page = app.db.count("SELECT count(*) FROM page_access WHERE page_id = 1014 AND user_id <> '1001'");
    let question = browser.open(&format!("{PAGE}/action?action=block&everybody=1&page=1014")).body;
    assert!(question.contains(&format!("This blocks {on_page} connections of")), "{question}");
    browser.submit_action(&page, &[("action", "block"), ("everybody", "1"), ("page", "1014")]);
    assert_eq!(app.db.count("SELECT count(*) FROM page_blocks"), on_page);
    assert!(on_page > 20, "{on_page}");
}

#[test]
fn member_of_three_pages_sees_their_own_connections_only() {
    let app = large_organization();
    let browser = Browser::new(&app);
    let page = browser.open_admin_page(BRUNO).body;
    assert!(page.contains("3 connections") && !page.contains("Chiara"), "{page}");
    let file = browser.open(&format!("{PAGE}/activity.csv")).body;
    assert_eq!(file.matches("\r\n").count(), 10, "{file}");
}
