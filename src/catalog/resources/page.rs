//! Bodies about a page as a whole: its state at a glance, its numbers, its statuses and stages.

use super::body::{self, ListShape};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Counts, CountsByKey, Object, Plain, Text};
use crate::catalog::{ArgumentError, DocumentError, Subject, Variables, shown};
use serde_json::{Value, json};

const SUMMARY: &[Shown] = &[
    Plain("slug"),
    Plain("public_url"),
    Plain("time_zone"),
    Plain("visibility"),
    Object("overall_status", &[Plain("key"), Text("name", 100, People), Plain("operational")]),
    Counts("counts"),
    Plain("updated_at"),
];

const ANALYTICS: &[Shown] = &[
    Plain("window_days"),
    Plain("from"),
    Plain("to"),
    Plain("day_time_zone"),
    Counts("traffic"),
    Counts("subscribers"),
    Counts("activity"),
    Object(
        "delivery",
        &[
            Plain("notification_events"),
            Plain("subscribers_notified"),
            Plain("attempts"),
            Plain("successes"),
            Plain("failures"),
            Plain("suppressions"),
            Plain("retries"),
            CountsByKey("channels"),
        ],
    ),
];

/// The numbers of a day, in the order of the columns.
const DAY: [&str; 9] = [
    "date",
    "page_views",
    "estimated_unique_visitors",
    "subscribers_new",
    "subscribers_unsubscribed",
    "incidents_created",
    "incidents_resolved",
    "delivery_attempts",
    "delivery_failures",
];

/// Meanings of the figures that are easily taken for others.
const MEANINGS: [(&str, &str); 9] = [
    ("activity", "counts of this window, except active_*: as of now"),
    ("attempts", "messages that were tried to deliver: one for each subscriber, channel and update"),
    ("daily", "days begin at midnight in day_time_zone; the last one is today and not over"),
    ("deliverable", "subscribers that can get messages as of now"),
    ("estimated_unique_visitors", "different visitors of that one day"),
    ("notification_events", "posts that subscribers were notified of"),
    ("subscribers_notified", "different subscribers with at least one message in this window"),
    (
        "sum_of_daily_visitors",
        "sum over days: who came on three days counts three times, so not the visitors of the window",
    ),
    ("suppressions", "messages withheld, for instance to an address that bounced"),
];

/// The longest window, in days.
const WINDOW_MAX: u8 = 90;

const STATUS: &[Shown] = &[
    Plain("key"),
    Text("name", 100, People),
    Text("description", 500, People),
    Plain("operational"),
    Plain("archived"),
    Plain("position"),
];

const STAGE: &[Shown] = &[Plain("id"), Text("name", 100, People), Text("description", 500, People), Plain("position")];

/// The statuses by which an incident can mark what it affects.
const STATUS_DEFINITIONS: ListShape = ListShape {
    description: "the list of status definitions",
    name: "status_definitions",
    fields: STATUS,
    limit: None,
};
const LIFECYCLE_STAGES: ListShape =
    ListShape { description: "the list of stages", name: "lifecycle_stages", fields: STAGE, limit: None };
const MAINTENANCE_STAGES: ListShape =
    ListShape { description: "the list of stages", name: "maintenance_lifecycle_stages", fields: STAGE, limit: None };

/// The statuses, with those that a tool cannot set marked.
pub fn status_definitions(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let mut result = STATUS_DEFINITIONS.render(subject, answers)?;
    for status in result[STATUS_DEFINITIONS.name].as_array_mut().into_iter().flatten() {
        if status["archived"] == true {
            status["settable"] = json!(false);
        }
    }
    Ok(result)
}

/// The stages of an incident; only a person sets the last one, which means resolved.
pub fn lifecycle_stages(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    Ok(mark_last(LIFECYCLE_STAGES.render(subject, answers)?, LIFECYCLE_STAGES.name, 1))
}

/// The stages of a maintenance; only a person sets the last two, which mean completed and cancelled.
pub fn maintenance_stages(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    Ok(mark_last(MAINTENANCE_STAGES.render(subject, answers)?, MAINTENANCE_STAGES.name, 2))
}

fn mark_last(mut result: Value, name: &str, count: usize) -> Value {
    let mut stages: Vec<&mut Value> = result[name].as_array_mut().into_iter().flatten().collect();
    stages.sort_by_key(|stage| stage["position"].as_i64().unwrap_or(i64::MAX));
    for stage in stages.into_iter().rev().take(count) {
        stage["settable"] = json!(false);
    }
    result
}

/// The page's state at a glance.
pub fn summary(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [summary] = body::answers(answers)?;
    let summary = body::object(summary, "the page summary")?;
    let mut result = json!({ "page": body::page(subject)?, "summary": shown::show(SUMMARY, &summary) });
    body::label(&mut result, &[SUMMARY]);
    Ok(result)
}

/// Totals of a window of days, and the days as rows under common column names, which is a third of the length.
pub fn analytics(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [summary] = body::answers(answers)?;
    let summary = body::object(summary, "the analytics summary")?;
    let days = summary.get("daily").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<Value> = days.iter().map(day).collect();
    let mut result = json!({ "page": body::page(subject)?, "analytics": shown::show(ANALYTICS, &summary) });
    rename_visitors(result["analytics"].get_mut("traffic"));
    result["meanings"] = MEANINGS.iter().map(|(figure, meaning)| ((*figure).to_owned(), json!(meaning))).collect();
    result["daily"] = json!({ "columns": DAY, "rows": rows });
    body::label(&mut result, &[]);
    Ok(result)
}

/// A sum over days counts a visitor once for each day, so its name must not promise visitors of the window.
fn rename_visitors(traffic: Option<&mut Value>) {
    if let Some(fields) = traffic.and_then(Value::as_object_mut)
        && let Some(sum) = fields.remove("estimated_unique_visitors")
    {
        fields.insert("sum_of_daily_visitors".to_owned(), sum);
    }
}

fn day(given: &Value) -> Value {
    let cell = |name: &str| match &given[name] {
        number @ Value::Number(_) => number.clone(),
        Value::String(date) if date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-') => json!(date),
        _ => Value::Null,
    };
    DAY.map(cell).to_vec().into()
}

/// Checks whether the window, if one is named, is one that StatiBeat computes. Refused rather than clamped: a model that asked
/// for a year must not take a quarter for one.
pub fn check_window(variables: &Variables) -> Result<(), ArgumentError> {
    let Some(given) = variables.get("window_days") else { return Ok(()) };
    let days = given.parse::<u8>().ok().filter(|days| days.to_string() == *given);
    match days {
        Some(1..=WINDOW_MAX) => Ok(()),
        _ => Err(ArgumentError(format!("window_days must be a whole number from 1 to {WINDOW_MAX}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_one_to_ninety_days() {
        let check = |days: &str| check_window(&[("window_days".to_owned(), days.to_owned())].into()).is_ok();
        assert!(check_window(&Variables::new()).is_ok() && check("1") && check("90"));
        for bad in ["0", "91", "-1", "07", "7.0", "seven", "", "1e1", "300"] {
            assert!(!check(bad), "{bad}");
        }
    }

    #[test]
    fn days_become_rows_of_numbers() {
        let page = json!({ "id": 7, "name": "Acme" });
        let subject = Subject {
            variables: &Variables::new(),
            page: Some(&page),
            uri: "x://a",
            parts: &Value::Null,
            now: crate::model::timestamp::Timestamp::from_seconds(0),
        };
        let answer =
            json!({ "window_days": 1, "note": "x", "daily": [{ "date": "2026-01-02", "page_views": 3, "x": "y" }] });
        let shown = analytics(&subject, vec![answer]).expect("a body");
        assert_eq!(shown["analytics"], json!({ "window_days": 1 }));
        let row = json!(["2026-01-02", 3, null, null, null, null, null, null, null]);
        assert_eq!(shown["daily"]["rows"], json!([row]));
    }
}
