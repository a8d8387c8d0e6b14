//! The audit log of the connector, appended row by row: attempts to write, approvals, revokes, replays.
//!
//! A row gives person, client, target and outcome. The only customer text in it is a title.

use super::{Result, run, statement};
use crate::model::ids::{GrantId, PageId, RequestId, UserId};
pub use crate::model::outcome::Outcome;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::secret::{BrowserBinding, ConsentToken, SecretHash};
use crate::ports::{Database, Statement, Value};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Maximum length of a stored title, in characters.
const TITLE_LIMIT: usize = 200;

/// Id of a row; may be shown, so that people can refer to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditId(String);

impl AuditId {
    pub fn new(random: [u8; 16]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random))
    }

    /// Id of an event that happens to a grant only once, so that a repeated request adds no second row.
    pub fn once(kind: AuditKind, grant_id: &GrantId) -> Self {
        Self(format!("{}.{grant_id}", kind.as_str()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Any text in place of an id, for tests.
#[cfg(test)]
impl From<&str> for AuditId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&AuditId> for Value {
    fn from(id: &AuditId) -> Self {
        Value::String(id.0.clone())
    }
}

/// The audited action of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum AuditKind {
    /// A tool that changes something on a page.
    Write,
    /// A person approved or declined a client.
    Approval,
    Revoke,
    /// An authorization code was replayed.
    CodeReplay,
    /// A refresh token was reused though its successor, or an access token that came with it, was used.
    RefreshReuse,
    /// A refresh token was reused and returned its unused successor again.
    RefreshRepeat,
    /// A person paused a connection's writes.
    Pause,
    /// A person resumed a connection's writes.
    Resume,
    /// A person changed the confirm mode of a connection's writes.
    Confirm,
    /// A person narrowed an approval.
    Narrow,
    /// A page's admin blocked a client on the page.
    PageBlock,
    /// A page's admin lifted that.
    PageUnblock,
    /// Refused calls beyond the hourly limit of audit rows.
    Unrecorded,
    /// StatiBeat's identity token was invalid.
    SignIn,
    /// A client revoked one access token; the connection continues.
    AccessTokenRevoke,
    /// A browser was signed in to the Hosted MCP page.
    SessionOpen,
    SessionClose,
}

impl AuditKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub id: AuditId,
    pub created_at: Timestamp,
    pub kind: AuditKind,
    pub outcome: Outcome,
    /// The person; `None` if nobody was identified.
    pub user_id: Option<&'a UserId>,
    pub client_id: &'a ClientId,
    /// Its name as the consent page showed it.
    pub client_name: &'a str,
    /// The approval it is under; `None` before there is one.
    pub grant_id: Option<&'a GrantId>,
    /// The request it was part of.
    pub request_id: &'a RequestId,
    /// The target of a write; `None` for everything else.
    pub target: Option<Target<'a>>,
    /// Reason, one of a fixed list. The type excludes foreign text.
    pub detail: Option<&'static str>,
}

/// The target of an audited write.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The page, if the caller can access it.
    pub page_id: Option<PageId>,
    /// The requested page. For operators only: a caller can name any page.
    pub asked_page_id: Option<PageId>,
    pub tool: &'static str,
    /// Id of the incident or maintenance, if known.
    pub id: Option<String>,
    /// Its title, if the call had one and its caller can access the page; truncated.
    pub title: Option<&'a str>,
    /// Its addresses, of a write that is done.
    pub links: TargetLinks,
}

/// Addresses of an incident or maintenance, as StatiBeat returned them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetLinks {
    pub public_url: Option<String>,
    /// The object in StatiBeat's own interface.
    pub admin_url: Option<String>,
}

/// Appends an [`Entry`] under a condition, with its [`values`]. Idempotent.
macro_rules! insert_entry_if {
    ($condition:literal) => {
        insert_entry_if!("", "", $condition)
    };
    ($more_columns:literal, $more_values:literal, $condition:literal) => {
        concat!(
            "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, page_id, tool, target_id, title, \
             request_id, detail, user_name",
            $more_columns,
            ") SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
             coalesce((SELECT user_name FROM grants WHERE id = ?8), \
               (SELECT user_name FROM authorization_requests WHERE user_id = ?5 AND client_id = ?6 AND grant_id = ?8), '')",
            $more_values,
            " WHERE ",
            $condition,
            " ON CONFLICT (id) DO NOTHING"
        )
    };
}

fn statement_with<const N: usize>(sql: &'static str, entry: &Entry<'_>, more: [Value; N]) -> Statement {
    Statement { sql, values: values(entry).into_iter().chain(more).collect() }
}

/// The statement that appends a row, for the batch of the audited change.
pub fn statement(entry: &Entry<'_>) -> Statement {
    let asked = entry.target.as_ref().and_then(|target| target.asked_page_id);
    statement_with(insert_entry_if!(", asked_page_id", ", ?15", "true"), entry, [asked.into()])
}

/// The same, to stand in a batch behind the conditional write that makes or ends a grant: the row is appended only when the
/// grant was indeed made or ended at this row's time.
pub fn statement_if_grant_changed(entry: &Entry<'_>) -> Statement {
    let sql = insert_entry_if!(
        "EXISTS (SELECT 1 FROM grants WHERE id = ?8 AND \
           (?3 = 'approval' AND created_at = ?2 OR ?3 = 'narrow' AND narrowed_at = ?2 OR revoked_at = ?2 AND revoke_reason = ?14))"
    );
    statement_with(sql, entry, [])
}

/// The same, after the insert of an access token: the row is appended only if the token was stored.
pub fn statement_if_token_issued(entry: &Entry<'_>, access: &SecretHash) -> Statement {
    let sql = insert_entry_if!("EXISTS (SELECT 1 FROM access_tokens WHERE token_hash = ?15)");
    statement_with(sql, entry, [access.into()])
}

/// The same, in front of the statement that consumes an authorization request: the row is appended only when the request can
/// still be answered, and so is consumed by that statement.
pub(super) fn statement_if_request_waits(
    entry: &Entry<'_>,
    consent: &ConsentToken,
    browser: &BrowserBinding,
) -> Statement {
    let sql = insert_entry_if!(
        "EXISTS (SELECT 1 FROM authorization_requests \
           WHERE consent_hash = ?15 AND browser_hash = ?16 AND consumed_at IS NULL AND expires_at > ?2)"
    );
    statement_with(sql, entry, [consent.into(), browser.into()])
}

/// The row of an access token that its client revokes, in front of the statement that deletes it: only of a token that works.
pub(super) fn statement_for_revoked_access(
    token: &SecretHash,
    client_id: &ClientId,
    row: &RevokedAccess<'_>,
) -> Statement {
    statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, request_id, detail)
         SELECT ?3, ?4, ?5, ?6, g.user_id, g.user_name, g.client_id, g.client_name, g.id, ?7, ?8
         FROM access_tokens a JOIN grants g ON g.id = a.grant_id
         WHERE a.token_hash = ?1 AND g.client_id = ?2 AND a.expires_at > ?4 AND g.revoked_at IS NULL
         ON CONFLICT (id) DO NOTHING",
        token,
        client_id,
        &row.id,
        row.created_at,
        AuditKind::AccessTokenRevoke.as_str(),
        Outcome::Done.as_str(),
        row.request_id,
        "client",
    )
}

/// Values for the row of a revoked access token that the database lacks.
pub struct RevokedAccess<'a> {
    pub id: AuditId,
    pub created_at: Timestamp,
    /// The request it was part of.
    pub request_id: &'a RequestId,
}

/// One row for each grant of a connection that ended at `now` for that reason, to stand behind the write that ended them.
/// Running it again adds nothing.
pub fn statement_for_ended_connection(
    user_id: &UserId,
    client_id: &ClientId,
    reason: &'static str,
    request_id: &RequestId,
    now: Timestamp,
) -> Statement {
    statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, request_id, detail)
         SELECT ?3 || '.' || id, ?5, ?3, ?4, user_id, user_name, client_id, client_name, id, ?6, ?7 FROM grants
         WHERE user_id = ?1 AND client_id = ?2 AND revoked_at = ?5 AND revoke_reason = ?7
         ON CONFLICT (id) DO NOTHING",
        user_id,
        client_id,
        AuditKind::Revoke.as_str(),
        Outcome::Done.as_str(),
        now,
        request_id,
        reason,
    )
}

/// An action of a person on connections, one row for each target.
pub struct Change<'a> {
    /// Id of the first row; the others have it with a number.
    pub id: AuditId,
    pub created_at: Timestamp,
    pub kind: AuditKind,
    pub actor: &'a UserId,
    pub actor_name: &'a str,
    pub targets: &'a [ChangeTarget],
    /// The request it was part of.
    pub request_id: &'a RequestId,
}

/// A connection that an action changes, alive or not.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeTarget {
    pub user_id: UserId,
    pub user_name: String,
    pub client_id: String,
    pub client_name: String,
    /// The page it is about, if one.
    pub page_id: Option<PageId>,
}

impl Change<'_> {
    /// The targets as one value for `json_each`.
    pub(super) fn json_targets(&self) -> String {
        json!(self.targets).to_string()
    }
}

/// The statement that appends it, each row under its connection's newest grant; a block may outlive all of them.
pub fn statement_for_change(change: &Change<'_>) -> Statement {
    statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, page_id, target_id,
                            owner_name, request_id)
         SELECT ?1 || CASE key WHEN 0 THEN '' ELSE '.' || key END, ?2, ?3, ?4, ?5, ?6, client_id, client_name,
           (SELECT id FROM grants g WHERE g.user_id = owner AND g.client_id = t.client_id ORDER BY g.created_at DESC LIMIT 1),
           page_id, owner, owner_name, ?7
         FROM (SELECT key, json_extract(value, '$.user_id') AS owner, json_extract(value, '$.user_name') AS owner_name,
                 json_extract(value, '$.client_id') AS client_id, json_extract(value, '$.client_name') AS client_name,
                 json_extract(value, '$.page_id') AS page_id FROM json_each(?8)) t WHERE true",
        &change.id,
        change.created_at,
        change.kind.as_str(),
        Outcome::Done.as_str(),
        change.actor,
        change.actor_name,
        change.request_id,
        change.json_targets(),
    )
}

/// Refused calls under one grant that have no row of their own.
#[derive(Clone, Debug)]
pub struct UnrecordedRefusals {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Its name as the consent page showed it.
    pub client_name: String,
    pub grant_id: GrantId,
    /// The first request of them.
    pub request_id: RequestId,
    pub created_at: Timestamp,
    pub calls: i64,
}

/// Adds them to the hourly row of the grant.
pub fn statement_for_unrecorded(refusals: &UnrecordedRefusals) -> Statement {
    let hour = refusals.created_at.as_seconds().div_euclid(3600);
    statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, request_id, calls, user_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce((SELECT user_name FROM grants WHERE id = ?8), ''))
         ON CONFLICT (id) DO UPDATE SET calls = calls + excluded.calls",
        format!("{}.{}.{hour}", AuditKind::Unrecorded.as_str(), refusals.grant_id),
        refusals.created_at,
        AuditKind::Unrecorded.as_str(),
        Outcome::Refused.as_str(),
        &refusals.user_id,
        &refusals.client_id,
        refusals.client_name.as_str(),
        &refusals.grant_id,
        &refusals.request_id,
        refusals.calls,
    )
}

/// The values of a row, in the order of its columns.
pub(super) fn values(entry: &Entry<'_>) -> Vec<Value> {
    let target = entry.target.as_ref();
    let title = target.and_then(|target| target.title);
    vec![
        (&entry.id).into(),
        entry.created_at.into(),
        entry.kind.as_str().into(),
        entry.outcome.as_str().into(),
        entry.user_id.into(),
        entry.client_id.into(),
        entry.client_name.into(),
        entry.grant_id.into(),
        target.and_then(|target| target.page_id).into(),
        target.map(|target| target.tool).into(),
        target.and_then(|target| target.id.clone()).into(),
        title.map(|title| title.chars().take(TITLE_LIMIT).collect::<String>()).into(),
        entry.request_id.into(),
        entry.detail.into(),
    ]
}

/// Appends a row in its own batch.
pub async fn append(db: &dyn Database, entry: &Entry<'_>) -> Result<()> {
    run(db, statement(entry)).await.map(drop)
}

#[cfg(test)]
mod tests;
