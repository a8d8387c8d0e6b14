//! Connections: all live grants of one person to one client.
//!
//! Settings of a connection (paused writes, blocks) are not stored with its grants, so that a new grant of the same
//! connection doesn't undo them. They are read with every bearer token.

use super::audit::{Change, statement_for_change};
use super::{Result, json_list, read, run, statement};
use crate::model::flag;
use crate::model::ids::{PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::{ClientId, ClientTrust};
use crate::oauth::grant::PageChoice;
use crate::ports::{Database, Row, Statement};
use serde::Deserialize;

/// Maximum live grants of one query.
const LIMIT: i64 = 500;
/// Maximum ended connections of one query.
const ENDED_LIMIT: i64 = 20;

/// One live grant, with the settings of its connection.
#[derive(Clone, Debug, Deserialize)]
pub struct LiveGrant {
    pub user_id: UserId,
    /// Their name, as it was at approval.
    pub user_name: String,
    pub client_id: ClientId,
    /// Its name, as the consent page showed it.
    pub client_name: String,
    /// Trust in the connection's client.
    #[serde(rename = "client_trust")]
    pub trust: ClientTrust,
    pub redirect_host: String,
    /// `true` if that is a loopback address, where any program can claim the client id.
    #[serde(deserialize_with = "flag")]
    pub is_loopback: bool,
    #[serde(rename = "scope")]
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    pub created_at: Timestamp,
    /// Within five minutes of its last call.
    pub last_used_at: Option<Timestamp>,
    /// Expiry that the person chose.
    pub expires_at: Option<Timestamp>,
    /// Expiry of its refresh token if it is not used.
    pub unused_until: Timestamp,
    /// The number of times it was refreshed.
    pub refreshes: i64,
    /// Its last refresh, or its first tokens.
    pub refreshed_at: Timestamp,
    /// The number of repeats of a live refresh token within its reuse grace period; 0 in a listing by page.
    #[serde(rename = "repeats")]
    pub repeated_refreshes: i64,
    /// When the newest of those tokens was sent first.
    pub repeated_at: Option<Timestamp>,
    /// `true` if its person lets the client read resources by tools.
    #[serde(rename = "resource_tools", deserialize_with = "flag")]
    pub has_resource_tools: bool,
    /// `true` if the connection's writes are paused.
    #[serde(deserialize_with = "flag")]
    pub are_writes_paused: bool,
    /// The person's confirm mode for them, as stored; `None` for the environment's.
    pub confirm: Option<String>,
    /// In a listing by page.
    #[serde(skip)]
    pub page: Option<ListedPage>,
}

impl LiveGrant {
    /// Reads a row of a listing by page.
    pub(super) fn read_listed(row: &Row) -> Result<Self> {
        Ok(Self { page: Some(read(row)?), ..read(row)? })
    }
}

/// The page of one row in a listing by page.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct ListedPage {
    pub page_id: PageId,
    /// `true` if the connection is blocked from it.
    #[serde(deserialize_with = "flag")]
    pub is_blocked: bool,
}

/// The live grants of one person, the connection's oldest first.
pub async fn list(db: &dyn Database, user_id: &UserId, now: Timestamp) -> Result<Vec<LiveGrant>> {
    super::list(db, select(user_id, now)).await
}

/// A person's settings for the writes of a connection, from a table `connections` that is outer-joined as `n`.
macro_rules! decided_columns {
    () => {
        "n.writes_paused_at IS NOT NULL AS are_writes_paused, n.confirm_writes AS confirm"
    };
}
pub(super) use decided_columns;

/// The columns that both listings of [`LiveGrant`] read.
macro_rules! listed_columns {
    () => {
        concat!(
            "g.user_id, g.user_name, g.client_id, g.client_name, g.client_trust, g.redirect_host, g.is_loopback, g.scope, \
             g.pages, g.created_at, g.last_used_at, g.expires_at, g.resource_tools, max(r.expires_at) AS unused_until, \
             max(r.generation) - 1 AS refreshes, max(r.created_at) AS refreshed_at, ",
            decided_columns!()
        )
    };
}

pub(super) fn select(user_id: &UserId, now: Timestamp) -> Statement {
    statement!(
        concat!(
            "SELECT ",
            listed_columns!(),
            ", sum(r.reuse_count) AS repeats, max(CASE WHEN r.reuse_count > 0 THEN r.rotated_at END) AS repeated_at
         FROM grants g JOIN refresh_tokens r ON r.grant_id = g.id AND r.expires_at > ?2
         LEFT JOIN connections n ON n.user_id = g.user_id AND n.client_id = g.client_id
         WHERE g.user_id = ?1 AND g.revoked_at IS NULL
         GROUP BY g.id ORDER BY g.created_at, g.id LIMIT ?3"
        ),
        user_id,
        now,
        LIMIT,
    )
}

/// The live grants of other people that reach one of these pages, page by page.
pub async fn list_by_pages(
    db: &dyn Database,
    pages: &[PageId],
    other_than: &UserId,
    now: Timestamp,
) -> Result<Vec<LiveGrant>> {
    run(db, select_by_pages(pages, other_than, now)).await?.iter().map(LiveGrant::read_listed).collect()
}

pub(super) fn select_by_pages(pages: &[PageId], other_than: &UserId, now: Timestamp) -> Statement {
    statement!(
        concat!(
            "SELECT ",
            listed_columns!(),
            ", 0 AS repeats, NULL AS repeated_at, seen.page_id,
                EXISTS (SELECT 1 FROM blocked_grants b WHERE b.grant_id = g.id AND b.page_id = seen.page_id) AS is_blocked
         FROM page_access seen
         JOIN grants g ON g.user_id = seen.user_id AND g.client_id = seen.client_id
         JOIN refresh_tokens r ON r.grant_id = g.id AND r.expires_at > ?3
         LEFT JOIN connections n ON n.user_id = g.user_id AND n.client_id = g.client_id
         WHERE seen.page_id IN (SELECT value FROM json_each(?1)) AND seen.user_id <> ?2 AND g.revoked_at IS NULL
           AND (g.pages IS NULL OR instr(' ' || g.pages || ' ', ' ' || seen.page_id || ' ') > 0)
         GROUP BY seen.page_id, g.id ORDER BY seen.page_id, g.created_at, g.id LIMIT ?4"
        ),
        json_list(pages),
        other_than,
        now,
        LIMIT,
    )
}

/// A connection that is no more.
#[derive(Clone, Debug, Deserialize)]
pub struct EndedConnection {
    pub client_id: String,
    /// Its name, as the consent page showed it.
    pub client_name: String,
    /// When its last grant ended.
    pub ended_at: Timestamp,
    /// Stored reason; `None` if it expired.
    #[serde(rename = "revoke_reason")]
    pub reason: Option<String>,
}

/// A person's connections whose last grant ended after `since`, the latest first.
pub(super) fn select_ended(user_id: &UserId, since: Timestamp, now: Timestamp) -> Statement {
    // A live grant ends in the future, so its client is excluded.
    statement!(
        "SELECT client_id, client_name, revoke_reason, max(ended_at) AS ended_at FROM (
           SELECT g.client_id, g.client_name, g.revoke_reason, coalesce(g.revoked_at, max(r.expires_at)) AS ended_at
           FROM grants g JOIN refresh_tokens r ON r.grant_id = g.id WHERE g.user_id = ?1 GROUP BY g.id)
         GROUP BY client_id HAVING max(ended_at) <= ?3 AND max(ended_at) > ?2 ORDER BY max(ended_at) DESC LIMIT ?4",
        user_id,
        since,
        now,
        ENDED_LIMIT,
    )
}

/// Pauses the writes of the actor's own connection.
pub async fn pause_writes(db: &dyn Database, change: &Change<'_>) -> Result<()> {
    let upsert = statement!(
        "INSERT INTO connections (user_id, client_id, writes_paused_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id, client_id) DO UPDATE
           SET writes_paused_at = coalesce(writes_paused_at, excluded.writes_paused_at)",
        change.owner,
        change.client_id,
        change.created_at,
    );
    db.batch(&[upsert, statement_for_change(change)]).await.map(drop)
}

/// Resumes the writes of the actor's own connection.
pub async fn resume_writes(db: &dyn Database, change: &Change<'_>) -> Result<()> {
    let update = statement!(
        "UPDATE connections SET writes_paused_at = NULL WHERE user_id = ?1 AND client_id = ?2",
        change.owner,
        change.client_id,
    );
    db.batch(&[update, statement_for_change(change)]).await.map(drop)
}

/// Stores the confirm mode of the actor's own connection.
pub async fn set_confirm(db: &dyn Database, change: &Change<'_>, confirm: &'static str) -> Result<()> {
    let upsert = statement!(
        "INSERT INTO connections (user_id, client_id, confirm_writes) VALUES (?1, ?2, ?3)
         ON CONFLICT (user_id, client_id) DO UPDATE SET confirm_writes = excluded.confirm_writes",
        change.owner,
        change.client_id,
        confirm,
    );
    db.batch(&[upsert, statement_for_change(change)]).await.map(drop)
}

/// Clears the settings for writes of a connection that ends.
pub(super) fn statement_to_clear(user_id: &UserId, client_id: &ClientId) -> Statement {
    statement!(
        "UPDATE connections SET writes_paused_at = NULL, confirm_writes = NULL WHERE user_id = ?1 AND client_id = ?2",
        user_id,
        client_id,
    )
}
