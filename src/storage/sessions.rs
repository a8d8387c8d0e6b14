//! Signed-in browsers of the admin page.
//!
//! A session ends by sign-out, after a time without a request, and after a fixed time whatever happens. It is looked up and
//! kept awake by one conditional write, so an ended session cannot be woken.

use super::authorization_requests::SignedIn;
use super::{Result, run, run_for_one, statement};
use crate::ids::UserId;
use crate::oauth::secret::{self, AdminSession};
use crate::ports::Database;
use crate::timestamp::Timestamp;
use std::time::Duration;

/// Without a request for this long, a session is over.
pub const IDLE_LIFETIME: Duration = Duration::from_mins(30);
/// After this long a session is over, however busy: a working day.
pub const LIFETIME: Duration = Duration::from_hours(8);

/// Signs a browser in. `cookie` is what only this browser holds.
pub async fn open(db: &dyn Database, cookie: &AdminSession, person: &SignedIn, now: Timestamp) -> Result<()> {
    let insert = statement!(
        "INSERT INTO sessions (cookie_hash, user_id, user_name, user_email, created_at, last_seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        cookie.hash().0,
        person.user_id.0.as_str(),
        person.name.as_str(),
        person.email.as_str(),
        now,
        now + LIFETIME,
    );
    run(db, insert).await.map(drop)
}

/// Who is signed in, if the session is alive; it then stays awake for another idle time.
pub async fn find(db: &dyn Database, cookie: &AdminSession, now: Timestamp) -> Result<Option<SignedIn>> {
    let update = statement!(
        "UPDATE sessions SET last_seen_at = ?2 WHERE cookie_hash = ?1 AND expires_at > ?2 AND last_seen_at > ?3
         RETURNING user_id, user_name, user_email",
        cookie.hash().0,
        now,
        now - IDLE_LIFETIME,
    );
    let Some(row) = run_for_one(db, update).await? else { return Ok(None) };
    let user_id = UserId(row.text("user_id")?);
    Ok(Some(SignedIn { user_id, name: row.text("user_name")?, email: row.text("user_email")? }))
}

/// Spends a one-time token of StatiBeat's, that stands in the place of a session for one request. `false`: it was spent
/// before.
pub async fn spend_token(db: &dyn Database, token_id: &str, expires_at: Timestamp) -> Result<bool> {
    // Handles of our own stand in the same table; none of theirs has this form.
    let nonce = format!("statibeat.{}", secret::hash(token_id).0);
    let insert = statement!(
        "INSERT INTO spent_handles (nonce, expires_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING nonce",
        nonce,
        expires_at,
    );
    Ok(run_for_one(db, insert).await?.is_some())
}

/// Signs a browser out.
pub async fn close(db: &dyn Database, cookie: &AdminSession) -> Result<()> {
    let delete = statement!("DELETE FROM sessions WHERE cookie_hash = ?1", cookie.hash().0);
    run(db, delete).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::testing::TestDatabase;
    use super::*;
    use crate::oauth::secret::example;

    fn mara() -> SignedIn {
        SignedIn { user_id: UserId("1".into()), name: "Mara".into(), email: "mara@northwind.example".into() }
    }

    /// Whether the session of second 0 is alive at each of these seconds, asked one after the other.
    async fn alive_at(seconds: &[i64]) -> Vec<bool> {
        let (db, cookie) = (TestDatabase::new(), example(1));
        open(&db, &cookie, &mara(), Timestamp::from_seconds(0)).await.expect("a session");
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
    async fn another_cookie_or_a_closed_session_is_nobody() {
        let (db, cookie, now) = (TestDatabase::new(), example(1), Timestamp::from_seconds(0));
        open(&db, &cookie, &mara(), now).await.expect("a session");
        assert_eq!(find(&db, &example(2), now).await.expect("an answer"), None);
        assert_eq!(find(&db, &cookie, now).await.expect("an answer"), Some(mara()));
        close(&db, &cookie).await.expect("closed");
        assert_eq!(find(&db, &cookie, now).await.expect("an answer"), None);
    }
}
