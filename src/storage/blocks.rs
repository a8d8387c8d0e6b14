//! Blocks: an admin keeps a person's client away from a page.
//!
//! A block outlives the connection. A loopback client can return with any client id, so its block covers all loopback
//! clients of the person; a client with a listed https redirect URI, which no other client can use, is blocked alone.
//! The view `blocked_grants` is the only definition of this.

use super::audit::{Change, statement_for_change};
use super::connections::{ConnectionKey, ListPosition, json_keys};
use super::{Counted, Result, json_list, read, run, statement};
use crate::model::flag;
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::ports::{Database, Statement};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
pub struct Block {
    pub user_id: UserId,
    /// The person's name when the client was blocked.
    pub user_name: String,
    /// The client that was blocked.
    pub client_id: ClientId,
    pub client_name: String,
    pub page_id: PageId,
    /// `true` if it covers all of the person's clients on a loopback address.
    #[serde(deserialize_with = "flag")]
    pub is_loopback: bool,
    pub blocked_at: Timestamp,
    /// The admin's name at that time.
    pub blocked_by_name: String,
    /// Position of the block in the list.
    #[serde(skip)]
    pub position: ListPosition,
}

/// Blocks each target on its page. The calling function has checked that the actor administers the pages.
pub async fn block(db: &dyn Database, change: &Change<'_>) -> Result<()> {
    // Any grant on a loopback address counts, ended or not: any program could claim the client id.
    let insert = statement!(
        "INSERT INTO page_blocks
           (user_id, client_id, page_id, is_loopback, user_name, client_name, blocked_at, blocked_by, blocked_by_name)
         SELECT g.user_id, g.client_id, json_extract(t.value, '$.page_id'), max(g.is_loopback), g.user_name, g.client_name, ?2, ?3, ?4
         FROM json_each(?1) t JOIN grants g
           ON g.user_id = json_extract(t.value, '$.user_id') AND g.client_id = json_extract(t.value, '$.client_id')
         WHERE true GROUP BY t.key
         ON CONFLICT (user_id, client_id, page_id) DO UPDATE SET is_loopback = max(is_loopback, excluded.is_loopback)",
        change.json_targets(),
        change.created_at,
        change.actor,
        change.actor_name,
    );
    db.batch(&[insert, statement_for_change(change)]).await.map(drop)
}

pub async fn unblock(db: &dyn Database, change: &Change<'_>) -> Result<()> {
    let delete = statement!(
        "DELETE FROM page_blocks WHERE (user_id, client_id, page_id) IN
           (SELECT json_extract(value, '$.user_id'), json_extract(value, '$.client_id'), json_extract(value, '$.page_id')
            FROM json_each(?1))",
        change.json_targets(),
    );
    db.batch(&[delete, statement_for_change(change)]).await.map(drop)
}

/// Blocks on these pages after the position, the newest first, and the number of all before and after it.
pub async fn list(
    db: &dyn Database,
    pages: &[PageId],
    after: Option<&ListPosition>,
    limit: usize,
) -> Result<(Vec<Block>, usize)> {
    let select = statement!(
        "SELECT * FROM (
           SELECT user_id, user_name, client_id, client_name, page_id, is_loopback, blocked_at, blocked_by_name,
             printf('%012d %d', 999999999999 - blocked_at, page_id) AS sort_key, count(*) OVER () AS total
           FROM page_blocks WHERE page_id IN (SELECT value FROM json_each(?1)))
         WHERE ?2 IS NULL OR (sort_key, user_id, client_id) > (?2, ?3, ?4)
         ORDER BY sort_key, user_id, client_id LIMIT ?5",
        json_list(pages),
        after.map(|position| position.sort_key.as_str()),
        after.map(|position| position.user_id.as_str()),
        after.map(|position| position.client_id.as_str()),
        i64::try_from(limit).unwrap_or(i64::MAX),
    );
    let rows = run(db, select).await?;
    let total = rows.first().map(read::<Counted>).transpose()?.map_or(0, |row| row.total);
    let block = |row| Ok(Block { position: read(row)?, ..read(row)? });
    Ok((rows.iter().map(block).collect::<Result<_>>()?, total))
}

/// The blocks on these pages that may cover the connections: of exactly that client, or of any loopback client of its person.
pub async fn list_of_connections(
    db: &dyn Database,
    pages: &[PageId],
    connections: &[ConnectionKey],
) -> Result<Vec<Block>> {
    let select = statement!(
        "SELECT b.* FROM page_blocks b
         WHERE user_id IN (SELECT json_extract(value, '$[0]') FROM json_each(?2)) AND page_id IN (SELECT value FROM json_each(?1))
           AND (is_loopback = 1 OR (user_id, client_id) IN
                (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?2)))
         ORDER BY user_id, client_id, page_id",
        json_list(pages),
        json_keys(connections),
    );
    super::list(db, select).await
}

/// The number of blocks on these pages.
pub(super) fn select_count(pages: &[PageId]) -> Statement {
    statement!(
        "SELECT count(*) AS total FROM page_blocks WHERE page_id IN (SELECT value FROM json_each(?1))",
        json_list(pages),
    )
}

#[cfg(test)]
mod tests {
    use super::super::audit::{AuditKind, ChangeTarget};
    use super::super::testing::TestDatabase;
    use super::*;
    use crate::model::ids::RequestId;

    const PAGE: PageId = PageId::new(7).expect("an id");

    /// Blocks, or lifts the block of, the client `cursor` of user 42 on page 7.
    async fn change_block(db: &TestDatabase, id: &str, kind: AuditKind) {
        let target = ChangeTarget {
            user_id: UserId::parse("42").expect("an id"),
            user_name: "Mara".into(),
            client_id: "cursor".into(),
            client_name: "Cursor".into(),
            page_id: Some(PAGE),
        };
        let change = Change {
            id: id.into(),
            created_at: Timestamp::from_seconds(9),
            kind,
            actor: &UserId::parse("1").expect("an id"),
            actor_name: "Ada",
            targets: &[target],
            request_id: &RequestId::parse("r").expect("an id"),
        };
        match kind {
            AuditKind::PageBlock => block(db, &change).await.expect("blocked"),
            _ => unblock(db, &change).await.expect("lifted"),
        }
    }

    /// The blocks on pages 7 and 8: whose, which client, which page, whether it covers loopback clients.
    async fn blocks(db: &TestDatabase) -> Vec<String> {
        let pages = [PAGE, PageId::new(8).expect("an id")];
        let (blocks, _) = list(db, &pages, None, 100).await.expect("a list");
        let shown = |block: &Block| {
            format!("{} {} {} {}", block.user_id, block.client_id.as_str(), block.page_id, block.is_loopback)
        };
        blocks.iter().map(shown).collect()
    }

    #[tokio::test]
    async fn unblock_lifts_the_block_of_that_person_client_and_page_only() {
        let db = TestDatabase::new();
        for (user, client, page) in [(42, "cursor", 7), (42, "cursor", 8), (42, "other", 7), (43, "cursor", 7)] {
            db.execute(&format!(
                "INSERT INTO page_blocks VALUES ('{user}', '{client}', {page}, 0, 'U', 'C', 1, '1', 'Ada')"
            ));
        }
        change_block(&db, "lift", AuditKind::PageUnblock).await;
        assert_eq!(blocks(&db).await, ["42 other 7 false", "43 cursor 7 false", "42 cursor 8 false"]);
    }

    #[tokio::test]
    async fn block_covers_loopback_clients_once_any_grant_of_the_client_was_on_loopback() {
        let db = TestDatabase::new();
        db.insert_grant("web");
        change_block(&db, "first", AuditKind::PageBlock).await;
        assert_eq!(blocks(&db).await, ["42 cursor 7 false"]);
        db.insert_grant("loopback");
        db.execute("UPDATE grants SET is_loopback = 1, revoked_at = 1, revoke_reason = 'user' WHERE id = 'loopback'");
        change_block(&db, "second", AuditKind::PageBlock).await;
        assert_eq!(blocks(&db).await, ["42 cursor 7 true"]);
    }
}
