//! The `page_id` argument: Hosted MCP speaks of many pages, so every tool takes one. Added and taken out here alone; the
//! tools of the catalog do not know of it.
//!
//! It is not repeated in a header (`x-mcp-header`). What a schema declares there must be insisted on, and a bridge that
//! many people use, mcp-remote 0.15 in its auto mode, passes calls on without such headers: all its writes would fail.

use crate::catalog::argument::{describe, parse_id};
use crate::model::ids::PageId;
use serde_json::{Map, Value, json};

pub const NAME: &str = "page_id";
const DESCRIPTION: &str = "Number from statibeat://pages, e.g. 42. Not the name or slug.";

/// A tool's input schema with the argument in front.
pub fn added_to(mut schema: Value) -> Value {
    let property = json!({ "type": "integer", "minimum": 1, "description": DESCRIPTION });
    let Some(fields) = schema.as_object_mut() else { return schema };
    let own = fields.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let properties: Map<String, Value> = std::iter::once((NAME.to_owned(), property)).chain(own).collect();
    let own = fields.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let required: Vec<Value> = std::iter::once(json!(NAME)).chain(own).collect();
    fields.insert("properties".to_owned(), Value::Object(properties));
    fields.insert("required".to_owned(), Value::Array(required));
    schema
}

/// Takes the argument out of a call's arguments; the error says what would fit.
pub fn take(arguments: &mut Map<String, Value>) -> Result<PageId, String> {
    let value = arguments.remove(NAME).filter(|value| !value.is_null());
    let value = value.ok_or_else(|| format!("`{NAME}` is required: the id of a page, from statibeat://pages"))?;
    let problem =
        || format!("`{NAME}` must be the number of a page, from statibeat://pages (got {})", describe(&value));
    parse_id(&value).map(PageId).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_is_added_as_required_and_nothing_else_changes() {
        let own = json!({
            "type": "object", "additionalProperties": false, "required": ["title"],
            "properties": { "title": { "type": "string" } },
        });
        let schema = added_to(own);
        assert_eq!(schema["required"], json!(["page_id", "title"]));
        assert_eq!(schema["properties"]["page_id"]["type"], "integer");
        assert_eq!(schema["properties"]["title"], json!({ "type": "string" }));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(added_to(json!({ "type": "object" }))["required"], json!(["page_id"]));
    }

    #[test]
    fn only_a_positive_whole_number_is_taken() {
        let take = |value: Value| {
            let mut arguments = Map::from_iter([(NAME.to_owned(), value), ("title".to_owned(), json!("t"))]);
            let taken = take(&mut arguments);
            assert_eq!(arguments.keys().collect::<Vec<_>>(), ["title"]);
            taken
        };
        for good in [json!(42), json!(42.0), json!("42"), json!(" 42 ")] {
            assert_eq!(take(good), Ok(PageId(42)));
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
    fn a_missing_argument_is_said_to_be_required() {
        let error = take(&mut Map::new()).expect_err("nothing to take");
        assert!(error.contains("required") && error.contains("statibeat://pages"), "{error}");
    }
}
