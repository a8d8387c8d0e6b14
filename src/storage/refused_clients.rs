//! Refused clients, which operators can list.

use super::{Result, statement};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::refused::RefusedClient;
use crate::ports::Database;
use serde::Deserialize;
use std::time::Duration;

/// Number of groups that senders' networks are hashed into.
const PARTS: u32 = 32;
/// Maximum rows of one group; those seen longest ago are deleted first.
const LIMIT: i64 = 6;
/// Rows are deleted this long after they were last seen.
const KEEP: Duration = Duration::from_hours(90 * 24);

/// A refused client, with how often it came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusedClientRecord {
    #[serde(flatten)]
    pub refused: RefusedClient,
    /// The number of times it was recorded.
    pub times: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// Stores a refusal in the group of its sender's network, and deletes the oldest rows beyond the limit.
pub async fn remember(db: &dyn Database, refused: &RefusedClient, part: u32, now: Timestamp) -> Result<()> {
    let upsert = statement!(
        "INSERT INTO refused_clients (step, client, host, redirect_uri, has_query, part, times, first_at, last_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)
         ON CONFLICT (step, client, host) DO UPDATE SET times = times + 1, redirect_uri = excluded.redirect_uri,
           has_query = excluded.has_query, last_at = excluded.last_at",
        refused.step.as_str(),
        refused.client.as_str(),
        refused.host(),
        refused.redirect_uri.as_str(),
        refused.has_query,
        part % PARTS,
        now,
    );
    let bound = statement!(
        "DELETE FROM refused_clients WHERE last_at <= ?3 OR part = ?1 AND (step, client, host) NOT IN
         (SELECT step, client, host FROM refused_clients WHERE part = ?1 ORDER BY last_at DESC, step, client, host LIMIT ?2)",
        part % PARTS,
        LIMIT,
        now - KEEP,
    );
    db.batch(&[upsert, bound]).await.map(drop)
}

/// Lists the recorded clients, the latest first.
pub async fn list(db: &dyn Database) -> Result<Vec<RefusedClientRecord>> {
    let select = statement!(
        "SELECT step, client, redirect_uri, has_query, times, first_at, last_at FROM refused_clients
         ORDER BY last_at DESC, step, client, host LIMIT 500",
    );
    super::list(db, select).await
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;

    async fn remember_at(db: &TestDatabase, client: &str, part: u32, second: i64) {
        let refused = RefusedClient::at_authorization(client, "https://a.example/").expect("kept");
        remember(db, &refused, part, Timestamp::from_seconds(second)).await.expect("remembered");
    }

    #[tokio::test]
    async fn repeats_are_counted_and_a_part_cannot_push_out_another() {
        let db = TestDatabase::new();
        remember_at(&db, "other", 1, 0).await;
        for second in 1..=100 {
            remember_at(&db, &format!("c{second}"), 0, second).await;
            remember_at(&db, &format!("c{second}"), 0, second).await;
        }
        let kept = list(&db).await.expect("a list");
        assert_eq!(i64::try_from(kept.len()), Ok(LIMIT + 1));
        assert_eq!((kept[0].refused.client.as_str(), kept[0].times), ("c100", 2));
        assert!(kept.iter().any(|refusal| refusal.refused.client == "other"), "a part of its own");
    }

    #[tokio::test]
    async fn refusal_that_is_not_seen_again_goes_after_90_days() {
        let db = TestDatabase::new();
        remember_at(&db, "old", 1, 0).await;
        remember_at(&db, "new", 0, 91 * 86_400).await;
        assert_eq!(list(&db).await.expect("a list").len(), 1);
    }
}
