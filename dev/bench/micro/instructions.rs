//! Warm requests to one instance for callgrind to count: `measured` is each of the requests that the others before it have warmed
//! up. Arguments: the operation, and how many requests (10 if absent). `docs/performance.md` has the command and the figures.
#![allow(dead_code, reason = "the fuzz targets use more of the world")]

#[path = "../../../fuzz/targets/world.rs"]
mod world;

use http::Request;
use serde_json::{Value, json};
use statibeat_mcp::web::App;
use std::hint::black_box;
use world::{CLIENT, World};

#[inline(never)]
fn measured(app: &App, request: Request<bytes::Bytes>) {
    let response = world::send_to(app, request);
    assert_eq!(black_box(response).status(), 200);
}

fn call(world: &World, method: &str, params: &Value) -> Request<bytes::Bytes> {
    let bearer = format!("Bearer {}", world.access_token());
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let headers = [
        ("authorization", bearer.as_bytes()),
        ("content-type", b"application/json".as_slice()),
        ("mcp-protocol-version", b"2025-11-25".as_slice()),
    ];
    world::request("POST", "/mcp", &headers, body.as_bytes()).expect("a request")
}

/// A page as StatiBeat lists it, with what the reads of the measured resource show of it.
fn page() -> Value {
    let permissions = ["page.read", "incidents.read", "hierarchy.read", "status_definitions.read"];
    json!({ "id": 42, "organization_id": 7, "name": "Northwind", "time_zone": "UTC", "permissions": permissions })
}

fn request(world: &World, operation: &str) -> Request<bytes::Bytes> {
    let get = |path: &str| world::request("GET", path, &[], b"").expect("a request");
    match operation {
        "tools/list" | "prompts/list" | "resources/templates/list" | "resources/list" | "ping" => {
            call(world, operation, &json!({}))
        }
        "resources/read" => call(world, operation, &json!({ "uri": "statibeat://pages/42/hierarchy" })),
        "protected resource metadata" => get("/.well-known/oauth-protected-resource/mcp"),
        "authorization server metadata" => get("/.well-known/oauth-authorization-server"),
        "refresh" => {
            let (token, resource) = (world.refresh_token(), format!("{}/mcp", world::ORIGIN));
            let body = format!("grant_type=refresh_token&refresh_token={token}&client_id={CLIENT}&resource={resource}");
            let headers = [("content-type", b"application/x-www-form-urlencoded".as_slice())];
            world::request("POST", "/mcp/oauth/token", &headers, body.as_bytes()).expect("a request")
        }
        other => panic!("unknown operation {other}"),
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let operation = arguments.next().unwrap_or_else(|| "tools/list".to_owned());
    let count = arguments.next().map_or(10, |count| count.parse().expect("a number"));
    world::with(|world| {
        let answer = if operation == "refresh" {
            json!({ "id": 1, "name": "Mara" })
        } else {
            json!({ "items": [page()], "total": 1 })
        };
        world.answer_upstream(answer.to_string().into());
        let app = world.instance();
        for _ in 0..3 {
            let response = world::send_to(&app, request(world, &operation));
            assert_eq!(response.status(), 200, "{:?}", response.body());
        }
        for _ in 0..count {
            measured(&app, request(world, &operation));
        }
    });
}
