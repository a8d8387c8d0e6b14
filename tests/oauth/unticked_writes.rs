//! A connection whose person left posting unticked: what its clients are told, and what they can still do.

use crate::support::browser::Browser;
use crate::support::flow::{Tokens, authorize_url, tokens, user};
use crate::support::surface::tools;
use crate::support::{TestApp, header, json};
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;

const READS: &str = "mcp.pages.read mcp.incidents.read mcp.maintenances.read";

struct Story {
    app: TestApp,
    tokens: Tokens,
}

impl Story {
    fn new(scope: &str) -> Self {
        let app = TestApp::new();
        let tokens = app.connect(user::THEO_MANAGER, scope);
        app.upstream.take_calls();
        Self { app, tokens }
    }

    fn call(&self, tool: &str, arguments: &Value) -> Response<bytes::Bytes> {
        self.app.call(&self.tokens.access, "tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The call is answered with a challenge and the same in words.
    fn check_challenged(&self, tool: &str, arguments: &Value) {
        let answer = self.call(tool, arguments);
        assert_eq!(answer.status(), 403, "{tool}");
        assert!(header(&answer, "www-authenticate").contains(r#"error="insufficient_scope""#), "{tool}");
        check_words(json(&answer)["error"]["message"].as_str().unwrap_or_default());
    }

    fn refresh(&mut self) {
        self.app.advance(Duration::from_secs(1));
        self.tokens = tokens(&self.app.refresh(&self.tokens.refresh, &[]));
    }
}

fn check_words(text: &str) {
    for says in
        ["left \"Publish", "unticked", "Nothing was published", "connect the app to StatiBeat again", "preview: true"]
    {
        assert!(text.contains(says), "{says}: {text}");
    }
}

fn with_preview(arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    arguments["preview"] = json!(true);
    arguments
}

#[test]
fn write_without_its_scope_after_a_refresh_is_a_tool_error() {
    for (tool, arguments) in tools() {
        let mut story = Story::new(READS);
        story.check_challenged(tool, &arguments);
        story.check_challenged(tool, &arguments);
        story.refresh();
        let answer = story.call(tool, &arguments);
        assert_eq!(answer.status(), 200, "{tool}");
        let result = &json(&answer)["result"];
        assert_eq!(result["isError"], true, "{result}");
        check_words(result["content"][0]["text"].as_str().unwrap_or_default());
        assert_eq!(story.app.take_posts(), 0);
    }
}

#[test]
fn refresh_long_after_or_before_a_refused_write_leaves_the_challenge() {
    let (tool, arguments) = &tools()[0];
    let mut story = Story::new(READS);
    story.refresh();
    story.app.advance(Duration::from_secs(1));
    story.check_challenged(tool, arguments);
    story.app.advance(Duration::from_mins(6));
    story.refresh();
    story.check_challenged(tool, arguments);
}

#[test]
fn refused_write_of_one_connection_leaves_the_challenge_of_another() {
    let (tool, arguments) = &tools()[0];
    let mut story = Story::new(READS);
    story.check_challenged(tool, arguments);
    story.refresh();
    story.tokens = story.app.connect(user::THEO_MANAGER, READS);
    story.check_challenged(tool, arguments);
}

#[test]
fn preview_needs_no_write_scope_and_says_what_publishing_needs() {
    for (tool, arguments) in tools() {
        let story = Story::new(READS);
        let result = json(&story.call(tool, &with_preview(&arguments)))["result"].clone();
        assert_eq!(result["isError"], false, "{result}");
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(text.contains("This is a preview"), "{text}");
        check_words(text);
        let token = &result["structuredContent"]["preview"]["confirm"];
        story.check_challenged(tool, &json!({ "page_id": 42, "confirm": token }));
        let mut both = with_preview(&arguments);
        both["confirm"] = token.clone();
        story.check_challenged(tool, &both);
        assert_eq!(story.app.take_posts(), 0);
    }
}

#[test]
fn preview_without_the_matching_read_scope_is_refused() {
    for (tool, arguments) in tools() {
        let story = Story::new("mcp.pages.read");
        story.check_challenged(tool, &with_preview(&arguments));
        assert_eq!(story.app.take_posts(), 0);
    }
}

#[test]
fn preview_of_a_person_whose_role_may_not_write_is_refused() {
    let app = TestApp::new();
    let tokens = app.connect(user::INES_VIEWER, READS);
    for (tool, arguments) in tools() {
        let params = json!({ "name": tool, "arguments": with_preview(&arguments) });
        let result = json(&app.call(&tokens.access, "tools/call", params))["result"].clone();
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(result["isError"] == true && text.contains("Your role on the page"), "{result}");
    }
}

#[test]
fn instructions_say_what_the_connection_may_not_post() {
    let both = format!("{READS} mcp.incidents.write mcp.maintenances.write");
    for (scope, says) in [
        (READS.to_owned(), Some("may not post: the person left posting unticked")),
        (format!("{READS} mcp.incidents.write"), Some("may post incidents, but not maintenances")),
        (format!("{READS} mcp.maintenances.write"), Some("may post maintenances, but not incidents")),
        (both, None),
    ] {
        let story = Story::new(&scope);
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let answer = json(&story.app.call(&story.tokens.access, "initialize", hello));
        let instructions = answer["result"]["instructions"].as_str().unwrap_or_default();
        assert_eq!(instructions.contains("unticked"), says.is_some(), "{instructions}");
        assert!(instructions.contains(says.unwrap_or_default()), "{instructions}");
    }
}

#[test]
fn last_page_of_a_connection_that_may_not_post_says_how_to_allow_it() {
    let app = TestApp::new();
    for (scope, is_said) in [(READS, true), ("mcp.pages.read mcp.incidents.write", false)] {
        let browser = Browser::new(&app);
        let consent = browser.sign_in(&authorize_url(&[("scope", scope)]), user::THEO_MANAGER);
        let named: Vec<String> = scope.split(' ').map(str::to_owned).collect();
        let last = browser.answer_with(&consent, "approve", &named);
        assert_eq!(last.body.contains("It can read, but not post."), is_said, "{}", last.body);
    }
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", READS)]), user::THEO_MANAGER);
    assert!(!browser.answer(&consent, "deny").body.contains("not post"));
}

#[test]
fn request_for_a_write_scope_alone_offers_the_reads() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", "mcp.incidents.write")]), user::THEO_MANAGER);
    for scope in ["mcp.pages.read", "mcp.incidents.read"] {
        assert!(consent.body.contains(&format!(r#"value="{scope}" checked"#)), "{scope}: {}", consent.body);
    }
    let ticked = consent.ticked();
    assert!(!ticked.iter().any(|scope| scope.contains(".write")), "nobody vouches for this client: {ticked:?}");
    assert!(
        browser.answer(&consent, "approve").leaves_for().as_str().contains("code="),
        "what the person ticked is granted"
    );
}

#[test]
fn read_without_its_scope_gets_the_challenge_and_its_words() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, "mcp.pages.read").access;
    let read = json!({ "uri": "statibeat://pages/42/incidents/active" });
    let prompt = json!({ "name": "summarize_current_beat_health", "arguments": { "page_id": "42" } });
    for (method, params, scope) in
        [("resources/read", read, "mcp.incidents.read"), ("prompts/get", prompt, "mcp.beats.read")]
    {
        let answer = app.call(&token, method, params);
        assert_eq!(answer.status(), 403, "{method}");
        assert!(header(&answer, "www-authenticate").contains(scope), "{method}");
        let error = json(&answer)["error"].clone();
        let words = error["message"].as_str().unwrap_or_default();
        for part in ["This connection may not read this", scope, "tick it on the consent page"] {
            assert!(words.contains(part), "{method} says {part}: {words}");
        }
        assert!(error["data"]["scope"].as_str().is_some_and(|needed| needed.contains(scope)), "{error}");
    }
}
