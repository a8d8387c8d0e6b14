//! The times of a maintenance window: what cannot be, and what is probably not meant.
//!
//! A time carries its own offset, so it names one moment whatever the page's zone does; the zone is only told.

use crate::catalog::Write;
use crate::timestamp::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// A longer window is more likely a mistake in the date than a plan.
const LONG: Duration = Duration::from_hours(72);
/// No window is longer: a mistake in the year.
const ABSURD: Duration = Duration::from_hours(31 * 24);
/// Less notice than this gives nobody a chance to prepare.
const SHORT_NOTICE: Duration = Duration::from_hours(1);

/// What a look at the times came to.
pub type Looked = Result<Vec<String>, String>;

/// Checks the times of a write that has some; the error says what cannot be, the list what is odd.
pub fn check(write: &Write, now: Timestamp) -> Looked {
    let time =
        |name: &str| write.body.get(name).and_then(Value::as_str).map(|text| (text.to_owned(), moment(name, text)));
    let (start, end) = (time("starts_at"), time("ends_at"));
    let (Some((start, starts_at)), Some((end, ends_at))) = (start.clone(), end.clone()) else {
        // One of them alone changes a window whose other end is not known here: it must only be a time.
        return start.or(end).map_or(Ok(Vec::new()), |(_, moment)| moment.map(|_| Vec::new()));
    };
    let (starts_at, ends_at) = (starts_at?, ends_at?);
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
    let odd = [
        (starts_at < now).then(|| format!("`starts_at` is in the past ({starts_at}): the window begins at once")),
        (starts_at >= now && starts_at.since(now) < SHORT_NOTICE)
            .then(|| format!("customers get {} minutes of notice", starts_at.since(now).as_secs() / 60)),
        (length > LONG).then(|| format!("the window is {} hours long", length.as_secs() / 3600)),
    ];
    Ok(odd.into_iter().flatten().collect())
}

/// The window in UTC and, where the page has a zone of its own, its name beside it. `None` for writes without times.
pub fn echo(write: &Write, page: &Value) -> Option<String> {
    let time = |name: &str| moment(name, write.body.get(name)?.as_str()?).ok();
    let (starts_at, ends_at) = (time("starts_at")?, time("ends_at")?);
    let minutes = ends_at.since(starts_at).as_secs() / 60;
    let zone = page.get("time_zone").and_then(Value::as_str).unwrap_or("UTC");
    Some(format!("From {starts_at} to {ends_at} (UTC), {minutes} minutes; the page's time zone is {zone}."))
}

fn moment(name: &str, text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<jiff::Timestamp>().ok();
    let parsed = parsed.map(|time| Timestamp::from_seconds(time.as_second()));
    parsed.ok_or_else(|| {
        format!("`{name}` must be an RFC 3339 time with its offset, such as 2030-01-31T22:00:00+01:00 or …Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_893_456_000); // 2030-01-01T00:00:00Z

    fn looked(start: &str, end: &str) -> Looked {
        check(&window(start, end), NOW)
    }

    fn window(start: &str, end: &str) -> Write {
        Write::post("maintenances", json!({ "starts_at": start, "ends_at": end }))
    }

    #[test]
    fn an_ordinary_window_passes_in_any_offset() {
        assert_eq!(looked("2030-01-02T22:00:00Z", "2030-01-02T23:00:00Z"), Ok(vec![]));
        assert_eq!(looked("2030-01-02T22:00:00+01:00", "2030-01-02T21:30:00Z"), Ok(vec![]));
    }

    #[test]
    fn what_cannot_be_is_an_error() {
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
            let problem = looked(start, end).expect_err(start);
            assert!(problem.contains(says), "{problem}");
        }
    }

    #[test]
    fn one_end_alone_must_be_a_time() {
        let one = |text: &str| check(&Write::patch("maintenances/9", json!({ "ends_at": text })), NOW);
        assert_eq!(one("2030-01-02T22:00:00Z"), Ok(vec![]));
        assert!(one("tomorrow").is_err_and(|problem| problem.contains("ends_at")));
    }

    #[test]
    fn what_is_odd_is_a_warning() {
        let warned = |start: &str, end: &str| looked(start, end).expect("it can be").join(", ");
        assert!(warned("2029-12-31T23:00:00Z", "2030-01-01T01:00:00Z").contains("past"));
        assert!(warned("2030-01-01T00:10:00Z", "2030-01-01T01:00:00Z").contains("10 minutes of notice"));
        assert!(warned("2030-01-02T00:00:00Z", "2030-01-06T00:00:00Z").contains("96 hours"));
    }

    #[test]
    fn the_window_is_told_in_utc() {
        let told = echo(
            &window("2030-01-02T22:00:00+01:00", "2030-01-02T23:00:00+01:00"),
            &json!({ "time_zone": "Europe/Berlin" }),
        );
        let expected = "From 2030-01-02T21:00:00Z to 2030-01-02T22:00:00Z (UTC), 60 minutes; the page's time zone is Europe/Berlin.";
        assert_eq!(told.as_deref(), Some(expected));
        assert_eq!(echo(&Write::post("incidents", json!({})), &json!({})), None);
    }
}
