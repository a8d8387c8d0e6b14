//! Codes, refresh tokens, access tokens.
//!
//! Each redemption is one batch whose first statement is a conditional write and whose inserts select on what only that
//! write could have left; every insert also demands that the grant is not revoked, so nothing ever comes back to life.

use super::audit::{self, RevokedAccess};
use super::{Result, run, run_for_one, statement};
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::grant::{
    CodeRecord, Grant, MAX_FAILED_ATTEMPTS, MAX_ROTATIONS, MAX_WINDOW_USES, PageChoice, RefreshRecord, Rotation,
};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::secret::SecretHash;
use crate::ports::{Database, DatabaseError, Row, Statement};
use std::collections::BTreeSet;

/// Finds a code with its grant: one read.
pub async fn find_code(db: &dyn Database, hash: &SecretHash) -> Result<Option<CodeRecord>> {
    let select = statement!(
        "SELECT c.code_hash, c.redirect_uri, c.code_challenge, c.expires_at, c.redeemed_at, c.failed_attempts,
                g.id AS grant_id, g.user_id, g.client_id, g.client_name, g.resource, g.scope, g.pages,
                g.expires_at AS grant_expires_at, g.revoked_at
         FROM codes c JOIN grants g ON g.id = c.grant_id WHERE c.code_hash = ?1",
        hash.0.as_str(),
    );
    let read = |row: Row| -> Result<CodeRecord> {
        Ok(CodeRecord {
            hash: SecretHash(row.text("code_hash")?),
            grant: read_grant(&row)?,
            redirect_uri: row.text("redirect_uri")?,
            challenge: row.parsed("code_challenge", CodeChallenge::parse)?,
            expires_at: row.time("expires_at")?,
            redeemed_at: row.optional_time("redeemed_at")?,
            failed_attempts: row.integer("failed_attempts")?,
        })
    };
    run_for_one(db, select).await?.map(read).transpose()
}

fn read_grant(row: &Row) -> Result<Grant> {
    Ok(Grant {
        id: GrantId(row.text("grant_id")?),
        user_id: UserId(row.text("user_id")?),
        client_id: row.parsed("client_id", ClientId::parse)?,
        client_name: row.text("client_name")?,
        resource: row.text("resource")?,
        scopes: row.parsed("scope", ScopeSet::parse)?,
        pages: read_pages(row)?,
        expires_at: row.optional_time("grant_expires_at")?,
        is_revoked: row.optional_time("revoked_at")?.is_some(),
    })
}

/// The pages of a grant.
pub(super) fn read_pages(row: &Row) -> Result<PageChoice> {
    match row.optional_text("pages")? {
        None => Ok(PageChoice::All),
        Some(_) => row.parsed("pages", PageChoice::parse_these),
    }
}

/// Counts a wrong verifier; the only write on a failing path.
pub async fn count_failed_attempt(db: &dyn Database, code: &SecretHash) -> Result<()> {
    let update = statement!(
        "UPDATE codes SET failed_attempts = failed_attempts + 1 WHERE code_hash = ?1 AND redeemed_at IS NULL",
        code.0.as_str(),
    );
    run(db, update).await.map(drop)
}

/// A pair of tokens about to be handed out.
pub struct NewTokens {
    pub access: SecretHash,
    pub scopes: ScopeSet,
    pub access_expires_at: Timestamp,
    pub refresh: SecretHash,
    pub refresh_expires_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Race {
    /// This request; its tokens are stored.
    Won,
    /// Another one, or a revoke; nothing was stored.
    Lost,
}

impl Race {
    fn of(answers: &[Vec<Row>]) -> Self {
        if answers.first().is_some_and(|rows| !rows.is_empty()) { Self::Won } else { Self::Lost }
    }
}

/// Redeems a code and stores its first tokens, all or nothing. `nonce` is random and of this request alone.
pub async fn redeem_code(
    db: &dyn Database,
    code: &SecretHash,
    nonce: &str,
    tokens: &NewTokens,
    now: Timestamp,
) -> Result<Race> {
    let redeem = statement!(
        "UPDATE codes SET redeemed_at = ?3, redeem_nonce = ?2
         WHERE code_hash = ?1 AND redeemed_at IS NULL AND expires_at > ?3 AND failed_attempts < ?4
           AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)
         RETURNING grant_id",
        code.0.as_str(),
        nonce,
        now,
        MAX_FAILED_ATTEMPTS,
    );
    let activate = statement!(
        "UPDATE grants SET activated_at = ?2
         WHERE id = (SELECT grant_id FROM codes WHERE code_hash = ?3 AND redeem_nonce = ?1)",
        nonce,
        now,
        code.0.as_str(),
    );
    let refresh = statement!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
         SELECT ?2, grant_id, 1, ?3, ?4 FROM codes WHERE code_hash = ?5 AND redeem_nonce = ?1",
        nonce,
        tokens.refresh.0.as_str(),
        now,
        tokens.refresh_expires_at,
        code.0.as_str(),
    );
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, scope, created_at, expires_at)
         SELECT ?2, grant_id, ?3, ?4, ?5 FROM codes WHERE code_hash = ?6 AND redeem_nonce = ?1",
        nonce,
        tokens.access.0.as_str(),
        tokens.scopes.to_string(),
        now,
        tokens.access_expires_at,
        code.0.as_str(),
    );
    Ok(Race::of(&db.batch(&[redeem, activate, refresh, access]).await?))
}

/// Finds a refresh token with its grant and what became of its successor: one read.
pub async fn find_refresh(db: &dyn Database, hash: &SecretHash) -> Result<Option<RefreshRecord>> {
    let select = statement!(
        "SELECT r.token_hash, r.generation, r.expires_at, r.rotated_at, r.rotate_salt, r.rotate_kid, r.window_uses,
                s.token_hash AS successor, s.rotated_at AS successor_rotated_at,
                g.id AS grant_id, g.user_id, g.client_id, g.client_name, g.resource, g.scope, g.pages,
                g.expires_at AS grant_expires_at, g.revoked_at,
                (SELECT e.created_at FROM refresh_tokens e
                 WHERE e.grant_id = r.grant_id AND e.generation = r.generation - ?2 + 1 AND e.generation > 1) AS tenth_last
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id
         LEFT JOIN refresh_tokens s ON s.grant_id = r.grant_id AND s.generation = r.generation + 1
         WHERE r.token_hash = ?1",
        hash.0.as_str(),
        MAX_ROTATIONS,
    );
    let read = |row: Row| -> Result<RefreshRecord> {
        Ok(RefreshRecord {
            hash: SecretHash(row.text("token_hash")?),
            grant: read_grant(&row)?,
            generation: row.integer("generation")?,
            expires_at: row.time("expires_at")?,
            rotation: read_rotation(&row)?,
            tenth_last_rotation_at: row.optional_time("tenth_last")?,
        })
    };
    run_for_one(db, select).await?.map(read).transpose()
}

fn read_rotation(row: &Row) -> Result<Option<Rotation>> {
    let Some(at) = row.optional_time("rotated_at")? else { return Ok(None) };
    let successor = row.optional_text("successor")?.map(SecretHash);
    Ok(Some(Rotation {
        at,
        salt: row.text("rotate_salt")?,
        kid: row.text("rotate_kid")?,
        window_uses: row.integer("window_uses")?,
        is_superseded: successor.is_none() || row.optional_time("successor_rotated_at")?.is_some(),
        successor,
    }))
}

/// Rotates a refresh token on its first use and stores the new pair, all or nothing. `salt` is random and of this request
/// alone: the inserts select on it.
pub async fn rotate_refresh(
    db: &dyn Database,
    record: &RefreshRecord,
    salt: &str,
    kid: &str,
    tokens: &NewTokens,
    now: Timestamp,
) -> Result<Race> {
    let rotate = statement!(
        "UPDATE refresh_tokens SET rotated_at = ?2, rotate_salt = ?3, rotate_kid = ?4
         WHERE token_hash = ?1 AND rotated_at IS NULL AND expires_at > ?2
           AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)
         RETURNING grant_id",
        record.hash.0.as_str(),
        now,
        salt,
        kid,
    );
    let successor = statement!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at)
         SELECT ?3, grant_id, generation + 1, ?4, ?5 FROM refresh_tokens WHERE token_hash = ?1 AND rotate_salt = ?2",
        record.hash.0.as_str(),
        salt,
        tokens.refresh.0.as_str(),
        now,
        tokens.refresh_expires_at,
    );
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, scope, created_at, expires_at)
         SELECT ?3, grant_id, ?4, ?5, ?6 FROM refresh_tokens WHERE token_hash = ?1 AND rotate_salt = ?2",
        record.hash.0.as_str(),
        salt,
        tokens.access.0.as_str(),
        tokens.scopes.to_string(),
        now,
        tokens.access_expires_at,
    );
    Ok(Race::of(&db.batch(&[rotate, successor, access]).await?))
}

/// Stores one more access token beside a successor that was handed out before. Lost when the window was used up, the
/// successor was used, or the grant was revoked in between. `audit` is conditional on the access token.
pub async fn repeat_refresh(
    db: &dyn Database,
    record: &RefreshRecord,
    tokens: &NewTokens,
    audit: Statement,
    now: Timestamp,
) -> Result<Race> {
    let access = statement!(
        "INSERT INTO access_tokens (token_hash, grant_id, scope, created_at, expires_at)
         SELECT ?1, s.grant_id, ?3, ?4, ?5
         FROM refresh_tokens s JOIN grants g ON g.id = s.grant_id JOIN refresh_tokens r ON r.token_hash = ?6
         WHERE s.token_hash = ?2 AND s.rotated_at IS NULL AND g.revoked_at IS NULL AND r.window_uses < ?7
         RETURNING grant_id",
        tokens.access.0.as_str(),
        tokens.refresh.0.as_str(),
        tokens.scopes.to_string(),
        now,
        tokens.access_expires_at,
        record.hash.0.as_str(),
        MAX_WINDOW_USES,
    );
    let count = statement!(
        "UPDATE refresh_tokens SET window_uses = window_uses + 1
         WHERE token_hash = ?1 AND EXISTS (SELECT 1 FROM access_tokens WHERE token_hash = ?2)",
        record.hash.0.as_str(),
        tokens.access.0.as_str(),
    );
    Ok(Race::of(&db.batch(&[access, count, audit]).await?))
}

/// An access token that is known here, with what it stands on.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// What it carries and for whom.
    pub grant: Grant,
    /// What this token carries: the grant's scopes or fewer.
    pub scopes: ScopeSet,
    /// Dead from this second on.
    pub expires_at: Timestamp,
    /// When the grant was last seen in use.
    pub last_used_at: Option<Timestamp>,
    /// Whether its person has paused the connection's writes.
    pub are_writes_paused: bool,
    /// Whether its person lets the client read resources by tools.
    pub has_read_bridge: bool,
    /// How its person wants to be asked about its writes, in the word that is stored; `None`: as the environment says.
    pub confirm: Option<String>,
    /// Pages whose admins have blocked the connection.
    pub blocked_pages: BTreeSet<PageId>,
}

/// Finds an access token with its grant: the one read that checks a bearer token.
pub async fn find_access(db: &dyn Database, hash: &SecretHash) -> Result<Option<AccessRecord>> {
    let select = statement!(
        "SELECT a.scope AS token_scope, a.expires_at, g.id AS grant_id, g.user_id, g.client_id, g.client_name, g.resource,
                g.scope, g.pages, g.expires_at AS grant_expires_at, g.revoked_at, g.last_used_at, g.read_bridge,
                EXISTS (SELECT 1 FROM write_pauses p WHERE p.user_id = g.user_id AND p.client_id = g.client_id) AS is_paused,
                (SELECT w.confirm FROM write_confirmations w
                 WHERE w.user_id = g.user_id AND w.client_id = g.client_id) AS confirm,
                (SELECT group_concat(b.page_id, ' ') FROM blocked_grants b WHERE b.grant_id = g.id) AS blocked_pages
         FROM access_tokens a JOIN grants g ON g.id = a.grant_id WHERE a.token_hash = ?1",
        hash.0.as_str(),
    );
    let read = |row: Row| -> Result<AccessRecord> {
        Ok(AccessRecord {
            grant: read_grant(&row)?,
            scopes: row.parsed("token_scope", ScopeSet::parse)?,
            expires_at: row.time("expires_at")?,
            last_used_at: row.optional_time("last_used_at")?,
            are_writes_paused: row.integer("is_paused")? != 0,
            has_read_bridge: row.integer("read_bridge")? != 0,
            confirm: row.optional_text("confirm")?,
            blocked_pages: read_blocked_pages(&row)?,
        })
    };
    run_for_one(db, select).await?.map(read).transpose()
}

fn read_blocked_pages(row: &Row) -> Result<BTreeSet<PageId>> {
    let ids = row.optional_text("blocked_pages")?.unwrap_or_default();
    let pages: Option<BTreeSet<PageId>> = ids.split_whitespace().map(PageId::parse).collect();
    pages.ok_or_else(|| DatabaseError("blocked_pages cannot be read".to_owned()))
}

/// Ends one access token of a client, with its audit row; others of its grant go on. Nothing happens to a token of another
/// client.
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
        token.0.as_str(),
        client_id.as_str(),
    );
    db.batch(&[record, delete]).await.map(drop)
}

/// The grant of a refresh token, if it is a token of that client.
pub async fn find_grant_of_refresh(
    db: &dyn Database,
    token: &SecretHash,
    client_id: &ClientId,
) -> Result<Option<Grant>> {
    let select = statement!(
        "SELECT g.id AS grant_id, g.user_id, g.client_id, g.client_name, g.resource, g.scope, g.pages,
                g.expires_at AS grant_expires_at, g.revoked_at
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id WHERE r.token_hash = ?1 AND g.client_id = ?2",
        token.0.as_str(),
        client_id.as_str(),
    );
    run_for_one(db, select).await?.map(|row| read_grant(&row)).transpose()
}

#[cfg(test)]
mod tests;
