//! The lease of an attempt after it was acquired: the check right before the POST, and the end of the attempt.

use super::{LEASE, WriteKey};
use crate::model::flag;
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::write::{LeaseRefusal, WriteDenial};
use crate::ports::{Database, Statement};
use crate::storage::audit::{AuditId, Entry, Outcome};
use crate::storage::write_permission::write_denial;
use crate::storage::{Result, find_one, statement};
use serde::Deserialize;

/// Last statement before the POST: why the attempt must not send its write now, or `None` if it still holds the lease and may write. Since it acquired the lease, the attempt has waited for the rate limiter and
/// StatiBeat for up to a minute; meanwhile the connection may have been revoked, paused or blocked.
pub async fn check_lease(
    db: &dyn Database,
    key: &WriteKey<'_>,
    attempt: &AuditId,
    page_id: PageId,
    now: Timestamp,
) -> Result<Option<LeaseRefusal>> {
    let select = statement!(
        concat!(
            "SELECT EXISTS (SELECT 1 FROM idempotency WHERE grant_id = ?1 AND key_hash = ?4 AND owner = ?5) AS is_held, ",
            write_denial!("?1", "?2", "?3"),
            " AS denial"
        ),
        key.grant_id,
        page_id,
        now,
        key.fingerprint.key_hash.as_str(),
        attempt,
    );
    Ok(match find_one(db, select).await? {
        Some(LeaseColumns { denial: Some(denial), .. }) => Some(LeaseRefusal::Denied(denial)),
        Some(LeaseColumns { is_held: true, denial: None }) => None,
        // Another attempt has taken the lease over.
        Some(LeaseColumns { is_held: false, denial: None }) | None => {
            Some(LeaseRefusal::Running { retry_after: LEASE })
        }
    })
}

#[derive(Deserialize)]
struct LeaseColumns {
    #[serde(deserialize_with = "flag")]
    is_held: bool,
    denial: Option<WriteDenial>,
}

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
