//! Logs a call before it is performed: its method, the catalog entry that it names, its trace.
//! Names that are not in the catalog are somebody's words and are not kept.

use crate::catalog;
use crate::catalog::resources::RESOURCES;
use crate::catalog::uri::Roots;
use crate::mcp::PendingCall;
use crate::mcp::message::Request;
use crate::mcp::methods;
use crate::telemetry::trace::{TRACEPARENT, TRACESTATE, Trace};
use crate::telemetry::{LoggedMessage, RequestLog};
use serde_json::Value;

/// Logs a call that is about to be performed, and continues its trace.
pub fn log(request_log: &RequestLog<'_>, call: &PendingCall) {
    let (protocol_version, method) = (call.version.as_str(), methods::known_name(&call.request.method));
    request_log.set_message(LoggedMessage { protocol_version, method, entry: entry(method, &call.request) });
    if !call.version.has_handshake()
        && let Some(trace) = trace(&call.request)
    {
        request_log.continue_trace(trace);
    }
}

fn entry(method: &str, request: &Request) -> Option<&'static str> {
    let text = |name: &str| request.params.get(name).and_then(Value::as_str);
    match method {
        "tools/call" => Some(catalog::find_tool(text("name")?)?.name),
        "prompts/get" => Some(catalog::find_prompt(text("name")?)?.name),
        "resources/read" => Some(Roots::HOSTED.find(text("uri")?, RESOURCES)?.resource.name),
        _ => None,
    }
}

/// Messages of versions without a handshake carry their own trace context.
fn trace(request: &Request) -> Option<Trace> {
    let meta = request.params.get("_meta")?;
    let text = |name: &str| meta.get(name).and_then(Value::as_str);
    Trace::parse(text(TRACEPARENT.as_str())?, text(TRACESTATE.as_str()))
}
