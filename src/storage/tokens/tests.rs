//! A repeated refresh stores nothing once what it was decided on has changed.

use super::super::testing::TestDatabase;
use super::*;
use crate::model::ids::RequestId;
use crate::oauth::grant::RefreshState;
use crate::storage::audit::{AuditKind, Entry, Outcome};
use crate::storage::grants::{self, RevokeReason};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1000);

fn hash(text: &str) -> SecretHash {
    text.into()
}

fn tokens(access: &str, refresh: &str) -> NewTokens {
    NewTokens {
        access: hash(access),
        scopes: crate::model::scope::Scope::PagesRead.into(),
        access_expires_at: NOW + Duration::from_hours(1),
        refresh: hash(refresh),
        refresh_expires_at: NOW + Duration::from_hours(24),
    }
}

/// A grant whose first refresh token was rotated, and the record of that token as a repeat reads it.
async fn rotated() -> (TestDatabase, RefreshRecord) {
    let db = TestDatabase::new();
    let grant = statement!(
        "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, resource, scope,
                             created_at, activated_at, is_loopback)
         VALUES ('g', '1', 'Mara', 'tool', 'Tool', 'unverified', 'localhost', 'r', 'mcp.pages.read', 900, 900, 1)"
    );
    let first = statement!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
         VALUES ('first', 'g', 1, 900, 9000)"
    );
    db.batch(&[grant, first]).await.expect("a grant");
    let record = find_refresh(&db, &hash("first")).await.expect("an answer").expect("a token");
    let race = rotate_refresh(&db, &record, "salt", "kid", &tokens("access-1", "second"), NOW).await;
    assert_eq!(race.expect("an answer"), Redemption::Redeemed);
    let record = find_refresh(&db, &hash("first")).await.expect("an answer").expect("a token");
    (db, record)
}

async fn repeat(db: &TestDatabase, record: &RefreshRecord, access: &str) -> Redemption {
    let entry = Entry {
        id: access.into(),
        created_at: NOW,
        kind: AuditKind::RefreshRepeat,
        outcome: Outcome::Done,
        user_id: Some(&record.grant.user_id),
        client_id: &record.grant.client_id,
        client_name: "Tool",
        grant_id: Some(&record.grant.id),
        request_id: &RequestId::parse("r").expect("an id"),
        target: None,
        detail: None,
    };
    let audit = audit::statement_if_token_issued(&entry, &hash(access));
    repeat_refresh(db, record, &tokens(access, "second"), audit, NOW).await.expect("an answer")
}

async fn access_tokens(db: &TestDatabase) -> usize {
    run(db, statement!("SELECT token_hash FROM access_tokens")).await.expect("an answer").len()
}

async fn recorded_repeats(db: &TestDatabase) -> usize {
    run(db, statement!("SELECT id FROM audit WHERE kind = 'refresh_repeat'")).await.expect("an answer").len()
}

async fn uses(db: &TestDatabase) -> i64 {
    let uses = run(db, statement!("SELECT reuse_count FROM refresh_tokens WHERE token_hash = 'first'")).await;
    uses.expect("an answer")[0]["reuse_count"].as_i64().expect("a number")
}

#[tokio::test]
async fn repeat_stores_one_access_token_and_is_counted() {
    let (db, record) = rotated().await;
    assert_eq!(repeat(&db, &record, "access-2").await, Redemption::Redeemed);
    assert_eq!((access_tokens(&db).await, uses(&db).await, recorded_repeats(&db).await), (2, 1, 1));
}

#[tokio::test]
async fn repeat_that_was_read_before_a_revoke_stores_no_token_and_no_audit_row() {
    let (db, record) = rotated().await;
    let audit = statement!("SELECT 1 AS one");
    grants::revoke(&db, &record.grant.id, RevokeReason::Client, audit, NOW).await.expect("revoked");
    assert_eq!(repeat(&db, &record, "access-2").await, Redemption::AlreadyRedeemed);
    assert_eq!((access_tokens(&db).await, uses(&db).await, recorded_repeats(&db).await), (1, 0, 0));
}

#[tokio::test]
async fn repeat_that_was_read_before_the_successor_was_used_stores_no_token() {
    let (db, record) = rotated().await;
    let second = find_refresh(&db, &hash("second")).await.expect("an answer").expect("a token");
    rotate_refresh(&db, &second, "salt-2", "kid", &tokens("access-2", "third"), NOW).await.expect("rotated");
    assert_eq!(repeat(&db, &record, "access-3").await, Redemption::AlreadyRedeemed);
    assert_eq!((access_tokens(&db).await, uses(&db).await), (2, 0));
}

#[tokio::test]
async fn repeat_that_was_read_before_an_access_token_was_used_stores_no_token() {
    let (db, record) = rotated().await;
    grants::touch(&db, &record.grant.id, 2, NOW).await.expect("recorded");
    assert_eq!(repeat(&db, &record, "access-2").await, Redemption::AlreadyRedeemed);
    assert_eq!((access_tokens(&db).await, uses(&db).await, recorded_repeats(&db).await), (1, 0, 0));
    let record = find_refresh(&db, &hash("first")).await.expect("an answer").expect("a token");
    let RefreshState::Rotated(rotation) = record.state else { panic!("rotated") };
    assert!(rotation.unused_successor.is_none());
}

#[tokio::test]
async fn use_of_an_access_token_that_came_before_is_no_use_of_the_successor() {
    let (db, record) = rotated().await;
    grants::touch(&db, &record.grant.id, 1, NOW).await.expect("recorded");
    assert_eq!(repeat(&db, &record, "access-2").await, Redemption::Redeemed);
}

#[tokio::test]
async fn repeat_beyond_the_last_one_allowed_stores_no_token_and_the_record_says_until_when() {
    let (db, record) = rotated().await;
    for count in 2..=MAX_ACCESS_TOKENS {
        assert_eq!(repeat(&db, &record, &format!("access-{count}")).await, Redemption::Redeemed);
    }
    assert_eq!(repeat(&db, &record, "one too many").await, Redemption::AlreadyRedeemed);
    assert_eq!(uses(&db).await, MAX_ACCESS_TOKENS - 1);
    let record = find_refresh(&db, &hash("first")).await.expect("an answer").expect("a token");
    let RefreshState::Rotated(rotation) = record.state else { panic!("rotated") };
    assert_eq!(rotation.free_at, Some(NOW + Duration::from_hours(1)));
}

#[tokio::test]
async fn redemption_and_rotation_that_were_read_before_a_revoke_store_no_token() {
    let (db, record) = rotated().await;
    let code = statement!(
        "INSERT INTO codes (code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
         VALUES ('code', 'g', 'r', 'c', 900, 9000)"
    );
    run(&db, code).await.expect("a code");
    let second = find_refresh(&db, &hash("second")).await.expect("an answer").expect("a token");
    let audit = statement!("SELECT 1 AS one");
    grants::revoke(&db, &record.grant.id, RevokeReason::Client, audit, NOW).await.expect("revoked");
    let redeemed = redeem_code(&db, &hash("code"), "nonce", &tokens("access-2", "third"), NOW).await;
    assert_eq!(redeemed.expect("an answer"), Redemption::AlreadyRedeemed);
    let rotated = rotate_refresh(&db, &second, "salt-2", "kid", &tokens("access-3", "third"), NOW).await;
    assert_eq!(rotated.expect("an answer"), Redemption::AlreadyRedeemed);
    assert_eq!(access_tokens(&db).await, 1);
}

#[tokio::test]
async fn failed_attempt_counts_against_its_own_code_only() {
    let (db, _) = rotated().await;
    db.insert_grant("h");
    db.execute("UPDATE grants SET scope = 'mcp.pages.read'");
    for (code, grant) in [("one", "g"), ("other", "h")] {
        let insert = statement!(
            "INSERT INTO codes (code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
             VALUES (?1, ?2, 'r', ?3, 900, 9000)",
            code,
            grant,
            "c".repeat(43),
        );
        run(&db, insert).await.expect("a code");
    }
    count_failed_attempt(&db, &hash("one")).await.expect("counted");
    for (code, expected) in [("one", 1), ("other", 0)] {
        let counted = run(&db, statement!("SELECT failed_attempts FROM codes WHERE code_hash = ?1", code)).await;
        assert_eq!(counted.expect("an answer")[0]["failed_attempts"].as_i64(), Some(expected), "{code}");
    }
}
