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
const YEAR: Duration = Duration::from_hours(365 * 24);
/// No window begins later than this from now: a mistake in the year.
const TOO_FAR: Duration = Duration::from_hours(5 * 365 * 24);
/// Less notice than this gives nobody a chance to prepare.
const SHORT_NOTICE: Duration = Duration::from_hours(1);
/// Longest text that is quoted because it is no time, in characters.
const GOT_MAX: usize = 40;
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
            zone.moments([(name, text)], now)?;
            return Ok(zone.check_reading(name, text)?.into_iter().collect());
        }
    };
    let [starts_at, ends_at] = zone.moments([("starts_at", start), ("ends_at", end)], now)?;
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
    if starts_at > now + TOO_FAR {
        return Err(format!(
            "`starts_at` ({start}) is in {} years; is the year right?",
            starts_at.since(now).as_secs() / YEAR.as_secs()
        ));
    }
    let misread = [("starts_at", start), ("ends_at", end)].map(|(name, text)| zone.check_reading(name, text));
    let [misread_start, misread_end] = misread;
    let odd = [
        misread_start?,
        misread_end?,
        (starts_at < now).then(|| format!("`starts_at` is in the past ({starts_at}): the window begins at once")),
        (starts_at >= now && starts_at.since(now) < SHORT_NOTICE)
            .then(|| format!("customers get {} minutes of notice", starts_at.since(now).as_secs() / 60)),
        (length > LONG).then(|| format!("the window is {} long", say_length(length))),
    ];
    Ok(odd.into_iter().flatten().collect())
}

/// The window on the page's clocks and in UTC. `None` for writes without times.
pub fn echo(write: &Write, page: &Value) -> Option<String> {
    Some(describe(window(write)?, page))
}

/// The window of a maintenance as StatiBeat shows it; `None` for anything else.
pub fn describe_window(notice: &Value, time_zone: &str) -> Option<String> {
    Some(describe(window_of(notice)?, &serde_json::json!({ "time_zone": time_zone })))
}

/// The time until the window of a maintenance begins, in words; `None` if it has begun.
pub fn wait_for_start(notice: &Value, now: Timestamp) -> Option<String> {
    let starts_at = moment(notice.get("starts_at")?.as_str()?).filter(|start| *start > now)?;
    let minutes = starts_at.since(now).as_secs() / 60;
    Some(match minutes {
        0..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    })
}

fn describe((starts_at, ends_at): (Timestamp, Timestamp), page: &Value) -> String {
    let in_utc = format!("from {starts_at} to {ends_at} in UTC, {}", say_length(ends_at.since(starts_at)));
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

/// The length of a window in words: minutes up to three hours, as `90 minutes`, then `15 days 2 hours`.
fn say_length(length: Duration) -> String {
    let minutes = length.as_secs() / 60;
    let parts = match minutes {
        0..=180 => vec![(minutes, "minute")],
        _ => vec![(minutes / 1440, "day"), (minutes / 60 % 24, "hour"), (minutes % 60, "minute")],
    };
    let say = |(count, unit): &(u64, &str)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" });
    parts.iter().filter(|(count, _)| *count > 0 || parts.len() == 1).map(say).collect::<Vec<_>>().join(" ")
}

/// The times of a write that has some.
pub fn window(write: &Write) -> Option<(Timestamp, Timestamp)> {
    window_of(&write.body)
}

/// The times of a maintenance as StatiBeat shows it.
pub fn window_of(notice: &Value) -> Option<(Timestamp, Timestamp)> {
    let time = |name: &str| moment(notice.get(name)?.as_str()?);
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

    /// Parses times. The error names each that is none, quotes it, and says what a time without an offset is on the page's clocks.
    fn moments<const N: usize>(&self, times: [(&str, &str); N], now: Timestamp) -> Result<[Timestamp; N], String> {
        let moments = times.map(|(_, text)| moment(text));
        if moments.iter().all(Option::is_some) {
            return Ok(moments.map(|moment| moment.expect("all were found")));
        }
        let wrong = times.iter().zip(moments).filter(|(_, moment)| moment.is_none());
        let got: Vec<String> = wrong
            .map(|((name, text), _)| format!("`{name}` (got {}{})", quote(text, GOT_MAX), self.suggest(text)))
            .collect();
        let now = self.show_with_weekday(now);
        Err(format!(
            "{} must be an RFC 3339 time with its offset, such as 2030-01-31T22:00:00+01:00 or …Z; now it is {now} in {}",
            got.join(" and "),
            self.name
        ))
    }

    /// A time that lacks an offset, on the page's clocks: each moment that it can be.
    fn suggest(&self, text: &str) -> String {
        let Some((clocks, reading)) = self.clocks.as_ref().zip(reading_without_offset(text)) else {
            return String::new();
        };
        let argument = |offset: Offset| {
            let at = offset.to_timestamp(reading).map_or(Timestamp::from_seconds(0), from_jiff);
            self.format(at, "%Y-%m-%dT%H:%M:%S%:z")
        };
        let meant = match clocks.to_ambiguous_zoned_datetime(reading).offset() {
            AmbiguousOffset::Unambiguous { offset } => argument(offset),
            AmbiguousOffset::Gap { before, after } => {
                format!("skipped by the clocks there: {} or {}", argument(after), argument(before))
            }
            AmbiguousOffset::Fold { before, after } => format!("{} or {}", argument(before), argument(after)),
        };
        format!(", in {} {meant}", self.name)
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

/// The reading of a clock, if that is all that a text has: no offset and no zone.
fn reading_without_offset(text: &str) -> Option<DateTime> {
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    let is_bare = pieces.offset().is_none() && pieces.time_zone_annotation().is_none();
    Some(pieces.date().to_datetime(pieces.time().filter(|_| is_bare)?))
}

fn jiff_time(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.as_seconds()).unwrap_or_default()
}

fn from_jiff(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_seconds(at.as_second())
}

/// A time with an offset that clocks on Earth can have.
fn moment(text: &str) -> Option<Timestamp> {
    let has_clocks = |offset: Offset| offset.seconds().unsigned_abs() <= 14 * 3600;
    let is_possible = local_time(text).is_none_or(|(_, offset)| has_clocks(offset));
    text.parse::<jiff::Timestamp>().ok().filter(|_| is_possible).map(from_jiff)
}

#[cfg(test)]
mod tests;
