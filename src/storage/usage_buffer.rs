//! Buffers usage events of one instance before they are stored.
//!
//! A write costs the database more than the token check of every call, and all instances share one database. So the
//! first caller to add an event waits for [`PERIOD`] and then stores all events that were buffered meanwhile. Events
//! are lost if the instance ends first.

use super::usage::UsageEvent;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// Time between the first event of a batch and its writing.
pub const PERIOD: Duration = Duration::from_secs(2);
/// Maximum number of buffered events; a full buffer is stored at once.
const CAPACITY: usize = 200;
/// After this delay the waiting caller has been ended by the runtime; the next caller stores the events instead.
const OVERDUE: Duration = Duration::from_secs(30);

/// The events of one instance.
#[derive(Default)]
pub struct UsageBuffer {
    events: RefCell<Vec<UsageEvent>>,
    /// Start of the current wait, in milliseconds since the Unix epoch.
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

    /// Removes and returns all events.
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
            user_id: UserId::parse("1").expect("an id"),
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
