//! Statuses and stages that a call gives by their exact names, as pages show them, or by a key in capitals, instead of by key and id.
//!
//! Looked up before the write is fingerprinted, so that a retry is the same write however it spells them. A call that gives
//! keys and ids reads nothing.

use crate::alternatives::{PageLists, entries};
use crate::catalog::{Write, find_resource};
use crate::model::operation::Operation;
use crate::model::visible::quote;
use serde_json::Value;

const STATUS: &str = "status";
const STAGE: &str = "lifecycle_stage_id";
/// Longest name that is quoted, in characters.
const NAME_MAX: usize = 60;

/// Replaces the names in a write by keys and ids, as far as the caller may read what they mean. Returns the fault of a stage that has
/// none of the page's names.
pub async fn resolve(lists: &dyn PageLists, write: &mut Write) -> Option<String> {
    let needed: Vec<&str> = find_needed(write).collect();
    let mut stages = None;
    for resource in needed {
        let path = find_resource(resource).and_then(|entry| Some(entry.reads.first()?.path));
        let Some(list) = lists.read(resource, path.unwrap_or_default()).await else { continue };
        replace(resource, &list, write);
        stages = Some(list).filter(|_| resource != "status_definitions");
    }
    find_problem(write, stages.as_ref())
}

/// The resources that tell what the names of a write mean.
fn find_needed(write: &Write) -> impl Iterator<Item = &'static str> {
    let text = |field: &str| write.body.get(field).and_then(Value::as_str);
    let stages = match write.operation {
        Operation::AddMaintenanceUpdate { .. } => "maintenance_lifecycle_stages",
        _ => "lifecycle_stages",
    };
    let status = text(STATUS).filter(|text| !is_key(text)).map(|_| "status_definitions");
    status.into_iter().chain(text(STAGE).map(|_| stages))
}

/// Replaces the names of a write that a list resolves. A status that is in no list is left for StatiBeat to refuse.
fn replace(resource: &str, list: &Value, write: &mut Write) {
    let (field, value) = if resource == "status_definitions" { (STATUS, "key") } else { (STAGE, "id") };
    let Some(name) = write.body.get(field).and_then(Value::as_str) else { return };
    let mut found = entries(list).iter().filter(|entry| entry["archived"] != true && is_named(entry, name));
    if let (Some(entry), None) = (found.next(), found.next()) {
        write.body[field] = entry[value].clone();
    }
}

/// Describes the fault of a stage that is still given by a name; `stages` is the list, where it could be read.
fn find_problem(write: &Write, stages: Option<&Value>) -> Option<String> {
    let name = quote(write.body.get(STAGE)?.as_str()?, NAME_MAX);
    let stages = stages.map(entries).unwrap_or_default().iter();
    let known: Vec<String> = stages
        .map(|stage| format!("{} ({})", stage["id"], quote(stage["name"].as_str().unwrap_or_default(), NAME_MAX)))
        .collect();
    let known = if known.is_empty() { String::new() } else { format!("; the page has: {}", known.join(", ")) };
    Some(format!("`{STAGE}` must be the number of a stage (got text {name}){known}"))
}

fn is_named(entry: &Value, name: &str) -> bool {
    let mut known = ["name", "key"].into_iter().filter_map(|field| entry[field].as_str());
    known.any(|known| known.trim().to_lowercase() == name.trim().to_lowercase())
}

/// Keys have no capitals and no blanks.
fn is_key(text: &str) -> bool {
    !text.chars().any(|character| character.is_uppercase() || character.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn update(body: Value) -> Write {
        Write::new(Operation::AddIncidentUpdate { incident_id: 9 }, body)
    }

    #[test]
    fn keys_and_ids_need_no_list() {
        let needed = |body| find_needed(&update(body)).collect::<Vec<_>>();
        assert!(needed(json!({ "status": "partial_outage", "lifecycle_stage_id": 2 })).is_empty());
        let names = json!({ "status": "Partial outage", "lifecycle_stage_id": "Identified" });
        assert_eq!(needed(names), ["status_definitions", "lifecycle_stages"]);
    }

    #[test]
    fn exact_names_are_replaced_and_others_stay() {
        let statuses = json!({ "items": [
            { "key": "down", "name": "Major outage" }, { "key": "old", "name": "Gone", "archived": true },
        ] });
        let stages = json!([{ "id": 2, "name": "Identified" }]);
        for (status, stage, expected) in [
            ("major Outage", "identified", json!({ "status": "down", "lifecycle_stage_id": 2 })),
            ("DOWN", " Identified", json!({ "status": "down", "lifecycle_stage_id": 2 })),
            ("Gone", " ", json!({ "status": "Gone", "lifecycle_stage_id": " " })),
            ("Gone", "Identify", json!({ "status": "Gone", "lifecycle_stage_id": "Identify" })),
        ] {
            let mut write = update(json!({ "status": status, "lifecycle_stage_id": stage }));
            replace("status_definitions", &statuses, &mut write);
            replace("lifecycle_stages", &stages, &mut write);
            assert_eq!(write.body, expected);
        }
        let problem = find_problem(&update(json!({ "lifecycle_stage_id": "Identify" })), Some(&stages));
        let words = "`lifecycle_stage_id` must be the number of a stage (got text \"Identify\"); the page has: 2 (\"Identified\")";
        assert_eq!(problem.as_deref(), Some(words));
        assert_eq!(find_problem(&update(json!({ "lifecycle_stage_id": 2 })), None), None);
    }
}
