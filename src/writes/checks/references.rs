//! Statuses and components that a refused write names and the page does not have: which there are instead.
//!
//! Looked for after StatiBeat has refused a write or its preview; what goes well costs no read.

use crate::alternatives::{PageLists, components, entries};
use crate::catalog::Write;
use crate::model::visible::quote;
use futures_util::future::join;
use serde_json::Value;

/// Longest key that is quoted, in characters.
const KEY_MAX: usize = 64;
/// Words that a status is not: what they mean is a stage.
const ENDS: [&str; 4] = ["resolved", "closed", "completed", "cancelled"];

/// Finds the names in a refused write that are not on the page. Lists that this person may not read are left out.
pub async fn find_unknown(lists: &dyn PageLists, write: &Write) -> Vec<String> {
    let items = async {
        let names_items = components::find_named(&write.body).next().is_some();
        if names_items { components::read(lists).await } else { None }
    };
    let statuses = async {
        write.body.get("status")?;
        lists.read("status_definitions", "status-definitions").await
    };
    let (items, statuses) = join(items, statuses).await;
    let items = items.map(|items| components::describe_unknown(&items, &write.body)).unwrap_or_default();
    items.into_iter().chain(statuses.and_then(|statuses| unknown_status(&statuses, write))).collect()
}

/// The fault of a write's status, if none of the page's that may be used has that key.
fn unknown_status(definitions: &Value, write: &Write) -> Option<String> {
    let given = write.body.get("status")?.as_str()?;
    let (archived, usable): (Vec<&Value>, Vec<&Value>) =
        entries(definitions).iter().partition(|status| status["archived"] == true);
    let keys: Vec<&str> = usable.iter().filter_map(|status| status["key"].as_str()).collect();
    if keys.is_empty() || keys.contains(&given) {
        return None;
    }
    let is_named = |status: &&Value| status["key"] == given || status["name"] == given;
    let why = if archived.iter().any(is_named) {
        format!(", because {} is archived", quote(given, KEY_MAX))
    } else if ENDS.contains(&given.to_lowercase().as_str()) {
        format!(", because {} is a stage, which a person sets in StatiBeat", quote(given, KEY_MAX))
    } else {
        String::new()
    };
    let keys = keys.iter().map(|key| quote(key, KEY_MAX)).collect::<Vec<_>>().join(", ");
    Some(format!("`status` must be one of: {keys}{why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Operation;
    use serde_json::json;

    #[test]
    fn unknown_status_is_answered_with_those_that_may_be_used_and_why() {
        let definitions =
            json!({ "items": [{ "key": "operational" }, { "key": "degraded" }, { "key": "old", "archived": true }] });
        let unknown = |body: Value| unknown_status(&definitions, &Write::new(Operation::CreateIncident, body));
        let of = |status: &str| unknown(json!({ "status": status })).unwrap_or_default();
        let usable = "`status` must be one of: \"operational\", \"degraded\"";
        assert_eq!(of("broken"), usable);
        assert_eq!(of("old"), format!("{usable}, because \"old\" is archived"));
        assert!(of("Resolved").contains("is a stage, which a person sets"), "{}", of("Resolved"));
        assert_eq!((of("degraded"), unknown(json!({}))), (String::new(), None));
        let silent = unknown_status(&json!({}), &Write::new(Operation::CreateIncident, json!({ "status": "broken" })));
        assert_eq!(silent, None, "a page that says nothing");
    }
}
