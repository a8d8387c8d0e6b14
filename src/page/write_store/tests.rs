//! The record of a write, in every order in which calls can interleave.

use super::*;
use crate::model::ids::PageId;
use crate::model::operation::Operation;
use crate::model::write::ShownDuplicates;
use crate::writes::fingerprint::fingerprint;
use crate::writes::outcome::WriteOrigin;
use futures_util::FutureExt as _;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// A write of that title under one key.
struct KeyedWrite(Write, WriteFingerprint);

fn keyed_write(title: &str) -> KeyedWrite {
    let write = Write::new(Operation::CreateIncident, json!({ "title": title }));
    let fingerprint = fingerprint("create_incident", PageId::new(7).expect("an id"), &write, Some("k"));
    KeyedWrite(write, fingerprint)
}

impl KeyedWrite {
    fn store<'a>(&'a self, memory: &'a WriteMemory, now: Timestamp) -> MemoryWriteStore<'a> {
        MemoryWriteStore::new(memory, &self.0, &self.1, now)
    }
}

fn memory() -> WriteMemory {
    WriteMemory::new("process".into())
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory answers at once")
}

fn acquire(store: &MemoryWriteStore<'_>) -> Result<Acquisition, WriteError> {
    now(store.acquire(None))
}

fn acquire_lease(store: &MemoryWriteStore<'_>) -> Lease {
    match acquire(store) {
        Ok(Acquisition::Lease(lease)) => lease,
        other => panic!("it was free: {other:?}"),
    }
}

fn report() -> WriteReport {
    WriteReport { document: json!({ "id": 9 }), origin: WriteOrigin::Posted, remaining: None }
}

#[test]
fn finished_write_is_replayed_for_a_day() {
    let (memory, one, other) = (memory(), keyed_write("a"), keyed_write("b"));
    let store = one.store(&memory, NOW);
    acquire_lease(&store);
    now(store.finish(&Ok(report())));
    assert_eq!(acquire(&one.store(&memory, NOW)), Ok(Acquisition::Completed(json!({ "id": 9 }))));
    assert_eq!(now(store.remaining_writes()), None, "there is no rate limiter");
    let conflict = LeaseRefusal::KeyConflict { fields: vec!["title".into()] };
    assert_eq!(acquire(&other.store(&memory, NOW)), Ok(Acquisition::Refused(conflict)));
    assert!(matches!(acquire(&other.store(&memory, NOW + KEEP)), Ok(Acquisition::Lease(_))));
}

#[test]
fn another_call_waits_while_one_holds_the_lease() {
    let (memory, write) = (memory(), keyed_write("a"));
    let store = write.store(&memory, NOW);
    acquire_lease(&store);
    let running = LeaseRefusal::Running { retry_after: SOON };
    assert_eq!(acquire(&write.store(&memory, NOW)), Ok(Acquisition::Refused(running)));
    now(store.finish(&Err(WriteError::PossibleDuplicates(vec![]))));
    assert_eq!(acquire_lease(&write.store(&memory, NOW)).taken_over, None);
}

#[test]
fn cancelled_call_is_taken_over_under_its_external_id() {
    let (memory, write) = (memory(), keyed_write("a"));
    let first = acquire_lease(&write.store(&memory, NOW));
    let store = write.store(&memory, NOW);
    let second = acquire_lease(&store);
    assert_eq!((second.taken_over.is_some(), second.external_id), (true, first.external_id));
    now(store.finish(&Err(WriteError::PossibleDuplicates(vec![]))));
    assert!(acquire_lease(&write.store(&memory, NOW)).taken_over.is_some(), "the first may still have done it");
}

#[test]
fn change_without_a_key_is_forgotten_once_it_is_done() {
    let memory = memory();
    let write = Write::new(Operation::ResolveIncident { incident_id: 9 }, json!({}));
    let keyed =
        KeyedWrite(write.clone(), fingerprint("resolve_incident", PageId::new(7).expect("an id"), &write, None));
    let store = keyed.store(&memory, NOW);
    acquire_lease(&store);
    assert!(now(store.is_known()));
    assert_eq!(now(store.find_earlier()).same_key, Some(EarlierCall::Unfinished));
    now(store.finish(&Ok(report())));
    assert!(!now(store.is_known()));
}

#[test]
fn confirm_token_is_redeemed_once() {
    let shown = ShownDuplicates::default();
    let confirmation = Confirmation { nonce: "n".into(), expires_at: NOW + Duration::from_mins(10), shown };
    let (memory, one) = (memory(), keyed_write("a"));
    assert!(matches!(now(one.store(&memory, NOW).acquire(Some(&confirmation))), Ok(Acquisition::Lease(_))));
    let mut other = keyed_write("b");
    other.1.key_hash = "other".into();
    let redeemed = now(other.store(&memory, NOW).acquire(Some(&confirmation)));
    assert_eq!(redeemed, Ok(Acquisition::Refused(LeaseRefusal::TokenRedeemed)));
}

#[test]
fn oldest_write_that_has_ended_makes_room_and_a_running_one_stays() {
    let (memory, like) = (memory(), keyed_write("a"));
    let remember = |seconds: u64, state: WriteState| {
        let WriteFingerprint { digest, fields, .. } = &like.1;
        let write = RememberedWrite {
            digest: digest.clone(),
            fields: fields.clone(),
            external_id: "e".into(),
            last_changed_at: NOW + Duration::from_secs(seconds),
            state,
        };
        memory.writes.borrow_mut().insert(seconds.to_string(), write);
    };
    remember(0, WriteState::Running);
    let seconds = u64::try_from(MOST).expect("small");
    (1..seconds).for_each(|at| remember(at, WriteState::Done(Value::Null)));
    memory.forget(NOW + Duration::from_secs(seconds));
    let writes = memory.writes.borrow();
    assert_eq!((writes.len(), writes.contains_key("0"), writes.contains_key("1")), (MOST - 1, true, false));
}

#[test]
fn preview_and_what_its_question_came_to_are_kept_until_they_expire() {
    let (memory, after) = (memory(), |seconds: u64| NOW + Duration::from_secs(seconds));
    let keep = |name: &str, expires_at: Timestamp| {
        let preview = KeptPreview {
            token_hash: name.into(),
            tool: "create_incident".into(),
            page_id: PageId::new(7).expect("an id"),
            arguments: serde_json::Map::new(),
            key_hash: name.into(),
            digest: name.into(),
            shown: ShownDuplicates::default(),
            expires_at,
        };
        memory.keep(preview, NOW);
    };
    keep("first", after(600));
    keep("second", after(700));
    memory.cancelled.borrow_mut().insert("first".into(), after(60));
    let cancelled =
        |seconds: u64| memory.find_preview("first", after(seconds)).map(|found| found.is_question_cancelled);
    assert_eq!([59, 60, 599, 600].map(cancelled), [Some(true), Some(false), Some(false), None]);
    assert!(memory.find_preview("second", after(600)).is_some());
    memory.forget(after(60));
    assert!(memory.cancelled.borrow().is_empty());
}
