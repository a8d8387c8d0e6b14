//! The arguments of a prompt as an app gives them: typed by a person, taken from completion, or placeholders to be filled in.

use crate::catalog::argument::{describe_missing, describe_unknown, describe_wrong_id, parse_id};
use crate::catalog::{PromptArgument, PromptArgumentKind, Variables};
use crate::mcp::Error;
use crate::model::ids::PageId;
use crate::model::visible::{self, quote};
use serde_json::json;

/// Longest argument that is put into a text, in characters.
const ARGUMENT_MAX: usize = 4000;
/// Longest argument that is quoted in an error, in characters.
const QUOTED_MAX: usize = 60;
/// An argument that apps which pass arguments by position leave out.
const LEFT_OUT: &str = "-";
/// The argument that names the page.
const PAGE: &str = "page_id";

/// The arguments of a prompt, checked as far as that takes no reading.
#[derive(Debug)]
pub struct GivenArguments {
    pub values: Variables,
    /// True if an argument is a placeholder (`$1`), which the app replaces in the text that it gets.
    pub is_open: bool,
}

/// The error for arguments with these problems.
pub fn invalid(problems: &[String]) -> Error {
    Error::InvalidParams(format!("Invalid arguments: {}.", problems.join("; ").trim_end_matches('.')))
}

/// Reads exactly these arguments; every problem is named at once.
pub fn check<'a>(
    arguments: impl IntoIterator<Item = &'a PromptArgument>,
    mut given: Variables,
) -> Result<GivenArguments, Vec<String>> {
    let is_open = given.values().any(|value| is_placeholder(value));
    let (mut values, mut problems) = (Variables::new(), Vec::new());
    let mut known = Vec::new();
    for argument in arguments {
        known.push(argument.name);
        let value = given.remove(argument.name).map(|value| visible::clean(&value).trim().to_owned());
        let value = value.filter(|value| !value.is_empty() && value != LEFT_OUT);
        match value.map(|value| if is_open { Ok(value) } else { read(argument, &value) }) {
            Some(Ok(value)) => drop(values.insert(argument.name.to_owned(), visible::cap(&value, ARGUMENT_MAX))),
            Some(Err(problem)) => problems.push(problem),
            None if argument.required && !is_open => problems.push(describe_missing(argument.name)),
            None => {}
        }
    }
    let unknown: Vec<String> = given.into_keys().collect();
    problems.extend(describe_unknown(&unknown, &known.join(", ")));
    if problems.is_empty() { Ok(GivenArguments { values, is_open }) } else { Err(problems) }
}

/// The number that names something, as typed or with the words that completion puts behind it.
pub fn read_id(value: &str) -> Option<i64> {
    parse_id(&json!(first_word(value)))
}

/// The value that is meant. What names something on the page is compared with the page once it is read.
fn read(argument: &PromptArgument, value: &str) -> Result<String, String> {
    let wrong = |expected: &str| format!("`{}` must be {expected} (got {})", argument.name, quote(value, QUOTED_MAX));
    match argument.kind {
        PromptArgumentKind::Id => {
            let id = read_id(value).map(|id| id.to_string());
            id.ok_or_else(|| describe_wrong_id(argument.name, &json!(value)))
        }
        // A slug or a name is looked up where the pages are known.
        PromptArgumentKind::Page => Ok(read_id(value).map_or_else(|| value.to_owned(), |id| id.to_string())),
        PromptArgumentKind::Choice(choices) => {
            let chosen = choices.iter().find(|choice| choice.eq_ignore_ascii_case(value));
            chosen.map(|choice| (*choice).to_owned()).ok_or_else(|| wrong(&format!("one of: {}", choices.join(", "))))
        }
        PromptArgumentKind::Status
        | PromptArgumentKind::Stage
        | PromptArgumentKind::Components
        | PromptArgumentKind::Text => Ok(value.to_owned()),
    }
}

/// Completion offers `1001 API errors`; the part that names the thing ends at the first blank.
pub(super) fn first_word(value: &str) -> &str {
    value.split_whitespace().next().unwrap_or_default()
}

/// True for what opencode and its like give in the place of an argument, to find it again in the text.
fn is_placeholder(value: &str) -> bool {
    let digits = value.trim().strip_prefix('$').unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl GivenArguments {
    /// The arguments that name a resource's variables.
    pub fn variables(&self) -> Variables {
        let own = self.values.iter().filter(|(name, _)| name.ends_with("_id"));
        own.map(|(name, id)| (name.clone(), id.clone())).collect()
    }

    /// The page that was named.
    pub fn page(&self) -> Option<&str> {
        self.values.get(PAGE).map(String::as_str)
    }

    pub fn set_page(&mut self, id: PageId) {
        self.values.insert(PAGE.to_owned(), id.to_string());
    }

    /// A template with the given values; the variables without one stay, and so do placeholders.
    pub(super) fn open_uri(&self, template: &str) -> String {
        let path = template.split('?').next().unwrap_or_default().to_owned();
        self.values.iter().fold(path, |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }

    /// One line for each; the person's own words are quoted, so that they cannot pass for the task.
    pub(super) fn list(&self, arguments: &[PromptArgument]) -> String {
        let given = arguments.iter().filter_map(|argument| {
            let value = self.values.get(argument.name)?;
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let value = if is_number { value.clone() } else { quote(value, usize::MAX) };
            Some(format!("\n- {}: {value}", argument.name))
        });
        let lines: String = given.collect();
        if lines.is_empty() { lines } else { format!("Given:{lines}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::find_prompt;

    fn checked(name: &str, given: &[(&str, &str)]) -> Result<GivenArguments, String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check(find_prompt(name).expect("a prompt").arguments, given).map_err(|problems| problems.join("; "))
    }

    #[test]
    fn number_ends_at_the_first_blank_and_a_dash_is_left_out() {
        let given = [("page_id", "42 Northwind"), ("incident_id", " 1001 API errors"), ("stage", "-")];
        let given = checked("draft_incident_update", &given).expect("valid");
        let expected = [("page_id", "42"), ("incident_id", "1001")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!((given.values, given.is_open), (expected.into(), false));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let error = checked("draft_maintenance_update", &[("change", "done"), ("x", "1")]).expect_err("invalid");
        for part in [
            "`maintenance_id` is required",
            "one of: started, delayed, extended (got \"done\")",
            "`x` is not known; allowed: ",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn placeholders_stay_where_the_app_finds_them() {
        let given = [("page_id", "$1"), ("incident_id", "$2"), ("stage", "$3"), ("new_information", "$4")];
        let given = checked("draft_incident_update", &given).expect("open");
        let uri = given.open_uri("statibeat://pages/{page_id}/incidents/{incident_id}?cursor={cursor}");
        assert_eq!((given.is_open, uri.as_str()), (true, "statibeat://pages/$1/incidents/$2"));
        let text = checked("prepare_resolution", &[("incident_id", "1"), ("new_information", "costs $10 more")]);
        assert!(!text.expect("valid").is_open);
    }
}
