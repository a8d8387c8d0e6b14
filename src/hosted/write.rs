//! The guarded write: limit, post, record. Whatever happens, one audit row says how it ended.

use super::caller::Caller;
use super::rate_limit::{WRITE_LIMIT, write_key};
use crate::catalog::Write;
use crate::catalog::scope::Scope;
use crate::ids::{PageId, RequestId};
use crate::ports::{Database, Decision, RateLimiter};
use crate::storage::audit::{self, AuditId, Entry, Kind, Outcome, Target};
use crate::timestamp::Timestamp;
use crate::upstream::{ApiError, PageApi, WriteAnswer};
use serde_json::Value;
use std::time::Duration;

/// What stands around every write of one request.
#[derive(Clone, Copy)]
pub struct Guard<'a> {
    /// In whose name.
    pub caller: &'a Caller,
    /// The request.
    pub request_id: &'a RequestId,
    /// Counts.
    pub limiter: &'a dyn RateLimiter,
    /// Keeps the audit rows.
    pub db: &'a dyn Database,
    /// The time.
    pub now: Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// A line for those who run the server; never with secrets or customer text.
    pub log: &'a dyn Fn(&str),
}

/// One write that access was granted to.
pub struct Attempt<'a> {
    /// The tool that was called.
    pub tool: &'static str,
    /// The scope it needs.
    pub scope: Scope,
    /// The page.
    pub page_id: PageId,
    /// What to post.
    pub write: &'a Write,
}

/// How a write ended, and what is known of it.
#[derive(Debug)]
pub struct Ended {
    /// The document StatiBeat answered with, or why there is none.
    pub result: Result<Posted, NotDone>,
    /// The audit row; `None` when it could not be written.
    pub audit_id: Option<AuditId>,
}

/// A write that was carried out.
#[derive(Debug)]
pub struct Posted {
    /// What StatiBeat made of it.
    pub document: Value,
    /// Whether it was made now; if not, an earlier call with the same `external_id` had made it.
    pub is_new: bool,
    /// Writes that are left in this window.
    pub remaining: u32,
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The person has paused the connection's writes.
    Paused,
    /// Too many writes under this grant.
    Limited {
        /// When the next may pass.
        retry_after: Duration,
    },
    /// The limiter could not say. Without it nothing is posted.
    Unlimited,
    /// StatiBeat's answer, or the lack of it.
    Upstream(ApiError),
}

/// Carries a write out. The order of the steps is what makes it safe: nothing is posted that was not counted, and
/// nothing is answered before it was recorded.
pub async fn perform(guard: &Guard<'_>, api: &PageApi<'_>, attempt: &Attempt<'_>) -> Ended {
    // 1. Count it. A limiter that does not answer lets nothing through; a paused connection does not even count.
    let taken = if guard.caller.are_writes_paused { Err(NotDone::Paused) } else { take(guard).await };
    // 2. Post it, once.
    let result = match taken {
        Ok(remaining) => post(api, attempt, remaining).await,
        Err(reason) => Err(reason),
    };
    // 3. Record it. A post cannot be taken back, so a row that cannot be written changes the answer's words, not its
    //    outcome.
    let audit_id = record(guard, attempt, &result).await;
    Ended { result, audit_id }
}

async fn take(guard: &Guard<'_>) -> Result<u32, NotDone> {
    match guard.limiter.take(&write_key(&guard.caller.grant_id), WRITE_LIMIT, guard.now).await {
        Ok(Decision::Allowed { remaining }) => Ok(remaining),
        Ok(Decision::Limited { retry_after }) => Err(NotDone::Limited { retry_after }),
        Err(error) => {
            (guard.log)(&format!("{error}; request {} was not posted", guard.request_id));
            Err(NotDone::Unlimited)
        }
    }
}

async fn post(api: &PageApi<'_>, attempt: &Attempt<'_>, remaining: u32) -> Result<Posted, NotDone> {
    let WriteAnswer { document, is_new } = api.write(attempt.scope, attempt.write).await.map_err(NotDone::Upstream)?;
    Ok(Posted { document, is_new, remaining })
}

async fn record(guard: &Guard<'_>, attempt: &Attempt<'_>, result: &Result<Posted, NotDone>) -> Option<AuditId> {
    let mut random = [0; 16];
    (guard.random)(&mut random);
    let entry = entry(guard, attempt, result, AuditId::new(random));
    match audit::append(guard.db, &entry).await {
        Ok(()) => Some(entry.id),
        Err(error) => {
            let (outcome, request) = (entry.outcome.as_str(), guard.request_id);
            (guard.log)(&format!("{error}; a write with outcome {outcome} has no audit row, request {request}"));
            None
        }
    }
}

fn entry<'a>(guard: &Guard<'a>, attempt: &Attempt<'a>, result: &Result<Posted, NotDone>, id: AuditId) -> Entry<'a> {
    let (outcome, detail) = match result {
        Ok(posted) => (Outcome::Done, (!posted.is_new).then_some("existed_already")),
        Err(reason) => reason.for_audit(),
    };
    let target = Target {
        page_id: attempt.page_id,
        tool: attempt.tool,
        id: result.as_ref().ok().and_then(|done| target_id(&done.document)),
        title: attempt.write.body.get("title").and_then(Value::as_str),
    };
    Entry {
        id,
        at: guard.now,
        kind: Kind::Write,
        outcome,
        user_id: &guard.caller.user_id,
        client_id: &guard.caller.client_id,
        client_name: &guard.caller.client_name,
        grant_id: &guard.caller.grant_id,
        request_id: guard.request_id,
        target: Some(target),
        detail,
    }
}

/// The id of what was made: a number, or text in case StatiBeat ever changes that.
pub fn target_id(document: &Value) -> Option<String> {
    match document.get("id")? {
        Value::Number(id) => Some(id.to_string()),
        Value::String(id) => Some(id.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

impl NotDone {
    /// The outcome to record, and why.
    fn for_audit(&self) -> (Outcome, Option<&'static str>) {
        match self {
            Self::Paused => (Outcome::Refused, Some("writes_paused")),
            Self::Limited { .. } => (Outcome::Limited, None),
            Self::Unlimited => (Outcome::Failed, Some("limiter_unavailable")),
            Self::Upstream(error) => (outcome_of(error), Some(error.reason())),
        }
    }
}

fn outcome_of(error: &ApiError) -> Outcome {
    match error {
        ApiError::NotFound(_) | ApiError::Forbidden(_) | ApiError::Invalid(_) | ApiError::UserEnded => Outcome::Refused,
        ApiError::RateLimited { .. } => Outcome::Limited,
        ApiError::CredentialRefused(_) | ApiError::Unfit(_) => Outcome::Failed,
        ApiError::Unavailable { .. } | ApiError::Malformed(_) | ApiError::OutcomeUnknown(_) => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests;
