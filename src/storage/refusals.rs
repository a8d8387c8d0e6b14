//! Redirect URIs that were refused, for admins to see what a client that cannot connect would need.

use super::{Result, Select, statement};
use crate::oauth::client::diagnosis::RefusedRedirect;
use crate::ports::{Database, Row};
use crate::timestamp::Timestamp;

/// Rows kept; the ones seen longest ago go first.
const LIMIT: i64 = 50;

/// A refused redirect URI, with how often it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who asked for what.
    pub refused: RefusedRedirect,
    /// How often it was remembered.
    pub times: i64,
    /// The last time.
    pub last_at: Timestamp,
}

/// Remembers a refusal, and forgets the oldest when there are too many.
pub async fn remember(db: &dyn Database, refused: &RefusedRedirect, now: Timestamp) -> Result<()> {
    let upsert = statement!(
        "INSERT INTO refused_redirects (client_id, redirect_uri, times, last_at) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (client_id, redirect_uri) DO UPDATE SET times = times + 1, last_at = excluded.last_at",
        refused.client_id.as_str(),
        refused.redirect_uri.as_str(),
        now,
    );
    let bound = statement!(
        "DELETE FROM refused_redirects WHERE (client_id, redirect_uri) NOT IN
         (SELECT client_id, redirect_uri FROM refused_redirects ORDER BY last_at DESC, client_id, redirect_uri LIMIT ?1)",
        LIMIT,
    );
    db.batch(&[upsert, bound]).await.map(drop)
}

/// What is remembered, the latest first.
pub(super) fn select() -> Select<Refusal> {
    let statement = statement!(
        "SELECT client_id, redirect_uri, times, last_at FROM refused_redirects ORDER BY last_at DESC, client_id, redirect_uri
         LIMIT ?1",
        LIMIT,
    );
    let read = |row: &Row| {
        let refused = RefusedRedirect { client_id: row.text("client_id")?, redirect_uri: row.text("redirect_uri")? };
        Ok(Refusal { refused, times: row.integer("times")?, last_at: row.time("last_at")? })
    };
    Select { statement, read }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;

    #[tokio::test]
    async fn repeats_are_counted_and_the_table_stays_small() {
        let db = TestDatabase::new();
        for second in 0..=LIMIT {
            let refused =
                RefusedRedirect { client_id: format!("c{second}"), redirect_uri: "https://a.example/".into() };
            remember(&db, &refused, Timestamp::from_seconds(second)).await.expect("remembered");
            remember(&db, &refused, Timestamp::from_seconds(second)).await.expect("remembered");
        }
        let kept = select().run(&db).await.expect("a list");
        assert_eq!(i64::try_from(kept.len()), Ok(LIMIT));
        assert_eq!((kept[0].refused.client_id.as_str(), kept[0].times), ("c50", 2));
        assert!(kept.iter().all(|refusal| refusal.refused.client_id != "c0"), "the oldest is gone");
    }
}
