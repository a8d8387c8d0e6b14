//! Rate limits: the counter as a pure value, and the counter keys of a write.
//!
//! Windows are fixed and aligned: window *n* of a limit per minute is minute *n* since the Unix epoch. A window never
//! admits more than its count, for any number of concurrent calls, as long as one object has the state of a key
//! (`cloudflare::rate_limit`). Two full windows may follow each other across a boundary; in return the state is only
//! two numbers.

use crate::model::ids::{GrantId, PageId};
use crate::model::timestamp::Timestamp;
use crate::ports::{Decision, RateLimit};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// Writes of one connection. Our proposal, not specified by the product; well below StatiBeat's own limit for
/// authenticated writes (120 a minute), so that ours applies first.
pub const WRITE_LIMIT: RateLimit = RateLimit { name: "write:grant", count: 30, window: Duration::from_mins(1) };

/// Writes on one page by all connections. Enough for two busy connections: few people write about one incident at a
/// time.
pub const PAGE_LIMIT: RateLimit = RateLimit { name: "write:page", count: 60, window: Duration::from_mins(1) };

/// Calls of one grant that ended before a lease was acquired and get their own audit row: refused, previewed, declined.
/// Far more than the mistakes of a well-behaved assistant; calls beyond it are only counted.
pub const RECORD_LIMIT: RateLimit = RateLimit { name: "record:grant", count: 100, window: Duration::from_hours(1) };

/// Counter key of such calls of a grant.
pub fn record_key(grant_id: &GrantId) -> String {
    format!("record:grant:{grant_id}")
}

/// Messages of one connection that an instance admits by its own count, without a round trip, so that an ordinary call
/// doesn't wait for the limiter. A person's assistant sends a few messages per turn.
pub const LOCAL_MESSAGES: RateLimit =
    RateLimit { name: "message:instance", count: 120, window: Duration::from_mins(1) };

/// Messages of one connection beyond [`LOCAL_MESSAGES`], over all instances. Together 600 a minute with one instance,
/// which only a program in a loop reaches. With *n* instances the bound is 120 × *n* + 480.
pub const SHARED_MESSAGES: RateLimit = RateLimit { name: "message:grant", count: 480, window: Duration::from_mins(1) };

/// Maximum connections that an instance counts; the others use only their shared counters.
const COUNTED_CONNECTIONS: usize = 10_000;

/// One instance's counts of messages, by connection.
#[derive(Default)]
pub struct MessageCounts(RefCell<HashMap<GrantId, WindowCount>>);

impl MessageCounts {
    /// Charges one message of an authenticated connection. `false` if the instance's share is used up or it counts too
    /// many connections already; the shared counter decides then.
    pub fn take(&self, grant_id: &GrantId, now: Timestamp) -> bool {
        let mut counts = self.0.borrow_mut();
        if counts.len() >= COUNTED_CONNECTIONS && !counts.contains_key(grant_id) {
            let current = window_start(now, LOCAL_MESSAGES.window);
            counts.retain(|_, state| state.window_started_at >= current);
            if counts.len() >= COUNTED_CONNECTIONS {
                return false;
            }
        }
        let (state, decision) = WindowCount::take(counts.get(grant_id).copied(), LOCAL_MESSAGES, now);
        counts.insert(grant_id.clone(), state);
        matches!(decision, Decision::Allowed { .. })
    }
}

/// Counter key of the writes on a page. Page ids are unique over all organizations.
pub fn page_key(page_id: PageId) -> String {
    format!("write:page:{page_id}")
}

/// Counter key of the writes of a grant.
pub fn write_key(grant_id: &GrantId) -> String {
    format!("write:grant:{grant_id}")
}

/// State of a counter between two charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowCount {
    /// Start of the window that is being counted.
    pub window_started_at: Timestamp,
    /// Calls that were let through in this window.
    pub count: u32,
}

impl WindowCount {
    /// Charges one, if one is left. `earlier` is the state after the last charge. A `now` before the counted window
    /// (clocks differ) counts in that window: time never gives charges back.
    pub fn take(earlier: Option<WindowCount>, limit: RateLimit, now: Timestamp) -> (WindowCount, Decision) {
        let state = Self::current(earlier, limit, now);
        if state.count < limit.count {
            let count = state.count + 1;
            return (WindowCount { count, ..state }, Decision::Allowed { remaining: limit.count - count });
        }
        let retry_after = (state.window_started_at + limit.window).since(now).max(Duration::from_secs(1));
        (state, Decision::Limited { retry_after })
    }

    /// Returns the remaining charges of this window without charging.
    pub fn remaining(earlier: Option<WindowCount>, limit: RateLimit, now: Timestamp) -> u32 {
        limit.count.saturating_sub(Self::current(earlier, limit, now).count)
    }

    fn current(earlier: Option<WindowCount>, limit: RateLimit, now: Timestamp) -> WindowCount {
        let current = window_start(now, limit.window);
        match earlier {
            Some(state) if state.window_started_at >= current => state,
            _ => WindowCount { window_started_at: current, count: 0 },
        }
    }
}

/// The latest multiple of the window that is not after `now`.
fn window_start(now: Timestamp, window: Duration) -> Timestamp {
    let length = i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_seconds(now.as_seconds().div_euclid(length).saturating_mul(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: RateLimit = RateLimit { name: "test", count: 3, window: Duration::from_mins(1) };

    #[test]
    fn counters_of_each_grant_and_page_have_keys_of_their_own() {
        let [one, other] = ["one", "other"].map(|id| GrantId::parse(id).expect("a grant id"));
        let [first, second] = [42, 43].map(|id| PageId::new(id).expect("a page id"));
        let keys = [
            record_key(&one),
            record_key(&other),
            write_key(&one),
            write_key(&other),
            page_key(first),
            page_key(second),
        ];
        let distinct: std::collections::HashSet<&String> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len(), "{keys:?}");
    }

    /// Takes at each of the times, one after the other; `true` where it was let through.
    fn takes(times: &[i64]) -> Vec<bool> {
        let mut state = None;
        let mut take = |now: &i64| {
            let (next, decision) = WindowCount::take(state, LIMIT, Timestamp::from_seconds(*now));
            state = Some(next);
            matches!(decision, Decision::Allowed { .. })
        };
        times.iter().map(&mut take).collect()
    }

    #[test]
    fn a_window_lets_its_count_through_and_no_more() {
        assert_eq!(takes(&[120, 130, 179, 179, 179]), [true, true, true, false, false]);
    }

    #[test]
    fn windows_begin_where_the_clock_says_and_not_where_the_first_take_was() {
        assert_eq!(
            takes(&[179, 179, 179, 179, 180, 180, 180, 181]),
            [true, true, true, false, true, true, true, false]
        );
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_back() {
        assert_eq!(takes(&[180, 180, 179, 179, 100, 180]), [true, true, true, false, false, false]);
    }

    #[test]
    fn every_aligned_window_holds_over_any_walk_of_the_clock() {
        let mut times: Vec<i64> = (0..2000).map(|step: i64| step / 7 + (step * 7919) % 45).collect();
        times.extend_from_slice(&[500; 10]);
        let mut let_through = std::collections::BTreeMap::<i64, u32>::new();
        let mut state: Option<WindowCount> = None;
        for now in times {
            let (next, decision) = WindowCount::take(state, LIMIT, Timestamp::from_seconds(now));
            if matches!(decision, Decision::Allowed { .. }) {
                *let_through.entry(next.window_started_at.as_seconds()).or_default() += 1;
            }
            state = Some(next);
        }
        assert!(let_through.values().all(|count| *count <= LIMIT.count));
        assert!(let_through.len() > 3, "the walk crosses windows: {let_through:?}");
    }

    #[test]
    fn charge_over_the_limit_returns_the_rest_of_the_window() {
        let full = WindowCount { window_started_at: Timestamp::from_seconds(120), count: 3 };
        let wait = |now| WindowCount::take(Some(full), LIMIT, Timestamp::from_seconds(now)).1;
        assert_eq!(wait(130), Decision::Limited { retry_after: Duration::from_secs(50) });
        assert_eq!(wait(179), Decision::Limited { retry_after: Duration::from_secs(1) });
    }

    #[test]
    fn instance_counts_messages_of_each_connection_by_itself() {
        let (counts, at) = (MessageCounts::default(), Timestamp::from_seconds(600));
        let [one, other] = ["one", "other"].map(|id| GrantId::parse(id).expect("an id"));
        let passed = (0..200).filter(|_| counts.take(&one, at)).count();
        assert_eq!(passed, 120);
        assert!(counts.take(&other, at));
        assert!(counts.take(&one, at + LOCAL_MESSAGES.window));
    }

    #[test]
    fn instance_counts_for_a_bounded_number_of_connections() {
        let (counts, at) = (MessageCounts::default(), Timestamp::from_seconds(600));
        let grant = |index: usize| GrantId::parse(index.to_string()).expect("an id");
        for index in 0..COUNTED_CONNECTIONS {
            assert!(counts.take(&grant(index), at));
        }
        assert!(!counts.take(&grant(COUNTED_CONNECTIONS), at), "the shared counter decides");
        assert!(counts.take(&grant(0), at));
        assert_eq!(counts.0.borrow().len(), COUNTED_CONNECTIONS);
        assert!(counts.take(&grant(COUNTED_CONNECTIONS), at + LOCAL_MESSAGES.window));
        assert_eq!(counts.0.borrow().len(), 1);
    }

    #[test]
    fn remaining_count_decreases_with_each_charge() {
        let at = Timestamp::from_seconds(120);
        let (state, first) = WindowCount::take(None, LIMIT, at);
        assert_eq!(first, Decision::Allowed { remaining: 2 });
        assert_eq!(WindowCount::remaining(Some(state), LIMIT, at), 2, "to look takes nothing");
        assert_eq!(WindowCount::take(Some(state), LIMIT, at).1, Decision::Allowed { remaining: 1 });
        assert_eq!(WindowCount::remaining(Some(state), LIMIT, at + LIMIT.window), 3);
    }
}
