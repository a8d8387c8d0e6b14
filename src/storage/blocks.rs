//! Blocks: an admin keeps a person's client away from a page.
//!
//! A block outlives the connection. A loopback client can return with any client id, so its block covers all loopback
//! clients of the person; a client with a listed https redirect URI, which no other client can use, is blocked alone.
//! The view `blocked_grants` is the only definition of this.

use super::audit::{Change, statement_for_change};
use super::{Result, json_list, statement};
use crate::model::flag;
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::ports::{Database, Statement};
use serde::Deserialize;

/// Maximum blocks of one query.
const LIMIT: i64 = 500;

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
}

/// Blocks a client on a page. The calling function has checked that the actor administers the page.
pub async fn block(db: &dyn Database, change: &Change<'_>, page_id: PageId) -> Result<()> {
    // Any grant on a loopback address counts, ended or not: any program could claim the client id.
    let insert = statement!(
        "INSERT INTO page_blocks (user_id, client_id, page_id, is_loopback, user_name, client_name, blocked_at, blocked_by)
         SELECT user_id, client_id, ?3, max(is_loopback), user_name, client_name, ?4, ?5 FROM grants
         WHERE user_id = ?1 AND client_id = ?2 GROUP BY user_id, client_id
         ON CONFLICT (user_id, client_id, page_id) DO UPDATE SET is_loopback = max(is_loopback, excluded.is_loopback)",
        change.owner,
        change.client_id,
        page_id,
        change.created_at,
        change.actor,
    );
    db.batch(&[insert, statement_for_change(change)]).await.map(drop)
}

pub async fn unblock(db: &dyn Database, change: &Change<'_>, page_id: PageId) -> Result<()> {
    let delete = statement!(
        "DELETE FROM page_blocks WHERE user_id = ?1 AND client_id = ?2 AND page_id = ?3",
        change.owner,
        change.client_id,
        page_id,
    );
    db.batch(&[delete, statement_for_change(change)]).await.map(drop)
}

/// The blocks on these pages.
pub async fn list_by_pages(db: &dyn Database, pages: &[PageId]) -> Result<Vec<Block>> {
    super::list(db, select_by_pages(pages)).await
}

pub(super) fn select_by_pages(pages: &[PageId]) -> Statement {
    statement!(
        "SELECT user_id, user_name, client_id, client_name, page_id, is_loopback, blocked_at FROM page_blocks
         WHERE page_id IN (SELECT value FROM json_each(?1)) ORDER BY page_id, blocked_at, user_id, client_id LIMIT ?2",
        json_list(pages),
        LIMIT,
    )
}

/// A page that a live connection is blocked from.
#[derive(Deserialize)]
pub struct BlockedPage {
    pub client_id: String,
    pub page_id: PageId,
}

/// The pages that a person's live connections are blocked from.
pub(super) fn select_of_user(user_id: &UserId) -> Statement {
    statement!(
        "SELECT DISTINCT v.client_id, v.page_id FROM blocked_grants v JOIN grants g ON g.id = v.grant_id
         WHERE v.user_id = ?1 AND g.revoked_at IS NULL ORDER BY v.client_id, v.page_id",
        user_id,
    )
}

#[cfg(test)]
mod tests {
    use super::super::audit::AuditKind;
    use super::super::testing::TestDatabase;
    use super::*;
    use crate::model::ids::RequestId;

    const PAGE: PageId = PageId(7);

    /// Blocks, or lifts the block of, the client `cursor` of user 42 on page 7.
    async fn change_block(db: &TestDatabase, id: &str, kind: AuditKind) {
        let change = Change {
            id: id.into(),
            created_at: Timestamp::from_seconds(9),
            kind,
            actor: &UserId("1".into()),
            owner: &UserId("42".into()),
            client_id: &ClientId::parse("cursor").expect("a client id"),
            client_name: "Cursor",
            page_id: Some(PAGE),
            request_id: &RequestId("r".into()),
        };
        match kind {
            AuditKind::PageBlock => block(db, &change, PAGE).await.expect("blocked"),
            _ => unblock(db, &change, PAGE).await.expect("lifted"),
        }
    }

    /// The blocks on pages 7 and 8: whose, which client, which page, whether it covers loopback clients.
    async fn blocks(db: &TestDatabase) -> Vec<String> {
        let blocks = list_by_pages(db, &[PAGE, PageId(8)]).await.expect("a list");
        let shown = |block: &Block| {
            format!("{} {} {} {}", block.user_id.0, block.client_id.as_str(), block.page_id, block.is_loopback)
        };
        blocks.iter().map(shown).collect()
    }

    #[tokio::test]
    async fn unblock_lifts_the_block_of_that_person_client_and_page_only() {
        let db = TestDatabase::new();
        for (user, client, page) in [(42, "cursor", 7), (42, "cursor", 8), (42, "other", 7), (43, "cursor", 7)] {
            db.execute(&format!("INSERT INTO page_blocks VALUES ('{user}', '{client}', {page}, 0, 'U', 'C', 1, '1')"));
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
