//! Deletes expired rows in bounded steps, oldest first.
//!
//! Retention follows from what must still be detected: a redeemed code is kept for a day, because a late replay must
//! revoke its grant; a rotated refresh token as long as it could be used, because reuse must be detected until then.

use super::{Result, run as run_statement, statement, usage};
use crate::model::timestamp::Timestamp;
use crate::ports::{Database, DatabaseError, Statement};
use std::time::Duration;

/// Maximum rows that one statement deletes, so that no step blocks the database for long.
const STEP: usize = 500;
/// Maximum statements of one run, below the 1,000 queries that D1 allows per invocation
/// (<https://developers.cloudflare.com/d1/platform/limits/>). Together they delete up to 450,000 rows.
pub const MAX_STEPS: usize = 900;

/// One kind of row that expires.
struct Rule {
    table: &'static str,
    /// Retention of a row after its end.
    keep: Duration,
    /// Deletes up to `?2` rows that ended before `?1` and says which.
    sql: &'static str,
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Rows of a table that are over at the time in one of their columns; the key names a row.
macro_rules! over_at {
    ($table:literal, $key:literal, $end:literal, $keep:expr) => {
        Rule {
            table: $table,
            keep: $keep,
            sql: concat!(
                "DELETE FROM ",
                $table,
                " WHERE ",
                $key,
                " IN (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE ",
                $end,
                " <= ?1 ORDER BY ",
                $end,
                " LIMIT ?2) RETURNING 1 AS one"
            ),
        }
    };
}

const RULES: [Rule; 13] = [
    over_at!("authorization_requests", "state_hash", "expires_at", HOUR),
    over_at!("sessions", "cookie_hash", "expires_at", HOUR),
    over_at!("access_tokens", "token_hash", "expires_at", HOUR),
    over_at!("idempotency", "rowid", "started_at", DAY),
    // Text that may be unpublished: deleted when it can no longer be confirmed.
    over_at!("previews", "token_hash", "expires_at", Duration::ZERO),
    over_at!("used_nonces", "nonce", "expires_at", HOUR),
    // A grant without tokens is deleted with its code.
    Rule {
        table: "grants never activated",
        keep: DAY,
        sql: "DELETE FROM grants WHERE id IN
              (SELECT g.id FROM grants g JOIN codes c ON c.grant_id = g.id
               WHERE g.activated_at IS NULL AND c.expires_at <= ?1 ORDER BY c.expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "codes",
        keep: DAY,
        sql: "DELETE FROM codes WHERE code_hash IN
              (SELECT c.code_hash FROM codes c JOIN grants g ON g.id = c.grant_id
               WHERE c.expires_at <= ?1 AND g.activated_at IS NOT NULL ORDER BY c.expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    // An expired token gets the same response as an unknown one. The newest of a family is kept with its grant, to date
    // its end.
    Rule {
        table: "refresh_tokens",
        keep: HOUR,
        sql: "DELETE FROM refresh_tokens WHERE token_hash IN
              (SELECT r.token_hash FROM refresh_tokens r
               WHERE r.expires_at <= ?1 AND EXISTS
                 (SELECT 1 FROM refresh_tokens s WHERE s.grant_id = r.grant_id AND s.generation > r.generation)
               ORDER BY r.expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    // The newest refresh token of a family ends last; with the grant go its tokens (foreign keys cascade).
    Rule {
        table: "grants",
        keep: Duration::from_hours(90 * 24),
        sql: "DELETE FROM grants WHERE id IN
              (SELECT g.id FROM grants g
               WHERE g.revoked_at <= ?1
                  OR (g.activated_at IS NOT NULL AND NOT EXISTS
                      (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = g.id AND r.expires_at > ?1))
               ORDER BY g.created_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "usage",
        keep: usage::KEPT,
        sql: "DELETE FROM usage WHERE (user_id, client_id, day, outcome) IN
              (SELECT user_id, client_id, day, outcome FROM usage WHERE day < ?1 / 86400 ORDER BY day LIMIT ?2)
              RETURNING 1 AS one",
    },
    // Settings of connections without a grant. One approved today may not have its tokens yet.
    Rule {
        table: "page_access",
        keep: DAY,
        sql: "DELETE FROM page_access WHERE (page_id, user_id, client_id) IN
              (SELECT r.page_id, r.user_id, r.client_id FROM page_access r
               WHERE r.seen_at <= ?1
                 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = r.user_id AND g.client_id = r.client_id)
               LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "connections",
        keep: DAY,
        sql: "DELETE FROM connections WHERE (user_id, client_id) IN
              (SELECT n.user_id, n.client_id FROM connections n
               WHERE n.writes_paused_at IS NULL AND n.confirm_writes IS NULL
                 AND max(coalesce(n.last_call_at, 0), coalesce(n.refresh_failed_at, 0)) <= ?1
                 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = n.user_id AND g.client_id = n.client_id)
               LIMIT ?2) RETURNING 1 AS one",
    },
];

impl Rule {
    /// Removes up to [`STEP`] rows and returns their number.
    async fn step(&self, db: &dyn Database, now: Timestamp) -> Result<usize> {
        let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
        let delete: Statement = statement!(self.sql, now - self.keep, limit);
        Ok(run_statement(db, delete).await?.len())
    }
}

/// The result of one run.
#[derive(Debug, Default)]
pub struct PurgeReport {
    pub removed: Vec<(&'static str, usize)>,
    /// Kinds with rows left because the run reached its bound; the next run continues.
    pub unfinished: Vec<&'static str>,
    /// Kinds whose statement failed, with the error.
    pub failures: Vec<(&'static str, DatabaseError)>,
}

/// Deletes every expired row. Each step is its own transaction; the kinds take turns, so that many rows of one kind
/// don't delay another. Stops when no row is expired, after [`MAX_STEPS`], or when `has_time` returns false.
pub async fn run(db: &dyn Database, now: Timestamp, has_time: &dyn Fn() -> bool) -> PurgeReport {
    let mut report = PurgeReport::default();
    let mut removed = [0; RULES.len()];
    let mut due: Vec<usize> = (0..RULES.len()).collect();
    let mut steps = 0;
    while !due.is_empty() {
        for at in std::mem::take(&mut due) {
            if steps == MAX_STEPS || !has_time() {
                report.unfinished.push(RULES[at].table);
                continue;
            }
            steps += 1;
            match RULES[at].step(db, now).await {
                Ok(rows) => {
                    removed[at] += rows;
                    due.extend((rows == STEP).then_some(at));
                }
                Err(error) => report.failures.push((RULES[at].table, error)),
            }
        }
        // Past the bound nothing more is due in this run.
        if !report.unfinished.is_empty() {
            report.unfinished.extend(std::mem::take(&mut due).into_iter().map(|at| RULES[at].table));
        }
    }
    report.removed = RULES.iter().map(|rule| rule.table).zip(removed).collect();
    report
}
