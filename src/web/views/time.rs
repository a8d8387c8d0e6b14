//! Times as people read them. Without a script a page does not know its reader's time zone, so it says UTC and how long ago.

use crate::timestamp::Timestamp;
use maud::{Markup, html};

/// A day and a time, in UTC.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (format(at, "%-d %b %Y, %H:%M")) " UTC" } }
}

/// A day, in UTC.
pub(super) fn day(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (format(at, "%-d %b %Y")) } }
}

/// A day by its number since the Unix epoch.
pub(super) fn day_words(day: i64) -> String {
    format(Timestamp::from_seconds(day * 86_400), "%-d %b")
}

/// How long ago, and when.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { (span_words(now.since(at).as_secs())) " " span.soft { "(" (moment(at)) ")" } }
}

fn span_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => return "just now".to_owned(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit} ago")
}

fn format(at: Timestamp, pattern: &str) -> String {
    match jiff::Timestamp::from_second(at.as_seconds()) {
        Ok(time) => time.strftime(pattern).to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_utc_and_in_a_form_for_machines() {
        let shown = moment(Timestamp::from_seconds(1_000_000_000)).into_string();
        assert_eq!(shown, r#"<time datetime="2001-09-09T01:46:40Z">9 Sep 2001, 01:46 UTC</time>"#);
    }

    #[test]
    fn a_span_is_said_in_its_largest_unit_that_fits_twice() {
        for (seconds, words) in [
            (0, "just now"),
            (119, "just now"),
            (120, "2 minutes ago"),
            (7_199, "119 minutes ago"),
            (7_200, "2 hours ago"),
            (172_799, "47 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(span_words(seconds), words, "{seconds}");
        }
    }
}
