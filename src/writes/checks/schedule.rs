//! The times of a maintenance window: what cannot be, and what is probably not meant.
//!
//! A time carries its own offset, so it names one moment whatever the page's zone does. But whoever writes it thinks of a
//! clock, mostly the page's: where its reading does not exist there, comes twice, or has the offset of another season,
//! both readings are named. A time in `Z` is nobody's clock and is taken as it stands.

use crate::catalog::Write;
use crate::model::time_zone;
use crate::model::timestamp::Timestamp;
use crate::model::visible::quote;
use jiff::civil::DateTime;
use jiff::fmt::temporal::{DateTimeParser, PiecesOffset};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use serde_json::Value;
use std::time::Duration;

/// A longer window is more likely a mistake in the date than a plan.
const LONG: Duration = Duration::from_hours(72);
/// No window is longer: a mistake in the year.
const ABSURD: Duration = Duration::from_hours(31 * 24);
/// Less notice than this gives nobody a chance to prepare.
const SHORT_NOTICE: Duration = Duration::from_hours(1);
/// Half a year away, clocks show the other season.
const OTHER_SEASON: Duration = Duration::from_hours(182 * 24);

/// Checks the times of a write that has some; the error says what cannot be, the list what is odd. `page` is the page as
/// StatiBeat lists it.
pub fn check(write: &Write, page: &Value, now: Timestamp) -> Result<Vec<String>, String> {
    let zone = Zone::new(page);
    let text = |name: &'static str| Some((name, write.body.get(name).and_then(Value::as_str)?));
    let (start, end) = match (text("starts_at"), text("ends_at")) {
        (Some((_, start)), Some((_, end))) => (start, end),
        // One of them alone changes a window whose other end is not known here: it must only be a time.
        (one, other) => {
            let Some((name, text)) = one.or(other) else { return Ok(Vec::new()) };
            moment(name, text)?;
            return Ok(zone.check_reading(name, text)?.into_iter().collect());
        }
    };
    let (starts_at, ends_at) = (moment("starts_at", start)?, moment("ends_at", end)?);
    if ends_at <= starts_at {
        return Err(format!("`ends_at` ({end}) must be after `starts_at` ({start})"));
    }
    if ends_at <= now {
        return Err(format!("this window is over already: `ends_at` is {ends_at}, and it is {now} now"));
    }
    let length = ends_at.since(starts_at);
    if length > ABSURD {
        return Err(format!("this window is {} days long; is the date right?", length.as_secs() / 86_400));
    }
    let misread = [("starts_at", start), ("ends_at", end)].map(|(name, text)| zone.check_reading(name, text));
    let [misread_start, misread_end] = misread;
    let odd = [
        misread_start?,
        misread_end?,
        (starts_at < now).then(|| format!("`starts_at` is in the past ({starts_at}): the window begins at once")),
        (starts_at >= now && starts_at.since(now) < SHORT_NOTICE)
            .then(|| format!("customers get {} minutes of notice", starts_at.since(now).as_secs() / 60)),
        (length > LONG).then(|| format!("the window is {} hours long", length.as_secs() / 3600)),
    ];
    Ok(odd.into_iter().flatten().collect())
}

/// The window on the page's clocks and in UTC. `None` for writes without times.
pub fn echo(write: &Write, page: &Value) -> Option<String> {
    Some(describe(window(write)?, page))
}

/// The window of a maintenance as StatiBeat shows it; `None` for anything else.
pub fn describe_window(notice: &Value, time_zone: &str) -> Option<String> {
    let time = |name: &str| moment(name, notice.get(name)?.as_str()?).ok();
    Some(describe((time("starts_at")?, time("ends_at")?), &serde_json::json!({ "time_zone": time_zone })))
}

/// The time until the window of a maintenance begins, in words; `None` if it has begun.
pub fn wait_for_start(notice: &Value, now: Timestamp) -> Option<String> {
    let starts_at = moment("starts_at", notice.get("starts_at")?.as_str()?).ok().filter(|start| *start > now)?;
    let minutes = starts_at.since(now).as_secs() / 60;
    Some(match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    })
}

fn describe((starts_at, ends_at): (Timestamp, Timestamp), page: &Value) -> String {
    let minutes = ends_at.since(starts_at).as_secs() / 60;
    let in_utc = format!("from {starts_at} to {ends_at} in UTC, {minutes} minutes");
    let zone = Zone::new(page);
    let Some(clocks) = &zone.clocks else {
        let name = quote(zone.name, 64);
        return format!("The window is {in_utc}; the page's time zone {name} is not known here.");
    };
    let [first, last] = [starts_at, ends_at].map(|at| clocks.to_offset(jiff_time(at)));
    let change = if first == last { "" } else { "; the clocks change in between" };
    let [start, end] = [starts_at, ends_at].map(|at| zone.show_with_weekday(at));
    format!("The window is from {start} to {end} in the page's time zone {}, {in_utc}{change}.", zone.name)
}

/// The times of a write that has some.
pub fn window(write: &Write) -> Option<(Timestamp, Timestamp)> {
    let time = |name: &str| moment(name, write.body.get(name)?.as_str()?).ok();
    Some((time("starts_at")?, time("ends_at")?))
}

struct Zone<'a> {
    name: &'a str,
    /// `None` where nobody here knows the zone.
    clocks: Option<TimeZone>,
}

impl<'a> Zone<'a> {
    fn new(page: &'a Value) -> Self {
        let name = page.get("time_zone").and_then(Value::as_str).unwrap_or("UTC");
        Self { name, clocks: time_zone::find(name) }
    }

    /// Returns whether a time, read off the page's clocks, means what it says: the error names both readings of one that does not
    /// exist, the remark those of one that comes twice or is off by a season. An offset that the zone never has is a clock
    /// elsewhere.
    fn check_reading(&self, name: &str, text: &str) -> Result<Option<String>, String> {
        let (Some(clocks), Some((reading, given))) = (&self.clocks, local_time(text)) else { return Ok(None) };
        let at = |offset: Offset| offset.to_timestamp(reading).map_or(Timestamp::from_seconds(0), from_jiff);
        let argument = |offset: Offset| self.format(at(offset), "%Y-%m-%dT%H:%M:%S%:z");
        let (shown, zone) = (reading.strftime("%Y-%m-%d %H:%M"), self.name);
        match clocks.to_ambiguous_zoned_datetime(reading).offset() {
            AmbiguousOffset::Gap { before, after } if given == before || given == after => {
                let [one, other] = [after, before].map(argument);
                Err(format!("`{name}`: {shown} does not exist in {zone}, where clocks skip it; give {one} or {other}"))
            }
            AmbiguousOffset::Fold { before, after } if given == before || given == after => {
                let meant = self.show(at(given));
                let [not_meant] = [if given == before { after } else { before }].map(|offset| self.show(at(offset)));
                Ok(Some(format!("`{name}`: {shown} comes twice in {zone}; taken as {meant} and not as {not_meant}")))
            }
            AmbiguousOffset::Unambiguous { offset } if given != offset && self.is_of_other_season(at(given), given) => {
                let (meant, perhaps) = (self.show(at(given)), argument(offset));
                Ok(Some(format!("`{name}` is {meant} in {zone}; if {shown} there is meant, give {perhaps}")))
            }
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Gap { .. } | AmbiguousOffset::Fold { .. } => {
                Ok(None)
            }
        }
    }

    fn is_of_other_season(&self, at: Timestamp, given: Offset) -> bool {
        let has = |at: Timestamp| self.clocks.as_ref().is_some_and(|clocks| clocks.to_offset(jiff_time(at)) == given);
        has(at + OTHER_SEASON) || has(at - OTHER_SEASON)
    }

    /// A moment on the page's clocks, with its offset.
    fn show(&self, at: Timestamp) -> String {
        self.format(at, "%Y-%m-%d %H:%M %:z")
    }

    fn show_with_weekday(&self, at: Timestamp) -> String {
        self.format(at, "%a %Y-%m-%d %H:%M %:z")
    }

    fn format(&self, at: Timestamp, format: &str) -> String {
        let clocks = self.clocks.clone().unwrap_or(TimeZone::UTC);
        jiff_time(at).to_zoned_datetime(clocks).strftime(format).to_string()
    }
}

/// The local time and the offset of a time that is written with an offset.
fn local_time(text: &str) -> Option<(DateTime, Offset)> {
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    match pieces.offset()? {
        PiecesOffset::Numeric(offset) => Some((pieces.date().to_datetime(pieces.time()?), offset.offset())),
        _ => None,
    }
}

fn jiff_time(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_seconds()).unwrap_or_default()
}

fn from_jiff(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_second())
}

fn moment(name: &str, text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<jiff::Timestamp>().ok();
    parsed.map(from_jiff).ok_or_else(|| {
        format!("`{name}` must be an RFC 3339 time with its offset, such as 2030-01-31T22:00:00+01:00 or …Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Operation;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_893_456_000); // 2030-01-01T00:00:00Z

    fn checked(start: &str, end: &str) -> Result<Vec<String>, String> {
        check(&planned(start, end), &json!({}), NOW)
    }

    fn planned(start: &str, end: &str) -> Write {
        Write::new(Operation::ScheduleMaintenance, json!({ "starts_at": start, "ends_at": end }))
    }

    #[test]
    fn an_ordinary_window_passes_in_any_offset() {
        assert_eq!(checked("2030-01-02T22:00:00Z", "2030-01-02T23:00:00Z"), Ok(vec![]));
        assert_eq!(checked("2030-01-02T22:00:00+01:00", "2030-01-02T21:30:00Z"), Ok(vec![]));
    }

    #[test]
    fn impossible_window_is_an_error() {
        for (start, end, says) in [
            ("2030-01-02T22:00:00Z", "2030-01-02T22:00:00Z", "after"),
            ("2030-01-02T22:00:00Z", "2030-01-02T22:30:00+01:00", "after"),
            ("2029-12-30T22:00:00Z", "2029-12-31T22:00:00Z", "over already"),
            ("2030-01-02T22:00:00Z", "2031-01-02T22:00:00Z", "365 days"),
            ("2030-01-02T22:00:00", "2030-01-02T23:00:00Z", "offset"),
            ("2030-02-30T22:00:00Z", "2030-03-02T23:00:00Z", "starts_at"),
            ("tomorrow", "2030-01-02T23:00:00Z", "starts_at"),
            ("2030-01-02T22:00:00Z", "2030-01-02T25:00:00Z", "ends_at"),
        ] {
            let problem = checked(start, end).expect_err(start);
            assert!(problem.contains(says), "{problem}");
        }
    }

    #[test]
    fn one_end_alone_must_be_a_time() {
        let operation = Operation::UpdateMaintenance { maintenance_id: 9 };
        let one = |text: &str| check(&Write::new(operation, json!({ "ends_at": text })), &json!({}), NOW);
        assert_eq!(one("2030-01-02T22:00:00Z"), Ok(vec![]));
        assert!(one("tomorrow").is_err_and(|problem| problem.contains("ends_at")));
    }

    #[test]
    fn unusual_window_is_a_warning() {
        let warned = |start: &str, end: &str| checked(start, end).expect("it can be").join(", ");
        assert!(warned("2029-12-31T23:00:00Z", "2030-01-01T01:00:00Z").contains("past"));
        assert!(warned("2030-01-01T00:10:00Z", "2030-01-01T01:00:00Z").contains("10 minutes of notice"));
        assert!(warned("2030-01-02T00:00:00Z", "2030-01-06T00:00:00Z").contains("96 hours"));
    }

    fn berlin() -> Value {
        json!({ "time_zone": "Europe/Berlin" })
    }

    /// A window of an hour on the page's clocks.
    fn in_berlin(start: &str) -> Result<Vec<String>, String> {
        let end = moment("ends_at", start).expect("a time") + Duration::from_hours(1);
        check(&planned(start, &end.to_string()), &berlin(), NOW)
    }

    #[test]
    fn a_reading_that_clocks_skip_is_refused_with_both_that_could_be_meant() {
        for start in ["2030-03-31T02:30:00+01:00", "2030-03-31T02:30:00+02:00"] {
            let problem = in_berlin(start).expect_err(start);
            assert!(problem.contains("2030-03-31 02:30 does not exist in Europe/Berlin"), "{problem}");
            assert!(problem.contains("2030-03-31T01:30:00+01:00 or 2030-03-31T03:30:00+02:00"), "{problem}");
        }
        assert_eq!(in_berlin("2030-03-31T03:30:00+02:00"), Ok(vec![]));
    }

    #[test]
    fn ambiguous_local_time_warns_with_both_readings() {
        let remark = |start: &str| in_berlin(start).expect("it can be").join(", ");
        let summer = remark("2030-10-27T02:30:00+02:00");
        assert!(summer.contains("2030-10-27 02:30 comes twice in Europe/Berlin"), "{summer}");
        assert!(summer.contains("taken as 2030-10-27 02:30 +02:00 and not as 2030-10-27 02:30 +01:00"), "{summer}");
        let winter = remark("2030-10-27T02:30:00+01:00");
        assert!(winter.contains("taken as 2030-10-27 02:30 +01:00 and not as 2030-10-27 02:30 +02:00"), "{winter}");
    }

    #[test]
    fn offset_of_the_other_season_warns_and_offset_of_another_zone_does_not() {
        let remark = in_berlin("2030-07-01T22:00:00+01:00").expect("it can be").join(", ");
        assert!(remark.contains("is 2030-07-01 23:00 +02:00 in Europe/Berlin"), "{remark}");
        assert!(remark.contains("give 2030-07-01T22:00:00+02:00"), "{remark}");
        for elsewhere in ["2030-07-01T22:00:00+05:30", "2030-07-01T22:00:00Z", "2030-03-31T02:30:00Z"] {
            assert_eq!(in_berlin(elsewhere), Ok(vec![]), "{elsewhere}");
        }
    }

    #[test]
    fn window_is_rendered_in_page_time_zone_and_utc() {
        let told = |end: &str, page: Value| echo(&planned("2030-03-30T22:00:00+01:00", end), &page).expect("a window");
        let short = told("2030-03-30T23:00:00+01:00", berlin());
        let expected = "The window is from Sat 2030-03-30 22:00 +01:00 to Sat 2030-03-30 23:00 +01:00 in the page's time zone \
            Europe/Berlin, from 2030-03-30T21:00:00Z to 2030-03-30T22:00:00Z in UTC, 60 minutes.";
        assert_eq!(short, expected);
        assert!(told("2030-03-31T05:00:00+02:00", berlin()).ends_with("360 minutes; the clocks change in between."));
        assert!(told("2030-03-31T05:00:00+02:00", json!({ "time_zone": "Mars/Base" })).contains("not known here"));
        assert!(told("2030-03-31T05:00:00+02:00", json!({})).contains("2030-03-30 21:00 +00:00"));
        assert_eq!(echo(&Write::new(Operation::CreateIncident, json!({})), &json!({})), None);
    }

    #[test]
    fn unknown_time_zone_is_ignored() {
        let page = json!({ "time_zone": "Mars/Base" });
        let odd = check(&planned("2030-03-31T02:30:00+01:00", "2030-03-31T04:30:00+01:00"), &page, NOW);
        assert_eq!(odd, Ok(vec![]));
    }
}
