//! Lines of the log: one JSON object each, with a fixed set of members in the order of their names. Absent members have no value.

use super::policy::Level;
use super::{PortUsage, RequestRecord, UpstreamSpan};
use serde::Serialize;
use serde_json::json;

#[derive(Serialize)]
struct RequestLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    d1: UsageMember,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<&'a str>,
    level: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<&'a str>,
    method: &'a str,
    ms: u64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
    objects: UsageMember,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    request_id: &'a str,
    route: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpc_method: Option<&'a str>,
    span_id: &'a str,
    status: u16,
    trace_id: &'a str,
    upstream: UsageMember,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    upstream_spans: Vec<SpanMember<'a>>,
}

#[derive(Serialize)]
struct UsageMember {
    count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slowest_ms: Option<u64>,
}

#[derive(Serialize)]
struct SpanMember<'a> {
    call: &'a str,
    ms: u64,
    span_id: &'a str,
    start_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

impl RequestRecord {
    /// The record as a line.
    pub fn line(&self) -> String {
        let (message, caller) = (self.message, self.caller.as_ref());
        let line = RequestLine {
            client: caller.map(|caller| &*caller.client),
            d1: self.database.into(),
            entry: message.and_then(|message| message.entry),
            event: "request",
            grant: caller.map(|caller| &*caller.grant),
            level: self.level().as_str(),
            limit: self.limit,
            method: self.method,
            ms: self.milliseconds,
            notes: &self.notes,
            objects: self.objects.into(),
            outcome: self.outcome.as_str(),
            parent_span_id: self.trace.parent(),
            protocol_version: message.map(|message| message.protocol_version).filter(|version| !version.is_empty()),
            reason: self.reason,
            request_id: self.request_id.as_str(),
            route: self.route,
            rpc_method: message.map(|message| message.method),
            span_id: self.trace.span(),
            status: self.status,
            trace_id: self.trace.id(),
            upstream: self.upstream.into(),
            upstream_spans: self.spans.iter().map(SpanMember::from).collect(),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// A log line of an event that is not a request.
pub fn event(level: Level, name: &str, message: &str) -> String {
    json!({ "level": level.as_str(), "event": name, "message": message }).to_string()
}

impl From<PortUsage> for UsageMember {
    fn from(PortUsage { count, failed, milliseconds, slowest_milliseconds }: PortUsage) -> Self {
        Self {
            count,
            failed: (failed > 0).then_some(failed),
            ms: (count > 0).then_some(milliseconds),
            slowest_ms: (count > 1).then_some(slowest_milliseconds),
        }
    }
}

impl<'a> From<&'a UpstreamSpan> for SpanMember<'a> {
    fn from(span: &'a UpstreamSpan) -> Self {
        let UpstreamSpan { id, call, status, start_milliseconds, milliseconds } = span;
        Self { call, ms: *milliseconds, span_id: id, start_ms: *start_milliseconds, status: *status }
    }
}
