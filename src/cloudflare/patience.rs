//! Nothing behind the worker is waited for without end.
//!
//! The times of one call of a tool, added up, stay below the minute that an assertion lives: it is signed for the moment
//! the request came. The lease of a write (`storage::idempotency::LEASE`) is longer still.

use super::timer;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::Duration;

/// What became of it, unless it took longer.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(timer::pass(limit))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
