//! Report of a call besides its response: how it ended and why, the page that it reached, its client.
//!
//! The log, the metrics, the usage counts and the connection's diagnostics are computed from the report. A client's name comes
//! from outside: it is cleaned, cut to one short line, and never believed.

use super::error::Failure;
use super::handler_error::Error;
use super::handler_values::ToolOutcome;
use super::message::Request;
use super::protocol_error::ProtocolError;
use super::protocol_version::ProtocolVersion;
use super::version::CLIENT_KEY;
use crate::model::ids::PageId;
use crate::model::missing_access::MissingAccess;
use crate::model::outcome::{CallProblem, Outcome, Reason};
use crate::model::visible;
use serde::Serialize;
use serde_json::Value;

/// Longest name or version kept, in characters.
const NAME_LIMIT: usize = 80;

/// Outcome of a call, for everybody but its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallReport {
    /// The client, if it gave its name.
    pub client: Option<ClientInfo>,
    /// The version it speaks, if we speak it too.
    pub version: Option<ProtocolVersion>,
    pub outcome: Outcome,
    pub reason: Option<Reason>,
    /// Why there is no result, for the connection's diagnostics.
    pub problem: Option<CallProblem>,
    /// The thing whose lack is that problem, if known.
    pub missing: Option<MissingAccess>,
    /// The page that the call reached.
    pub page: Option<PageId>,
    /// It ended without an audit row of its own, because there were too many.
    pub is_unrecorded: bool,
}

/// Facts of a call that the handler knows and its result lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallDetails {
    /// `None`: as the result says.
    pub outcome: Option<Outcome>,
    pub reason: Option<Reason>,
    /// The thing whose lack refused it.
    pub missing: Option<MissingAccess>,
    /// The page that the call reached.
    pub page: Option<PageId>,
    /// It ended without an audit row of its own, because there were too many.
    pub is_unrecorded: bool,
}

/// Outcome of a call as far as its result tells, or the error.
pub(super) type CallEnd = (Outcome, Option<CallProblem>);

pub(super) const ANSWERED: CallEnd = (Outcome::Answered, None);

/// A handler's result, and the facts to report.
#[derive(Debug)]
pub struct Handled<T> {
    pub result: Result<T, Error>,
    pub details: CallDetails,
}

impl<T> From<Result<T, Error>> for Handled<T> {
    fn from(result: Result<T, Error>) -> Self {
        Self { result, details: CallDetails::default() }
    }
}

impl<T> From<Error> for Handled<T> {
    fn from(error: Error) -> Self {
        Err(error).into()
    }
}

impl<T> Handled<T> {
    pub fn on_page(result: Result<T, Error>, page: Option<PageId>) -> Self {
        Self { result, details: CallDetails { page, ..CallDetails::default() } }
    }

    /// A request that was refused for the lack of something.
    pub fn missing(error: Error, missing: MissingAccess) -> Self {
        Self { result: Err(error), details: CallDetails { missing: Some(missing), ..CallDetails::default() } }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Handled<U> {
        Handled { result: self.result.map(change), details: self.details }
    }
}

/// Name and version of a client, as it gives them (`Implementation`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientInfo {
    pub name: String,
    pub version: String,
}

impl ClientInfo {
    /// From `clientInfo`: of a handshake, or of an envelope.
    pub(super) fn from_request(request: &Request) -> Option<Self> {
        let envelope = request.params.get("_meta").and_then(|meta| meta.get(CLIENT_KEY));
        let handshake = || request.params.get("clientInfo").filter(|_| request.method == "initialize");
        let info = envelope.or_else(handshake)?;
        let line = |field| info.get(field).and_then(Value::as_str).map(one_line).unwrap_or_default();
        let client = Self { name: line("name"), version: line("version") };
        (!client.name.is_empty()).then_some(client)
    }
}

fn one_line(text: &str) -> String {
    // Cut first: cleaning need not look at a megabyte.
    let start: String = text.chars().take(4 * NAME_LIMIT).collect();
    let words = visible::clean(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(NAME_LIMIT).collect()
}

/// Outcome of a call with a tool result: the result may itself be a refusal.
pub(super) fn end_of_tool(outcome: &ToolOutcome) -> CallEnd {
    if outcome.is_error { (Outcome::Refused, Some(CallProblem::Tool)) } else { ANSWERED }
}

/// Outcome of a call without a result.
pub(super) fn end_of_failure(failure: &Failure) -> CallEnd {
    let refused = |problem| (Outcome::Refused, Some(problem));
    let failed = |problem| (Outcome::Failed, Some(problem));
    match failure {
        Failure::Protocol(ProtocolError::UnknownVersion(_) | ProtocolError::UnsupportedVersion(_)) => {
            refused(CallProblem::ProtocolVersion)
        }
        Failure::Protocol(_) => refused(CallProblem::Protocol),
        Failure::Handler(error) => match error {
            // A question is answered by a result.
            Error::InputRequired(_) => ANSWERED,
            // Nobody is left to look after the connection.
            Error::GrantEnded => (Outcome::Refused, None),
            Error::MissingCapability(_) => refused(CallProblem::Capability),
            Error::UnknownTool { .. } | Error::UnknownPrompt { .. } => refused(CallProblem::NoSuchTool),
            Error::ResourceNotFound { .. } => refused(CallProblem::NotFound),
            Error::InvalidParams(_) => refused(CallProblem::Parameters),
            Error::InsufficientScope { .. } => refused(CallProblem::Scope),
            Error::Forbidden(_) => refused(CallProblem::Role),
            Error::AccessEnded => refused(CallProblem::PersonEnded),
            Error::Unavailable { .. } => failed(CallProblem::Upstream),
            Error::Untrusted(_) | Error::Internal(_) => failed(CallProblem::Ours),
        },
    }
}

impl CallReport {
    pub(super) fn new(request: &Request, version: Option<ProtocolVersion>, details: CallDetails, end: CallEnd) -> Self {
        let (outcome, problem) = end;
        let problem = problem.map(|problem| match problem {
            CallProblem::Tool => CallProblem::of_tool_error(details.reason),
            problem => problem,
        });
        Self {
            client: ClientInfo::from_request(request),
            version,
            outcome: details.outcome.unwrap_or(outcome),
            reason: details.reason,
            problem,
            missing: details.missing.filter(|_| problem.is_some()),
            page: details.page,
            is_unrecorded: details.is_unrecorded,
        }
    }

    /// Of a body that is no request.
    pub(super) const fn malformed() -> Self {
        Self {
            client: None,
            version: None,
            outcome: Outcome::Refused,
            reason: None,
            problem: None,
            missing: None,
            page: None,
            is_unrecorded: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Message, parse};
    use super::*;
    use serde_json::json;

    fn client_info(method: &str, params: &Value) -> Option<ClientInfo> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        match parse(message.as_bytes()) {
            Ok(Message::Request(request)) => ClientInfo::from_request(&request),
            other => panic!("{other:?}"),
        }
    }

    fn cursor() -> ClientInfo {
        ClientInfo { name: "Cursor".into(), version: "1.9".into() }
    }

    #[test]
    fn client_info_is_read_from_a_handshake_or_an_envelope() {
        let info = json!({ "name": "Cursor", "version": "1.9" });
        assert_eq!(client_info("initialize", &json!({ "clientInfo": info })), Some(cursor()));
        assert_eq!(client_info("tools/list", &json!({ "_meta": { CLIENT_KEY: info } })), Some(cursor()));
        assert_eq!(client_info("tools/call", &json!({ "clientInfo": info })), None);
        assert_eq!(client_info("initialize", &json!({ "clientInfo": { "version": "1" } })), None);
        assert_eq!(client_info("initialize", &json!({ "clientInfo": { "name": 7 } })), None);
    }

    #[test]
    fn client_name_is_cleaned_and_cut_to_one_line() {
        let info = json!({ "name": format!("  A\u{202e}b\n\tc {}", "x".repeat(1_000_000)), "version": "1\u{0}" });
        let client = client_info("initialize", &json!({ "clientInfo": info })).expect("a client");
        assert!(client.name.starts_with("Ab c xxx"), "{}", client.name);
        assert_eq!((client.name.chars().count(), client.version.as_str()), (NAME_LIMIT, "1"));
    }
}
