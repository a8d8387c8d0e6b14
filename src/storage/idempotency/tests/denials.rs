//! A grant that ended, a pause or a block between the check of the bearer token and the post.

use super::*;

const PAGE: PageId = PageId::new(7).expect("an id");

/// Actions of the person or of an admin during a write, and their effect on it.
const DENIALS: [(&str, WriteDenial); 5] = [
    ("UPDATE grants SET revoked_at = 1, revoke_reason = 'user' WHERE id = 'g'", WriteDenial::GrantEnded),
    ("DELETE FROM grants WHERE id = 'g'", WriteDenial::GrantEnded),
    ("UPDATE grants SET expires_at = 1000000 WHERE id = 'g'", WriteDenial::GrantEnded),
    (
        "INSERT INTO connections (user_id, client_id, writes_paused_at) VALUES ('42', 'cursor', 1)",
        WriteDenial::WritesPaused,
    ),
    (
        "INSERT INTO page_blocks VALUES ('42', 'cursor', 7, 0, 'Mara', 'Cursor', 1, 'admin', 'Ada')",
        WriteDenial::PageBlocked,
    ),
];

/// Concerns another client, person or page.
const UNRELATED: [&str; 5] = [
    "INSERT INTO connections (user_id, client_id, writes_paused_at) VALUES ('42', 'other', 1)",
    "INSERT INTO connections (user_id, client_id, writes_paused_at) VALUES ('43', 'cursor', 1)",
    "INSERT INTO page_blocks VALUES ('42', 'cursor', 8, 0, 'Mara', 'Cursor', 1, 'admin', 'Ada')",
    "INSERT INTO page_blocks VALUES ('43', 'cursor', 7, 0, 'Theo', 'Cursor', 1, 'admin', 'Ada')",
    "UPDATE grants SET expires_at = 1000001 WHERE id = 'g'",
];

fn denied(denial: WriteDenial) -> Acquisition {
    Acquisition::Refused(LeaseRefusal::Denied(denial))
}

impl WriteStorage {
    async fn check(&self, attempt: &str) -> Option<LeaseRefusal> {
        let key = WriteKey { grant_id: &self.grant_id, fingerprint: &fingerprint("k", "d") };
        let at = Timestamp::from_seconds(T0);
        check_lease(&self.db, &key, &attempt.into(), PAGE, at).await.expect("an answer")
    }

    async fn begin_at(&self, attempt: &str) -> Acquisition {
        self.begin(attempt, T0).await
    }
}

#[tokio::test]
async fn write_denied_after_the_bearer_check_acquires_nothing() {
    for (meanwhile, denial) in DENIALS {
        let scene = WriteStorage::new();
        scene.db.execute(meanwhile);
        assert_eq!(scene.begin_at("a").await, denied(denial), "{meanwhile}");
        assert_eq!(scene.rows().await, [format!("a refused {} - -", denial.as_str())]);
        assert_eq!(scene.check("a").await, Some(LeaseRefusal::Denied(denial)), "no row was left: {meanwhile}");
    }
}

#[tokio::test]
async fn write_denied_after_the_lease_is_stopped_before_the_post() {
    for (meanwhile, denial) in DENIALS {
        let scene = WriteStorage::new();
        assert_eq!(scene.begin_at("a").await, new_lease("a"));
        assert_eq!(scene.check("a").await, None);
        scene.db.execute(meanwhile);
        assert_eq!(scene.check("a").await, Some(LeaseRefusal::Denied(denial)), "{meanwhile}");
    }
}

#[tokio::test]
async fn denial_of_another_grant_or_page_stops_nothing() {
    for meanwhile in UNRELATED {
        let scene = WriteStorage::new();
        scene.db.insert_grant("theirs");
        scene.db.execute("UPDATE grants SET user_id = '43' WHERE id = 'theirs'");
        scene.db.execute(meanwhile);
        assert_eq!(scene.begin_at("a").await, new_lease("a"), "{meanwhile}");
        assert_eq!(scene.check("a").await, None, "{meanwhile}");
    }
}

#[tokio::test]
async fn denied_connection_takes_nothing_over_but_a_paused_one_may_find_out() {
    for (meanwhile, denial) in DENIALS {
        let scene = WriteStorage::new();
        scene.begin_at("a").await;
        scene.finish("a", T0, LeaseEnd::Unknown, Outcome::Unknown).await;
        scene.db.execute(meanwhile);
        let expected = match denial {
            WriteDenial::WritesPaused => taken_over("mcp-a", Some(LeaseRefusal::Denied(denial))),
            WriteDenial::GrantEnded | WriteDenial::PageBlocked => denied(denial),
        };
        assert_eq!(scene.begin_at("b").await, expected, "{meanwhile}");
        assert_eq!(scene.check("b").await, Some(LeaseRefusal::Denied(denial)), "{meanwhile}");
        let detail = if denial == WriteDenial::WritesPaused { "unknown not_finished" } else { "refused" };
        assert!(scene.rows().await[1].starts_with(&format!("b {detail}")), "{meanwhile}");
    }
}

#[tokio::test]
async fn finished_write_is_replayed_to_a_paused_connection_only() {
    for (meanwhile, denial) in DENIALS {
        let scene = WriteStorage::new();
        scene.begin_at("a").await;
        scene.done("a", T0).await;
        scene.db.execute(meanwhile);
        let acquisition = scene.begin_at("b").await;
        match denial {
            WriteDenial::WritesPaused => assert!(matches!(acquisition, Acquisition::Completed(_)), "{acquisition:?}"),
            WriteDenial::GrantEnded | WriteDenial::PageBlocked => {
                assert_eq!(acquisition, denied(denial), "{meanwhile}");
                assert_eq!(scene.rows().await[1], format!("b refused {} - -", denial.as_str()), "no target is told");
            }
        }
    }
}

#[tokio::test]
async fn attempt_whose_lease_was_taken_over_posts_nothing() {
    let scene = WriteStorage::new();
    scene.begin_at("a").await;
    scene.begin("b", T0 + i64::try_from(LEASE.as_secs()).expect("small")).await;
    assert_eq!(scene.check("a").await, Some(LeaseRefusal::Running { retry_after: LEASE }));
    assert_eq!(scene.check("b").await, None);
}
