//! Arguments of a tool: a table gives the schema that a client sees and the check against it.
//!
//! Schemas stay flat: no `$ref`, no combinators, no nullable types; that is what models handle well. The check names everything
//! that is wrong at once, so that a model can correct it in one step. An explicit `null` counts as left out.

use crate::model::visible;
use serde_json::{Map, Value, json};

/// Longest key, time or address, in characters. Schemas do not state it: a model pays for every word of the list.
const KEY_MAX: u64 = 256;
/// Longest list, in entries and for all tools.
const ITEMS_MAX: u64 = 100;

#[derive(Clone, Copy)]
pub struct Argument {
    pub name: &'static str,
    pub kind: ArgumentKind,
    /// Shown in the schema unless it is empty.
    pub description: &'static str,
    pub is_required: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Id of what the operation changes or adds to: part of the path, not of the body.
    Target,
    Id,
    /// The id of a lifecycle stage.
    Stage,
    /// A text without a stated bound: a key, a time, an address.
    Key,
    /// A time in RFC 3339, with its offset from UTC.
    Time,
    /// Free text, at most so many characters.
    Text(u64),
    /// Items of the hierarchy; `states_limit`: the schema says how many.
    AffectedItems {
        states_limit: bool,
    },
}

/// The arguments do not fit; the text tells a model how to correct them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArgumentError(pub String);

/// An affected item is named by exactly one of these. No descriptions and bounds: the names speak, and StatiBeat knows the items.
const AFFECTED_ITEM: &[Argument] = &[
    optional("id", ArgumentKind::Id, ""),
    optional("external_id", ArgumentKind::Key, ""),
    optional("slug", ArgumentKind::Key, ""),
];

pub const fn required(name: &'static str, kind: ArgumentKind, description: &'static str) -> Argument {
    Argument { name, kind, description, is_required: true }
}

pub const fn optional(name: &'static str, kind: ArgumentKind, description: &'static str) -> Argument {
    Argument { name, kind, description, is_required: false }
}

impl ArgumentKind {
    const fn json_type(self) -> &'static str {
        match self {
            Self::Target | Self::Id | Self::Stage => "integer",
            Self::Key | Self::Time | Self::Text(_) => "string",
            Self::AffectedItems { .. } => "array",
        }
    }
}

/// JSON Schema (2020-12) of an object with these properties.
pub fn schema(arguments: &[Argument]) -> Value {
    let properties: Map<String, Value> =
        arguments.iter().map(|argument| (argument.name.to_owned(), argument.schema())).collect();
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    let required: Vec<&str> =
        arguments.iter().filter(|argument| argument.is_required).map(|argument| argument.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

impl Argument {
    fn schema(&self) -> Value {
        let mut schema = json!({ "type": self.kind.json_type() });
        if !self.description.is_empty() {
            schema["description"] = json!(self.description);
        }
        match self.kind {
            ArgumentKind::Target | ArgumentKind::Id | ArgumentKind::Stage => schema["minimum"] = json!(1),
            ArgumentKind::Time => schema["format"] = json!("date-time"),
            ArgumentKind::Key => {}
            ArgumentKind::Text(most) => schema["maxLength"] = json!(most),
            ArgumentKind::AffectedItems { states_limit } => {
                schema["items"] = self::schema(AFFECTED_ITEM);
                schema["items"]["minProperties"] = json!(1);
                schema["items"]["maxProperties"] = json!(1);
                if states_limit {
                    schema["maxItems"] = json!(ITEMS_MAX);
                }
            }
        }
        schema
    }
}

/// The given arguments without nulls, if all of them fit; otherwise everything that does not.
pub fn check(arguments: &[Argument], mut given: Value) -> Result<Map<String, Value>, ArgumentError> {
    drop_nulls(&mut given);
    let Value::Object(given) = given else {
        return Err(ArgumentError("the arguments must be of type object".to_owned()));
    };
    let mut problems = Vec::new();
    check_object(arguments, &given, "", &mut problems);
    if problems.is_empty() { Ok(given) } else { Err(ArgumentError(problems.join("; "))) }
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

fn check_object(arguments: &[Argument], fields: &Map<String, Value>, path: &str, problems: &mut Vec<String>) {
    for argument in arguments.iter().filter(|argument| argument.is_required) {
        if !fields.contains_key(argument.name) {
            problems.push(format!("`{}` is required", inside(path, argument.name)));
        }
    }
    for (name, value) in fields {
        let path = inside(path, name);
        match arguments.iter().find(|argument| argument.name == name) {
            Some(argument) => check_value(argument.kind, value, &path, problems),
            None => problems.push(format!("`{path}` is not known; allowed: {}", names(arguments))),
        }
    }
}

fn check_value(kind: ArgumentKind, value: &Value, path: &str, problems: &mut Vec<String>) {
    match (kind, value) {
        (ArgumentKind::Target | ArgumentKind::Id | ArgumentKind::Stage, Value::Number(number))
            if number.is_i64() || number.is_u64() =>
        {
            if number.as_i64().is_none_or(|number| number < 1) {
                problems.push(format!("`{path}` must be an integer of at least 1"));
            }
        }
        (ArgumentKind::Key | ArgumentKind::Time, Value::String(text)) => check_text(text, KEY_MAX, path, problems),
        (ArgumentKind::Text(most), Value::String(text)) => check_text(text, most, path, problems),
        (ArgumentKind::AffectedItems { .. }, Value::Array(items)) => check_items(items, path, problems),
        _ => problems.push(format!("`{path}` must be of type {}", kind.json_type())),
    }
}

fn check_text(text: &str, most: u64, path: &str, problems: &mut Vec<String>) {
    if text.trim().is_empty() {
        problems.push(format!("`{path}` must not be blank"));
    }
    let length = text.chars().count() as u64;
    if length > most {
        problems.push(format!("`{path}` may have at most {most} characters, not {length}"));
    }
}

fn check_items(items: &[Value], path: &str, problems: &mut Vec<String>) {
    let count = items.len() as u64;
    if count > ITEMS_MAX {
        problems.push(format!("`{path}` may have at most {ITEMS_MAX} entries, not {count}"));
        return;
    }
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let Value::Object(fields) = item else {
            problems.push(format!("`{path}` must be of type object"));
            continue;
        };
        check_object(AFFECTED_ITEM, fields, &path, problems);
        if fields.len() != 1 {
            problems.push(format!("`{path}` must have exactly one of: {}", names(AFFECTED_ITEM)));
        }
    }
}

fn names(arguments: &[Argument]) -> String {
    let mut names: Vec<&str> = arguments.iter().map(|argument| argument.name).collect();
    names.sort_unstable();
    names.join(", ")
}

fn inside(path: &str, name: &str) -> String {
    // A grave accent would end the name in the message.
    let name = visible::line(name, 64).replace('`', "'");
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
