//! Looks up earlier requests for a write: the row of its key, and the same write through another connection.

use crate::model::flag;
use crate::model::ids::GrantId;
use crate::model::timestamp::Timestamp;
use crate::model::write::{Duplicate, EarlierCall, EarlierCalls, WriteFingerprint};
use crate::ports::{Database, DatabaseError, Row, Statement};
use crate::storage::audit::AuditId;
use crate::storage::{Result, read, run, statement};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Lifetime of an idempotency key.
pub const KEEP: Duration = Duration::from_hours(24);

/// Time for which a finished write blocks the same write of another connection. A write of unknown outcome blocks it
/// until it is deleted.
pub const DUPLICATE_RECENT: Duration = Duration::from_mins(30);

/// A write as its key names it.
#[derive(Clone, Copy, Debug)]
pub struct WriteKey<'a> {
    pub grant_id: &'a GrantId,
    pub fingerprint: &'a WriteFingerprint,
}

/// The row of the same write through another connection.
#[derive(Deserialize)]
pub(super) struct DuplicateRow {
    external_id: String,
    /// The result of a finished write.
    pub(super) result: Option<String>,
    /// When it finished, or started if it has not.
    last_changed_at: Timestamp,
    /// `true` while an attempt holds the lease.
    #[serde(deserialize_with = "flag")]
    pub(super) is_running: bool,
}

impl DuplicateRow {
    pub(super) fn read(self, now: Timestamp) -> Duplicate {
        let published_id = self.result.and_then(|result| parse_result(&result)["id"].as_i64());
        Duplicate { external_id: self.external_id, published_id, age: now.since(self.last_changed_at) }
    }
}

/// StatiBeat's document, as far as [`finish`](super::finish) stored it.
pub(super) fn parse_result(result: &str) -> Value {
    serde_json::from_str(result).unwrap_or_default()
}

/// The row of a key.
#[derive(Deserialize)]
pub(super) struct KeyRow {
    digest: String,
    fields: String,
    pub(super) external_id: String,
    pub(super) outcome: String,
    pub(super) owner: AuditId,
    pub(super) takeovers: i64,
    pub(super) held_until_at: Timestamp,
    pub(super) result: Option<String>,
}

impl KeyRow {
    /// The arguments that differ from those of `fingerprint`, or `None` if it is the same write.
    pub(super) fn differing_fields(&self, fingerprint: &WriteFingerprint) -> Result<Option<Vec<String>>> {
        if self.digest == fingerprint.digest {
            return Ok(None);
        }
        let known = serde_json::from_str(&self.fields).map_err(|_| unreadable("fields"))?;
        Ok(Some(fingerprint.differing_fields(&known)))
    }
}

/// Looks up the earlier calls of a write that is being shown, in one batch; changes nothing.
pub async fn find_earlier(db: &dyn Database, key: &WriteKey<'_>, now: Timestamp) -> Result<EarlierCalls> {
    let statements = [select(key, now), select_duplicate(key, now, Some(now - DUPLICATE_RECENT), None)];
    let mut answers = db.batch(&statements).await?;
    let duplicate = pop_one(&mut answers)?.map(|row: DuplicateRow| row.read(now));
    let row: Option<KeyRow> = pop_one(&mut answers)?;
    let same_key = row.map(|row| match row.differing_fields(key.fingerprint)? {
        Some(fields) => Ok(EarlierCall::Conflict(fields)),
        None => Ok(row.result.map_or(EarlierCall::Unfinished, |result| EarlierCall::Completed(parse_result(&result)))),
    });
    Ok(EarlierCalls { same_key: same_key.transpose()?, duplicate })
}

/// Checks whether this very write was requested before: then nobody confirms once more what is done already. Another
/// write under the same key is not known.
pub async fn is_known(db: &dyn Database, key: &WriteKey<'_>, now: Timestamp) -> Result<bool> {
    let select = statement!(
        "SELECT 1 AS one FROM idempotency WHERE grant_id = ?1 AND key_hash = ?2 AND digest = ?3 AND started_at > ?4",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        key.fingerprint.digest.as_str(),
        now - KEEP,
    );
    Ok(!run(db, select).await?.is_empty())
}

pub(super) fn select(key: &WriteKey<'_>, now: Timestamp) -> Statement {
    statement!(
        "SELECT digest, fields, external_id, outcome, owner, takeovers, held_until_at, result FROM idempotency \
         WHERE grant_id = ?1 AND key_hash = ?2 AND started_at > ?3",
        key.grant_id,
        key.fingerprint.key_hash.as_str(),
        now - KEEP,
    )
}

/// A finished write takes precedence.
pub(super) fn select_duplicate(
    key: &WriteKey<'_>,
    now: Timestamp,
    since: Option<Timestamp>,
    shown: Option<&str>,
) -> Statement {
    statement!(
        "SELECT external_id, result, coalesce(finished_at, started_at) AS last_changed_at, \
         outcome = 'running' AND held_until_at > ?5 AS is_running FROM idempotency \
         WHERE digest = ?1 AND grant_id <> ?2 AND started_at > ?6 \
         AND ?3 IS NOT NULL AND (outcome <> 'done' OR finished_at > ?3) AND external_id <> coalesce(?4, '') \
         ORDER BY outcome = 'done' DESC, last_changed_at DESC LIMIT 1",
        key.fingerprint.digest.as_str(),
        key.grant_id,
        since,
        shown,
        now,
        now - KEEP,
    )
}

/// The row of the last statement, if it answered one.
pub(super) fn pop_one<T: DeserializeOwned>(answers: &mut Vec<Vec<Row>>) -> Result<Option<T>> {
    answers.pop().unwrap_or_default().first().map(read).transpose()
}

pub(super) fn unreadable(column: &str) -> DatabaseError {
    DatabaseError(format!("{column} cannot be read"))
}
