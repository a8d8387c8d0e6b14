//! Bodies about incidents.

use super::body::{self, Listing};
use crate::catalog::{BodyError, Subject};
use serde_json::{Value, json};

/// The `limit` in the paths of the lists.
const LIST_LIMIT: usize = 50;

/// A list of compact incidents.
pub fn list(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [incidents] = body::answers(answers)?;
    let listing = Listing::read(incidents, "the list of incidents", Some(LIST_LIMIT))?;
    let mut result = json!({ "page": body::page(subject)? });
    listing.describe(&mut result);
    result["incidents"] = Value::Array(listing.items);
    Ok(result)
}

/// One incident with its newest updates, which upstream puts into the document.
pub fn detail(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [incident] = body::answers(answers)?;
    let mut incident = body::object(incident, "the incident")?;
    let updates = incident.remove("updates").unwrap_or_else(|| json!([]));
    let updates = json!({ "items": updates, "total": incident.remove("updates_total") });
    let updates = Listing::read(updates, "the incident's updates", Some(UPDATES_LIMIT))?;
    let mut shown = json!({});
    updates.describe(&mut shown);
    shown["items"] = Value::Array(updates.items);
    Ok(json!({ "page": body::page(subject)?, "incident": incident, "updates": shown }))
}

/// How many updates upstream puts into a document.
const UPDATES_LIMIT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Variables;

    fn on_acme(body: fn(&Subject<'_>, Vec<Value>) -> Result<Value, BodyError>, answer: Value) -> Value {
        let page = json!({ "id": 7, "name": "Acme", "slug": "acme" });
        let subject = Subject { variables: &Variables::new(), page: Some(&page) };
        body(&subject, vec![answer]).expect("the answer has the promised shape")
    }

    #[test]
    fn a_list_names_its_page_and_says_when_it_was_cut() {
        let one = json!({ "id": 1, "title": "Slow", "unknown": [1] });
        let shown = on_acme(list, json!({ "items": [one], "total": 73 }));
        let expected = json!({
            "page": { "id": 7, "name": "Acme" }, "incidents": [one], "returned": 1, "total": 73, "truncated": true,
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_bare_list_as_long_as_was_asked_for_may_have_been_cut() {
        let shown = on_acme(list, json!(vec![1; 50]));
        assert_eq!((&shown["total"], &shown["truncated"]), (&Value::Null, &json!(true)));
        let shown = on_acme(list, json!(vec![1; 49]));
        assert_eq!((&shown["total"], &shown["truncated"]), (&json!(49), &json!(false)));
    }

    #[test]
    fn a_detail_shows_its_updates_apart() {
        let shown = on_acme(detail, json!({ "id": 5, "updates": [{ "id": 1 }], "updates_total": 30 }));
        let expected = json!({
            "page": { "id": 7, "name": "Acme" },
            "incident": { "id": 5 },
            "updates": { "items": [{ "id": 1 }], "returned": 1, "total": 30, "truncated": true },
        });
        assert_eq!(shown, expected);
        let shown = on_acme(detail, json!({ "id": 5 }));
        assert_eq!(shown["updates"]["total"], json!(0), "an incident without updates");
    }
}
