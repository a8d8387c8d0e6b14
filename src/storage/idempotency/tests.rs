//! Results of requests for a lease, in every order in which attempts can interleave.

use super::super::testing::TestDatabase;
use super::*;
use crate::model::ids::{GrantId, PageId, RequestId, UserId};
use crate::model::write::{Duplicate, EarlierCall, ShownDuplicates};
use crate::oauth::client::ClientId;
use crate::storage::activity::ActivityRow;
use crate::storage::audit::{AuditKind, Outcome, Target, TargetLinks};
use serde_json::json;

mod denials;

const T0: i64 = 1_000_000;

struct WriteStorage {
    db: TestDatabase,
    user_id: UserId,
    client_id: ClientId,
    grant_id: GrantId,
    request_id: RequestId,
}

fn fingerprint(key_hash: &str, digest: &str) -> WriteFingerprint {
    WriteFingerprint { key_hash: key_hash.into(), digest: digest.into(), ..WriteFingerprint::default() }
}

fn new_lease(attempt: &str) -> Acquisition {
    Acquisition::Lease(Lease { external_id: external_id(&attempt.into()), taken_over: None })
}

fn taken_over(external_id: &str, refusal: Option<LeaseRefusal>) -> Acquisition {
    let taken_over = Some(Takeover { refusal });
    Acquisition::Lease(Lease { external_id: external_id.to_owned(), taken_over })
}

fn is_running(acquisition: &Acquisition) -> bool {
    matches!(acquisition, Acquisition::Refused(LeaseRefusal::Running { .. }))
}

impl WriteStorage {
    fn new() -> Self {
        let db = TestDatabase::new();
        for grant in ["g", "another"] {
            db.insert_grant(grant);
        }
        Self {
            db,
            user_id: UserId::parse("42").expect("an id"),
            client_id: ClientId::parse("cursor").expect("a client id"),
            grant_id: GrantId::parse("g").expect("an id"),
            request_id: RequestId::parse("r").expect("an id"),
        }
    }

    fn entry(&self, attempt: &str, at: i64, outcome: Outcome) -> Entry<'_> {
        let target = Target {
            page_id: Some(PageId::new(7).expect("an id")),
            asked_page_id: Some(PageId::new(7).expect("an id")),
            tool: "create_incident",
            id: (outcome == Outcome::Done).then(|| "9".into()),
            title: None,
            links: TargetLinks::default(),
        };
        Entry {
            id: attempt.into(),
            created_at: Timestamp::from_seconds(at),
            kind: AuditKind::Write,
            outcome,
            user_id: Some(&self.user_id),
            client_id: &self.client_id,
            client_name: "Cursor",
            grant_id: Some(&self.grant_id),
            request_id: &self.request_id,
            target: Some(target),
            detail: None,
        }
    }

    async fn begin_with(
        &self,
        attempt: &str,
        at: i64,
        digest: &str,
        confirmation: Option<&Confirmation>,
    ) -> Acquisition {
        let fields = [("title".to_owned(), digest.to_owned()), ("tool".to_owned(), "t".to_owned())].into();
        let fingerprint = WriteFingerprint { fields, ..fingerprint("k", digest) };
        let key = WriteKey { grant_id: &self.grant_id, fingerprint: &fingerprint };
        let entry = self.entry(attempt, at, Outcome::Unknown);
        let external_id = external_id(&entry.id);
        let duplicates = DuplicateRule::Refused { shown: None };
        acquire(&self.db, &LeaseRequest { key, external_id: &external_id, confirmation, duplicates, entry: &entry })
            .await
            .expect("a claim")
    }

    /// The same write through another connection.
    async fn begin_elsewhere(&self, attempt: &str, at: i64, duplicates: DuplicateRule<'_>) -> Acquisition {
        let (grant_id, fingerprint) = (GrantId::parse("another").expect("an id"), fingerprint("another key", "d"));
        let key = WriteKey { grant_id: &grant_id, fingerprint: &fingerprint };
        let entry = Entry { grant_id: Some(&grant_id), ..self.entry(attempt, at, Outcome::Unknown) };
        let external_id = external_id(&entry.id);
        let claim = LeaseRequest { key, external_id: &external_id, confirmation: None, duplicates, entry: &entry };
        acquire(&self.db, &claim).await.expect("a claim")
    }

    async fn begin(&self, attempt: &str, at: i64) -> Acquisition {
        self.begin_with(attempt, at, "d", None).await
    }

    async fn finish(&self, attempt: &str, at: i64, ending: LeaseEnd, outcome: Outcome) {
        let key = WriteKey { grant_id: &self.grant_id, fingerprint: &fingerprint("k", "d") };
        finish(&self.db, &key, &ending, &self.entry(attempt, at, outcome)).await.expect("an end");
    }

    async fn done(&self, attempt: &str, at: i64) {
        self.finish(attempt, at, LeaseEnd::Done { result: r#"{"id":9}"#.into() }, Outcome::Done).await;
    }

    /// `attempt outcome detail target resolution` of every row, oldest first.
    async fn rows(&self) -> Vec<String> {
        let mut rows = self.db.audit_rows(&self.user_id).await;
        rows.sort_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        let word = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let line = |row: ActivityRow| {
            format!(
                "{} {} {} {} {}",
                row.id.as_str().to_owned(),
                row.outcome,
                word(row.detail),
                word(row.target_id),
                word(row.resolution)
            )
        };
        rows.into_iter().map(line).collect()
    }
}

#[tokio::test]
async fn the_first_is_new_and_the_rest_wait_until_it_is_done() {
    let scene = WriteStorage::new();
    assert_eq!(scene.begin("a", T0).await, new_lease("a"));
    let running = LeaseRefusal::Running { retry_after: LEASE };
    assert_eq!(scene.begin("b", T0).await, Acquisition::Refused(running));
    scene.done("a", T0 + 1).await;
    assert_eq!(scene.begin("c", T0 + 2).await, Acquisition::Completed(json!({ "id": 9 })));
    assert_eq!(scene.rows().await, ["a done - 9 -", "b refused still_running - -", "c replayed - 9 -"]);
}

#[tokio::test]
async fn an_attempt_that_never_finished_is_taken_over_by_one_and_keeps_its_name() {
    let scene = WriteStorage::new();
    let later = T0 + i64::try_from(LEASE.as_secs()).expect("small");
    scene.begin("a", T0).await;
    assert!(is_running(&scene.begin("b", later - 1).await));
    assert_eq!(scene.begin("c", later).await, taken_over("mcp-a", None));
    assert!(is_running(&scene.begin("d", later).await));
    scene.finish("c", later, LeaseEnd::Done { result: r#"{"id":9}"#.into() }, Outcome::Replayed).await;
    assert_eq!(scene.rows().await[0], "a unknown not_finished - done");
}

#[tokio::test]
async fn one_that_wakes_up_after_it_was_taken_over_changes_only_its_own_audit_row() {
    let scene = WriteStorage::new();
    let later = T0 + i64::try_from(LEASE.as_secs()).expect("small");
    scene.begin("a", T0).await;
    scene.begin("b", later).await;
    scene.finish("a", later, LeaseEnd::NotWritten, Outcome::Failed).await;
    assert!(is_running(&scene.begin("c", later).await), "b still holds it");
    scene.done("b", later).await;
    scene.finish("a", later, LeaseEnd::Done { result: r#"{"id":1}"#.into() }, Outcome::Done).await;
    assert_eq!(scene.begin("d", later).await, Acquisition::Completed(json!({ "id": 9 })));
    assert_eq!(scene.rows().await[0], "a failed - - -", "an end is recorded once");
}

#[tokio::test]
async fn an_unknown_outcome_may_be_taken_over_at_once() {
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    scene.finish("a", T0, LeaseEnd::Unknown, Outcome::Unknown).await;
    assert_eq!(scene.begin("b", T0).await, taken_over("mcp-a", None));
}

#[tokio::test]
async fn a_refused_write_frees_its_key_unless_an_earlier_one_may_have_done_it() {
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    scene.finish("a", T0, LeaseEnd::NotWritten, Outcome::Refused).await;
    assert_eq!(scene.begin("b", T0).await, new_lease("b"));
    scene.finish("b", T0, LeaseEnd::Unknown, Outcome::Unknown).await;
    scene.begin("c", T0).await;
    scene.finish("c", T0, LeaseEnd::NotWritten, Outcome::Limited).await;
    assert_eq!(scene.begin("d", T0).await, taken_over("mcp-b", None));
}

#[tokio::test]
async fn other_arguments_under_the_same_key_are_named() {
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    let conflict = Acquisition::Refused(LeaseRefusal::KeyConflict { fields: vec!["title".into()] });
    assert_eq!(scene.begin_with("b", T0, "e", None).await, conflict);
    scene.done("a", T0).await;
    assert_eq!(scene.begin_with("c", T0, "e", None).await, conflict);
    assert_eq!(scene.rows().await[1..], ["b refused key_conflict - -", "c refused key_conflict - -"]);
}

#[tokio::test]
async fn unknown_write_is_not_taken_over_by_other_arguments_under_its_key() {
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    scene.finish("a", T0, LeaseEnd::Unknown, Outcome::Unknown).await;
    let conflict = Acquisition::Refused(LeaseRefusal::KeyConflict { fields: vec!["title".into()] });
    assert_eq!(scene.begin_with("b", T0, "e", None).await, conflict);
    assert!(
        matches!(scene.begin("c", T0).await, Acquisition::Lease(Lease { taken_over: Some(_), .. })),
        "the same write still is"
    );
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    scene.done("a", T0).await;
    let day = i64::try_from(KEEP.as_secs()).expect("small");
    assert!(matches!(scene.begin("b", T0 + day - 1).await, Acquisition::Completed(_)));
    assert_eq!(scene.begin_with("c", T0 + day, "e", None).await, new_lease("c"));
}

#[tokio::test]
async fn a_confirmation_opens_one_write_and_that_one_as_often_as_it_is_repeated() {
    let scene = WriteStorage::new();
    let expires_at = Timestamp::from_seconds(T0 + 600);
    let confirmation = Confirmation { nonce: "n".into(), expires_at, shown: ShownDuplicates::default() };
    assert_eq!(scene.begin_with("a", T0, "d", Some(&confirmation)).await, new_lease("a"));
    assert!(is_running(&scene.begin_with("b", T0, "d", Some(&confirmation)).await));
    scene.done("a", T0).await;
    assert!(matches!(scene.begin_with("c", T0, "d", Some(&confirmation)).await, Acquisition::Completed(_)));
    let (grant_id, fingerprint) = (&scene.grant_id, fingerprint("other", "x"));
    let other = WriteKey { grant_id, fingerprint: &fingerprint };
    let entry = scene.entry("d", T0, Outcome::Unknown);
    let claim = LeaseRequest {
        key: other,
        external_id: "x",
        confirmation: Some(&confirmation),
        duplicates: DuplicateRule::Allowed,
        entry: &entry,
    };
    assert_eq!(acquire(&scene.db, &claim).await.expect("a claim"), Acquisition::Refused(LeaseRefusal::TokenRedeemed));
    assert_eq!(scene.rows().await[3], "d refused confirm_token_redeemed - -");
}

#[tokio::test]
async fn nothing_is_known_of_a_key_before_it_is_claimed() {
    let scene = WriteStorage::new();
    let (one, other) = (fingerprint("k", "d"), fingerprint("k", "e"));
    let key = WriteKey { grant_id: &scene.grant_id, fingerprint: &one };
    let at = Timestamp::from_seconds(T0);
    assert!(!is_known(&scene.db, &key, at).await.expect("an answer"));
    scene.begin("a", T0).await;
    assert!(is_known(&scene.db, &key, at).await.expect("an answer"));
    assert!(!is_known(&scene.db, &key, at + KEEP).await.expect("an answer"));
    let another = WriteKey { fingerprint: &other, ..key };
    assert!(!is_known(&scene.db, &another, at).await.expect("an answer"), "another write under the same key");
    let elsewhere = WriteKey { grant_id: &GrantId::parse("another").expect("an id"), ..key };
    assert!(!is_known(&scene.db, &elsewhere, at).await.expect("an answer"), "the same key of another grant");
}

#[tokio::test]
async fn earlier_call_is_found_with_its_conflict_or_its_result() {
    let scene = WriteStorage::new();
    let (one, other) = (fingerprint("k", "d"), fingerprint("k", "e"));
    let key = WriteKey { grant_id: &scene.grant_id, fingerprint: &one };
    let at = Timestamp::from_seconds(T0);
    let find = async |key: &WriteKey<'_>| find_earlier(&scene.db, key, at).await.expect("an answer").same_key;
    assert_eq!(find(&key).await, None);
    scene.begin("a", T0).await;
    assert_eq!(find(&key).await, Some(EarlierCall::Unfinished));
    let conflict = find(&WriteKey { fingerprint: &other, ..key }).await;
    assert!(matches!(conflict, Some(EarlierCall::Conflict(_))), "{conflict:?}");
    scene.db.execute("UPDATE idempotency SET outcome = 'done', result = '{\"id\":9}'");
    assert_eq!(find(&key).await, Some(EarlierCall::Completed(json!({ "id": 9 }))));
}

#[tokio::test]
async fn same_write_of_another_connection_is_a_duplicate_for_half_an_hour() {
    let scene = WriteStorage::new();
    let refused = DuplicateRule::Refused { shown: None };
    let recent = i64::try_from(DUPLICATE_RECENT.as_secs()).expect("small");
    let duplicate = |published_id: Option<i64>, seconds: u64| {
        let (external_id, age) = ("mcp-a".to_owned(), Duration::from_secs(seconds));
        Acquisition::Refused(LeaseRefusal::Duplicate(Duplicate { external_id, published_id, age }))
    };
    scene.begin("a", T0).await;
    assert_eq!(scene.begin_elsewhere("b", T0 + 1, refused).await, duplicate(None, 1));
    scene.done("a", T0 + 2).await;
    assert_eq!(scene.begin_elsewhere("c", T0 + 3, refused).await, duplicate(Some(9), 1));
    assert_eq!(scene.rows().await[1..], ["b refused duplicate - -", "c refused duplicate - -"]);
    assert_eq!(scene.begin_elsewhere("d", T0 + 2 + recent, refused).await, new_lease("d"));
}

#[tokio::test]
async fn shown_duplicate_or_one_with_the_same_client_chosen_id_does_not_block() {
    for duplicates in [DuplicateRule::Refused { shown: Some("mcp-a") }, DuplicateRule::Allowed] {
        let scene = WriteStorage::new();
        scene.begin("a", T0).await;
        scene.done("a", T0).await;
        assert_eq!(scene.begin_elsewhere("b", T0 + 1, duplicates).await, new_lease("b"));
    }
    let scene = WriteStorage::new();
    scene.begin("a", T0).await;
    let another = DuplicateRule::Refused { shown: Some("mcp-x") };
    assert!(
        matches!(scene.begin_elsewhere("b", T0, another).await, Acquisition::Refused(LeaseRefusal::Duplicate(_))),
        "another than the one shown"
    );
}

#[tokio::test]
async fn first_of_two_unknown_writes_continues_and_the_second_waits() {
    let scene = WriteStorage::new();
    let refused = DuplicateRule::Refused { shown: None };
    let lost = async |attempt: &str, grant: &str, hash: &str| {
        let (grant_id, fingerprint) = (GrantId::parse(grant).expect("an id"), fingerprint(hash, "d"));
        let key = WriteKey { grant_id: &grant_id, fingerprint: &fingerprint };
        finish(&scene.db, &key, &LeaseEnd::Unknown, &scene.entry(attempt, T0, Outcome::Unknown)).await.expect("an end");
    };
    scene.begin("a", T0).await;
    scene.begin_elsewhere("b", T0, DuplicateRule::Allowed).await;
    lost("a", "g", "k").await;
    lost("b", "another", "another key").await;
    assert_eq!(scene.begin("c", T0 + 1).await, taken_over("mcp-a", None), "neither waits for the other");
    let (external_id, age) = ("mcp-a".to_owned(), Duration::from_secs(1));
    let duplicate = LeaseRefusal::Duplicate(Duplicate { external_id, published_id: None, age });
    let second = scene.begin_elsewhere("d", T0 + 1, refused).await;
    assert_eq!(second, taken_over("mcp-b", Some(duplicate)), "somebody is at it now");
}

#[tokio::test]
async fn write_of_unknown_outcome_blocks_duplicates_until_it_is_deleted() {
    let scene = WriteStorage::new();
    let (refused, day) = (DuplicateRule::Refused { shown: None }, i64::try_from(KEEP.as_secs()).expect("small"));
    scene.begin("a", T0).await;
    assert!(matches!(
        scene.begin_elsewhere("b", T0 + day - 1, refused).await,
        Acquisition::Refused(LeaseRefusal::Duplicate(_))
    ));
    assert_eq!(scene.begin_elsewhere("c", T0 + day, refused).await, new_lease("c"));
}
