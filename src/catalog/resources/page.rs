//! Bodies about a page as a whole.

use super::body;
use crate::catalog::{BodyError, Subject};
use serde_json::{Value, json};

/// The page's state at a glance, as upstream shows it.
pub fn summary(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [summary] = body::answers(answers)?;
    let summary = body::object(summary, "the page summary")?;
    Ok(json!({ "page": body::page(subject)?, "summary": summary }))
}
