//! Confirm tokens: a call with only `page_id` and `confirm` publishes what was previewed, and nothing else does by it.

use crate::support::database::Failure;
use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, tools};
use crate::support::{TestApp, json, request};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use serde_json::{Value, json};
use std::time::Duration;

const REVOKE: &str = "UPDATE grants SET revoked_at = 1, revoke_reason = 'user'";
const PAUSE: &str = "UPDATE connections SET writes_paused_at = 1";
const BLOCK: &str = "INSERT INTO page_blocks SELECT user_id, client_id, 42, 0, user_name, client_name, 1, 'admin', 'Ada' FROM grants LIMIT 1";

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new() -> Self {
        let app = TestApp::new();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        app.ping(&token);
        app.upstream.take_calls();
        Self { app, token }
    }

    fn request(&self, tool: &str, arguments: &Value) -> Request<Bytes> {
        let params = json!({ "name": tool, "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        request("POST", "/mcp", &[("authorization", &format!("Bearer {}", self.token))], body)
    }

    fn call(&self, tool: &str, arguments: &Value) -> Value {
        json(&self.app.send(self.request(tool, arguments)))["result"].clone()
    }

    fn create(&self, arguments: &Value) -> Value {
        self.call("create_incident", arguments)
    }

    /// The confirm token of a preview.
    fn preview(&self, tool: &str, arguments: &Value) -> Value {
        let shown = self.call(tool, &with(arguments, &json!({ "preview": true })));
        let token = shown["structuredContent"]["preview"]["confirm"].clone();
        assert!(token.is_string(), "{shown}");
        token
    }

    /// A preview of [`outage`], confirmed with these arguments besides.
    fn confirm(&self, token: &Value, more: &Value) -> Value {
        self.create(&with(&json!({ "page_id": 42, "confirm": token }), more))
    }

    /// The token, sent with a grant that this person has just given to the same client.
    fn confirm_with_new_sign_in(&self, user: &str, token: &Value) -> Value {
        let other = self.app.connect(user, EVERYTHING).access;
        self.app.ping(&other);
        self.app.take_posts();
        let params = json!({ "name": "create_incident", "arguments": { "page_id": 42, "confirm": token } });
        json(&self.app.call(&other, "tools/call", params))["result"].clone()
    }

    /// The call was refused with these words, and nothing was published.
    fn check_refused(&self, answer: &Value, says: &[&str]) {
        let text = text(answer);
        assert_eq!((&answer["isError"], self.app.take_posts()), (&json!(true), 0), "{answer}");
        for words in says.iter().chain(&["othing was published"]) {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}

fn outage() -> Value {
    json!({ "page_id": 42, "title": "API down", "description": "Requests fail.", "affected_items": [{ "id": 113 }] })
}

fn with(arguments: &Value, more: &Value) -> Value {
    let mut arguments = arguments.clone();
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap_or_default()
}

#[test]
fn call_with_only_page_id_and_confirm_publishes_the_preview_of_every_tool_once() {
    for (tool, arguments) in tools() {
        let story = Story::new();
        let token = story.preview(tool, &arguments);
        assert_eq!((token.as_str().map(str::len), story.app.take_posts()), (Some(31), 0), "{tool}");
        let confirmed = json!({ "page_id": arguments["page_id"], "confirm": token });
        let done = story.call(tool, &confirmed);
        assert_eq!(done["structuredContent"]["replayed"], false, "{tool}: {done}");
        let again = story.call(tool, &confirmed);
        assert_eq!(again["structuredContent"]["replayed"], true, "{tool}: {again}");
        assert_eq!(story.app.take_posts(), 1, "{tool}");
        let bare = story.call(tool, &arguments);
        assert_eq!(bare["structuredContent"]["replayed"], true, "{tool}, the very same write: {bare}");
    }
}

#[test]
fn preview_says_how_to_publish_it() {
    let story = Story::new();
    let shown = story.create(&with(&outage(), &json!({ "preview": true })));
    let token = shown["structuredContent"]["preview"]["confirm"].as_str().expect("a token");
    let says = format!("To publish, call again with only page_id and confirm: \"{token}\"");
    assert!(text(&shown).contains(&says), "{shown}");
}

#[test]
fn confirmed_write_is_on_record_with_the_title_that_was_previewed() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    story.confirm(&token, &json!({}));
    let row = "SELECT count(*) FROM audit WHERE outcome = 'done' AND title = 'API down' AND page_id = 42 AND target_id IS NOT NULL";
    assert_eq!(story.app.db.count(row), 1);
}

#[test]
fn same_arguments_given_again_publish_the_preview() {
    for more in [
        outage(),
        with(&outage(), &json!({ "preview": true })),
        json!({ "title": "API down", "impact": null }),
        json!({ "preview": true }),
    ] {
        let story = Story::new();
        let token = story.preview("create_incident", &with(&outage(), &json!({ "idempotency_key": null })));
        let done = story.confirm(&token, &more);
        assert_eq!(
            (&done["structuredContent"]["replayed"], story.app.take_posts()),
            (&json!(false), 1),
            "{more}: {done}"
        );
    }
}

#[test]
fn other_arguments_are_named_and_the_preview_stays_confirmable() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    story.app.take_posts();
    for (more, names) in [
        (json!({ "title": "API up" }), "`title` differs"),
        (json!({ "impact": "None", "title": "API up", "description": "Requests fail." }), "`title`, `impact` differ"),
        (json!({ "affected_items": [{ "id": 101 }] }), "`affected_items` differs"),
        (json!({ "title": 7 }), "`title` differs"),
        (json!({ "notify": false }), "`notify` differs"),
        (json!({ "idempotency_key": "k" }), "`idempotency_key` differs"),
        (json!({ "page_id": 43 }), "`page_id` differs"),
    ] {
        let refused = story.confirm(&token, &more);
        story.check_refused(&refused, &[names, "call again with only page_id and confirm"]);
    }
    let update = json!({ "page_id": 42, "confirm": token });
    story.check_refused(&story.call("add_incident_update", &update), &["preview of create_incident"]);
    assert_eq!(story.confirm(&token, &json!({}))["structuredContent"]["replayed"], false);
}

#[test]
fn malformed_confirm_token_gets_an_error_that_explains_confirm_tokens() {
    let story = Story::new();
    for guess in [json!(true), json!("yes"), json!("true"), json!(1), json!({}), json!("pv_"), json!("made.up.token")] {
        let refused = story.confirm(&guess, &outage());
        story.check_refused(&refused, &["`confirm`", "31 characters that begins with pv_", "preview: true gives one"]);
    }
}

#[test]
fn token_of_another_connection_publishes_nothing() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    let refused = story.confirm_with_new_sign_in(user::THEO_MANAGER, &token);
    story.check_refused(&refused, &["not a confirm token of this connection"]);
}

/// As after a step-up: the person connects the app again, and the model still holds the token of a preview from before.
#[test]
fn token_from_before_a_second_sign_in_is_refused_with_what_ended_it_and_the_next_call() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    let refused = story.confirm_with_new_sign_in(user::MARA_ADMIN, &token);
    story.check_refused(
        &refused,
        &["is of another sign-in of this app", "has connected it again", "Preview this write again", "preview: true"],
    );
    assert_eq!(story.confirm(&token, &json!({}))["structuredContent"]["replayed"], false, "its own sign-in publishes");
    story.app.advance(Duration::from_mins(10));
    let expired = story.confirm_with_new_sign_in(user::MARA_ADMIN, &token);
    story.check_refused(&expired, &["older than 10 minutes", "new preview"]);
}

#[test]
fn made_up_or_expired_token_costs_no_query() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    let queries = |answer: Value| {
        story.check_refused(&answer, &[]);
        story.app.last_record().database.count
    };
    let made_up = format!("{}A", &token.as_str().expect("text")[..30]);
    assert_eq!(queries(story.confirm(&json!(made_up), &json!({}))), 2, "the bearer token, and the audit row");
    story.app.advance(Duration::from_mins(10));
    story.app.ping(&story.token);
    let expired = story.confirm(&token, &json!({}));
    assert!(text(&expired).contains("older than 10 minutes"), "{expired}");
    assert_eq!(queries(expired), 2);
}

#[test]
fn preview_that_made_room_for_newer_ones_is_no_longer_kept() {
    let story = Story::new();
    let first = story.preview("create_incident", &outage());
    for index in 0..20 {
        story.preview("create_incident", &with(&outage(), &json!({ "title": format!("Number {index}") })));
    }
    story.app.take_posts();
    story.check_refused(&story.confirm(&first, &json!({})), &["no longer kept", "preview: true"]);
    assert_eq!(story.app.db.count("SELECT count(*) FROM previews"), 20);
}

#[test]
fn idempotency_key_of_the_preview_counts_for_its_confirmation() {
    let story = Story::new();
    let keyed = with(&outage(), &json!({ "idempotency_key": "k" }));
    let token = story.preview("create_incident", &keyed);
    assert_eq!(story.confirm(&token, &json!({ "idempotency_key": "k" }))["structuredContent"]["replayed"], false);
    assert_eq!(story.create(&keyed)["structuredContent"]["replayed"], true);
    let conflict = story.create(&with(&keyed, &json!({ "title": "Other" })));
    assert!(text(&conflict).contains("`title`"), "{conflict}");
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn preview_that_could_not_be_kept_gives_no_token() {
    let story = Story::new();
    let mut failures = 0;
    for batches in 0..6 {
        story.app.db.faults.once(batches, Failure::Before);
        let shown = story.create(&with(&outage(), &json!({ "preview": true })));
        if story.app.db.faults.take_failed().is_some_and(|sql| sql.contains("INTO audit")) {
            failures += 1;
            story.check_refused(&shown, &["Previews cannot be kept"]);
            assert!(!shown.to_string().contains("pv_"), "{shown}");
            let note = "a call that was previewed (requested) has no audit row";
            assert!(story.app.log.borrow().iter().any(|line| line.contains(note)), "{:?}", story.app.log);
        }
    }
    assert_eq!(failures, 1);
}

#[test]
fn preview_that_cannot_be_read_publishes_nothing() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    story.app.take_posts();
    let mut failures = 0;
    for batches in 0..3 {
        story.app.db.faults.once(batches, Failure::Before);
        let refused = story.confirm(&token, &json!({}));
        if story.app.db.faults.take_failed().is_some_and(|sql| sql.contains("FROM previews")) {
            failures += 1;
            story.check_refused(&refused, &["cannot be read at the moment", "Try again later"]);
        }
    }
    assert_eq!(failures, 1);
}

/// Calls beyond the limit have no audit row of their own; their previews can be confirmed all the same.
#[test]
fn preview_beyond_the_limit_of_rows_can_be_confirmed() {
    let story = Story::new();
    for _ in 0..101 {
        story.create(&json!({ "page_id": 42 }));
    }
    let token = story.preview("create_incident", &outage());
    story.app.take_posts();
    assert_eq!(story.confirm(&token, &json!({}))["structuredContent"]["replayed"], false);
}

/// Whatever happens between the reading of the preview and the post.
#[test]
fn confirmation_under_way_when_its_connection_is_stopped_publishes_nothing() {
    for meanwhile in [REVOKE, PAUSE, BLOCK] {
        let mut stopped = 0;
        for batches in 0..6 {
            let story = Story::new();
            let token = story.preview("create_incident", &outage());
            story.app.take_posts();
            let call = story.request("create_incident", &json!({ "page_id": 42, "confirm": token }));
            story.app.db.is_stepwise.set(true);
            let mut running = Box::pin(story.app.start(call));
            let mut answer = None;
            for _ in 0..=batches {
                answer = answer.or_else(|| running.as_mut().now_or_never());
            }
            let posted = story.app.take_posts();
            story.app.db.execute(meanwhile);
            while answer.is_none() {
                answer = running.as_mut().now_or_never();
            }
            assert_eq!(story.app.take_posts(), 0, "{meanwhile} after {batches} batches and {posted} posts");
            stopped += usize::from(posted == 0);
        }
        assert!(stopped >= 4, "before the bearer check, the preview, the lease and the last check: {stopped}");
    }
}

#[test]
fn person_who_can_be_asked_answers_a_call_with_only_page_id_and_confirm() {
    let story = Story::new();
    let token = story.preview("create_incident", &outage());
    let call = |more: Value| {
        let mut params = json!({ "name": "create_incident", "arguments": { "page_id": 42, "confirm": token }, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        } });
        params.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let authorization = format!("Bearer {}", story.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "create_incident"),
        ];
        json(&story.app.send(request("POST", "/mcp", &headers, body)))["result"].clone()
    };
    let asked = call(json!({}));
    let question = asked["inputRequests"]["confirm"]["params"]["message"].as_str().unwrap_or_default();
    assert!(question.contains("API down"), "{asked}");
    let accept = json!({ "action": "accept", "content": { "publish": true } });
    let answer = json!({ "requestState": asked["requestState"], "inputResponses": { "confirm": accept } });
    assert_eq!(call(answer.clone())["structuredContent"]["replayed"], false);
    assert_eq!(call(answer)["structuredContent"]["replayed"], true);
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn expired_preview_is_deleted_with_its_text_by_the_next_purge() {
    let story = Story::new();
    story.preview("create_incident", &outage());
    story.app.advance(Duration::from_secs(599));
    let purge = || {
        let has_time = || true;
        let run = statibeat_mcp::storage::purge::run(&*story.app.db, story.app.now(), &has_time);
        run.now_or_never().expect("no waiting");
        story.app.db.count("SELECT count(*) FROM previews WHERE arguments LIKE '%Requests fail.%'")
    };
    assert_eq!(purge(), 1);
    story.app.advance(Duration::from_secs(1));
    assert_eq!(purge(), 0);
}
