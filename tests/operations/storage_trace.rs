//! A story that needs every statement of `src/storage`, written down with what SQLite answered. `tests/worker/storage.test.mjs`
//! runs the same batches on the real D1 and expects the same answers.

use crate::support::browser::{Browser, parameter};
use crate::support::database::Exchange;
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use crate::support::forge::Forged;
use crate::support::simulator::FaultKind;
use crate::support::{HEALTH_TOKEN, PUBLIC_URL, TestApp, json as json_of, request};
use futures_util::FutureExt as _;
use proc_macro2::{TokenStream, TokenTree};
use serde_json::json;
use statibeat_mcp::model::ids::{RequestId, UserId};
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::storage::{grants, purge};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const SCOPE: &str = "mcp.pages.read";

fn live_through_everything(app: &TestApp) {
    // A connection in use, a repeated refresh, two kinds of revocation.
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    app.ping(&first.access);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    app.refresh(&first.refresh, &[]);
    app.revoke(&second.access, &[]);
    app.revoke(&second.refresh, &[]);
    app.refresh(&second.refresh, &[]);
    // A code with a wrong verifier, then the right one, then a late replay.
    let code = app.code(user::THEO_MANAGER, SCOPE);
    app.redeem(&code, &[("code_verifier", &"w".repeat(43))]);
    app.redeem(&code, &[]);
    app.advance(Duration::from_secs(10));
    app.redeem(&code, &[]);
    // A visit that is declined, and one whose sign-in fails.
    let browser = Browser::new(app);
    browser.answer(&browser.sign_in(&authorize_url(&[]), user::INES_VIEWER), "deny");
    app.upstream.simulator.set_user_disabled(3, true).expect("a user");
    browser.sign_in(&authorize_url(&[]), user::INES_VIEWER);
    // Somebody else's browser comes back with the link of a visit, and answers a form that is not its own.
    let waiting = browser.open(&authorize_url(&[]));
    Browser::new(app).choose_user(&waiting, user::MARA_ADMIN);
    let asked = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    Browser::new(app).answer(&asked, "approve");
    // A person ends a connection.
    app.connect(user::MARA_ADMIN, SCOPE);
    let (user_id, request_id) = (UserId::parse("1").expect("an id"), RequestId::parse("r").expect("an id"));
    let client_id = ClientId::parse(CLIENT).expect("fits");
    let clients = [&client_id];
    let ended = grants::revoke_connections(&*app.db, &user_id, &clients, &request_id, app.now());
    assert_eq!(now(ended).expect("a working database"), 1);
    // A refused client, and the people who look after connections.
    app.get(&authorize_url(&[("redirect_uri", "https://client.example/cb")]));
    app.connect(user::THEO_MANAGER, SCOPE);
    let reading = app.connect(user::THEO_MANAGER, SCOPE);
    app.read(&reading.access, "statibeat://pages/42/summary");
    // More refused calls than are recorded one by one.
    for _ in 0..=100 {
        app.call(&reading.access, "tools/call", json!({ "name": "create_incident", "arguments": { "page_id": 42 } }));
    }
    app.count_calls();
    let connection = format!("{} {CLIENT}", user::THEO_MANAGER);
    let connection = connection.as_str();
    let on_client = |action| [("action", action), ("connection", connection)];
    look_after(app, user::THEO_MANAGER, &[&on_client("pause"), &on_client("resume"), &on_client("confirm-always")]);
    let of_theo = |action| [("action", action), ("connection", connection), ("page", "42")];
    look_after(app, user::MARA_ADMIN, &[&of_theo("block"), &of_theo("unblock"), &[("action", "revoke-all")]]);
    write_everything(app);
    approve_in_place_of_the_first_and_narrow(app);
    look_after(app, user::THEO_MANAGER, &[&[("action", "revoke-all")]]);
    for path in ["/mcp/health", "/mcp/health/clients"] {
        app.send(request("GET", path, &[("x-health-token", HEALTH_TOKEN)], ""));
    }
    // StatiBeat asks for somebody.
    let path = "/mcp/admin/api/setup";
    let asked = Forged::good(app, "").header("typ", "statibeat-admin+jwt").claim("htm", "GET");
    let authorization = format!("Bearer {}", asked.claim("htu", format!("{PUBLIC_URL}{path}")).token());
    assert_eq!(app.send(request("GET", path, &[("authorization", &authorization)], "")).status(), 200);
    // What is kept, what goes first, and what goes in the end.
    app.connect(user::MARA_ADMIN, SCOPE);
    now(purge::run(&*app.db, app.now(), &|| true));
    for days in [2, 29, 200] {
        app.advance(Duration::from_hours(24 * days));
        now(purge::run(&*app.db, app.now(), &|| true));
    }
}

/// Theo approves once more in place of what he approved before, then narrows that.
fn approve_in_place_of_the_first_and_narrow(app: &TestApp) {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("scope", SCOPE)]), user::THEO_MANAGER);
    let choice = [
        ("answer", "approve"),
        ("scope", "mcp.pages.read"),
        ("pages", "all"),
        ("lifetime", "30d"),
        ("earlier", "replace"),
    ];
    let left = browser.answer_fields(&consent, &choice).leaves_for();
    app.redeem(&parameter(&left, "code").expect("a code"), &[]);
    let token = browser.open_admin_page(user::THEO_MANAGER);
    let grant = app.db.text("SELECT id FROM grants WHERE user_id = '2' ORDER BY rowid DESC LIMIT 1");
    let token = token.hidden("token");
    let fields = [
        ("token", token.as_str()),
        ("client", CLIENT),
        ("grant", &grant),
        ("scope", "mcp.pages.read"),
        ("pages", "these"),
        ("page", "42"),
    ];
    let page = browser.open("https://mcp.example/mcp/admin");
    assert_eq!(browser.submit(&page, "https://mcp.example/mcp/admin/narrow", &fields).status, 200);
}

/// Signs in to the admin page, acts, looks at it a while later, and signs out.
fn look_after(app: &TestApp, user_id: &str, actions: &[&[(&str, &str)]]) {
    let browser = Browser::new(app);
    let page = browser.open_admin_page(user_id);
    for fields in actions {
        browser.submit_action(&page, fields);
    }
    app.advance(Duration::from_mins(10));
    for part in ["", "/blocks", "/activity"] {
        browser.open(&format!("{PUBLIC_URL}/mcp/admin{part}"));
    }
    browser.open_connection(user_id, CLIENT);
    browser.submit(&page, &format!("{PUBLIC_URL}/mcp/admin/sign-out"), &[("token", &page.hidden("token"))]);
}

/// A write that is previewed, confirmed, repeated, refused, lost and found; under one connection.
fn write_everything(app: &TestApp) {
    let scope = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
    let token = app.connect(user::MARA_ADMIN, scope).access;
    let call = |tool: &str, arguments: serde_json::Value| {
        json_of(&app.call(&token, "tools/call", json!({"name": tool, "arguments": arguments})))["result"].clone()
    };
    let notice = |more: serde_json::Value| {
        let mut arguments = json!({"page_id": 42, "title": "Notice", "description": "News."});
        more.as_object().into_iter().flatten().for_each(|(name, value)| arguments[name] = value.clone());
        arguments
    };
    let shown = call("create_incident", notice(json!({"preview": true})));
    let handle = &shown["structuredContent"]["preview"]["confirm"];
    for _ in 0..2 {
        call("create_incident", notice(json!({"confirm": handle})));
    }
    call("create_incident", notice(json!({"status": "on_fire"})));
    let path = "/api/v1/orgs/*/pages/*/admin/incidents";
    app.upstream.inject(Some("POST"), path, FaultKind::DropBefore);
    for _ in 0..2 {
        call("create_incident", notice(json!({"idempotency_key": "k"})));
    }
    call("create_incident", notice(json!({"idempotency_key": "k", "title": "Other"})));
    call(
        "add_incident_update",
        json!({"page_id": 42, "incident_id": 1001, "message": "News.", "lifecycle_stage_id": 2}),
    );
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("no waiting")
}

/// Every statement that the story runs.
pub fn executed_statements() -> BTreeSet<&'static str> {
    record().iter().flat_map(|(batch, _)| batch).map(|statement| statement.sql).collect()
}

/// The story's batches with their answers.
fn record() -> Vec<Exchange> {
    let app = TestApp::new();
    app.db.trace.replace(Some(Vec::new()));
    live_through_everything(&app);
    app.db.trace.take().expect("a trace")
}

/// Every SQL text in `src/storage`, with the file it stands in.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new("src/storage");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        // What lies in folders are parts and tests of the file beside.
        if path.is_dir() || name == "testing" {
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("text");
        let mut texts = Vec::new();
        collect(source.parse().expect("Rust"), &mut texts);
        found.extend(texts.into_iter().map(|text| (name.clone(), text)));
    }
    found.sort();
    found
}

/// SQL of a module `tests` is no statement of the storage.
fn collect(tokens: TokenStream, texts: &mut Vec<String>) {
    let mut is_tests = false;
    for token in tokens {
        match token {
            TokenTree::Group(_) if is_tests => {}
            TokenTree::Group(group) => collect(group.stream(), texts),
            TokenTree::Literal(literal) => {
                let text = unquoted(&literal.to_string());
                let is_sql = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|word| text.starts_with(word));
                texts.extend(is_sql.then_some(text));
            }
            TokenTree::Ident(ref name) => is_tests = *name == "tests",
            TokenTree::Punct(_) => is_tests = false,
        }
    }
}

/// A plain string literal's text: a backslash at a line's end swallows the line break and the blanks behind it, and one before a
/// quotation mark is no part of it.
fn unquoted(literal: &str) -> String {
    let mut pieces = literal.trim_matches('"').split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.trim_start()).replace("\\\"", "\"")
}

/// X6
#[test]
fn every_statement_of_the_storage_runs_in_one_story() {
    let trace = record();
    let ran: BTreeSet<&str> = trace.iter().flat_map(|(batch, _)| batch).map(|statement| statement.sql).collect();
    // A text may be a part of a statement that is put together from several.
    let has_run = |text: &str| ran.contains(text) || ran.iter().any(|sql| sql.contains(text));
    let all = statements();
    assert!(all.len() > 30, "the source was read: {}", all.len());
    let left: Vec<&(String, String)> = all.iter().filter(|(_, sql)| !has_run(sql)).collect();
    assert!(left.is_empty(), "no step of `live_through_everything` runs these: {left:#?}");

    let exchanges: Vec<serde_json::Value> = trace
        .iter()
        .map(|(batch, answers)| {
            let statements = batch.iter().map(|one| json!({"sql": one.sql, "values": one.values}));
            json!({"statements": statements.collect::<Vec<_>>(), "answers": answers})
        })
        .collect();
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let tmp = Path::new(&target).join("tmp");
    std::fs::create_dir_all(&tmp).expect("a folder");
    let file = tmp.join("storage-trace.json");
    std::fs::write(file, serde_json::to_string(&exchanges).expect("JSON")).expect("a file");
}
