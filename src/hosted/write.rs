//! Executes a write at most once: acquires the lease, looks up an earlier result, charges the rate limit, checks for similar
//! incidents, checks the lease once more, posts, verifies, stores the result. Each numbered step may be the last one that
//! happens; whatever comes after it, the same call made again ends well.
//!
//! What makes it exactly once: nothing is sent before the lease is stored, with the name the upstream will know the write
//! by; that name never changes while the write may be there; nothing is sent again before a look under that name. Should
//! two attempts still meet (one slept through its lease), the upstream takes the same name only once.
//!
//! What makes a revocation, a pause or a block hold: acquiring the lease demands that there is none, and so does the last
//! statement before the post. What is on the wire by then cannot be called back.

pub mod budget;
pub(super) mod record;

use super::caller::Caller;
use crate::catalog::Write;
use crate::catalog::policy::WritePolicy;
use crate::keyring::KeyRing;
use crate::model::ids::{PageId, RequestId};
use crate::model::timestamp::Timestamp;
use crate::ports::{Database, DatabaseError, RateLimiter};
use crate::storage::audit::AuditId;
use crate::storage::idempotency::{
    self, Acquisition, DuplicateRule, Handle, Key, LeaseCheck, LeaseRequest, StoredDuplicate,
};
use crate::storage::write_permission::WriteDenial;
use crate::upstream::PageClient;
use crate::writes::confirm_token::Confirmation;
use crate::writes::execute::{Sending, WriteError, WriteOrigin, WriteReport};
use crate::writes::fingerprint::WriteFingerprint;
use budget::Limit;
use std::time::Duration;

/// What stands around every write of one request.
#[derive(Clone, Copy)]
pub struct Guard<'a> {
    pub caller: &'a Caller,
    pub request_id: &'a RequestId,
    pub limiter: &'a dyn RateLimiter,
    /// Keeps the leases and the audit rows.
    pub db: &'a dyn Database,
    /// Seals the handles of previews.
    pub seals: &'a KeyRing,
    /// What the operator decided about writes.
    pub policy: &'a WritePolicy,
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
    pub page_id: PageId,
    pub write: &'a Write,
    /// The same, digested, and its key.
    pub fingerprint: &'a WriteFingerprint,
    /// The preview or answer that confirms it, if there is one.
    pub approval: Option<&'a Confirmation>,
}

/// How a write ended, and what is known of it.
#[derive(Debug)]
pub struct Ended {
    /// The document StatiBeat answered with, or why there is none.
    pub result: Result<WriteReport, NotDone>,
    /// The audit row; `None` when it could not be written, and then nothing was posted.
    pub audit_id: Option<AuditId>,
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The connection may not, or no longer, write to the page.
    Denied(WriteDenial),
    Limited {
        limit: Limit,
        /// When the next may pass.
        retry_after: Duration,
    },
    /// The limiter could not say. Without it nothing is posted.
    Unlimited,
    /// The lease could not be stored. Without it nothing is posted.
    Unrecorded,
    /// Storage did not say whether the connection may still write. Without that nothing is posted.
    LeaseUnchecked,
    /// Another connection asked for the same a moment ago.
    Duplicate(StoredDuplicate),
    /// What both surfaces know of.
    WriteError(WriteError),
}

impl From<WriteError> for NotDone {
    fn from(reason: WriteError) -> Self {
        Self::WriteError(reason)
    }
}

pub async fn perform(guard: &Guard<'_>, api: &PageClient<'_>, attempt: &Attempt<'_>) -> Ended {
    let mut random = [0; 16];
    (guard.random)(&mut random);
    let run = Run { guard, api, attempt, id: AuditId::new(random) };
    // 1. Acquire the lease and put the attempt on record, in one batch. Without it nothing is sent.
    let acquisition = match run.acquire().await {
        Ok(acquisition) => acquisition,
        Err(error) => return run.unrecorded(&error),
    };
    let result = match acquisition {
        Acquisition::New => run.carry_out(&run.own_external_id(), false).await,
        Acquisition::TakenOver { external_id, denial, duplicate } => run.resume(&external_id, denial, duplicate).await,
        // What the batch of step 1 recorded already needs no step 8.
        Acquisition::Replay { result } => return run.recorded(run.replay(&result).await),
        Acquisition::Running { until } => {
            let retry_after = until.since(guard.now).max(Duration::from_secs(1));
            return run.recorded(Err(WriteError::Running { retry_after }.into()));
        }
        Acquisition::Conflict { fields } => return run.recorded(Err(WriteError::KeyConflict { fields }.into())),
        Acquisition::Duplicate(duplicate) => return run.recorded(Err(NotDone::Duplicate(duplicate))),
        Acquisition::TokenRedeemed => return run.recorded(Err(WriteError::TokenRedeemed.into())),
        Acquisition::Denied(denial) => return run.recorded(Err(NotDone::Denied(denial))),
    };
    // 8. Record the end, in one batch. A post cannot be taken back: if this fails, the next attempt finds out.
    run.finish(&result).await;
    run.recorded(result)
}

/// One attempt that is under way.
struct Run<'a> {
    guard: &'a Guard<'a>,
    api: &'a PageClient<'a>,
    attempt: &'a Attempt<'a>,
    id: AuditId,
}

impl Run<'_> {
    fn key(&self) -> Key<'_> {
        let WriteFingerprint { key_hash, digest, fields, .. } = self.attempt.fingerprint;
        Key { grant_id: &self.guard.caller.grant_id, hash: key_hash, fingerprint: digest, fields }
    }

    /// The client's own name for the write, or one that leads to the audit row.
    fn own_external_id(&self) -> String {
        self.attempt.write.external_id().map_or_else(|| idempotency::external_id(&self.id), str::to_owned)
    }

    async fn acquire(&self) -> Result<Acquisition, DatabaseError> {
        let entry = record::beginning(self.guard, self.attempt, self.id.clone());
        let external_id = self.own_external_id();
        let handle =
            |approval: &Confirmation| Handle { nonce: approval.nonce.clone(), expires_at: approval.expires_at };
        let handle = self.attempt.approval.map(handle);
        let shown = self.attempt.approval.and_then(|approval| approval.shown.duplicate.as_deref());
        let duplicates = match self.attempt.write.external_id() {
            Some(_) => DuplicateRule::Allowed,
            None => DuplicateRule::Refused { shown },
        };
        let (key, handle) = (self.key(), handle.as_ref());
        let request = LeaseRequest { key, external_id: &external_id, handle, duplicates, entry: &entry };
        idempotency::acquire(self.guard.db, &request).await
    }

    /// Goes on with what an earlier attempt did not finish.
    async fn resume(
        &self,
        external_id: &str,
        denial: Option<WriteDenial>,
        duplicate: Option<StoredDuplicate>,
    ) -> Result<WriteReport, NotDone> {
        // 2. Find out whether the earlier attempt did it before it got lost.
        if let Some(document) = self.sending(external_id, true).look_up().await.map_err(WriteError::Unresolved)? {
            let remaining = budget::remaining(self.guard, self.attempt.page_id).await;
            return Ok(WriteReport { document, made: WriteOrigin::EarlierVerified, remaining });
        }
        match (denial, duplicate) {
            // A paused connection may learn how its write ended, but is not even counted for another.
            (Some(denial), _) => Err(NotDone::Denied(denial)),
            (None, Some(duplicate)) => Err(NotDone::Duplicate(duplicate)),
            (None, None) => self.carry_out(external_id, true).await,
        }
    }

    async fn carry_out(&self, external_id: &str, is_taken_over: bool) -> Result<WriteReport, NotDone> {
        let sending = self.sending(external_id, is_taken_over);
        // 3. Count it. A limiter that does not answer lets nothing through.
        let remaining = Some(budget::take(self.guard, self.attempt.page_id).await?);
        // 4. Look around. An attempt that was taken over may have died before it did.
        sending.check_similar().await?;
        // 5. Make sure that the connection may still write, after all this waiting.
        self.check_lease().await?;
        // 6. Post it, once. 7. Where the answer is lost, look before saying anything.
        let (document, made) = sending.post().await?;
        Ok(WriteReport { document, made, remaining })
    }

    fn sending<'b>(&'b self, external_id: &'b str, is_taken_over: bool) -> Sending<'b> {
        let Attempt { write, approval, .. } = *self.attempt;
        let seen = approval.map(|approval| approval.shown.possible_duplicates.as_slice()).unwrap_or_default();
        Sending { api: self.api, write, external_id, seen, is_taken_over, now: self.guard.now }
    }

    async fn check_lease(&self) -> Result<(), NotDone> {
        let Guard { db, now, log, request_id, .. } = *self.guard;
        match idempotency::check_lease(db, &self.key(), &self.id, self.attempt.page_id, now).await {
            Ok(LeaseCheck::Held) => Ok(()),
            Ok(LeaseCheck::Denied(denial)) => Err(NotDone::Denied(denial)),
            Ok(LeaseCheck::TakenOver) => Err(WriteError::Running { retry_after: idempotency::LEASE }.into()),
            Err(error) => {
                log(&format!("{error}; request {request_id} was not posted"));
                Err(NotDone::LeaseUnchecked)
            }
        }
    }

    async fn replay(&self, result: &str) -> Result<WriteReport, NotDone> {
        let document = serde_json::from_str(result).unwrap_or_default();
        let remaining = budget::remaining(self.guard, self.attempt.page_id).await;
        Ok(WriteReport { document, made: WriteOrigin::Earlier, remaining })
    }

    /// Finishing twice is finishing once, so a storage that stumbles gets a second chance.
    async fn finish(&self, result: &Result<WriteReport, NotDone>) {
        let entry = record::end(self.guard, self.attempt, self.id.clone(), result);
        let ending = record::ending(result);
        for _ in 0..2 {
            match idempotency::finish(self.guard.db, &self.key(), &ending, &entry).await {
                Ok(()) => return,
                Err(error) => {
                    let outcome = entry.outcome.as_str();
                    (self.guard.log)(&format!(
                        "{error}; the end of audit row {} is not recorded: {outcome}",
                        self.id.0
                    ));
                }
            }
        }
    }

    fn unrecorded(&self, error: &DatabaseError) -> Ended {
        (self.guard.log)(&format!("{error}; request {} was not posted", self.guard.request_id));
        Ended { result: Err(NotDone::Unrecorded), audit_id: None }
    }

    fn recorded(&self, result: Result<WriteReport, NotDone>) -> Ended {
        Ended { result, audit_id: Some(self.id.clone()) }
    }
}

#[cfg(test)]
mod tests;
