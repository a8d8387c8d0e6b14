//! Prompts: the text with the arguments filled in, and the resources it needs, freshly read.
//!
//! Many clients cannot read resources, so a prompt brings them along. The first resource of a prompt is what it is
//! about: without it there is no prompt. Of the others, what cannot be had is said in the text.

use super::HostedSurface;
use super::access;
use super::read::{self, Wanted};
use crate::catalog::scope::{Requirement, ScopeSet};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Resource, Variables, text};
use crate::ids::PageId;
use crate::mcp::{Error, PromptContent, PromptOutcome, ResourceContents};
use crate::upstream::identity::AccessiblePage;
use futures_util::future::join_all;

/// Longest argument that is put into a text, in characters.
const ARGUMENT_MAX: usize = 4000;

/// Fills in a prompt.
pub async fn get(surface: &HostedSurface<'_>, name: &str, arguments: Variables) -> Result<PromptOutcome, Error> {
    let unknown = || Error::UnknownPrompt(name.chars().take(100).collect());
    let prompt = catalog::find_prompt(name).filter(|prompt| prompt.scopes().is_some()).ok_or_else(unknown)?;
    let needed: ScopeSet = requirements(prompt).map(|requirement| requirement.scope).collect();
    if !surface.guard.caller.scopes.covers(needed) {
        return Err(Error::InsufficientScope { needed });
    }
    let arguments = check(prompt, arguments)?;
    let page_id = arguments.get("page_id").and_then(|id| PageId::parse(id));
    let page_id = page_id.ok_or_else(|| Error::InvalidParams("page_id must be the id of a page".to_owned()))?;
    let page = find_page(surface, prompt, page_id).await?;
    let contents = join_all(prompt.resources.iter().map(|name| embed(surface, &page, name, &arguments))).await;
    outcome(prompt, &arguments, contents)
}

fn requirements(prompt: &Prompt) -> impl Iterator<Item = Requirement> {
    entries(prompt).filter_map(|entry| entry.hosted)
}

fn entries(prompt: &Prompt) -> impl Iterator<Item = &'static Resource> {
    prompt.resources.iter().filter_map(|name| catalog::find_resource(name))
}

/// The page, where the person may read what the prompt is about.
async fn find_page(surface: &HostedSurface<'_>, prompt: &Prompt, id: PageId) -> Result<AccessiblePage, Error> {
    let uri = format!("{}{id}", super::PAGES_ROOT);
    let main = requirements(prompt).next().ok_or_else(|| Error::Internal(format!("{} reads nothing", prompt.name)))?;
    let page = surface.page(id, &main).await.map_err(|error| surface.trouble(&uri, error))?;
    page.map_err(|reason| read::refused(reason, &uri))
}

async fn embed(
    surface: &HostedSurface<'_>,
    page: &AccessiblePage,
    name: &str,
    arguments: &Variables,
) -> Result<ResourceContents, Error> {
    let entry = catalog::find_resource(name).ok_or_else(|| Error::Internal(format!("no resource {name}")))?;
    let own = arguments.iter().filter(|(name, _)| name.ends_with("_id"));
    let own: Variables = own.map(|(name, id)| (name.clone(), id.clone())).collect();
    let uri = Roots::HOSTED.expand(entry, &own);
    let wanted = Wanted::parse(&uri.ok_or_else(|| Error::InvalidParams(format!("{} needs another id", entry.title)))?)?;
    access::check_role(page, &wanted.requirement).map_err(|reason| read::refused(reason, entry.title))?;
    wanted.read(surface, Some(page)).await
}

fn outcome(
    prompt: &Prompt,
    arguments: &Variables,
    contents: Vec<Result<ResourceContents, Error>>,
) -> Result<PromptOutcome, Error> {
    let mut words = (prompt.text)(arguments);
    let mut embedded = Vec::new();
    for (index, (entry, contents)) in entries(prompt).zip(contents).enumerate() {
        match contents {
            Ok(contents) => embedded.push(PromptContent::Resource(contents)),
            Err(error @ (Error::Forbidden(_) | Error::Unavailable { .. } | Error::ResourceNotFound(_)))
                if index > 0 =>
            {
                let missing = format!("\n\nNot available now: {} ({error}). Say so where it matters.", entry.title);
                words.push_str(&missing);
            }
            Err(error) => return Err(error),
        }
    }
    let messages = std::iter::once(PromptContent::Text(words)).chain(embedded).collect();
    Ok(PromptOutcome { description: prompt.description, messages })
}

/// Exactly the prompt's arguments, cleaned; ids are ids.
fn check(prompt: &Prompt, mut given: Variables) -> Result<Variables, Error> {
    let wrong = |words: String| Error::InvalidParams(words);
    let mut checked = Variables::new();
    for argument in prompt.arguments {
        let value = given.remove(argument.name).map(|value| text::clean(&value).trim().to_owned());
        match value.filter(|value| !value.is_empty()) {
            Some(value) if argument.name.ends_with("_id") && PageId::parse(&value).is_none() => {
                return Err(wrong(format!("{} must be a positive whole number", argument.name)));
            }
            Some(value) => checked.insert(argument.name.to_owned(), text::cap(&value, ARGUMENT_MAX)),
            None if argument.required => return Err(wrong(format!("{} is required", argument.name))),
            None => None,
        };
    }
    match given.keys().next() {
        Some(unknown) => Err(wrong(format!("unknown argument {}", unknown.chars().take(64).collect::<String>()))),
        None => Ok(checked),
    }
}
