//! Windows that cannot be, and those that are probably not meant.

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
fn text_that_is_no_time_is_quoted_with_the_time_now() {
    let problem = in_page_zone("tomorrow 9am", "in 2 hours");
    assert!(
        problem.starts_with("`starts_at` (got \"tomorrow 9am\") and `ends_at` (got \"in 2 hours\") must be"),
        "{problem}"
    );
    assert!(problem.ends_with("; now it is Tue 2030-01-01 01:00 +01:00 in Europe/Berlin"), "{problem}");
    let problem = in_page_zone("2030-03-02T22:00:00Z", "2030-03-02T23:00:00+25:00");
    assert!(problem.starts_with("`ends_at` (got \"2030-03-02T23:00:00+25:00\") must be"), "{problem}");
}

#[test]
fn time_without_an_offset_is_answered_with_what_it_is_on_the_page() {
    for (start, says) in [
        ("2030-03-02 22:00", "(got \"2030-03-02 22:00\", in Europe/Berlin 2030-03-02T22:00:00+01:00)"),
        ("2030-07-02T22:00:00", "in Europe/Berlin 2030-07-02T22:00:00+02:00)"),
        ("2030-03-31T02:30", "skipped by the clocks there: 2030-03-31T01:30:00+01:00 or 2030-03-31T03:30:00+02:00)"),
        ("2030-10-27T02:30", "in Europe/Berlin 2030-10-27T02:30:00+02:00 or 2030-10-27T02:30:00+01:00)"),
        ("2030-03-02", "(got \"2030-03-02\")"),
        ("2030-03-02T22:00[America/New_York]", "(got \"2030-03-02T22:00[America/New_York]\")"),
        ("2030-02-30T22:00", "(got \"2030-02-30T22:00\")"),
    ] {
        let problem = in_page_zone(start, "2031-01-01T00:00:00Z");
        assert!(problem.contains(says), "{problem}");
    }
}

#[test]
fn window_that_begins_in_more_than_five_years_is_refused() {
    let window = |year: u16| checked(&format!("{year}-06-01T00:00:00Z"), &format!("{year}-06-01T01:00:00Z"));
    assert_eq!(window(2034), Ok(vec![]));
    let problem = window(2226).expect_err("no plan");
    assert_eq!(problem, "`starts_at` (2226-06-01T00:00:00Z) is in 196 years; is the year right?");
    assert!(window(2035).is_err());
    assert_eq!(checked("2034-12-31T00:00:00Z", "2034-12-31T01:00:00Z"), Ok(vec![]), "five times 365 days");
    assert!(checked("2034-12-31T00:00:01Z", "2034-12-31T01:00:00Z").is_err());
}

fn in_page_zone(start: &str, end: &str) -> String {
    check(&planned(start, end), &berlin(), NOW).expect_err(start)
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
    assert!(warned("2030-01-02T00:00:00Z", "2030-01-06T00:00:00Z").contains("the window is 4 days long"));
    assert_eq!(warned("2030-01-02T00:00:00Z", "2030-01-05T00:00:00Z"), "");
    assert!(warned("2030-01-02T00:00:00Z", "2030-02-02T00:00:00Z").contains("the window is 31 days long"), "the most");
}

#[test]
fn wait_for_a_window_is_in_the_units_a_person_would_use() {
    let wait = |minutes: u64| {
        let now = moment("2030-06-01T00:00:00Z").expect("a time");
        let starts_at = (now + Duration::from_mins(minutes)).to_string();
        wait_for_start(&json!({ "starts_at": starts_at }), now)
    };
    let waits = [0, 1, 119, 120, 2879, 2880].map(wait);
    let words = ["1 minutes", "119 minutes", "2 hours", "47 hours", "2 days"];
    assert_eq!(waits[0], None, "it begins now");
    assert_eq!(waits[1..].iter().flatten().collect::<Vec<_>>(), words);
}

fn berlin() -> Value {
    json!({ "time_zone": "Europe/Berlin" })
}

/// A window of an hour on the page's clocks.
fn in_berlin(start: &str) -> Result<Vec<String>, String> {
    let end = moment(start).expect("a time") + Duration::from_hours(1);
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
fn length_of_a_window_is_in_the_units_a_person_would_use() {
    let said = |end: &str| {
        let echo = echo(&planned("2030-06-01T00:00:00Z", end), &json!({})).expect("a window");
        echo.trim_end_matches('.').rsplit(", ").next().expect("the length").to_owned()
    };
    assert_eq!(said("2030-06-01T00:01:00Z"), "1 minute");
    assert_eq!(said("2030-06-01T03:00:00Z"), "180 minutes");
    assert_eq!(said("2030-06-01T03:01:00Z"), "3 hours 1 minute");
    assert_eq!(said("2030-06-02T00:00:00Z"), "1 day");
    assert_eq!(said("2030-06-16T02:00:00Z"), "15 days 2 hours");
}

#[test]
fn offset_of_the_other_season_warns_and_offset_of_another_zone_does_not() {
    let remark = in_berlin("2030-07-01T22:00:00+01:00").expect("it can be").join(", ");
    assert!(remark.contains("is 2030-07-01 23:00 +02:00 in Europe/Berlin"), "{remark}");
    assert!(remark.contains("give 2030-07-01T22:00:00+02:00"), "{remark}");
    for elsewhere in [
        "2030-07-01T22:00:00+05:30",
        "2030-07-01T22:00:00Z",
        "2030-03-31T02:30:00Z",
        "2030-03-31T02:30:00+05:30",
        "2030-10-27T02:30:00+05:30",
    ] {
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
    assert!(told("2030-03-31T05:00:00+02:00", berlin()).ends_with("6 hours; the clocks change in between."));
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
