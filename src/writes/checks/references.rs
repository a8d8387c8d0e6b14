//! Names that a write uses and the page does not know: which there are instead, and which was probably meant.
//!
//! Looked for after StatiBeat has refused a write or its preview; what goes well costs no read.

use crate::catalog::Write;
use crate::model::visible::quote;
use crate::upstream::PageClient;
use futures_util::future::join;
use serde_json::Value;
use strsim::damerau_levenshtein;

/// The list of the page's components, relative to the admin root.
pub const ITEMS: &str = "hierarchy/items";
/// The list of the page's statuses, relative to the admin root.
const STATUSES: &str = "status-definitions";

/// Longest name that is compared, in characters: no name is that long.
const COMPARED: usize = 64;

/// Finds the names in a refused write that are not on the page. Lists that this person may not read are left out.
pub async fn unknown(api: &PageClient<'_>, write: &Write) -> Vec<String> {
    let read = async |path: &str, is_named: bool| if is_named { api.get(path).await.ok() } else { None };
    let names_items = named_items(write).next().is_some();
    let (items, statuses) = join(read(ITEMS, names_items), read(STATUSES, write.body.get("status").is_some())).await;
    let items = items.map(|items| unknown_items(&items, write)).unwrap_or_default();
    items.into_iter().chain(statuses.and_then(|statuses| unknown_status(&statuses, write))).collect()
}

/// The status of a write, if none of the page's that may be used has that key.
pub fn unknown_status(definitions: &Value, write: &Write) -> Option<String> {
    let given = write.body.get("status")?.as_str()?;
    let usable = entries(definitions).iter().filter(|status| status["archived"] != true);
    let keys: Vec<&str> = usable.filter_map(|status| status["key"].as_str()).collect();
    if keys.is_empty() || keys.contains(&given) {
        return None;
    }
    Some(format!(
        "`status` must be one of: {}",
        keys.iter().map(|key| quote(key, COMPARED)).collect::<Vec<_>>().join(", ")
    ))
}

/// The components that a write names and the page has not, each with the closest that it has.
pub fn unknown_items(items: &Value, write: &Write) -> Vec<String> {
    let known = entries(items);
    let unknown = named_items(write).filter(|name| !known.iter().any(|item| is_same_item(name, item)));
    unknown.map(|name| format!("no component of this page has {}{}", given(name), closest(name, known))).collect()
}

/// The components that a write names, in any of its arguments.
fn named_items(write: &Write) -> impl Iterator<Item = &Value> {
    let lists = ["affected_items", "add_affected_items", "remove_affected_items"].into_iter();
    lists.filter_map(|name| write.body.get(name)?.as_array()).flatten()
}

/// The entries of a list, in its envelope or bare.
pub fn entries(list: &Value) -> &[Value] {
    list.get("items").unwrap_or(list).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A write names a component by one of three names; an incident lists all of them.
pub fn is_same_item(named: &Value, known: &Value) -> bool {
    ["id", "external_id", "slug"].iter().any(|name| named.get(name).is_some_and(|value| known.get(name) == Some(value)))
}

/// A name as the write gave it.
fn given(name: &Value) -> String {
    let fields = name.as_object().into_iter().flatten();
    let field = |(kind, value): (&String, &Value)| match value.as_str() {
        Some(text) => format!("{kind} {}", quote(text, COMPARED)),
        None => format!("{kind} {value}"),
    };
    fields.map(field).collect::<Vec<_>>().join(", ")
}

/// A hint at what may have been meant; of two that are as close, the one of the same kind of name.
fn closest(name: &Value, known: &[Value]) -> String {
    let given = name.as_object().and_then(|fields| fields.iter().next());
    let Some((kind, wanted)) = given.and_then(|(kind, value)| Some((kind, comparable(value.as_str()?)))) else {
        return String::new();
    };
    let spelled = known.iter().flat_map(|item| {
        ["slug", "external_id", "name"].into_iter().filter_map(|field| Some((field, item[field].as_str()?)))
    });
    let away = |text: &str| damerau_levenshtein(&wanted, &comparable(text));
    match spelled.map(|(field, text)| (away(text), field != kind, text)).min() {
        Some((away, _, text)) if away <= 2 + wanted.chars().count() / 3 => {
            format!("; did you mean {}?", quote(text, COMPARED))
        }
        _ => String::new(),
    }
}

fn comparable(name: &str) -> String {
    name.to_lowercase().chars().take(COMPARED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Operation;
    use serde_json::json;

    fn write(body: Value) -> Write {
        Write::new(Operation::CreateIncident, body)
    }

    #[test]
    fn a_misspelled_component_is_answered_with_the_closest() {
        let items =
            json!({ "items": [{ "id": 1, "slug": "public-api", "external_id": "api-gateway", "name": "Public API" }] });
        for (named, answer) in [
            (
                json!({ "slug": "publc-api" }),
                "no component of this page has slug \"publc-api\"; did you mean \"public-api\"?",
            ),
            (
                json!({ "external_id": "api-gatway" }),
                "no component of this page has external_id \"api-gatway\"; did you mean \"api-gateway\"?",
            ),
            (json!({ "slug": "billing" }), "no component of this page has slug \"billing\""),
            (json!({ "id": 4 }), "no component of this page has id 4"),
        ] {
            assert_eq!(unknown_items(&items, &write(json!({ "affected_items": [named] }))), [answer]);
        }
        assert!(unknown_items(&items, &write(json!({ "affected_items": [{ "slug": "public-api" }] }))).is_empty());
    }

    #[test]
    fn an_unknown_status_is_answered_with_those_that_may_be_used() {
        let definitions =
            json!({ "items": [{ "key": "operational" }, { "key": "degraded" }, { "key": "old", "archived": true }] });
        let unknown = |status: &str| unknown_status(&definitions, &write(json!({ "status": status })));
        assert_eq!(unknown("broken").as_deref(), Some("`status` must be one of: \"operational\", \"degraded\""));
        assert_eq!(unknown("old"), unknown("broken"));
        assert_eq!((unknown("degraded"), unknown_status(&definitions, &write(json!({})))), (None, None));
        assert_eq!(unknown_status(&json!({}), &write(json!({ "status": "broken" }))), None, "a page that says nothing");
    }
}
