//! Timeouts for upstream, D1 and Durable Object calls.
//!
//! Added up over one call of a tool, they stay below the lease of a write (`storage::idempotency::LEASE`).

use super::timer;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// Returns the result, or `None` after the timeout.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(timer::sleep(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
