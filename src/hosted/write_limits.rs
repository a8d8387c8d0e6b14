//! The rate limits of writes: one counter for the connection and one for the page, the connection first.
//!
//! The page's counter is asked only when the connection's let the write through, so that a connection over its limit does
//! not use up its page's. A write that the page's counter refuses stays counted for the connection.

use super::handler::CallContext;
use super::rate_limit::{PAGE_LIMIT, WRITE_LIMIT, page_key, write_key};
use crate::model::ids::PageId;
use crate::model::outcome::Reason;
use crate::ports::{Decision, LimiterError, RateLimit};
use crate::writes::outcome::WriteError;

/// A counter, its limit, and the reason of a write that it refuses.
struct Counter {
    key: String,
    limit: RateLimit,
    reason: Reason,
}

fn of_connection(context: &CallContext<'_>) -> Counter {
    Counter { key: write_key(&context.caller.grant_id), limit: WRITE_LIMIT, reason: Reason::ConnectionLimit }
}

fn of_page(page_id: PageId) -> Counter {
    Counter { key: page_key(page_id), limit: PAGE_LIMIT, reason: Reason::PageLimit }
}

/// Takes one write from both counters; returns what is left. A limiter that does not answer lets nothing through.
pub async fn charge(context: &CallContext<'_>, page_id: PageId) -> Result<u32, WriteError> {
    let left = take(context, of_connection(context)).await?;
    Ok(left.min(take(context, of_page(page_id)).await?))
}

async fn take(context: &CallContext<'_>, Counter { key, limit, reason }: Counter) -> Result<u32, WriteError> {
    match context.limiter.take(&key, limit, context.now).await {
        Ok(Decision::Allowed { remaining }) => Ok(remaining),
        Ok(Decision::Limited { retry_after }) => Err(WriteError::Limited { reason, limit, retry_after }),
        Err(error) => {
            (context.log)(&format!("{error}; request {} was not posted", context.request_id));
            Err(WriteError::LimiterUnavailable)
        }
    }
}

/// Returns the writes left and takes none. `None` when the limiter does not answer: the number is only shown, never decided on.
pub async fn remaining(context: &CallContext<'_>, page_id: PageId) -> Option<u32> {
    let look = async |Counter { key, limit, .. }: Counter| -> Result<u32, LimiterError> {
        context.limiter.remaining(&key, limit, context.now).await
    };
    let left = look(of_connection(context)).await.ok()?;
    Some(left.min(look(of_page(page_id)).await.ok()?))
}
