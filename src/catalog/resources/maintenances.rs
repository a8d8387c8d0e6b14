//! Bodies about maintenances.

use super::body::{self, ListShape};
use super::timeline::{self, AFFECTED, LATEST, STAGE};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, List, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject};
use serde_json::Value;

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

/// The `limit` in the paths of the lists.
const LIST_LIMIT: usize = 50;

/// A list of compact maintenances.
pub fn list(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [maintenances] = body::answers(answers)?;
    let (what, name) = ("the list of maintenances", "maintenances");
    ListShape { what, name, fields: MAINTENANCE, limit: Some(LIST_LIMIT) }.body(subject, maintenances)
}

/// One maintenance with its newest updates.
pub fn detail(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    timeline::document(subject, answers, "maintenance", MAINTENANCE)
}
