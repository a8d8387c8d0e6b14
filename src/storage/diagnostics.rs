//! Diagnostics of connections, for the admin page: name, version and protocol of each client, its last failures, and the scopes
//! it requested.
//!
//! Nothing here costs a call a round trip: reports are stored after the response was sent, requested scopes together
//! with the approval. Successful refreshes are not counted: the generation of the newest refresh token is their number.

use super::statement;
use crate::model::ids::UserId;
use crate::model::missing_access::MissingAccess;
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::secret::{ConsentToken, SecretHash};
use crate::ports::Statement;
use serde::Deserialize;
use std::time::Duration;

/// A call without new data is stored at most once in this time. The first success after a failure is new, and so is the first
/// failure after a success.
const PRECISION: Duration = Duration::from_mins(1);

/// Client info and result of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientReport {
    /// Client info as reported: untrusted, already cleaned and truncated.
    pub client_info: Option<(String, String)>,
    /// Protocol version of the call.
    pub protocol_version: Option<&'static str>,
    /// Reason for the missing result, one of a fixed list.
    pub failure: Option<&'static str>,
    /// The thing whose lack is the reason, if known.
    pub missing: Option<MissingAccess>,
}

/// Stores the report of a call.
pub(super) fn statement_for_call(
    user_id: &UserId,
    client_id: &ClientId,
    report: &ClientReport,
    at: Timestamp,
) -> Statement {
    let (client_info, version) = match &report.client_info {
        Some((name, version)) => (Some(name.as_str()), Some(version.as_str())),
        None => (None, None),
    };
    statement!(
        "INSERT INTO connections (user_id, client_id, last_call_at, reported_name, reported_version, protocol_version, failure_reason,
                                  failed_at, failure_missing)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10)
         ON CONFLICT (user_id, client_id) DO UPDATE SET
           last_call_at = excluded.last_call_at,
           reported_name = coalesce(excluded.reported_name, reported_name),
           reported_version = coalesce(excluded.reported_version, reported_version),
           protocol_version = coalesce(excluded.protocol_version, protocol_version),
           failure_reason = coalesce(excluded.failure_reason, failure_reason),
           failed_at = coalesce(excluded.failed_at, failed_at),
           failure_missing = CASE WHEN excluded.failure_reason IS NULL THEN failure_missing ELSE excluded.failure_missing END
         WHERE last_call_at IS NULL OR last_call_at <= ?9
            OR (excluded.reported_name IS NOT NULL
                AND (excluded.reported_name, excluded.reported_version) IS NOT (reported_name, reported_version))
            OR (excluded.protocol_version IS NOT NULL AND excluded.protocol_version IS NOT protocol_version)
            OR (excluded.failure_reason IS NOT NULL
                AND ((excluded.failure_reason, excluded.failure_missing) IS NOT (failure_reason, failure_missing)
                     OR failed_at <= ?9 OR failed_at < last_call_at))
            OR (excluded.failure_reason IS NULL AND failed_at >= last_call_at)",
        user_id,
        client_id,
        at,
        client_info,
        version,
        report.protocol_version,
        report.failure,
        report.failure.map(|_| at),
        at - PRECISION,
        report.missing.map(|missing| missing.to_string()),
    )
}

/// Stores the scopes that a client requested, if the approval with this code succeeded.
pub(super) fn statement_for_approval(
    consent: &ConsentToken,
    code: &SecretHash,
    requested_scopes: ScopeSet,
) -> Statement {
    statement!(
        "INSERT INTO connections (user_id, client_id, requested_scope)
         SELECT user_id, client_id, ?3 FROM authorization_requests WHERE consent_hash = ?1 AND approved_as = ?2
         ON CONFLICT (user_id, client_id) DO UPDATE SET requested_scope = excluded.requested_scope",
        consent,
        code,
        &requested_scopes,
    )
}

/// A refresh token that was rejected.
#[derive(Clone, Debug)]
pub struct RejectedRefresh {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Why, in a word of ours.
    pub reason: &'static str,
    pub rejected_at: Timestamp,
}

pub(super) fn statement_for_rejection(refused: &RejectedRefresh) -> Statement {
    statement!(
        "INSERT INTO connections (user_id, client_id, refresh_failures, refresh_failure_reason, refresh_failed_at)
         VALUES (?1, ?2, 1, ?3, ?4)
         ON CONFLICT (user_id, client_id) DO UPDATE SET refresh_failures = refresh_failures + 1,
           refresh_failure_reason = excluded.refresh_failure_reason, refresh_failed_at = excluded.refresh_failed_at",
        &refused.user_id,
        &refused.client_id,
        refused.reason,
        refused.rejected_at,
    )
}

/// Stored diagnostics of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "HealthColumns")]
pub struct Health {
    /// The last call, to the minute.
    pub called_at: Option<Timestamp>,
    /// The client's own name and version.
    pub client_info: Option<(String, String)>,
    /// The revision it spoke last.
    pub protocol_version: Option<String>,
    /// The last reason for no result, and when.
    pub failure: Option<(String, Timestamp)>,
    /// The thing whose lack was that reason, as stored.
    pub failure_missing: Option<String>,
    pub refreshes_failed: i64,
    /// The last reason, and when.
    pub refresh_failure: Option<(String, Timestamp)>,
    /// The scopes that it requested at the newest approval.
    pub requested_scopes: Option<ScopeSet>,
}

#[derive(Deserialize)]
struct HealthColumns {
    last_call_at: Option<Timestamp>,
    reported_name: Option<String>,
    reported_version: Option<String>,
    protocol_version: Option<String>,
    failure_reason: Option<String>,
    failed_at: Option<Timestamp>,
    failure_missing: Option<String>,
    refresh_failures: i64,
    refresh_failure_reason: Option<String>,
    refresh_failed_at: Option<Timestamp>,
    requested_scope: Option<ScopeSet>,
}

impl From<HealthColumns> for Health {
    fn from(columns: HealthColumns) -> Self {
        Self {
            called_at: columns.last_call_at,
            client_info: columns.reported_name.zip(columns.reported_version),
            protocol_version: columns.protocol_version,
            failure: columns.failure_reason.zip(columns.failed_at),
            failure_missing: columns.failure_missing,
            refreshes_failed: columns.refresh_failures,
            refresh_failure: columns.refresh_failure_reason.zip(columns.refresh_failed_at),
            requested_scopes: columns.requested_scope,
        }
    }
}

/// The columns of [`Health`], from a table `connections` that may be outer-joined as `n` to a grant `g`.
macro_rules! health_columns {
    () => {
        "n.last_call_at, n.reported_name, n.reported_version, n.protocol_version, n.failure_reason, n.failed_at, n.failure_missing,
         coalesce(n.refresh_failures, 0) AS refresh_failures, n.refresh_failure_reason, n.refresh_failed_at, n.requested_scope"
    };
}
pub(super) use health_columns;

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::super::{find_one, run};
    use super::*;

    /// Reads the diagnostics of one person's connection.
    fn select(user_id: &UserId) -> Statement {
        statement!(concat!("SELECT ", health_columns!(), " FROM connections n WHERE n.user_id = ?1"), user_id)
    }

    fn mara() -> (UserId, ClientId) {
        (UserId::parse("1").expect("an id"), ClientId::parse("cursor").expect("a client id"))
    }

    fn report(
        client_info: Option<&str>,
        protocol_version: &'static str,
        failure: Option<&'static str>,
    ) -> ClientReport {
        ClientReport {
            client_info: client_info.map(|name| (name.into(), "1".into())),
            protocol_version: Some(protocol_version),
            failure,
            missing: failure.map(|_| MissingAccess::Argument("status")),
        }
    }

    /// Applies these calls, each with its time in seconds.
    async fn known_after(calls: &[(i64, ClientReport)]) -> Health {
        let (db, (user, client)) = (TestDatabase::new(), mara());
        for (second, report) in calls {
            let statement = statement_for_call(&user, &client, report, Timestamp::from_seconds(*second));
            run(&db, statement).await.expect("written");
        }
        find_one(&db, select(&user)).await.expect("an answer").expect("a row")
    }

    fn seconds(at: Option<Timestamp>) -> Option<i64> {
        at.map(Timestamp::as_seconds)
    }

    #[tokio::test]
    async fn client_info_is_kept_until_the_client_reports_another() {
        let known = known_after(&[
            (0, report(Some("Cursor"), "2025-11-25", Some("scope"))),
            (100, report(None, "2025-11-25", None)),
        ])
        .await;
        assert_eq!(known.client_info, Some(("Cursor".into(), "1".into())));
        assert_eq!(known.failure, Some(("scope".into(), Timestamp::from_seconds(0))));
        assert_eq!(seconds(known.called_at), Some(100));
        let known = known_after(&[
            (0, report(Some("Cursor"), "2025-11-25", None)),
            (1, report(Some("Claude"), "2026-07-28", None)),
        ])
        .await;
        assert_eq!(
            (known.client_info.expect("one").0.as_str(), known.protocol_version.as_deref()),
            ("Claude", Some("2026-07-28"))
        );
    }

    #[tokio::test]
    async fn a_call_that_tells_nothing_new_is_written_once_a_minute_and_news_at_once() {
        let same = || report(None, "2025-11-25", None);
        assert_eq!(seconds(known_after(&[(0, same()), (59, same())]).await.called_at), Some(0));
        assert_eq!(seconds(known_after(&[(0, same()), (60, same())]).await.called_at), Some(60));
        let failure = || report(None, "2025-11-25", Some("role"));
        assert_eq!(seconds(known_after(&[(0, same()), (1, failure())]).await.called_at), Some(1));
        let known =
            known_after(&[(0, failure()), (1, failure()), (2, report(None, "2025-11-25", Some("scope")))]).await;
        assert_eq!(known.failure, Some(("scope".into(), Timestamp::from_seconds(2))));
    }

    #[tokio::test]
    async fn first_success_after_a_failure_and_first_failure_after_a_success_are_stored_at_once() {
        let (good, bad) = (|| report(None, "2025-11-25", None), || report(None, "2025-11-25", Some("scope")));
        let known = known_after(&[(0, bad()), (5, good())]).await;
        assert_eq!((seconds(known.called_at), known.failure_missing.as_deref()), (Some(5), Some("argument status")));
        let known = known_after(&[(0, bad()), (5, good()), (9, bad()), (12, bad())]).await;
        assert_eq!(
            (seconds(known.called_at), known.failure),
            (Some(9), Some(("scope".into(), Timestamp::from_seconds(9))))
        );
        let other = ClientReport { missing: None, ..report(None, "2025-11-25", Some("tool")) };
        assert_eq!(known_after(&[(0, bad()), (5, other)]).await.failure_missing, None);
    }

    #[tokio::test]
    async fn refused_refreshes_add_up_with_their_last_reason() {
        let (db, (user, client)) = (TestDatabase::new(), mara());
        for (second, reason) in [(1, "expired"), (2, "replayed")] {
            let at = Timestamp::from_seconds(second);
            let refused = RejectedRefresh { user_id: user.clone(), client_id: client.clone(), reason, rejected_at: at };
            run(&db, statement_for_rejection(&refused)).await.expect("counted");
        }
        let known: Health = find_one(&db, select(&user)).await.expect("an answer").expect("a row");
        assert_eq!(known.refreshes_failed, 2);
        assert_eq!(known.refresh_failure, Some(("replayed".into(), Timestamp::from_seconds(2))));
        assert_eq!((known.called_at, known.client_info), (None, None));
    }
}
