//! How many calls each connection made on each day, by how they ended; which pages it reached, and how it is doing.
//!
//! Written after an answer has left, so that no call waits for it. A count that is lost is lost: it is a picture, not a bill.

use super::health::{self, RefusedRefresh, Report};
use super::{Result, Select, statement};
use crate::ids::{PageId, UserId};
use crate::oauth::client::ClientId;
use crate::ports::{Database, Statement};
use crate::timestamp::Timestamp;
use std::time::Duration;

/// Counts are kept for this long.
pub const KEPT: Duration = Duration::from_hours(35 * 24);
const DAY: i64 = 24 * 60 * 60;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// With a result.
    Answered,
    /// With a reason that the caller can do something about.
    Refused,
    /// Because something was down or broken.
    Failed,
}

impl CallOutcome {
    /// Every outcome, in display order.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Refused, Self::Failed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// Something that an answer leaves to be counted.
#[derive(Clone, Debug)]
pub enum Tally {
    /// A call.
    Call(Call),
    /// A refresh that was refused.
    RefusedRefresh(RefusedRefresh),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose.
    pub user_id: UserId,
    /// Through which client.
    pub client_id: ClientId,
    /// How it ended.
    pub outcome: CallOutcome,
    /// The page it reached, if one.
    pub page_id: Option<PageId>,
    /// What it told of its program.
    pub report: Report,
    /// When.
    pub at: Timestamp,
}

/// Days since the Unix epoch, in UTC.
pub fn day_of(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(DAY)
}

/// Counts it.
pub async fn count(db: &dyn Database, tally: &Tally) -> Result<()> {
    let statements = match tally {
        Tally::Call(call) => statements_for_call(call),
        Tally::RefusedRefresh(refused) => vec![health::statement_for_refusal(refused)],
    };
    db.batch(&statements).await.map(drop)
}

fn statements_for_call(call: &Call) -> Vec<Statement> {
    let (user_id, client_id) = (call.user_id.0.as_str(), call.client_id.as_str());
    let count = statement!(
        "INSERT INTO call_counts (user_id, client_id, day, outcome, calls) VALUES (?1, ?2, ?3, ?4, 1)
         ON CONFLICT (user_id, client_id, day, outcome) DO UPDATE SET calls = calls + 1",
        user_id,
        client_id,
        day_of(call.at),
        call.outcome.as_str(),
    );
    let reach = call.page_id.map(|page_id| {
        statement!(
            "INSERT INTO page_reaches (page_id, user_id, client_id, seen_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            page_id.0,
            user_id,
            client_id,
            call.at,
        )
    });
    let health = health::statement_for_call(&call.user_id, &call.client_id, &call.report, call.at);
    [count, health].into_iter().chain(reach).collect()
}

/// The calls of one connection on one day that ended one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// Through which client.
    pub client_id: String,
    /// Days since the Unix epoch.
    pub day: i64,
    /// How they ended.
    pub outcome: CallOutcome,
    /// How many.
    pub calls: i64,
}

/// All counts of one person's connections from a day on, oldest first.
pub(super) fn select_since(user_id: &UserId, first_day: i64) -> Select<DayCount> {
    let statement = statement!(
        "SELECT client_id, day, outcome, calls FROM call_counts WHERE user_id = ?1 AND day >= ?2 ORDER BY client_id, day",
        user_id.0.as_str(),
        first_day,
    );
    let read = |row: &crate::ports::Row| {
        Ok(DayCount {
            client_id: row.text("client_id")?,
            day: row.integer("day")?,
            outcome: row.parsed("outcome", CallOutcome::parse)?,
            calls: row.integer("calls")?,
        })
    };
    Select { statement, read }
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;

    #[tokio::test]
    async fn calls_add_up_by_connection_day_and_outcome() {
        let db = TestDatabase::new();
        let call = |user: &str, outcome, at| Call {
            user_id: UserId(user.into()),
            client_id: ClientId::parse("cursor").expect("a client id"),
            outcome,
            page_id: Some(PageId(42)),
            report: Report::default(),
            at: Timestamp::from_seconds(at),
        };
        for (user, outcome, at) in [
            ("1", CallOutcome::Answered, DAY - 1),
            ("1", CallOutcome::Answered, DAY),
            ("1", CallOutcome::Answered, DAY + 5),
            ("1", CallOutcome::Refused, DAY),
            ("2", CallOutcome::Failed, DAY),
        ] {
            count(&db, &Tally::Call(call(user, outcome, at))).await.expect("counted");
        }
        let counts = select_since(&UserId("1".into()), 1).run(&db).await.expect("counts");
        let seen: Vec<_> = counts.iter().map(|count| (count.day, count.outcome, count.calls)).collect();
        assert_eq!(seen, [(1, CallOutcome::Answered, 2), (1, CallOutcome::Refused, 1)]);
    }
}
