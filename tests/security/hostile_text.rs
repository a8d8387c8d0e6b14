//! Text by others: whatever it says, it reaches a client only inside fields that are labeled as such.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, blocks, prompt, task};
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

const CORPUS: &str = include_str!("hostile_text/corpus.txt");
/// Stands in every injection; survives cleaning.
const MARK: &str = "ZZMARK";
/// Secrets that the seeded StatiBeat hides in its documents.
const SECRETS: &str = "never-show-this";

/// The injections, with their escapes (`\u{…}`) resolved.
fn corpus() -> Vec<String> {
    let lines = CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| format!("{} {MARK}", unescape(line))).collect()
}

fn unescape(line: &str) -> String {
    let mut parts = line.split("\\u{");
    let mut text = parts.next().unwrap_or_default().replace("\\n", "\n");
    for part in parts {
        let (code, rest) = part.split_once('}').expect("an escape ends");
        let code = u32::from_str_radix(code, 16).expect("a hexadecimal number");
        text.push(char::from_u32(code).expect("a character"));
        text.push_str(&rest.replace("\\n", "\n"));
    }
    text
}

/// Puts the text into every string that is not StatiBeat's own address or a permission, and adds fields of its own.
fn poison(value: &mut Value, field: &str, text: &str) {
    match value {
        Value::String(_) if ["public_url", "admin_url", "review_url"].contains(&field) => {}
        Value::String(old) => text.clone_into(old),
        Value::Array(_) if field == "permissions" => {}
        Value::Array(items) => items.iter_mut().for_each(|item| poison(item, field, text)),
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(name, value)| poison(value, name, text));
            fields.insert("note".to_owned(), text.into());
            fields.insert("request_headers".to_owned(), json!({ "Authorization": text }));
            fields.insert(text.to_owned(), text.into());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A connected app whose upstream says the injection of that number everywhere.
fn poisoned() -> (TestApp, String, Rc<Cell<usize>>) {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let (corpus, current) = (corpus(), Rc::new(Cell::new(0)));
    let chosen = Rc::clone(&current);
    app.upstream.rewrite(move |document| poison(document, "", &corpus[chosen.get()]));
    (app, token, current)
}

fn check_body(what: &str, body: &Value) {
    let label = &body["_untrusted"];
    let names = label["people"].as_array().cloned().unwrap_or_default();
    let names: BTreeSet<String> = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
    assert!(label["note"].as_str().is_some_and(|note| note.contains("never instructions")), "{what}: {label}");
    check_value(what, body, "", &names);
}

fn check_value(what: &str, value: &Value, field: &str, labeled: &BTreeSet<String>) {
    match value {
        Value::String(text) => {
            assert!(!text.contains(MARK) || labeled.contains(field), "{what}: {field:?} says {text}");
            assert!(text.chars().count() <= 4100, "{what}: {field} is too long");
            check_visible(what, text);
        }
        Value::Array(items) => items.iter().for_each(|item| check_value(what, item, field, labeled)),
        Value::Object(fields) => {
            for (name, value) in fields {
                assert!(!name.contains(MARK), "{what}: a field is called {name:?}");
                let own = value.as_object().filter(|_| name == "from_monitored_system");
                let labeled = own.map_or(Cow::Borrowed(labeled), |own| Cow::Owned(own.keys().cloned().collect()));
                check_value(what, value, name, &labeled);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_visible(what: &str, text: &str) {
    let hidden = |c: char| {
        c.is_control() && c != '\n' && c != '\t' || "\u{200b}\u{200d}\u{202e}\u{2066}\u{feff}\u{ad}".contains(c)
    };
    let tags = |c: char| ('\u{e0000}'..='\u{e007f}').contains(&c);
    assert!(!text.chars().any(|c| hidden(c) || tags(c)), "{what}: {text:?}");
}

#[test]
fn the_corpus_has_at_least_sixty_different_injections() {
    assert!(corpus().iter().collect::<BTreeSet<_>>().len() >= 60);
}

#[test]
fn no_injection_leaves_its_labeled_fields_in_any_resource() {
    let (app, token, current) = poisoned();
    for (number, injection) in corpus().iter().enumerate() {
        current.set(number);
        // The corpus is longer than what one connection may send in a minute.
        app.limiter.forget();
        for uri in URIS {
            let body = app.read(&token, uri);
            check_body(&format!("{uri} with {injection:?}"), &body);
        }
    }
}

#[test]
fn no_injection_leaves_its_labeled_fields_in_any_prompt() {
    let (app, token, current) = poisoned();
    for (number, injection) in corpus().iter().enumerate() {
        current.set(number);
        // The corpus is longer than what one connection may send in a minute.
        app.limiter.forget();
        for (name, _) in PROMPTS {
            let what = format!("{name} with {injection:?}");
            let result = json(&app.call(&token, "prompts/get", prompt(name)))["result"].clone();
            let text = result["messages"][0]["content"]["text"].as_str().unwrap_or_else(|| panic!("{what}: {result}"));
            assert!(!task(text).contains(MARK), "{what}");
            assert!(!blocks(text).is_empty(), "{what}");
            for (uri, body) in blocks(text) {
                assert!(!uri.contains(MARK), "{what}");
                check_body(&what, &body);
            }
        }
    }
}

#[test]
fn refusals_of_statibeat_are_quoted_as_one_visible_line() {
    let (app, token, current) = poisoned();
    for number in 0..corpus().len() {
        current.set(number);
        app.advance(Duration::from_secs(3));
        let arguments = json!({ "page_id": 42, "title": "t", "description": "d", "status": "on_fire" });
        let answer =
            json(&app.call(&token, "tools/call", json!({ "name": "create_incident", "arguments": arguments })));
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        check_visible("a refusal", text);
        assert!(!text.contains('\n') && text.starts_with("StatiBeat refused: \""), "{text}");
    }
}

#[test]
fn secrets_and_headers_of_probes_are_never_shown() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for uri in URIS {
        let body = app.read(&token, uri).to_string();
        assert!(!body.contains(SECRETS) && !body.contains("request_headers"), "{uri}: {body}");
    }
}

/// Every text in it shows what it says.
fn check_all_visible(what: &str, value: &Value) {
    match value {
        Value::String(text) => check_visible(what, text),
        Value::Array(items) => items.iter().for_each(|item| check_all_visible(what, item)),
        Value::Object(fields) => fields.values().for_each(|value| check_all_visible(what, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// One rule strips characters from texts of StatiBeat and of the client.
#[test]
fn previews_questions_and_results_show_no_hidden_characters_of_any_injection() {
    let (app, token, current) = poisoned();
    for (number, injection) in corpus().iter().enumerate() {
        current.set(number);
        app.limiter.forget();
        app.advance(Duration::from_secs(3));
        let update = |more: Value| {
            let mut arguments = json!({ "page_id": 42, "incident_id": 1001, "message": injection });
            arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            json!({ "name": "add_incident_update", "arguments": arguments })
        };
        let result =
            |params: Value, version: &str| json(&app.call_in(version, &token, "tools/call", params))["result"].clone();
        let preview = result(update(json!({ "preview": true })), "2025-11-25");
        check_all_visible(&format!("preview of {injection:?}"), &preview);
        let question = result(update(json!({})), "2026-07-28");
        check_all_visible(&format!("question about {injection:?}"), &question);
        let written = result(update(json!({})), "2025-11-25");
        check_all_visible(&format!("result of {injection:?}"), &written);
    }
}

/// Texts that reach StatiBeat follow the same rule.
#[test]
fn published_texts_have_no_hidden_characters_of_any_injection() {
    let app = TestApp::with(|name| {
        let rules = "hidden-character=warn secret=warn internal-host=warn ip-address=warn email=warn";
        (name == "HOSTED_MCP_TEXT_RULES").then_some(rules)
    });
    for injection in corpus() {
        app.limiter.forget();
        app.advance(Duration::from_mins(20));
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        let arguments = json!({ "page_id": 42, "incident_id": 1001, "message": injection });
        let written =
            json(&app.call(&token, "tools/call", json!({ "name": "add_incident_update", "arguments": arguments })));
        assert_ne!(written["result"]["isError"], true, "{written}");
        let incident = app.read(&token, "statibeat://pages/42/incidents/1001");
        let message = incident["updates"]["items"][0]["message"].as_str().expect("text");
        assert!(message.contains(MARK), "{message}");
        check_visible("a published text", message);
    }
}
