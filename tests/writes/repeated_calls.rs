//! Repetitions of a write whose result is stored: they wait for nothing that only a new write needs.

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use serde_json::{Value, json};
use statibeat_mcp::ports::{HttpClient, HttpError};
use statibeat_mcp::web::App;
use std::cell::RefCell;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;

/// A StatiBeat that never answers requests with one of these words in them.
struct Hanging {
    inner: Rc<dyn HttpClient>,
    words: Rc<RefCell<Vec<&'static str>>>,
}

#[async_trait(?Send)]
impl HttpClient for Hanging {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let address = format!("{} {}", request.method(), request.uri());
        let hangs = self.words.borrow().iter().any(|words| address.contains(words));
        if hangs { pending().await } else { self.inner.send(request).await }
    }
}

struct Story {
    app: TestApp,
    token: String,
    hanging: Rc<RefCell<Vec<&'static str>>>,
}

impl Story {
    fn new() -> Self {
        let mut app = TestApp::new();
        let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
        app.ping(&token);
        let hanging: Rc<RefCell<Vec<&'static str>>> = Rc::default();
        let inner: &mut App = &mut app;
        inner.http = Rc::new(Hanging { inner: Rc::clone(&inner.http), words: Rc::clone(&hanging) });
        app.upstream.take_calls();
        Self { app, token, hanging }
    }

    /// The result of a call, and the requests to StatiBeat that were made for it; `None` if it waits.
    fn call(&self, tool: &str, arguments: &Value) -> (Option<Value>, Vec<String>) {
        self.app.upstream.take_calls();
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let bearer = format!("Bearer {}", self.token);
        let request = crate::support::request("POST", "/mcp", &[("authorization", &bearer)], body);
        let mut answer = pin!(self.app.start(request));
        // A stepwise database is waited for; whatever still waits then hangs.
        let answer = (0..100).find_map(|_| answer.as_mut().now_or_never());
        let result = answer.map(|answer| crate::support::json(&answer)["result"].clone());
        (result, self.app.upstream.take_calls())
    }

    /// The result of a call that publishes.
    fn publish(&self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments).0.expect("an answer");
        assert_eq!(result["structuredContent"]["replayed"], false, "{result}");
        result
    }
}

/// A call of each tool that looks something up beside its write, and words of those look-ups.
fn calls() -> [(&'static str, Value, &'static [&'static str]); 3] {
    let incident = json!({
        "page_id": 42, "title": "Slow search", "description": "It is slow.", "affected_items": [{ "slug": "search" }],
    });
    let update = json!({ "page_id": 42, "incident_id": 1001, "message": "A fix is being rolled out." });
    let window = json!({
        "page_id": 42, "title": "Upgrade", "description": "We upgrade.", "starts_at": "2030-01-31T22:00:00Z",
        "ends_at": "2030-01-31T23:00:00Z", "affected_items": [{ "slug": "search" }],
    });
    [
        ("create_incident", incident, &["dry_run"]),
        (
            "add_incident_update",
            update,
            &["GET https://api.statibeat.example/api/v1/orgs/7/pages/42/admin/incidents/1001"],
        ),
        ("schedule_maintenance", window, &["dry_run"]),
    ]
}

#[test]
fn stored_result_is_returned_while_look_ups_of_a_new_write_hang() {
    for (tool, arguments, look_ups) in calls() {
        let story = Story::new();
        let first = story.publish(tool, &arguments);
        story.hanging.borrow_mut().extend(look_ups);
        let (again, _) = story.call(tool, &arguments);
        let again = again.unwrap_or_else(|| panic!("{tool} waits"));
        assert_eq!(again["structuredContent"]["replayed"], true, "{again}");
        assert_eq!(
            again["structuredContent"]["audit_id"].is_string(),
            first["structuredContent"]["audit_id"].is_string()
        );
        let mut other = arguments.clone();
        let text = if tool == "add_incident_update" { "message" } else { "description" };
        other[text] = json!("Something new and entirely different, which nobody has published before.");
        assert!(story.call(tool, &other).0.is_none(), "{tool}: a new write waits for its look-ups");
    }
}

/// The read of the preview says that it was confirmed before. The database is not at once done with the lease: a look-up beside it
/// would begin.
#[test]
fn repeated_confirmation_asks_statibeat_for_nothing_but_the_pages() {
    for (tool, mut arguments, _) in calls() {
        let story = Story::new();
        arguments["preview"] = json!(true);
        let shown = story.call(tool, &arguments).0.expect("a preview");
        let confirm = json!({ "page_id": 42, "confirm": shown["structuredContent"]["preview"]["confirm"] });
        story.publish(tool, &confirm);
        story.app.db.is_stepwise.set(true);
        let (again, calls) = story.call(tool, &confirm);
        assert_eq!(again.expect("an answer")["structuredContent"]["replayed"], true, "{tool}");
        assert_eq!(calls, ["GET /api/v1/me/pages"], "{tool}");
    }
}
