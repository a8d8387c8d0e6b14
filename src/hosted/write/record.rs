//! What goes on record about a write: the audit row, and the result that a repeated call is answered with.

use super::{Attempt, Guard, NotDone};
use crate::hosted::rate_limit::{RECORD_LIMIT, record_key};
use crate::model::outcome::{Outcome, Reason};
use crate::ports::Decision;
use crate::storage::audit::{self, AuditId, Entry, Kind, Target};
use crate::storage::idempotency::Ending;
use crate::storage::write_permission::WriteDenial;
use crate::upstream::{ApiError, ApiErrorKind};
use crate::writes::execute::{WriteError, WriteOrigin, WriteReport};
use serde_json::{Map, Value};

/// Texts of a document that are kept for a repeated call. None of them is what customers read but the title.
const KEPT_TEXTS: &[&str] = &[
    "title",
    "status",
    "state",
    "public_url",
    "admin_url",
    "starts_at",
    "ends_at",
    "started_at",
    "created_at",
    "external_id",
];

/// The row before anything is sent.
pub fn beginning<'a>(guard: &Guard<'a>, attempt: &Attempt<'a>, id: AuditId) -> Entry<'a> {
    let title = attempt.write.body.get("title").and_then(Value::as_str);
    let page_id = Some(attempt.page_id);
    let target = Target { page_id, asked_page_id: page_id, tool: attempt.tool, id: None, title };
    Entry { id, outcome: Outcome::Unknown, ..entry(guard, target) }
}

/// What became of the row of a call that came to an end without a lease.
pub enum Noted {
    Row(AuditId),
    /// There were too many; it is only counted.
    TooMany,
    /// It could not be written.
    Failed,
}

/// Appends the row of a call that came to an end without a lease. The call's answer does not hang on it: nothing was sent.
/// While nobody can count them, such calls are taken for too many.
pub async fn note(guard: &Guard<'_>, target: Target<'_>, outcome: Outcome, reason: Reason) -> Noted {
    let taken = guard.limiter.take(&record_key(&guard.caller.grant_id), RECORD_LIMIT, guard.now).await;
    if !matches!(taken, Ok(Decision::Allowed { .. })) {
        return Noted::TooMany;
    }
    let detail = reason.as_str();
    let entry = Entry { outcome, detail: Some(detail), ..entry(guard, target) };
    match audit::append(guard.db, &entry).await {
        Ok(()) => Noted::Row(entry.id),
        Err(error) => {
            let (outcome, request) = (entry.outcome.as_str(), guard.request_id);
            (guard.log)(&format!("{error}; a call that was {outcome} ({detail}) has no audit row, request {request}"));
            Noted::Failed
        }
    }
}

fn entry<'a>(guard: &Guard<'a>, target: Target<'a>) -> Entry<'a> {
    let mut random = [0; 16];
    (guard.random)(&mut random);
    Entry {
        id: AuditId::new(random),
        at: guard.now,
        kind: Kind::Write,
        outcome: Outcome::Unknown,
        user_id: &guard.caller.user_id,
        client_id: &guard.caller.client_id,
        client_name: &guard.caller.client_name,
        grant_id: &guard.caller.grant_id,
        request_id: guard.request_id,
        target: Some(target),
        detail: None,
    }
}

/// The row when it has ended.
pub fn end<'a>(
    guard: &Guard<'a>,
    attempt: &Attempt<'a>,
    id: AuditId,
    result: &Result<WriteReport, NotDone>,
) -> Entry<'a> {
    let (outcome, reason) = self::outcome(result);
    let detail = reason.map(Reason::as_str);
    let mut entry = Entry { outcome, detail, ..beginning(guard, attempt, id) };
    if let (Some(target), Ok(posted)) = (&mut entry.target, result) {
        target.id = target_id(&posted.document);
    }
    entry
}

/// How it ended, and why; no reason where it simply was done.
pub fn outcome(result: &Result<WriteReport, NotDone>) -> (Outcome, Option<Reason>) {
    match result {
        Ok(posted) => made(posted.made),
        Err(reason) => reason.for_audit(),
    }
}

/// What the end means for the key.
pub fn ending(result: &Result<WriteReport, NotDone>) -> Ending {
    match result {
        Ok(posted) => Ending::Done { result: remembered(&posted.document).to_string() },
        Err(reason) if reason.for_audit().0 == Outcome::Unknown => Ending::Unknown,
        Err(_) => Ending::NotDone,
    }
}

/// The id of what was made: a number, or text in case StatiBeat ever changes that.
fn target_id(document: &Value) -> Option<String> {
    match document.get("id")? {
        Value::Number(id) => Some(id.to_string()),
        Value::String(id) => Some(id.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A document without what customers read: numbers, short facts and the stage.
fn remembered(document: &Value) -> Value {
    let fields = document.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, value)| match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(_) => KEPT_TEXTS.contains(&name.as_str()),
        Value::Object(_) => name.as_str() == "lifecycle_stage",
        Value::Array(_) | Value::Null => false,
    });
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>())
}

fn made(made: WriteOrigin) -> (Outcome, Option<Reason>) {
    match made {
        WriteOrigin::Posted => (Outcome::Done, None),
        WriteOrigin::PostedVerified => (Outcome::Done, Some(Reason::FoundAfterLostAnswer)),
        WriteOrigin::Earlier => (Outcome::Replayed, None),
        WriteOrigin::EarlierVerified => (Outcome::Replayed, Some(Reason::FoundAfterLostAttempt)),
        WriteOrigin::Existing => (Outcome::Done, Some(Reason::ExistedAlready)),
    }
}

impl NotDone {
    /// The outcome to record, and why.
    pub(super) fn for_audit(&self) -> (Outcome, Option<Reason>) {
        match self {
            Self::Denied(WriteDenial::GrantEnded) => (Outcome::Refused, Some(Reason::GrantEnded)),
            Self::Denied(WriteDenial::WritesPaused) => (Outcome::Refused, Some(Reason::WritesPaused)),
            Self::Denied(WriteDenial::PageBlocked) => (Outcome::Refused, Some(Reason::PageBlocked)),
            Self::Limited { limit, .. } => (Outcome::Limited, Some(limit.reason())),
            Self::Unlimited => (Outcome::Failed, Some(Reason::LimiterUnavailable)),
            Self::Unrecorded | Self::LeaseUnchecked => (Outcome::Failed, Some(Reason::StorageUnavailable)),
            Self::Duplicate(_) => (Outcome::Refused, Some(Reason::SameElsewhere)),
            Self::WriteError(reason) => not_written(reason),
        }
    }
}

fn not_written(reason: &WriteError) -> (Outcome, Option<Reason>) {
    match reason {
        WriteError::Running { .. } => (Outcome::Refused, Some(Reason::StillRunning)),
        WriteError::KeyConflict { .. } => (Outcome::Refused, Some(Reason::KeyConflict)),
        WriteError::TokenRedeemed => (Outcome::Refused, Some(Reason::HandleSpent)),
        WriteError::PossibleDuplicates(_) => (Outcome::Refused, Some(Reason::SimilarIncident)),
        WriteError::Unchecked(error) => (of_refusal(error).unwrap_or(Outcome::Failed), Some(error.reason())),
        WriteError::Unresolved(error) => (Outcome::Unknown, Some(error.reason())),
        WriteError::Invalid { .. } => (Outcome::Refused, Some(Reason::UpstreamInvalid)),
        WriteError::Upstream(error) | WriteError::Unconfirmed(error) => {
            (of_refusal(error).unwrap_or(Outcome::Unknown), Some(error.reason()))
        }
    }
}

/// What an error says about a post for certain.
fn of_refusal(error: &ApiError) -> Option<Outcome> {
    match error.kind {
        ApiErrorKind::NotFound | ApiErrorKind::Forbidden | ApiErrorKind::Invalid | ApiErrorKind::UserEnded => {
            Some(Outcome::Refused)
        }
        ApiErrorKind::RateLimited => Some(Outcome::Limited),
        ApiErrorKind::CredentialRefused | ApiErrorKind::CircuitOpen | ApiErrorKind::ContractViolation => {
            Some(Outcome::Failed)
        }
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed | ApiErrorKind::OutcomeUnknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_customers_read_is_not_kept() {
        let document = json!({
            "id": 9, "incident_id": 4, "title": "T", "description": "secret", "message": "secret", "impact": "secret",
            "lifecycle_stage": { "id": 1, "name": "Investigating" }, "updates": [{ "message": "secret" }],
            "latest_update": { "message": "secret" }, "author": { "name": "secret" }, "external_id": "x",
        });
        let kept = remembered(&document);
        assert!(!kept.to_string().contains("secret"), "{kept}");
        assert_eq!((&kept["id"], &kept["incident_id"], &kept["title"]), (&json!(9), &json!(4), &json!("T")));
        assert_eq!(kept["lifecycle_stage"]["name"], "Investigating");
    }
}
