//! Prompts: who gets one, and the page that its resources are read from.

use super::HostedSurface;
use super::access;
use super::read::{self, Wanted};
use crate::catalog::scope::{Requirement, ScopeSet};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Reach, Variables};
use crate::ids::PageId;
use crate::mcp::{Error, PromptOutcome, ResourceContents};
use crate::surface::prompt;
use crate::upstream::identity::AccessiblePage;
use futures_util::future::join_all;

/// Fills in a prompt.
pub async fn get(surface: &HostedSurface<'_>, name: &str, arguments: Variables) -> Result<PromptOutcome, Error> {
    let found = catalog::find_prompt(name).filter(|prompt| prompt.scopes().is_some());
    let found = found.ok_or_else(|| prompt::unknown(name))?;
    let needed: ScopeSet = requirements(found).map(|requirement| requirement.scope).collect();
    if !surface.guard.caller.scopes.covers(needed) {
        return Err(Error::InsufficientScope { needed });
    }
    let arguments = prompt::check(found.arguments, arguments)?;
    let page_id = arguments.get("page_id").and_then(|id| PageId::parse(id));
    let page_id = page_id.ok_or_else(|| Error::InvalidParams("page_id must be the id of a page".to_owned()))?;
    let page = find_page(surface, found, page_id).await?;
    let contents = join_all(found.resources.iter().map(|name| embed(surface, &page, name, &arguments))).await;
    prompt::outcome(found, &arguments, Reach::Hosted, contents)
}

fn requirements(prompt: &Prompt) -> impl Iterator<Item = Requirement> {
    prompt::entries(prompt).filter_map(|entry| entry.hosted)
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
    let uri = Roots::HOSTED.expand(entry, &prompt::variables(arguments));
    let wanted = Wanted::parse(&uri.ok_or_else(|| Error::InvalidParams(format!("{} needs another id", entry.title)))?)?;
    access::check_role(page, &wanted.requirement).map_err(|reason| read::refused(reason, entry.title))?;
    wanted.read(surface, Some(page)).await
}
