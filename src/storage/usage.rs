//! Usage: the calls of each connection per day by outcome, the pages it accessed, and its diagnostics.
//!
//! Buffered per instance ([`super::usage_buffer`]) and stored after the response was sent, so that no call waits for
//! it. Counts may be lost: they feed a chart, not a bill.

use super::audit::{self, UnrecordedRefusals};
use super::connections::ConnectionKey;
use super::diagnostics::{self, ClientReport, RejectedRefresh};
use super::{Result, statement};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::ports::{Database, Statement};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Counts are kept for this long.
pub const KEPT: Duration = Duration::from_hours(35 * 24);
const DAY: i64 = 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum CallOutcome {
    Answered,
    /// Refused, with a reason that the caller can fix.
    Refused,
    /// Failed, because a dependency was down or broken.
    Failed,
}

impl CallOutcome {
    /// Every outcome, in display order.
    pub const ALL: [Self; 3] = [Self::Answered, Self::Refused, Self::Failed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// The usage of one response.
#[derive(Clone, Debug)]
pub enum UsageEvent {
    Call(CallUsage),
    RejectedRefresh(RejectedRefresh),
}

#[derive(Clone, Debug)]
pub struct CallUsage {
    pub user_id: UserId,
    pub client_id: ClientId,
    pub outcome: CallOutcome,
    /// The page that was accessed, if any.
    pub page_id: Option<PageId>,
    pub report: ClientReport,
    /// Set for a refused call without its own audit row.
    pub unrecorded: Option<Box<UnrecordedRefusals>>,
    pub called_at: Timestamp,
}

/// Days since the Unix epoch, in UTC.
pub fn day_of(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(DAY)
}

/// Stores all events in one batch.
pub async fn count(db: &dyn Database, events: &[UsageEvent]) -> Result<()> {
    let calls: Vec<&CallUsage> =
        events.iter().filter_map(|event| if let UsageEvent::Call(call) = event { Some(call) } else { None }).collect();
    let refused = events.iter().filter_map(|event| match event {
        UsageEvent::RejectedRefresh(refused) => Some(diagnostics::statement_for_rejection(refused)),
        UsageEvent::Call(_) => None,
    });
    let statements: Vec<Statement> =
        counts(&calls).chain(reports(&calls)).chain(reaches(&calls)).chain(unrecorded(&calls)).chain(refused).collect();
    if statements.is_empty() {
        return Ok(());
    }
    db.batch(&statements).await.map(drop)
}

/// One statement for each connection, day and outcome.
fn counts(calls: &[&CallUsage]) -> impl Iterator<Item = Statement> {
    let mut alike = BTreeMap::new();
    for call in calls {
        *alike
            .entry((call.user_id.as_str(), call.client_id.as_str(), day_of(call.called_at), call.outcome.as_str()))
            .or_insert(0_i64) += 1;
    }
    alike.into_iter().map(|((user_id, client_id, day, outcome), calls)| {
        statement!(
            "INSERT INTO usage (user_id, client_id, day, outcome, calls) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (user_id, client_id, day, outcome) DO UPDATE SET calls = calls + excluded.calls",
            user_id,
            client_id,
            day,
            outcome,
            calls,
        )
    })
}

/// Reported client infos in order of arrival; the last one of equal reports.
fn reports(calls: &[&CallUsage]) -> impl Iterator<Item = Statement> {
    let mut told: Vec<&CallUsage> = Vec::new();
    for call in calls {
        let same = |other: &&CallUsage| {
            (&other.user_id, &other.client_id, &other.report) == (&call.user_id, &call.client_id, &call.report)
        };
        told.retain(|other| !same(other));
        told.push(call);
    }
    told.into_iter()
        .map(|call| diagnostics::statement_for_call(&call.user_id, &call.client_id, &call.report, call.called_at))
}

/// One statement for each page that a connection accessed.
fn reaches(calls: &[&CallUsage]) -> impl Iterator<Item = Statement> {
    let mut first = BTreeMap::new();
    for call in calls {
        if let Some(page_id) = call.page_id {
            first.entry((page_id, call.user_id.as_str(), call.client_id.as_str())).or_insert(call.called_at);
        }
    }
    first.into_iter().map(|((page_id, user_id, client_id), at)| {
        statement!(
            "INSERT INTO page_access (page_id, user_id, client_id, seen_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            page_id,
            user_id,
            client_id,
            at,
        )
    })
}

/// One statement for the refused calls of a grant without their own audit row.
fn unrecorded(calls: &[&CallUsage]) -> impl Iterator<Item = Statement> {
    let mut of_grants: BTreeMap<&str, UnrecordedRefusals> = BTreeMap::new();
    for refusals in calls.iter().filter_map(|call| call.unrecorded.as_deref()) {
        let known = of_grants.entry(refusals.grant_id.as_str());
        known.and_modify(|known| known.calls += refusals.calls).or_insert_with(|| refusals.clone());
    }
    of_grants.into_values().map(|refusals| audit::statement_for_unrecorded(&refusals))
}

/// The calls of one connection on one day with one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DayCount {
    /// Days since the Unix epoch.
    pub day: i64,
    pub outcome: CallOutcome,
    pub calls: i64,
}

/// All counts of one connection from a day on, oldest first.
pub(super) fn select_since(connection: &ConnectionKey, first_day: i64) -> Statement {
    statement!(
        "SELECT day, outcome, calls FROM usage WHERE user_id = ?1 AND client_id = ?2 AND day >= ?3 ORDER BY day",
        &connection.user_id,
        &connection.client_id,
        first_day,
    )
}

#[cfg(test)]
mod tests {
    use super::super::list;
    use super::super::testing::TestDatabase;
    use super::*;

    fn call(user: &str, outcome: CallOutcome, called_at: i64) -> CallUsage {
        CallUsage {
            user_id: UserId::parse(user).expect("an id"),
            client_id: ClientId::parse("cursor").expect("a client id"),
            outcome,
            page_id: Some(PageId::new(42).expect("an id")),
            report: ClientReport::default(),
            unrecorded: None,
            called_at: Timestamp::from_seconds(called_at),
        }
    }

    /// A day's end, the next day, a refused one, and somebody else.
    fn calls() -> Vec<UsageEvent> {
        [
            ("1", CallOutcome::Answered, DAY - 1),
            ("1", CallOutcome::Answered, DAY),
            ("1", CallOutcome::Answered, DAY + 5),
            ("1", CallOutcome::Refused, DAY),
            ("2", CallOutcome::Failed, DAY),
        ]
        .map(|(user, outcome, at)| UsageEvent::Call(call(user, outcome, at)))
        .to_vec()
    }

    async fn check_counts(db: &TestDatabase) {
        let of_one = call("1", CallOutcome::Answered, DAY);
        let counts = select_since(&ConnectionKey { user_id: of_one.user_id, client_id: of_one.client_id }, 1);
        let counts: Vec<DayCount> = list(db, counts).await.expect("counts");
        let seen: Vec<_> = counts.iter().map(|count| (count.day, count.outcome, count.calls)).collect();
        assert_eq!(seen, [(1, CallOutcome::Answered, 2), (1, CallOutcome::Refused, 1)]);
    }

    #[tokio::test]
    async fn calls_add_up_by_connection_day_and_outcome() {
        let db = TestDatabase::new();
        for event in calls() {
            count(&db, &[event]).await.expect("counted");
        }
        check_counts(&db).await;
    }

    #[tokio::test]
    async fn gathered_calls_count_like_single_ones() {
        let db = TestDatabase::new();
        count(&db, &calls()).await.expect("counted");
        check_counts(&db).await;
    }

    #[test]
    fn calls_that_tell_the_same_are_one_statement_of_each_kind() {
        let same: Vec<CallUsage> = (0..100).map(|second| call("1", CallOutcome::Answered, second)).collect();
        let same: Vec<&CallUsage> = same.iter().collect();
        assert_eq!((counts(&same).count(), reports(&same).count(), reaches(&same).count()), (1, 1, 1));
    }
}
