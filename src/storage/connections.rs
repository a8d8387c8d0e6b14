//! Connections: all live grants of one person to one client.
//!
//! Settings of a connection (paused writes, blocks) are not stored with its grants, so that a new grant of the same
//! connection doesn't undo them. They are read with every bearer token.

use super::audit::{Change, statement_for_change};
use super::diagnostics::{Health, health_columns};
use super::{Counted, Result, json_list, read, run, statement};
use crate::model::flag;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::{ClientId, ClientTrust};
use crate::oauth::grant::PageChoice;
use crate::ports::{Database, Row, Statement};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

/// Connections of one page of the list.
pub const PAGE_LENGTH: usize = 50;
/// Ended connections that are listed, with the total of all.
const ENDED_LIMIT: i64 = 20;

/// A person and a client: which connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionKey {
    pub user_id: UserId,
    pub client_id: ClientId,
}

/// One live grant, with the settings and the diagnostics of its connection.
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
    /// The number of repeated refreshes that got the same successor.
    #[serde(rename = "repeats")]
    pub repeated_refreshes: i64,
    /// Time of the newest repeated refresh.
    pub repeated_at: Option<Timestamp>,
    /// `true` if its person lets the client read resources by tools.
    #[serde(rename = "resource_tools", deserialize_with = "flag")]
    pub has_resource_tools: bool,
    /// `true` if the connection's writes are paused.
    #[serde(deserialize_with = "flag")]
    pub are_writes_paused: bool,
    /// The person's confirm mode for them, as stored; `None` for the environment's.
    pub confirm: Option<String>,
    /// The administered pages of the query that it may access and has accessed.
    #[serde(deserialize_with = "json_pages")]
    pub accessed: BTreeSet<PageId>,
    /// Every page that it is blocked from.
    #[serde(deserialize_with = "json_pages")]
    pub blocked: BTreeSet<PageId>,
    /// The grants that it was merged from, the oldest first: itself, before it is merged.
    #[serde(skip)]
    pub approvals: Vec<ApprovedAccess>,
    #[serde(skip)]
    pub health: Health,
    /// Position of its connection in the list.
    #[serde(skip)]
    pub position: ListPosition,
}

/// The access that one grant allows, as its person chose it on the consent page or narrowed it since.
#[derive(Clone, Debug, Deserialize)]
pub struct ApprovedAccess {
    pub grant_id: GrantId,
    #[serde(rename = "scope")]
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    pub created_at: Timestamp,
    /// Within five minutes of its last call.
    pub last_used_at: Option<Timestamp>,
    /// Expiry that the person chose.
    pub expires_at: Option<Timestamp>,
}

/// Position in a list that is sorted by a text, then by connection: the list goes on after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListPosition {
    pub sort_key: String,
    pub user_id: String,
    pub client_id: String,
}

impl LiveGrant {
    pub fn key(&self) -> ConnectionKey {
        ConnectionKey { user_id: self.user_id.clone(), client_id: self.client_id.clone() }
    }
}

/// The people whose connections are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Owners {
    #[default]
    Everybody,
    Viewer,
    /// Other people's, on pages that the viewer administers.
    Others,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SortOrder {
    /// The last used or connected first.
    #[default]
    Newest,
    App,
    Person,
}

/// Which connections a viewer asks for: their own, and other people's that have accessed a page that they administer.
#[derive(Clone, Debug)]
pub struct ConnectionQuery<'a> {
    pub viewer: &'a UserId,
    /// Pages whose connections of other people show.
    pub administered: &'a [PageId],
    pub owners: Owners,
    /// A page that an own connection may access.
    pub page: Option<PageId>,
    /// Part of a name of an app or person, or of a client id.
    pub search: Option<&'a str>,
    pub sort: SortOrder,
    /// The position before the first one wanted.
    pub after: Option<&'a ListPosition>,
    /// Connections to look up; `None` for any.
    pub only: Option<&'a [ConnectionKey]>,
    /// Maximum connections; `None` for no limit.
    pub limit: Option<usize>,
    pub now: Timestamp,
}

impl<'a> ConnectionQuery<'a> {
    /// Every connection that the viewer may see.
    pub fn all(viewer: &'a UserId, administered: &'a [PageId], now: Timestamp) -> Self {
        Self {
            viewer,
            administered,
            owners: Owners::default(),
            page: None,
            search: None,
            sort: SortOrder::default(),
            after: None,
            only: None,
            limit: None,
            now,
        }
    }
}

/// Live grants, those of one connection side by side and the oldest of them first, and the number of connections that match
/// before and after the position.
#[derive(Clone, Debug, Default)]
pub struct ConnectionPage {
    pub grants: Vec<LiveGrant>,
    pub total: usize,
}

impl ConnectionPage {
    pub(super) fn read(rows: &[Row]) -> Result<Self> {
        let total = rows.first().map(read::<Counted>).transpose()?.map_or(0, |row| row.total);
        let grant =
            |row| Ok(LiveGrant { approvals: vec![read(row)?], health: read(row)?, position: read(row)?, ..read(row)? });
        Ok(Self { grants: rows.iter().map(grant).collect::<Result<_>>()?, total })
    }
}

pub async fn list(db: &dyn Database, query: &ConnectionQuery<'_>) -> Result<ConnectionPage> {
    ConnectionPage::read(&run(db, select(query)).await?)
}

/// A person's settings for the writes of a connection, from a table `connections` that is outer-joined as `n`.
macro_rules! decided_columns {
    () => {
        "n.writes_paused_at IS NOT NULL AS are_writes_paused, n.confirm_writes AS confirm"
    };
}
pub(super) use decided_columns;

/// A live grant `g` that the viewer may see: an own one, or one that may access a page that it has accessed and the viewer administers.
macro_rules! is_seen {
    () => {
        "g.revoked_at IS NULL AND (?9 IS NULL OR g.pages IS NULL OR instr(' ' || g.pages || ' ', ' ' || CAST(?9 AS INTEGER) || ' ') > 0)
         AND (g.user_id = ?1 OR g.pages IS NULL OR EXISTS (SELECT 1 FROM json_each(?2) a
           WHERE instr(' ' || g.pages || ' ', ' ' || a.value || ' ') > 0
             AND EXISTS (SELECT 1 FROM page_access s
                   WHERE s.page_id = a.value AND s.user_id = g.user_id AND s.client_id = g.client_id)))"
    };
}

/// Every search goes through an index: the viewer's grants, and the connections of each administered page. What is counted and
/// sorted is what these pages have, not what the environment has.
pub(super) fn select(query: &ConnectionQuery<'_>) -> Statement {
    let after = query.after;
    statement!(
        concat!(
            "WITH reached AS (
           SELECT user_id, client_id FROM grants WHERE user_id = ?1 AND revoked_at IS NULL AND ?4 <> 'others'
           UNION
           SELECT user_id, client_id FROM page_access
           WHERE page_id IN (SELECT value FROM json_each(?2)) AND user_id <> ?1 AND ?4 <> 'viewer'
         ), live AS (
           SELECT g.user_id, g.client_id, g.user_name, g.client_name, max(max(g.created_at, coalesce(g.last_used_at, 0))) AS active_at
           FROM reached JOIN grants g ON g.user_id = reached.user_id AND g.client_id = reached.client_id
           WHERE EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id AND r.expires_at > ?3)
             AND (?10 IS NULL OR EXISTS (SELECT 1 FROM json_each(?10) k
                    WHERE json_extract(k.value, '$[0]') = g.user_id AND json_extract(k.value, '$[1]') = g.client_id))
             AND ",
            is_seen!(),
            " GROUP BY g.user_id, g.client_id
         ), sorted AS (
           SELECT user_id, client_id, count(*) OVER () AS total,
             CASE ?6 WHEN 'app' THEN lower(client_name) WHEN 'person' THEN lower(user_name)
               ELSE printf('%012d', 999999999999 - active_at) END AS sort_key
           FROM live WHERE ?5 IS NULL OR instr(lower(client_name), lower(?5)) > 0 OR instr(lower(user_name), lower(?5)) > 0
             OR instr(lower(client_id), lower(?5)) > 0
         ), slice AS (
           SELECT * FROM sorted WHERE ?7 IS NULL OR (sort_key, user_id, client_id) > (?7, ?8, ?11)
           ORDER BY sort_key, user_id, client_id LIMIT ?12
         )
         SELECT g.id AS grant_id, g.user_id, g.user_name, g.client_id, g.client_name, g.client_trust, g.redirect_host, g.is_loopback, g.scope, g.pages,
           g.created_at, g.last_used_at, g.expires_at, g.resource_tools, max(r.expires_at) AS unused_until,
           max(r.generation) - 1 AS refreshes, max(r.created_at) AS refreshed_at, sum(r.reuse_count) AS repeats,
           max(r.reused_at) AS repeated_at,
           (SELECT json_group_array(a.value) FROM json_each(?2) a
              WHERE EXISTS (SELECT 1 FROM page_access s
                      WHERE s.page_id = a.value AND s.user_id = g.user_id AND s.client_id = g.client_id)
                AND (g.pages IS NULL OR instr(' ' || g.pages || ' ', ' ' || a.value || ' ') > 0)) AS accessed,
           (SELECT json_group_array(b.page_id) FROM blocked_grants b WHERE b.grant_id = g.id) AS blocked, ",
            decided_columns!(),
            ", ",
            health_columns!(),
            ", slice.sort_key, slice.total
         FROM slice JOIN grants g ON g.user_id = slice.user_id AND g.client_id = slice.client_id
         JOIN refresh_tokens r ON r.grant_id = g.id AND r.expires_at > ?3
         LEFT JOIN connections n ON n.user_id = g.user_id AND n.client_id = g.client_id
         WHERE ",
            is_seen!(),
            " GROUP BY g.id ORDER BY slice.sort_key, slice.user_id, slice.client_id, g.created_at, g.id"
        ),
        query.viewer,
        json_list(query.administered),
        query.now,
        <&str>::from(query.owners),
        query.search,
        <&str>::from(query.sort),
        after.map(|position| position.sort_key.as_str()),
        after.map(|position| position.user_id.as_str()),
        query.page,
        query.only.map(json_keys),
        after.map(|position| position.client_id.as_str()),
        query.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
    )
}

/// Connections for `json_each`: pairs of person and client.
pub(super) fn json_keys(keys: &[ConnectionKey]) -> String {
    json!(keys.iter().map(|key| [key.user_id.as_str(), key.client_id.as_str()]).collect::<Vec<_>>()).to_string()
}

fn json_pages<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BTreeSet<PageId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    serde_json::from_str(&text).map_err(|_| D::Error::custom("not a list of pages"))
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
    /// Connections that have ended in the same time, this one included.
    pub total: usize,
}

/// A person's connections whose last grant ended after `since`, the latest [`ENDED_LIMIT`] of them first.
pub(super) fn select_ended(user_id: &UserId, since: Timestamp, now: Timestamp) -> Statement {
    // A live grant ends in the future, so its client is excluded.
    statement!(
        "SELECT client_id, client_name, revoke_reason, max(ended_at) AS ended_at, count(*) OVER () AS total FROM (
           SELECT g.client_id, g.client_name, g.revoke_reason, coalesce(g.revoked_at, max(r.expires_at)) AS ended_at
           FROM grants g JOIN refresh_tokens r ON r.grant_id = g.id WHERE g.user_id = ?1 GROUP BY g.id)
         GROUP BY client_id HAVING max(ended_at) <= ?3 AND max(ended_at) > ?2 ORDER BY max(ended_at) DESC LIMIT ?4",
        user_id,
        since,
        now,
        ENDED_LIMIT,
    )
}

/// A person's decision about the writes of their own connections.
#[derive(Clone, Copy, Debug)]
pub enum WriteSetting {
    /// Paused, or not any more.
    Paused(bool),
    Confirm(ConfirmMode),
}

/// Stores a setting for the actor's own connections.
pub async fn change_writes(db: &dyn Database, change: &Change<'_>, setting: WriteSetting) -> Result<()> {
    let upsert = match setting {
        WriteSetting::Paused(is_paused) => statement!(
            "INSERT INTO connections (user_id, client_id, writes_paused_at)
             SELECT json_extract(value, '$.user_id'), json_extract(value, '$.client_id'), ?2 FROM json_each(?1) WHERE true
             ON CONFLICT (user_id, client_id) DO UPDATE SET writes_paused_at =
               CASE WHEN excluded.writes_paused_at IS NOT NULL THEN coalesce(writes_paused_at, excluded.writes_paused_at) END",
            change.json_targets(),
            is_paused.then_some(change.created_at),
        ),
        WriteSetting::Confirm(mode) => statement!(
            "INSERT INTO connections (user_id, client_id, confirm_writes)
             SELECT json_extract(value, '$.user_id'), json_extract(value, '$.client_id'), ?2 FROM json_each(?1) WHERE true
             ON CONFLICT (user_id, client_id) DO UPDATE SET confirm_writes = excluded.confirm_writes",
            change.json_targets(),
            mode.as_str(),
        ),
    };
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

#[cfg(test)]
mod tests;
