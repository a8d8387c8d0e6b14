//! Completion: where the values of an argument come from, and which of them fit what was typed.
//!
//! A value begins with the number or key that names the thing and goes on in words, as in `1001 API errors`: people choose by
//! the words, and whatever takes the value reads it up to the first blank. What a prompt or tool would refuse is not offered.

use crate::catalog::resources::component_paths;
use crate::catalog::{PromptArgumentKind, find_prompt};
use crate::mcp::CompletionTarget;
use crate::model::visible;
use serde_json::Value;

/// Windows worth suggesting: those that StatiBeat's own screen offers.
const WINDOWS: [&str; 3] = ["7", "30", "90"];
/// Longest words of a value, in characters.
const WORDS_MAX: usize = 80;

/// Where the values of an argument come from: resources with a list of objects, and the field that holds the value.
pub struct CompletionSource {
    pub argument: &'static str,
    /// Prompts, which are about what goes on, are completed from the first alone.
    pub resources: &'static [&'static str],
    /// The field of each object.
    pub field: &'static str,
    /// The number of entries at the end that only a person sets.
    pub refused_at_end: usize,
    /// True if a value is a list, separated by commas.
    pub is_list: bool,
}

const fn from(argument: &'static str, resources: &'static [&'static str], field: &'static str) -> CompletionSource {
    CompletionSource { argument, resources, field, refused_at_end: 0, is_list: false }
}

const SOURCES: &[CompletionSource] = &[
    from("incident_id", &["incidents_active", "incidents_resolved"], "id"),
    from("maintenance_id", &["maintenances_active", "maintenances_upcoming"], "id"),
    from("beat_id", &["beats"], "id"),
    from("action_id", &["beat_actions_pending"], "id"),
    CompletionSource { refused_at_end: 1, ..from("stage", &["lifecycle_stages"], "id") },
    from("status", &["status_definitions"], "key"),
    from("under_id", &["hierarchy"], "id"),
    from("item_id", &["hierarchy"], "id"),
    CompletionSource { is_list: true, ..from("affected_services", &["hierarchy"], "id") },
];

/// Where the values of an argument come from.
pub fn source(argument: &str) -> Option<&'static CompletionSource> {
    SOURCES.iter().find(|source| source.argument == argument)
}

impl CompletionSource {
    /// The resources that hold what the target can mean.
    pub fn resources_for(&self, target: &CompletionTarget) -> &'static [&'static str] {
        let is_prompt = matches!(target, CompletionTarget::Prompt(_));
        // A maintenance can be written about before and while it runs.
        let only_first = is_prompt && self.argument == "incident_id";
        if only_first { &self.resources[..1] } else { self.resources }
    }

    /// The candidates of a list that upstream answered.
    pub fn candidates(&self, answer: &Value) -> Vec<Candidate> {
        if self.resources == ["hierarchy"] {
            return component_paths(answer).iter().map(|(id, path)| Candidate::new(&id.to_string(), path)).collect();
        }
        let items = answer.get("items").unwrap_or(answer).as_array().map(Vec::as_slice).unwrap_or_default();
        let mut items: Vec<&Value> = items.iter().filter(|item| item["archived"] != true).collect();
        if self.refused_at_end > 0 {
            items.sort_by_key(|item| item["position"].as_i64().unwrap_or(i64::MAX));
            items.truncate(items.len().saturating_sub(self.refused_at_end));
        }
        items.into_iter().filter_map(|item| candidate(item, self.field)).collect()
    }

    /// Values that fit what was typed. Of a list the last part is completed.
    pub fn matching(&self, candidates: Vec<Candidate>, typed: &str) -> Vec<String> {
        let (before, last) = typed.rsplit_once(',').filter(|_| self.is_list).unwrap_or(("", typed));
        let values = matching(candidates, last).into_iter();
        if before.is_empty() { values.collect() } else { values.map(|value| format!("{before},{value}")).collect() }
    }
}

/// The values that do not depend on a page.
pub fn fixed_values(target: &CompletionTarget, argument: &str, typed: &str) -> Option<Vec<String>> {
    let choices: &[&str] = match (target, argument) {
        (CompletionTarget::Resource(_), "window_days") => &WINDOWS,
        (CompletionTarget::Resource(_), "not_operational") => &["true"],
        (CompletionTarget::Prompt(name), argument) => {
            let kind = find_prompt(name)?.arguments.iter().find(|one| one.name == argument)?.kind;
            let PromptArgumentKind::Choice(choices) = kind else { return None };
            choices
        }
        _ => return None,
    };
    Some(matching(choices.iter().map(|choice| Candidate::new(choice, "")).collect(), typed))
}

/// A value that could be meant, and what it stands for.
#[derive(Clone)]
pub struct Candidate {
    value: String,
    words: String,
    /// Another name by which it is found; not part of the suggestion.
    slug: Option<String>,
}

impl Candidate {
    /// From the value and what it stands for.
    pub fn new(value: &str, words: &str) -> Self {
        // A comma separates the values of a list.
        Candidate { value: value.to_owned(), words: visible::line(&words.replace(',', " "), WORDS_MAX), slug: None }
    }

    pub fn with_slug(self, slug: Option<&str>) -> Self {
        Candidate { slug: slug.map(str::to_owned), ..self }
    }

    fn names(&self) -> impl Iterator<Item = String> {
        [Some(self.shown()), self.slug.clone()].into_iter().flatten().map(|name| name.to_lowercase())
    }

    fn shown(&self) -> String {
        format!("{} {}", self.value, self.words).trim_end().to_owned()
    }
}

fn candidate(item: &Value, field: &str) -> Option<Candidate> {
    let value = match &item[field] {
        Value::Number(id) => id.to_string(),
        Value::String(key) => visible::clean(key),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let words = ["title", "name", "beat_name"].iter().find_map(|name| item[*name].as_str()).unwrap_or_default();
    (value.len() <= 100 && !value.contains(char::is_whitespace)).then(|| Candidate::new(&value, words))
}

/// Those whose value or slug begins with what was typed, then those that have it elsewhere in their words or slug.
pub fn matching(candidates: Vec<Candidate>, typed: &str) -> Vec<String> {
    let typed = typed.trim().to_lowercase();
    let begins = |candidate: &Candidate| candidate.names().any(|name| name.starts_with(&typed));
    let (first, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(begins);
    let others = others.into_iter().filter(|candidate| {
        let names = [Some(&candidate.words), candidate.slug.as_ref()];
        names.into_iter().flatten().any(|name| name.to_lowercase().contains(&typed))
    });
    first.iter().chain(&others.collect::<Vec<_>>()).map(Candidate::shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_found_by_their_beginning_and_by_their_words() {
        let all = || vec![Candidate::new("1001", "API errors"), Candidate::new("2001", "Slow, api 7")];
        let check = |typed: &str, expected: &[&str]| assert_eq!(matching(all(), typed), expected, "{typed}");
        let both = ["1001 API errors", "2001 Slow api 7"];
        check("", &both);
        check("10", &both[..1]);
        check("1001 api", &both[..1]);
        check("20", &both[1..]);
        check("Api", &both);
        check("xyz", &[]);
        let page = || vec![Candidate::new("42", "Acme Cloud").with_slug(Some("Status-of-Acme"))];
        for typed in ["status-of", "of-acme", "cloud"] {
            assert_eq!(matching(page(), typed), ["42 Acme Cloud"], "{typed}");
        }
    }

    #[test]
    fn choices_of_a_resource_are_offered_by_their_beginning() {
        let of = |argument: &str, typed: &str| {
            fixed_values(&CompletionTarget::Resource(String::new()), argument, typed).unwrap_or_default()
        };
        assert_eq!(of("not_operational", ""), ["true"]);
        assert_eq!(of("window_days", "").len(), WINDOWS.len());
        assert!(of("not_operational", "f").is_empty() && of("page_id", "").is_empty());
    }

    #[test]
    fn refused_statuses_and_stages_are_not_offered() {
        let of = |argument: &str, list: Value| {
            source(argument).map(|source| matching(source.candidates(&list), "")).unwrap_or_default()
        };
        let stages =
            json!([{ "id": 4, "name": "Resolved", "position": 2 }, { "id": 1, "name": "Open", "position": 1 }]);
        assert_eq!(of("stage", stages), ["1 Open"]);
        let statuses = json!([{ "key": "down", "name": "Down" }, { "key": "old", "name": "Old", "archived": true }]);
        assert_eq!(of("status", statuses), ["down Down"]);
    }

    #[test]
    fn last_part_of_a_list_is_completed() {
        let services = source("affected_services").expect("a source");
        let items = json!([{ "id": 1, "name": "API" }, { "id": 2, "name": "Search", "parent_id": 1 }]);
        assert_eq!(services.matching(services.candidates(&items), "1,sea"), ["1,2 API / Search"]);
    }
}
