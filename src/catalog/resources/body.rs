//! What the bodies share: the page in front, objects that must be objects, lists with or without an envelope.

use crate::catalog::{BodyError, Subject};
use serde_json::{Map, Value, json};

/// The answers to a resource's reads, in order; exactly as many as the entry declares.
pub fn answers<const N: usize>(answers: Vec<Value>) -> Result<[Value; N], BodyError> {
    answers.try_into().map_err(|given: Vec<Value>| BodyError(format!("{} of {N} reads answered", given.len())))
}

/// The fields of an answer that must be an object.
pub fn object(answer: Value, what: &str) -> Result<Map<String, Value>, BodyError> {
    match answer {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(BodyError(format!("{what} is not an object")))
        }
    }
}

/// The page that a result is about: its id and its name.
pub fn page(subject: &Subject<'_>) -> Result<Value, BodyError> {
    let page = subject.page.ok_or_else(|| BodyError("a page-bound body without its page".to_owned()))?;
    match (&page["id"], &page["name"]) {
        (Value::Number(id), Value::String(name)) => Ok(json!({ "id": id, "name": name })),
        _ => Err(BodyError("the page has no id or no name".to_owned())),
    }
}

/// A list answer, and how much more there is.
pub struct Listing {
    /// What came.
    pub items: Vec<Value>,
    /// How many there are upstream; unknown if a bare list is as long as was asked for.
    pub total: Option<u64>,
}

impl Listing {
    /// Reads `{"items": […], "total": n}` or a bare list. `limit` is what was asked for, if anything was.
    pub fn read(answer: Value, what: &str, limit: Option<usize>) -> Result<Listing, BodyError> {
        let (items, stated) = match answer {
            Value::Array(items) => (items, None),
            answer => {
                let mut fields = object(answer, what)?;
                let total = fields.get("total").and_then(Value::as_u64);
                (array(fields.remove("items"), what)?, total)
            }
        };
        let full = limit.is_some_and(|limit| items.len() >= limit);
        let returned = items.len() as u64;
        let total = stated.map(|total| total.max(returned)).or((!full).then_some(returned));
        Ok(Listing { items, total })
    }

    /// `returned`, `total` and `truncated`, for the result that shows the list.
    pub fn describe(&self, result: &mut Value) {
        let returned = self.items.len() as u64;
        result["returned"] = json!(returned);
        result["total"] = json!(self.total);
        result["truncated"] = json!(self.total != Some(returned));
    }
}

fn array(items: Option<Value>, what: &str) -> Result<Vec<Value>, BodyError> {
    match items {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(BodyError(format!("{what} has no list of items"))),
    }
}
