//! Previewed calls, stored for ten minutes so that a confirm token alone publishes them.
//!
//! Rows are never changed, so a row read before the lease is acquired can't be outdated: what may change meanwhile
//! (grant, pause, block, use of the token) is a condition of the batch that acquires the lease.

use super::audit::{self, Entry};
use super::{Result, find_one, idempotency, run, statement};
use crate::model::flag;
use crate::model::ids::{GrantId, PageId};
use crate::model::timestamp::Timestamp;
use crate::model::write::{FoundPreview, KeptPreview};
use crate::ports::{Database, DatabaseError, Statement};
use serde::Deserialize;

/// The name of a cancelled question about a write of a grant, in SQL.
macro_rules! cancelled_nonce {
    ($grant:literal, $digest:literal) => {
        concat!("'cancelled ' || ", $grant, " || ' ' || ", $digest)
    };
}

/// Maximum previews of a grant; the newest are kept.
pub const MOST_KEPT: i64 = 20;

/// Stores a preview, with its audit row if it has one, and deletes the grant's expired and surplus previews.
pub async fn keep(
    db: &dyn Database,
    grant_id: &GrantId,
    preview: &KeptPreview,
    (now, entry): (Timestamp, Option<&Entry<'_>>),
) -> Result<()> {
    let own = [insert(grant_id, preview)?, drop_surplus(grant_id, now)];
    let statements: Vec<Statement> = entry.map(audit::statement).into_iter().chain(own).collect();
    db.batch(&statements).await.map(drop)
}

fn insert(grant_id: &GrantId, preview: &KeptPreview) -> Result<Statement> {
    Ok(statement!(
        "INSERT INTO previews (token_hash, grant_id, tool, page_id, arguments, key_hash, digest, shown, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (token_hash) DO NOTHING",
        preview.token_hash.as_str(),
        grant_id,
        preview.tool.as_str(),
        preview.page_id,
        to_json(&preview.arguments)?,
        preview.key_hash.as_str(),
        preview.digest.as_str(),
        to_json(&preview.shown)?,
        preview.expires_at,
    ))
}

fn drop_surplus(grant_id: &GrantId, now: Timestamp) -> Statement {
    statement!(
        "DELETE FROM previews WHERE grant_id = ?1 AND (expires_at <= ?2 OR token_hash NOT IN \
         (SELECT token_hash FROM previews WHERE grant_id = ?1 ORDER BY expires_at DESC, rowid DESC LIMIT ?3))",
        grant_id,
        now,
        MOST_KEPT,
    )
}

/// Keeps, until then, that a client closed the question about a write without an answer. A nonce like any other, so that a purge
/// removes it; its name says which write of which grant.
pub async fn keep_cancelled_question(
    db: &dyn Database,
    grant_id: &GrantId,
    digest: &str,
    expires_at: Timestamp,
) -> Result<()> {
    let insert = statement!(
        concat!(
            "INSERT INTO used_nonces (nonce, expires_at) VALUES (",
            cancelled_nonce!("?1", "?2"),
            ", ?3) ON CONFLICT (nonce) DO UPDATE SET expires_at = excluded.expires_at"
        ),
        grant_id,
        digest,
        expires_at,
    );
    run(db, insert).await.map(drop)
}

/// Finds the preview of a genuine confirm token and says whether this grant made it; `None` if it expired or was deleted for newer
/// ones.
pub async fn find(
    db: &dyn Database,
    grant_id: &GrantId,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<FoundPreview>> {
    let select = statement!(
        concat!(
            "SELECT p.grant_id <> ?2 AS is_of_other_grant, p.token_hash, p.tool, p.page_id, p.arguments, p.key_hash, p.digest, p.shown, p.expires_at, \
             EXISTS (SELECT 1 FROM idempotency i WHERE i.grant_id = p.grant_id AND i.key_hash = p.key_hash \
               AND i.digest = p.digest AND i.started_at > ?4) AS is_known, \
             EXISTS (SELECT 1 FROM used_nonces n WHERE n.nonce = ",
            cancelled_nonce!("p.grant_id", "p.digest"),
            " AND n.expires_at > ?3) AS is_question_cancelled \
             FROM previews p WHERE p.token_hash = ?1 AND p.expires_at > ?3"
        ),
        token_hash,
        grant_id,
        now,
        now - idempotency::KEEP,
    );
    find_one::<PreviewRow>(db, select).await?.map(PreviewRow::read).transpose()
}

#[derive(Deserialize)]
struct PreviewRow {
    #[serde(deserialize_with = "flag")]
    is_of_other_grant: bool,
    token_hash: String,
    tool: String,
    page_id: PageId,
    arguments: String,
    key_hash: String,
    digest: String,
    shown: String,
    expires_at: Timestamp,
    #[serde(deserialize_with = "flag")]
    is_known: bool,
    #[serde(deserialize_with = "flag")]
    is_question_cancelled: bool,
}

impl PreviewRow {
    fn read(self) -> Result<FoundPreview> {
        let Self { token_hash, tool, page_id, arguments, key_hash, digest, shown, expires_at, .. } = self;
        let unreadable = |column: &str| DatabaseError(format!("{column} of a preview cannot be read"));
        let arguments = serde_json::from_str(&arguments).map_err(|_| unreadable("arguments"))?;
        let shown = serde_json::from_str(&shown).map_err(|_| unreadable("shown"))?;
        let preview = KeptPreview { token_hash, tool, page_id, arguments, key_hash, digest, shown, expires_at };
        let Self { is_of_other_grant, is_known, is_question_cancelled, .. } = self;
        Ok(FoundPreview { preview, is_of_other_grant, is_known, is_question_cancelled })
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| DatabaseError("a preview has no JSON form".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;
    use crate::model::write::ShownDuplicates;
    use futures_util::FutureExt as _;
    use serde_json::{Map, json};
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_000_600);

    fn now<T>(future: impl Future<Output = Result<T>>) -> T {
        future.now_or_never().expect("SQLite answers at once").expect("a working database")
    }

    fn preview(token_hash: &str, expires_at: Timestamp) -> KeptPreview {
        KeptPreview {
            token_hash: token_hash.to_owned(),
            tool: "create_incident".to_owned(),
            page_id: PageId::new(7).expect("an id"),
            arguments: Map::from_iter([("title".to_owned(), json!("Störung"))]),
            key_hash: "k".to_owned(),
            digest: "d".to_owned(),
            shown: ShownDuplicates { possible_duplicates: vec![9], duplicate: Some("mcp-x".to_owned()) },
            expires_at,
        }
    }

    fn grant(id: &str) -> GrantId {
        GrantId::parse(id).expect("an id")
    }

    fn keep_at(db: &TestDatabase, grant_id: &str, preview: &KeptPreview, at: Timestamp) {
        now(keep(db, &grant(grant_id), preview, (at, None)));
    }

    #[test]
    fn kept_preview_is_found_by_its_grant_until_it_expires() {
        let db = TestDatabase::new();
        let kept = preview("one", LATER);
        keep_at(&db, "g", &kept, NOW);
        let found = |grant_id: &str, hash: &str, at| now(find(&db, &grant(grant_id), hash, at));
        let last_second = Timestamp::from_seconds(1_000_599);
        assert_eq!(
            found("g", "one", last_second),
            Some(FoundPreview {
                preview: kept,
                is_of_other_grant: false,
                is_known: false,
                is_question_cancelled: false
            })
        );
        assert!(found("another", "one", NOW).is_some_and(|found| found.is_of_other_grant));
        for (grant_id, hash, at) in [("g", "two", NOW), ("g", "one", LATER), ("another", "one", LATER)] {
            assert_eq!(found(grant_id, hash, at), None, "{grant_id} {hash} {at}");
        }
    }

    #[test]
    fn found_preview_says_whether_its_very_write_is_known() {
        let db = TestDatabase::new();
        keep_at(&db, "g", &preview("one", LATER), NOW);
        let insert = |grant_id: &str, digest: &str| {
            db.execute(&format!(
                "INSERT OR REPLACE INTO idempotency (grant_id, key_hash, tool, page_id, digest, fields, external_id, outcome, owner, \
                 held_until_at, started_at) VALUES ('{grant_id}', 'k', 't', 7, '{digest}', '{{}}', 'x', 'done', 'o', 0, 1000000)"
            ));
            now(find(&db, &grant("g"), "one", NOW)).expect("it is kept").is_known
        };
        assert_eq!([insert("another", "d"), insert("g", "other"), insert("g", "d")], [false, false, true]);
    }

    #[test]
    fn found_preview_says_for_ten_minutes_whether_the_question_about_its_write_was_cancelled() {
        let db = TestDatabase::new();
        keep_at(&db, "g", &preview("one", LATER + Duration::from_mins(10)), NOW);
        let is_cancelled = |at| now(find(&db, &grant("g"), "one", at)).expect("it is kept").is_question_cancelled;
        let cancel = |grant_id: &str, digest: &str| {
            now(keep_cancelled_question(&db, &grant(grant_id), digest, LATER));
            is_cancelled(NOW)
        };
        assert_eq!([cancel("another", "d"), cancel("g", "other"), cancel("g", "d")], [false, false, true]);
        assert!(!is_cancelled(LATER));
        assert!(cancel("g", "d"), "once more is no error");
    }

    #[test]
    fn grant_keeps_its_newest_previews_and_no_expired_one() {
        let db = TestDatabase::new();
        keep_at(&db, "another", &preview("of another", LATER), NOW);
        let kept = || {
            let hashes = (0..30).map(|index| format!("{index}"));
            hashes.filter(|hash| now(find(&db, &grant("g"), hash, NOW)).is_some()).collect::<Vec<_>>()
        };
        for index in 0..30 {
            keep_at(&db, "g", &preview(&index.to_string(), LATER), NOW);
        }
        assert_eq!(kept(), (10..30).map(|index| index.to_string()).collect::<Vec<_>>());
        keep_at(&db, "g", &preview("new", LATER + Duration::from_mins(10)), LATER);
        assert_eq!(kept(), Vec::<String>::new());
        assert!(now(find(&db, &grant("another"), "of another", NOW)).is_some(), "each grant by itself");
    }
}
