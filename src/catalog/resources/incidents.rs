//! Bodies about incidents.

use super::body::{self, ListShape};
use super::timeline::{self, AFFECTED, LATEST, STAGE};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, List, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject};
use serde_json::Value;

const INCIDENT: &[Shown] = &[
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
    Object("latest_update", LATEST),
];

/// The `limit` in the paths of the lists.
const LIST_LIMIT: usize = 50;

/// A list of compact incidents.
pub fn list(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [incidents] = body::answers(answers)?;
    let (what, name) = ("the list of incidents", "incidents");
    ListShape { what, name, fields: INCIDENT, limit: Some(LIST_LIMIT) }.body(subject, incidents)
}

/// One incident with its newest updates, which upstream puts into the document.
pub fn detail(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    timeline::document(subject, answers, "incident", INCIDENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Variables;
    use serde_json::json;

    #[test]
    fn a_detail_shows_its_updates_apart() {
        let page = json!({ "id": 7, "name": "Acme", "slug": "acme" });
        let subject = Subject { variables: &Variables::new(), page: Some(&page), uri: "x://5" };
        let shown = |answer| detail(&subject, vec![answer]).expect("the answer has the promised shape");
        let mut result = shown(json!({ "id": 5, "updates": [{ "id": 1 }], "updates_total": 30, "impact": "Some" }));
        assert!(result["updates"].as_object_mut().and_then(|updates| updates.remove("left_out")).is_some());
        assert_eq!(result["incident"], json!({ "id": 5, "impact": "Some" }));
        assert_eq!(result["updates"], json!({ "items": [{ "id": 1 }], "returned": 1, "total": 30, "truncated": true }));
        assert_eq!(shown(json!({ "id": 5 }))["updates"]["total"], json!(0), "an incident without updates");
    }
}
