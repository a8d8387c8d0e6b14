//! Time in whole seconds since the Unix epoch.
//!
//! A request reads the clock once, at the edge, and passes the value on as `now`, so that all its expiry checks agree.
//! Nothing here reads a clock.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// From milliseconds since the Unix epoch, as clocks give them; cut to whole seconds.
    pub fn from_milliseconds(milliseconds: u64) -> Self {
        Self(i64::try_from(milliseconds / 1000).unwrap_or(i64::MAX))
    }

    /// Seconds since the Unix epoch.
    pub const fn as_seconds(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is not earlier.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Seconds of a span as the signed number that timestamps use.
fn whole_seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(whole_seconds(span)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(whole_seconds(span)))
    }
}

/// RFC 3339 in UTC, as in `2026-11-22T03:04:05Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => time.fmt(f),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_is_rfc_3339_in_utc() {
        assert_eq!(Timestamp::from_seconds(1_000_000_000).to_string(), "2001-09-09T01:46:40Z");
    }

    #[test]
    fn a_span_before_an_earlier_time_is_zero() {
        let (early, late) = (Timestamp::from_seconds(10), Timestamp::from_seconds(70));
        assert_eq!(late.since(early), Duration::from_mins(1));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(early + Duration::from_mins(1), late);
    }
}
