//! Finishes an attempt: its row, its audit row, and earlier attempts of unknown outcome.

use super::WriteKey;
use crate::ports::{Database, Statement};
use crate::storage::audit::{Entry, Outcome};
use crate::storage::{Result, statement};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseEnd {
    /// The write is published, by any attempt.
    Done {
        /// The answer to every later request.
        result: String,
    },
    /// Nothing was sent, or the write was refused. The key is free again, unless an earlier attempt may have published
    /// it.
    NotWritten,
    /// The outcome is unknown. The next attempt looks the write up.
    Unknown,
}

/// Ends an attempt: its row, its audit row, and what earlier attempts left open.
pub async fn finish(db: &dyn Database, key: &WriteKey<'_>, ending: &LeaseEnd, entry: &Entry<'_>) -> Result<()> {
    let closing = match ending {
        LeaseEnd::Done { result } => vec![close(key, entry, result), resolve(key, entry)],
        LeaseEnd::NotWritten => vec![release(key, entry), leave_open(key, entry)],
        LeaseEnd::Unknown => vec![leave_open(key, entry)],
    };
    let statements: Vec<Statement> = closing.into_iter().chain([record_end(entry)]).collect();
    db.batch(&statements).await.map(drop)
}

fn close(key: &WriteKey<'_>, entry: &Entry<'_>, result: &str) -> Statement {
    statement!(
        "UPDATE idempotency SET outcome = 'done', result = ?4, finished_at = ?5 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        &entry.id,
        result,
        entry.created_at,
    )
}

/// Resolves earlier attempts of unknown outcome: the write is published.
fn resolve(key: &WriteKey<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "UPDATE audit SET resolution = 'done', resolved_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND outcome = 'unknown' AND id <> ?3 AND resolution IS NULL",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        &entry.id,
        entry.created_at,
    )
}

/// Frees the key, unless an earlier attempt may have published the write.
fn release(key: &WriteKey<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "DELETE FROM idempotency WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3 AND takeovers = 0",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        &entry.id,
    )
}

/// The next attempt may take the row over at once.
fn leave_open(key: &WriteKey<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "UPDATE idempotency SET outcome = 'unknown', held_until_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        &entry.id,
        entry.created_at,
    )
}

fn record_end(entry: &Entry<'_>) -> Statement {
    let target = entry.target.as_ref();
    let links = target.map(|target| target.links.clone()).unwrap_or_default();
    statement!(
        "UPDATE audit SET outcome = ?2, detail = ?3, target_id = ?4, public_url = ?6, admin_url = ?7 WHERE id = ?1 AND outcome = ?5",
        &entry.id,
        entry.outcome.as_str(),
        entry.detail,
        target.and_then(|target| target.id.clone()),
        Outcome::Unknown.as_str(),
        links.public_url,
        links.admin_url,
    )
}
