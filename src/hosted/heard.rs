//! What operators see of a message: its method, the entry of the catalogue that it names, the trace that it belongs to.
//! Names that are not in the catalogue are somebody's words and are not kept.

use crate::catalog;
use crate::catalog::resources::RESOURCES;
use crate::catalog::uri::Roots;
use crate::mcp::era::Revision;
use crate::mcp::message::Request;
use crate::mcp::methods;
use crate::telemetry::trace::{TRACEPARENT, TRACESTATE, Trace};
use crate::telemetry::{Asked, Ledger};
use serde_json::Value;

/// Notes a request that is about to be performed.
pub fn note(ledger: &Ledger<'_>, request: &Request, revision: Revision) {
    let (era, method) = (revision.as_str(), methods::known_name(&request.method));
    ledger.heard(Asked { era, method, entry: entry(method, request) });
    if revision.is_modern()
        && let Some(trace) = trace(request)
    {
        ledger.follow(trace);
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

/// Modern messages carry their own trace, whatever the connection they came over.
fn trace(request: &Request) -> Option<Trace> {
    let meta = request.params.get("_meta")?;
    let text = |name: &str| meta.get(name).and_then(Value::as_str);
    Trace::parse(text(TRACEPARENT.as_str())?, text(TRACESTATE.as_str()))
}
