//! The store of writes that the pipeline needs: D1 behind Hosted MCP, memory behind the page server.

use super::outcome::{WriteError, WriteReport};
use crate::model::outcome::{Outcome, Reason};
use crate::model::timestamp::Timestamp;
use crate::model::write::{Acquisition, Confirmation, EarlierCalls, KeptPreview};
use async_trait::async_trait;

/// The record of one write, made for one call. Where a program has no rate limiter, no lease that can be lost or no audit log, its
/// implementation returns nothing. No method has a default, so that neither program forgets one.
#[async_trait(?Send)]
pub trait WriteStore {
    /// Returns whether this write was requested before. It was confirmed then, and a repeated call may tell how it ended. False where
    /// the store cannot tell.
    async fn is_known(&self) -> bool;

    /// Returns whether the write is known to have been requested before, without reading that: false where it was not read yet.
    fn is_surely_known(&self) -> bool;

    /// Looks up earlier calls of the write before it is requested. Empty where the store cannot tell: acquiring the lease decides.
    async fn find_earlier(&self) -> EarlierCalls;

    /// Records a call that ends without a lease.
    async fn record_unsent(&self, outcome: Outcome, reason: Reason);

    /// Keeps a preview until it expires, and records the call that asked for it; returns the id of its audit row, where there is one.
    async fn keep_preview(&self, preview: &KeptPreview) -> Result<Option<String>, PreviewNotKept>;

    /// Records, until `expires_at`, that the client closed the question about this write without an answer. If that fails, the
    /// question is asked once more.
    async fn keep_cancelled_question(&self, expires_at: Timestamp);

    /// Acquires the lease of the write, redeems what confirms it, and puts the attempt on record, all or nothing. Fails if the attempt
    /// cannot be recorded.
    async fn acquire(&self, confirmation: Option<&Confirmation>) -> Result<Acquisition, WriteError>;

    /// Charges one write to the rate limits; returns the remaining writes. Fails if the limiter fails.
    async fn charge(&self) -> Result<Option<u32>, WriteError>;

    /// Returns the remaining writes of the rate limits without charging; for display only.
    async fn remaining_writes(&self) -> Option<u32>;

    /// Checks, right before the POST, that this attempt still holds the lease and may still write.
    async fn check_lease(&self) -> Result<(), WriteError>;

    /// Stores the outcome of the attempt that holds the lease.
    async fn finish(&self, result: &Result<WriteReport, WriteError>);

    /// Records outcome and reason for the request log.
    fn log_outcome(&self, outcome: Outcome, reason: Option<Reason>);

    /// The audit row of the attempt, once [`WriteStore::acquire`] was called.
    fn audit_row(&self) -> AuditRow<'_>;
}

/// The preview could not be stored, so its confirm token would not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviewNotKept;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditRow<'a> {
    /// The program keeps no audit log.
    NotKept,
    Stored(&'a str),
    /// It could not be stored, so nothing was posted.
    Missing,
}
