//! Times and spans. Formats are for `jiff`'s `strftime`, whose names of months are English.

/// A moment, without its zone.
pub const MOMENT: &str = "%-d %b %Y, %H:%M";
pub const ZONE: &str = "%Z";
/// The same moment beside it, on the same day.
pub const BESIDE: &str = "(%H:%M UTC)";
/// The same moment beside it, on another day.
pub const BESIDE_OTHER_DAY: &str = "(%-d %b, %H:%M UTC)";
pub const DAY: &str = "%-d %b %Y";
/// A day of these weeks.
pub const SHORT_DAY: &str = "%-d %b";

/// How long ago, in the largest unit that fits twice.
pub fn ago(seconds: u64) -> String {
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
            assert_eq!(ago(seconds), words, "{seconds}");
        }
    }
}
