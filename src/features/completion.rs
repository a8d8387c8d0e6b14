//! Completion: where the values of an argument come from, and which of them fit what was typed.
//!
//! Ids are matched by their beginning, and by what they stand for, so that typing a part of a title finds the incident.

use crate::model::visible;
use serde_json::Value;

/// Windows worth suggesting: those that StatiBeat's own screen offers.
pub const WINDOWS: [&str; 3] = ["7", "30", "90"];

/// Where the values of an argument come from: resources with a list of objects, and the field that holds the value.
pub struct CompletionSource {
    pub argument: &'static str,
    pub resources: &'static [&'static str],
    /// The field of each object.
    pub field: &'static str,
}

const SOURCES: &[CompletionSource] = &[
    CompletionSource { argument: "incident_id", resources: &["incidents_active", "incidents_resolved"], field: "id" },
    CompletionSource {
        argument: "maintenance_id",
        resources: &["maintenances_active", "maintenances_upcoming"],
        field: "id",
    },
    CompletionSource { argument: "beat_id", resources: &["beats"], field: "id" },
    CompletionSource { argument: "action_id", resources: &["beat_actions_pending"], field: "id" },
    CompletionSource { argument: "stage", resources: &["lifecycle_stages"], field: "name" },
    CompletionSource { argument: "status", resources: &["status_definitions"], field: "key" },
];

/// Where the values of an argument come from.
pub fn source(argument: &str) -> Option<&'static CompletionSource> {
    SOURCES.iter().find(|source| source.argument == argument)
}

/// A value that could be meant, and what it stands for.
#[derive(Clone)]
pub struct Candidate {
    value: String,
    words: String,
}

impl Candidate {
    /// From the value and what it stands for.
    pub fn new(value: &str, words: &str) -> Self {
        Candidate { value: value.to_owned(), words: words.to_lowercase() }
    }
}

/// The candidates of a list that upstream answered.
pub fn candidates_of(answer: &Value, field: &str) -> Vec<Candidate> {
    let items = answer.get("items").unwrap_or(answer).as_array().map(Vec::as_slice).unwrap_or_default();
    let candidate = |item: &Value| {
        let value = match &item[field] {
            Value::Number(id) => id.to_string(),
            Value::String(key) => visible::clean(key),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let words = ["title", "name"].iter().find_map(|name| item[*name].as_str()).unwrap_or_default();
        (value.len() <= 100).then(|| Candidate::new(&value, words))
    };
    items.iter().filter_map(candidate).collect()
}

/// Those whose value begins with what was typed, then those whose words have it.
pub fn matching(candidates: Vec<Candidate>, typed: &str) -> Vec<String> {
    let typed = typed.trim().to_lowercase();
    let begins = |candidate: &Candidate| candidate.value.to_lowercase().starts_with(&typed);
    let (first, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(begins);
    let others = others.into_iter().filter(|candidate| candidate.words.contains(&typed));
    first.into_iter().chain(others).map(|candidate| candidate.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_by_their_beginning_and_by_their_words() {
        let all = || vec![Candidate::new("1001", "API errors"), Candidate::new("2001", "Slow 1001 api")];
        let check = |typed: &str, expected: &[&str]| assert_eq!(matching(all(), typed), expected, "{typed}");
        check("", &["1001", "2001"]);
        check("10", &["1001", "2001"]);
        check("20", &["2001"]);
        check("Api", &["1001", "2001"]);
        check("xyz", &[]);
    }
}
