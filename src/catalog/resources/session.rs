//! Bodies about the signed-in person: who they are, which pages they can access.

use super::body::{self, Listing};
use crate::catalog::{BodyError, Subject};
use serde_json::{Value, json};

/// The user as upstream shows them.
pub fn me(_: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [user] = body::answers(answers)?;
    body::object(user, "the current user").map(Value::Object)
}

/// The pages, each as upstream shows it.
pub fn pages(_: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [pages] = body::answers(answers)?;
    let listing = Listing::read(pages, "the list of pages", None)?;
    let mut result = json!({});
    listing.describe(&mut result);
    result["pages"] = Value::Array(listing.items);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn check(answer: Value, expected: Result<Value, &str>) {
        let subject = Subject { variables: &BTreeMap::new(), page: None };
        let expected = expected.map_err(|reason| BodyError(reason.to_owned()));
        assert_eq!(pages(&subject, vec![answer]), expected);
    }

    #[test]
    fn pages_may_come_with_or_without_an_envelope() {
        let one = json!({ "id": 1, "name": "Acme", "new_field": true });
        let shown = json!({ "pages": [one], "returned": 1, "total": 1, "truncated": false });
        check(json!({ "items": [one], "total": 1 }), Ok(shown.clone()));
        check(json!([one]), Ok(shown));
        check(json!([]), Ok(json!({ "pages": [], "returned": 0, "total": 0, "truncated": false })));
        check(
            json!({ "items": [one], "total": 9 }),
            Ok(json!({ "pages": [one], "returned": 1, "total": 9, "truncated": true })),
        );
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error() {
        check(json!({ "total": 1 }), Err("the list of pages has no list of items"));
        check(json!({ "items": {} }), Err("the list of pages has no list of items"));
        check(json!("pages"), Err("the list of pages is not an object"));
        check(Value::Null, Err("the list of pages is not an object"));
    }
}
