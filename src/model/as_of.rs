//! The time at which an answer was true, for readers without a clock: UTC, and the page's local time with its weekday.

use super::time_zone;
use super::timestamp::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

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
    format(at, time_zone::find(zone)?, "%A %Y-%m-%d %H:%M %:z")
}

fn format(at: Timestamp, zone: TimeZone, form: &str) -> Option<String> {
    Some(jiff::Timestamp::from_second(at.as_seconds()).ok()?.to_zoned_datetime(zone).strftime(form).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

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
