//! Usage events on their way to the database.
//!
//! A statement that changes something costs the database more than the token check that every call begins with, and all
//! instances share one database. So an instance buffers what its responses leave to be counted and writes it together: the
//! first to add an event waits for [`PERIOD`] and then writes whatever has come in meanwhile. What an instance has buffered
//! when it dies is lost.

use super::usage::UsageEvent;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Time between the first event of a batch and its writing.
pub const PERIOD: Duration = Duration::from_secs(2);
/// Events that are written at once, whoever waits.
const CAPACITY: usize = 200;
/// A writer that is so late has been ended by the runtime; the next to leave something writes in its stead.
const OVERDUE: Duration = Duration::from_secs(30);

/// The events of one instance.
#[derive(Default)]
pub struct UsageBuffer {
    events: RefCell<Vec<UsageEvent>>,
    /// Since when somebody waits to write, in milliseconds since the Unix epoch.
    waiting_since: Cell<Option<u64>>,
}

impl UsageBuffer {
    /// Buffers an event. Returns the delay after which this caller must write what [`Self::take`] returns, or `None` if
    /// another caller will. `now` is in milliseconds since the Unix epoch.
    pub fn add(&self, event: UsageEvent, now: u64) -> Option<Duration> {
        let mut events = self.events.borrow_mut();
        events.push(event);
        if events.len() >= CAPACITY {
            return Some(Duration::ZERO);
        }
        let is_overdue = |since| u128::from(now.saturating_sub(since)) > OVERDUE.as_millis();
        let needs_writer = self.waiting_since.get().is_none_or(is_overdue);
        needs_writer.then(|| {
            self.waiting_since.set(Some(now));
            PERIOD
        })
    }

    /// Takes all events; the next to add one writes again.
    pub fn take(&self) -> Vec<UsageEvent> {
        self.waiting_since.set(None);
        self.events.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::diagnostics::RejectedRefresh;
    use super::*;
    use crate::model::ids::UserId;
    use crate::model::timestamp::Timestamp;
    use crate::oauth::client::ClientId;

    fn event() -> UsageEvent {
        UsageEvent::RejectedRefresh(RejectedRefresh {
            user_id: UserId("1".into()),
            client_id: ClientId::parse("cursor").expect("a client id"),
            reason: "expired",
            rejected_at: Timestamp::from_seconds(0),
        })
    }

    #[test]
    fn the_first_waits_and_writes_for_all_that_come_meanwhile() {
        let buffer = UsageBuffer::default();
        assert_eq!(buffer.add(event(), 1_000), Some(PERIOD));
        assert_eq!(buffer.add(event(), 1_001), None);
        assert_eq!(buffer.take().len(), 2);
        assert_eq!(buffer.add(event(), 3_500), Some(PERIOD));
        assert_eq!(buffer.take().len(), 1);
    }

    #[test]
    fn a_full_buffer_is_written_at_once() {
        let buffer = UsageBuffer::default();
        let waits: Vec<_> = (0..CAPACITY).map(|_| buffer.add(event(), 0)).collect();
        assert_eq!((waits[0], waits[1], waits[CAPACITY - 1]), (Some(PERIOD), None, Some(Duration::ZERO)));
        assert_eq!(buffer.take().len(), CAPACITY);
        assert_eq!(buffer.take().len(), 0);
    }

    #[test]
    fn a_writer_that_never_came_back_is_replaced() {
        let buffer = UsageBuffer::default();
        assert_eq!(buffer.add(event(), 0), Some(PERIOD));
        assert_eq!(buffer.add(event(), 30_000), None);
        assert_eq!(buffer.add(event(), 30_001), Some(PERIOD));
        assert_eq!(buffer.take().len(), 3);
    }
}
