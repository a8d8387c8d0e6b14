//! The activity that the admin page shows: audit rows of a person's own connections and of the pages they administer.

use super::audit::AuditId;
use super::{Counted, Result, json_list, read, read_all, statement};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::ports::{Database, Statement, Value};
use serde::Deserialize;

/// Maximum rows of one page of the list.
pub const PAGE_LENGTH: usize = 20;
/// Rows are counted up to this number; more are said to be more.
pub const COUNTED: usize = 500;

/// A row as stored. Stored words are not parsed into enums: a row may have been written by an older or newer version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ActivityRow {
    pub id: AuditId,
    /// Its number, which orders rows of one second.
    pub(super) row: i64,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub kind: String,
    pub outcome: String,
    /// Through which program; its id.
    pub client_id: String,
    /// Through which program; its name then.
    pub client_name: String,
    /// Name of the acting person at that time; empty in rows of older versions.
    pub user_name: String,
    /// The page of a write, or of a block.
    pub page_id: Option<PageId>,
    /// The tool of a write.
    pub tool: Option<String>,
    /// The object that a write created or changed; the person whose connection was changed.
    pub target_id: Option<String>,
    /// That person's name, as it was.
    pub owner_name: Option<String>,
    pub title: Option<String>,
    /// Addresses of the written object.
    pub public_url: Option<String>,
    pub admin_url: Option<String>,
    pub request_id: String,
    pub detail: Option<String>,
    /// Number of refused calls that the row represents.
    pub calls: Option<i64>,
    /// The result that a later attempt found for an unknown outcome.
    pub resolution: Option<String>,
}

/// Position in the list: after the row with this time and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The time of the last row shown.
    pub created_at: Timestamp,
    /// Its number, which orders rows of one second.
    pub row: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub since: Timestamp,
    /// The first second after it.
    pub until: Timestamp,
}

impl Default for Period {
    fn default() -> Self {
        Self { since: Timestamp::from_seconds(0), until: Timestamp::from_seconds(i64::MAX) }
    }
}

/// Whose activity, and which part of it.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The person whose own connections are shown.
    pub user_id: &'a UserId,
    /// Pages whose audit logs the person may see here; rows about no page are always shown.
    pub visible: &'a [PageId],
    /// Pages on which the writes of all people are shown.
    pub administered: &'a [PageId],
    /// The acting person, or the person of a blocked connection.
    pub person: Option<&'a UserId>,
    /// The exact name of the app.
    pub app: Option<&'a str>,
    pub client_id: Option<&'a str>,
    pub page: Option<PageId>,
    pub outcome: Option<&'a str>,
    pub period: Period,
    pub before: Option<Position>,
    pub limit: usize,
}

impl ActivityRow {
    /// Where the list goes on behind it.
    pub fn position(&self) -> Position {
        Position { created_at: self.created_at, row: self.row }
    }
}

/// One page of the list, newest first, with the number of all rows that match, up to one more than [`COUNTED`].
pub async fn list(db: &dyn Database, query: &Query<'_>) -> Result<(Vec<ActivityRow>, usize)> {
    let mut answers = db.batch(&[select(query), select_count(query)]).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let rows = read_all(&next())?;
    Ok((rows, next().first().map(read::<Counted>).transpose()?.map_or(0, |row| row.total)))
}

/// One page of the list alone.
pub async fn list_rows(db: &dyn Database, query: &Query<'_>) -> Result<Vec<ActivityRow>> {
    super::list(db, select(query)).await
}

/// A row that the filter wants, after the position.
macro_rules! is_wanted {
    () => {
        "(?4 IS NULL OR page_id = ?4) AND (?5 IS NULL OR client_id = ?5) AND (?6 IS NULL OR outcome = ?6)
             AND (?7 IS NULL OR client_name = ?7)
             AND (?8 IS NULL OR user_id = ?8 OR kind IN ('page_block', 'page_unblock') AND target_id = ?8)
             AND created_at >= ?9 AND created_at < ?10
             AND (?11 IS NULL OR created_at < ?11 OR (created_at = ?11 AND rowid < ?12))
           ORDER BY created_at DESC, rowid DESC LIMIT ?13"
    };
}

/// A row on an administered page that its admins see. They see a refused write only if its caller could access the page: the write
/// acquired a lease, or its row names the accessed page.
macro_rules! is_seen_by_admins {
    () => {
        "kind IN ('write', 'page_block', 'page_unblock')
             AND (kind <> 'write' OR outcome NOT IN ('refused', 'failed')
                  OR key_hash IS NOT NULL OR asked_page_id IS NOT NULL)"
    };
}

/// The newest rows that the viewer may see and the filter wants: of their own, and of each administered page. Each part is a search
/// in an index that ends at the limit.
macro_rules! matching {
    () => {
        concat!(
            "WITH own AS (
           SELECT rowid AS row FROM audit
           WHERE user_id = ?1
             AND (kind IN ('write', 'revoke', 'pause', 'resume', 'confirm', 'narrow', 'page_block', 'page_unblock', 'unrecorded',
                           'refresh_repeat', 'access_token_revoke')
                  OR kind = 'approval' AND outcome <> 'done')
             AND (page_id IS NULL OR page_id IN (SELECT value FROM json_each(?2)))
             AND ",
            is_wanted!(),
            "), administered AS (
           SELECT a.rowid AS row FROM json_each(?3) p JOIN audit a ON a.rowid IN (
             SELECT rowid FROM audit WHERE page_id = p.value AND ",
            is_seen_by_admins!(),
            " AND ",
            is_wanted!(),
            ")), matching AS (SELECT row FROM own UNION SELECT row FROM administered) "
        )
    };
}

/// Approvals are shown in the list of connections, so only declined ones are listed here.
pub(super) fn select(query: &Query<'_>) -> Statement {
    let sql = concat!(
        matching!(),
        "SELECT row, a.* FROM matching JOIN audit a ON a.rowid = row ORDER BY created_at DESC, row DESC LIMIT ?13"
    );
    Statement { sql, values: values(query) }
}

fn select_count(query: &Query<'_>) -> Statement {
    let query = Query { before: None, limit: COUNTED + 1, ..query.clone() };
    let sql = concat!(matching!(), "SELECT count(*) AS total FROM (SELECT 1 FROM matching LIMIT ?13)");
    Statement { sql, values: values(&query) }
}

fn values(query: &Query<'_>) -> Vec<Value> {
    vec![
        query.user_id.into(),
        json_list(query.visible).into(),
        json_list(query.administered).into(),
        query.page.into(),
        query.client_id.into(),
        query.outcome.into(),
        query.app.into(),
        query.person.into(),
        query.period.since.into(),
        query.period.until.into(),
        query.before.map(|position| position.created_at).into(),
        query.before.map(|position| position.row).into(),
        i64::try_from(query.limit).unwrap_or(i64::MAX).into(),
    ]
}

/// A person and an app that rows of the activity name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct ActivityActor {
    pub user_id: UserId,
    pub user_name: String,
    pub client_name: String,
}

/// The people and apps to filter by: the viewer's own connections; others whose rows the viewer may see; who blocked whom on an
/// administered page. A connection is known until 90 days after its end.
pub async fn list_actors(db: &dyn Database, user_id: &UserId, administered: &[PageId]) -> Result<Vec<ActivityActor>> {
    super::list(db, select_actors(user_id, administered)).await
}

fn select_actors(user_id: &UserId, administered: &[PageId]) -> Statement {
    statement!(
        concat!(
            "WITH known AS (
           SELECT user_id, client_id FROM grants WHERE user_id = ?1
           UNION SELECT user_id, client_id FROM page_access WHERE page_id IN (SELECT value FROM json_each(?2))
         )
         SELECT g.user_id, g.user_name, g.client_name FROM known JOIN grants g ON g.user_id = known.user_id AND g.client_id = known.client_id
         WHERE g.user_id = ?1 OR EXISTS (SELECT 1 FROM audit a WHERE a.user_id = g.user_id AND a.client_id = g.client_id
           AND page_id IN (SELECT value FROM json_each(?2)) AND ",
            is_seen_by_admins!(),
            ")
         UNION SELECT user_id, user_name, client_name FROM page_blocks WHERE page_id IN (SELECT value FROM json_each(?2))
         UNION SELECT blocked_by, blocked_by_name, client_name FROM page_blocks WHERE page_id IN (SELECT value FROM json_each(?2))"
        ),
        user_id,
        json_list(administered),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;

    fn unfiltered<'a>(user_id: &'a UserId, visible: &'a [PageId], administered: &'a [PageId]) -> Query<'a> {
        Query {
            user_id,
            visible,
            administered,
            person: None,
            app: None,
            client_id: None,
            page: None,
            outcome: None,
            period: Period::default(),
            before: None,
            limit: PAGE_LENGTH,
        }
    }

    /// The ids of the rows that person 42 is shown, in order.
    async fn shown(db: &TestDatabase, visible: &[PageId], administered: &[PageId]) -> Vec<String> {
        let user_id = UserId::parse("42").expect("an id");
        let query = unfiltered(&user_id, visible, administered);
        let mut ids: Vec<String> = list_rows(db, &query)
            .await
            .expect("a list")
            .into_iter()
            .map(|shown| shown.id.as_str().to_owned())
            .collect();
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

    #[tokio::test]
    async fn activity_of_many_pages_is_searched_in_an_index_for_each_page() {
        let db = TestDatabase::new();
        let user_id = UserId::parse("42").expect("an id");
        let pages = [PageId::new(7).expect("an id")];
        let query = unfiltered(&user_id, &pages, &pages);
        for statement in [select(&query), select_count(&query), select_actors(&user_id, &pages)] {
            let plan = db.plan(&statement);
            let is_scan =
                |step: &&String| step.contains("SCAN audit") || step.contains("SCAN a ") || step.ends_with("SCAN a");
            assert!(!plan.iter().any(|step| is_scan(&step)), "{plan:#?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN g") || step.contains("SCAN page_")), "{plan:#?}");
        }
        let plan = db.plan(&select(&query));
        for index in [
            "audit_by_user (user_id=? AND created_at>? AND created_at<?)",
            "audit_by_page (page_id=? AND created_at>? AND created_at<?)",
        ] {
            assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:#?}");
        }
    }
}
