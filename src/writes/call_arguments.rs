//! The arguments that every write takes besides its own: an idempotency key, the wish for a preview, the confirm token of one.
//! Added and taken out here alone; the tools of the catalog do not know of them.

use super::confirm_token;
use super::fingerprint::KEY_LIMIT;
use crate::catalog::argument::describe;
use crate::catalog::uri::Roots;
use serde_json::{Map, Value, json};

pub const KEY: &str = "idempotency_key";
const PREVIEW: &str = "preview";
const CONFIRM: &str = "confirm";
/// Their names, for the list of what a call allows.
pub const NAMES: [&str; 3] = [PREVIEW, CONFIRM, KEY];

/// Longest confirm token that is looked at, in characters: what a model may have put around it included.
const CONFIRM_LIMIT: usize = 2048;

/// The client's wishes for the execution of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallArguments {
    /// The client's own name for this call; calls of one name are one write.
    pub key: Option<String>,
    /// Show what would be posted; post nothing.
    pub is_preview: bool,
    /// The confirm token of the preview that is to be published. It goes before [`Self::is_preview`]: who repeats the arguments of a
    /// preview and adds its token means to publish.
    pub confirm_token: Option<String>,
}

const KEY_DESCRIPTION: &str = "Usually left out: identical retries publish once anyway.";
const PREVIEW_DESCRIPTION: &str = "true: publish nothing, show the effect, return a confirm token.";
const CONFIRM_DESCRIPTION: &str =
    "Confirm token of the preview that the person agreed to (10 minutes). Replaces required arguments.";

/// Says how a preview is published: the one sentence that tools, previews and errors use.
pub fn to_publish(roots: &Roots) -> &'static str {
    if roots.has_page_id() {
        "To publish, call again with only page_id and confirm"
    } else {
        "To publish, call again with only confirm"
    }
}

/// A tool's input schema with these arguments at the end. Nothing of the tool's own is required by it, because a call that confirms
/// a preview has none of it; the descriptions say what a call without `confirm` needs.
pub fn added_to(mut schema: Value) -> Value {
    let required = schema.as_object_mut().and_then(|schema| schema.remove("required"));
    let required = required.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return schema };
    for name in required {
        let Some(property) = properties.get_mut(name) else { continue };
        let description = property["description"].as_str().unwrap_or_default();
        property["description"] = json!(format!("{description} Required.").trim_start());
    }
    let own = [
        (PREVIEW, json!({ "type": "boolean", "description": PREVIEW_DESCRIPTION })),
        (CONFIRM, json!({ "type": "string", "description": CONFIRM_DESCRIPTION })),
        (KEY, json!({ "type": "string", "maxLength": KEY_LIMIT, "description": KEY_DESCRIPTION })),
    ];
    properties.extend(own.map(|(name, property)| (name.to_owned(), property)));
    schema
}

/// Returns whether the call asks for a preview only.
pub fn is_preview(arguments: &Map<String, Value>) -> bool {
    let is_given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
    !is_given(CONFIRM) && switch(&mut arguments.clone(), PREVIEW) == Ok(true)
}

/// Takes the arguments out of a call's; the errors say everything that does not fit.
pub fn take(arguments: &mut Map<String, Value>) -> Result<CallArguments, Vec<String>> {
    let mut problems = Vec::new();
    let key = kept(text(arguments, KEY, KEY_LIMIT), &mut problems);
    let confirm_token = kept(text(arguments, CONFIRM, CONFIRM_LIMIT), &mut problems);
    let is_preview = kept(switch(arguments, PREVIEW), &mut problems);
    for problem in problems.iter_mut().filter(|problem| problem.starts_with(&format!("`{CONFIRM}`"))) {
        *problem = format!("{problem}: {}", confirm_token::DESCRIPTION);
    }
    if problems.is_empty() { Ok(CallArguments { key, is_preview, confirm_token }) } else { Err(problems) }
}

fn kept<T: Default>(outcome: Result<T, String>, problems: &mut Vec<String>) -> T {
    outcome.unwrap_or_else(|problem| {
        problems.push(problem);
        T::default()
    })
}

fn text(arguments: &mut Map<String, Value>, name: &str, limit: usize) -> Result<Option<String>, String> {
    match arguments.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=limit).contains(&text.chars().count()) => Ok(Some(text)),
        Some(other) => Err(format!("`{name}` must be text of 1 to {limit} characters (got {})", describe(&other))),
    }
}

/// True, false, or one of these words as text, which some clients send.
fn switch(arguments: &mut Map<String, Value>, name: &str) -> Result<bool, String> {
    match arguments.remove(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(value),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(other) => Err(format!("`{name}` must be true or false (got {})", describe(&other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(arguments: Value) -> Result<CallArguments, Vec<String>> {
        let Value::Object(mut arguments) = arguments else { unreachable!("an object") };
        let taken = take(&mut arguments);
        assert!([KEY, PREVIEW, CONFIRM].iter().all(|name| !arguments.contains_key(*name)));
        taken
    }

    #[test]
    fn absent_or_null_call_arguments_are_defaults() {
        assert_eq!(taken(json!({ "title": "t" })), Ok(CallArguments::default()));
        assert_eq!(taken(json!({ KEY: null, PREVIEW: null, CONFIRM: null })), Ok(CallArguments::default()));
    }

    #[test]
    fn known_call_arguments_are_removed_from_the_arguments() {
        let expected = CallArguments { key: Some("k".into()), is_preview: true, confirm_token: None };
        assert_eq!(taken(json!({ KEY: "k", PREVIEW: true })), Ok(expected.clone()));
        assert_eq!(taken(json!({ KEY: "k", PREVIEW: "True" })), Ok(expected), "as text");
        assert_eq!(taken(json!({ PREVIEW: "false" })), Ok(CallArguments::default()));
        let both = taken(json!({ PREVIEW: true, CONFIRM: "h" })).expect("both are taken");
        assert_eq!(both.confirm_token, Some("h".into()), "together they are no error");
    }

    #[test]
    fn bad_call_arguments_are_named_with_what_came() {
        for (name, value, came) in [
            (KEY, json!(""), "(got "),
            (KEY, json!(7), "(got "),
            (KEY, json!("x".repeat(129)), "(got "),
            (KEY, json!(["k"]), "(got "),
            (PREVIEW, json!("yes"), "(got "),
            (PREVIEW, json!(1), "(got "),
            (CONFIRM, json!(true), ": A confirm token is"),
            (CONFIRM, json!({}), ": A confirm token is"),
            (CONFIRM, json!("x".repeat(2049)), ": A confirm token is"),
        ] {
            let problems = taken(json!({ name: value })).expect_err("it does not fit");
            assert!(problems[0].starts_with(&format!("`{name}`")) && problems[0].contains(came), "{problems:?}");
        }
        assert_eq!(taken(json!({ KEY: 7, PREVIEW: 7, CONFIRM: 7 })).expect_err("none fits").len(), 3);
    }

    #[test]
    fn schema_gains_three_optional_arguments_and_requires_nothing_of_a_confirmation() {
        let properties = json!({ "a": { "description": "One line." }, "b": {} });
        let schema = added_to(json!({ "type": "object", "required": ["a"], "properties": properties }));
        assert_eq!(schema.get("required"), None);
        assert_eq!(schema["properties"]["a"]["description"], "One line. Required.");
        assert_eq!(schema["properties"]["b"], json!({}));
        assert_eq!(schema["properties"].as_object().map(Map::len), Some(5));
    }
}
