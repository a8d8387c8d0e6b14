//! Times in the viewer's time zone, with UTC beside. A page without scripts cannot ask the browser for its zone, so the viewer
//! chooses it on the page.

use crate::model::time_zone;
use crate::model::timestamp::Timestamp;
use jiff::Zoned;
use jiff::tz::TimeZone;
use maud::{Markup, html};

const UTC: &str = "UTC";
// Formats are for `strftime`, whose names of months are English.
const MOMENT: &str = "%-d %b %Y, %H:%M";
const ZONE: &str = "%Z";
const DAY: &str = "%-d %b %Y";

/// The current time and the time zone that times are shown in.
pub(super) struct ZonedClock {
    pub now: Timestamp,
    zone: TimeZone,
}

impl ZonedClock {
    /// Uses the first known zone of `names`, else UTC.
    pub(super) fn new<'a>(now: Timestamp, names: impl IntoIterator<Item = &'a str>) -> Self {
        let zone = names.into_iter().find_map(time_zone::find);
        Self { now, zone: zone.unwrap_or(TimeZone::UTC) }
    }

    pub(super) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or(UTC)
    }

    /// Day and time, with UTC beside.
    pub(super) fn moment(&self, at: Timestamp) -> Markup {
        let Some(here) = self.zoned(at) else { return html! { (at) } };
        let there = here.with_time_zone(TimeZone::UTC);
        let is_utc = here.offset().is_zero();
        // The day is repeated where it is another one.
        let beside = if here.date() == there.date() { "(%H:%M UTC)" } else { "(%-d %b, %H:%M UTC)" };
        html! {
            time datetime=(at) {
                (here.strftime(MOMENT)) " " @if is_utc { (UTC) } @else { (here.strftime(ZONE)) " " span.soft { (there.strftime(beside)) } }
            }
        }
    }

    /// Day and time in the zone alone.
    pub(super) fn here(&self, at: Timestamp) -> Markup {
        let Some(here) = self.zoned(at) else { return html! { (at) } };
        html! { time datetime=(at) { (here.strftime(MOMENT)) " " (here.strftime(ZONE)) } }
    }

    pub(super) fn day(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at) { @match self.zoned(at) { Some(here) => (here.strftime(DAY)), None => (at) } } }
    }

    pub(super) fn since(&self, at: Timestamp) -> String {
        ago_words(self.now.since(at).as_secs())
    }

    /// Time since then, and the moment itself.
    pub(super) fn ago(&self, at: Timestamp) -> Markup {
        html! { (self.since(at)) span.soft { ", " (self.here(at)) } }
    }

    /// The day without markup, for a sentence.
    pub(super) fn day_words(&self, at: Timestamp) -> String {
        self.zoned(at).map_or_else(|| at.to_string(), |here| here.strftime(DAY).to_string())
    }

    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        Some(jiff::Timestamp::from_second(at.as_seconds()).ok()?.to_zoned(self.zone.clone()))
    }
}

/// Zones to choose from: UTC, then places in alphabetical order.
pub(super) fn zones() -> Vec<String> {
    let places = time_zone::names().filter(|name| name.contains('/') && !name.starts_with("Etc/"));
    let mut places: Vec<String> = places.map(str::to_owned).collect();
    places.sort_unstable();
    [UTC.to_owned()].into_iter().chain(places).collect()
}

/// A day by its number since the Unix epoch; calls are counted by days of UTC.
pub(super) fn day_words(day: i64) -> String {
    match jiff::Timestamp::from_second(day * 86_400) {
        Ok(time) => time.strftime("%-d %b").to_string(),
        Err(_) => day.to_string(),
    }
}

/// Time since then, in the largest unit that fits at least twice.
fn ago_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => return "just now".to_owned(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(zone: &str, seconds: i64) -> String {
        let at = Timestamp::from_seconds(seconds);
        ZonedClock::new(at, [zone])
            .moment(at)
            .into_string()
            .replace(r#"<span class="soft">"#, "")
            .replace("</span>", "")
    }

    #[test]
    fn moment_is_shown_in_the_zone_with_utc_and_a_machine_readable_time() {
        let time = r#"<time datetime="2020-09-13T12:26:40Z">"#;
        assert_eq!(moment("UTC", 1_600_000_000), format!("{time}13 Sep 2020, 12:26 UTC</time>"));
        assert_eq!(moment("Europe/Berlin", 1_600_000_000), format!("{time}13 Sep 2020, 14:26 CEST (12:26 UTC)</time>"));
        let east = format!("{time}14 Sep 2020, 00:26 NZST (13 Sep, 12:26 UTC)</time>");
        assert_eq!(moment("Pacific/Auckland", 1_600_000_000), east);
    }

    #[test]
    fn first_known_zone_is_used() {
        let now = Timestamp::from_seconds(0);
        assert_eq!(ZonedClock::new(now, ["Mars/Olympus", "Asia/Tokyo", "UTC"]).zone_name(), "Asia/Tokyo");
        assert_eq!(ZonedClock::new(now, ["", "../etc/passwd", "<b>"]).zone_name(), "UTC");
    }

    #[test]
    fn every_offered_zone_is_known() {
        let zones = zones();
        assert!(zones.len() > 300, "{}", zones.len());
        assert_eq!(zones[0], "UTC");
        assert!(zones.iter().all(|name| time_zone::find(name).is_some()));
    }

    #[test]
    fn time_span_uses_the_largest_unit_that_fits_twice() {
        for (seconds, words) in [
            (0, "just now"),
            (119, "just now"),
            (120, "2 minutes ago"),
            (7_199, "119 minutes ago"),
            (7_200, "2 hours ago"),
            (172_799, "47 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago_words(seconds), words, "{seconds}");
        }
    }
}
