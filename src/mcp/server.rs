//! From the bytes of a POST to its answer (reference/mcp.md 4). Path, origin, size and bearer token were checked before.

use super::era::{self, Revision};
use super::error::{Failure, ProtocolError};
use super::headers::TransportHeaders;
use super::message::{self, Id, Incoming, Malformed, Message, Request};
use super::methods;
use super::{Error, Observation, Program, Surface, Trouble};
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
    AccessEnded {
        /// What some messages of a batch came to all the same; then this is the answer, with 200.
        answers: Option<Value>,
    },
    /// 503
    Unavailable {
        /// When to try again, if known.
        retry_after: Option<Duration>,
        /// A JSON-RPC answer that says the same.
        body: Value,
    },
}

/// A request's answer, or why there is none.
pub(super) struct Reply {
    pub(super) id: Id,
    pub(super) revision: Revision,
    pub(super) result: Result<Value, Failure>,
}

/// Answers a body that came over HTTP.
pub async fn answer(surface: &dyn Surface, headers: &TransportHeaders<'_>, body: &[u8]) -> Answer {
    match message::parse(body) {
        Ok(Incoming::One(Message::Response)) if headers.names_modern() => {
            let error = ProtocolError::NotARequest("this revision asks nothing that could be answered");
            refuse(None, &error.into(), Revision::MODERN)
        }
        Ok(Incoming::One(Message::Notification(_) | Message::Response)) => Answer::Accepted,
        Ok(Incoming::One(Message::Request(request))) => answer_request(surface, headers, request).await,
        Ok(Incoming::Batch(items)) => match era::check_batch(&items, headers) {
            Ok(revision) => Batch::perform(surface, items, revision).await.answer(),
            Err(error) => refuse(None, &error.into(), Revision::V2025_03_26),
        },
        Err(Malformed { id, error }) => refuse(id.as_ref(), &error.into(), Revision::NEWEST_LEGACY),
    }
}

async fn answer_request(surface: &dyn Surface, headers: &TransportHeaders<'_>, request: Request) -> Answer {
    match era::revision_of(&request, headers) {
        Ok(revision) => reply_to(surface, request, revision).await.alone(),
        // What is refused here is refused alike in every revision.
        Err(error) => {
            let failure = Failure::from(error);
            let program = Program::of(&request);
            surface.observe(Observation { program, revision: None, trouble: Trouble::of(&failure) });
            refuse(Some(&request.id), &failure, Revision::NEWEST_LEGACY)
        }
    }
}

/// The answers to a batch, as they come in.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bodies: Vec<Value>,
    pub(super) faults: Vec<String>,
    any_result: bool,
    /// The first refusal that belongs to the transport.
    refusal: Option<Answer>,
    /// The person can no longer act: whatever else is answered, the transport must know.
    has_access_ended: bool,
}

impl Batch {
    /// One after the other: a client may rely on the order of what it writes.
    pub(super) async fn perform(
        surface: &dyn Surface,
        items: Vec<Result<Message, Malformed>>,
        revision: Revision,
    ) -> Batch {
        let mut batch = Batch::default();
        for item in items {
            match item {
                Ok(Message::Notification(_) | Message::Response) => {}
                Ok(Message::Request(Request { id, method, .. })) if method == "initialize" => {
                    let failure = Err(ProtocolError::NotARequest("initialize must come alone").into());
                    batch.add(Reply { id, revision, result: failure });
                }
                Ok(Message::Request(request)) => batch.add(reply_to(surface, request, revision).await),
                Err(Malformed { id, error }) => {
                    batch.bodies.push(Failure::from(error).wire(revision).body(id.as_ref()));
                }
            }
        }
        batch
    }

    fn add(&mut self, reply: Reply) {
        match reply.result {
            Ok(body) => {
                self.any_result = true;
                self.bodies.push(body);
            }
            Err(failure) => {
                self.bodies.push(failure.wire(reply.revision).body(Some(&reply.id)));
                self.faults.extend(fault(&failure));
                self.has_access_ended |= matches!(failure, Failure::Surface(Error::AccessEnded));
                let refusal = refuse(Some(&reply.id), &failure, reply.revision);
                self.refusal = self.refusal.take().or(Some(refusal).filter(|it| !matches!(it, Answer::Json { .. })));
            }
        }
    }

    /// The transport's refusal is the answer only if it hides no result.
    fn answer(self) -> Answer {
        match self.refusal {
            _ if self.has_access_ended => Answer::AccessEnded { answers: self.any_result.then(|| self.bodies.into()) },
            Some(refusal) if !self.any_result => refusal,
            _ if self.bodies.is_empty() => Answer::Accepted,
            _ => {
                let fault = Some(self.faults.join("; ")).filter(|faults| !faults.is_empty());
                Answer::Json { status: 200, body: self.bodies.into(), fault }
            }
        }
    }
}

pub(super) async fn reply_to(surface: &dyn Surface, request: Request, revision: Revision) -> Reply {
    surface.heard(&request, revision);
    let result = methods::perform(surface, &request, revision).await;
    let program = Program::of(&request);
    let id = request.id;
    let result = result.map(|body| body.dress(&id, revision, &surface.server()));
    let trouble = match &result {
        Ok(answer) => Trouble::of_answer(answer),
        Err(failure) => Trouble::of(failure),
    };
    surface.observe(Observation { program, revision: Some(revision), trouble });
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
}

fn refuse(id: Option<&Id>, failure: &Failure, revision: Revision) -> Answer {
    let wire = failure.wire(revision);
    match failure {
        Failure::Surface(Error::InsufficientScope { needed }) => Answer::InsufficientScope { needed: *needed },
        Failure::Surface(Error::AccessEnded) => Answer::AccessEnded { answers: None },
        Failure::Surface(Error::Unavailable { retry_after, .. }) => {
            Answer::Unavailable { retry_after: *retry_after, body: wire.body(id) }
        }
        Failure::Surface(_) | Failure::Protocol(_) => {
            Answer::Json { status: wire.status, body: wire.body(id), fault: fault(failure) }
        }
    }
}

pub(super) fn fault(failure: &Failure) -> Option<String> {
    match failure {
        Failure::Surface(Error::Internal(reason) | Error::Untrusted(reason)) => Some(reason.clone()),
        Failure::Surface(_) | Failure::Protocol(_) => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
