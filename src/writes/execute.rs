//! Executes a write at most once: acquires the lease while it looks for possible duplicates, returns or looks up an earlier result, charges the
//! rate limit, checks the lease once more, posts, verifies, stores the result. The instance may stop after any numbered step; repeating
//! the call then completes the write or returns its result.
//!
//! At most once: the lease is stored with the write's `external_id` before anything is sent; the id doesn't change while the
//! outcome is unknown; nothing is sent again before a lookup by that id. If two attempts overlap (one outlived its lease),
//! StatiBeat accepts an `external_id` only once.
//!
//! The lease statement and the last statement before the POST both require a live grant, unpaused writes and no block. A POST
//! already sent can't be recalled.

use super::WriteRequest;
use super::approval::{Approved, Respond};
use super::checks::overlap::{self, Overlap};
use super::checks::{duplicate, lifecycle, references};
use super::outcome::{PossibleDuplicate, WriteError, WriteOrigin, WriteReport, classify};
use super::report;
use crate::alternatives::targets::NumberedThing;
use crate::catalog::Write;
use crate::mcp::{Error, ToolOutcome};
use crate::model::operation::Operation;
use crate::model::write::{Acquisition, Confirmation, Lease};
use crate::upstream::{ApiError, ApiErrorKind, WriteAnswer};
use futures_util::future::{join, maybe_done};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

type PossibleDuplicates = Result<Vec<PossibleDuplicate>, WriteError>;

impl WriteRequest<'_> {
    /// Approves and executes the write, and renders the response.
    pub async fn respond(&self) -> Result<ToolOutcome, Error> {
        let Approved { warnings, confirmation } = match self.approve().await {
            Ok(approved) => approved,
            Err(Respond(response)) => return response,
        };
        let (result, overlaps) = self.execute(confirmation.as_ref()).await;
        let (outcome, reason) = classify(&result);
        self.store.log_outcome(outcome, reason);
        let published_id = result.as_ref().ok().and_then(|report| report.document["id"].as_i64());
        let overlaps = overlaps.into_iter().filter_map(|overlap| overlap.to_warning(published_id));
        report::write_report(self, &result, warnings.into_iter().chain(overlaps).collect())
    }

    async fn execute(&self, confirmation: Option<&Confirmation>) -> (Result<WriteReport, WriteError>, Vec<Overlap>) {
        // 1. Acquire the lease and record the attempt, in one batch. Without the lease nothing is sent.
        // Possible duplicates and overlapping windows are looked up beside it: nothing is refused for them yet.
        let is_lease = |acquired: &Result<Acquisition, _>| matches!(acquired, Ok(Acquisition::Lease(_)));
        let (acquired, neighbors) =
            self.look_up_beside(self.store.acquire(confirmation), self.find_neighbors(), is_lease).await;
        let (possible_duplicates, overlaps) = neighbors.unwrap_or((Ok(Vec::new()), Vec::new()));
        (self.execute_acquired(acquired, confirmation, possible_duplicates).await, overlaps)
    }

    /// Looks for what the page has already: possible duplicates, and what is on the components of a window.
    async fn find_neighbors(&self) -> (PossibleDuplicates, Vec<Overlap>) {
        let Self { api, incidents, write, now, .. } = *self;
        if !overlap::applies_to(write) && write.operation != Operation::ScheduleMaintenance {
            return (duplicate::look_up(self).await, Vec::new());
        }
        let (windows, active) = overlap::read(api, incidents, write, now).await;
        (Ok(duplicate::find_windows(&windows, write)), overlap::find(&windows, active.as_ref(), write, now))
    }

    async fn execute_acquired(
        &self,
        acquired: Result<Acquisition, WriteError>,
        confirmation: Option<&Confirmation>,
        possible_duplicates: PossibleDuplicates,
    ) -> Result<WriteReport, WriteError> {
        let lease = match acquired? {
            Acquisition::Lease(lease) => lease,
            // That batch also recorded the replay, so step 8 is skipped.
            Acquisition::Completed(document) => {
                let remaining = self.store.remaining_writes().await;
                return Ok(WriteReport { document, origin: WriteOrigin::Earlier, remaining });
            }
            Acquisition::Refused(refusal) => return Err(WriteError::Refused(refusal)),
        };
        let result = self.execute_with_lease(&lease, confirmation, possible_duplicates).await;
        // 8. Store the outcome, in one batch. If this fails, the next attempt looks the write up.
        self.store.finish(&result).await;
        result
    }

    /// Runs a step of the write and beside it a look-up for the step's outcome. The look-up is dropped as soon as the outcome does not
    /// need it; it does not begin before the outcome of a write that is known to be a repetition, whose result may be stored.
    async fn look_up_beside<T, U>(
        &self,
        step: impl Future<Output = T>,
        look_up: impl Future<Output = U>,
        is_needed: impl Fn(&T) -> bool,
    ) -> (T, Option<U>) {
        let is_repetition = self.store.is_surely_known();
        let (mut step, mut look_up) = (pin!(maybe_done(step)), pin!(maybe_done(look_up)));
        poll_fn(|context| {
            let is_done = step.as_mut().poll(context).is_ready();
            if !is_done && is_repetition {
                return Poll::Pending;
            }
            let is_dropped = step.as_mut().output_mut().is_some_and(|outcome| !is_needed(outcome));
            let is_settled = is_dropped || look_up.as_mut().poll(context).is_ready();
            if is_done && is_settled { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let outcome = step.take_output().expect("the step is done");
        let found = is_needed(&outcome).then(|| look_up.take_output()).flatten();
        (outcome, found)
    }

    async fn execute_with_lease(
        &self,
        lease: &Lease,
        confirmation: Option<&Confirmation>,
        possible_duplicates: PossibleDuplicates,
    ) -> Result<WriteReport, WriteError> {
        if let Some(takeover) = &lease.taken_over {
            // 2. Look up whether the earlier attempt published the write.
            if let Some(document) = self.look_up(lease).await.map_err(WriteError::Unresolved)? {
                let remaining = self.store.remaining_writes().await;
                return Ok(WriteReport { document, origin: WriteOrigin::EarlierVerified, remaining });
            }
            // A paused connection may learn the outcome of its write, but may not start another, so nothing is charged.
            if let Some(refusal) = &takeover.refusal {
                return Err(WriteError::Refused(refusal.clone()));
            }
        }
        // 3. Charge the rate limit. If the limiter fails, the write is refused.
        let remaining = self.store.charge().await?;
        // 4. Refuse possible duplicates. An attempt whose lease was taken over may have stopped before this check.
        let shown_duplicates = confirmation.map(|confirmation| confirmation.shown.possible_duplicates.as_slice());
        duplicate::check(self, possible_duplicates?, &lease.external_id, shown_duplicates.unwrap_or_default())?;
        // 5. Check again that the connection may write, which may have changed during steps 2–4.
        self.store.check_lease().await?;
        // 6. Post it, once. 7. If the response is lost, look the write up before answering.
        let (document, origin) = self.post(lease).await?;
        Ok(WriteReport { document, origin, remaining })
    }

    /// Looks up the write by its `external_id`. A client-chosen id may belong to another write: it counts as found only if its
    /// texts match. Otherwise the POST returns the conflict.
    async fn look_up(&self, lease: &Lease) -> Result<Option<Value>, ApiError> {
        let Write { operation, body, .. } = self.write;
        if !operation.takes_external_id() {
            return Ok(None);
        }
        match self.api.get(&operation.lookup_path(&lease.external_id)).await {
            Ok(document) if self.write.external_id().is_some() && !has_same_texts(&document, body) => Ok(None),
            Ok(document) => Ok(Some(document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn post(&self, lease: &Lease) -> Result<(Value, WriteOrigin), WriteError> {
        let takes_external_id = self.write.operation.takes_external_id();
        match self.api.write(&self.with_external_id(lease)).await {
            Ok(WriteAnswer { document, is_new }) if is_new || !takes_external_id => {
                // StatiBeat returns no document for a delete.
                let document =
                    if document.is_null() { json!({ "id": self.write.operation.target_id() }) } else { document };
                Ok((document, WriteOrigin::Posted))
            }
            // StatiBeat already had this `external_id`: from the attempt whose lease was taken over, or because the client
            // reused its own id.
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

    /// Adds to a write that StatiBeat refused what would be accepted instead.
    pub(super) async fn explain_refusal(&self, error: ApiError) -> WriteError {
        let operation = self.write.operation;
        match (error.kind, operation.target_id(), NumberedThing::of_target(operation.target_kind())) {
            (ApiErrorKind::NotFound, Some(id), Some(thing)) => {
                WriteError::UnknownTarget(thing.describe_unknown(self.lists, &id.to_string()).await)
            }
            (ApiErrorKind::Invalid, ..) => {
                let (unknown, stage) = join(
                    references::find_unknown(self.lists, self.write),
                    lifecycle::explain_refusal(self.lists, self.write),
                )
                .await;
                match stage {
                    // StatiBeat's own list has the ending stages too, for an API token.
                    Some(words) if error.detail.contains("lifecycle_stage_id") => {
                        WriteError::Stage([words].into_iter().chain(unknown).collect())
                    }
                    stage => {
                        WriteError::Invalid { text: error.detail, hints: unknown.into_iter().chain(stage).collect() }
                    }
                }
            }
            _ => WriteError::Upstream(error),
        }
    }

    fn with_external_id(&self, lease: &Lease) -> Write {
        let mut write = self.write.clone();
        if write.operation.takes_external_id()
            && let Some(body) = write.body.as_object_mut()
        {
            body.insert("external_id".to_owned(), lease.external_id.as_str().into());
        }
        write
    }
}

/// Returns whether the document has the title, description and message of the write.
fn has_same_texts(document: &Value, body: &Value) -> bool {
    ["title", "description", "message"]
        .iter()
        .all(|name| body.get(name).is_none_or(|text| document.get(name) == Some(text)))
}
