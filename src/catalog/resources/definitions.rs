//! Bodies about a page's vocabularies: statuses, and the stages of incidents and maintenances.

use super::body::{self, ListShape};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Plain, Text};
use crate::catalog::{DocumentError, Subject};
use serde_json::Value;

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
pub fn statuses(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [statuses] = body::answers(answers)?;
    let shape =
        ListShape { what: "the list of status definitions", name: "status_definitions", fields: STATUS, limit: None };
    shape.body(subject, statuses)
}

pub fn stages(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [stages] = body::answers(answers)?;
    ListShape { what: "the list of stages", name: "lifecycle_stages", fields: STAGE, limit: None }.body(subject, stages)
}

pub fn maintenance_stages(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [stages] = body::answers(answers)?;
    let name = "maintenance_lifecycle_stages";
    ListShape { what: "the list of stages", name, fields: STAGE, limit: None }.body(subject, stages)
}
