//! The arguments that every write takes besides its own: an idempotency key, the wish for a preview, the confirm token of one.
//! Added and taken out here alone; the tools of the catalog do not know of them.

use super::fingerprint::KEY_LIMIT;
use crate::catalog::argument::describe;
use serde_json::{Map, Value, json};

const KEY: &str = "idempotency_key";
const PREVIEW: &str = "preview";
const CONFIRM: &str = "confirm";
/// Their names, for the list of what a call allows.
pub const NAMES: [&str; 3] = [PREVIEW, CONFIRM, KEY];

/// The call arguments: how the client wants the write to be executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallArguments {
    /// The client's own name for this call; calls of one name are one write.
    pub key: Option<String>,
    /// Show what would be posted; post nothing.
    pub is_preview: bool,
    /// The confirm token of a preview that this call confirms.
    pub confirm_token: Option<String>,
}

const KEY_DESCRIPTION: &str =
    "Usually left out: an identical retry is published only once. A new key publishes the same text again.";
const PREVIEW_DESCRIPTION: &str = "true: publish nothing; show what would be published, the resulting statuses, recipients and \
    warnings, and return a confirm token.";
const CONFIRM_DESCRIPTION: &str =
    "Confirm token of the preview that the person agreed to, valid for 10 minutes; without preview.";

/// A tool's input schema with these arguments at the end.
pub fn added_to(mut schema: Value) -> Value {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let own = [
            (PREVIEW, json!({ "type": "boolean", "description": PREVIEW_DESCRIPTION })),
            (CONFIRM, json!({ "type": "string", "description": CONFIRM_DESCRIPTION })),
            (KEY, json!({ "type": "string", "maxLength": KEY_LIMIT, "description": KEY_DESCRIPTION })),
        ];
        properties.extend(own.map(|(name, property)| (name.to_owned(), property)));
    }
    schema
}

/// Takes the arguments out of a call's; the error says everything that does not fit.
pub fn take(arguments: &mut Map<String, Value>) -> Result<CallArguments, String> {
    let mut problems = Vec::new();
    let mut kept = |outcome: Result<Option<String>, String>| {
        outcome.unwrap_or_else(|problem| {
            problems.push(problem);
            None
        })
    };
    let key = kept(text(arguments, KEY, KEY_LIMIT));
    let confirm_token = kept(text(arguments, CONFIRM, 2048));
    let is_preview = match arguments.remove(PREVIEW) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => value,
        Some(Value::String(text)) if matches!(text.as_str(), "true" | "false") => text == "true",
        Some(value) => {
            problems.push(format!("`{PREVIEW}` must be true or false (got {})", describe(&value)));
            false
        }
    };
    if is_preview && confirm_token.is_some() {
        problems.push(format!("`{PREVIEW}` and `{CONFIRM}` exclude each other: preview first, then confirm"));
    }
    if problems.is_empty() { Ok(CallArguments { key, is_preview, confirm_token }) } else { Err(problems.join("; ")) }
}

fn text(arguments: &mut Map<String, Value>, name: &str, limit: usize) -> Result<Option<String>, String> {
    match arguments.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=limit).contains(&text.chars().count()) => Ok(Some(text)),
        Some(value) => Err(format!("`{name}` must be text of 1 to {limit} characters (got {})", describe(&value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(arguments: Value) -> Result<CallArguments, String> {
        let Value::Object(mut arguments) = arguments else { unreachable!("an object") };
        let taken = take(&mut arguments);
        assert!([KEY, PREVIEW, CONFIRM].iter().all(|name| !arguments.contains_key(*name)));
        taken
    }

    #[test]
    fn what_is_not_given_is_not_there() {
        assert_eq!(taken(json!({ "title": "t" })), Ok(CallArguments::default()));
        assert_eq!(taken(json!({ KEY: null, PREVIEW: null, CONFIRM: null })), Ok(CallArguments::default()));
    }

    #[test]
    fn what_is_given_is_taken() {
        let expected = CallArguments { key: Some("k".into()), is_preview: true, confirm_token: None };
        assert_eq!(taken(json!({ KEY: "k", PREVIEW: true })), Ok(expected));
        for (text, is_preview) in [("true", true), ("false", false)] {
            assert_eq!(taken(json!({ PREVIEW: text })).map(|taken| taken.is_preview), Ok(is_preview));
        }
        assert_eq!(taken(json!({ CONFIRM: "h" })).map(|taken| taken.confirm_token), Ok(Some("h".into())));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (name, value) in [
            (KEY, json!("")),
            (KEY, json!(7)),
            (KEY, json!("x".repeat(129))),
            (KEY, json!(["k"])),
            (PREVIEW, json!("yes")),
            (PREVIEW, json!(1)),
            (CONFIRM, json!("")),
            (CONFIRM, json!({})),
            (CONFIRM, json!("x".repeat(2049))),
        ] {
            let problem = taken(json!({ name: value })).expect_err("it does not fit");
            assert!(problem.contains(name), "{problem}");
        }
        assert!(taken(json!({ PREVIEW: true, CONFIRM: "h" })).is_err_and(|problem| problem.contains("exclude")));
    }

    #[test]
    fn the_schema_gains_three_optional_arguments() {
        let schema = added_to(json!({ "type": "object", "required": ["a"], "properties": { "a": {} } }));
        assert_eq!(schema["required"], json!(["a"]));
        assert_eq!(schema["properties"].as_object().map(Map::len), Some(4));
    }
}
