//! The tools that the suite prescribes.

use serde_json::{Value, json};
use statibeat_mcp::catalog::{ArgumentError, Done, Effect, Tool, Variables};
use statibeat_mcp::mcp::state::Seal;
use statibeat_mcp::mcp::{Dialogue, Error, Question, QuestionKind, Questions, ToolOutcome};

/// Whoever knows it could forge states of this server, which holds nothing.
const KEY: [u8; 32] = [42; 32];
/// Nothing here grows old: the states live as long as the suite.
const FOREVER: i64 = i64::MAX;

const fn tool(name: &'static str) -> Tool {
    Tool {
        name,
        title: name,
        description: "A fixture of the conformance suite.",
        effect: Effect::Reads,
        hosted: None,
        input_schema: || json!({ "type": "object", "additionalProperties": false }),
        output_schema: || Value::Null,
        write: |_| Err(ArgumentError(String::new())),
        report: |_| Done { text: String::new(), structured: Value::Null, links: vec![] },
    }
}

/// All of them.
pub static TOOLS: [Tool; 19] = [
    tool("test_simple_text"),
    tool("test_image_content"),
    tool("test_audio_content"),
    tool("test_embedded_resource"),
    tool("test_multiple_content_types"),
    tool("test_error_handling"),
    tool("test_tool_with_progress"),
    tool("test_streaming_elicitation"),
    tool("test_logging_tool"),
    tool("test_missing_capability"),
    tool("test_input_required_result_elicitation"),
    tool("test_input_required_result_sampling"),
    tool("test_input_required_result_list_roots"),
    tool("test_input_required_result_request_state"),
    tool("test_input_required_result_multiple_inputs"),
    tool("test_input_required_result_multi_round"),
    tool("test_input_required_result_tampered_state"),
    tool("test_input_required_result_capabilities"),
    Tool { input_schema: rich_schema, ..tool("json_schema_2020_12_tool") },
];

fn rich_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": { "$anchor": "addressDef", "type": "object", "properties": {
            "street": { "type": "string" }, "city": { "type": "string" },
        } } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

/// Calls one.
pub fn call(name: &str, dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    Ok(match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_error_handling" => {
            ToolOutcome { is_error: true, ..text("This tool intentionally returns an error for testing") }
        }
        "test_missing_capability" if !dialogue.can(QuestionKind::Sampling) => {
            return Err(Error::MissingCapability(json!({ "sampling": {} })));
        }
        name if name.starts_with("test_input_required_result_") || name == "test_streaming_elicitation" => {
            return ask(name, dialogue);
        }
        name if TOOLS.iter().any(|tool| tool.name == name) => text("Done."),
        _ => return Err(Error::UnknownTool(name.to_owned())),
    })
}

fn ask(name: &str, dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    match name.rsplit_once("result_").map_or("elicitation", |(_, kind)| kind) {
        "elicitation" => {
            let form = form(dialogue, "user_name").ok_or_else(|| asking([("user_name", whose_name())], None))?;
            Ok(text(&format!("Hello, {}!", form["name"].as_str().unwrap_or_default())))
        }
        "sampling" => match dialogue.answer("capital_question") {
            Some(answer) => Ok(text(&format!("The model says {}", Value::Object(answer.clone())))),
            None => Err(asking([("capital_question", sampling("What is the capital of France?"))], None)),
        },
        "list_roots" => match dialogue.answer("client_roots") {
            Some(answer) => Ok(text(&format!("Roots: {}", Value::Object(answer.clone())))),
            None => Err(asking([("client_roots", roots())], None)),
        },
        "multiple_inputs" => multiple(name, dialogue),
        "multi_round" => rounds(name, dialogue),
        "capabilities" => by_capability(dialogue),
        // "request_state" and "tampered_state"
        _ => confirmed(name, dialogue),
    }
}

fn confirmed(name: &str, dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    let state = opened(name, dialogue)?;
    match (form(dialogue, "confirm"), state) {
        (Some(_), Some(_)) => Ok(text("state-ok")),
        _ => Err(asking([("confirm", form_of("Please confirm", "ok", "boolean"))], Some((name, json!("confirm"))))),
    }
}

fn multiple(name: &str, dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    let state = opened(name, dialogue)?;
    let asked = [("user_name", whose_name()), ("greeting", sampling("Generate a greeting")), ("client_roots", roots())];
    if state.is_some() && asked.iter().all(|(key, _)| dialogue.answer(key).is_some()) {
        return Ok(text("All three answered."));
    }
    Err(asking(asked, Some((name, json!("all")))))
}

fn rounds(name: &str, dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    let step = opened(name, dialogue)?;
    let second = form_of("Step 2: What is your favorite color?", "color", "string");
    match step.as_ref().and_then(Value::as_u64) {
        Some(2) if form(dialogue, "step2").is_some() => Ok(text("Both rounds answered.")),
        Some(2) => Err(asking([("step2", second)], Some((name, json!(2))))),
        Some(1) if form(dialogue, "step1").is_some() => Err(asking([("step2", second)], Some((name, json!(2))))),
        _ => {
            let first = form_of("Step 1: What is your name?", "name", "string");
            Err(asking([("step1", first)], Some((name, json!(1)))))
        }
    }
}

/// Asks only what the client can be asked.
fn by_capability(dialogue: &Dialogue) -> Result<ToolOutcome, Error> {
    let all = [("user_name", whose_name()), ("greeting", sampling("Generate a greeting")), ("client_roots", roots())];
    let asked: Vec<_> = all.into_iter().filter(|(_, question)| dialogue.can(question.kind)).collect();
    if asked.is_empty() || asked.iter().all(|(key, _)| dialogue.answer(key).is_some()) {
        return Ok(text("Nothing is left to ask."));
    }
    Err(asking(asked, None))
}

fn seal(name: &str) -> Seal<'_> {
    Seal { key: &KEY, bound_to: name }
}

/// The state that came back, if any did; one that was changed is an error.
fn opened(name: &str, dialogue: &Dialogue) -> Result<Option<Value>, Error> {
    let open = |sealed| seal(name).open(sealed, 0).map_err(|_| Error::InvalidParams("requestState is not ours".into()));
    dialogue.state().map(open).transpose().map(|opened| opened.map(|(content, _)| content))
}

fn asking(asked: impl IntoIterator<Item = (&'static str, Question)>, state: Option<(&str, Value)>) -> Error {
    let state = state.map(|(name, content)| seal(name).seal(&content, FOREVER));
    Error::InputRequired(Questions { asked: asked.into_iter().collect(), state })
}

fn form(dialogue: &Dialogue, key: &str) -> Option<Value> {
    dialogue.form(key)?.ok().cloned().map(Value::Object)
}

fn form_of(message: &str, field: &str, kind: &str) -> Question {
    let schema = json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    Question::form(message, &schema)
}

fn whose_name() -> Question {
    form_of("What is your name?", "name", "string")
}

fn sampling(question: &str) -> Question {
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": question } }]);
    Question { kind: QuestionKind::Sampling, params: json!({ "messages": messages, "maxTokens": 100 }) }
}

fn roots() -> Question {
    Question { kind: QuestionKind::Roots, params: json!({}) }
}

fn text(words: &str) -> ToolOutcome {
    ToolOutcome { text: words.to_owned(), ..ToolOutcome::default() }
}

/// Values for arguments of prompts; the suite only looks whether there is an answer.
pub fn suggestions(typed: &str, _: &Variables) -> Vec<String> {
    ["paris", "park", "party"].iter().filter(|value| value.starts_with(typed)).map(ToString::to_string).collect()
}
