//! This process's record of its writes: which were asked for, how they ended, which confirm tokens were redeemed.
//!
//! It dies with the process. What keeps a repeat from being published twice across processes is the name that StatiBeat
//! knows a write by, which follows from the client's own key.

use crate::catalog::Write;
use crate::model::outcome::{Outcome, Reason};
use crate::model::timestamp::Timestamp;
use crate::model::write::{
    Acquisition, Confirmation, EarlierCall, EarlierCalls, FieldDigests, FoundPreview, KeptPreview, Lease, LeaseRefusal,
    Takeover, WriteFingerprint,
};
use crate::writes::outcome::{WriteError, WriteReport};
use crate::writes::store::{AuditRow, PreviewNotKept, WriteStore};
use async_trait::async_trait;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Time for which a write is remembered.
const KEEP: Duration = Duration::from_hours(24);
/// The number of writes that are remembered; the oldest goes first.
const MOST: usize = 10_000;
/// The number of previews that are kept; the oldest goes first.
const MOST_PREVIEWS: usize = 100;
/// When to ask again about a write that another call is carrying out.
const SOON: Duration = Duration::from_secs(5);

/// The writes of a process.
pub struct WriteMemory {
    /// Names this process in what must not be mixed up with another one's.
    process: String,
    /// Counts the writes that have no key of the client's.
    count: Cell<u64>,
    writes: RefCell<HashMap<String, RememberedWrite>>,
    /// Previews that a confirm token brings back, the oldest first.
    previews: RefCell<VecDeque<KeptPreview>>,
    /// Nonces of confirm tokens, and when each would have expired.
    redeemed: RefCell<HashMap<String, Timestamp>>,
    /// Digests of writes whose question was closed without an answer, and until when that counts.
    cancelled: RefCell<HashMap<String, Timestamp>>,
}

struct RememberedWrite {
    digest: String,
    fields: FieldDigests,
    external_id: String,
    last_changed_at: Timestamp,
    state: WriteState,
}

enum WriteState {
    Running,
    Done(Value),
    Unknown,
}

impl WriteMemory {
    pub fn new(process: String) -> Self {
        Self {
            process,
            count: Cell::default(),
            writes: RefCell::default(),
            previews: RefCell::default(),
            redeemed: RefCell::default(),
            cancelled: RefCell::default(),
        }
    }

    pub fn process(&self) -> &str {
        &self.process
    }

    /// Keeps a preview, and drops those that have expired or are too many.
    fn keep(&self, preview: KeptPreview, now: Timestamp) {
        let mut previews = self.previews.borrow_mut();
        previews.retain(|kept| now < kept.expires_at);
        while previews.len() >= MOST_PREVIEWS {
            previews.pop_front();
        }
        previews.push_back(preview);
    }

    /// Finds what a confirm token confirms; `None` once it has expired or made room for newer ones.
    pub fn find_preview(&self, token_hash: &str, now: Timestamp) -> Option<FoundPreview> {
        let (previews, writes, cancelled) = (self.previews.borrow(), self.writes.borrow(), self.cancelled.borrow());
        let kept = previews.iter().find(|kept| kept.token_hash == token_hash && now < kept.expires_at)?;
        Some(FoundPreview {
            preview: kept.clone(),
            is_of_other_grant: false,
            is_known: writes.get(&kept.key_hash).is_some_and(|write| write.digest == kept.digest),
            is_question_cancelled: cancelled.get(&kept.digest).is_some_and(|expires_at| now < *expires_at),
        })
    }

    fn forget(&self, now: Timestamp) {
        for kept in [&self.redeemed, &self.cancelled] {
            kept.borrow_mut().retain(|_, expires_at| now < *expires_at);
        }
        let mut writes = self.writes.borrow_mut();
        writes.retain(|_, write| matches!(write.state, WriteState::Running) || now.since(write.last_changed_at) < KEEP);
        while writes.len() >= MOST {
            let ended = writes.iter().filter(|(_, write)| !matches!(write.state, WriteState::Running));
            let Some(oldest) = ended.min_by_key(|(_, write)| write.last_changed_at).map(|(key, _)| key.clone()) else {
                return;
            };
            writes.remove(&oldest);
        }
    }
}

/// The record in memory of one write, made for one call. A call that is cancelled drops it while it holds the lease: the write
/// may have been sent.
pub struct MemoryWriteStore<'a> {
    memory: &'a WriteMemory,
    write: &'a Write,
    fingerprint: &'a WriteFingerprint,
    now: Timestamp,
    lease: Cell<Held>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Nothing,
    Lease,
    /// An earlier call may still have done it.
    TakenOver,
}

impl<'a> MemoryWriteStore<'a> {
    pub fn new(memory: &'a WriteMemory, write: &'a Write, fingerprint: &'a WriteFingerprint, now: Timestamp) -> Self {
        Self { memory, write, fingerprint, now, lease: Cell::default() }
    }

    /// The client's own name for the write; or one that follows from its key, so that another process makes the same; or one
    /// of this process alone.
    fn new_external_id(&self) -> String {
        let WriteMemory { process, count, .. } = self.memory;
        match self.write.external_id() {
            Some(name) => name.to_owned(),
            None if self.fingerprint.has_own_key => format!("mcp-{}", self.fingerprint.key_hash),
            None => {
                count.set(count.get() + 1);
                format!("mcp-{process}-{}", count.get())
            }
        }
    }

    /// A repeated addition is a duplicate. A repeated change may be meant, unless the
    /// client says by a key that it is not.
    fn is_remembered(&self) -> bool {
        self.write.operation.takes_external_id() || self.fingerprint.has_own_key
    }

    /// Ends the attempt; `None` frees the key.
    fn end(&self, state: Option<WriteState>) {
        let mut writes = self.memory.writes.borrow_mut();
        let key = &self.fingerprint.key_hash;
        match state {
            None => drop(writes.remove(key)),
            Some(state) => {
                if let Some(write) = writes.get_mut(key) {
                    write.state = state;
                }
            }
        }
    }
}

#[async_trait(?Send)]
impl WriteStore for MemoryWriteStore<'_> {
    async fn is_known(&self) -> bool {
        self.is_surely_known()
    }

    fn is_surely_known(&self) -> bool {
        let writes = self.memory.writes.borrow();
        writes.get(&self.fingerprint.key_hash).is_some_and(|write| write.digest == self.fingerprint.digest)
    }

    async fn find_earlier(&self) -> EarlierCalls {
        let writes = self.memory.writes.borrow();
        let same_key = writes.get(&self.fingerprint.key_hash).map(|write| match &write.state {
            _ if write.digest != self.fingerprint.digest => {
                EarlierCall::Conflict(self.fingerprint.differing_fields(&write.fields))
            }
            WriteState::Done(document) => EarlierCall::Completed(document.clone()),
            WriteState::Running | WriteState::Unknown => EarlierCall::Unfinished,
        });
        // There is one connection.
        EarlierCalls { same_key, duplicate: None }
    }

    /// There is no audit log.
    async fn record_unsent(&self, _: Outcome, _: Reason) {}

    async fn keep_preview(&self, preview: &KeptPreview) -> Result<Option<String>, PreviewNotKept> {
        self.memory.keep(preview.clone(), self.now);
        Ok(None)
    }

    async fn keep_cancelled_question(&self, expires_at: Timestamp) {
        self.memory.forget(self.now);
        self.memory.cancelled.borrow_mut().insert(self.fingerprint.digest.clone(), expires_at);
    }

    async fn acquire(&self, confirmation: Option<&Confirmation>) -> Result<Acquisition, WriteError> {
        self.memory.forget(self.now);
        let mut writes = self.memory.writes.borrow_mut();
        let WriteFingerprint { key_hash, digest, fields, .. } = self.fingerprint;
        if let Some(write) = writes.get_mut(key_hash) {
            if write.digest != *digest {
                let fields = self.fingerprint.differing_fields(&write.fields);
                return Ok(Acquisition::Refused(LeaseRefusal::KeyConflict { fields }));
            }
            return Ok(match &write.state {
                WriteState::Done(document) => Acquisition::Completed(document.clone()),
                WriteState::Running => Acquisition::Refused(LeaseRefusal::Running { retry_after: SOON }),
                WriteState::Unknown => {
                    write.state = WriteState::Running;
                    self.lease.set(Held::TakenOver);
                    let taken_over = Some(Takeover::default());
                    Acquisition::Lease(Lease { external_id: write.external_id.clone(), taken_over })
                }
            });
        }
        if let Some(confirmation) = confirmation {
            let Confirmation { nonce, expires_at, .. } = confirmation;
            if self.memory.redeemed.borrow_mut().insert(nonce.clone(), *expires_at).is_some() {
                return Ok(Acquisition::Refused(LeaseRefusal::TokenRedeemed));
            }
        }
        let external_id = self.new_external_id();
        let write = RememberedWrite {
            digest: digest.clone(),
            fields: fields.clone(),
            external_id: external_id.clone(),
            last_changed_at: self.now,
            state: WriteState::Running,
        };
        writes.insert(key_hash.clone(), write);
        self.lease.set(Held::Lease);
        Ok(Acquisition::Lease(Lease { external_id, taken_over: None }))
    }

    /// There is no rate limiter.
    async fn charge(&self) -> Result<Option<u32>, WriteError> {
        Ok(None)
    }

    async fn remaining_writes(&self) -> Option<u32> {
        None
    }

    /// Nobody takes a lease from a call that runs, and nobody but the operator ends the server's access.
    async fn check_lease(&self) -> Result<(), WriteError> {
        Ok(())
    }

    async fn finish(&self, result: &Result<WriteReport, WriteError>) {
        let held = self.lease.take();
        self.end(match result {
            Ok(report) if self.is_remembered() => Some(WriteState::Done(report.document.clone())),
            // A repeat of the call is a new write.
            Ok(_) => None,
            Err(error) if error.is_outcome_unknown() && self.is_remembered() => Some(WriteState::Unknown),
            Err(_) => (held == Held::TakenOver).then_some(WriteState::Unknown),
        });
    }

    fn log_outcome(&self, _: Outcome, _: Option<Reason>) {}

    fn audit_row(&self) -> AuditRow<'_> {
        AuditRow::NotKept
    }
}

impl Drop for MemoryWriteStore<'_> {
    fn drop(&mut self) {
        if self.lease.get() != Held::Nothing {
            self.end(Some(WriteState::Unknown));
        }
    }
}

#[cfg(test)]
mod tests;
