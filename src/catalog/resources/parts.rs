//! Parts of bodies: answers with a requirement of their own, which a body shows beside its subject or names as missing.

use super::body::{JsonObject, Listing};
use crate::catalog::resource::MISSING;
use crate::catalog::shown;
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Plain, Text};
use serde_json::Value;

/// A Beat in a list about something else.
pub const BEAT: &[Shown] =
    &[Plain("id"), Text("name", 100, People), Plain("current_stage"), Plain("stage_since"), Plain("last_run_at")];

/// The entries of a part, or why there are none.
pub fn part(parts: &Value, name: &str) -> Result<Vec<JsonObject>, String> {
    let answer = &parts[name];
    if let Some(reason) = answer[MISSING].as_str() {
        return Err(reason.to_owned());
    }
    Listing::read(answer.clone(), name, None).map(|listing| listing.items).map_err(|error| error.to_string())
}

pub fn show_all(fields: &[Shown], items: &[JsonObject]) -> Vec<Value> {
    items.iter().map(|item| shown::show(fields, item)).collect()
}

/// Numbers of the components that an incident or action affects.
pub fn ids(incident: &JsonObject) -> Vec<i64> {
    let items = incident.get("affected_items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["id"].as_i64()).collect()
}
