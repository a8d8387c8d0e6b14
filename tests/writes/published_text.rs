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
        let app = TestApp::with(|name| (name == "HOSTED_MCP_TEXT_RULES").then_some(rules));
        let token = app.connect(user::THEO_MANAGER, "mcp.pages.read mcp.incidents.read mcp.incidents.write").access;
        app.upstream.take_calls();
        Self { app, token }
    }

    fn create(&self, arguments: Value) -> Value {
        self.app.call_tool(&self.token, "create_incident", &arguments)
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
fn secret_is_not_published_even_with_a_confirmed_preview() {
    let story = Story::new("");
    let mut arguments = with("description", "Our token is sk_live_1234567890abcdef.");
    for more in [json!({}), json!({ "preview": true })] {
        arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let refused = story.create(arguments.clone());
        for words in ["Nothing was published", "`description` has \"sk_live_12…\"", "Take this out and call again"] {
            assert!(refused["isError"] == true && text(&refused).contains(words), "{words}: {refused}");
        }
        assert!(!refused.to_string().contains("sk_live_1234567890"), "{refused}");
    }
    assert_eq!(story.app.take_posts(), 0);
}

#[test]
fn internals_are_published_only_with_a_confirmed_preview() {
    for (given, quoted) in [
        ("Our host db-prod-3.internal is slow.", "\"db-prod-3.internal\""),
        ("Node 10.0.4.17 is slow.", "\"10.0.4.17\""),
        ("Write to mara@northwind.example.", "\"mara@northwind.example\""),
        ("It\u{200b} is slow.", "U+200B in \"It\\u{200b} is slow.\""),
    ] {
        let story = Story::new("");
        let mut arguments = with("description", given);
        let refused = story.create(arguments.clone());
        for words in ["Nothing was published", "preview first", quoted] {
            assert!(refused["isError"] == true && text(&refused).contains(words), "{words}: {refused}");
        }
        assert_eq!(story.app.take_posts(), 0, "{given}");
        arguments["preview"] = json!(true);
        let shown = story.create(arguments.clone());
        assert!(shown["isError"] != true && text(&shown).contains(quoted), "{shown}");
        let confirm = shown["structuredContent"]["preview"]["confirm"].clone();
        arguments.as_object_mut().expect("an object").remove("preview");
        arguments["confirm"] = confirm;
        let published = story.create(arguments.clone());
        assert_eq!((published["isError"].as_bool(), story.app.take_posts()), (Some(false), 1), "{published}");
        arguments.as_object_mut().expect("an object").remove("confirm");
        let repeated = story.create(arguments);
        assert_eq!(repeated["structuredContent"]["replayed"], true, "the person has confirmed it: {repeated}");
    }
}

#[test]
fn hidden_character_is_left_out_of_preview_and_publication_alike() {
    let story = Story::new("hidden-character=warn");
    let mut arguments = with("description", "It\u{200b} is\u{202e} slow.\r\nWe\u{7} look.");
    arguments["preview"] = json!(true);
    let shown = story.create(arguments.clone());
    assert!(text(&shown).contains("It is slow.\n> We look."), "{shown}");
    arguments["preview"] = json!(false);
    let warned = story.create(arguments);
    assert!(
        warned["structuredContent"]["warnings"][0].as_str().is_some_and(|text| text.contains("U+200B")),
        "{warned}"
    );
    let id = warned["structuredContent"]["incident_id"].as_i64().expect("an id");
    let read = story.app.read(&story.token, &format!("statibeat://pages/42/incidents/{id}"));
    assert_eq!(read["incident"]["description"], "It is slow.\nWe look.", "{read}");
    assert_eq!(story.app.take_posts(), 1);
    let emoji = story.create(with("title", "API down ❤️ 👩🏽‍💻 می‌خواهم"));
    assert_eq!((emoji["structuredContent"].get("warnings"), story.app.take_posts()), (None, 0), "{emoji}");
}

#[test]
fn rule_that_is_off_neither_refuses_nor_warns() {
    let story = Story::new("hidden-character=off blame=off");
    let published = story.create(with("description", "It was hu\u{200b}man error."));
    assert_eq!((published["isError"].as_bool(), story.app.take_posts()), (Some(false), 1), "{published}");
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
        assert!(
            refused["isError"] == true && text(&refused).contains("a confirmed preview does not publish it"),
            "{given:?}: {refused}"
        );
    }
    assert_eq!(story.app.take_posts(), 0);
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
    assert_eq!(story.app.take_posts(), 0);
    let two_lines = story.create(with("description", "It is slow.\r\nWe are looking."));
    assert_eq!((two_lines["isError"].as_bool(), story.app.take_posts()), (Some(false), 1), "{two_lines}");
}

#[test]
fn half_of_an_emoji_is_refused_with_its_argument_position_and_id() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, "mcp.pages.read mcp.incidents.read mcp.incidents.write").access;
    app.upstream.take_calls();
    let body = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"create_incident","arguments":
        {"page_id":42,"title":"Slow \ud83d","description":"d"}},"id":7}"#;
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = json(&app.send(crate::support::request("POST", "/mcp", &headers, body.to_owned())));
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(7), &json!(-32602)), "{answer}");
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("\"title\" has \\ud83d at character 6"), "{message}");
    assert!(app.upstream.take_calls().is_empty());
}
