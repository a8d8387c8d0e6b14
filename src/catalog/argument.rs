//! Arguments of a tool: a table gives the schema that a client sees and the check against it.
//!
//! Schemas stay flat: no `$ref`, no combinators, no nullable types; that is what models handle well. The check names everything
//! that is wrong at once, so that a model can correct it in one step. An explicit `null` counts as left out.

use crate::model::ids::ID_MAX;
use crate::model::visible;
use serde_json::{Map, Value, json};

/// Longest key, time or address, in characters. Schemas do not state it: a model pays for every word of the list.
const KEY_MAX: u64 = 256;
/// Longest name of an argument that is repeated, in characters.
const NAME_MAX: usize = 100;
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
    /// An id; a name is kept as it is, and looked up where the names are known.
    IdOrName,
    /// A text without a stated bound: a key, a time, an address.
    Key,
    /// A time in RFC 3339, with its offset from UTC.
    Time,
    /// Free text, with its maximum length in characters.
    Text(u64),
    AffectedItems {
        has_limit_in_schema: bool,
    },
}

/// The arguments do not fit; the text tells a model how to correct them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ArgumentError(pub String);

/// An affected item is named by exactly one of these. No descriptions and bounds: the names speak, StatiBeat knows the
/// items, and a model pays for every word of the list.
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
            Self::Target | Self::Id | Self::IdOrName => "integer",
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
            ArgumentKind::Time => schema["format"] = json!("date-time"),
            ArgumentKind::Target | ArgumentKind::Id | ArgumentKind::IdOrName | ArgumentKind::Key => {}
            ArgumentKind::Text(most) => schema["maxLength"] = json!(most),
            ArgumentKind::AffectedItems { has_limit_in_schema } => {
                let mut item = self::schema(AFFECTED_ITEM);
                item.as_object_mut().map(|item| item.remove("additionalProperties"));
                schema["items"] = item;
                if has_limit_in_schema {
                    schema["maxItems"] = json!(ITEMS_MAX);
                }
            }
        }
        schema
    }
}

/// The given arguments without nulls and with numbers as numbers, beside everything that does not fit. `added` names the
/// arguments that a program adds and took out already: they are allowed too.
pub fn check(arguments: &[Argument], added: &[&str], mut given: Value) -> (Map<String, Value>, Vec<String>) {
    drop_nulls(&mut given);
    let Value::Object(mut given) = given else {
        return (Map::new(), vec![format!("the arguments must be an object (got {})", describe(&given))]);
    };
    let mut problems = Vec::new();
    check_object(arguments, added, &mut given, "", &mut problems);
    (given, problems)
}

/// An id: a whole number from 1 to 2^53 − 1, the largest that every JSON reader keeps exact, also written as `42.0` or in text.
pub fn parse_id(value: &Value) -> Option<i64> {
    let id = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok()),
        Value::String(text) => {
            Some(text.trim()).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    id.filter(|id| (1..=ID_MAX).contains(id))
}

/// The problem of a required argument that is missing.
pub fn describe_missing(name: &str) -> String {
    format!("`{name}` is required")
}

/// The problem of an id that is none.
pub fn describe_wrong_id(name: &str, value: &Value) -> String {
    format!("`{name}` must be a whole number from 1 to {ID_MAX} (got {})", describe(value))
}

/// The problem of arguments that are not known; `None` if there are none.
pub fn describe_unknown(unknown: &[String], allowed: &str) -> Option<String> {
    let verb = if unknown.len() == 1 { "is" } else { "are" };
    // A grave accent would end a name in the message.
    let names: Vec<String> =
        unknown.iter().map(|name| format!("`{}`", visible::line(name, NAME_MAX).replace('`', "'"))).collect();
    (!names.is_empty()).then(|| format!("{} {verb} not known; allowed: {allowed}", names.join(", ")))
}

/// Describes the value that came instead of one that fits.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("number {number}"),
        Value::String(text) => format!("text {}", visible::quote(text, 40)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
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

fn check_object(
    arguments: &[Argument],
    added: &[&str],
    fields: &mut Map<String, Value>,
    path: &str,
    problems: &mut Vec<String>,
) {
    for argument in arguments {
        let name = inside(path, argument.name);
        match fields.get_mut(argument.name) {
            Some(value) => check_value(argument.kind, value, &name, problems),
            None if argument.is_required => problems.push(describe_missing(&name)),
            None => {}
        }
    }
    let unknown = fields.keys().filter(|name| !arguments.iter().any(|argument| argument.name == **name));
    let unknown: Vec<String> = unknown.map(|name| inside(path, name)).collect();
    problems.extend(describe_unknown(&unknown, &names(arguments, added)));
}

fn check_value(kind: ArgumentKind, value: &mut Value, path: &str, problems: &mut Vec<String>) {
    if matches!(kind, ArgumentKind::AffectedItems { .. }) {
        unwrap_items(value);
        if let Value::Array(items) = value {
            return check_items(items, path, problems);
        }
    }
    let problem = match (kind, &*value) {
        (ArgumentKind::IdOrName, Value::String(text)) if parse_id(value).is_none() && !text.trim().is_empty() => {
            *value = text.trim().into();
            return;
        }
        (ArgumentKind::Target | ArgumentKind::Id | ArgumentKind::IdOrName, _) => match parse_id(value) {
            Some(id) => {
                *value = id.into();
                return;
            }
            None => return problems.push(describe_wrong_id(path, value)),
        },
        (ArgumentKind::Key | ArgumentKind::Time, Value::String(text)) => {
            return check_text(text, KEY_MAX, path, problems);
        }
        (ArgumentKind::Text(most), Value::String(text)) => return check_text(text, most, path, problems),
        (ArgumentKind::Key | ArgumentKind::Time | ArgumentKind::Text(_), _) => "must be text".to_owned(),
        (ArgumentKind::AffectedItems { .. }, _) => "must be a list such as [{\"id\": 102}]".to_owned(),
    };
    problems.push(format!("`{path}` {problem} (got {})", describe(value)));
}

/// Turns a list that came as JSON text, as Claude Code and others send it, and one item without a list around it into the list.
fn unwrap_items(value: &mut Value) {
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    if let Some(parsed @ (Value::Array(_) | Value::Object(_))) = parsed {
        *value = parsed;
        drop_nulls(value);
    }
    if value.is_object() {
        *value = Value::Array(vec![value.take()]);
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

fn check_items(items: &mut [Value], path: &str, problems: &mut Vec<String>) {
    let count = items.len() as u64;
    if count > ITEMS_MAX {
        problems.push(format!("`{path}` may have at most {ITEMS_MAX} entries, not {count}"));
        return;
    }
    for (index, item) in items.iter_mut().enumerate() {
        let path = format!("{path}[{index}]");
        let Value::Object(fields) = item else {
            // A number is probably the id; of a name nobody knows it here.
            let id = parse_id(item).map_or_else(|| "102".to_owned(), |id| id.to_string());
            let hint = if item.is_string() { "; ids are in the hierarchy of the page" } else { "" };
            problems.push(format!("`{path}`: write {{\"id\": {id}}} (got {}){hint}", describe(item)));
            continue;
        };
        check_object(AFFECTED_ITEM, &[], fields, &path, problems);
        if fields.len() != 1 {
            problems.push(format!("`{path}` must have exactly one of: {}", names(AFFECTED_ITEM, &[])));
        }
    }
}

fn names(arguments: &[Argument], added: &[&str]) -> String {
    let mut names: Vec<&str> = arguments.iter().map(|argument| argument.name).chain(added.iter().copied()).collect();
    names.sort_unstable();
    names.join(", ")
}

fn inside(path: &str, name: &str) -> String {
    // A grave accent would end the name in the message.
    let name = visible::line(name, 64).replace('`', "'");
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
