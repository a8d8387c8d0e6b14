//! Writes by their idempotency key: an attempt acquires the lease of a write before anything is sent, and finishes it together
//! with its audit row.
//!
//! Each function is one batch. Acquiring appends the attempt's audit row in any case, so nothing is sent without a
//! record. Only the attempt that holds the lease can finish the write; an attempt whose lease was taken over finishes
//! only its audit row.

mod earlier;
mod lease;

pub use earlier::{DUPLICATE_RECENT, KEEP, WriteKey, find_earlier, is_known};
pub use lease::{LeaseEnd, check_lease, finish};

use super::audit::{self, AuditId, Entry};
use super::write_permission::write_denial;
use super::{Result, statement};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::write::{Acquisition, Confirmation, Lease, LeaseRefusal, Takeover, WriteDenial, WriteFingerprint};
use crate::ports::{Database, Statement};
use earlier::{DuplicateRow, KeyRow, parse_result, pop_one, select, select_duplicate, unreadable};
use serde::Deserialize;
use std::time::Duration;

/// Lease duration; afterwards another attempt may take the write over. Well above the time that all calls of one
/// attempt may take.
pub const LEASE: Duration = Duration::from_mins(2);

#[derive(Clone, Debug)]
pub struct LeaseRequest<'a> {
    pub key: WriteKey<'a>,
    /// External id of the write, if this attempt is the first.
    pub external_id: &'a str,
    /// The confirmation, where one was needed.
    pub confirmation: Option<&'a Confirmation>,
    /// The check for the same write through another connection.
    pub duplicates: DuplicateRule<'a>,
    /// The attempt's audit row. Its id names the attempt.
    pub entry: &'a Entry<'a>,
}

/// The decision on a write that another connection requested in the same words, on the same page, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateRule<'a> {
    /// They are one: the client gave both the same name, under which the upstream takes only one.
    Allowed,
    /// It stands in the way, unless it is the one that was shown, by its external id.
    Refused {
        /// The one that was shown.
        shown: Option<&'a str>,
    },
}

/// Acquires the lease of a write, takes it over, or says why not; and appends the attempt's audit row.
pub async fn acquire(db: &dyn Database, request: &LeaseRequest<'_>) -> Result<Acquisition> {
    let statements = [
        insert(request),
        take_over(request),
        redeem_confirm_token(request),
        record(request),
        select(&request.key, request.entry.created_at),
        select_duplicate_of(request),
        select_denial(request),
    ];
    let mut answers = db.batch(&statements).await?;
    let denial = pop_one(&mut answers)?.and_then(|DenialColumn { denial }| denial);
    let duplicate: Option<DuplicateRow> = pop_one(&mut answers)?;
    Ok(Acquisition::Refused(match (pop_one(&mut answers)?, denial, duplicate) {
        (Some(row), denial, duplicate) => return judge(row, request, denial, duplicate),
        (None, Some(denial), _) => LeaseRefusal::Denied(denial),
        (None, None, Some(row)) => LeaseRefusal::Duplicate(row.read(request.entry.created_at)),
        (None, None, None) => LeaseRefusal::TokenRedeemed,
    }))
}

#[derive(Deserialize)]
struct DenialColumn {
    denial: Option<WriteDenial>,
}

/// The first to ask gets the row. A row past its time counts as none. A redeemed confirm token opens nothing new, and neither
/// does what another connection has just asked for. Whoever may not write gets nothing.
fn insert(request: &LeaseRequest<'_>) -> Statement {
    let Entry { id, created_at, target, .. } = request.entry;
    statement!(
        concat!(
            "INSERT INTO idempotency (grant_id, key_hash, tool, page_id, digest, fields, external_id, outcome, owner, \
         held_until_at, started_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'running', ?8, ?9, ?10 \
         WHERE ",
            write_denial!("?1", "?4", "?10"),
            " IS NULL AND NOT EXISTS (SELECT 1 FROM used_nonces WHERE nonce = ?11) \
         AND NOT EXISTS (SELECT 1 FROM idempotency WHERE digest = ?5 AND grant_id <> ?1 AND started_at > ?12 \
           AND ?13 IS NOT NULL AND (outcome <> 'done' OR finished_at > ?13) AND external_id <> coalesce(?14, '')) \
         ON CONFLICT (grant_id, key_hash) DO UPDATE SET tool = excluded.tool, page_id = excluded.page_id, \
         digest = excluded.digest, fields = excluded.fields, external_id = excluded.external_id, outcome = 'running', \
         owner = excluded.owner, takeovers = 0, held_until_at = excluded.held_until_at, result = NULL, \
         started_at = excluded.started_at, finished_at = NULL \
         WHERE idempotency.started_at <= ?12"
        ),
        request.key.grant_id,
        request.key.fingerprint.key_hash.as_str(),
        target.as_ref().map_or("", |target| target.tool),
        request.page_id(),
        request.key.fingerprint.digest.as_str(),
        serde_json::to_string(&request.key.fingerprint.fields).unwrap_or_default(),
        request.external_id,
        id,
        *created_at + LEASE,
        *created_at,
        request.confirmation.map(|confirmation| confirmation.nonce.as_str()),
        *created_at - KEEP,
        request.duplicates_since(),
        request.shown_duplicate(),
    )
}

impl LeaseRequest<'_> {
    /// Duplicates that were done after this stand in the way, and those whose end nobody knows; without a time, none does.
    fn duplicates_since(&self) -> Option<Timestamp> {
        matches!(self.duplicates, DuplicateRule::Refused { .. }).then(|| self.entry.created_at - DUPLICATE_RECENT)
    }

    fn page_id(&self) -> i64 {
        self.entry.target.as_ref().and_then(|target| target.page_id).map_or(0, PageId::get)
    }

    fn shown_duplicate(&self) -> Option<&str> {
        match self.duplicates {
            DuplicateRule::Refused { shown } => shown,
            DuplicateRule::Allowed => None,
        }
    }
}

/// An expired lease is taken over by exactly one of the repeated requests. A paused connection may, to find out what
/// the earlier attempt did; one whose grant has ended or that is blocked from the page may not even do that.
fn take_over(request: &LeaseRequest<'_>) -> Statement {
    let Entry { id, created_at, .. } = request.entry;
    statement!(
        concat!(
            "UPDATE idempotency SET owner = ?3, takeovers = takeovers + 1, outcome = 'running', held_until_at = ?4 \
         WHERE grant_id = ?1 AND key_hash = ?2 AND owner <> ?3 AND outcome <> 'done' AND digest = ?5 \
         AND held_until_at <= ?6 AND started_at > ?7 AND coalesce(",
            write_denial!("?1", "?8", "?6"),
            ", 'writes_paused') \
         = 'writes_paused'"
        ),
        request.key.grant_id,
        request.key.fingerprint.key_hash.as_str(),
        id,
        *created_at + LEASE,
        request.key.fingerprint.digest.as_str(),
        *created_at,
        *created_at - KEEP,
        request.page_id(),
    )
}

/// The confirm token goes with the row: redeemed exactly if the row is ours.
fn redeem_confirm_token(request: &LeaseRequest<'_>) -> Statement {
    statement!(
        "INSERT INTO used_nonces (nonce, expires_at) SELECT ?1, ?2 WHERE ?1 IS NOT NULL \
         AND EXISTS (SELECT 1 FROM idempotency WHERE grant_id = ?3 AND key_hash = ?4 AND owner = ?5) \
         ON CONFLICT (nonce) DO NOTHING",
        request.confirmation.map(|confirmation| confirmation.nonce.as_str()),
        request.confirmation.map_or(request.entry.created_at, |confirmation| confirmation.expires_at),
        request.key.grant_id,
        request.key.fingerprint.key_hash.as_str(),
        &request.entry.id,
    )
}

/// A value of the earlier result of the same write; NULL for a caller that may no longer be told of it.
macro_rules! told {
    ($path:literal) => {
        concat!(
            "CASE WHEN i.digest = ?16 AND coalesce(d.denial, 'writes_paused') = 'writes_paused' THEN json_extract(i.result, '",
            $path,
            "') END"
        )
    };
}

/// The audit row says what the request came to, in the order of [`judge`].
fn record(request: &LeaseRequest<'_>) -> Statement {
    let sql = concat!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, page_id, tool, \
         target_id, title, request_id, detail, key_hash, user_name, public_url, admin_url) \
         SELECT ?1, ?2, ?3, \
           CASE WHEN i.owner = ?1 THEN 'unknown' WHEN d.denial IN ('grant_ended', 'page_blocked') THEN 'refused' \
             WHEN i.digest = ?16 AND i.outcome = 'done' THEN 'replayed' ELSE 'refused' END, \
           ?5, ?6, ?7, ?8, ?9, ?10, ",
        told!("$.id"),
        ", ?12, ?13, \
           CASE WHEN i.owner = ?1 THEN 'not_finished' WHEN d.denial IN ('grant_ended', 'page_blocked') THEN d.denial \
             WHEN i.owner IS NULL THEN CASE WHEN d.denial IS NOT NULL THEN d.denial WHEN EXISTS (SELECT 1 FROM idempotency WHERE digest = ?16 AND grant_id <> ?8 AND started_at > ?17 \
               AND ?18 IS NOT NULL AND (outcome <> 'done' OR finished_at > ?18) AND external_id <> coalesce(?19, '')) \
             THEN 'duplicate' ELSE 'confirm_token_redeemed' END \
             WHEN i.digest <> ?16 THEN 'key_conflict' WHEN i.outcome = 'done' THEN NULL ELSE 'still_running' END, ?15, \
           coalesce((SELECT user_name FROM grants WHERE id = ?8), ''), ",
        told!("$.public_url"),
        ", ",
        told!("$.admin_url"),
        " FROM (SELECT ",
        write_denial!("?8", "?9", "?2"),
        " AS denial) d \
         LEFT JOIN idempotency i ON i.grant_id = ?8 AND i.key_hash = ?15 AND i.started_at > ?17 \
         WHERE true ON CONFLICT (id) DO NOTHING"
    );
    let mut values = audit::values(request.entry);
    let expired_at = request.entry.created_at - KEEP;
    let WriteFingerprint { key_hash, digest, .. } = request.key.fingerprint;
    values.extend([key_hash.as_str().into(), digest.as_str().into(), expired_at.into()]);
    values.extend([request.duplicates_since().into(), request.shown_duplicate().into()]);
    Statement { sql, values }
}

fn select_denial(request: &LeaseRequest<'_>) -> Statement {
    statement!(
        concat!("SELECT ", write_denial!("?1", "?2", "?3"), " AS denial"),
        request.key.grant_id,
        request.page_id(),
        request.entry.created_at,
    )
}

fn select_duplicate_of(request: &LeaseRequest<'_>) -> Statement {
    select_duplicate(&request.key, request.entry.created_at, request.duplicates_since(), request.shown_duplicate())
}

fn judge(
    row: KeyRow,
    request: &LeaseRequest<'_>,
    denial: Option<WriteDenial>,
    duplicate: Option<DuplicateRow>,
) -> Result<Acquisition> {
    let (is_ours, now) = (row.owner == request.entry.id, request.entry.created_at);
    if is_ours && row.takeovers == 0 {
        return Ok(Acquisition::Lease(Lease { external_id: row.external_id, taken_over: None }));
    }
    // Whoever can no longer reach the page is told nothing of what was written to it.
    if !is_ours && let Some(denial @ (WriteDenial::GrantEnded | WriteDenial::PageBlocked)) = denial {
        return Ok(Acquisition::Refused(LeaseRefusal::Denied(denial)));
    }
    if is_ours {
        // A paused connection may still find out what the earlier attempt did. Two that nobody knows the end of must not wait for
        // each other: of those, whoever asks first goes on.
        let duplicate = duplicate.filter(|duplicate| duplicate.result.is_some() || duplicate.is_running);
        let duplicate = duplicate.map(|row| LeaseRefusal::Duplicate(row.read(now)));
        let taken_over = Some(Takeover { refusal: denial.map(LeaseRefusal::Denied).or(duplicate) });
        return Ok(Acquisition::Lease(Lease { external_id: row.external_id, taken_over }));
    }
    if let Some(fields) = row.differing_fields(request.key.fingerprint)? {
        return Ok(Acquisition::Refused(LeaseRefusal::KeyConflict { fields }));
    }
    if row.outcome == "done" {
        return Ok(Acquisition::Completed(parse_result(&row.result.ok_or_else(|| unreadable("result"))?)));
    }
    let retry_after = row.held_until_at.since(now).max(Duration::from_secs(1));
    Ok(Acquisition::Refused(LeaseRefusal::Running { retry_after }))
}

/// The id of an attempt that makes its own external id; StatiBeat shows it, and it leads to the audit row.
pub fn external_id(attempt: &AuditId) -> String {
    format!("mcp-{}", attempt.as_str())
}

#[cfg(test)]
mod tests;
