//! The tools that the suite prescribes.

use serde_json::{Value, json};
use statibeat_mcp::catalog::{Effect, Tool, Variables};
use statibeat_mcp::mcp::request_state::RequestStateKey;
use statibeat_mcp::mcp::{Error, InputContext, InputRequest, InputRequestKind, InputRequiredResult, ToolOutcome};

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
        arguments: &[],
        write: None,
    }
}

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
    tool(RICH_SCHEMA),
];

/// The tool with a schema that no table of arguments gives.
const RICH_SCHEMA: &str = "json_schema_2020_12_tool";

pub fn input_schema(tool: &Tool) -> Value {
    if tool.name == RICH_SCHEMA { rich_schema() } else { tool.input_schema() }
}

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

pub fn call(name: &str, input: &InputContext) -> Result<ToolOutcome, Error> {
    Ok(match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_error_handling" => {
            ToolOutcome { is_error: true, ..text("This tool intentionally returns an error for testing") }
        }
        "test_missing_capability" if !input.supports(InputRequestKind::Sampling) => {
            return Err(Error::MissingCapability(json!({ "sampling": {} })));
        }
        name if name.starts_with("test_input_required_result_") || name == "test_streaming_elicitation" => {
            return ask(name, input);
        }
        name if TOOLS.iter().any(|tool| tool.name == name) => text("Done."),
        _ => return Err(Error::UnknownTool { name: name.to_owned(), hint: String::new() }),
    })
}

fn ask(name: &str, input: &InputContext) -> Result<ToolOutcome, Error> {
    match name.rsplit_once("result_").map_or("elicitation", |(_, kind)| kind) {
        "elicitation" => {
            let form = form(input, "user_name").ok_or_else(|| asking([("user_name", whose_name())], None))?;
            Ok(text(&format!("Hello, {}!", form["name"].as_str().unwrap_or_default())))
        }
        "sampling" => match input.response("capital_question") {
            Some(answer) => Ok(text(&format!("The model says {}", Value::Object(answer.clone())))),
            None => Err(asking([("capital_question", sampling("What is the capital of France?"))], None)),
        },
        "list_roots" => match input.response("client_roots") {
            Some(answer) => Ok(text(&format!("Roots: {}", Value::Object(answer.clone())))),
            None => Err(asking([("client_roots", roots())], None)),
        },
        "multiple_inputs" => multiple(name, input),
        "multi_round" => rounds(name, input),
        "capabilities" => by_capability(input),
        // "request_state" and "tampered_state"
        _ => confirmed(name, input),
    }
}

fn confirmed(name: &str, input: &InputContext) -> Result<ToolOutcome, Error> {
    let state = opened(name, input)?;
    match (form(input, "confirm"), state) {
        (Some(_), Some(_)) => Ok(text("state-ok")),
        _ => Err(asking([("confirm", form_of("Please confirm", "ok", "boolean"))], Some((name, json!("confirm"))))),
    }
}

fn multiple(name: &str, input: &InputContext) -> Result<ToolOutcome, Error> {
    let state = opened(name, input)?;
    let asked = [("user_name", whose_name()), ("greeting", sampling("Generate a greeting")), ("client_roots", roots())];
    if state.is_some() && asked.iter().all(|(key, _)| input.response(key).is_some()) {
        return Ok(text("All three answered."));
    }
    Err(asking(asked, Some((name, json!("all")))))
}

fn rounds(name: &str, input: &InputContext) -> Result<ToolOutcome, Error> {
    let step = opened(name, input)?;
    let second = form_of("Step 2: What is your favorite color?", "color", "string");
    match step.as_ref().and_then(Value::as_u64) {
        Some(2) if form(input, "step2").is_some() => Ok(text("Both rounds answered.")),
        Some(2) => Err(asking([("step2", second)], Some((name, json!(2))))),
        Some(1) if form(input, "step1").is_some() => Err(asking([("step2", second)], Some((name, json!(2))))),
        _ => {
            let first = form_of("Step 1: What is your name?", "name", "string");
            Err(asking([("step1", first)], Some((name, json!(1)))))
        }
    }
}

/// Asks only what the client can be asked.
fn by_capability(input: &InputContext) -> Result<ToolOutcome, Error> {
    let all = [("user_name", whose_name()), ("greeting", sampling("Generate a greeting")), ("client_roots", roots())];
    let asked: Vec<_> = all.into_iter().filter(|(_, question)| input.supports(question.kind)).collect();
    if asked.is_empty() || asked.iter().all(|(key, _)| input.response(key).is_some()) {
        return Ok(text("Nothing is left to ask."));
    }
    Err(asking(asked, None))
}

fn state_key(name: &str) -> RequestStateKey<'_> {
    RequestStateKey { key: &KEY, bound_to: name }
}

/// The state that came back, if any did; one that was changed is an error.
fn opened(name: &str, input: &InputContext) -> Result<Option<Value>, Error> {
    let open =
        |sealed| state_key(name).verify(sealed, 0).map_err(|_| Error::InvalidParams("requestState is not ours".into()));
    input.request_state().map(open).transpose().map(|opened| opened.map(|(content, _)| content))
}

fn asking(asked: impl IntoIterator<Item = (&'static str, InputRequest)>, state: Option<(&str, Value)>) -> Error {
    let state = state.map(|(name, content)| state_key(name).sign(&content, FOREVER));
    Error::InputRequired(InputRequiredResult { input_requests: asked.into_iter().collect(), request_state: state })
}

fn form(input: &InputContext, key: &str) -> Option<Value> {
    input.elicited(key)?.ok().cloned().map(Value::Object)
}

fn form_of(message: &str, field: &str, kind: &str) -> InputRequest {
    let schema = json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    InputRequest::form(message, &schema)
}

fn whose_name() -> InputRequest {
    form_of("What is your name?", "name", "string")
}

fn sampling(question: &str) -> InputRequest {
    let messages = json!([{ "role": "user", "content": { "type": "text", "text": question } }]);
    InputRequest { kind: InputRequestKind::Sampling, params: json!({ "messages": messages, "maxTokens": 100 }) }
}

fn roots() -> InputRequest {
    InputRequest { kind: InputRequestKind::Roots, params: json!({}) }
}

fn text(words: &str) -> ToolOutcome {
    ToolOutcome { text: words.to_owned(), ..ToolOutcome::default() }
}

/// Values for arguments of prompts; the suite only looks whether there is an answer.
pub fn suggestions(typed: &str, _: &Variables) -> Vec<String> {
    ["paris", "park", "party"].iter().filter(|value| value.starts_with(typed)).map(ToString::to_string).collect()
}
