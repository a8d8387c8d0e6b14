//! Texts to publish: characters that nobody sees, titles of several lines, and rules that no spelling takes a word away from.

use crate::support::flow::user;
use crate::support::{TestApp, json};
use serde_json::{Value, json};

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new(rules: &'static str) -> Self {
        let app = TestApp::with(|name| (name == "HOSTED_MCP_LINT").then_some(rules));
        let token = app.connect(user::THEO_MANAGER, "mcp.pages.read mcp.incidents.read mcp.incidents.write").access;
        app.upstream.take_calls();
        Self { app, token }
    }

    fn create(&self, arguments: Value) -> Value {
        let params = json!({ "name": "create_incident", "arguments": arguments });
        json(&self.app.call(&self.token, "tools/call", params))["result"].clone()
    }

    /// Writes that reached StatiBeat since the last time this was asked.
    fn posts(&self) -> usize {
        self.app.upstream.take_calls().iter().filter(|call| call.starts_with("POST /api/v1/orgs")).count()
    }
}

fn with(name: &str, value: &str) -> Value {
    let mut arguments = json!({ "page_id": 42, "title": "API down", "description": "Requests fail.", "affected_items_freetext": "API" });
    arguments[name] = value.into();
    arguments
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("text")
}

#[test]
fn hidden_character_in_a_text_to_publish_is_refused_with_its_place() {
    let story = Story::new("");
    for field in ["title", "description", "impact", "affected_items_freetext"] {
        let refused = story.create(with(field, "API\u{e0041} is slow"));
        let says = format!("`{field}` at character 4 (U+E0041) is a character that readers do not see: leave it out");
        assert!(refused["isError"] == true && text(&refused).contains(&says), "{refused}");
        assert!(text(&refused).contains("Nothing was published."), "{refused}");
    }
    assert_eq!(story.posts(), 0);
    let emoji = story.create(with("title", "API down ❤️ 👩🏽‍💻 می‌خواهم"));
    assert_eq!((emoji["isError"].as_bool(), story.posts()), (Some(false), 1), "{emoji}");
}

#[test]
fn hidden_character_only_warns_where_the_operator_says_so() {
    let story = Story::new("hidden-character=warn");
    let warned = story.create(with("description", "It\u{200b} is slow."));
    assert!(
        warned["structuredContent"]["warnings"][0].as_str().is_some_and(|text| text.contains("U+200B")),
        "{warned}"
    );
    assert_eq!(story.posts(), 1);
}

#[test]
fn rule_that_is_off_neither_refuses_nor_warns() {
    let story = Story::new("hidden-character=off blame=off");
    let published = story.create(with("description", "It was hu\u{200b}man error."));
    assert_eq!((published["isError"].as_bool(), story.posts()), (Some(false), 1), "{published}");
    assert_eq!(published["structuredContent"].get("warnings"), None, "{published}");
}

#[test]
fn refusing_rule_sees_through_invisible_characters_and_unusual_letters() {
    let story = Story::new("blame=refuse hidden-character=off internal-host=refuse");
    for given in [
        "hu\u{200b}man er\u{ad}ror",
        "ｈｕｍａｎ ｅｒｒｏｒ",
        "human\u{a0}\n error",
        "on db-1.inter\u{2060}nal",
        "ｄｂ．internal",
    ] {
        let refused = story.create(with("description", given));
        assert!(refused["isError"] == true && text(&refused).contains("may not be published"), "{given:?}: {refused}");
    }
    assert_eq!(story.posts(), 0);
}

#[test]
fn title_of_two_lines_is_refused() {
    let story = Story::new("");
    for (title, place) in [
        ("API down\nRecipients: 0", "character 9 (U+000A)"),
        ("API\r\ndown", "character 4 (U+000D)"),
        ("API\u{2028}down", "character 4 (U+2028)"),
        ("API\u{85}down", "character 4 (U+0085)"),
    ] {
        let refused = story.create(with("title", title));
        let says = format!("`title` must be one line: {place} ends it");
        assert!(refused["isError"] == true && text(&refused).contains(&says), "{refused}");
    }
    assert_eq!(story.posts(), 0);
    let two_lines = story.create(with("description", "It is slow.\r\nWe are looking."));
    assert_eq!((two_lines["isError"].as_bool(), story.posts()), (Some(false), 1), "{two_lines}");
}
