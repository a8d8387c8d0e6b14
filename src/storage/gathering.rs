//! Tallies on their way to the database.
//!
//! A statement that changes something costs the database more than the token check that every call begins with, and all
//! instances share one database. So an instance gathers what its answers leave to be counted and writes it together: the
//! first to leave something waits [`PERIOD`] and then writes whatever has come in meanwhile. What an instance has gathered when
//! it dies is lost.

use super::calls::Tally;
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// For how long tallies are gathered before they are written.
pub const PERIOD: Duration = Duration::from_secs(2);
/// So many are written at once, whoever waits.
const FULL: usize = 200;
/// A writer that is so late has been ended by the runtime; the next to leave something writes in its stead.
const OVERDUE: Duration = Duration::from_secs(30);

/// What one instance has gathered.
#[derive(Default)]
pub struct Gathering {
    tallies: RefCell<Vec<Tally>>,
    /// Since when somebody waits to write, in milliseconds since the Unix epoch.
    waiting_since: Cell<Option<u64>>,
}

impl Gathering {
    /// Adds one. Some duration: whoever added it writes what [`Self::take`] answers after that time. None: another will.
    /// `now` is in milliseconds since the Unix epoch.
    pub fn add(&self, tally: Tally, now: u64) -> Option<Duration> {
        let mut tallies = self.tallies.borrow_mut();
        tallies.push(tally);
        if tallies.len() >= FULL {
            return Some(Duration::ZERO);
        }
        let is_overdue = |since| u128::from(now.saturating_sub(since)) > OVERDUE.as_millis();
        let needs_writer = self.waiting_since.get().is_none_or(is_overdue);
        needs_writer.then(|| {
            self.waiting_since.set(Some(now));
            PERIOD
        })
    }

    /// Everything gathered; the next to add something writes again.
    pub fn take(&self) -> Vec<Tally> {
        self.waiting_since.set(None);
        self.tallies.take()
    }
}

#[cfg(test)]
mod tests {
    use super::super::health::RefusedRefresh;
    use super::*;
    use crate::model::ids::UserId;
    use crate::model::timestamp::Timestamp;
    use crate::oauth::client::ClientId;

    fn tally() -> Tally {
        Tally::RefusedRefresh(RefusedRefresh {
            user_id: UserId("1".into()),
            client_id: ClientId::parse("cursor").expect("a client id"),
            reason: "expired",
            at: Timestamp::from_seconds(0),
        })
    }

    #[test]
    fn the_first_waits_and_writes_for_all_that_come_meanwhile() {
        let gathering = Gathering::default();
        assert_eq!(gathering.add(tally(), 1_000), Some(PERIOD));
        assert_eq!(gathering.add(tally(), 1_001), None);
        assert_eq!(gathering.take().len(), 2);
        assert_eq!(gathering.add(tally(), 3_500), Some(PERIOD));
        assert_eq!(gathering.take().len(), 1);
    }

    #[test]
    fn a_full_gathering_is_written_at_once() {
        let gathering = Gathering::default();
        let waits: Vec<_> = (0..FULL).map(|_| gathering.add(tally(), 0)).collect();
        assert_eq!((waits[0], waits[1], waits[FULL - 1]), (Some(PERIOD), None, Some(Duration::ZERO)));
        assert_eq!(gathering.take().len(), FULL);
        assert_eq!(gathering.take().len(), 0);
    }

    #[test]
    fn a_writer_that_never_came_back_is_replaced() {
        let gathering = Gathering::default();
        assert_eq!(gathering.add(tally(), 0), Some(PERIOD));
        assert_eq!(gathering.add(tally(), 30_000), None);
        assert_eq!(gathering.add(tally(), 30_001), Some(PERIOD));
        assert_eq!(gathering.take().len(), 3);
    }
}
