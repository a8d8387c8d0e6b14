//! Arguments that name something on the page: statuses, stages and components, compared with what was read for the prompt.

use super::arguments::{GivenArguments, first_word, invalid};
use crate::catalog::{Prompt, PromptArgumentKind};
use crate::mcp::Error;
use crate::model::visible::quote;
use serde_json::Value;

/// Longest name that is quoted, in characters.
const NAME_MAX: usize = 60;
/// The lists of a body that hold statuses.
const STATUSES: [&str; 2] = ["statuses", "status_definitions"];
/// The lists of a body that hold stages.
const STAGES: [&str; 2] = ["lifecycle_stages", "maintenance_lifecycle_stages"];

/// Replaces statuses, stages and components by key and id; an unknown one, and one that only a person sets, is refused with those
/// that can be set. Where the list could not be read, the argument stays as it is.
pub fn settle(prompt: &Prompt, mut given: GivenArguments, bodies: &[&Value]) -> Result<GivenArguments, Error> {
    let mut problems = Vec::new();
    for argument in prompt.arguments {
        let Some(value) = given.values.get_mut(argument.name) else { continue };
        let settled = match argument.kind {
            PromptArgumentKind::Status => settle_entry(bodies, STATUSES, "key", value),
            PromptArgumentKind::Stage => settle_entry(bodies, STAGES, "id", value),
            PromptArgumentKind::Components => settle_components(bodies, value),
            PromptArgumentKind::Page
            | PromptArgumentKind::Id
            | PromptArgumentKind::Choice(_)
            | PromptArgumentKind::Text => continue,
        };
        match settled {
            Ok(settled) => *value = settled,
            Err(problem) => problems.push(format!("`{}` {problem} (got {})", argument.name, quote(value, NAME_MAX))),
        }
    }
    if problems.is_empty() { Ok(given) } else { Err(invalid(&problems)) }
}

/// `field` names one entry of the lists.
fn settle_entry(bodies: &[&Value], lists: [&str; 2], field: &str, value: &str) -> Result<String, String> {
    let list = bodies.iter().find_map(|body| lists.iter().find_map(|name| body[*name].as_array()));
    let Some(list) = list else { return Ok(value.to_owned()) };
    let id = |entry: &Value| match &entry[field] {
        Value::String(key) => key.clone(),
        number => number.to_string(),
    };
    let is_meant = |entry: &&Value, meant: &str| {
        id(entry).eq_ignore_ascii_case(meant) || entry["name"].as_str().is_some_and(|name| is_same(name, meant))
    };
    let find = |meant: &str| list.iter().find(|entry| is_meant(entry, meant));
    let found = find(value).or_else(|| find(first_word(value)));
    let can_be_set = |entry: &&Value| entry["settable"] != false;
    match found {
        Some(entry) if can_be_set(&entry) => Ok(id(entry)),
        found => {
            let known = list.iter().filter(can_be_set);
            let known = known.map(|entry| {
                format!("{} ({})", id(entry), quote(entry["name"].as_str().unwrap_or_default(), NAME_MAX))
            });
            let known = known.collect::<Vec<_>>().join(", ");
            let why = if found.is_some() { "cannot be set here, only by a person in StatiBeat; it" } else { "" };
            Err(format!("{why} must be one of: {known}").trim_start().to_owned())
        }
    }
}

fn is_same(name: &str, meant: &str) -> bool {
    name.trim().to_lowercase() == meant.trim().to_lowercase()
}

/// Numbers are checked against the page; what is not a number stays in the person's words.
fn settle_components(bodies: &[&Value], value: &str) -> Result<String, String> {
    let known = bodies.iter().find_map(|body| body["components"].as_array());
    let is_known = |id: &str| {
        known.is_none_or(|lines| lines.iter().any(|line| line.as_str().is_some_and(|line| first_word(line) == id)))
    };
    let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
        let id = first_word(part);
        let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
        match is_number {
            true if is_known(id) => Ok(id.to_owned()),
            true => Err(format!("must name components of the page; there is no {id}")),
            false => Ok(part.to_owned()),
        }
    });
    Ok(parts.collect::<Result<Vec<_>, _>>()?.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::find_prompt;
    use serde_json::json;

    fn settled(prompt: &str, argument: (&str, &str)) -> Result<String, String> {
        let body = json!({
            "statuses": [{ "key": "degraded", "name": "Degraded performance" }],
            "components": ["102 API / Gateway operational"],
            "lifecycle_stages": [{ "id": 2, "name": "Identified" }, { "id": 4, "name": "Resolved", "settable": false }],
        });
        let values = [(argument.0.to_owned(), argument.1.to_owned())].into();
        let given = GivenArguments { values, is_open: false };
        let settled = settle(find_prompt(prompt).expect("a prompt"), given, &[&body]);
        settled.map(|given| given.values[argument.0].clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn status_and_stage_are_taken_by_key_name_and_completion_value() {
        for status in ["degraded", "Degraded", "degraded performance", "degraded Degraded performance"] {
            assert_eq!(settled("draft_customer_incident", ("status", status)).as_deref(), Ok("degraded"));
        }
        for stage in ["2", "identified", "2 Identified"] {
            assert_eq!(settled("draft_incident_update", ("stage", stage)).as_deref(), Ok("2"));
        }
    }

    #[test]
    fn unknown_and_refused_ones_are_refused_with_those_that_can_be_set() {
        let error = settled("draft_incident_update", ("stage", "Fixed")).expect_err("unknown");
        assert!(error.contains("`stage` must be one of: 2 (\"Identified\") (got \"Fixed\")"), "{error}");
        let error = settled("draft_incident_update", ("stage", "Resolved")).expect_err("refused");
        assert!(error.contains("only by a person") && error.contains("2 (\"Identified\")"), "{error}");
        let error = settled("draft_customer_incident", ("status", "Major outage")).expect_err("unknown");
        assert!(error.contains("degraded (\"Degraded performance\")"), "{error}");
    }

    #[test]
    fn components_are_numbers_of_the_page_or_words() {
        let of = |value: &str| settled("draft_customer_incident", ("affected_services", value));
        assert_eq!(of("102 API Gateway,the shop").as_deref(), Ok("102, the shop"));
        assert!(of("102, 999").is_err_and(|error| error.contains("there is no 999")));
    }
}
