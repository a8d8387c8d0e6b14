//! Times in the viewer's time zone, with UTC beside. The server does not know the browser's zone: it renders the chosen zone, or the
//! one of a page of theirs, or UTC; where none was chosen, `script.js` renders the marked times anew in the browser's zone.

use crate::model::time_zone;
use crate::model::timestamp::Timestamp;
use jiff::ZonedDateTime;
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
    /// True if the viewer chose the zone, so that the browser's own doesn't take its place.
    is_chosen: bool,
}

impl ZonedClock {
    /// Uses the first known zone among those that the viewer chose, else `otherwise` if it is known, else UTC.
    pub(super) fn new<'a>(now: Timestamp, chosen: impl IntoIterator<Item = &'a str>, otherwise: Option<&str>) -> Self {
        let chosen = chosen.into_iter().find_map(time_zone::find);
        let is_chosen = chosen.is_some();
        let zone = chosen.or_else(|| otherwise.and_then(time_zone::find)).unwrap_or(TimeZone::UTC);
        Self { now, zone, is_chosen }
    }

    /// The clock of a page whose viewer cannot choose a zone.
    pub(super) const fn in_utc(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC, is_chosen: false }
    }

    pub(super) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or(UTC)
    }

    pub(super) const fn is_chosen(&self) -> bool {
        self.is_chosen
    }

    /// The name of the zone, as a part that the script replaces.
    pub(super) fn zone_label(&self) -> Markup {
        html! { span data-zone[!self.is_chosen] { (self.zone_name()) } }
    }

    /// Value of `data-local`, which tells the script what to render anew; `None` in a chosen zone.
    fn local(&self, kind: &'static str) -> Option<&'static str> {
        (!self.is_chosen).then_some(kind)
    }

    /// Day and time, with UTC beside.
    pub(super) fn moment(&self, at: Timestamp) -> Markup {
        let Some(here) = self.zoned(at) else { return html! { (at) } };
        let there = here.with_time_zone(TimeZone::UTC);
        let is_utc = here.offset().is_zero();
        // The day is repeated where it is another one.
        let beside = if here.date() == there.date() { "(%H:%M UTC)" } else { "(%-d %b, %H:%M UTC)" };
        html! {
            time datetime=(at) data-local=[self.local("beside")] {
                (here.strftime(MOMENT)) " " @if is_utc { (UTC) } @else { (here.strftime(ZONE)) " " span.soft { (there.strftime(beside)) } }
            }
        }
    }

    /// Day and time in the zone alone.
    pub(super) fn here(&self, at: Timestamp) -> Markup {
        let Some(here) = self.zoned(at) else { return html! { (at) } };
        html! { time datetime=(at) data-local=[self.local("alone")] { (here.strftime(MOMENT)) " " (here.strftime(ZONE)) } }
    }

    pub(super) fn day(&self, at: Timestamp) -> Markup {
        html! { time datetime=(at) data-local=[self.local("day")] { @match self.zoned(at) { Some(here) => (here.strftime(DAY)), None => (at) } } }
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

    fn zoned(&self, at: Timestamp) -> Option<ZonedDateTime> {
        Some(jiff::Timestamp::from_second(at.as_seconds()).ok()?.to_zoned_datetime(self.zone.clone()))
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
        ZonedClock::new(at, [zone], None)
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
    fn day_is_named_by_its_number_since_the_epoch() {
        assert_eq!([0, 364, 20_000].map(day_words), ["1 Jan", "31 Dec", "4 Oct"]);
    }

    #[test]
    fn day_of_a_moment_is_that_of_the_zone() {
        let at = Timestamp::from_seconds(1_600_000_000);
        let in_zone = |zone| ZonedClock::new(at, [zone], None).day_words(at);
        assert_eq!(["UTC", "Pacific/Auckland"].map(in_zone), ["13 Sep 2020", "14 Sep 2020"]);
    }

    #[test]
    fn first_known_zone_is_used() {
        let now = Timestamp::from_seconds(0);
        assert_eq!(ZonedClock::new(now, ["Mars/Olympus", "Asia/Tokyo", "UTC"], None).zone_name(), "Asia/Tokyo");
        assert_eq!(ZonedClock::new(now, ["", "../etc/passwd", "<b>"], None).zone_name(), "UTC");
        assert_eq!(ZonedClock::new(now, [""], Some("Europe/Berlin")).zone_name(), "Europe/Berlin");
    }

    #[test]
    fn times_are_marked_for_the_script_unless_a_zone_was_chosen() {
        let now = Timestamp::from_seconds(0);
        let texts = |clock: &ZonedClock| {
            let marks = [clock.moment(now), clock.here(now), clock.day(now), clock.zone_label()];
            marks.map(|markup| markup.into_string().contains(" data-"))
        };
        assert_eq!(texts(&ZonedClock::new(now, [], Some("Europe/Berlin"))), [true; 4]);
        assert_eq!(texts(&ZonedClock::in_utc(now)), [true; 4]);
        assert_eq!(texts(&ZonedClock::new(now, ["UTC"], Some("Europe/Berlin"))), [false; 4]);
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
