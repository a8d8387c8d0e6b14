//! What this process remembers of its writes: which were requested, how they ended, which confirmations were used up.
//!
//! It dies with the process. What keeps a repeat from being published twice across processes is the name that StatiBeat
//! knows a write by, which follows from the client's own key.

use crate::model::timestamp::Timestamp;
use crate::writes::confirm_token::Confirmation;
use crate::writes::execute::WriteReport;
use crate::writes::fingerprint::{Fields, WriteFingerprint};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// How long a write is remembered.
const KEEP: Duration = Duration::from_hours(24);
/// How many are remembered; the oldest goes first.
const MOST: usize = 10_000;

#[derive(Default)]
pub struct Memory {
    writes: RefCell<HashMap<String, Entry>>,
    spent: RefCell<HashMap<String, Timestamp>>,
}

struct Entry {
    digest: String,
    fields: Fields,
    external_id: String,
    at: Timestamp,
    state: State,
}

enum State {
    Running,
    Done(WriteReport),
    Unknown,
}

/// What a claim came to.
pub enum Claimed<'a> {
    /// Go on, and say how it ended.
    Yours(Attempt<'a>),
    /// It is done; this came of it.
    Replay(WriteReport),
    /// Another call is at it.
    Running,
    /// The key stands for other arguments.
    Conflict(Vec<String>),
    /// The confirmation was used for something else.
    TokenRedeemed,
}

/// A write under way. One that is dropped before its end (a cancelled call) may have been sent.
pub struct Attempt<'a> {
    memory: &'a Memory,
    key_hash: String,
    /// What StatiBeat shall know the write by.
    pub external_id: String,
    /// Whether an earlier call may have done it.
    pub is_taken_over: bool,
}

pub enum Ending<'a> {
    /// It is there; a repeat is answered with this.
    Done(&'a WriteReport),
    /// It is there, and a repeat of the call is a new write.
    DoneOnce,
    /// Certainly not there; the key is free again.
    NotDone,
    Unknown,
}

impl Memory {
    /// Whether the write was requested before.
    pub fn is_known(&self, fingerprint: &WriteFingerprint) -> bool {
        self.writes.borrow().get(&fingerprint.key_hash).is_some_and(|entry| entry.digest == fingerprint.digest)
    }

    /// Claims a write for one call. `external_id` is what StatiBeat shall know it by if this call is the first.
    pub fn claim(
        &self,
        fingerprint: &WriteFingerprint,
        external_id: &str,
        approval: Option<&Confirmation>,
        now: Timestamp,
    ) -> Claimed<'_> {
        self.forget(now);
        let mut writes = self.writes.borrow_mut();
        if let Some(entry) = writes.get_mut(&fingerprint.key_hash) {
            if entry.digest != fingerprint.digest {
                return Claimed::Conflict(differing(&entry.fields, &fingerprint.fields));
            }
            return match &entry.state {
                State::Done(posted) => Claimed::Replay(posted.clone()),
                State::Running => Claimed::Running,
                State::Unknown => {
                    entry.state = State::Running;
                    Claimed::Yours(self.attempt(fingerprint, entry.external_id.clone(), true))
                }
            };
        }
        if let Some(approval) = approval
            && self.spent.borrow_mut().insert(approval.nonce.clone(), approval.expires_at).is_some()
        {
            return Claimed::TokenRedeemed;
        }
        let (digest, fields, external_id) =
            (fingerprint.digest.clone(), fingerprint.fields.clone(), external_id.to_owned());
        let entry = Entry { digest, fields, external_id: external_id.clone(), at: now, state: State::Running };
        writes.insert(fingerprint.key_hash.clone(), entry);
        Claimed::Yours(self.attempt(fingerprint, external_id, false))
    }

    fn attempt(&self, fingerprint: &WriteFingerprint, external_id: String, is_taken_over: bool) -> Attempt<'_> {
        Attempt { memory: self, key_hash: fingerprint.key_hash.clone(), external_id, is_taken_over }
    }

    fn forget(&self, now: Timestamp) {
        self.spent.borrow_mut().retain(|_, expires_at| now < *expires_at);
        let mut writes = self.writes.borrow_mut();
        writes.retain(|_, entry| matches!(entry.state, State::Running) || now.since(entry.at) < KEEP);
        while writes.len() >= MOST {
            let ended = writes.iter().filter(|(_, entry)| !matches!(entry.state, State::Running));
            let Some(oldest) = ended.min_by_key(|(_, entry)| entry.at).map(|(key, _)| key.clone()) else { return };
            writes.remove(&oldest);
        }
    }
}

impl Attempt<'_> {
    pub fn finish(self, ending: &Ending<'_>) {
        let mut writes = self.memory.writes.borrow_mut();
        match ending {
            // An earlier call may still have done it.
            Ending::NotDone if self.is_taken_over => set(&mut writes, &self.key_hash, State::Unknown),
            Ending::NotDone | Ending::DoneOnce => drop(writes.remove(&self.key_hash)),
            Ending::Done(posted) => set(&mut writes, &self.key_hash, State::Done((*posted).clone())),
            Ending::Unknown => set(&mut writes, &self.key_hash, State::Unknown),
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut writes = self.memory.writes.borrow_mut();
        if let Some(entry) = writes.get_mut(&self.key_hash)
            && matches!(entry.state, State::Running)
        {
            entry.state = State::Unknown;
        }
    }
}

fn set(writes: &mut HashMap<String, Entry>, key_hash: &str, state: State) {
    if let Some(entry) = writes.get_mut(key_hash) {
        entry.state = state;
    }
}

fn differing(one: &Fields, other: &Fields) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Write;
    use crate::model::ids::PageId;
    use crate::model::operation::Operation;
    use crate::writes::confirm_token::ShownDuplicates;
    use crate::writes::execute::WriteOrigin;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn fingerprint(title: &str) -> WriteFingerprint {
        WriteFingerprint::new(
            "create_incident",
            PageId(7),
            &Write::new(Operation::CreateIncident, json!({ "title": title })),
            Some("k"),
        )
    }

    fn posted() -> WriteReport {
        WriteReport { document: json!({ "id": 9 }), made: WriteOrigin::Posted, remaining: None }
    }

    fn begin<'a>(memory: &'a Memory, title: &str, now: Timestamp) -> Claimed<'a> {
        memory.claim(&fingerprint(title), "x", None, now)
    }

    fn claimed<'a>(memory: &'a Memory, title: &str) -> Attempt<'a> {
        match begin(memory, title, NOW) {
            Claimed::Yours(attempt) => attempt,
            _ => panic!("it was free"),
        }
    }

    #[test]
    fn a_write_that_is_done_is_replayed_for_a_day() {
        let memory = Memory::default();
        claimed(&memory, "a").finish(&Ending::Done(&posted()));
        assert!(matches!(begin(&memory, "a", NOW), Claimed::Replay(posted) if posted.document["id"] == 9));
        assert!(matches!(begin(&memory, "b", NOW), Claimed::Conflict(fields) if fields == ["title"]));
        assert!(matches!(begin(&memory, "b", NOW + KEEP), Claimed::Yours(_)));
    }

    #[test]
    fn while_a_call_is_at_it_another_waits() {
        let memory = Memory::default();
        let attempt = claimed(&memory, "a");
        assert!(matches!(begin(&memory, "a", NOW), Claimed::Running));
        attempt.finish(&Ending::NotDone);
        assert!(!claimed(&memory, "a").is_taken_over);
    }

    #[test]
    fn a_call_that_was_cancelled_is_taken_over_under_its_name() {
        let memory = Memory::default();
        drop(claimed(&memory, "a"));
        let second = claimed(&memory, "a");
        assert_eq!((second.is_taken_over, second.external_id.as_str()), (true, "x"));
        second.finish(&Ending::NotDone);
        assert!(claimed(&memory, "a").is_taken_over, "the first may still have done it");
    }

    #[test]
    fn what_may_be_done_again_is_forgotten() {
        let memory = Memory::default();
        claimed(&memory, "a").finish(&Ending::DoneOnce);
        assert!(!memory.is_known(&fingerprint("a")));
    }

    #[test]
    fn a_confirmation_works_once() {
        let approval = Confirmation {
            nonce: "n".into(),
            expires_at: NOW + Duration::from_mins(10),
            shown: ShownDuplicates::default(),
        };
        let memory = Memory::default();
        assert!(matches!(memory.claim(&fingerprint("a"), "x", Some(&approval), NOW), Claimed::Yours(_)));
        let other = WriteFingerprint { key_hash: "other".into(), ..fingerprint("b") };
        assert!(matches!(memory.claim(&other, "y", Some(&approval), NOW), Claimed::TokenRedeemed));
    }
}
