//! Lines of the log: one JSON object each, with a fixed set of members. Absent members have no value.

use super::policy::Level;
use super::{PortUsage, RequestRecord, UpstreamSpan};
use serde_json::{Value, json};

impl RequestRecord {
    /// The record as a line.
    pub fn line(&self) -> String {
        let (message, caller) = (self.message, self.caller.as_ref());
        without_nulls(json!({
            "level": self.level().as_str(),
            "event": "request",
            "request_id": self.request_id.as_str(),
            "trace_id": self.trace.id(),
            "span_id": self.trace.span(),
            "parent_span_id": self.trace.parent(),
            "route": self.route,
            "method": self.method,
            "status": self.status,
            "outcome": self.outcome.as_str(),
            "ms": self.milliseconds,
            "d1": usage(self.database),
            "objects": usage(self.objects),
            "upstream": usage(self.upstream),
            "upstream_spans": (!self.spans.is_empty()).then(|| self.spans.iter().map(span).collect::<Vec<_>>()),
            "protocol_version": message.map(|message| message.protocol_version).filter(|version| !version.is_empty()),
            "rpc_method": message.map(|message| message.method),
            "entry": message.and_then(|message| message.entry),
            "client": caller.map(|caller| &caller.client),
            "grant": caller.map(|caller| &caller.grant),
            "reason": self.reason,
            "limit": self.limit,
            "notes": (!self.notes.is_empty()).then_some(&self.notes),
        }))
        .to_string()
    }
}

/// A log line of an event that is not a request.
pub fn event(level: Level, name: &str, message: &str) -> String {
    json!({ "level": level.as_str(), "event": name, "message": message }).to_string()
}

fn usage(PortUsage { count, failed, milliseconds, slowest_milliseconds }: PortUsage) -> Value {
    without_nulls(json!({
        "count": count,
        "ms": (count > 0).then_some(milliseconds),
        "slowest_ms": (count > 1).then_some(slowest_milliseconds),
        "failed": (failed > 0).then_some(failed),
    }))
}

fn span(span: &UpstreamSpan) -> Value {
    without_nulls(json!({
        "span_id": span.id,
        "call": span.call,
        "status": span.status,
        "start_ms": span.start_milliseconds,
        "ms": span.milliseconds,
    }))
}

fn without_nulls(mut object: Value) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    object
}
