//! Faults on demand, and the switches of the process.

use serde_json::{Value, json};

use crate::story::{NOW, PAGE, Reply, Story, request};
use statibeat_simulator::{Fault, FaultKind, Outcome};

const ADMIN: &str = "sb_demo_admin_42";
const INCIDENTS: &str = "/api/v1/orgs/7/pages/42/admin/incidents";
const ANY_INCIDENTS: &str = "/api/v1/orgs/*/pages/*/admin/incidents";

fn count(story: &Story) -> Value {
    story.token(ADMIN, "GET", INCIDENTS, None).json["total"].clone()
}

fn create(story: &Story) -> Outcome {
    let body = json!({ "title": "T", "description": "D" });
    story.simulator.exchange(&request("POST", INCIDENTS, Some(ADMIN), Some(body)), NOW)
}

#[test]
fn a_status_takes_the_place_of_the_work_as_often_as_planned() {
    let story = Story::new();
    let kind = FaultKind::Status { code: 503, retry_after: Some(7) };
    story.simulator.inject(Fault { method: None, path: ANY_INCIDENTS.to_owned(), times: 2, kind });
    let get = || story.token(ADMIN, "GET", INCIDENTS, None);
    let first = get();
    assert_eq!((first.status, first.header("retry-after")), (503, "7"));
    assert_eq!((get().status, get().status), (503, 200));
}

#[test]
fn a_planned_429_looks_like_a_limiter_s() {
    let story = Story::new();
    let kind = FaultKind::Status { code: 429, retry_after: Some(9) };
    story.simulator.inject(Fault::once("GET", ANY_INCIDENTS, kind));
    let limited = story.token(ADMIN, "GET", INCIDENTS, None);
    assert_eq!((limited.status, limited.header("retry-after"), limited.header("x-ratelimit-limit")), (429, "9", "600"));
}

#[test]
fn a_connection_drops_before_or_after_the_work() {
    let story = Story::new();
    story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::DropBefore));
    assert!(matches!(create(&story), Outcome::Dropped { .. }));
    assert_eq!(count(&story), 15);
    story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::DropAfter));
    assert!(matches!(create(&story), Outcome::Dropped { .. }));
    assert_eq!(count(&story), 16);
}

#[test]
fn a_connection_breaks_off_in_the_middle_of_an_answer() {
    let story = Story::new();
    story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::CutBody));
    let Outcome::Dropped { half_of: Some(answer), .. } = create(&story) else { panic!("nothing to send half of") };
    assert_eq!(answer.status(), 201);
    assert_eq!(count(&story), 16, "the work is done");
}

#[test]
fn a_page_of_html_takes_the_place_of_the_work() {
    let story = Story::new();
    story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::Html { code: 502 }));
    let Outcome::Answered { response, .. } = create(&story) else { panic!("not dropped") };
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (502, &"text/html; charset=utf-8".parse().expect("a value"))
    );
    assert_eq!(count(&story), 15);
}

#[test]
fn delays_add_up_and_leave_the_answer_alone() {
    let story = Story::new();
    for milliseconds in [200, 300] {
        story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::Delay { milliseconds }));
    }
    let Outcome::Answered { response, delay, .. } = create(&story) else { panic!("not dropped") };
    assert_eq!((response.status().as_u16(), delay.as_millis()), (201, 500));
}

#[test]
fn an_answer_is_held_until_the_next_release() {
    let story = Story::new();
    let held_at = || match create(&story) {
        Outcome::Answered { held_at, .. } => held_at,
        Outcome::Dropped { .. } => panic!("not dropped"),
    };
    let hold = || story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, FaultKind::Hold));
    hold();
    assert_eq!((held_at(), held_at()), (Some(0), None));
    assert_eq!(count(&story), 17, "the work is done");
    let release = request("POST", "/__simulator/release", None, None);
    assert_eq!(story.send_unchecked(&release).status, 204);
    assert_eq!(story.simulator.releases(), 1);
    hold();
    assert_eq!(held_at(), Some(1));
    story.simulator.clear_faults();
    assert_eq!(story.simulator.releases(), 2);
}

#[test]
fn bodies_break_off_or_grow() {
    let story = Story::new();
    story.simulator.inject(Fault::once("GET", ANY_INCIDENTS, FaultKind::MalformedBody));
    story.simulator.inject(Fault::once("GET", ANY_INCIDENTS, FaultKind::HugeBody { bytes: 5_000_000 }));
    let get = || story.send_unchecked(&request("GET", INCIDENTS, Some(ADMIN), None));
    assert_eq!(get().json, Value::Null);
    assert!(get().response.body().len() > 5_000_000);
    assert_eq!(get().json["total"], 15);
}

#[test]
fn a_fault_waits_for_its_method_and_path() {
    let story = Story::new();
    let kind = || FaultKind::Status { code: 500, retry_after: None };
    story.simulator.inject(Fault::once("POST", ANY_INCIDENTS, kind()));
    story.simulator.inject(Fault::once("GET", "/api/v1/orgs/*/pages/*/admin/beats/**", kind()));
    assert_eq!(count(&story), 15);
    assert_eq!(story.token(ADMIN, "GET", &format!("{PAGE}/beat-groups"), None).status, 200);
    assert_eq!(story.token(ADMIN, "GET", &format!("{PAGE}/beats/501/events"), None).status, 500);
    story.simulator.clear_faults();
    assert!(matches!(create(&story), Outcome::Answered { response, .. } if response.status() == 201));
}

#[test]
fn requests_are_recorded_as_they_came() {
    let story = Story::new();
    story.token(ADMIN, "POST", INCIDENTS, Some(json!({ "title": "T", "description": "D" })));
    let recorded = story.simulator.requests();
    assert_eq!((recorded[0].method.as_str(), recorded[0].path.as_str()), ("POST", INCIDENTS));
    assert_eq!(recorded[0].header("authorization"), Some("Bearer sb_demo_admin_42"));
    story.simulator.clear_requests();
    assert!(story.simulator.requests().is_empty());
}

fn switch(story: &Story, method: &str, name: &str, body: Option<Value>) -> Reply {
    story.send_unchecked(&request(method, &format!("/__simulator/{name}"), None, body))
}

#[test]
fn the_process_has_the_same_switches() {
    let story = Story::new();
    let fault = json!({ "path": "/api/v1/me", "kind": { "status": { "code": 502 } } });
    assert_eq!(switch(&story, "POST", "faults", Some(fault)).status, 204);
    assert_eq!(story.user(1, "mcp.pages.read", "GET", "/api/v1/me", None).status, 502);
    let drop = json!({ "method": "GET", "path": "/**", "times": 3, "kind": "drop_before" });
    assert_eq!(switch(&story, "POST", "faults", Some(drop)).status, 204);
    assert_eq!(switch(&story, "DELETE", "faults", None).status, 204);
    assert_eq!(switch(&story, "POST", "users/2", Some(json!({ "disabled": true }))).status, 204);
    assert_eq!(story.user(2, "mcp.pages.read", "GET", "/api/v1/me", None).status, 401);
    let role = json!({ "page_id": 42, "role_key": "page_admin" });
    assert_eq!(switch(&story, "POST", "users/4", Some(role)).status, 204);
    assert_eq!(story.user(4, "mcp.pages.read", "GET", "/api/v1/me/pages", None).json["total"], 1);
    assert_eq!(switch(&story, "GET", "requests", None).json["total"], 3);
    assert_eq!(switch(&story, "POST", "clock", Some(json!({ "ahead_seconds": 600 }))).status, 204);
    assert_eq!(
        story.user(4, "mcp.pages.read", "GET", "/api/v1/me/pages", None).status,
        401,
        "its assertion is old now"
    );
    assert_eq!(switch(&story, "POST", "faults", Some(json!({ "path": "/", "kind": "explode" }))).status, 400);
    assert_eq!(switch(&story, "GET", "health", None).status, 200);
}

#[test]
fn statibeat_speaks_for_who_is_signed_in_to_the_admin_api_and_each_assertion_differs() {
    let story = Story::new();
    let ask = |user: u64, path: &str| {
        switch(&story, "POST", "admin-assertions", Some(json!({ "user_id": user, "path": path })))
    };
    let first = ask(1, "/mcp/admin/api/setup");
    let token = first.json["assertion"].as_str().expect("an assertion");
    assert_eq!(token.split('.').count(), 3);
    assert_ne!(first.json, ask(1, "/mcp/admin/api/setup").json);
    assert_eq!(ask(1, "/mcp").status, 400);
    assert_eq!(ask(99, "/mcp/admin/api/setup").status, 400);
    switch(&story, "POST", "users/1", Some(json!({ "disabled": true })));
    assert_eq!(ask(1, "/mcp/admin/api/setup").status, 400);
}

#[test]
fn a_page_in_a_browser_may_not_reach_the_switches() {
    let story = Story::new();
    let mut foreign = request("DELETE", "/__simulator/faults", None, None);
    foreign.headers_mut().insert("origin", "https://evil.example".parse().expect("a header"));
    assert_eq!(story.send_unchecked(&foreign).status, 403);
    let mut rebound = request("DELETE", "/__simulator/faults", None, None);
    rebound.headers_mut().insert("host", "evil.example".parse().expect("a header"));
    assert_eq!(story.send_unchecked(&rebound).status, 403);
}
