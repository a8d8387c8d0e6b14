//! The log and metrics of a request: one [`RequestRecord`], which becomes one line of the log and one point of the metrics.
//!
//! A [`RequestLog`] is open while a request is handled. Ports count their calls in it ([`counted`]); handlers set
//! message, caller and reason. It never contains a secret or customer text: texts are constants, except ids, which are
//! validated or generated here, and notes about our own errors. On Workers the clock advances only during I/O, so every
//! duration is waiting time.

pub mod counted;
pub mod line;
pub mod metrics;
pub mod policy;
pub mod trace;

use crate::model::ids::RequestId;
use crate::model::outcome::Outcome;
use std::cell::{Cell, RefCell};
use trace::Trace;

/// A clock in milliseconds, for durations only.
pub type Clock<'a> = dyn Fn() -> u64 + 'a;

/// A message, in words of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedMessage {
    /// Empty outside the MCP endpoint.
    pub protocol_version: &'static str,
    /// The method, `other` for an unknown one; at the token endpoint the grant type.
    pub method: &'static str,
    /// The tool's, prompt's or resource's name, where there is one.
    pub entry: Option<&'static str>,
}

/// The caller that a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedCaller {
    /// The client's id, which was checked when it connected.
    pub client: String,
    /// The grant's id; not a secret.
    pub grant: String,
}

/// The calls of one port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortUsage {
    pub count: u32,
    /// Of them, those without a usable answer.
    pub failed: u32,
    /// Total waiting time; concurrent calls may add up to more than the request's duration.
    pub milliseconds: u64,
    pub slowest_milliseconds: u64,
}

/// One request to StatiBeat, as a span of the request's trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSpan {
    /// The parent that StatiBeat sees in `traceparent`.
    pub id: String,
    /// Method and path, with `{}` in the place of every id.
    pub call: String,
    /// `None` without an answer.
    pub status: Option<u16>,
    /// From the beginning of the request to that of the span.
    pub start_milliseconds: u64,
    pub milliseconds: u64,
}

/// Spans kept of one request: more than any operation makes, so that a fault cannot fill the log.
const SPANS_MAX: usize = 50;

/// One finished request, as plain values.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Also in the answer's `X-Request-Id`, in StatiBeat's records and in the audit.
    pub request_id: RequestId,
    /// Its place in a distributed trace.
    pub trace: Trace,
    /// The route's path; `none` for a path that leads nowhere.
    pub route: &'static str,
    /// The area of the product that the route belongs to.
    pub area: &'static str,
    /// The HTTP method; `OTHER` for an unusual one.
    pub method: &'static str,
    /// The message of a POST to the MCP endpoint, or what the token endpoint was asked.
    pub message: Option<LoggedMessage>,
    pub caller: Option<LoggedCaller>,
    pub status: u16,
    pub outcome: Outcome,
    /// Why, in a fixed word.
    pub reason: Option<&'static str>,
    /// The limit that it ran into.
    pub limit: Option<&'static str>,
    /// From the first to the last reading of the clock.
    pub milliseconds: u64,
    pub database: PortUsage,
    pub objects: PortUsage,
    pub upstream: PortUsage,
    /// In the order in which the answers came.
    pub spans: Vec<UpstreamSpan>,
    pub notes: Vec<String>,
}

/// A request's record while it is being answered.
pub struct RequestLog<'a> {
    clock: &'a Clock<'a>,
    began: u64,
    outcome: Cell<Option<Outcome>>,
    record: RefCell<RequestRecord>,
}

impl<'a> RequestLog<'a> {
    pub fn open(clock: &'a Clock<'a>, trace: Trace, request_id: RequestId, method: &http::Method) -> Self {
        let record = RequestRecord {
            request_id,
            trace,
            route: "none",
            area: "other",
            method: usual(method),
            message: None,
            caller: None,
            status: 0,
            outcome: Outcome::Answered,
            reason: None,
            limit: None,
            milliseconds: 0,
            database: PortUsage::default(),
            objects: PortUsage::default(),
            upstream: PortUsage::default(),
            spans: Vec::new(),
            notes: Vec::new(),
        };
        Self { clock, began: clock(), outcome: Cell::default(), record: RefCell::new(record) }
    }

    /// Sets the route, and the area of the product that it belongs to.
    pub fn set_route(&self, route: &'static str, area: &'static str) {
        let mut record = self.record.borrow_mut();
        (record.route, record.area) = (route, area);
    }

    pub fn set_message(&self, message: LoggedMessage) {
        self.record.borrow_mut().message = Some(message);
    }

    pub fn set_caller(&self, caller: LoggedCaller) {
        self.record.borrow_mut().caller = Some(caller);
    }

    /// Sets the outcome, where the status does not say it.
    pub fn set_outcome(&self, outcome: Outcome) {
        self.outcome.set(Some(outcome));
    }

    /// Sets the reason for refusing the request or for an unusual response; the last call wins.
    pub fn set_reason(&self, reason: &'static str) {
        self.record.borrow_mut().reason = Some(reason);
    }

    /// Adds a note for operators; never with a secret or customer text.
    pub fn note(&self, note: &str) {
        self.record.borrow_mut().notes.push(note.to_owned());
    }

    /// Continues the trace that a message names, unless the request itself named one.
    pub fn continue_trace(&self, named: Trace) {
        let trace = &mut self.record.borrow_mut().trace;
        if trace.is_ours() {
            *trace = trace.below(named);
        }
    }

    pub fn trace(&self) -> Trace {
        self.record.borrow().trace.clone()
    }

    pub fn close(self, status: u16) -> RequestRecord {
        let milliseconds = (self.clock)().saturating_sub(self.began);
        let outcome = self.outcome.get().unwrap_or(Outcome::of_status(status));
        RequestRecord { status, outcome, milliseconds, ..self.record.into_inner() }
    }
}

/// HTTP methods are the sender's text, so only common ones are logged.
fn usual(method: &http::Method) -> &'static str {
    const USUAL: [&str; 7] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    USUAL.into_iter().find(|usual| *usual == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests;
