//! What operators see of a request: one [`RequestRecord`], which becomes one line of the log and one point of the metrics.
//!
//! A [`RequestLog`] lies open while a request is answered. Ports note themselves in it ([`counted`]), handlers note what was
//! asked and why it was refused. Nothing in it can be a secret or a customer's words: texts are fixed ones of ours, the
//! exceptions being ids, which are checked or drawn here, and notes of our own faults. On Workers the clock only moves
//! while something is waited for, so every duration is time spent waiting, never time spent computing.

pub mod counted;
pub mod line;
pub mod metrics;
pub mod policy;
pub mod trace;

use crate::model::ids::RequestId;
use crate::model::outcome::Outcome;
use std::cell::{Cell, RefCell};
use trace::Trace;

/// A clock in milliseconds, for durations only; no decision hangs on it.
pub type Clock<'a> = dyn Fn() -> u64 + 'a;

/// What a message asked for, in words of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedMessage {
    /// The protocol revision; empty outside the MCP endpoint.
    pub era: &'static str,
    /// The method, `other` for one that nobody knows; at the token endpoint the grant type.
    pub method: &'static str,
    /// The tool's, prompt's or resource's name, where there is one.
    pub entry: Option<&'static str>,
}

/// Who asked, as far as a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedCaller {
    /// The client's id, which was checked when it connected.
    pub client: String,
    /// The grant's id; not a secret.
    pub grant: String,
}

/// How much one port was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    pub count: u32,
    /// Of them, those without a usable answer.
    pub failed: u32,
    /// Waiting time of all, added up; more than the request's own where several ran at once.
    pub milliseconds: u64,
    pub slowest_milliseconds: u64,
}

impl Use {
    fn add(&mut self, milliseconds: u64, has_failed: bool) {
        self.count += 1;
        self.failed += u32::from(has_failed);
        self.milliseconds += milliseconds;
        self.slowest_milliseconds = self.slowest_milliseconds.max(milliseconds);
    }
}

/// One request, when it is over. Plain values.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Also in the answer's `X-Request-Id`, in StatiBeat's records and in the audit.
    pub request_id: RequestId,
    /// Where it stands in a distributed trace.
    pub trace: Trace,
    /// The route's path; `none` for a path that leads nowhere.
    pub route: &'static str,
    /// The area of the product that the route belongs to.
    pub area: &'static str,
    /// The HTTP method; `OTHER` for an unusual one.
    pub method: &'static str,
    /// The message of a POST to the MCP endpoint, or what the token endpoint was asked.
    pub asked: Option<LoggedMessage>,
    /// Who asked, if a token said so.
    pub asker: Option<LoggedCaller>,
    pub status: u16,
    pub outcome: Outcome,
    /// Why, in a fixed word.
    pub reason: Option<&'static str>,
    /// The limit that it ran into.
    pub limit: Option<&'static str>,
    /// From the first to the last look at the clock.
    pub milliseconds: u64,
    /// D1 batches.
    pub database: Use,
    pub objects: Use,
    pub upstream: Use,
    /// What somebody should look at.
    pub notes: Vec<String>,
}

/// A request's record while it is being answered.
pub struct RequestLog<'a> {
    clock: &'a Clock<'a>,
    began: u64,
    trace: RefCell<Trace>,
    route: Cell<&'static str>,
    area: Cell<&'static str>,
    asked: Cell<Option<LoggedMessage>>,
    asker: RefCell<Option<LoggedCaller>>,
    outcome: Cell<Option<Outcome>>,
    reason: Cell<Option<&'static str>>,
    limit: Cell<Option<&'static str>>,
    database: Cell<Use>,
    objects: Cell<Use>,
    upstream: Cell<Use>,
    notes: RefCell<Vec<String>>,
}

impl<'a> RequestLog<'a> {
    pub fn open(clock: &'a Clock<'a>, trace: Trace) -> Self {
        Self {
            clock,
            began: clock(),
            trace: RefCell::new(trace),
            route: Cell::new("none"),
            area: Cell::new("other"),
            asked: Cell::default(),
            asker: RefCell::default(),
            outcome: Cell::default(),
            reason: Cell::default(),
            limit: Cell::default(),
            database: Cell::default(),
            objects: Cell::default(),
            upstream: Cell::default(),
            notes: RefCell::default(),
        }
    }

    /// The path was one of ours: the route, and the area of the product that it belongs to.
    pub fn set_route(&self, route: &'static str, area: &'static str) {
        self.route.set(route);
        self.area.set(area);
    }

    /// The message that the request carries.
    pub fn set_message(&self, asked: LoggedMessage) {
        self.asked.set(Some(asked));
    }

    /// A token said who asks.
    pub fn set_caller(&self, asker: LoggedCaller) {
        self.asker.replace(Some(asker));
    }

    /// What became of it, where the status does not say.
    pub fn set_outcome(&self, outcome: Outcome) {
        self.outcome.set(Some(outcome));
    }

    /// Why it was not done, or not as usual. The last word counts.
    pub fn set_reason(&self, reason: &'static str) {
        self.reason.set(Some(reason));
    }

    /// Something that somebody should look at; never with a secret or a customer's words.
    pub fn note(&self, note: &str) {
        self.notes.borrow_mut().push(note.to_owned());
    }

    /// Goes on with the trace that a message names, unless the request itself named one.
    pub fn continue_trace(&self, named: Trace) {
        let mut trace = self.trace.borrow_mut();
        if trace.is_ours() {
            *trace = trace.below(named);
        }
    }

    /// The trace as it stands.
    pub fn trace(&self) -> Trace {
        self.trace.borrow().clone()
    }

    pub fn close(self, request_id: RequestId, method: &http::Method, status: u16) -> RequestRecord {
        RequestRecord {
            request_id,
            trace: self.trace.into_inner(),
            route: self.route.get(),
            area: self.area.get(),
            method: known(method),
            asked: self.asked.get(),
            asker: self.asker.into_inner(),
            status,
            outcome: self.outcome.get().unwrap_or(Outcome::of_status(status)),
            reason: self.reason.get(),
            limit: self.limit.get(),
            milliseconds: (self.clock)().saturating_sub(self.began),
            database: self.database.get(),
            objects: self.objects.get(),
            upstream: self.upstream.get(),
            notes: self.notes.into_inner(),
        }
    }
}

/// Methods are the sender's words, so only the usual ones are repeated.
fn known(method: &http::Method) -> &'static str {
    const USUAL: [&str; 7] = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
    USUAL.into_iter().find(|usual| *usual == method.as_str()).unwrap_or("OTHER")
}

#[cfg(test)]
mod tests;
