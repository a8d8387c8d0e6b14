//! From the bytes of a POST to its answer ([Streamable HTTP](https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http)). Path, origin, size and bearer token were checked before.

use super::era::{self, Revision};
use super::error::{Failure, ProtocolError};
use super::headers::TransportHeaders;
use super::message::{self, Id, Malformed, Message, Request};
use super::methods;
use super::{Error, Observation, Program, Surface, Trouble};
use crate::model::scope::ScopeSet;
use serde_json::Value;
use std::time::Duration;

/// What the transport is to answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Json {
        status: u16,
        body: Value,
        /// For the log: what went wrong on our side.
        fault: Option<String>,
    },
    /// 202 without a body: nothing wanted an answer.
    Accepted,
    /// 403 with a challenge that names the scopes.
    InsufficientScope { needed: ScopeSet },
    /// 401: the person can no longer act, and the grant must end too.
    AccessEnded,
    /// 401: the grant has ended, and its token with it.
    GrantEnded,
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
        Ok(Message::Response) if headers.names_modern() => {
            let error = ProtocolError::NotARequest("this revision asks nothing that could be answered");
            refuse(None, &error.into(), Revision::MODERN)
        }
        Ok(Message::Notification(_) | Message::Response) => Answer::Accepted,
        Ok(Message::Request(request)) => answer_request(surface, headers, request).await,
        Err(Malformed { id, error }) => refuse(id.as_ref(), &error.into(), Revision::NEWEST_LEGACY),
    }
}

async fn answer_request(surface: &dyn Surface, headers: &TransportHeaders<'_>, request: Request) -> Answer {
    match era::revision_of(&request, headers) {
        Ok(revision) => reply_to(surface, request, revision).await.into_answer(),
        // What is refused here is refused alike in every revision.
        Err(error) => {
            let failure = Failure::from(error);
            let program = Program::of(&request);
            surface.observe(Observation { program, revision: None, trouble: Trouble::of(&failure) });
            refuse(Some(&request.id), &failure, Revision::NEWEST_LEGACY)
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
    fn into_answer(self) -> Answer {
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
        Failure::Surface(Error::AccessEnded) => Answer::AccessEnded,
        Failure::Surface(Error::GrantEnded) => Answer::GrantEnded,
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
