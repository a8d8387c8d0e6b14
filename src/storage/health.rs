//! How connections are doing, for the admin page's doctor: what each program calls itself and speaks, what it last ran into,
//! and what it once asked for.
//!
//! Nothing here costs anybody a round trip: what a call or a refused refresh tells is written after the answer has left, what
//! was asked for together with the approval. Refreshes that went well are not counted anywhere: the generation of the
//! newest refresh token says how many there were.

use super::{Result, Select, statement};
use crate::model::ids::UserId;
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::secret::{ConsentHandle, SecretHash};
use crate::ports::{Row, Statement};
use std::time::Duration;

/// A call that tells nothing new is written down at most once in this time.
const PRECISION: Duration = Duration::from_mins(1);

/// What one call told of its program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What it calls itself, and its version. From outside; already cleaned and cut.
    pub program: Option<(String, String)>,
    /// The revision of the protocol it speaks.
    pub revision: Option<&'static str>,
    /// Why it got no result, in a word of ours.
    pub trouble: Option<&'static str>,
}

/// Writes down what a call told.
pub(super) fn statement_for_call(user_id: &UserId, client_id: &ClientId, report: &Report, at: Timestamp) -> Statement {
    let (program, version) = match &report.program {
        Some((name, version)) => (Some(name.as_str()), Some(version.as_str())),
        None => (None, None),
    };
    statement!(
        "INSERT INTO connection_health (user_id, client_id, called_at, program, program_version, revision, trouble, trouble_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (user_id, client_id) DO UPDATE SET
           called_at = excluded.called_at,
           program = coalesce(excluded.program, program),
           program_version = coalesce(excluded.program_version, program_version),
           revision = coalesce(excluded.revision, revision),
           trouble = coalesce(excluded.trouble, trouble),
           trouble_at = coalesce(excluded.trouble_at, trouble_at)
         WHERE called_at IS NULL OR called_at <= ?9
            OR (excluded.program IS NOT NULL AND (excluded.program, excluded.program_version) IS NOT (program, program_version))
            OR (excluded.revision IS NOT NULL AND excluded.revision IS NOT revision)
            OR (excluded.trouble IS NOT NULL AND (excluded.trouble IS NOT trouble OR trouble_at <= ?9))",
        user_id.0.as_str(),
        client_id.as_str(),
        at,
        program,
        version,
        report.revision,
        report.trouble,
        report.trouble.map(|_| at),
        at - PRECISION,
    )
}

/// Writes down what a client asked for, if the approval with that code was the one that counted.
pub(super) fn statement_for_approval(consent: &ConsentHandle, code: &SecretHash, asked: ScopeSet) -> Statement {
    statement!(
        "INSERT INTO connection_health (user_id, client_id, asked)
         SELECT user_id, client_id, ?3 FROM authorization_requests WHERE consent_hash = ?1 AND approved_as = ?2
         ON CONFLICT (user_id, client_id) DO UPDATE SET asked = excluded.asked",
        consent.hash().0,
        code.0.as_str(),
        asked.to_string(),
    )
}

/// A refresh that was refused.
#[derive(Clone, Debug)]
pub struct RefusedRefresh {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Why, in a word of ours.
    pub reason: &'static str,
    pub at: Timestamp,
}

pub(super) fn statement_for_refusal(refused: &RefusedRefresh) -> Statement {
    statement!(
        "INSERT INTO connection_health (user_id, client_id, refreshes_failed, refresh_failure, refresh_failed_at)
         VALUES (?1, ?2, 1, ?3, ?4)
         ON CONFLICT (user_id, client_id) DO UPDATE SET refreshes_failed = refreshes_failed + 1,
           refresh_failure = excluded.refresh_failure, refresh_failed_at = excluded.refresh_failed_at",
        refused.user_id.0.as_str(),
        refused.client_id.as_str(),
        refused.reason,
        refused.at,
    )
}

/// What is known of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub client_id: String,
    /// The last call, to the minute.
    pub called_at: Option<Timestamp>,
    /// What the program calls itself, and its version.
    pub program: Option<(String, String)>,
    /// The revision it spoke last.
    pub revision: Option<String>,
    /// The last reason for no result, and when.
    pub trouble: Option<(String, Timestamp)>,
    pub refreshes_failed: i64,
    /// The last reason, and when.
    pub refresh_failure: Option<(String, Timestamp)>,
    /// What it asked for at the newest approval.
    pub asked: Option<ScopeSet>,
}

/// Everything known of one person's connections.
pub(super) fn select(user_id: &UserId) -> Select<Health> {
    let statement = statement!(
        "SELECT client_id, called_at, program, program_version, revision, trouble, trouble_at, refreshes_failed,
                refresh_failure, refresh_failed_at, asked
         FROM connection_health WHERE user_id = ?1",
        user_id.0.as_str(),
    );
    Select { statement, read }
}

fn read(row: &Row) -> Result<Health> {
    let dated = |word, at| Ok(row.optional_text(word)?.zip(row.optional_time(at)?));
    let asked = match row.optional_text("asked")? {
        Some(_) => Some(row.parsed("asked", ScopeSet::parse)?),
        None => None,
    };
    Ok(Health {
        client_id: row.text("client_id")?,
        called_at: row.optional_time("called_at")?,
        program: row.optional_text("program")?.zip(row.optional_text("program_version")?),
        revision: row.optional_text("revision")?,
        trouble: dated("trouble", "trouble_at")?,
        refreshes_failed: row.integer("refreshes_failed")?,
        refresh_failure: dated("refresh_failure", "refresh_failed_at")?,
        asked,
    })
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::testing::TestDatabase;
    use super::*;

    fn mara() -> (UserId, ClientId) {
        (UserId("1".into()), ClientId::parse("cursor").expect("a client id"))
    }

    fn report(program: Option<&str>, revision: &'static str, trouble: Option<&'static str>) -> Report {
        Report { program: program.map(|name| (name.into(), "1".into())), revision: Some(revision), trouble }
    }

    /// What is known after these calls, each with its second.
    async fn known_after(calls: &[(i64, Report)]) -> Health {
        let (db, (user, client)) = (TestDatabase::new(), mara());
        for (second, report) in calls {
            let statement = statement_for_call(&user, &client, report, Timestamp::from_seconds(*second));
            run(&db, statement).await.expect("written");
        }
        select(&user).run(&db).await.expect("an answer").pop().expect("a row")
    }

    fn seconds(at: Option<Timestamp>) -> Option<i64> {
        at.map(Timestamp::as_seconds)
    }

    #[tokio::test]
    async fn what_a_program_said_once_is_kept_until_it_says_something_else() {
        let known = known_after(&[
            (0, report(Some("Cursor"), "2025-11-25", Some("scope"))),
            (100, report(None, "2025-11-25", None)),
        ])
        .await;
        assert_eq!(known.program, Some(("Cursor".into(), "1".into())));
        assert_eq!(known.trouble, Some(("scope".into(), Timestamp::from_seconds(0))));
        assert_eq!(seconds(known.called_at), Some(100));
        let known = known_after(&[
            (0, report(Some("Cursor"), "2025-11-25", None)),
            (1, report(Some("Claude"), "2026-07-28", None)),
        ])
        .await;
        assert_eq!((known.program.expect("one").0.as_str(), known.revision.as_deref()), ("Claude", Some("2026-07-28")));
    }

    #[tokio::test]
    async fn a_call_that_tells_nothing_new_is_written_once_a_minute_and_news_at_once() {
        let same = || report(None, "2025-11-25", None);
        assert_eq!(seconds(known_after(&[(0, same()), (59, same())]).await.called_at), Some(0));
        assert_eq!(seconds(known_after(&[(0, same()), (60, same())]).await.called_at), Some(60));
        let trouble = || report(None, "2025-11-25", Some("role"));
        assert_eq!(seconds(known_after(&[(0, same()), (1, trouble())]).await.called_at), Some(1));
        let known =
            known_after(&[(0, trouble()), (1, trouble()), (2, report(None, "2025-11-25", Some("scope")))]).await;
        assert_eq!(known.trouble, Some(("scope".into(), Timestamp::from_seconds(2))));
    }

    #[tokio::test]
    async fn refused_refreshes_add_up_with_their_last_reason() {
        let (db, (user, client)) = (TestDatabase::new(), mara());
        for (second, reason) in [(1, "expired"), (2, "replayed")] {
            let at = Timestamp::from_seconds(second);
            let refused = RefusedRefresh { user_id: user.clone(), client_id: client.clone(), reason, at };
            run(&db, statement_for_refusal(&refused)).await.expect("counted");
        }
        let known = select(&user).run(&db).await.expect("an answer").pop().expect("a row");
        assert_eq!(known.refreshes_failed, 2);
        assert_eq!(known.refresh_failure, Some(("replayed".into(), Timestamp::from_seconds(2))));
        assert_eq!((known.called_at, known.program), (None, None));
    }
}
