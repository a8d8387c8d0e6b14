//! How many writes are left: counted for the connection and for the page, the connection first.
//!
//! The page's counter is asked only when the connection's let the write through, so that a connection over its limit does
//! not use up its page's. A write that the page's counter refuses stays counted for the connection.

use super::{Guard, NotDone};
use crate::hosted::rate_limit::{PAGE_LIMIT, WRITE_LIMIT, page_key, write_key};
use crate::model::ids::PageId;
use crate::model::outcome::Reason;
use crate::ports::{Decision, LimiterError, RateLimit};
use std::time::Duration;

/// Whose limit a write ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Connection,
    /// The page's, over all connections.
    Page,
}

impl Limit {
    /// How many in which time.
    pub const fn rate(self) -> RateLimit {
        match self {
            Self::Connection => WRITE_LIMIT,
            Self::Page => PAGE_LIMIT,
        }
    }

    pub const fn reason(self) -> Reason {
        match self {
            Self::Connection => Reason::ConnectionLimit,
            Self::Page => Reason::PageLimit,
        }
    }

    fn key(self, guard: &Guard<'_>, page_id: PageId) -> String {
        match self {
            Self::Connection => write_key(&guard.caller.grant_id),
            Self::Page => page_key(page_id),
        }
    }
}

/// Takes one write from both counters; answers what is left. A limiter that does not answer lets nothing through.
pub async fn take(guard: &Guard<'_>, page_id: PageId) -> Result<u32, NotDone> {
    let of_connection = take_from(guard, page_id, Limit::Connection).await?;
    let of_page = take_from(guard, page_id, Limit::Page).await?;
    Ok(of_connection.min(of_page))
}

async fn take_from(guard: &Guard<'_>, page_id: PageId, limit: Limit) -> Result<u32, NotDone> {
    match guard.limiter.take(&limit.key(guard, page_id), limit.rate(), guard.now).await {
        Ok(Decision::Allowed { remaining }) => Ok(remaining),
        Ok(Decision::Limited { retry_after }) => Err(NotDone::Limited { limit, retry_after }),
        Err(error) => {
            (guard.log)(&format!("{error}; request {} was not posted", guard.request_id));
            Err(NotDone::Unlimited)
        }
    }
}

/// What is left, nothing taken. `None` when the limiter does not answer: it is only told, never decided on.
pub async fn remaining(guard: &Guard<'_>, page_id: PageId) -> Option<u32> {
    let look = async |limit: Limit| -> Result<u32, LimiterError> {
        guard.limiter.remaining(&limit.key(guard, page_id), limit.rate(), guard.now).await
    };
    let (of_connection, of_page) = (look(Limit::Connection).await.ok()?, look(Limit::Page).await.ok()?);
    Some(of_connection.min(of_page))
}

/// What to tell a client that ran into a limit.
pub fn sentence(limit: Limit, retry_after: Duration) -> String {
    let RateLimit { count, window, .. } = limit.rate();
    let whose = match limit {
        Limit::Connection => "This connection has used its",
        Limit::Page => "All connections together have used this page's",
    };
    let (window, wait) = (window.as_secs(), retry_after.as_secs());
    format!("{whose} {count} writes per {window} seconds. Nothing was published. Try again in {wait} seconds.")
}
