//! What incidents and maintenances have in common: affected items, authors, updates.

use super::body::{self, Listing};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, List, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use serde_json::{Map, Value, json};

/// How many updates upstream puts into a document.
const UPDATES_LIMIT: usize = 20;

/// A stage, where something is in it.
pub const STAGE: &[Shown] = &[Plain("id"), Text("name", 100, People)];
/// An item, where something affects it.
pub const AFFECTED: &[Shown] = &[Plain("id"), Text("name", 100, People)];
/// The newest update, in a list.
pub const LATEST: &[Shown] = &[Text("message", 300, People), Plain("created_at")];

const UPDATE: &[Shown] = &[
    Plain("id"),
    Text("message", 2000, People),
    Object("lifecycle_stage", STAGE),
    Plain("status"),
    Object("author", &[Text("name", 100, People), Plain("source")]),
    Plain("created_at"),
];

/// What a detail shows beyond a list's entry.
pub const DETAIL: &[Shown] = &[
    Text("description", 4000, People),
    Text("impact", 2000, People),
    Text("affected_items_freetext", 1000, People),
    List("affected_items", 100, &[Plain("id"), Text("name", 100, People), Plain("external_id"), Plain("slug")]),
    Object("author", &[Text("name", 100, People), Plain("source")]),
    Plain("admin_url"),
];

/// A document: the entry of `fields` under `name`, its updates apart.
pub fn document(
    subject: &Subject<'_>,
    answers: Vec<Value>,
    name: &str,
    fields: &'static [Shown],
) -> Result<Value, DocumentError> {
    let [document] = body::answers(answers)?;
    let mut document = body::object(document, name)?;
    let updates = document.remove("updates").unwrap_or_else(|| json!([]));
    let updates = json!({ "items": updates, "total": document.remove("updates_total") });
    let updates = Listing::read(updates, "the updates", Some(UPDATES_LIMIT))?;
    let mut result = json!({ "page": body::page(subject)? });
    result[name] = merged(shown::show(fields, &document), shown::show(DETAIL, &document));
    result["updates"] = json!({});
    updates.cut(subject, UPDATE)?.put("items", &mut result["updates"]);
    body::label(&mut result, &[fields, DETAIL, UPDATE]);
    Ok(result)
}

fn merged(first: Value, second: Value) -> Value {
    let fields = [first, second].into_iter().filter_map(|part| match part {
        Value::Object(fields) => Some(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    Value::Object(fields.fold(Map::new(), |mut all, part| {
        all.extend(part);
        all
    }))
}
