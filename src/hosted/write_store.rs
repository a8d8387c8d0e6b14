//! The write store of Hosted MCP in D1: leases, audit rows, and the results for repeated calls.

use super::call_record::CallRecord;
use super::handler::CallContext;
use super::rate_limit::{PAGE_LIMIT, WRITE_LIMIT, page_key, write_key};
use crate::catalog::Write;
use crate::model::ids::PageId;
use crate::model::outcome::{Outcome, Reason};
use crate::model::timestamp::Timestamp;
use crate::model::write::{Acquisition, Confirmation, EarlierCalls, KeptPreview, WriteFingerprint};
use crate::ports::{Decision, RateLimit};
use crate::storage::audit::{AuditId, Entry, TargetLinks};
use crate::storage::idempotency::{self, DuplicateRule, LeaseEnd, LeaseRequest, WriteKey};
use crate::storage::previews;
use crate::writes::outcome::{WriteError, WriteReport, classify};
use crate::writes::store::{AuditRow, PreviewNotKept, WriteStore};
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::cell::Cell;

/// Fields of a document that are stored for a repeated call. The title is the only text for customers among them.
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

/// The write store of one write, for one call.
pub struct D1WriteStore<'a> {
    context: &'a CallContext<'a>,
    call: &'a CallRecord<'a>,
    page_id: PageId,
    write: &'a Write,
    fingerprint: &'a WriteFingerprint,
    /// The id of the attempt and of its audit row.
    attempt: AuditId,
    /// True if the attempt's audit row was stored.
    is_recorded: Cell<bool>,
    /// True if the write was requested before, once somebody has wanted to know.
    is_known: Cell<Option<bool>>,
}

impl<'a> D1WriteStore<'a> {
    pub fn new(
        context: &'a CallContext<'a>,
        call: &'a CallRecord<'a>,
        page_id: PageId,
        write: &'a Write,
        fingerprint: &'a WriteFingerprint,
    ) -> Self {
        let (is_recorded, is_known) = (Cell::default(), Cell::default());
        Self { context, call, page_id, write, fingerprint, attempt: call.new_id(), is_recorded, is_known }
    }

    /// Sets whether the write was requested before, if that was read already.
    pub fn set_known(&self, is_known: bool) {
        self.is_known.set(Some(is_known));
    }

    /// The rate limits of a write, each with the reason for refusing. The page's limit is charged only if the
    /// connection's allows the write, so that a connection over its limit doesn't use up its page's. A write refused by
    /// the page's limit stays charged to the connection.
    fn counters(&self) -> [(String, RateLimit, Reason); 2] {
        [
            (write_key(&self.context.caller.grant_id), WRITE_LIMIT, Reason::ConnectionLimit),
            (page_key(self.page_id), PAGE_LIMIT, Reason::PageLimit),
        ]
    }

    fn key(&self) -> WriteKey<'_> {
        WriteKey { grant_id: &self.context.caller.grant_id, fingerprint: self.fingerprint }
    }
}

#[async_trait(?Send)]
impl WriteStore for D1WriteStore<'_> {
    async fn is_known(&self) -> bool {
        if let Some(is_known) = self.is_known.get() {
            return is_known;
        }
        let is_known = idempotency::is_known(self.context.db, &self.key(), self.context.now).await.unwrap_or(false);
        self.is_known.set(Some(is_known));
        is_known
    }

    fn is_surely_known(&self) -> bool {
        self.is_known.get() == Some(true)
    }

    async fn find_earlier(&self) -> EarlierCalls {
        idempotency::find_earlier(self.context.db, &self.key(), self.context.now).await.unwrap_or_default()
    }

    async fn record_unsent(&self, outcome: Outcome, reason: Reason) {
        self.call.append(outcome, reason).await;
    }

    async fn keep_preview(&self, preview: &KeptPreview) -> Result<Option<String>, PreviewNotKept> {
        Ok(self.call.keep_preview(preview).await?.map(|id| id.as_str().to_owned()))
    }

    async fn keep_cancelled_question(&self, expires_at: Timestamp) {
        let CallContext { db, caller, log, .. } = *self.context;
        let kept = previews::keep_cancelled_question(db, &caller.grant_id, &self.fingerprint.digest, expires_at).await;
        if let Err(error) = kept {
            log(&format!("{error}; a cancelled question is not kept"));
        }
    }

    async fn acquire(&self, confirmation: Option<&Confirmation>) -> Result<Acquisition, WriteError> {
        // The client's own name for the write, or one that leads to the audit row.
        let own = self.write.external_id().map_or_else(|| idempotency::external_id(&self.attempt), str::to_owned);
        let duplicates = match self.write.external_id() {
            Some(_) => DuplicateRule::Allowed,
            None => DuplicateRule::Refused { shown: confirmation.and_then(|it| it.shown.duplicate.as_deref()) },
        };
        let (key, entry) = (self.key(), self.call.entry(self.attempt.clone()));
        let request = LeaseRequest { key, external_id: &own, confirmation, duplicates, entry: &entry };
        let acquisition = idempotency::acquire(self.context.db, &request).await.map_err(|error| {
            (self.context.log)(&format!("{error}; request {} was not posted", self.context.request_id));
            WriteError::Unrecorded
        })?;
        self.is_recorded.set(true);
        Ok(acquisition)
    }

    async fn charge(&self) -> Result<Option<u32>, WriteError> {
        let CallContext { limiter, now, log, request_id, .. } = *self.context;
        let mut remaining_writes = u32::MAX;
        for (key, limit, reason) in self.counters() {
            match limiter.take(&key, limit, now).await {
                Ok(Decision::Allowed { remaining }) => remaining_writes = remaining_writes.min(remaining),
                Ok(Decision::Limited { retry_after }) => {
                    return Err(WriteError::Limited { reason, limit, retry_after });
                }
                Err(error) => {
                    log(&format!("{error}; request {request_id} was not posted"));
                    return Err(WriteError::LimiterUnavailable);
                }
            }
        }
        Ok(Some(remaining_writes))
    }

    async fn remaining_writes(&self) -> Option<u32> {
        let CallContext { limiter, now, .. } = *self.context;
        let mut remaining_writes = u32::MAX;
        for (key, limit, _) in self.counters() {
            remaining_writes = remaining_writes.min(limiter.remaining(&key, limit, now).await.ok()?);
        }
        Some(remaining_writes)
    }

    async fn check_lease(&self) -> Result<(), WriteError> {
        let CallContext { db, now, log, request_id, .. } = *self.context;
        match idempotency::check_lease(db, &self.key(), &self.attempt, self.page_id, now).await {
            Ok(refusal) => refusal.map_or(Ok(()), |refusal| Err(WriteError::Refused(refusal))),
            Err(error) => {
                log(&format!("{error}; request {request_id} was not posted"));
                Err(WriteError::LeaseUnchecked)
            }
        }
    }

    /// Finishing is idempotent, so it is retried once after a database error.
    async fn finish(&self, result: &Result<WriteReport, WriteError>) {
        let (outcome, reason) = classify(result);
        let detail = reason.map(Reason::as_str);
        let mut entry = Entry { outcome, detail, ..self.call.entry(self.attempt.clone()) };
        if let (Some(target), Ok(report)) = (&mut entry.target, result) {
            target.id = target_id(&report.document);
            target.links = target_links(&report.document);
        }
        let ending = match result {
            Ok(report) => LeaseEnd::Done { result: remembered(&report.document).to_string() },
            Err(_) if outcome == Outcome::Unknown => LeaseEnd::Unknown,
            Err(_) => LeaseEnd::NotWritten,
        };
        for _ in 0..2 {
            match idempotency::finish(self.context.db, &self.key(), &ending, &entry).await {
                Ok(()) => return,
                Err(error) => {
                    let (id, outcome) = (self.attempt.as_str(), outcome.as_str());
                    (self.context.log)(&format!("{error}; the end of audit row {id} is not recorded: {outcome}"));
                }
            }
        }
    }

    fn log_outcome(&self, outcome: Outcome, reason: Option<Reason>) {
        self.call.set_end(outcome, reason);
    }

    fn audit_row(&self) -> AuditRow<'_> {
        if self.is_recorded.get() { AuditRow::Stored(self.attempt.as_str()) } else { AuditRow::Missing }
    }
}

/// Id of the published object: a number, or text in case StatiBeat changes that.
fn target_id(document: &Value) -> Option<String> {
    match document.get("id")? {
        Value::Number(id) => Some(id.to_string()),
        Value::String(id) => Some(id.clone()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn target_links(document: &Value) -> TargetLinks {
    let address = |name: &str| Some(document.get(name)?.as_str()?.to_owned());
    TargetLinks { public_url: address("public_url"), admin_url: address("admin_url") }
}

/// The document without texts for customers: numbers, short values and the stage.
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

#[cfg(test)]
mod tests;
