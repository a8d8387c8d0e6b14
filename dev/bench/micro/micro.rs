//! The steps that every request passes, one at a time, with a database and a StatiBeat that answer at once.
#![allow(dead_code, reason = "the fuzz targets use more of the world")]

#[path = "../../../fuzz/targets/world.rs"]
mod world;

use criterion::{Criterion, criterion_group, criterion_main};
use http::Request;
use serde_json::{Value, json};
use statibeat_mcp::model::visible;
use statibeat_mcp::oauth::secret::AccessToken;
use std::hint::black_box;
use world::World;

fn call(token: &str, method: &str, params: &Value) -> Request<bytes::Bytes> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_bytes()),
        ("content-type", b"application/json".as_slice()),
        ("mcp-protocol-version", b"2025-11-25".as_slice()),
    ];
    world::request("POST", "/mcp", &headers, body.as_bytes()).expect("a request")
}

/// A request through the whole connector, as the benchmark of that name.
fn request(c: &mut Criterion, world: &World, name: &str, token: &str, method: &str, params: &Value) {
    c.bench_function(name, |b| b.iter(|| world.send(call(token, method, params))));
}

fn requests(c: &mut Criterion) {
    world::with(|world| {
        let token = world.access_token();
        world.answer_upstream(json!({ "id": 1, "name": "Mara" }).to_string().into());
        request(c, world, "dispatch: ping", &token, "ping", &json!({}));
        request(c, world, "schemas: tools/list", &token, "tools/list", &json!({}));
        let wrong = json!({ "name": "create_incident", "arguments": { "page_id": "x", "surprise": 1 } });
        request(c, world, "validation: arguments that do not fit", &token, "tools/call", &wrong);
        request(
            c,
            world,
            "assertion: resources/read of one document",
            &token,
            "resources/read",
            &json!({ "uri": "statibeat://me" }),
        );
    });
}

fn token_check(c: &mut Criterion) {
    world::with(|world| {
        let token = world.access_token();
        let keys = &world.config.checksum_keys;
        c.bench_function("token check: the tag", |b| b.iter(|| AccessToken::parse(black_box(&token), keys)));
    });
}

fn sanitizing(c: &mut Criterion) {
    let plain = "Some requests to the API fail since noon. ".repeat(100);
    let hostile = "a\u{202e}b\u{200b}c\u{0}d\u{e0041} ".repeat(100);
    c.bench_function("sanitizing: 4 kB of plain text", |b| b.iter(|| visible::clean(black_box(&plain))));
    c.bench_function("sanitizing: hidden characters", |b| b.iter(|| visible::clean(black_box(&hostile))));
}

criterion_group!(micro, requests, token_check, sanitizing);
criterion_main!(micro);
