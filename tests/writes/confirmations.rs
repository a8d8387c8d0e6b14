//! A client that can ask its person: they confirm, decline, or say nothing; and states that are not what they seem.

use crate::support::flow::user;
use crate::support::{TestApp, json, request};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

const REVOKE: &str = "UPDATE grants SET revoked_at = 1, revoke_reason = 'user'";
const PAUSE: &str = "UPDATE connections SET writes_paused_at = 1";
const BLOCK: &str = "INSERT INTO page_blocks SELECT user_id, client_id, 42, 0, user_name, client_name, 1, 'admin', 'Ada' FROM grants LIMIT 1";

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new(policy: &'static str) -> Self {
        let app = TestApp::with(|name| (name == "HOSTED_MCP_CONFIRM_WRITES").then_some(policy));
        let token = app.connect(user::THEO_MANAGER, ALL).access;
        app.upstream.take_calls();
        Self { app, token }
    }

    /// A modern call of `create_incident`, with what the client adds to it.
    fn request(&self, arguments: &Value, capabilities: Value, more: &Value) -> Request<Bytes> {
        let mut params = json!({ "name": "create_incident", "arguments": arguments });
        for (name, value) in more.as_object().expect("an object") {
            params[name] = value.clone();
        }
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let authorization = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "create_incident"),
        ];
        request("POST", "/mcp", &headers, body)
    }

    fn call(&self, arguments: &Value, capabilities: Value, more: &Value) -> Value {
        json(&self.app.send(self.request(arguments, capabilities, more)))["result"].clone()
    }

    fn ask(&self, arguments: &Value) -> String {
        let asked = self.call(arguments, json!({ "elicitation": {} }), &json!({}));
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let question = asked["inputRequests"]["confirm"]["params"]["message"].as_str().expect("a question");
        assert!(question.contains(arguments["title"].as_str().expect("text")), "{question}");
        asked["requestState"].as_str().expect("a state").to_owned()
    }

    fn answer(&self, arguments: &Value, state: &str, answer: &Value) -> Value {
        let more = json!({ "requestState": state, "inputResponses": { "confirm": answer } });
        self.call(arguments, json!({ "elicitation": {} }), &more)
    }

    fn audited(&self, outcome: &str, detail: &str) -> i64 {
        self.app.db.count(&format!(
            "SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = '{outcome}' AND detail = '{detail}'"
        ))
    }
}

/// The lines of a question that are ours: no line of anybody else's text can be one.
#[test]
fn text_of_others_forges_no_line_of_the_question() {
    let story = Story::new("always");
    let forged =
        "It is slow.\n\n94 subscribers would be notified (email 0).\r\nPublish this? On \"Other\", nobody would read:";
    let arguments = json!({
        "page_id": 42, "title": "API \"down\": 0 readers", "description": forged, "impact": "None\u{b}Warning: none",
        "affected_items": [{ "slug": "search" }],
    });
    let asked = story.call(&arguments, json!({ "elicitation": {} }), &json!({}));
    let shown = asked["inputRequests"]["confirm"]["params"]["message"].as_str().expect("a question");
    assert!(shown.contains("impact: \"NoneWarning: none\""), "a vertical tab is left out: {shown}");
    let mut arguments = arguments;
    arguments["impact"] = json!("None\nWarning: none");
    let asked = story.call(&arguments, json!({ "elicitation": {} }), &json!({}));
    let question = asked["inputRequests"]["confirm"]["params"]["message"].as_str().expect("a question");
    let ours: Vec<&str> = question.lines().filter(|line| !line.starts_with("> ")).collect();
    let expected = [
        r#"Publish this? New incident "API \"down\": 0 readers" (Investigating) on "Northwind Cloud Status"."#,
        r#"title: "API \"down\": 0 readers""#,
        "description: ",
        "impact: ",
        "- Search: operational → degraded (added)",
    ];
    for line in expected {
        assert!(ours.contains(&line), "no {line} in {question}");
    }
    for line in &ours {
        assert!(!line.starts_with("Warning: none") && !line.contains("email 0") && !line.contains("Other"), "{line}");
    }
    let quoted: Vec<&str> = question.lines().filter(|line| line.starts_with("> ")).collect();
    assert!(
        quoted.contains(&"> Publish this? On \"Other\", nobody would read:") && quoted.contains(&"> Warning: none")
    );
}

fn outage() -> Value {
    json!({ "page_id": 42, "title": "API down", "description": "Requests fail." })
}

fn accepted(publish: bool) -> Value {
    json!({ "action": "accept", "content": { "publish": publish } })
}

#[test]
fn a_person_who_confirms_publishes_once() {
    let story = Story::new("when-supported");
    let state = story.ask(&outage());
    assert_eq!(story.app.take_posts(), 0);
    let done = story.answer(&outage(), &state, &accepted(true));
    assert_eq!(done["structuredContent"]["replayed"], false, "{done}");
    let again = story.answer(&outage(), &state, &accepted(true));
    assert_eq!(again["structuredContent"]["replayed"], true, "a state works once: {again}");
    let bare = story.call(&outage(), json!({ "elicitation": {} }), &json!({}));
    assert_eq!(bare["structuredContent"]["replayed"], true, "what was confirmed is not asked about again: {bare}");
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn a_person_who_declines_or_says_nothing_publishes_nothing() {
    let story = Story::new("when-supported");
    for (answer, says) in [
        (json!({ "action": "decline" }), "The person declined"),
        (json!({ "action": "cancel" }), "Nobody confirmed this"),
        (accepted(false), "The person declined"),
    ] {
        let state = story.ask(&outage());
        let declined = story.answer(&outage(), &state, &answer);
        let text = declined["content"][0]["text"].as_str().unwrap_or_default();
        assert!(declined["isError"] != true && text.contains(says), "{declined}");
    }
    let rows = [("declined", "by_person"), ("declined", "cancelled"), ("previewed", "input_request")];
    assert_eq!((story.app.take_posts(), rows.map(|(outcome, detail)| story.audited(outcome, detail))), (0, [2, 1, 3]));
}

#[test]
fn a_state_that_is_tampered_with_swapped_or_old_publishes_nothing() {
    let story = Story::new("when-supported");
    let state = story.ask(&outage());
    let mut other = outage();
    other["title"] = json!("Everything is fine");
    for (arguments, state) in [(&other, state.clone()), (&outage(), format!("{state}x")), (&outage(), "a.b.c".into())] {
        let refused = story.answer(arguments, &state, &accepted(true));
        assert_eq!(refused["isError"], true, "{refused}");
    }
    story.app.advance(Duration::from_mins(10));
    let late = story.answer(&outage(), &state, &accepted(true));
    assert_eq!((&late["isError"], story.app.take_posts()), (&json!(true), 0), "{late}");
}

#[test]
fn a_client_that_cannot_ask_writes_at_once_unless_every_write_is_confirmed() {
    let story = Story::new("when-supported");
    assert_ne!(story.call(&outage(), json!({}), &json!({}))["isError"], true);
    assert_eq!(story.app.take_posts(), 1);
    let story = Story::new("always");
    assert_eq!(story.call(&outage(), json!({}), &json!({}))["isError"], true);
    assert_eq!(story.app.take_posts(), 0);
    let story = Story::new("never");
    assert_ne!(story.call(&outage(), json!({ "elicitation": {} }), &json!({}))["isError"], true);
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn confirmation_after_a_revocation_pause_or_block_publishes_nothing() {
    for meanwhile in [REVOKE, PAUSE, BLOCK] {
        let story = Story::new("always");
        let state = story.ask(&outage());
        let mut preview = outage();
        preview["preview"] = json!(true);
        let shown = story.call(&preview, json!({}), &json!({}));
        let mut confirmed = outage();
        confirmed["confirm"] = shown["structuredContent"]["preview"]["confirm"].clone();
        story.app.db.execute(meanwhile);
        for refused in [story.answer(&outage(), &state, &accepted(true)), story.call(&confirmed, json!({}), &json!({}))]
        {
            assert!(refused.is_null() || refused["isError"] == true, "{meanwhile}: {refused}");
        }
        assert_eq!(story.app.take_posts(), 0, "{meanwhile}");
    }
}

/// The confirmation passed the bearer check; the rest happens while the write waits.
#[test]
fn confirmation_under_way_when_its_writes_are_paused_publishes_nothing() {
    for batches in 0..8 {
        let story = Story::new("always");
        let state = story.ask(&outage());
        let more = json!({ "requestState": state, "inputResponses": { "confirm": accepted(true) } });
        let call = story.request(&outage(), json!({ "elicitation": {} }), &more);
        story.app.db.is_stepwise.set(true);
        let mut running = Box::pin(story.app.start(call));
        let mut answer = None;
        for _ in 0..=batches {
            answer = answer.or_else(|| running.as_mut().now_or_never());
        }
        let posted = story.app.take_posts();
        story.app.db.execute(PAUSE);
        while answer.is_none() {
            answer = running.as_mut().now_or_never();
        }
        assert_eq!(story.app.take_posts(), 0, "after {batches} batches and {posted} posts");
    }
}

#[test]
fn person_is_not_asked_about_a_write_of_a_paused_connection() {
    let story = Story::new("when-supported");
    story.app.db.execute(PAUSE);
    let refused = story.call(&outage(), json!({ "elicitation": {} }), &json!({}));
    assert!(refused["isError"] == true && refused.to_string().contains("paused this connection's writes"), "{refused}");
    assert_eq!(story.app.upstream.take_calls(), ["GET /api/v1/me/pages"], "nothing is read to show it");
    assert_eq!(story.audited("refused", "writes_paused"), 1);
    let mut preview = outage();
    preview["preview"] = json!(true);
    let refused = story.call(&preview, json!({ "elicitation": {} }), &json!({}));
    assert!(refused["isError"] == true && refused.to_string().contains("paused this connection's writes"), "{refused}");
}

#[test]
fn question_shows_the_texts_in_the_order_customers_read_them() {
    let story = Story::new("always");
    let arguments = json!({ "page_id": 42, "impact": "None.", "description": "Requests fail.", "title": "API down" });
    let asked = story.call(&arguments, json!({ "elicitation": {} }), &json!({}));
    let question = asked["inputRequests"]["confirm"]["params"]["message"].as_str().expect("a question");
    let places = ["\ntitle: ", "\ndescription: ", "\nimpact: "].map(|name| question.find(name).expect("a text"));
    assert!(places.is_sorted(), "{question}");
}
