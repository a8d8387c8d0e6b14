//! Completion: ids and keys that the person could mean, out of what they may see.
//!
//! Completion never refuses: whatever is unknown, not granted or not reachable has no suggestions.

use super::HostedSurface;
use super::access;
use crate::catalog::uri::Roots;
use crate::catalog::{self, resources::RESOURCES};
use crate::ids::PageId;
use crate::mcp::{Completion, CompletionTarget, Error, Suggestions, Surface as _};
use crate::surface::complete::{Candidate, Source, WINDOWS, candidates_of, matching, source};
use crate::upstream::ApiError;

/// Values that fit what was typed, best first.
pub async fn suggest(surface: &HostedSurface<'_>, sought: &Completion) -> Result<Suggestions, Error> {
    if !is_known(surface, sought) {
        return Ok(Suggestions::default());
    }
    let candidates = match sought.argument.as_str() {
        "page_id" => pages(surface).await,
        "window_days" => Ok(WINDOWS.map(|days| Candidate::new(days, days)).to_vec()),
        argument => match source(argument) {
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
            let answer = surface.api().page(page, needs.scope).get(read.path).await.map_err(trouble)?;
            candidates.extend(candidates_of(&answer, source.field));
        }
    }
    Ok(candidates)
}
