//! Prompts: who gets one, and the page that its resources are read from.

use super::access;
use super::handler::HostedHandler;
use super::read::{self, EarlyAnswers, OfferedResource};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Reach, Variables};
use crate::features::prompts;
use crate::mcp::{Error, Handled, PromptOutcome, ResourceContents};
use crate::model::ids::PageId;
use crate::model::scope::{Requirement, ScopeSet};
use crate::upstream::identity::AccessiblePage;
use futures_util::future::{join, join_all};

/// The URI of a page, up to its id.
const PAGES_ROOT: &str = "statibeat://pages/";

pub async fn get(handler: &HostedHandler<'_>, name: &str, arguments: Variables) -> Handled<PromptOutcome> {
    let (found, arguments, page_id) = match check(handler, name, arguments) {
        Ok(checked) => checked,
        Err(error) => return error.into(),
    };
    let wanted: Vec<_> = found.resources.iter().map(|name| wanted(name, &arguments)).collect();
    let early = wanted.iter().map(|wanted| start(handler, wanted, page_id));
    let (page, early) = join(find_page(handler, found, page_id), join_all(early)).await;
    let page = match page {
        Ok(page) => page,
        Err(error) => return error.into(),
    };
    let embedded = wanted.into_iter().zip(early).map(|(wanted, early)| embed(handler, &page, wanted, early));
    let outcome = prompts::outcome(found, &arguments, Reach::Hosted, join_all(embedded).await);
    Handled::on_page(outcome, Some(page.id))
}

/// The prompt, if the client was granted its scopes, with its arguments and its page.
fn check(
    handler: &HostedHandler<'_>,
    name: &str,
    arguments: Variables,
) -> Result<(&'static Prompt, Variables, PageId), Error> {
    let found = catalog::find_prompt(name).filter(|prompt| prompt.scopes().is_some());
    let found = found.ok_or_else(|| prompts::unknown(name))?;
    let needed: ScopeSet = requirements(found).map(|requirement| requirement.scope).collect();
    if !handler.context.caller.scopes.covers(needed) {
        return Err(Error::InsufficientScope { needed });
    }
    let arguments = prompts::check(found.arguments, arguments)?;
    let page_id = arguments.get("page_id").and_then(|id| PageId::parse(id));
    let page_id = page_id.ok_or_else(|| Error::InvalidParams("page_id must be the id of a page".to_owned()))?;
    Ok((found, arguments, page_id))
}

fn requirements(prompt: &Prompt) -> impl Iterator<Item = Requirement> {
    prompts::entries(prompt).filter_map(|entry| entry.hosted)
}

/// The page, where the person may read what the prompt is about.
async fn find_page(handler: &HostedHandler<'_>, prompt: &Prompt, id: PageId) -> Result<AccessiblePage, Error> {
    let uri = format!("{PAGES_ROOT}{id}");
    let main = requirements(prompt).next().ok_or_else(|| Error::Internal(format!("{} reads nothing", prompt.name)))?;
    let page = handler.page(id, &main).await.map_err(|error| handler.read_error(&uri, &error))?;
    page.map_err(|reason| read::refused(reason, &uri))
}

/// A resource of the prompt, and what people call it.
struct Part {
    title: &'static str,
    wanted: OfferedResource,
}

fn wanted(name: &str, arguments: &Variables) -> Result<Part, Error> {
    let entry = catalog::find_resource(name).ok_or_else(|| Error::Internal(format!("no resource {name}")))?;
    let uri = Roots::HOSTED.expand(entry, &prompts::variables(arguments));
    let uri = uri.ok_or_else(|| Error::InvalidParams(format!("{} needs another id", entry.title)))?;
    Ok(Part { title: entry.title, wanted: OfferedResource::parse(&uri)? })
}

fn start(
    handler: &HostedHandler<'_>,
    part: &Result<Part, Error>,
    page_id: PageId,
) -> impl Future<Output = Option<EarlyAnswers>> {
    let started = part.as_ref().ok().map(|part| part.wanted.start(handler, page_id));
    async move { started?.await }
}

async fn embed(
    handler: &HostedHandler<'_>,
    page: &AccessiblePage,
    part: Result<Part, Error>,
    early: Option<EarlyAnswers>,
) -> Result<ResourceContents, Error> {
    let Part { title, wanted } = part?;
    access::check_role(page, &wanted.requirement).map_err(|reason| read::refused(reason, title))?;
    wanted.finish(handler, page, early).await
}
