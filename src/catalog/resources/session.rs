//! Bodies about the signed-in person: who they are, which pages they can access.

use super::body::{self, Listing};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use crate::model::scope::PagePermission;
use serde_json::{Map, Value, json};

const USER: &[Shown] = &[Plain("id"), Text("name", 200, People), Plain("email"), Plain("locale"), Plain("time_zone")];

const PAGE: &[Shown] = &[
    Plain("id"),
    Text("name", 200, People),
    Plain("slug"),
    Plain("public_url"),
    Plain("time_zone"),
    Plain("visibility"),
    Text("organization_name", 200, People),
    Plain("role_key"),
    Plain("permissions"),
];

/// The user as upstream shows them.
pub fn me(_: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [user] = body::answers(answers)?;
    let mut result = shown::show(USER, &body::object(user, "the current user")?);
    body::label(&mut result, &[USER]);
    Ok(result)
}

/// The pages that the person may read. One that they may not read is not there.
pub fn pages(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [pages] = body::answers(answers)?;
    let mut listing = Listing::read(pages, "the list of pages", None)?;
    let hidden = listing.items.extract_if(.., |page| !is_visible(page)).count() as u64;
    listing.total = listing.total.map(|total| total.saturating_sub(hidden));
    let mut result = json!({});
    listing.cut(subject, PAGE)?.put("pages", &mut result);
    body::label(&mut result, &[PAGE]);
    Ok(result)
}

pub fn is_visible(page: &Map<String, Value>) -> bool {
    let permissions = page.get("permissions").and_then(Value::as_array);
    permissions.is_some_and(|permissions| permissions.iter().any(|key| key == PagePermission::PageRead.key()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Variables;

    fn shown(answer: Value) -> Result<Value, DocumentError> {
        pages(
            &Subject {
                variables: &Variables::new(),
                page: None,
                uri: "x://pages",
                parts: &Value::Null,
                now: crate::model::timestamp::Timestamp::from_seconds(0),
            },
            vec![answer],
        )
    }

    #[test]
    fn pages_may_come_with_or_without_an_envelope() {
        let one = json!({ "id": 1, "name": "Acme", "permissions": ["page.read"] });
        for answer in [json!({ "items": [one], "total": 1 }), json!([one])] {
            let shown = shown(answer).expect("a body");
            assert_eq!((&shown["pages"][0], &shown["total"], &shown["truncated"]), (&one, &json!(1), &json!(false)));
        }
        assert_eq!(shown(json!([])).expect("a body")["pages"], json!([]));
    }

    #[test]
    fn a_page_that_cannot_be_read_is_not_there() {
        let hidden = json!({ "id": 2, "name": "Secret", "permissions": ["incidents.read"] });
        let shown = shown(json!({ "items": [hidden, { "id": 3, "name": "None" }], "total": 2 })).expect("a body");
        assert_eq!((&shown["pages"], &shown["total"], &shown["truncated"]), (&json!([]), &json!(0), &json!(false)));
    }
}
