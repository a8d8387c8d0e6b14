//! The `page_id` argument: Hosted MCP speaks of many pages, so every tool takes one. Added and taken out here alone; the
//! tools of the catalog do not know of it.
//!
//! It is not repeated in a header (`x-mcp-header`). What a schema declares there must be insisted on, and a bridge that
//! many people use, mcp-remote 0.15 in its auto mode, passes calls on without such headers: all its writes would fail.

use super::page_names::PageNames;
use crate::catalog::argument::{describe, parse_id};
use crate::features::prompts;
use crate::model::ids::{ID_MAX, PageId};
use crate::upstream::AccessiblePage;
use serde_json::{Map, Value, json};

pub const PAGE_ID: &str = "page_id";
const DESCRIPTION: &str = "Number from statibeat://pages, e.g. 42.";

/// A tool's input schema with the argument in front.
pub fn add_to_schema(mut schema: Value) -> Value {
    let property = json!({ "type": "integer", "description": DESCRIPTION });
    let Some(fields) = schema.as_object_mut() else { return schema };
    let own = fields.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let properties: Map<String, Value> = std::iter::once((PAGE_ID.to_owned(), property)).chain(own).collect();
    let own = fields.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let required: Vec<Value> = std::iter::once(json!(PAGE_ID)).chain(own).collect();
    fields.insert("properties".to_owned(), Value::Object(properties));
    fields.insert("required".to_owned(), Value::Array(required));
    schema
}

/// A page that is missing, or not given by its number.
#[derive(Clone, Debug, PartialEq)]
pub struct PageArgumentError {
    /// `null` if it is missing.
    given: Value,
}

impl PageArgumentError {
    /// The error for what was given in the place of a number.
    pub fn new(given: Value) -> Self {
        Self { given }
    }

    /// The one page whose slug or name was given.
    pub fn find_meant(&self, names: &PageNames) -> Option<PageId> {
        names.find(self.given.as_str()?)
    }

    /// Says what would fit; `names` are the pages that may be named.
    pub fn describe(&self, names: Option<&PageNames>) -> String {
        let came = describe(&self.given);
        let pages = names.map(|names| format!(". {names}")).unwrap_or_default();
        match (&self.given, names.and_then(|names| self.find_meant(names))) {
            (Value::Null, _) => format!("`{PAGE_ID}` is required: the number of a page{pages}"),
            (_, Some(page_id)) => format!("`{PAGE_ID}` must be the number of a page: {page_id} (got {came})"),
            (Value::String(text), None) if !is_number(text) => {
                format!("`{PAGE_ID}` must be the number of a page (got {came}){pages}")
            }
            _ => format!("`{PAGE_ID}` must be a whole number from 1 to {ID_MAX} (got {came}){pages}"),
        }
    }
}

/// The page of that number, slug or name; without one the only page there is. The error says which there are.
pub fn choose_page<'a>(pages: &'a [AccessiblePage], given: Option<&str>) -> Result<&'a AccessiblePage, String> {
    let names = PageNames::new(pages);
    let by_number = given.and_then(prompts::read_id).and_then(PageId::new);
    let page_id = match given {
        _ if by_number.is_some() => by_number,
        Some(name) => names.find(name),
        None => names.only(),
    };
    let page = pages.iter().find(|page| Some(page.id) == page_id);
    page.ok_or_else(|| PageArgumentError::new(json!(given)).describe(Some(&names)))
}

fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// Takes the argument out of a call's arguments.
pub fn take_page_id(arguments: &mut Map<String, Value>) -> Result<PageId, PageArgumentError> {
    let value = arguments.remove(PAGE_ID).unwrap_or_default();
    parse_id(&value).and_then(PageId::new).ok_or_else(|| PageArgumentError::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_page_id_is_required_and_rest_of_schema_is_unchanged() {
        let own = json!({
            "type": "object", "additionalProperties": false, "required": ["title"],
            "properties": { "title": { "type": "string" } },
        });
        let schema = add_to_schema(own);
        assert_eq!(schema["required"], json!(["page_id", "title"]));
        assert_eq!(schema["properties"]["page_id"]["type"], "integer");
        assert_eq!(schema["properties"]["title"], json!({ "type": "string" }));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(add_to_schema(json!({ "type": "object" }))["required"], json!(["page_id"]));
    }

    #[test]
    fn page_id_other_than_positive_integer_is_rejected() {
        let take = |value: Value| {
            let mut arguments = Map::from_iter([(PAGE_ID.to_owned(), value), ("title".to_owned(), json!("t"))]);
            let taken = take_page_id(&mut arguments);
            assert_eq!(arguments.keys().collect::<Vec<_>>(), ["title"]);
            taken
        };
        for good in [json!(42), json!(42.0), json!("42"), json!(" 42 ")] {
            assert_eq!(take(good), Ok(PageId::new(42).expect("an id")));
        }
        for bad in [
            json!("Acme"),
            json!(9_007_199_254_740_992_i64),
            json!(0),
            json!(-1),
            json!(4.5),
            json!([42]),
            json!(u64::MAX),
            Value::Null,
        ] {
            assert!(take(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn missing_page_id_is_reported_as_required() {
        let error = take_page_id(&mut Map::new()).expect_err("nothing to take");
        assert_eq!(error.describe(None), "`page_id` is required: the number of a page");
    }

    #[test]
    fn page_that_is_not_given_by_number_is_answered_with_the_pages() {
        let acme = json!({ "id": 42, "organization_id": 1, "name": "Acme Cloud", "slug": "acme" });
        let names = PageNames::new(&AccessiblePage::parse(&acme).into_iter().collect::<Vec<_>>());
        let listed = r#". Your pages: 42 "Acme Cloud" (slug "acme")"#;
        for (given, expected) in [
            (json!("acme"), "`page_id` must be the number of a page: 42 (got text \"acme\")".to_owned()),
            (json!("ACME cloud"), "`page_id` must be the number of a page: 42 (got text \"ACME cloud\")".to_owned()),
            (json!("other"), format!("`page_id` must be the number of a page (got text \"other\"){listed}")),
            (Value::Null, format!("`page_id` is required: the number of a page{listed}")),
            (
                json!(9_007_199_254_740_992_i64),
                format!(
                    "`page_id` must be a whole number from 1 to 9007199254740991 (got number 9007199254740992){listed}"
                ),
            ),
        ] {
            assert_eq!(PageArgumentError::new(given).describe(Some(&names)), expected);
        }
    }
}
