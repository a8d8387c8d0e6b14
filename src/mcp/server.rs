//! From the bytes of a POST to its answer (reference/mcp.md 4). Path, origin, size and bearer token were checked before.

use super::era::{self, Revision};
use super::error::{Failure, ProtocolError};
use super::headers::TransportHeaders;
use super::message::{self, Id, Incoming, Malformed, Message, Request};
use super::methods;
use super::{Error, Surface};
use crate::catalog::scope::ScopeSet;
use serde_json::Value;
use std::time::Duration;

/// What the transport is to answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A JSON body.
    Json {
        /// HTTP status.
        status: u16,
        /// A JSON-RPC answer, or the answers to a batch.
        body: Value,
        /// For the log: what went wrong on our side.
        fault: Option<String>,
    },
    /// 202 without a body: nothing wanted an answer.
    Accepted,
    /// 403 with a challenge that names the scopes.
    InsufficientScope {
        /// Everything the operation needs.
        needed: ScopeSet,
    },
    /// 401: the token stands for nobody any more.
    AccessEnded,
    /// 503
    Unavailable {
        /// When to try again, if known.
        retry_after: Option<Duration>,
        /// A JSON-RPC answer that says the same.
        body: Value,
    },
}

/// A request's answer, or why there is none.
struct Reply {
    id: Id,
    revision: Revision,
    result: Result<Value, Failure>,
}

/// Answers a body that came over HTTP.
pub async fn answer(surface: &dyn Surface, headers: &TransportHeaders<'_>, body: &[u8]) -> Answer {
    match message::parse(body) {
        Ok(Incoming::One(Message::Notification(_) | Message::Response)) => Answer::Accepted,
        Ok(Incoming::One(Message::Request(request))) => answer_request(surface, headers, request).await,
        Ok(Incoming::Batch(items)) => match era::check_batch(&items, headers) {
            Ok(revision) => answer_batch(surface, items, revision).await,
            Err(error) => refuse(None, &error.into(), Revision::V2025_03_26),
        },
        Err(Malformed { id, error }) => refuse(id.as_ref(), &error.into(), Revision::NEWEST_LEGACY),
    }
}

async fn answer_request(surface: &dyn Surface, headers: &TransportHeaders<'_>, request: Request) -> Answer {
    match era::revision_of(&request, headers) {
        Ok(revision) => reply_to(surface, request, revision).await.alone(),
        // What is refused here is refused alike in every revision.
        Err(error) => refuse(Some(&request.id), &error.into(), Revision::NEWEST_LEGACY),
    }
}

/// One after the other: a client may rely on the order of what it writes. A refusal that belongs to the transport
/// becomes the answer only while there is no result that it would hide.
async fn answer_batch(surface: &dyn Surface, items: Vec<Result<Message, Malformed>>, revision: Revision) -> Answer {
    let (mut bodies, mut faults) = (Vec::new(), Vec::new());
    let (mut first_refusal, mut any_result) = (None, false);
    for item in items {
        match item {
            Ok(Message::Notification(_) | Message::Response) => {}
            Ok(Message::Request(Request { id, method, .. })) if method == "initialize" => {
                let failure = Failure::from(ProtocolError::NotARequest("initialize must come alone"));
                bodies.push(failure.wire(revision).body(Some(&id)));
            }
            Ok(Message::Request(request)) => {
                let reply = reply_to(surface, request, revision).await;
                any_result |= reply.result.is_ok();
                faults.extend(reply.fault());
                bodies.push(reply.body());
                first_refusal =
                    first_refusal.or(Some(reply.alone()).filter(|answer| !matches!(answer, Answer::Json { .. })));
            }
            Err(Malformed { id, error }) => bodies.push(Failure::from(error).wire(revision).body(id.as_ref())),
        }
    }
    match first_refusal {
        Some(refusal) if !any_result => refusal,
        _ if bodies.is_empty() => Answer::Accepted,
        _ => Answer::Json {
            status: 200,
            body: bodies.into(),
            fault: Some(faults.join("; ")).filter(|text| !text.is_empty()),
        },
    }
}

async fn reply_to(surface: &dyn Surface, request: Request, revision: Revision) -> Reply {
    let result = methods::perform(surface, &request, revision).await;
    let id = request.id;
    let result = result.map(|body| body.dress(&id, revision, &surface.server()));
    Reply { id, revision, result }
}

impl Reply {
    /// The whole answer, for a request that came alone.
    fn alone(self) -> Answer {
        match self.result {
            Ok(body) => Answer::Json { status: 200, body, fault: None },
            Err(failure) => refuse(Some(&self.id), &failure, self.revision),
        }
    }

    /// One entry of the answer to a batch.
    fn body(&self) -> Value {
        match &self.result {
            Ok(body) => body.clone(),
            Err(failure) => failure.wire(self.revision).body(Some(&self.id)),
        }
    }

    fn fault(&self) -> Option<String> {
        self.result.as_ref().err().and_then(fault)
    }
}

fn refuse(id: Option<&Id>, failure: &Failure, revision: Revision) -> Answer {
    let wire = failure.wire(revision);
    match failure {
        Failure::Surface(Error::InsufficientScope { needed }) => Answer::InsufficientScope { needed: *needed },
        Failure::Surface(Error::AccessEnded) => Answer::AccessEnded,
        Failure::Surface(Error::Unavailable { retry_after, .. }) => {
            Answer::Unavailable { retry_after: *retry_after, body: wire.body(id) }
        }
        Failure::Surface(_) | Failure::Protocol(_) => {
            Answer::Json { status: wire.status, body: wire.body(id), fault: fault(failure) }
        }
    }
}

fn fault(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Surface(Error::Internal(reason)) => Some(reason.clone()),
        Failure::Surface(_) | Failure::Protocol(_) => None,
    }
}

#[cfg(test)]
mod tests;
