//! Completion: ids and keys that the person could mean, out of what they may see.
//!
//! Completion never refuses: whatever is unknown, not granted or not reachable has no suggestions. Ids are matched by
//! their beginning, and by what they stand for, so that typing a part of a title finds the incident.

use super::HostedSurface;
use super::access;
use crate::catalog::uri::Roots;
use crate::catalog::{self, resources::RESOURCES};
use crate::ids::PageId;
use crate::mcp::{Completion, CompletionTarget, Error, Suggestions, Surface as _};
use crate::upstream::ApiError;
use serde_json::Value;

/// Windows worth suggesting: those that StatiBeat's own screen offers.
const WINDOWS: [&str; 3] = ["7", "30", "90"];

/// Where the values of an argument come from: resources with a list of objects, and the field that holds the value.
struct Source {
    argument: &'static str,
    resources: &'static [&'static str],
    field: &'static str,
}

const SOURCES: &[Source] = &[
    Source { argument: "incident_id", resources: &["incidents_active", "incidents_resolved"], field: "id" },
    Source { argument: "maintenance_id", resources: &["maintenances_active", "maintenances_upcoming"], field: "id" },
    Source { argument: "beat_id", resources: &["beats"], field: "id" },
    Source { argument: "action_id", resources: &["beat_actions_pending"], field: "id" },
    Source { argument: "stage", resources: &["lifecycle_stages"], field: "name" },
    Source { argument: "status", resources: &["status_definitions"], field: "key" },
];

/// Values that fit what was typed, best first.
pub async fn suggest(surface: &HostedSurface<'_>, sought: &Completion) -> Result<Suggestions, Error> {
    if !is_known(surface, sought) {
        return Ok(Suggestions::default());
    }
    let candidates = match sought.argument.as_str() {
        "page_id" => pages(surface).await,
        "window_days" => Ok(WINDOWS.map(|days| Candidate::new(days, days)).to_vec()),
        argument => match SOURCES.iter().find(|source| source.argument == argument) {
            Some(source) => of_page(surface, sought, source).await,
            None => Ok(vec![]),
        },
    };
    match candidates {
        Ok(candidates) => Ok(Suggestions(matching(candidates, &sought.typed))),
        Err(Error::AccessEnded) => Err(Error::AccessEnded),
        Err(_) => Ok(Suggestions::default()),
    }
}

/// Whether the caller could use what the argument belongs to, and it has such an argument.
fn is_known(surface: &HostedSurface<'_>, sought: &Completion) -> bool {
    match &sought.of {
        CompletionTarget::Prompt(name) => surface
            .prompts()
            .iter()
            .any(|prompt| prompt.name == name && prompt.arguments.iter().any(|one| one.name == sought.argument)),
        CompletionTarget::Resource(template) => {
            let entry = RESOURCES.iter().find(|entry| Roots::HOSTED.listed_template(entry) == *template);
            let scopes = surface.guard.caller.scopes;
            let granted = entry.and_then(|entry| entry.hosted).is_some_and(|needs| scopes.contains(needs.scope));
            granted && template.contains(&format!("{{{}}}", sought.argument))
        }
    }
}

#[derive(Clone)]
struct Candidate {
    value: String,
    /// In lower case.
    words: String,
}

impl Candidate {
    fn new(value: &str, words: &str) -> Self {
        Candidate { value: value.to_owned(), words: words.to_lowercase() }
    }
}

async fn pages(surface: &HostedSurface<'_>) -> Result<Vec<Candidate>, Error> {
    // Any scope opens the list.
    let Some(scope) = surface.guard.caller.scopes.iter().next() else { return Ok(vec![]) };
    let pages = surface.pages(scope).await.map_err(|error| surface.trouble(super::PAGES, error))?;
    Ok(pages.iter().map(|page| Candidate::new(&page.id.to_string(), &page.name)).collect())
}

async fn of_page(surface: &HostedSurface<'_>, sought: &Completion, source: &Source) -> Result<Vec<Candidate>, Error> {
    let Some(page_id) = sought.chosen.get("page_id").and_then(|id| PageId::parse(id)) else { return Ok(vec![]) };
    let trouble = |error: ApiError| surface.trouble(super::PAGES, error);
    let mut candidates = Vec::new();
    let mut page = None;
    for entry in source.resources.iter().filter_map(|name| catalog::find_resource(name)) {
        let Some(needs) = entry.hosted.filter(|needs| surface.guard.caller.scopes.contains(needs.scope)) else {
            continue;
        };
        if page.is_none() {
            page = surface.page(page_id, &needs).await.map_err(trouble)?.ok();
        }
        let Some(page) = page.as_ref().filter(|page| access::check_role(page, &needs).is_ok()) else { continue };
        for read in entry.reads {
            let answer = surface.api().page(page).get(needs.scope, read.path).await.map_err(trouble)?;
            candidates.extend(candidates_of(&answer, source.field));
        }
    }
    Ok(candidates)
}

fn candidates_of(answer: &Value, field: &str) -> Vec<Candidate> {
    let items = answer.get("items").unwrap_or(answer).as_array().map(Vec::as_slice).unwrap_or_default();
    let candidate = |item: &Value| {
        let value = match &item[field] {
            Value::Number(id) => id.to_string(),
            Value::String(key) => catalog::text::clean(key),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let words = ["title", "name"].iter().find_map(|name| item[*name].as_str()).unwrap_or_default();
        (value.len() <= 100).then(|| Candidate::new(&value, words))
    };
    items.iter().filter_map(candidate).collect()
}

/// Those whose value begins with what was typed, then those whose words have it.
fn matching(candidates: Vec<Candidate>, typed: &str) -> Vec<String> {
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
