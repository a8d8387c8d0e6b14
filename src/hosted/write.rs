//! The guarded write: claim, find out, count, look around, post, find out again, record. Each numbered step may be the
//! last one that happens; whatever comes after it, the same call made again ends well.
//!
//! What makes it exactly once: nothing is sent before the claim is stored, with the name the upstream will know the write
//! by; that name never changes while the write may be there; nothing is sent again before a look under that name. Should
//! two attempts still meet (one slept through its hold), the upstream takes the same name only once.

pub mod asked;
pub mod budget;
pub(super) mod record;
pub mod similar;

use super::caller::Caller;
use super::confirmation::Approval;
use crate::catalog::Write;
use crate::catalog::policy::WritePolicy;
use crate::catalog::scope::Scope;
use crate::ids::{PageId, RequestId};
use crate::keyring::KeyRing;
use crate::ports::{Database, DatabaseError, RateLimiter};
use crate::storage::audit::AuditId;
use crate::storage::idempotency::{self, Claim, Claimed, Key};
use crate::timestamp::Timestamp;
use crate::upstream::{ApiError, PageApi, WriteAnswer};
use asked::Asked;
use budget::Limit;
use serde_json::Value;
use similar::Similar;
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
    /// Keeps the claims and the audit rows.
    pub db: &'a dyn Database,
    /// Seals the handles of previews.
    pub seals: &'a KeyRing,
    /// What the operator decided about writes.
    pub policy: &'a WritePolicy,
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
    /// The same, digested, and its key.
    pub asked: &'a Asked,
    /// The preview or answer that confirms it, if there is one.
    pub approval: Option<&'a Approval>,
}

/// How a write ended, and what is known of it.
#[derive(Debug)]
pub struct Ended {
    /// The document StatiBeat answered with, or why there is none.
    pub result: Result<Posted, NotDone>,
    /// The audit row; `None` when it could not be written, and then nothing was posted.
    pub audit_id: Option<AuditId>,
}

/// A write that was carried out.
#[derive(Debug)]
pub struct Posted {
    /// What StatiBeat made of it.
    pub document: Value,
    /// Who made it.
    pub made: Made,
    /// Writes that are left in this window, if the limiter says.
    pub remaining: Option<u32>,
}

/// Who made a write that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// This attempt, and StatiBeat said so.
    Now,
    /// This attempt; the answer was lost and a look afterwards found it.
    NowFound,
    /// An earlier attempt that had finished.
    Before,
    /// An earlier attempt that had not finished; a look found it.
    BeforeFound,
    /// Somebody with the same `external_id` and content.
    Elsewhere,
}

impl Made {
    /// Whether this call published it.
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Now | Self::NowFound)
    }
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The person has paused the connection's writes.
    Paused,
    /// Too many writes.
    Limited {
        /// Whose limit.
        limit: Limit,
        /// When the next may pass.
        retry_after: Duration,
    },
    /// The limiter could not say. Without it nothing is posted.
    Unlimited,
    /// The claim could not be stored. Without it nothing is posted.
    Unrecorded,
    /// Another attempt with the same key is at it.
    Running {
        /// When it can be taken over at the latest.
        retry_after: Duration,
    },
    /// The key stands for other arguments.
    KeyConflict {
        /// Those that differ.
        fields: Vec<String>,
    },
    /// The preview or confirmation was used before, for another write.
    HandleSpent,
    /// It looks like something that is there already.
    Similar(Vec<Similar>),
    /// A look around before posting failed.
    Unchecked(ApiError),
    /// An earlier attempt may have done it, and StatiBeat does not say.
    Unresolved(ApiError),
    /// StatiBeat's answer, or the lack of it.
    Upstream(ApiError),
}

/// Carries a write out.
pub async fn perform(guard: &Guard<'_>, api: &PageApi<'_>, attempt: &Attempt<'_>) -> Ended {
    let mut random = [0; 16];
    (guard.random)(&mut random);
    let run = Run { guard, api, attempt, id: AuditId::new(random) };
    // 1. Claim the write and put the attempt on record, in one batch. Without it nothing is sent.
    let claimed = match run.claim().await {
        Ok(claimed) => claimed,
        Err(error) => return run.unrecorded(&error),
    };
    let result = match claimed {
        Claimed::New => run.carry_out(&run.own_external_id(), false).await,
        Claimed::TakenOver { external_id } => run.carry_out(&external_id, true).await,
        // What the batch of step 1 recorded already needs no step 7.
        Claimed::Replay { result } => return run.recorded(run.replay(&result).await),
        Claimed::Running { until } => {
            let retry_after = until.since(guard.now).max(Duration::from_secs(1));
            return run.recorded(Err(NotDone::Running { retry_after }));
        }
        Claimed::Conflict { fields } => return run.recorded(Err(NotDone::KeyConflict { fields })),
        Claimed::HandleSpent => return run.recorded(Err(NotDone::HandleSpent)),
    };
    // 7. Record the end, in one batch. A post cannot be taken back: if this fails, the next attempt finds out.
    run.finish(&result).await;
    run.recorded(result)
}

/// One attempt that is under way.
struct Run<'a> {
    guard: &'a Guard<'a>,
    api: &'a PageApi<'a>,
    attempt: &'a Attempt<'a>,
    id: AuditId,
}

impl Run<'_> {
    fn key(&self) -> Key<'_> {
        let Asked { key_hash, digest, fields, .. } = self.attempt.asked;
        Key { grant_id: &self.guard.caller.grant_id, hash: key_hash, digest, fields }
    }

    /// The client's own name for the write, or one that leads to the audit row.
    fn own_external_id(&self) -> String {
        self.given_external_id().map_or_else(|| idempotency::external_id(&self.id), str::to_owned)
    }

    fn given_external_id(&self) -> Option<&str> {
        self.attempt.write.body.get("external_id").and_then(Value::as_str)
    }

    async fn claim(&self) -> Result<Claimed, DatabaseError> {
        let entry = record::beginning(self.guard, self.attempt, self.id.clone());
        let (external_id, handle) = (self.own_external_id(), self.attempt.approval.map(|approval| &approval.handle));
        let claim = Claim { key: self.key(), external_id: &external_id, handle, entry: &entry };
        idempotency::begin(self.guard.db, &claim).await
    }

    async fn carry_out(&self, external_id: &str, is_taken_over: bool) -> Result<Posted, NotDone> {
        // 2. Find out whether an earlier attempt did it before it got lost.
        if is_taken_over && let Some(document) = self.look_up(external_id).await.map_err(NotDone::Unresolved)? {
            let remaining = budget::remaining(self.guard, self.attempt.page_id).await;
            return Ok(Posted { document, made: Made::BeforeFound, remaining });
        }
        // 3. Count it. A limiter that does not answer lets nothing through; a paused connection does not even count.
        if self.guard.caller.are_writes_paused {
            return Err(NotDone::Paused);
        }
        let remaining = Some(budget::take(self.guard, self.attempt.page_id).await?);
        // 4. Look around. An attempt that was taken over had done so.
        if !is_taken_over {
            self.check_similar().await?;
        }
        // 5. Post it, once.
        match self.post(external_id).await {
            Ok(WriteAnswer { document, is_new }) => {
                let made = if is_new { Made::Now } else { Self::made_before(is_taken_over) };
                Ok(Posted { document, made, remaining })
            }
            // 6. The answer was lost: look before saying anything.
            Err(lost @ ApiError::OutcomeUnknown(_)) => match self.look_up(external_id).await {
                Ok(Some(document)) => Ok(Posted { document, made: Made::NowFound, remaining }),
                Ok(None) | Err(_) => Err(NotDone::Upstream(lost)),
            },
            Err(refused) => Err(NotDone::Upstream(refused)),
        }
    }

    /// What StatiBeat knew already was made by the attempt that was taken over, or under a name that the client gave.
    fn made_before(is_taken_over: bool) -> Made {
        if is_taken_over { Made::BeforeFound } else { Made::Elsewhere }
    }

    /// What StatiBeat has under this name. A name that the client chose may be somebody else's: then what it names must
    /// read like this write, and if it does not, posting will tell.
    async fn look_up(&self, external_id: &str) -> Result<Option<Value>, ApiError> {
        let Attempt { scope, write, .. } = self.attempt;
        match self.api.get(*scope, &format!("{}/external/{external_id}", write.path)).await {
            Ok(document) if self.given_external_id().is_some() && !reads_like(&document, &write.body) => Ok(None),
            Ok(document) => Ok(Some(document)),
            Err(ApiError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whoever may write but not read cannot be told what is there already; StatiBeat lets them write all the same.
    async fn check_similar(&self) -> Result<(), NotDone> {
        let Attempt { scope, write, approval, .. } = self.attempt;
        if !similar::applies_to(write) {
            return Ok(());
        }
        let active = match self.api.get(*scope, similar::READ).await {
            Err(ApiError::Forbidden(_)) => return Ok(()),
            answer => answer.map_err(NotDone::Unchecked)?,
        };
        let mut found = similar::find(&active, write, self.guard.now);
        found.retain(|similar| approval.is_none_or(|approval| !approval.seen.contains(&similar.id)));
        if found.is_empty() { Ok(()) } else { Err(NotDone::Similar(found)) }
    }

    async fn post(&self, external_id: &str) -> Result<WriteAnswer, ApiError> {
        let mut write = self.attempt.write.clone();
        if let Some(body) = write.body.as_object_mut() {
            body.insert("external_id".to_owned(), external_id.into());
        }
        self.api.write(self.attempt.scope, &write).await
    }

    async fn replay(&self, result: &str) -> Result<Posted, NotDone> {
        let document = serde_json::from_str(result).unwrap_or_default();
        let remaining = budget::remaining(self.guard, self.attempt.page_id).await;
        Ok(Posted { document, made: Made::Before, remaining })
    }

    /// Finishing twice is finishing once, so a storage that stumbles gets a second chance.
    async fn finish(&self, result: &Result<Posted, NotDone>) {
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

    fn recorded(&self, result: Result<Posted, NotDone>) -> Ended {
        Ended { result, audit_id: Some(self.id.clone()) }
    }
}

/// Whether a document holds the texts of a write.
fn reads_like(document: &Value, body: &Value) -> bool {
    ["title", "description", "message"]
        .iter()
        .all(|name| body.get(name).is_none_or(|text| document.get(name) == Some(text)))
}

#[cfg(test)]
mod tests;
