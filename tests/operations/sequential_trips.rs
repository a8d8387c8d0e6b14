//! Sequential far trips of each operation: people far from D1 and StatiBeat wait for every one of them. Each use of a port takes one
//! turn of a virtual clock, and uses that wait in the same turn count as one trip.
//!
//! D1 and StatiBeat are far. The counters of the rate limits are not: Cloudflare keeps each near those who use it.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use statibeat_mcp::ports::{Database, DatabaseError, HttpClient, HttpError, Row, Statement};
use statibeat_mcp::upstream::memory::LIST_LIFETIME;
use statibeat_mcp::web::App;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Most sequential trips to D1 and StatiBeat of an operation, as in docs/round-trips.md.
const SEQUENTIAL_TRIPS: [(&str, u32); 7] = [
    ("tools/list", 1),
    ("resources/list", 2),
    ("resources/read on a page", 3),
    ("resources/read on a page seen within a minute", 2),
    ("prompts/get on a page seen within a minute", 2),
    ("tools/call, preview", 4),
    ("tools/call", 6),
];

/// The virtual clock: a port's use is answered in the turn after the one in which it began.
#[derive(Default)]
struct Turns(Cell<u32>);

impl Turns {
    async fn wait(&self) {
        let began = self.0.get();
        poll_fn(|_| if self.0.get() > began { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// A port that is one turn away.
struct Far<T: ?Sized> {
    turns: Rc<Turns>,
    inner: Rc<T>,
}

#[async_trait(?Send)]
impl Database for Far<dyn Database> {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        self.turns.wait().await;
        self.inner.batch(statements).await
    }
}

#[async_trait(?Send)]
impl HttpClient for Far<dyn HttpClient> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.turns.wait().await;
        self.inner.send(request).await
    }
}

/// Runs a request to its end; returns its answer and its turns.
fn run(turns: &Turns, request: impl Future<Output = Response<Bytes>>) -> (Response<Bytes>, u32) {
    let began = turns.0.get();
    let mut request = pin!(request);
    loop {
        match request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => return (response, turns.0.get() - began),
            Poll::Pending => turns.0.set(turns.0.get() + 1),
        }
    }
}

/// A connection of a manager, whose instance is far from D1 and StatiBeat.
fn far_app() -> (TestApp, Rc<Turns>, String) {
    let mut tested = TestApp::new();
    let token = tested.connect(user::THEO_MANAGER, EVERYTHING).access;
    assert_eq!(tested.ping(&token), 200, "its use is recorded");
    let turns = Rc::new(Turns::default());
    let app: &mut App = &mut tested;
    app.db = Rc::new(Far { turns: Rc::clone(&turns), inner: Rc::clone(&app.db) });
    app.http = Rc::new(Far { turns: Rc::clone(&turns), inner: Rc::clone(&app.http) });
    (tested, turns, token)
}

#[test]
fn every_operation_makes_as_few_sequential_trips_as_the_table_says() {
    let (app, turns, token) = far_app();
    let check = |operation: &str, method: &str, params: Value| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let bearer = format!("Bearer {token}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        let request = crate::support::request("POST", "/mcp", &headers, body);
        let (response, trips) = run(&turns, app.start(request));
        let answer: Value = serde_json::from_slice(response.body()).expect("JSON");
        assert!(answer["result"].is_object() && answer["result"]["isError"] != true, "{operation}: {answer}");
        let row = SEQUENTIAL_TRIPS.iter().find(|(name, _)| *name == operation).expect("a row");
        assert_eq!(trips, row.1, "{operation}");
    };
    let summary = json!({ "uri": "statibeat://pages/42/hierarchy" });
    let prompt = json!({ "name": "summarize_current_beat_health", "arguments": { "page_id": "42" } });
    let incident = json!({
        "page_id": 42, "title": "Slow search", "description": "It is slow.", "affected_items": [{ "slug": "search" }],
    });
    let mut preview = incident.clone();
    preview["preview"] = json!(true);
    app.advance(LIST_LIFETIME);
    check("tools/list", "tools/list", json!({}));
    check("resources/read on a page", "resources/read", summary.clone());
    check("resources/read on a page seen within a minute", "resources/read", summary);
    check("prompts/get on a page seen within a minute", "prompts/get", prompt);
    check("resources/list", "resources/list", json!({}));
    check("tools/call, preview", "tools/call", json!({ "name": "create_incident", "arguments": preview }));
    check("tools/call", "tools/call", json!({ "name": "create_incident", "arguments": incident }));
}

#[test]
fn document_has_the_table_of_sequential_trips() {
    let document = include_str!("../../docs/round-trips.md");
    let row = |(operation, trips): &(&str, u32)| format!("| {operation} | {trips} |\n");
    let rows: Vec<String> = SEQUENTIAL_TRIPS.iter().map(row).collect();
    let table = rows.concat();
    assert!(document.contains(&table), "docs/round-trips.md should have:\n{table}");
}
