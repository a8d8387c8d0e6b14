//! The activity that the admin page shows: audit rows of a person's own connections and of the pages they administer.

use super::audit::AuditId;
use super::{Result, json_list, read, run, statement};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::ports::{Database, Row, Statement};
use serde::Deserialize;

/// Maximum rows of one page of the list.
pub const PAGE_LENGTH: usize = 20;

/// A row as stored. Stored words are not parsed into enums: a row may have been written by an older or newer version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recorded {
    pub id: AuditId,
    pub created_at: Timestamp,
    pub kind: String,
    pub outcome: String,
    /// Through which program; its id.
    pub client_id: String,
    /// Through which program; its name then.
    pub client_name: String,
    /// The page of a write.
    pub page_id: Option<PageId>,
    /// The tool of a write.
    pub tool: Option<String>,
    /// The object that a write created or changed.
    pub target_id: Option<String>,
    pub title: Option<String>,
    pub request_id: String,
    pub detail: Option<String>,
    /// Number of refused calls that the row represents.
    pub calls: Option<i64>,
    /// The result that a later attempt found for an unknown outcome.
    pub resolution: Option<String>,
}

/// One page of a person's rows, newest first.
pub async fn recent(db: &dyn Database, user_id: &UserId, limit: u32) -> Result<Vec<Recorded>> {
    let select = statement!(
        "SELECT id, created_at, kind, outcome, client_id, client_name, page_id, tool, target_id, title, request_id, detail, \
         calls, resolution FROM audit WHERE user_id = ?1 ORDER BY created_at DESC, rowid DESC LIMIT ?2",
        user_id,
        limit,
    );
    super::list(db, select).await
}

/// Position in the list: after the row with this time and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The time of the last row shown.
    pub created_at: Timestamp,
    /// Its number, which orders rows of one second.
    pub row: i64,
}

/// Whose activity, and how much of it.
pub struct Query<'a> {
    /// The person whose own connections are shown.
    pub user_id: &'a UserId,
    /// Pages whose audit logs the person may see here; rows about no page are always shown.
    pub visible: &'a [PageId],
    /// Pages on which the writes of all people are shown.
    pub administered: &'a [PageId],
    pub page: Option<PageId>,
    pub client_id: Option<&'a str>,
    pub outcome: Option<&'a str>,
    pub before: Option<Position>,
}

/// One row, with whose it is and where the list goes on.
#[derive(Clone, Debug)]
pub struct ActivityRow {
    pub row: Recorded,
    pub user_id: UserId,
    number: i64,
}

#[derive(Deserialize)]
struct ActivityColumns {
    user_id: UserId,
    row: i64,
}

impl ActivityRow {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let ActivityColumns { user_id, row: number } = read(row)?;
        Ok(Self { row: read(row)?, user_id, number })
    }

    /// Where the list goes on behind it.
    pub fn position(&self) -> Position {
        Position { created_at: self.row.created_at, row: self.number }
    }
}

/// One page of the list, newest first, plus one row if there are more. Two bounded index scans.
pub async fn list(db: &dyn Database, query: &Query<'_>) -> Result<Vec<ActivityRow>> {
    run(db, select(query)).await?.iter().map(ActivityRow::read).collect()
}

/// Approvals are shown in the list of connections, so only declined ones are listed here.
/// Admins see a refused write only if its caller could access the page: the write acquired a lease, or its row names
/// the accessed page.
pub(super) fn select(query: &Query<'_>) -> Statement {
    statement!(
        "WITH own AS (
           SELECT rowid AS row, * FROM audit
           WHERE user_id = ?1
             AND (kind IN ('write', 'revoke', 'pause', 'resume', 'confirm', 'page_block', 'page_unblock', 'unrecorded',
                           'refresh_reuse_in_grace_period', 'access_token_revoke')
                  OR kind = 'approval' AND outcome <> 'done')
             AND (page_id IS NULL OR page_id IN (SELECT value FROM json_each(?2)))
             AND (?4 IS NULL OR page_id = ?4) AND (?5 IS NULL OR client_id = ?5) AND (?6 IS NULL OR outcome = ?6)
             AND (?7 IS NULL OR created_at < ?7 OR (created_at = ?7 AND rowid < ?8))
           ORDER BY created_at DESC, rowid DESC LIMIT ?9
         ), administered AS (
           SELECT rowid AS row, * FROM audit
           WHERE page_id IN (SELECT value FROM json_each(?3)) AND kind IN ('write', 'page_block', 'page_unblock')
             AND (kind <> 'write' OR outcome NOT IN ('refused', 'failed')
                  OR key_hash IS NOT NULL OR asked_page_id IS NOT NULL)
             AND (?4 IS NULL OR page_id = ?4) AND (?5 IS NULL OR client_id = ?5) AND (?6 IS NULL OR outcome = ?6)
             AND (?7 IS NULL OR created_at < ?7 OR (created_at = ?7 AND rowid < ?8))
           ORDER BY created_at DESC, rowid DESC LIMIT ?9
         )
         SELECT * FROM own UNION SELECT * FROM administered ORDER BY created_at DESC, row DESC LIMIT ?9",
        query.user_id,
        json_list(query.visible),
        json_list(query.administered),
        query.page,
        query.client_id,
        query.outcome,
        query.before.map(|position| position.created_at),
        query.before.map(|position| position.row),
        PAGE_LENGTH + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;

    /// The ids of the rows that person 42 is shown, in order.
    async fn shown(db: &TestDatabase, visible: &[PageId], administered: &[PageId]) -> Vec<String> {
        let user_id = UserId::parse("42").expect("an id");
        let query = Query {
            user_id: &user_id,
            visible,
            administered,
            page: None,
            client_id: None,
            outcome: None,
            before: None,
        };
        let mut ids: Vec<String> =
            list(db, &query).await.expect("a list").into_iter().map(|shown| shown.row.id.as_str().to_owned()).collect();
        ids.sort();
        ids
    }

    fn insert(db: &TestDatabase, id: &str, user: &str, page: &str, more: &str) {
        db.execute(&format!(
            "INSERT INTO audit (id, created_at, kind, client_id, client_name, grant_id, request_id, user_id, page_id, outcome, key_hash,
             asked_page_id) VALUES ('{id}', 1, 'write', 'c', 'C', 'g', 'r', '{user}', {page}, {more})"
        ));
    }

    #[tokio::test]
    async fn own_rows_show_only_for_pages_that_are_visible_now() {
        let db = TestDatabase::new();
        insert(&db, "here", "42", "7", "'done', NULL, NULL");
        insert(&db, "there", "42", "8", "'done', NULL, NULL");
        insert(&db, "nowhere", "42", "NULL", "'done', NULL, NULL");
        assert_eq!(shown(&db, &[PageId::new(7).expect("an id")], &[]).await, ["here", "nowhere"]);
    }

    #[tokio::test]
    async fn refused_row_of_another_person_shows_to_admins_only_with_proof_that_the_page_was_reached() {
        let db = TestDatabase::new();
        insert(&db, "claimed", "1", "7", "'refused', 'k', NULL");
        insert(&db, "reached", "1", "7", "'refused', NULL, 7");
        insert(&db, "done", "1", "7", "'done', NULL, NULL");
        insert(&db, "old-failed", "1", "7", "'failed', NULL, NULL");
        insert(&db, "old-refused", "1", "7", "'refused', NULL, NULL");
        assert_eq!(
            shown(&db, &[PageId::new(7).expect("an id")], &[PageId::new(7).expect("an id")]).await,
            ["claimed", "done", "reached"]
        );
        assert!(
            shown(&db, &[PageId::new(7).expect("an id")], &[]).await.is_empty(),
            "not to somebody who administers nothing"
        );
    }
}
