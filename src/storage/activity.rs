//! The activity that the admin page shows: audit rows of a person's own connections and of the pages they administer.

use super::audit::{Recorded, recorded};
use super::{Result, json_list, run, statement};
use crate::ids::{PageId, UserId};
use crate::ports::Database;
use crate::timestamp::Timestamp;

/// Rows of one page of the list.
pub const PAGE_LENGTH: usize = 20;

/// Where a list goes on: behind the row of that time and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The time of the last row shown.
    pub at: Timestamp,
    /// Its number; rows of one second are told apart by it.
    pub row: i64,
}

/// Whose activity, and how much of it.
pub struct Query<'a> {
    /// The person whose own connections are shown.
    pub user_id: &'a UserId,
    /// Pages whose audit logs the person may see here; rows about no page are always shown.
    pub visible: &'a [PageId],
    /// Those of them where the writes of everybody are shown.
    pub administered: &'a [PageId],
    /// Only this page.
    pub page: Option<PageId>,
    /// Only this client.
    pub client_id: Option<&'a str>,
    /// Only this outcome.
    pub outcome: Option<&'a str>,
    /// Only what is older.
    pub before: Option<Position>,
}

/// One row, with whose it is and where the list goes on.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The row.
    pub row: Recorded,
    /// In whose name.
    pub user_id: UserId,
    /// Where the list goes on behind it.
    pub position: Position,
}

/// One page of the list, newest first, and one row more if there is one. Two bounded walks along an index each.
pub async fn list(db: &dyn Database, query: &Query<'_>) -> Result<Vec<Shown>> {
    let select = statement!(
        "WITH own AS (
           SELECT rowid AS row, * FROM audit
           WHERE user_id = ?1 AND kind IN ('write', 'revoke', 'pause', 'resume', 'page_cut', 'page_uncut')
             AND (page_id IS NULL OR page_id IN (SELECT value FROM json_each(?2)))
             AND (?4 IS NULL OR page_id = ?4) AND (?5 IS NULL OR client_id = ?5) AND (?6 IS NULL OR outcome = ?6)
             AND (?7 IS NULL OR at < ?7 OR (at = ?7 AND rowid < ?8))
           ORDER BY at DESC, rowid DESC LIMIT ?9
         ), administered AS (
           SELECT rowid AS row, * FROM audit
           WHERE page_id IN (SELECT value FROM json_each(?3)) AND kind IN ('write', 'page_cut', 'page_uncut')
             AND (?4 IS NULL OR page_id = ?4) AND (?5 IS NULL OR client_id = ?5) AND (?6 IS NULL OR outcome = ?6)
             AND (?7 IS NULL OR at < ?7 OR (at = ?7 AND rowid < ?8))
           ORDER BY at DESC, rowid DESC LIMIT ?9
         )
         SELECT * FROM own UNION SELECT * FROM administered ORDER BY at DESC, row DESC LIMIT ?9",
        query.user_id.0.as_str(),
        json_list(query.visible),
        json_list(query.administered),
        query.page.map(|page| page.0),
        query.client_id,
        query.outcome,
        query.before.map(|position| position.at),
        query.before.map(|position| position.row),
        i64::try_from(PAGE_LENGTH + 1).unwrap_or(i64::MAX),
    );
    let rows = run(db, select).await?;
    let shown = rows.iter().map(|row| {
        let position = Position { at: row.time("at")?, row: row.integer("row")? };
        Ok(Shown { row: recorded(row)?, user_id: UserId(row.text("user_id")?), position })
    });
    shown.collect()
}
