//! Contents that StatiBeat never sends and the suite asks for: pictures, sounds, plain text. The engine does not know them, so
//! they are put into its answers out here.

use serde_json::{Value, json};

/// A PNG of one red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV file without samples.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/// Puts into an answer what its request asks for beyond the engine.
pub fn add_fixture_content(request: &Value, answer: &mut Value) {
    let params = &request["params"];
    let Some(result) = answer.get_mut("result") else { return };
    match (request["method"].as_str(), params["name"].as_str().or(params["uri"].as_str())) {
        (Some("tools/call"), Some(name)) => {
            if let Some(content) = content_of_tool(name) {
                result["content"] = content;
            }
        }
        (Some("prompts/get"), Some("test_prompt_with_image")) => result["messages"][0]["content"] = image(),
        (Some("prompts/get"), Some("test_prompt_with_embedded_resource")) => {
            let uri = params["arguments"]["resourceUri"].as_str().unwrap_or_default();
            let resource = embedded(uri, "text/plain", "Embedded resource content for testing.");
            result["messages"][0]["content"] = resource;
        }
        (Some("resources/read"), Some(uri)) => {
            if let Some(contents) = contents_of_resource(uri) {
                result["contents"] = json!([contents]);
            }
        }
        _ => {}
    }
}

fn content_of_tool(name: &str) -> Option<Value> {
    Some(match name {
        "test_image_content" => json!([image()]),
        "test_audio_content" => json!([{ "type": "audio", "mimeType": "audio/wav", "data": WAV }]),
        "test_embedded_resource" => {
            json!([embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")])
        }
        "test_multiple_content_types" => {
            let (uri, words) = ("test://mixed-content-resource", r#"{"test":"data","value":123}"#);
            let text = json!({ "type": "text", "text": "Multiple content types test:" });
            json!([text, image(), embedded(uri, "application/json", words)])
        }
        _ => return None,
    })
}

fn contents_of_resource(uri: &str) -> Option<Value> {
    let text = |text: &str| json!({ "uri": uri, "mimeType": "text/plain", "text": text });
    match uri {
        "test://static-text" => Some(text("This is the content of the static text resource.")),
        "test://watched-resource" => Some(text("Watched resource content")),
        "test://static-binary" => Some(json!({ "uri": uri, "mimeType": "image/png", "blob": PNG })),
        _ => None,
    }
}

fn image() -> Value {
    json!({ "type": "image", "mimeType": "image/png", "data": PNG })
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, "text": text } })
}
