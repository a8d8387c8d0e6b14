//! The admin page's facts as JSON: who may ask, that the answers keep `docs/admin-api.yaml`, and that they tell no more
//! than the page does.

use crate::support::browser::Browser;
use crate::support::contract::Contract;
use crate::support::database::Failure;
use crate::support::flow::user;
use crate::support::forge::Forged;
use crate::support::surface::EVERYTHING;
use crate::support::{PUBLIC_URL, TestApp, header, json, request};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";
const QUESTIONS: [&str; 4] =
    ["/mcp/admin/api/setup", "/mcp/admin/api/connections", "/mcp/admin/api/activity", "/mcp/admin/api/blocks"];
const CONNECTION: &str = "/mcp/admin/api/connection";

/// StatiBeat's assertion for this person and path, for one request.
fn assertion(app: &TestApp, user_id: &str, path: &str) -> String {
    let user_id = user_id.parse().expect("a number");
    app.upstream.simulator.admin_assertion(user_id, path, app.now().as_seconds()).expect("somebody signed in")
}

/// The same in our own hand, to be bent.
fn forged(app: &TestApp, user_id: &str, path: &str) -> Forged {
    Forged::good(app, "")
        .header("typ", "statibeat-admin+jwt")
        .claim("sub", user_id)
        .claim("htm", "GET")
        .claim("htu", format!("{PUBLIC_URL}{path}"))
        .claim("jti", format!("{user_id} {path} {}", app.db.count("SELECT count(*) FROM used_nonces")))
}

/// Asks with a token and holds the exchange against the document.
fn ask_with(app: &TestApp, token: &str, path_and_query: &str) -> Response<Bytes> {
    let document = Contract::read(include_str!("../../docs/admin-api.yaml"));
    let authorization = format!("Bearer {token}");
    let asked = || request("GET", path_and_query, &[("authorization", &authorization)], "");
    let answer = app.send(asked());
    document.check_exchange(&asked(), &answer).unwrap_or_else(|fault| panic!("{fault}: {:?}", answer.body()));
    answer
}

fn ask(app: &TestApp, user_id: &str, path_and_query: &str) -> Value {
    let path = path_and_query.split('?').next().expect("a path");
    let answer = ask_with(app, &assertion(app, user_id, path), path_and_query);
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
    json(&answer)
}

fn furnished() -> TestApp {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, ALL);
    app.connect(user::THEO_MANAGER, ALL);
    let info = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "Cursor", "version": "1" } });
    app.call(&pair.access, "initialize", info);
    app.call(&pair.access, "resources/read", json!({ "uri": "statibeat://pages/42/analytics/summary" }));
    let arguments = json!({ "page_id": 42, "title": "Slow", "description": "It is slow." });
    app.call(&pair.access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    app.refresh(&pair.refresh, &[("client_id", "other")]);
    app.count_calls();
    app
}

#[test]
fn assertion_returns_what_the_persons_page_shows() {
    let app = furnished();
    let setup = ask(&app, user::MARA_ADMIN, QUESTIONS[0]);
    assert_eq!(setup["resource_url"], "https://mcp.example/mcp");
    assert_eq!(setup["scopes"].as_array().map(Vec::len), Some(EVERYTHING.split_whitespace().count()));
    let all = ask(&app, user::MARA_ADMIN, QUESTIONS[1]);
    let listed = all["connections"].as_array().expect("a list");
    assert_eq!((listed.len(), &all["total"], &all["next"]), (2, &json!(2), &Value::Null));
    let of = |name: &str| listed.iter().find(|listed| listed["user_name"] == name).expect("a connection").clone();
    let (own, theo) = (of("Mara Lindqvist"), of("Theo Okafor"));
    let diagnosis = &own["diagnosis"];
    assert_eq!(diagnosis["client"], json!({ "name": "Cursor", "version": "1" }));
    assert_eq!((&diagnosis["result"], &diagnosis["last_error"]["reason"]), (&json!("failing"), &json!("scope")));
    assert_eq!(
        (&diagnosis["refreshes_refused"], &diagnosis["last_refused_refresh"]["reason"]),
        (&json!(1), &json!("other_client"))
    );
    assert_eq!((&own["is_own"], &theo["is_own"], &theo["pages"]), (&json!(true), &json!(false), &json!([42])));
    assert_eq!(ask(&app, user::MARA_ADMIN, &format!("{}?owners=others&search=theo", QUESTIONS[1]))["total"], 1);
    let details = ask(&app, user::MARA_ADMIN, &format!("{CONNECTION}?user=1&client=test-client"));
    assert_eq!((&details["calls"][13]["refused"], &details["diagnosis"]), (&json!(1), diagnosis));
    let done = ask(&app, user::MARA_ADMIN, &format!("{}?page=42&outcome=done", QUESTIONS[2]));
    assert_eq!((&done["items"][0]["tool"], &done["items"][0]["is_own"]), (&json!("create_incident"), &json!(true)));
    assert_eq!(ask(&app, user::MARA_ADMIN, &format!("{}?outcome=failed", QUESTIONS[2]))["items"], json!([]));
}

#[test]
fn other_peoples_connections_are_returned_to_page_admins_only() {
    let app = furnished();
    let all = ask(&app, user::INES_VIEWER, QUESTIONS[1]);
    assert_eq!((&all["connections"], &all["total"], &all["ended"]), (&json!([]), &json!(0), &json!([])));
    assert_eq!(ask(&app, user::INES_VIEWER, QUESTIONS[2])["items"], json!([]));
    let theo = ask(&app, user::THEO_MANAGER, QUESTIONS[1]);
    assert_eq!((theo["connections"].as_array().map(Vec::len), &theo["total"]), (Some(1), &json!(1)));
}

#[test]
fn page_session_is_accepted_and_a_missing_session_gets_401() {
    let app = furnished();
    let browser = Browser::new(&app);
    for path in QUESTIONS {
        let shown = browser.open(&format!("{PUBLIC_URL}{path}"));
        assert_eq!(shown.status, 401, "{path}");
        assert!(!shown.body.contains("mcp.example/mcp"), "{}", shown.body);
    }
    browser.open_admin_page(user::MARA_ADMIN);
    for path in QUESTIONS {
        let shown = browser.open(&format!("{PUBLIC_URL}{path}"));
        assert_eq!(shown.status, 200, "{path}");
        assert_eq!(header(&shown.response, "content-type"), "application/json");
        assert_eq!(header(&shown.response, "cache-control"), "no-store");
        assert_eq!(header(&shown.response, "x-content-type-options"), "nosniff");
        assert_eq!(header(&shown.response, "access-control-allow-origin"), "");
        let preflight = app.send(request("OPTIONS", path, &[("origin", "https://evil.example")], ""));
        assert_eq!((preflight.status().as_u16(), header(&preflight, "access-control-allow-origin")), (405, ""));
        assert_eq!(app.send(request("POST", path, &[], "")).status(), 405);
    }
}

#[test]
fn altered_or_repeated_assertion_gets_401() {
    let app = furnished();
    let path = QUESTIONS[1];
    let good = || forged(&app, user::MARA_ADMIN, path);
    assert_eq!(ask_with(&app, &good().token(), path).status(), 200, "unbent, it is good");
    let refused = |forged: Forged| {
        let answer = ask_with(&app, &forged.token(), path);
        assert_eq!(answer.status(), 401, "{:?}", forged.claims);
        assert!(!String::from_utf8_lossy(answer.body()).contains("test-client"));
    };
    refused(good().by_another_key());
    refused(good().header("typ", "statibeat-identity+jwt"));
    refused(good().header("alg", "none"));
    refused(good().header("crit", json!(["x"])));
    refused(good().header("kid", "another"));
    for (claim, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("https://other.example")),
        ("env", json!("production")),
        ("htm", json!("POST")),
        ("htu", json!(format!("{PUBLIC_URL}{}", QUESTIONS[2]))),
        ("htu", json!(format!("{PUBLIC_URL}{path}?page=42"))),
        ("sub", json!("01")),
        ("sub", json!("mara")),
        ("jti", json!("")),
        ("exp", json!(app.now().as_seconds())),
        ("exp", json!(app.now().as_seconds() + 61)),
        ("iat", json!(app.now().as_seconds() + 31)),
        ("name", Value::Null),
    ] {
        refused(good().claim(claim, value));
    }
    let token = assertion(&app, user::MARA_ADMIN, path);
    assert_eq!(ask_with(&app, &token, path).status(), 200);
    assert_eq!(ask_with(&app, &token, path).status(), 401, "it is spent");
    app.advance(Duration::from_secs(60));
    assert_eq!(ask_with(&app, &token, path).status(), 401, "and over");
    for other in ["Basic x", "Bearer", "bearer x"] {
        assert_eq!(app.send(request("GET", path, &[("authorization", other)], "")).status(), 401, "{other}");
    }
}

#[test]
fn access_token_and_assertion_are_not_interchangeable() {
    let app = furnished();
    let access = app.connect(user::MARA_ADMIN, ALL).access;
    assert_eq!(ask_with(&app, &access, QUESTIONS[1]).status(), 401);
    assert_eq!(app.ping(&forged(&app, user::MARA_ADMIN, "/mcp").token()), 401);
}

#[test]
fn disabled_person_gets_403_and_a_storage_outage_503_with_retry_after() {
    let app = furnished();
    let token = assertion(&app, user::MARA_ADMIN, QUESTIONS[0]);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let answer = ask_with(&app, &token, QUESTIONS[0]);
    assert_eq!(answer.status(), 403);
    app.upstream.simulator.set_user_disabled(1, false).expect("a user");
    let token = assertion(&app, user::MARA_ADMIN, QUESTIONS[1]);
    app.db.fail_after(0, Failure::Before);
    let answer = ask_with(&app, &token, QUESTIONS[1]);
    assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (503, "10"));
}
