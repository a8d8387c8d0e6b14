//! What expires when; deleted in bounded steps, oldest first.
//!
//! Retention is a product of what must still be recognized: a spent code for a day, because a late replay of it must end
//! its grant; a rotated refresh token as long as it could still be used, because until then reuse must be detectable.

use super::{Result, calls, statement};
use crate::ports::{Database, Statement};
use crate::timestamp::Timestamp;
use std::time::Duration;

/// Rows one statement may delete, so that no step holds the database for long.
const STEP: usize = 500;
/// Steps of one rule in one run, so that a run ends: together they remove up to 10,000 rows of a kind an hour.
const MAX_STEPS: usize = 20;

/// One kind of row that dies.
struct Rule {
    table: &'static str,
    /// Time after its end that a row is kept.
    keep: Duration,
    /// Deletes up to `?2` rows that ended before `?1` and says which.
    sql: &'static str,
}

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const RULES: [Rule; 12] = [
    Rule {
        table: "transactions",
        keep: HOUR,
        sql: "DELETE FROM transactions WHERE handle_hash IN
              (SELECT handle_hash FROM transactions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "sessions",
        keep: HOUR,
        sql: "DELETE FROM sessions WHERE cookie_hash IN
              (SELECT cookie_hash FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "access_tokens",
        keep: HOUR,
        sql: "DELETE FROM access_tokens WHERE token_hash IN
              (SELECT token_hash FROM access_tokens WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "idempotency",
        keep: DAY,
        sql: "DELETE FROM idempotency WHERE rowid IN
              (SELECT rowid FROM idempotency WHERE started_at <= ?1 ORDER BY started_at LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "spent_handles",
        keep: HOUR,
        sql: "DELETE FROM spent_handles WHERE nonce IN
              (SELECT nonce FROM spent_handles WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING 1 AS one",
    },
    // A grant that nothing was ever issued under dies with its code.
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
    // An expired token answers like an unknown one. The newest of a family stays with its grant, to date its end.
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
        table: "call_counts",
        keep: calls::KEPT,
        sql: "DELETE FROM call_counts WHERE (user_id, client_id, day, outcome) IN
              (SELECT user_id, client_id, day, outcome FROM call_counts WHERE day < ?1 / 86400 ORDER BY day LIMIT ?2)
              RETURNING 1 AS one",
    },
    // A connection without a grant reaches nothing. One approved this very day may not have its grant's tokens yet.
    Rule {
        table: "page_reaches",
        keep: DAY,
        sql: "DELETE FROM page_reaches WHERE (page_id, user_id, client_id) IN
              (SELECT r.page_id, r.user_id, r.client_id FROM page_reaches r
               WHERE r.seen_at <= ?1
                 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = r.user_id AND g.client_id = r.client_id)
               LIMIT ?2) RETURNING 1 AS one",
    },
    Rule {
        table: "connection_health",
        keep: DAY,
        sql: "DELETE FROM connection_health WHERE (user_id, client_id) IN
              (SELECT h.user_id, h.client_id FROM connection_health h
               WHERE max(coalesce(h.called_at, 0), coalesce(h.refresh_failed_at, 0)) <= ?1
                 AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.user_id = h.user_id AND g.client_id = h.client_id)
               LIMIT ?2) RETURNING 1 AS one",
    },
];

impl Rule {
    fn statement(&self, now: Timestamp) -> Statement {
        statement!(self.sql, now - self.keep, i64::try_from(STEP).unwrap_or(i64::MAX))
    }

    /// Removes step by step until nothing is left or the run has done its share.
    async fn apply(&self, db: &dyn Database, now: Timestamp) -> Result<usize> {
        let mut removed = 0;
        for _ in 0..MAX_STEPS {
            let rows = db.batch(&[self.statement(now)]).await?;
            let step = rows.first().map_or(0, Vec::len);
            removed += step;
            if step < STEP {
                break;
            }
        }
        Ok(removed)
    }
}

/// How much one run removed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Purged(pub Vec<(&'static str, usize)>);

/// Removes every kind of row that is past its time, each step in its own transaction. What is left goes next time.
pub async fn run(db: &dyn Database, now: Timestamp) -> Result<Purged> {
    let mut purged = Purged::default();
    for rule in &RULES {
        purged.0.push((rule.table, rule.apply(db, now).await?));
    }
    Ok(purged)
}
