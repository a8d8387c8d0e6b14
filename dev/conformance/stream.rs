//! Progress: the one fixture that needs an event stream. The worker answers in JSON alone, so this lives out here.

use serde_json::{Value, json};

/// The answer to a call of the progress tool as a stream of events, if its client asked for progress.
pub fn render_progress_events(request: &Value, answer: &Value) -> Option<String> {
    if request["params"]["name"] != "test_tool_with_progress" || answer.get("result").is_none() {
        return None;
    }
    let token = request["params"]["_meta"].get("progressToken")?;
    let progress = [0, 50, 100].map(|progress| {
        let params = json!({ "progressToken": token, "progress": progress, "total": 100 });
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
    });
    let events = progress.iter().chain([answer]).map(|message| format!("event: message\ndata: {message}\n\n"));
    Some(events.collect::<Vec<_>>().concat())
}
