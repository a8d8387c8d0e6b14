//! One warm `tools/list` for callgrind to count: `measured` is the request that the others before it have warmed up.
#![allow(dead_code, reason = "the fuzz targets use more of the world")]

#[path = "../../../fuzz/targets/world.rs"]
mod world;

use serde_json::json;
use std::hint::black_box;
use world::World;

#[inline(never)]
fn measured(world: &World, request: http::Request<bytes::Bytes>) {
    let response = world.send(request);
    assert_eq!(black_box(response).status(), 200);
}

fn main() {
    world::with(|world| {
        let bearer = format!("Bearer {}", world.access_token());
        let request = || {
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
            let headers = [
                ("authorization", bearer.as_bytes()),
                ("content-type", b"application/json".as_slice()),
                ("mcp-protocol-version", b"2025-11-25".as_slice()),
            ];
            world::request("POST", "/mcp", &headers, body.as_bytes()).expect("a request")
        };
        for _ in 0..3 {
            assert_eq!(world.send(request()).status(), 200);
        }
        measured(world, request());
    });
}
