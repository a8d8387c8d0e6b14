//! Contradictions between a write and the incident or maintenance that it changes: a move to an earlier stage, a maintenance that becomes active
//! before its window, clock times outside the window, a text that says the incident or maintenance is over while it is not.
//!
//! Pure; yields warnings only. The documents before and after the write come from StatiBeat's dry run. If only a person can act,
//! the warning gives the admin URL.

use super::lifecycle::StageChange;
use super::schedule;
use super::text;
use crate::catalog::Write;
use crate::model::operation::{Operation, TargetKind};
use crate::model::time_zone;
use crate::model::timestamp::Timestamp as Now;
use crate::model::visible::quote;
use crate::model::write::TEXT_FIELDS;
use crate::model::write_policy::TextRule;
use crate::writes::effect::WriteEffect;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

/// Longest text that is quoted, in characters.
const QUOTE_MAX: usize = 60;
const MINUTES_OF_DAY: i64 = 24 * 60;

/// Returns whether a write may contradict what it changes, or remove components from it, so that the dry run is needed. A stage change
/// always needs it: it must not close the incident or maintenance.
pub fn needs_effect(write: &Write) -> bool {
    let operation = write.operation;
    let has = |name: &str| write.body.get(name).is_some();
    let replaces = matches!(operation, Operation::UpdateIncident { .. } | Operation::UpdateMaintenance { .. });
    let says_times =
        || operation.target_kind() == TargetKind::Maintenance && texts(write).any(|text| !spans(text).is_empty());
    StageChange::find(write).is_some()
        || has("remove_affected_items")
        || replaces && has("affected_items")
        || operation.target_id().is_some() && (says_times() || says_over(write))
}

/// The contradictions of a write whose effect is known.
pub fn find(write: &Write, effect: &WriteEffect, now: Now) -> Vec<String> {
    let (Some(before), Some(after)) = (effect.before(), effect.after()) else { return Vec::new() };
    let place = after["admin_url"].as_str().map(|url| format!(" at {url}")).unwrap_or_default();
    let mut found = Vec::new();
    found.extend(find_step_back(before, after));
    if (before["state"] == "upcoming" && after["state"] == "active")
        && let Some(wait) = schedule::wait_for_start(after, now)
    {
        found.push(format!(
            "the maintenance becomes active now, and its window begins only in {wait}; only a person can move the window{place}"
        ));
    }
    // `after` has the window that the write leaves: a new one if the write moves it.
    let other_times = texts(write).find_map(|text| find_other_times(text, after, &effect.page.time_zone));
    found.extend(other_times.map(|words| {
        if write.body.get("starts_at").is_some() {
            words
        } else {
            format!("{words}; only a person can move the window{place}")
        }
    }));
    if says_over(write) && !effect.closes() {
        found.extend(match (write.operation.target_kind(), after["state"].as_str()) {
            (TargetKind::Incident, Some("active")) => {
                Some(format!("the incident stays open; only a person can resolve it{place}"))
            }
            (TargetKind::Maintenance, Some(state @ ("active" | "upcoming"))) => {
                Some(format!("the maintenance stays {state}; only a person can complete or cancel it{place}"))
            }
            _ => None,
        });
    }
    found
}

/// Clock times in the texts of a new maintenance that are outside its window.
pub fn find_in_schedule(write: &Write, page: &Value) -> Option<String> {
    let time_zone = page["time_zone"].as_str().unwrap_or("UTC");
    let is_new = write.operation == Operation::ScheduleMaintenance;
    texts(write).filter(|_| is_new).find_map(|text| find_other_times(text, &write.body, time_zone))
}

fn texts(write: &Write) -> impl Iterator<Item = &str> {
    TEXT_FIELDS.into_iter().filter_map(|name| write.given.get(name)?.as_str())
}

fn says_over(write: &Write) -> bool {
    !text::check(write.operation, &write.given, |rule| rule == TextRule::SaysResolved).is_empty()
}

/// Warns if the new stage comes before the current one.
fn find_step_back(before: &Value, after: &Value) -> Option<String> {
    let [old, new] = [before, after].map(|notice| &notice["lifecycle_stage"]);
    let is_back = new["position"].as_i64()? < old["position"].as_i64()?;
    let [old, new] = [old, new].map(|stage| quote(stage["name"].as_str().unwrap_or_default(), QUOTE_MAX));
    is_back.then(|| format!("the stage goes back from {old} to {new}"))
}

/// A span of clock times in a text, such as `03:00 to 05:00`, that is not within the window: neither on the page's clocks nor in UTC.
/// `notice` has `starts_at` and `ends_at`. A span in an unknown time zone is not checked.
fn find_other_times(text: &str, notice: &Value, time_zone: &str) -> Option<String> {
    let [starts_at, ends_at] = ["starts_at", "ends_at"].map(|name| notice[name].as_str()?.parse::<Timestamp>().ok());
    let (starts_at, ends_at) = (starts_at?, ends_at?);
    let length = ends_at.duration_since(starts_at).as_secs() / 60;
    if !(0..MINUTES_OF_DAY).contains(&length) {
        return None;
    }
    let clocks = time_zone::find(time_zone).unwrap_or(TimeZone::UTC);
    let start_on = |zone: &TimeZone| {
        let local = starts_at.to_zoned_datetime(zone.clone());
        i64::from(local.hour()) * 60 + i64::from(local.minute())
    };
    let is_within = |time: i64, start: i64| (time - start).rem_euclid(MINUTES_OF_DAY) <= length;
    let is_other = |span: &ClockSpan| {
        let starts = match span.zone {
            SpanZone::Unknown => return false,
            SpanZone::Utc => vec![start_on(&TimeZone::UTC)],
            SpanZone::None => vec![start_on(&TimeZone::UTC), start_on(&clocks)],
        };
        !starts.iter().any(|start| is_within(span.from, *start) && is_within(span.to, *start))
    };
    let span = spans(text).into_iter().find(is_other)?;
    let [from, to] =
        [starts_at, ends_at].map(|time| time.to_zoned_datetime(clocks.clone()).strftime("%H:%M").to_string());
    Some(format!("the text says {}, but the window is from {from} to {to}", quote(&span.words, QUOTE_MAX)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpanZone {
    None,
    Utc,
    Unknown,
}

/// Two clock times, in minutes after midnight, and the words that say them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClockSpan {
    from: i64,
    to: i64,
    zone: SpanZone,
    words: String,
}

/// `02:00 to 04:00`, `02:00 and 04:00 UTC`, `02:00–04:00`.
fn spans(text: &str) -> Vec<ClockSpan> {
    let spaced = text.replace(['–', '—', '-'], " - ");
    let words: Vec<&str> = spaced.split_whitespace().map(|word| word.trim_matches([',', '.', ';', '(', ')'])).collect();
    let zone_at = |position: usize| match words.get(position) {
        Some(&("UTC" | "GMT" | "Z")) => Some(SpanZone::Utc),
        Some(word) if (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Some(SpanZone::Unknown)
        }
        Some(word) if word.starts_with('+') => Some(SpanZone::Unknown),
        _ => None,
    };
    let span = |position: usize| {
        let from = clock(words[position])?;
        let behind = position + 1 + usize::from(zone_at(position + 1).is_some());
        let joins = ["to", "-", "and", "until", "till"].contains(words.get(behind)?);
        let to = clock(words.get(behind + 1).filter(|_| joins)?)?;
        let last = behind + 1 + usize::from(zone_at(behind + 2).is_some());
        let zone = zone_at(behind + 2).or(zone_at(position + 1)).unwrap_or(SpanZone::None);
        Some(ClockSpan { from, to, zone, words: words[position..=last].join(" ").replace(" - ", "-") })
    };
    (0..words.len()).filter_map(span).collect()
}

/// Minutes after midnight of `02:00` on a clock of 24 hours.
fn clock(word: &str) -> Option<i64> {
    let (hour, minute) = word.split_once(':')?;
    let number = |text: &str, most: i64| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number: &i64| is_number && *number <= most)
    };
    (minute.len() == 2).then_some(())?;
    Some(number(hour, 24)? * 60 + number(minute, 59)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn window() -> Value {
        json!({
            "starts_at": "2030-01-05T01:00:00Z", "ends_at": "2030-01-05T03:00:00Z",
            "admin_url": "https://app.example/9", "lifecycle_stage": { "name": "Scheduled", "position": 1 },
        })
    }

    fn other_times(text: &str) -> Option<String> {
        find_other_times(text, &window(), "Europe/Stockholm")
    }

    #[test]
    fn times_within_the_window_pass_in_the_zone_of_the_page_and_in_utc() {
        for text in [
            "We work from 02:00 to 04:00.",
            "We work from 01:00 to 03:00 UTC.",
            "Between 02:30 and 03:00, logins are slow.",
            "The work starts at 02:00 CET and ends at 04:00 CET.",
            "02:00–04:00, that is 20:00 to 22:00 EST.",
            "From 05:00 to 07:00 +05:00.",
            "Offsets from +5:00 to +7:00.",
            "Next update at 05:30.",
            "Versions 10:1 and 2:3 to 4:5",
            "",
        ] {
            assert_eq!(other_times(text), None, "{text}");
        }
    }

    #[test]
    fn times_that_are_not_in_the_window_are_quoted_beside_it() {
        for (text, quoted) in [
            ("The work is delayed: now 03:00 to 05:00.", "03:00 to 05:00"),
            ("Now 03:00-05:00.", "03:00-05:00"),
            ("Between 02:00 UTC and 04:00 UTC.", "02:00 UTC and 04:00 UTC"),
        ] {
            let says = format!("the text says \"{quoted}\", but the window is from 02:00 to 04:00");
            assert_eq!(other_times(text), Some(says), "{text}");
        }
    }

    #[test]
    fn maintenance_that_becomes_active_before_its_window_is_named_and_one_that_stays_upcoming_is_not() {
        let of_state = |state: &str| {
            let mut maintenance = window();
            maintenance["state"] = json!(state);
            maintenance
        };
        let found = |before: &str, after: &str, now: Now| {
            let effect = WriteEffect::parse(json!({
                "already_exists": false, "target_name": "Move", "components": [], "notifies": true, "recipients": null,
                "page": { "visibility": "public", "time_zone": "UTC" }, "related": [],
                "before": of_state(before), "after": of_state(after),
            }));
            let write =
                Write::new(Operation::AddMaintenanceUpdate { maintenance_id: 9 }, json!({ "message": "On it." }));
            find(&write, &effect.expect("an effect"), now).join(", ")
        };
        let start = Now::from_seconds(1_893_805_200); // 2030-01-05T01:00:00Z
        let early = Now::from_seconds(start.as_seconds() - 86_400);
        let says = "becomes active now, and its window begins only in 24 hours";
        assert!(found("upcoming", "active", early).contains(says));
        assert_eq!(found("upcoming", "upcoming", early), "");
        assert_eq!(found("active", "active", early), "");
        assert_eq!(found("upcoming", "active", start), "");
    }

    #[test]
    fn stage_that_goes_back_is_named_and_one_that_stays_or_advances_is_not() {
        let stage = |name: &str, position: i64| json!({ "lifecycle_stage": { "name": name, "position": position } });
        let (investigating, monitoring) = (stage("Investigating", 1), stage("Monitoring", 3));
        let found = find_step_back(&monitoring, &investigating);
        assert_eq!(found.as_deref(), Some("the stage goes back from \"Monitoring\" to \"Investigating\""));
        assert_eq!(find_step_back(&investigating, &monitoring), None);
        assert_eq!(find_step_back(&monitoring, &monitoring), None);
        assert_eq!(find_step_back(&json!({}), &monitoring), None);
    }

    #[test]
    fn effect_is_needed_for_stages_leaving_components_claims_and_clock_times_only() {
        let incident = |body: Value| needs_effect(&Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, body));
        assert!(incident(json!({ "message": "m", "lifecycle_stage_id": 2 })));
        assert!(incident(json!({ "message": "m", "remove_affected_items": [{ "id": 1 }] })));
        assert!(incident(json!({ "message": "This incident has been resolved." })));
        assert!(!incident(
            json!({ "message": "We watch it from 02:00 to 04:00.", "add_affected_items": [{ "id": 1 }] })
        ));
        let operation = Operation::AddMaintenanceUpdate { maintenance_id: 9 };
        let maintenance = |message: &str| needs_effect(&Write::new(operation, json!({ "message": message })));
        assert!(maintenance("Now 03:00 to 05:00.") && !maintenance("On it."));
    }
}
