//! Handles a POST body ([Streamable
//! HTTP](https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http)). Path, origin,
//! size and bearer token were checked before.

use super::error::Failure;
use super::handler::ServerHandler;
use super::handler_error::Error;
use super::headers::TransportHeaders;
use super::message::{self, Id, MalformedMessage, Message, Request};
use super::methods;
use super::protocol_error::ProtocolError;
use super::protocol_version::ProtocolVersion;
use super::report::{self, CallDetails, CallReport};
use super::version;
use crate::model::scope::ScopeSet;
use std::time::Duration;

/// The response for the transport to send.
#[derive(Clone, Debug, PartialEq)]
pub enum McpResponse {
    Json {
        status: u16,
        body: Vec<u8>,
        /// For the log: what went wrong on our side.
        fault: Option<String>,
    },
    /// 202 without a body: nothing wanted an answer.
    Accepted,
    /// 403 with a challenge that names the scopes.
    InsufficientScope {
        needed: ScopeSet,
        /// A JSON-RPC answer that says it in words.
        body: Vec<u8>,
    },
    /// 401: the person can no longer act, and the grant must end too.
    AccessEnded,
    /// 401: the grant has ended, and its token with it.
    GrantEnded,
    Unavailable {
        /// When to try again, if known.
        retry_after: Option<Duration>,
        /// A JSON-RPC answer that says the same.
        body: Vec<u8>,
    },
}

/// A request that can be performed, in the version it speaks.
#[derive(Debug)]
pub struct PendingCall {
    pub request: Request,
    pub version: ProtocolVersion,
}

/// The answer to a body that holds nothing to perform; without a report, nothing was asked.
#[derive(Debug)]
pub struct Unperformed {
    pub answer: McpResponse,
    pub report: Option<CallReport>,
}

/// Answers a body that came over HTTP.
pub async fn answer(handler: &dyn ServerHandler, headers: &TransportHeaders<'_>, body: &[u8]) -> McpResponse {
    match receive(headers, body) {
        Ok(call) => call.perform(handler).await.0,
        Err(unperformed) => unperformed.answer,
    }
}

/// Reads the call from a body that came over HTTP.
pub fn receive(headers: &TransportHeaders<'_>, body: &[u8]) -> Result<PendingCall, Box<Unperformed>> {
    let unperformed = |answer, report| Err(Box::new(Unperformed { answer, report }));
    match message::parse(body) {
        Ok(Message::Response) if headers.needs_envelope() => {
            let error = ProtocolError::NotARequest("this version asks nothing that could be answered");
            unperformed(refuse(&Id::NULL, &error.into(), ProtocolVersion::LATEST), Some(CallReport::malformed()))
        }
        Ok(Message::Notification(_) | Message::Response) => unperformed(McpResponse::Accepted, None),
        Ok(Message::Request(request)) => match version::version_of(&request, headers) {
            Ok(version) => Ok(PendingCall { request, version }),
            // These errors are the same in every version.
            Err(error) => {
                let failure = Failure::from(error);
                let end = report::end_of_failure(&failure);
                let report = CallReport::new(&request, None, CallDetails::default(), end);
                unperformed(refuse(&request.id, &failure, ProtocolVersion::LATEST_WITH_HANDSHAKE), Some(report))
            }
        },
        Err(MalformedMessage { id, error }) => {
            let answer = refuse(&id, &error.into(), ProtocolVersion::LATEST_WITH_HANDSHAKE);
            unperformed(answer, Some(CallReport::malformed()))
        }
    }
}

impl PendingCall {
    pub async fn perform(self, handler: &dyn ServerHandler) -> (McpResponse, CallReport) {
        let (result, report) = self.result(handler).await;
        let answer = match result {
            Ok(body) => McpResponse::Json { status: 200, body, fault: None },
            Err(failure) => refuse(&self.request.id, &failure, self.version),
        };
        (answer, report)
    }

    pub(super) async fn result(&self, handler: &dyn ServerHandler) -> (Result<Vec<u8>, Failure>, CallReport) {
        let performed = methods::perform(handler, &self.request, self.version).await;
        let report = CallReport::new(&self.request, Some(self.version), performed.details, performed.end);
        (performed.result, report)
    }
}

fn refuse(id: &Id, failure: &Failure, version: ProtocolVersion) -> McpResponse {
    let wire = failure.wire(version);
    match failure {
        Failure::Handler(Error::InsufficientScope { needed }) => {
            McpResponse::InsufficientScope { needed: *needed, body: wire.body(id) }
        }
        Failure::Handler(Error::AccessEnded) => McpResponse::AccessEnded,
        Failure::Handler(Error::GrantEnded) => McpResponse::GrantEnded,
        Failure::Handler(Error::Unavailable { retry_after, .. }) => {
            McpResponse::Unavailable { retry_after: *retry_after, body: wire.body(id) }
        }
        Failure::Handler(_) | Failure::Protocol(_) => {
            McpResponse::Json { status: wire.status, body: wire.body(id), fault: fault(failure) }
        }
    }
}

pub(super) fn fault(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Handler(Error::Internal(reason) | Error::Untrusted(reason)) => Some(reason.clone()),
        Failure::Handler(_) | Failure::Protocol(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
