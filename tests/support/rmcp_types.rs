//! The types of rmcp, MCP's official Rust SDK, as a judge: every answer is parsed by the type of its method. Written out again it
//! must be what was sent, so that no member is one that the SDK ignores.

use rmcp::model::{
    CallToolResult, CompleteResult, DiscoverResult, EmptyResult, GetPromptResult, InitializeResult,
    InputRequiredResult, JsonRpcError, JsonRpcResponse, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, ReadResourceResult,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Parses the answer to a request of that method; panics if rmcp reads something else from it.
pub fn check(method: &str, answer: &Value) {
    if answer.get("error").is_some() {
        return check_as::<JsonRpcError>(method, answer);
    }
    let check = match method {
        _ if answer["result"]["resultType"] == "input_required" => check_as::<JsonRpcResponse<InputRequiredResult>>,
        "initialize" => check_as::<JsonRpcResponse<InitializeResult>>,
        "server/discover" => check_as::<JsonRpcResponse<DiscoverResult>>,
        "ping" => check_as::<JsonRpcResponse<EmptyResult>>,
        "tools/list" => check_as::<JsonRpcResponse<ListToolsResult>>,
        "tools/call" => check_as::<JsonRpcResponse<CallToolResult>>,
        "resources/list" => check_as::<JsonRpcResponse<ListResourcesResult>>,
        "resources/templates/list" => check_as::<JsonRpcResponse<ListResourceTemplatesResult>>,
        "resources/read" => check_as::<JsonRpcResponse<ReadResourceResult>>,
        "prompts/list" => check_as::<JsonRpcResponse<ListPromptsResult>>,
        "prompts/get" => check_as::<JsonRpcResponse<GetPromptResult>>,
        "completion/complete" => check_as::<JsonRpcResponse<CompleteResult>>,
        // rmcp has no types for extensions.
        "skills/list" | "skills/get" => return,
        other => panic!("{other} has a result, and no type of rmcp"),
    };
    check(method, answer);
}

fn check_as<T: DeserializeOwned + Serialize>(method: &str, answer: &Value) {
    let parsed: T =
        serde_json::from_value(answer.clone()).unwrap_or_else(|error| panic!("{method}: {error}: {answer}"));
    let read = serde_json::to_value(parsed).expect("JSON");
    let path = find_difference(&read, answer);
    assert_eq!(path, None, "{method}: rmcp reads something else there: {answer}");
}

/// The path of the first member that is not the same. rmcp leaves out a null, writes out the default mode of an elicitation, keeps
/// a `priority` as `f32`, and lacks the `securitySchemes` of tools, which are `OpenAI`'s.
fn find_difference(read: &Value, sent: &Value) -> Option<String> {
    let under = |name: &str, path: String| format!("{name}/{path}");
    match (read, sent) {
        (Value::Object(read), Value::Object(sent)) => {
            let names = read.keys().chain(sent.keys()).filter(|name| *name != "securitySchemes");
            names.into_iter().find_map(|name| match (read.get(name), sent.get(name)) {
                (Some(read), Some(sent)) => find_difference(read, sent).map(|path| under(name, path)),
                (None, Some(Value::Null)) => None,
                (Some(mode), None) if name == "mode" && mode == "form" => None,
                _ => Some(name.clone()),
            })
        }
        (Value::Array(read), Value::Array(sent)) if read.len() == sent.len() => {
            let items = read.iter().zip(sent).enumerate();
            items.into_iter().find_map(|(index, (read, sent))| {
                find_difference(read, sent).map(|path| under(&index.to_string(), path))
            })
        }
        (Value::Number(read), Value::Number(sent)) if read.is_f64() => {
            let (read, sent) = (read.as_f64()?, sent.as_f64()?);
            ((read - sent).abs() > f64::from(f32::EPSILON)).then(String::new)
        }
        (read, sent) => (read != sent).then(String::new),
    }
}
