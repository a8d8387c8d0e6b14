//! Sessions of the Hosted MCP page.
//!
//! A session ends by sign-out, by its idle timeout, or at its maximum lifetime. One conditional write finds it and
//! extends its idle timeout, so an ended session can't become live again.

use super::audit::{AuditId, AuditKind, Outcome};
use super::authorization_requests::SignedIn;
use super::{Redemption, Result, find_one, redeem, statement};
use crate::model::ids::RequestId;
use crate::model::timestamp::Timestamp;
use crate::oauth::secret::{self, AdminSession};
use crate::ports::{Database, Statement};
use std::time::Duration;

/// Idle timeout of a session.
pub const IDLE_LIFETIME: Duration = Duration::from_mins(30);
/// Maximum lifetime of a session: a working day.
pub const LIFETIME: Duration = Duration::from_hours(8);

/// Values for the audit rows of a session that the database lacks.
pub struct SessionRecord<'a> {
    /// Random value that the row ids are derived from.
    pub id: AuditId,
    pub created_at: Timestamp,
    /// Client id of the Hosted MCP page at StatiBeat.
    pub client_id: &'static str,
    /// The request it was part of.
    pub request_id: &'a RequestId,
}

/// Reason for closing a session before it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum SessionEnd {
    User,
    /// The same browser signed in again.
    Replaced,
    /// The person's access at StatiBeat has ended.
    UserEnded,
}

/// Opens a session and closes the browser's previous one, with an audit row for each. `cookie` is the new session
/// cookie.
pub async fn open(
    db: &dyn Database,
    cookie: &AdminSession,
    person: &SignedIn,
    earlier: Option<&AdminSession>,
    record: &SessionRecord<'_>,
) -> Result<()> {
    let insert = statement!(
        "INSERT INTO sessions (cookie_hash, user_id, user_name, user_email, created_at, last_seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        cookie,
        &person.user_id,
        person.name.as_str(),
        person.email.as_str(),
        record.created_at,
        record.created_at + LIFETIME,
    );
    let closed = earlier.map(|earlier| statements_to_close(earlier, SessionEnd::Replaced, record));
    let mut batch: Vec<Statement> = closed.into_iter().flatten().collect();
    batch.extend([insert, statement_for_record(cookie, None, record)]);
    db.batch(&batch).await.map(drop)
}

/// Returns the person of a live session and extends its idle timeout.
pub async fn find(db: &dyn Database, cookie: &AdminSession, now: Timestamp) -> Result<Option<SignedIn>> {
    let update = statement!(
        "UPDATE sessions SET last_seen_at = ?2 WHERE cookie_hash = ?1 AND expires_at > ?2 AND last_seen_at > ?3
         RETURNING user_id, user_name, user_email",
        cookie,
        now,
        now - IDLE_LIFETIME,
    );
    find_one(db, update).await
}

/// Redeems an admin assertion of StatiBeat, which replaces a session for one request.
pub async fn redeem_token(db: &dyn Database, token_id: &str, expires_at: Timestamp) -> Result<Redemption> {
    // Handles of our own stand in the same table; none of theirs has this form.
    let nonce = format!("statibeat.{}", secret::hash(token_id).as_str());
    let insert = statement!(
        "INSERT INTO used_nonces (nonce, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING nonce",
        nonce,
        expires_at,
    );
    redeem(db, insert).await
}

/// Closes a session, with an audit row that gives the reason.
pub async fn close(
    db: &dyn Database,
    cookie: &AdminSession,
    end: SessionEnd,
    record: &SessionRecord<'_>,
) -> Result<()> {
    db.batch(&statements_to_close(cookie, end, record)).await.map(drop)
}

fn statements_to_close(cookie: &AdminSession, end: SessionEnd, record: &SessionRecord<'_>) -> [Statement; 2] {
    let delete = statement!("DELETE FROM sessions WHERE cookie_hash = ?1", cookie.hash().as_str());
    [statement_for_record(cookie, Some(end), record), delete]
}

/// The audit row of a live session: its opening if there is no `end`, else its closing.
fn statement_for_record(cookie: &AdminSession, end: Option<SessionEnd>, record: &SessionRecord<'_>) -> Statement {
    let kind = if end.is_some() { AuditKind::SessionClose } else { AuditKind::SessionOpen };
    statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, request_id, detail)
         SELECT ?2 || '.' || ?3, ?4, ?3, ?5, user_id, ?6, 'Hosted MCP page', NULL, ?7, ?8 FROM sessions
         WHERE cookie_hash = ?1 AND expires_at > ?4 AND last_seen_at > ?9
         ON CONFLICT (id) DO NOTHING",
        cookie,
        &record.id,
        kind.as_str(),
        record.created_at,
        Outcome::Done.as_str(),
        record.client_id,
        record.request_id,
        end.map(|end| end.into_str()),
        record.created_at - IDLE_LIFETIME,
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;
    use crate::model::ids::UserId;
    use crate::oauth::secret::example;

    fn mara() -> SignedIn {
        SignedIn {
            user_id: UserId::parse("1").expect("an id"),
            name: "Mara".into(),
            email: "mara@northwind.example".into(),
        }
    }

    async fn open_at_0(db: &TestDatabase, cookie: &AdminSession) {
        let request_id = RequestId::parse("r").expect("an id");
        open(db, cookie, &mara(), None, &record(&request_id)).await.expect("a session");
    }

    fn record(request_id: &RequestId) -> SessionRecord<'_> {
        let created_at = Timestamp::from_seconds(0);
        SessionRecord { id: "a".into(), created_at, client_id: "page", request_id }
    }

    /// Checks whether the session of second 0 is alive at each of these seconds, asked one after the other.
    async fn alive_at(seconds: &[i64]) -> Vec<bool> {
        let (db, cookie) = (TestDatabase::new(), example(1));
        open_at_0(&db, &cookie).await;
        let mut alive = Vec::new();
        for second in seconds {
            alive.push(find(&db, &cookie, Timestamp::from_seconds(*second)).await.expect("an answer").is_some());
        }
        alive
    }

    #[tokio::test]
    async fn a_session_is_over_in_the_second_its_idle_time_ends() {
        assert_eq!(alive_at(&[1799]).await, [true]);
        assert_eq!(alive_at(&[1800]).await, [false]);
        assert_eq!(alive_at(&[1000, 2799, 4599]).await, [true, true, false], "each request starts the idle time anew");
    }

    #[tokio::test]
    async fn a_busy_session_is_over_in_the_second_its_day_ends() {
        let busy: Vec<i64> = (1..=28).map(|n| n * 1000).chain([28_799, 28_800]).collect();
        let alive = alive_at(&busy).await;
        assert!(alive[..29].iter().all(|alive| *alive) && !alive[29], "{alive:?}");
    }

    #[tokio::test]
    async fn unknown_cookie_or_closed_session_finds_no_session() {
        let (db, cookie, now) = (TestDatabase::new(), example(1), Timestamp::from_seconds(0));
        open_at_0(&db, &cookie).await;
        assert_eq!(find(&db, &example(2), now).await.expect("an answer"), None);
        assert_eq!(find(&db, &cookie, now).await.expect("an answer"), Some(mara()));
        let request_id = RequestId::parse("r").expect("an id");
        close(&db, &cookie, SessionEnd::User, &record(&request_id)).await.expect("closed");
        assert_eq!(find(&db, &cookie, now).await.expect("an answer"), None);
    }
}
