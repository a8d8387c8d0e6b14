//! Bodies about incidents and maintenances: lists of compact ones, and one with its updates.

use super::body::{self, JsonObject, ListShape, Listing};
use super::parts;
use crate::catalog::resource::MISSING;
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, List, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use serde_json::{Value, json};

/// Most Beats beside an incident.
const BEATS_MAX: usize = 30;
/// The number of updates that upstream includes in a document.
const UPDATES_LIMIT: usize = 20;

/// A stage, where something is in it.
const STAGE: &[Shown] = &[Plain("id"), Text("name", 100, People)];
/// An item, where something affects it.
pub const AFFECTED: &[Shown] = &[Plain("id"), Text("name", 100, People)];
/// The newest update, in a list.
const LATEST: &[Shown] = &[Text("message", 300, People), Plain("created_at")];

const UPDATE: &[Shown] = &[
    Plain("id"),
    Text("message", 2000, People),
    Object("lifecycle_stage", STAGE),
    Plain("status"),
    Object("author", &[Text("name", 100, People), Plain("source")]),
    Plain("created_at"),
];

/// Fields of a detail beyond those of a list's entry.
const DETAIL: &[Shown] = &[
    Text("description", 4000, People),
    Text("impact", 2000, People),
    Text("affected_items_freetext", 1000, People),
    List(
        "affected_items",
        100,
        &[Plain("id"), Text("name", 100, People), Plain("external_id"), Plain("slug"), Plain("current_status")],
    ),
    Object("author", &[Text("name", 100, People), Plain("source")]),
    Plain("admin_url"),
];

pub const INCIDENT: &[Shown] = &[
    Plain("id"),
    Plain("external_id"),
    Text("title", 200, People),
    Plain("status"),
    Plain("state"),
    Object("lifecycle_stage", STAGE),
    List("affected_items", 20, AFFECTED),
    Text("affected_items_freetext", 200, People),
    Plain("started_at"),
    Plain("acknowledged_at"),
    Plain("resolved_at"),
    Plain("updated_at"),
    Plain("public_url"),
    Plain("admin_url"),
    Object("latest_update", LATEST),
];

/// An incident that is over: no stage and no closing phrase, which say the same for all of them.
const RESOLVED: &[Shown] = &[
    Plain("id"),
    Plain("external_id"),
    Text("title", 200, People),
    Plain("status"),
    List("affected_items", 20, AFFECTED),
    Text("affected_items_freetext", 200, People),
    Plain("started_at"),
    Plain("resolved_at"),
];

const MAINTENANCE: &[Shown] = &[
    Plain("id"),
    Plain("external_id"),
    Text("title", 200, People),
    Plain("state"),
    Object("lifecycle_stage", STAGE),
    List("affected_items", 20, AFFECTED),
    Text("affected_items_freetext", 200, People),
    Plain("starts_at"),
    Plain("ends_at"),
    Plain("completed_at"),
    Plain("cancelled_at"),
    Plain("updated_at"),
    Plain("public_url"),
    Object("latest_update", LATEST),
];

const INCIDENTS: ListShape =
    ListShape { description: "the list of incidents", name: "incidents", fields: INCIDENT, limit: Some(50) };
const RESOLVED_INCIDENTS: ListShape =
    ListShape { description: "the list of incidents", name: "incidents", fields: RESOLVED, limit: Some(50) };
pub const MAINTENANCES: ListShape =
    ListShape { description: "the list of maintenances", name: "maintenances", fields: MAINTENANCE, limit: Some(50) };

/// The open incidents, each with the age of its last update.
pub fn active_incidents(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let mut result = INCIDENTS.render(subject, answers)?;
    for incident in result[INCIDENTS.name].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(minutes) = body::minutes_since_update(subject.now, incident) {
            incident.insert("minutes_since_update".to_owned(), json!(minutes));
        }
    }
    Ok(result)
}

/// The incidents that are over, each with the time it took.
pub fn resolved_incidents(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let mut result = RESOLVED_INCIDENTS.render(subject, answers)?;
    for incident in result[RESOLVED_INCIDENTS.name].as_array_mut().into_iter().flatten() {
        let second = |name: &str| Some(incident[name].as_str()?.parse::<jiff::Timestamp>().ok()?.as_second());
        if let (Some(started), Some(resolved)) = (second("started_at"), second("resolved_at")) {
            incident["duration_minutes"] = json!((resolved - started).max(0) / 60);
        }
    }
    Ok(result)
}

/// One incident with the Beats on its components, whose stages are evidence for what it says.
pub fn incident(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let mut result = INCIDENT_DOCUMENT.render(subject, answers)?;
    let affected = result["incident"].as_object().map(parts::ids).unwrap_or_default();
    match parts::part(subject.parts, "beats") {
        Err(reason) => result[MISSING]["beats_on_components"] = json!(reason),
        Ok(mut beats) => {
            let is_on = |beat: &JsonObject| {
                let ids = beat.get("component_ids").and_then(Value::as_array);
                ids.into_iter().flatten().filter_map(Value::as_i64).any(|id| affected.contains(&id))
            };
            beats.retain(is_on);
            beats.truncate(BEATS_MAX);
            result["beats_on_components"] = parts::show_all(parts::BEAT, &beats).into();
        }
    }
    body::label(&mut result, &[INCIDENT, DETAIL, UPDATE, parts::BEAT]);
    Ok(result)
}

/// One incident or maintenance with its newest updates, which upstream puts into the document.
pub struct Document {
    name: &'static str,
    fields: &'static [Shown],
}

const INCIDENT_DOCUMENT: Document = Document { name: "incident", fields: INCIDENT };
pub const MAINTENANCE_DOCUMENT: Document = Document { name: "maintenance", fields: MAINTENANCE };

impl Document {
    pub fn render(&self, subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
        let [document] = body::answers(answers)?;
        let mut document = body::object(document, self.name)?;
        let minutes = body::minutes_since_update(subject.now, &document);
        let updates = document.remove("updates").unwrap_or_else(|| json!([]));
        let updates = json!({ "items": updates, "total": document.remove("updates_total") });
        let updates = Listing::read(updates, "the updates", Some(UPDATES_LIMIT))?;
        let mut result = json!({ "page": body::page(subject)? });
        result[self.name] = merged(shown::show(self.fields, &document), shown::show(DETAIL, &document));
        if self.name == INCIDENT_DOCUMENT.name {
            result[self.name]["minutes_since_update"] = json!(minutes);
        }
        result["updates"] = json!({});
        updates.cut(subject, UPDATE)?.put("items", &mut result["updates"]);
        body::label(&mut result, &[self.fields, DETAIL, UPDATE]);
        Ok(result)
    }
}

fn merged(mut first: Value, second: Value) -> Value {
    if let (Value::Object(first), Value::Object(second)) = (&mut first, second) {
        first.extend(second);
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Variables;

    #[test]
    fn document_shows_its_updates_apart() {
        let page = json!({ "id": 7, "name": "Acme", "slug": "acme" });
        let subject = Subject {
            variables: &Variables::new(),
            page: Some(&page),
            uri: "x://5",
            parts: &Value::Null,
            now: crate::model::timestamp::Timestamp::from_seconds(0),
        };
        let shown =
            |answer| INCIDENT_DOCUMENT.render(&subject, vec![answer]).expect("the answer has the promised shape");
        let mut result = shown(json!({ "id": 5, "updates": [{ "id": 1 }], "updates_total": 30, "impact": "Some" }));
        assert!(result["updates"].as_object_mut().and_then(|updates| updates.remove("left_out")).is_some());
        let expected = json!({ "id": 5, "impact": "Some", "minutes_since_update": null });
        assert_eq!(result["incident"], expected);
        assert_eq!(result["updates"], json!({ "items": [{ "id": 1 }], "returned": 1, "total": 30, "truncated": true }));
        assert_eq!(shown(json!({ "id": 5 }))["updates"]["total"], json!(0), "an incident without updates");
    }
}
