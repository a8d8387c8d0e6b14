//! Grants: revoking one ends everything issued under it at once.
//!
//! A grant is revoked by setting `revoked_at`, which is never cleared. Codes and tokens stay unchanged: each is read
//! together with its grant, so it is invalid on the next request.

use super::{Result, audit, connections, statement};
use crate::model::flag;
use crate::model::ids::{GrantId, RequestId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::grant::PageChoice;
use crate::oauth::secret::{BrowserBinding, ConsentToken};
use crate::ports::{Database, Statement};
use serde::Deserialize;
use std::time::Duration;

/// Precision of `last_used_at`: at most one update in this time.
pub const LAST_USED_PRECISION: Duration = Duration::from_mins(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum RevokeReason {
    /// The client revoked it (RFC 7009).
    Client,
    /// A code was replayed (OAuth 2.1 4.1.3).
    CodeReplay,
    /// A refresh token was reused though its answer had arrived (RFC 9700 4.14.2).
    RefreshReuse,
    /// The person ended the connection.
    User,
    /// The person's access at StatiBeat has ended.
    UserDisabled,
}

impl RevokeReason {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// The choices of the newest earlier consent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EarlierGrant {
    #[serde(rename = "scope")]
    pub scopes: ScopeSet,
    /// The reads that the person left unticked when they were last offered, and the scopes that a narrowing has taken since.
    #[serde(rename = "unticked_scope")]
    pub unticked_scopes: ScopeSet,
    pub pages: PageChoice,
    /// The end that the person chose.
    pub expires_at: Option<Timestamp>,
    #[serde(rename = "resource_tools", deserialize_with = "flag")]
    pub has_resource_tools: bool,
    pub created_at: Timestamp,
    /// False once it has ended.
    #[serde(deserialize_with = "flag")]
    pub is_live: bool,
}

/// Selects the newest live grant of the person and client of an authorization request, or else the newest that was live once.
pub(super) fn select_earlier(consent: &ConsentToken, browser: &BrowserBinding, now: Timestamp) -> Statement {
    statement!(
        "SELECT g.scope, g.unticked_scope, g.pages, g.expires_at, g.resource_tools, g.created_at,
           (g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?3)
             AND EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id AND r.expires_at > ?3)) AS is_live
         FROM authorization_requests a JOIN grants g ON g.user_id = a.user_id AND g.client_id = a.client_id
         WHERE a.consent_hash = ?1 AND a.browser_hash = ?2 AND g.activated_at IS NOT NULL
         ORDER BY is_live DESC, g.created_at DESC, g.rowid DESC LIMIT 1",
        consent,
        browser,
        now,
    )
}

/// Revokes a grant, with an audit row, unless it has ended already.
pub async fn revoke(
    db: &dyn Database,
    grant_id: &GrantId,
    reason: RevokeReason,
    audit: Statement,
    now: Timestamp,
) -> Result<()> {
    let update = statement!(
        "UPDATE grants SET revoked_at = ?2, revoke_reason = ?3 WHERE id = ?1 AND revoked_at IS NULL RETURNING id",
        grant_id,
        now,
        reason.as_str(),
    );
    db.batch(&[update, audit]).await.map(drop)
}

/// Ends a person's connections to these clients in one batch. For each: revokes every grant of the person to the client, with
/// one audit row each; closes the person's open authorization requests of the client, so that an open consent page can't restore
/// it; and clears its settings for writes. Returns the number of revoked grants.
pub async fn revoke_connections(
    db: &dyn Database,
    user_id: &UserId,
    client_ids: &[&ClientId],
    request_id: &RequestId,
    now: Timestamp,
) -> Result<usize> {
    let statements = client_ids.iter().flat_map(|client_id| statements_to_revoke(user_id, client_id, request_id, now));
    let statements: Vec<Statement> = statements.collect();
    let ended = db.batch(&statements).await?;
    Ok(ended.iter().step_by(STATEMENTS_TO_REVOKE).map(Vec::len).sum())
}

const STATEMENTS_TO_REVOKE: usize = 4;

fn statements_to_revoke(
    user_id: &UserId,
    client_id: &ClientId,
    request_id: &RequestId,
    now: Timestamp,
) -> [Statement; STATEMENTS_TO_REVOKE] {
    let end = statement!(
        "UPDATE grants SET revoked_at = ?3, revoke_reason = ?4 WHERE user_id = ?1 AND client_id = ?2 AND revoked_at IS NULL
         RETURNING id",
        user_id,
        client_id,
        now,
        RevokeReason::User.as_str(),
    );
    let close = statement!(
        "UPDATE authorization_requests SET consumed_at = ?3 WHERE user_id = ?1 AND client_id = ?2 AND consumed_at IS NULL",
        user_id,
        client_id,
        now,
    );
    let record =
        audit::statement_for_ended_connection(user_id, client_id, RevokeReason::User.as_str(), request_id, now);
    [end, close, record, connections::statement_to_clear(user_id, client_id)]
}

/// Records a call: `last_used_at` of the grant if it is outdated, and the first one with an access token that came with the refresh
/// token of this generation. That use is the evidence that the client got its answer.
pub async fn touch(db: &dyn Database, grant_id: &GrantId, generation: i64, now: Timestamp) -> Result<()> {
    let last = statement!(
        "UPDATE grants SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
        grant_id,
        now,
        now - LAST_USED_PRECISION,
    );
    let first = statement!(
        "UPDATE refresh_tokens SET used_at = ?3 WHERE grant_id = ?1 AND generation = ?2 AND used_at IS NULL",
        grant_id,
        generation,
        now,
    );
    db.batch(&[last, first]).await.map(drop)
}
