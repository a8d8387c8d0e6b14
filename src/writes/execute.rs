//! Executes a write at most once: acquires the lease, looks up an earlier result, charges the rate limit, checks for possible
//! duplicates, checks the lease once more, posts, verifies, stores the result. Each numbered step may be the last one that
//! happens; whatever comes after it, the same call made again ends well.
//!
//! What makes it exactly once: nothing is sent before the lease is stored, with the name the upstream will know the write
//! by; that name never changes while the write may be there; nothing is sent again before a look under that name. Should
//! two attempts still meet (one slept through its lease), the upstream takes the same name only once.
//!
//! What makes a revocation, a pause or a block hold: acquiring the lease demands that there is none, and so does the last
//! statement before the post. What is on the wire by then cannot be called back.

use super::WriteRequest;
use super::approval::{Approved, Respond};
use super::checks::{duplicate, overlap, references};
use super::outcome::{WriteError, WriteOrigin, WriteReport, classify};
use super::report;
use super::store::{Acquired, Lease};
use crate::catalog::Write;
use crate::mcp::{Error, ToolOutcome};
use crate::model::write::Confirmation;
use crate::upstream::{ApiError, ApiErrorKind, WriteAnswer};
use futures_util::future::join;
use http::Method;
use serde_json::{Value, json};

impl WriteRequest<'_> {
    /// Approves the write, executes it, and says what came of it.
    pub async fn respond(&self) -> Result<ToolOutcome, Error> {
        let Approved { warnings, confirmation } = match self.approve().await {
            Ok(approved) => approved,
            Err(Respond(response)) => return response,
        };
        // What else is planned is looked up beside the write, which does not wait for it.
        let overlaps = overlap::find_beside(self.api, self.incidents, self.write, self.now);
        let (result, overlaps) = join(self.execute(confirmation.as_ref()), overlaps).await;
        let (outcome, reason) = classify(&result);
        self.store.note_end(outcome, reason);
        let made = result.as_ref().ok().and_then(|report| report.document["id"].as_i64());
        let overlaps = overlaps.into_iter().filter_map(|overlap| overlap.remark(made));
        report::write_report(self, &result, warnings.into_iter().chain(overlaps).collect())
    }

    async fn execute(&self, confirmation: Option<&Confirmation>) -> Result<WriteReport, WriteError> {
        // 1. Acquire the lease and put the attempt on record, in one batch. Without it nothing is sent.
        let lease = match self.store.acquire(confirmation).await? {
            Acquired::Lease(lease) => lease,
            // That batch recorded the replay already: it needs no step 8.
            Acquired::Completed(document) => {
                let remaining = self.store.remaining_writes().await;
                return Ok(WriteReport { document, origin: WriteOrigin::Earlier, remaining });
            }
        };
        let result = self.carry_out(&lease, confirmation).await;
        // 8. Record the end, in one batch. A post cannot be taken back: if this fails, the next attempt finds out.
        self.store.finish(&result).await;
        result
    }

    async fn carry_out(&self, lease: &Lease, confirmation: Option<&Confirmation>) -> Result<WriteReport, WriteError> {
        if let Some(takeover) = &lease.taken_over {
            // 2. Find out whether the earlier attempt did it before it got lost.
            if let Some(document) = self.look_up(lease).await.map_err(WriteError::Unresolved)? {
                let remaining = self.store.remaining_writes().await;
                return Ok(WriteReport { document, origin: WriteOrigin::EarlierVerified, remaining });
            }
            // A paused connection may learn how its write ended, but is not even counted for another.
            if let Some(denial) = &takeover.denial {
                return Err(denial.clone());
            }
        }
        // 3. Count it. A limiter that does not answer lets nothing through.
        let remaining = self.store.charge().await?;
        // 4. Check for possible duplicates. An attempt that was taken over may have died before it did.
        let shown = confirmation.map(|confirmation| confirmation.shown.possible_duplicates.as_slice());
        duplicate::check(self, &lease.external_id, shown.unwrap_or_default()).await?;
        // 5. Make sure that the connection may still write, after all this waiting.
        self.store.check_lease().await?;
        // 6. Post it, once. 7. Where the answer is lost, look before saying anything.
        let (document, origin) = self.post(lease).await?;
        Ok(WriteReport { document, origin, remaining })
    }

    /// Looks up the write under its external id. An id that the client chose may be somebody else's: then what it names
    /// must read like this write, and if it does not, posting will tell.
    async fn look_up(&self, lease: &Lease) -> Result<Option<Value>, ApiError> {
        let Write { operation, body, .. } = self.write;
        if !operation.takes_external_id() {
            return Ok(None);
        }
        match self.api.get(&operation.lookup_path(&lease.external_id)).await {
            Ok(document) if self.write.external_id().is_some() && !reads_like(&document, body) => Ok(None),
            Ok(document) => Ok(Some(document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn post(&self, lease: &Lease) -> Result<(Value, WriteOrigin), WriteError> {
        let takes_external_id = self.write.operation.takes_external_id();
        match self.api.write(&self.named(lease)).await {
            Ok(WriteAnswer { document, is_new }) if is_new || !takes_external_id => {
                // StatiBeat shows nothing of what was deleted.
                let is_delete = self.write.operation.method() == Method::DELETE;
                let document = if is_delete && document.is_null() {
                    json!({ "id": self.write.operation.target_id() })
                } else {
                    document
                };
                Ok((document, WriteOrigin::Posted))
            }
            // What StatiBeat knew already was made by the attempt that was taken over, or under a name that the client gave.
            Ok(WriteAnswer { document, .. }) => {
                let is_takeover = lease.taken_over.is_some();
                Ok((document, if is_takeover { WriteOrigin::EarlierVerified } else { WriteOrigin::Existing }))
            }
            Err(error) => match error.kind {
                ApiErrorKind::OutcomeUnknown if !takes_external_id => Err(WriteError::Unconfirmed(error)),
                ApiErrorKind::OutcomeUnknown => match self.look_up(lease).await {
                    Ok(Some(document)) => Ok((document, WriteOrigin::PostedVerified)),
                    Ok(None) | Err(_) => Err(WriteError::Upstream(error)),
                },
                _ => Err(self.explain_refusal(error).await),
            },
        }
    }

    /// The error of a write that StatiBeat does not carry out, with what the page has instead of the names that it does not know.
    pub(super) async fn explain_refusal(&self, error: ApiError) -> WriteError {
        if error.kind != ApiErrorKind::Invalid {
            return WriteError::Upstream(error);
        }
        let unknown = references::unknown(self.api, self.write).await;
        WriteError::Invalid { text: error.detail, unknown }
    }

    fn named(&self, lease: &Lease) -> Write {
        let mut write = self.write.clone();
        if write.operation.takes_external_id()
            && let Some(body) = write.body.as_object_mut()
        {
            body.insert("external_id".to_owned(), lease.external_id.as_str().into());
        }
        write
    }
}

/// Returns whether a document holds the texts of a write.
fn reads_like(document: &Value, body: &Value) -> bool {
    ["title", "description", "message"]
        .iter()
        .all(|name| body.get(name).is_none_or(|text| document.get(name) == Some(text)))
}
