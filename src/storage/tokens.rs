//! Authorization codes, refresh tokens and access tokens.
//!
//! Each redemption is one batch: its first statement is a conditional write, and its inserts select on values that only
//! that write stores. Every insert also requires that the grant is not revoked.

use super::audit::{self, RevokedAccess};
use super::connections::decided_columns;
use super::{Redemption, Result, find_one, read, run, statement};
use crate::model::flag;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::outcome::Reason;
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::grant::{CodeRecord, Grant, MAX_ACCESS_TOKENS, MAX_FAILED_ATTEMPTS, MAX_ROTATIONS, RefreshRecord};
use crate::oauth::secret::SecretHash;
use crate::ports::{Database, DatabaseError, Statement};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::time::Duration;

/// Time after a refused write in which a refresh is taken for the client's answer to it.
const AFTER_REFUSAL: Duration = Duration::from_mins(5);

/// The columns of a [`Grant`], of a table `grants` that is named `g`.
macro_rules! grant_columns {
    () => {
        "g.id AS grant_id, g.user_id, g.client_id, g.client_name, g.resource, g.scope, g.pages, \
         g.expires_at AS grant_expires_at, g.revoked_at IS NOT NULL AS is_revoked"
    };
}

/// Reads a row that is joined with its grant.
async fn find_with_grant<T: DeserializeOwned>(db: &dyn Database, select: Statement) -> Result<Option<(Grant, T)>> {
    let rows = run(db, select).await?;
    rows.first().map(|row| Ok((read(row)?, read(row)?))).transpose()
}

/// Finds a code with its grant: one read.
pub async fn find_code(db: &dyn Database, hash: &SecretHash) -> Result<Option<CodeRecord>> {
    let select = statement!(
        concat!(
            "SELECT c.code_hash, c.redirect_uri, c.code_challenge, c.expires_at, c.redeemed_at, c.failed_attempts, ",
            grant_columns!(),
            " FROM codes c JOIN grants g ON g.id = c.grant_id WHERE c.code_hash = ?1"
        ),
        hash,
    );
    let found = find_with_grant(db, select).await?;
    Ok(found.map(|(grant, columns)| CodeRecord::new(grant, columns)))
}

/// Counts a wrong code verifier: the only write of a failing request.
pub async fn count_failed_attempt(db: &dyn Database, code: &SecretHash) -> Result<()> {
    let update = statement!(
        "UPDATE codes SET failed_attempts = failed_attempts + 1 WHERE code_hash = ?1 AND redeemed_at IS NULL",
        code,
    );
    run(db, update).await.map(drop)
}

/// A token pair to be issued.
pub struct NewTokens {
    pub access: SecretHash,
    pub scopes: ScopeSet,
    pub access_expires_at: Timestamp,
    pub refresh: SecretHash,
    pub refresh_expires_at: Timestamp,
}

/// Redeems a code and stores its first tokens, all or nothing. `nonce` is a random value of this request.
pub async fn redeem_code(
    db: &dyn Database,
    code: &SecretHash,
    nonce: &str,
    tokens: &NewTokens,
    now: Timestamp,
) -> Result<Redemption> {
    let redeem = statement!(
        "UPDATE codes SET redeemed_at = ?3, redeem_nonce = ?2
         WHERE code_hash = ?1 AND redeemed_at IS NULL AND expires_at > ?3 AND failed_attempts < ?4
           AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)
         RETURNING grant_id",
        code,
        nonce,
        now,
        MAX_FAILED_ATTEMPTS,
    );
    let activate = statement!(
        "UPDATE grants SET activated_at = ?2
         WHERE id = (SELECT grant_id FROM codes WHERE code_hash = ?3 AND redeem_nonce = ?1)",
        nonce,
        now,
        code,
    );
    let refresh = statement!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
         SELECT ?2, grant_id, 1, ?3, ?4 FROM codes WHERE code_hash = ?5 AND redeem_nonce = ?1",
        nonce,
        &tokens.refresh,
        now,
        tokens.refresh_expires_at,
        code,
    );
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, generation, scope, created_at, expires_at)
         SELECT ?2, grant_id, 1, ?3, ?4, ?5 FROM codes WHERE code_hash = ?6 AND redeem_nonce = ?1",
        nonce,
        &tokens.access,
        &tokens.scopes,
        now,
        tokens.access_expires_at,
        code,
    );
    Ok(Redemption::from_rows(db.batch(&[redeem, activate, refresh, access]).await?.first()))
}

/// Finds a refresh token with its grant and its successor: one read.
pub async fn find_refresh(db: &dyn Database, hash: &SecretHash) -> Result<Option<RefreshRecord>> {
    let select = statement!(
        concat!(
            "SELECT r.token_hash, r.generation, min(r.expires_at, coalesce(g.expires_at, r.expires_at)) AS expires_at, r.rotated_at, r.rotate_salt, r.rotate_kid,
                CASE WHEN s.rotated_at IS NULL AND s.used_at IS NULL THEN s.token_hash END AS unused_successor,
                (SELECT a.expires_at FROM access_tokens a WHERE a.grant_id = s.grant_id AND a.generation = s.generation
                 ORDER BY a.expires_at DESC LIMIT 1 OFFSET ?3 - 1) AS free_at,
                (SELECT e.created_at FROM refresh_tokens e
                 WHERE e.grant_id = r.grant_id AND e.generation = r.generation - ?2 + 1 AND e.generation > 1) AS tenth_last, ",
            grant_columns!(),
            " FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id
         LEFT JOIN refresh_tokens s ON s.grant_id = r.grant_id AND s.generation = r.generation + 1
         WHERE r.token_hash = ?1"
        ),
        hash,
        MAX_ROTATIONS,
        MAX_ACCESS_TOKENS,
    );
    let Some((grant, columns)) = find_with_grant(db, select).await? else { return Ok(None) };
    let record = RefreshRecord::new(grant, columns);
    record.map(Some).ok_or_else(|| DatabaseError("a rotated refresh token without salt or key".to_owned()))
}

/// Returns whether a write of the grant was refused for its scope in the last five minutes, and the client then got new tokens by a
/// refresh: it took the challenge for an expired token, and would do so again.
pub async fn is_refreshed_after_scope_refusal(
    db: &dyn Database,
    user_id: &UserId,
    grant_id: &GrantId,
    now: Timestamp,
) -> Result<bool> {
    #[derive(Deserialize)]
    struct RefreshAfterRefusal {
        #[serde(deserialize_with = "flag")]
        is_refreshed: bool,
    }
    let select = statement!(
        "SELECT EXISTS (SELECT 1 FROM audit a JOIN refresh_tokens r ON r.grant_id = a.grant_id
           WHERE a.user_id = ?1 AND a.created_at > ?3 AND a.grant_id = ?2 AND a.outcome = 'refused' AND a.detail = ?4
             AND r.rotated_at >= a.created_at) AS is_refreshed",
        user_id,
        grant_id,
        now - AFTER_REFUSAL,
        Reason::Scope.as_str(),
    );
    Ok(find_one::<RefreshAfterRefusal>(db, select).await?.is_some_and(|row| row.is_refreshed))
}

/// Rotates a refresh token on its first use and stores the new pair, all or nothing. `salt` is a random value of this
/// request, which the inserts select on.
pub async fn rotate_refresh(
    db: &dyn Database,
    record: &RefreshRecord,
    salt: &str,
    kid: &str,
    tokens: &NewTokens,
    now: Timestamp,
) -> Result<Redemption> {
    let rotate = statement!(
        "UPDATE refresh_tokens SET rotated_at = ?2, rotate_salt = ?3, rotate_kid = ?4
         WHERE token_hash = ?1 AND rotated_at IS NULL AND expires_at > ?2
           AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)
         RETURNING grant_id",
        &record.hash,
        now,
        salt,
        kid,
    );
    let successor = statement!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
         SELECT ?3, grant_id, generation + 1, ?4, ?5 FROM refresh_tokens WHERE token_hash = ?1 AND rotate_salt = ?2",
        &record.hash,
        salt,
        &tokens.refresh,
        now,
        tokens.refresh_expires_at,
    );
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, generation, scope, created_at, expires_at)
         SELECT ?3, grant_id, generation + 1, ?4, ?5, ?6 FROM refresh_tokens WHERE token_hash = ?1 AND rotate_salt = ?2",
        &record.hash,
        salt,
        &tokens.access,
        &tokens.scopes,
        now,
        tokens.access_expires_at,
    );
    Ok(Redemption::from_rows(db.batch(&[rotate, successor, access]).await?.first()))
}

/// Stores another access token for a successor that was issued before; not if that or one of its access tokens was used, it has
/// [`MAX_ACCESS_TOKENS`], or the grant was revoked meanwhile. `audit` is conditional on the access token.
pub async fn repeat_refresh(
    db: &dyn Database,
    record: &RefreshRecord,
    tokens: &NewTokens,
    audit: Statement,
    now: Timestamp,
) -> Result<Redemption> {
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, generation, scope, created_at, expires_at)
         SELECT ?1, s.grant_id, s.generation, ?3, ?4, ?5 FROM refresh_tokens s JOIN grants g ON g.id = s.grant_id
         WHERE s.token_hash = ?2 AND s.rotated_at IS NULL AND s.used_at IS NULL AND g.revoked_at IS NULL
           AND (SELECT count(*) FROM access_tokens a
                WHERE a.grant_id = s.grant_id AND a.generation = s.generation AND a.expires_at > ?4) < ?6
         RETURNING grant_id",
        &tokens.access,
        &tokens.refresh,
        &tokens.scopes,
        now,
        tokens.access_expires_at,
        MAX_ACCESS_TOKENS,
    );
    let count = statement!(
        "UPDATE refresh_tokens SET reuse_count = reuse_count + 1, reused_at = ?3
         WHERE token_hash = ?1 AND EXISTS (SELECT 1 FROM access_tokens WHERE token_hash = ?2)",
        &record.hash,
        &tokens.access,
        now,
    );
    Ok(Redemption::from_rows(db.batch(&[access, count, audit]).await?.first()))
}

/// A stored access token, with the settings of its connection.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessRecord {
    /// The token's scopes: the grant's or fewer.
    #[serde(rename = "token_scope")]
    pub scopes: ScopeSet,
    /// Dead from this second on.
    pub expires_at: Timestamp,
    /// The refresh token that it came with.
    pub generation: i64,
    /// `true` once a call with an access token that came with that refresh token is recorded.
    #[serde(deserialize_with = "flag")]
    pub is_use_recorded: bool,
    /// When the grant was last seen in use.
    pub last_used_at: Option<Timestamp>,
    /// `true` if its person has paused the connection's writes.
    #[serde(deserialize_with = "flag")]
    pub are_writes_paused: bool,
    /// `true` if its person lets the client read resources by tools.
    #[serde(rename = "resource_tools", deserialize_with = "flag")]
    pub has_resource_tools: bool,
    /// The person's confirm mode for its writes, as stored; `None` for the environment's.
    pub confirm: Option<String>,
    /// Pages whose admins have blocked the connection.
    #[serde(deserialize_with = "page_set")]
    pub blocked_pages: BTreeSet<PageId>,
}

/// Ids separated by spaces; NULL for none.
fn page_set<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BTreeSet<PageId>, D::Error> {
    let ids = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    let pages: Option<_> = ids.split_whitespace().map(PageId::parse).collect();
    pages.ok_or_else(|| D::Error::custom("not page ids"))
}

/// Finds an access token with its grant: the one read that checks a bearer token.
pub async fn find_access(db: &dyn Database, hash: &SecretHash) -> Result<Option<(Grant, AccessRecord)>> {
    let select = statement!(
        concat!(
            "SELECT a.scope AS token_scope, a.generation, min(a.expires_at, coalesce(g.expires_at, a.expires_at)) AS expires_at, r.used_at IS NOT NULL AS is_use_recorded,
                g.last_used_at, g.resource_tools, ",
            decided_columns!(),
            ",
                (SELECT group_concat(b.page_id, ' ') FROM blocked_grants b WHERE b.grant_id = g.id) AS blocked_pages, ",
            grant_columns!(),
            " FROM access_tokens a JOIN grants g ON g.id = a.grant_id
         LEFT JOIN refresh_tokens r ON r.grant_id = a.grant_id AND r.generation = a.generation
         LEFT JOIN connections n ON n.user_id = g.user_id AND n.client_id = g.client_id WHERE a.token_hash = ?1"
        ),
        hash,
    );
    find_with_grant(db, select).await
}

/// Revokes one access token of a client, with an audit row; the other tokens of its grant stay valid. Does nothing for
/// a token of another client.
pub async fn revoke_access(
    db: &dyn Database,
    token: &SecretHash,
    client_id: &ClientId,
    row: &RevokedAccess<'_>,
) -> Result<()> {
    let record = audit::statement_for_revoked_access(token, client_id, row);
    let delete = statement!(
        "DELETE FROM access_tokens WHERE token_hash = ?1
           AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.client_id = ?2)",
        token,
        client_id,
    );
    db.batch(&[record, delete]).await.map(drop)
}

/// Finds the grant of a refresh token of this client.
pub async fn find_grant_of_refresh(
    db: &dyn Database,
    token: &SecretHash,
    client_id: &ClientId,
) -> Result<Option<Grant>> {
    let select = statement!(
        concat!(
            "SELECT ",
            grant_columns!(),
            " FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE r.token_hash = ?1 AND g.client_id = ?2"
        ),
        token,
        client_id,
    );
    find_one(db, select).await
}

#[cfg(test)]
mod tests;
