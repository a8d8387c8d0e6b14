//! Arguments of a tool: one type gives the schema that a client sees, the check against it, and the parser.
//!
//! Schemas stay flat: no `$ref`, no combinators, no nullable types; that is what models handle well. The check covers
//! the keywords that such schemas use, and says everything that is wrong at once, so that a model can mend it in one
//! step. An explicit `null` counts as left out.

use super::tool::ArgumentError;
use crate::model::visible;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Longest text of a property that names no bound.
const KEY_MAX: u64 = 256;
/// Longest list of a property that names no bound.
const ITEMS_MAX: u64 = 100;

/// The schema of an argument type.
pub fn input_schema<T: JsonSchema>() -> Value {
    let mut schema = whole_schema::<T>();
    flatten(&mut schema);
    schema
}

/// The schema as the type makes it, in one piece.
fn whole_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
        root.remove("description");
    }
    drop_remarks(&mut schema);
    schema
}

/// The schemas that calls are checked against, each generated once: as many as there are tools.
fn kept_schema<T: JsonSchema + 'static>() -> Rc<Value> {
    thread_local!(static SCHEMAS: RefCell<HashMap<TypeId, Rc<Value>>> = RefCell::default());
    SCHEMAS.with_borrow_mut(|schemas| {
        schemas.entry(TypeId::of::<T>()).or_insert_with(|| Rc::new(input_schema::<T>())).clone()
    })
}

/// Reads arguments that conform to the schema of their type.
pub fn parse<T: JsonSchema + DeserializeOwned + 'static>(mut arguments: Value) -> Result<T, ArgumentError> {
    drop_nulls(&mut arguments);
    check(&kept_schema::<T>(), &arguments)?;
    serde_json::from_value(arguments).map_err(|error| ArgumentError(error.to_string()))
}

/// Compares a value with a schema of our kind; the error names every field that does not fit, and what would.
pub fn check(schema: &Value, value: &Value) -> Result<(), ArgumentError> {
    let mut problems = Vec::new();
    check_value(schema, value, "", &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(ArgumentError(problems.join("; "))) }
}

fn check_value(schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    match (schema["type"].as_str(), value) {
        (Some("object"), Value::Object(fields)) => check_object(schema, fields, at, problems),
        (Some("array"), Value::Array(items)) => check_array(schema, items, at, problems),
        (Some("string"), Value::String(text)) => check_string(schema, text, at, problems),
        (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {
            // Every number that tools take is an id.
            let minimum = schema["minimum"].as_i64().unwrap_or(1);
            if number.as_i64().is_none_or(|number| number < minimum) {
                problems.push(format!("{} must be an integer of at least {minimum}", named(at)));
            }
        }
        (Some("boolean"), Value::Bool(_)) => {}
        (Some(wanted), _) => problems.push(format!("{} must be of type {wanted}", named(at))),
        (None, _) => problems.push(format!("{} cannot be checked", named(at))),
    }
}

fn check_object(schema: &Value, fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let allowed = || properties.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(required) {
            problems.push(format!("{} is required", named(&inside(at, required))));
        }
    }
    for (name, value) in fields {
        match properties.get(name) {
            Some(property) => check_value(property, value, &inside(at, name), problems),
            None => problems.push(format!("{} is not known; allowed: {}", named(&inside(at, name)), allowed())),
        }
    }
    // Nothing in our schemas has properties of which none may be there.
    if schema["maxProperties"] == 1 && fields.len() != 1 {
        problems.push(format!("{} must have exactly one of: {}", named(at), allowed()));
    }
}

fn check_array(schema: &Value, items: &[Value], at: &str, problems: &mut Vec<String>) {
    let count = items.len() as u64;
    let most = schema["maxItems"].as_u64().unwrap_or(ITEMS_MAX);
    if count > most {
        problems.push(format!("{} may have at most {most} entries, not {count}", named(at)));
        return;
    }
    for (index, item) in items.iter().enumerate() {
        check_value(&schema["items"], item, &format!("{at}[{index}]"), problems);
    }
}

fn check_string(schema: &Value, text: &str, at: &str, problems: &mut Vec<String>) {
    let length = text.chars().count() as u64;
    if text.trim().is_empty() {
        problems.push(format!("{} must not be blank", named(at)));
    }
    // A text without a bound of its own is a key or a time.
    let most = schema["maxLength"].as_u64().unwrap_or(KEY_MAX);
    if length > most {
        problems.push(format!("{} may have at most {most} characters, not {length}", named(at)));
    }
}

fn inside(at: &str, name: &str) -> String {
    // A grave accent would end the name in the message.
    let name = visible::line(name, 64).replace('`', "'");
    if at.is_empty() { name } else { format!("{at}.{name}") }
}

fn named(at: &str) -> String {
    if at.is_empty() { "the arguments".to_owned() } else { format!("`{at}`") }
}

/// For a type whose doc comment is for us and not for clients.
pub fn drop_description(schema: &mut schemars::Schema) {
    schema.remove("description");
}

/// `["string", "null"]` becomes `"string"`: the field may simply be left out.
fn flatten(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    subschemas(schema).for_each(flatten);
}

/// `format: int64` and the like say nothing to a client, nor does which fields we send on.
fn drop_remarks(schema: &mut Value) {
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("format");
        fields.remove("writeOnly");
        fields.retain(|name, value| name != "default" || !value.is_null());
    }
    subschemas(schema).for_each(drop_remarks);
}

fn subschemas(schema: &mut Value) -> impl Iterator<Item = &mut Value> {
    let fields = schema.as_object_mut().into_iter().flat_map(Map::iter_mut);
    fields.flat_map(|(name, value)| match (name.as_str(), value) {
        ("properties", Value::Object(properties)) => properties.values_mut().collect::<Vec<_>>(),
        ("items", items) => vec![items],
        _ => vec![],
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
