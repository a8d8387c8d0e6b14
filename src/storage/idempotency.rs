//! Writes by their idempotency key: claimed before anything is sent, finished together with the audit row.
//!
//! Each function is one batch. A claim appends the attempt's audit row whatever comes of it, so that nothing can be sent
//! that is not on record. Only the attempt that owns a row can finish it; a slower one whose row was taken over finishes
//! its audit row alone.

use super::audit::{self, AuditId, Entry, Outcome};
use super::{Result, statement};
use crate::ids::GrantId;
use crate::ports::{Database, Row, Statement, Value};
use crate::timestamp::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a key is remembered.
pub const KEEP: Duration = Duration::from_hours(24);
/// How long an attempt may hold a write before another may take it over. Well above the time that all of one attempt's
/// calls may take together.
pub const HOLD: Duration = Duration::from_mins(2);

/// A digest for each argument, to say which of them differ.
pub type Fields = BTreeMap<String, String>;

/// A write as its key names it.
#[derive(Clone, Debug)]
pub struct Key<'a> {
    /// Under which approval.
    pub grant_id: &'a GrantId,
    /// Of the client's key, or of the arguments.
    pub hash: &'a str,
    /// Of all arguments, page and tool included.
    pub digest: &'a str,
    /// The same, one by one.
    pub fields: &'a Fields,
}

/// A handle that a claim uses up.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Its random part.
    pub nonce: String,
    /// When it would have expired.
    pub expires_at: Timestamp,
}

/// An attempt to write.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The write.
    pub key: Key<'a>,
    /// What the upstream shall know the write by, if this attempt is the first.
    pub external_id: &'a str,
    /// The handle that confirms it, if one was needed.
    pub handle: Option<&'a Handle>,
    /// The attempt's audit row. Its id names the attempt.
    pub entry: &'a Entry<'a>,
}

/// What a claim came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody has asked for this before: go on.
    New,
    /// An earlier attempt did not finish, and nobody knows what it did. Find out first.
    TakenOver {
        /// What the upstream may know the write by.
        external_id: String,
    },
    /// It is done; this came of it.
    Replay {
        /// As [`finish`] stored it.
        result: String,
    },
    /// Another attempt is at it.
    Running {
        /// When it can be taken over at the latest.
        until: Timestamp,
    },
    /// The key stands for other arguments.
    Conflict {
        /// The arguments that differ.
        fields: Vec<String>,
    },
    /// The handle has been used for something else.
    HandleSpent,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The write is there, whoever made it.
    Done {
        /// What to answer from now on.
        result: String,
    },
    /// Certainly, nothing was sent or what was sent was refused. The key is free again, unless an earlier attempt may still
    /// have done it.
    NotDone,
    /// Nobody knows. The next attempt finds out.
    Unknown,
}

/// Claims a write, takes it over, or says why not; and appends the attempt's audit row.
pub async fn begin(db: &dyn Database, claim: &Claim<'_>) -> Result<Claimed> {
    let mut answers = db.batch(&[insert(claim), take_over(claim), spend(claim), record(claim), select(claim)]).await?;
    match answers.pop().unwrap_or_default().first() {
        Some(row) => read(row, claim),
        None => Ok(Claimed::HandleSpent),
    }
}

/// The first to ask gets the row. A row past its time counts as none. A spent handle opens nothing new.
fn insert(claim: &Claim<'_>) -> Statement {
    let Entry { id, at, target, .. } = claim.entry;
    statement!(
        "INSERT INTO idempotency (grant_id, key_hash, tool, page_id, digest, fields, external_id, outcome, owner, \
         held_until_at, started_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'running', ?8, ?9, ?10 \
         WHERE NOT EXISTS (SELECT 1 FROM spent_handles WHERE nonce = ?11) \
         ON CONFLICT (grant_id, key_hash) DO UPDATE SET tool = excluded.tool, page_id = excluded.page_id, \
         digest = excluded.digest, fields = excluded.fields, external_id = excluded.external_id, outcome = 'running', \
         owner = excluded.owner, takeovers = 0, held_until_at = excluded.held_until_at, result = NULL, \
         started_at = excluded.started_at, finished_at = NULL \
         WHERE idempotency.started_at <= ?12",
        claim.key.grant_id.0.as_str(),
        claim.key.hash,
        target.as_ref().map_or("", |target| target.tool),
        target.as_ref().and_then(|target| target.page_id).map_or(0, |page_id| page_id.0),
        claim.key.digest,
        fields_as_text(claim.key.fields),
        claim.external_id,
        id.0.as_str(),
        *at + HOLD,
        *at,
        claim.handle.map(|handle| handle.nonce.as_str()),
        *at - KEEP,
    )
}

/// What nobody finished in time is taken over by exactly one of those who ask again.
fn take_over(claim: &Claim<'_>) -> Statement {
    let Entry { id, at, .. } = claim.entry;
    statement!(
        "UPDATE idempotency SET owner = ?3, takeovers = takeovers + 1, outcome = 'running', held_until_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner <> ?3 AND outcome <> 'done' AND digest = ?5 \
         AND held_until_at <= ?6",
        claim.key.grant_id.0.as_str(),
        claim.key.hash,
        id.0.as_str(),
        *at + HOLD,
        claim.key.digest,
        *at,
    )
}

/// The handle goes with the row: used exactly if the row is ours.
fn spend(claim: &Claim<'_>) -> Statement {
    statement!(
        "INSERT INTO spent_handles (nonce, expires_at) SELECT ?1, ?2 WHERE ?1 IS NOT NULL \
         AND EXISTS (SELECT 1 FROM idempotency WHERE grant_id = ?3 AND key_hash = ?4 AND owner = ?5) \
         ON CONFLICT (nonce) DO NOTHING",
        claim.handle.map(|handle| handle.nonce.as_str()),
        claim.handle.map_or(claim.entry.at, |handle| handle.expires_at),
        claim.key.grant_id.0.as_str(),
        claim.key.hash,
        claim.entry.id.0.as_str(),
    )
}

/// The audit row says what the claim came to, in the words of [`Outcome`].
fn record(claim: &Claim<'_>) -> Statement {
    let sql = "INSERT INTO audit (id, at, kind, outcome, user_id, client_id, client_name, grant_id, page_id, tool, \
         target_id, title, request_id, detail, key_hash) \
         SELECT ?1, ?2, ?3, \
           CASE WHEN i.owner = ?1 THEN 'unknown' WHEN i.digest = ?16 AND i.outcome = 'done' THEN 'replayed' ELSE 'refused' END, \
           ?5, ?6, ?7, ?8, ?9, ?10, \
           CASE WHEN i.digest = ?16 THEN json_extract(i.result, '$.id') END, ?12, ?13, \
           CASE WHEN i.owner = ?1 THEN 'not_finished' WHEN i.owner IS NULL THEN 'handle_spent' \
             WHEN i.digest <> ?16 THEN 'key_conflict' WHEN i.outcome = 'done' THEN NULL ELSE 'still_running' END, ?15 \
         FROM (SELECT 1) LEFT JOIN idempotency i ON i.grant_id = ?8 AND i.key_hash = ?15 \
         WHERE true ON CONFLICT (id) DO NOTHING";
    let mut values = audit::values(claim.entry);
    values.extend([Value::from(claim.key.hash), Value::from(claim.key.digest)]);
    Statement { sql, values }
}

fn select(claim: &Claim<'_>) -> Statement {
    statement!(
        "SELECT digest, fields, external_id, outcome, owner, takeovers, held_until_at, result FROM idempotency \
         WHERE grant_id = ?1 AND key_hash = ?2",
        claim.key.grant_id.0.as_str(),
        claim.key.hash,
    )
}

fn read(row: &Row, claim: &Claim<'_>) -> Result<Claimed> {
    let is_ours = row.text("owner")? == claim.entry.id.0;
    if is_ours && row.integer("takeovers")? == 0 {
        return Ok(Claimed::New);
    }
    if is_ours {
        return Ok(Claimed::TakenOver { external_id: row.text("external_id")? });
    }
    if row.text("digest")? != claim.key.digest {
        let known = row.parsed("fields", |text| serde_json::from_str(text).ok())?;
        return Ok(Claimed::Conflict { fields: differing(&known, claim.key.fields) });
    }
    if row.text("outcome")? == "done" {
        return Ok(Claimed::Replay { result: row.text("result")? });
    }
    Ok(Claimed::Running { until: row.time("held_until_at")? })
}

/// Whether anything is known of a write: asked before a person is, so that nobody confirms what is done already.
pub async fn is_known(db: &dyn Database, key: &Key<'_>, now: Timestamp) -> Result<bool> {
    let select = statement!(
        "SELECT 1 AS one FROM idempotency WHERE grant_id = ?1 AND key_hash = ?2 AND started_at > ?3",
        key.grant_id.0.as_str(),
        key.hash,
        now - KEEP,
    );
    Ok(super::run_for_one(db, select).await?.is_some())
}

/// Ends an attempt: its row, its audit row, and what earlier attempts left open.
pub async fn finish(db: &dyn Database, key: &Key<'_>, ending: &Ending, entry: &Entry<'_>) -> Result<()> {
    let closing = match ending {
        Ending::Done { result } => vec![close(key, entry, result), resolve(key, entry)],
        Ending::NotDone => vec![release(key, entry), leave_open(key, entry)],
        Ending::Unknown => vec![leave_open(key, entry)],
    };
    let statements: Vec<Statement> = closing.into_iter().chain([record_end(entry)]).collect();
    db.batch(&statements).await.map(drop)
}

fn close(key: &Key<'_>, entry: &Entry<'_>, result: &str) -> Statement {
    statement!(
        "UPDATE idempotency SET outcome = 'done', result = ?4, finished_at = ?5 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3",
        key.grant_id.0.as_str(),
        key.hash,
        entry.id.0.as_str(),
        result,
        entry.at,
    )
}

/// Attempts that nobody knew the outcome of: the write is there now.
fn resolve(key: &Key<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "UPDATE audit SET resolution = 'done', resolved_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND outcome = 'unknown' AND id <> ?3 AND resolution IS NULL",
        key.grant_id.0.as_str(),
        key.hash,
        entry.id.0.as_str(),
        entry.at,
    )
}

/// The key is free, as if it had never been used; not so when an earlier attempt may have done it.
fn release(key: &Key<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "DELETE FROM idempotency WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3 AND takeovers = 0",
        key.grant_id.0.as_str(),
        key.hash,
        entry.id.0.as_str(),
    )
}

/// Whoever asks next may take the row over at once.
fn leave_open(key: &Key<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "UPDATE idempotency SET outcome = 'unknown', held_until_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3",
        key.grant_id.0.as_str(),
        key.hash,
        entry.id.0.as_str(),
        entry.at,
    )
}

fn record_end(entry: &Entry<'_>) -> Statement {
    statement!(
        "UPDATE audit SET outcome = ?2, detail = ?3, target_id = ?4 WHERE id = ?1 AND outcome = ?5",
        entry.id.0.as_str(),
        entry.outcome.as_str(),
        entry.detail,
        entry.target.as_ref().and_then(|target| target.id.clone()),
        Outcome::Unknown.as_str(),
    )
}

fn fields_as_text(fields: &Fields) -> String {
    serde_json::to_string(fields).unwrap_or_default()
}

fn differing(known: &Fields, given: &Fields) -> Vec<String> {
    let names = known.keys().chain(given.keys().filter(|name| !known.contains_key(*name)));
    names.filter(|name| known.get(*name) != given.get(*name)).cloned().collect()
}

/// The id of an attempt that makes its own external id; StatiBeat shows it, and it leads to the audit row.
pub fn external_id(attempt: &AuditId) -> String {
    format!("mcp-{}", attempt.0)
}

#[cfg(test)]
mod tests;
