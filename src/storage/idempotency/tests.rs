//! What a claim comes to, in every order that attempts can meet in.

use super::super::testing::TestDatabase;
use super::*;
use crate::ids::{PageId, RequestId, UserId};
use crate::oauth::client::ClientId;
use crate::storage::audit::{Kind, Target};

const T0: i64 = 1_000_000;

struct Scene {
    db: TestDatabase,
    user_id: UserId,
    client_id: ClientId,
    grant_id: GrantId,
    request_id: RequestId,
}

impl Scene {
    fn new() -> Self {
        Self {
            db: TestDatabase::new(),
            user_id: UserId("42".into()),
            client_id: ClientId::parse("cursor").expect("a client id"),
            grant_id: GrantId("g".into()),
            request_id: RequestId("r".into()),
        }
    }

    fn entry(&self, attempt: &str, at: i64, outcome: Outcome) -> Entry<'_> {
        let target = Target {
            page_id: Some(PageId(7)),
            tool: "create_incident",
            id: (outcome == Outcome::Done).then(|| "9".into()),
            title: None,
        };
        Entry {
            id: AuditId(attempt.into()),
            at: Timestamp::from_seconds(at),
            kind: Kind::Write,
            outcome,
            user_id: &self.user_id,
            client_id: &self.client_id,
            client_name: "Cursor",
            grant_id: &self.grant_id,
            request_id: &self.request_id,
            target: Some(target),
            detail: None,
        }
    }

    async fn begin_with(&self, attempt: &str, at: i64, digest: &str, handle: Option<&Handle>) -> Claimed {
        let fields = Fields::from([("title".to_owned(), digest.to_owned()), ("tool".to_owned(), "t".to_owned())]);
        let key = Key { grant_id: &self.grant_id, hash: "k", digest, fields: &fields };
        let entry = self.entry(attempt, at, Outcome::Unknown);
        let external_id = external_id(&entry.id);
        begin(&self.db, &Claim { key, external_id: &external_id, handle, entry: &entry }).await.expect("a claim")
    }

    async fn begin(&self, attempt: &str, at: i64) -> Claimed {
        self.begin_with(attempt, at, "d", None).await
    }

    async fn finish(&self, attempt: &str, at: i64, ending: Ending, outcome: Outcome) {
        let fields = Fields::new();
        let key = Key { grant_id: &self.grant_id, hash: "k", digest: "d", fields: &fields };
        finish(&self.db, &key, &ending, &self.entry(attempt, at, outcome)).await.expect("an end");
    }

    async fn done(&self, attempt: &str, at: i64) {
        self.finish(attempt, at, Ending::Done { result: r#"{"id":9}"#.into() }, Outcome::Done).await;
    }

    /// `attempt outcome detail target resolution` of every row, oldest first.
    async fn rows(&self) -> Vec<String> {
        let mut rows = audit::recent(&self.db, &self.user_id, 50).await.expect("rows");
        rows.sort_by(|one, other| one.id.0.cmp(&other.id.0));
        let word = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        let line = |row: audit::Recorded| {
            format!(
                "{} {} {} {} {}",
                row.id.0,
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
    let scene = Scene::new();
    assert_eq!(scene.begin("a", T0).await, Claimed::New);
    let until = Timestamp::from_seconds(T0) + HOLD;
    assert_eq!(scene.begin("b", T0).await, Claimed::Running { until });
    scene.done("a", T0 + 1).await;
    assert_eq!(scene.begin("c", T0 + 2).await, Claimed::Replay { result: r#"{"id":9}"#.into() });
    assert_eq!(scene.rows().await, ["a done - 9 -", "b refused still_running - -", "c replayed - 9 -"]);
}

#[tokio::test]
async fn an_attempt_that_never_finished_is_taken_over_by_one_and_keeps_its_name() {
    let scene = Scene::new();
    let later = T0 + i64::try_from(HOLD.as_secs()).expect("small");
    scene.begin("a", T0).await;
    assert!(matches!(scene.begin("b", later - 1).await, Claimed::Running { .. }));
    assert_eq!(scene.begin("c", later).await, Claimed::TakenOver { external_id: "mcp-a".into() });
    assert!(matches!(scene.begin("d", later).await, Claimed::Running { .. }));
    scene.finish("c", later, Ending::Done { result: r#"{"id":9}"#.into() }, Outcome::Replayed).await;
    assert_eq!(scene.rows().await[0], "a unknown not_finished - done");
}

#[tokio::test]
async fn one_that_wakes_up_after_it_was_taken_over_changes_only_its_own_audit_row() {
    let scene = Scene::new();
    let later = T0 + i64::try_from(HOLD.as_secs()).expect("small");
    scene.begin("a", T0).await;
    scene.begin("b", later).await;
    scene.finish("a", later, Ending::NotDone, Outcome::Failed).await;
    assert!(matches!(scene.begin("c", later).await, Claimed::Running { .. }), "b still holds it");
    scene.done("b", later).await;
    scene.finish("a", later, Ending::Done { result: r#"{"id":1}"#.into() }, Outcome::Done).await;
    assert_eq!(scene.begin("d", later).await, Claimed::Replay { result: r#"{"id":9}"#.into() });
    assert_eq!(scene.rows().await[0], "a failed - - -", "an end is recorded once");
}

#[tokio::test]
async fn an_unknown_outcome_may_be_taken_over_at_once() {
    let scene = Scene::new();
    scene.begin("a", T0).await;
    scene.finish("a", T0, Ending::Unknown, Outcome::Unknown).await;
    assert_eq!(scene.begin("b", T0).await, Claimed::TakenOver { external_id: "mcp-a".into() });
}

#[tokio::test]
async fn a_refused_write_frees_its_key_unless_an_earlier_one_may_have_done_it() {
    let scene = Scene::new();
    scene.begin("a", T0).await;
    scene.finish("a", T0, Ending::NotDone, Outcome::Refused).await;
    assert_eq!(scene.begin("b", T0).await, Claimed::New);
    scene.finish("b", T0, Ending::Unknown, Outcome::Unknown).await;
    scene.begin("c", T0).await;
    scene.finish("c", T0, Ending::NotDone, Outcome::Limited).await;
    assert_eq!(scene.begin("d", T0).await, Claimed::TakenOver { external_id: "mcp-b".into() });
}

#[tokio::test]
async fn other_arguments_under_the_same_key_are_named() {
    let scene = Scene::new();
    scene.begin("a", T0).await;
    let conflict = Claimed::Conflict { fields: vec!["title".into()] };
    assert_eq!(scene.begin_with("b", T0, "e", None).await, conflict);
    scene.done("a", T0).await;
    assert_eq!(scene.begin_with("c", T0, "e", None).await, conflict);
    assert_eq!(scene.rows().await[1..], ["b refused key_conflict - -", "c refused key_conflict - -"]);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let scene = Scene::new();
    scene.begin("a", T0).await;
    scene.done("a", T0).await;
    let day = i64::try_from(KEEP.as_secs()).expect("small");
    assert!(matches!(scene.begin("b", T0 + day - 1).await, Claimed::Replay { .. }));
    assert_eq!(scene.begin_with("c", T0 + day, "e", None).await, Claimed::New);
}

#[tokio::test]
async fn a_handle_opens_one_write_and_that_one_as_often_as_it_is_repeated() {
    let scene = Scene::new();
    let handle = Handle { nonce: "n".into(), expires_at: Timestamp::from_seconds(T0 + 600) };
    assert_eq!(scene.begin_with("a", T0, "d", Some(&handle)).await, Claimed::New);
    assert!(matches!(scene.begin_with("b", T0, "d", Some(&handle)).await, Claimed::Running { .. }));
    scene.done("a", T0).await;
    assert!(matches!(scene.begin_with("c", T0, "d", Some(&handle)).await, Claimed::Replay { .. }));
    let fields = Fields::new();
    let other = Key { grant_id: &scene.grant_id, hash: "other", digest: "x", fields: &fields };
    let entry = scene.entry("d", T0, Outcome::Unknown);
    let claim = Claim { key: other, external_id: "x", handle: Some(&handle), entry: &entry };
    assert_eq!(begin(&scene.db, &claim).await.expect("a claim"), Claimed::HandleSpent);
    assert_eq!(scene.rows().await[3], "d refused handle_spent - -");
}

#[tokio::test]
async fn nothing_is_known_of_a_key_before_it_is_claimed() {
    let scene = Scene::new();
    let fields = Fields::new();
    let key = Key { grant_id: &scene.grant_id, hash: "k", digest: "d", fields: &fields };
    let at = Timestamp::from_seconds(T0);
    assert!(!is_known(&scene.db, &key, at).await.expect("an answer"));
    scene.begin("a", T0).await;
    assert!(is_known(&scene.db, &key, at).await.expect("an answer"));
    assert!(!is_known(&scene.db, &key, at + KEEP).await.expect("an answer"));
}
