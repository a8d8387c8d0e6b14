//! The end of an attempt: what becomes of the row it holds, of its audit row, and of what earlier attempts left open.

use super::WriteKey;
use crate::ports::{Database, Statement};
use crate::storage::audit::{Entry, Outcome};
use crate::storage::{Result, statement};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseEnd {
    /// The write is there, whoever made it.
    Done {
        /// The answer to every later request.
        result: String,
    },
    /// Certainly, nothing was sent or what was sent was refused. The key is free again, unless an earlier attempt may still
    /// have done it.
    NotWritten,
    /// Nobody knows. The next attempt finds out.
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

/// Attempts that nobody knew the outcome of: the write is there now.
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

/// The key is free, as if it had never been used; not so when an earlier attempt may have done it.
fn release(key: &WriteKey<'_>, entry: &Entry<'_>) -> Statement {
    statement!(
        "DELETE FROM idempotency WHERE grant_id = ?1 AND key_hash = ?2 AND owner = ?3 AND takeovers = 0",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        &entry.id,
    )
}

/// Whoever asks next may take the row over at once.
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
    statement!(
        "UPDATE audit SET outcome = ?2, detail = ?3, target_id = ?4 WHERE id = ?1 AND outcome = ?5",
        &entry.id,
        entry.outcome.as_str(),
        entry.detail,
        entry.target.as_ref().and_then(|target| target.id.clone()),
        Outcome::Unknown.as_str(),
    )
}
