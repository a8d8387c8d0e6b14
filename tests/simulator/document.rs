//! The contract document itself, and that the checker can see a breach.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::story::{CONTRACT, PAGE, request};

fn respond(status: u16, body: &Value) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-request-id", "r-1")
        .body(Bytes::from(body.to_string()))
        .expect("a response")
}

fn fault(request: &Request<Bytes>, response: &Response<Bytes>) -> String {
    CONTRACT.check_exchange(request, response).expect_err("a breach")
}

fn get(path: &str) -> Request<Bytes> {
    request("GET", path, Some("token"), None)
}

#[test]
fn every_operation_says_whether_it_is_confirmed_or_proposed() {
    for operation in CONTRACT.operations() {
        let description = CONTRACT.document().pointer(&format!("{}/description", operation.pointer));
        let description = description.and_then(Value::as_str).unwrap_or("");
        let word = match operation.status.as_str() {
            "confirmed" => "Confirmed: ",
            "proposed" => "Proposed: ",
            other => panic!("{}: {other}", operation.id),
        };
        assert!(description.starts_with(word), "{}", operation.id);
        assert!(description.contains("Authentication: "), "{}", operation.id);
    }
}

#[test]
fn operation_names_are_unique() {
    let mut names: Vec<_> = CONTRACT.operations().iter().map(|operation| &operation.id).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn every_request_schema_refuses_unknown_fields() {
    for operation in CONTRACT.operations() {
        let body = format!("{}/requestBody/content", operation.pointer);
        let Some(media) = CONTRACT.document().pointer(&body).and_then(Value::as_object) else {
            continue;
        };
        for content in media.values() {
            let target = content["schema"]["$ref"].as_str().and_then(|target| target.strip_prefix('#')).unwrap_or("");
            let schema = CONTRACT.document().pointer(target).unwrap_or(&Value::Null);
            assert_eq!(schema["additionalProperties"], json!(false), "{}", operation.id);
        }
    }
}

#[test]
fn the_connector_writes_in_four_places_only() {
    let writes = CONTRACT.operations().iter().filter(|operation| operation.method != "GET");
    let open = writes.filter(|operation| operation.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty()));
    let names: Vec<_> = open.map(|operation| operation.id.as_str()).collect();
    assert_eq!(names, ["createIncident", "addIncidentUpdate", "scheduleMaintenance", "addMaintenanceUpdate"]);
}

#[test]
fn unknown_paths_methods_and_statuses_are_named() {
    let answer = respond(200, &json!({}));
    assert_eq!(fault(&get("/api/v1/nothing"), &answer), "the contract knows no path /api/v1/nothing");
    let put = request("PUT", "/api/v1/me", Some("token"), None);
    assert_eq!(fault(&put, &answer), "the contract knows no PUT at /api/v1/me");
    let teapot = fault(&get("/api/v1/me"), &respond(418, &json!({ "error": "no" })));
    assert_eq!(teapot, "response 418 of getCurrentUser: the status is not declared");
}

#[test]
fn a_breach_in_the_request_is_seen_unless_it_was_refused() {
    let path = format!("{PAGE}/incidents");
    let bad = [
        get(&format!("{path}?limit=0")),
        get(&format!("{path}?page=2")),
        get("/api/v1/orgs/seven/pages/42/admin/incidents"),
        request("GET", &path, None, None),
        request("POST", &path, Some("token"), Some(json!({ "title": "T" }))),
        request("POST", &path, Some("token"), Some(json!({ "title": "T", "description": "D", "x": 1 }))),
        request("POST", &path, Some("token"), None),
        request("GET", &path, Some("token"), Some(json!({}))),
    ];
    for request in bad {
        assert!(fault(&request, &respond(200, &json!({}))).starts_with("request of "), "{request:?}");
        let refused = respond(400, &json!({ "error": "no" }));
        assert_eq!(CONTRACT.check_exchange(&request, &refused), Ok(()), "{request:?}");
    }
}

#[test]
fn a_breach_in_the_response_is_seen() {
    let user = json!({ "id": 1, "name": "Mara", "email": "mara@northwind.example" });
    let me = get("/api/v1/me");
    assert_eq!(CONTRACT.check_exchange(&me, &respond(200, &user)), Ok(()));
    let mut newer = user.clone();
    newer["nickname"] = json!("M");
    assert_eq!(CONTRACT.check_exchange(&me, &respond(200, &newer)), Ok(()), "answers may grow");
    for bad in [json!({}), json!({ "id": "1", "name": "Mara", "email": "mara@northwind.example" }), json!([])] {
        assert!(fault(&me, &respond(200, &bad)).starts_with("response 200 of getCurrentUser"), "{bad}");
    }
    let mut bare = respond(200, &user);
    bare.headers_mut().remove("x-request-id");
    assert_eq!(fault(&me, &bare), "response 200 of getCurrentUser: header X-Request-Id is missing");
    let mut html = respond(200, &user);
    html.headers_mut().insert("content-type", "text/html".parse().expect("a header"));
    assert!(fault(&me, &html).contains("is not declared"));
    assert!(fault(&me, &respond(401, &json!({ "message": "no" }))).contains("error"));
}

#[test]
fn a_limited_answer_must_carry_the_limiter_s_headers() {
    let request =
        request("POST", &format!("{PAGE}/incidents"), Some("token"), Some(json!({ "title": "T", "description": "D" })));
    let limited = respond(429, &json!({ "error": "too many" }));
    assert_eq!(fault(&request, &limited), "response 429 of createIncident: header Retry-After is missing");
}
