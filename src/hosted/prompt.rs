//! Prompts: who gets one, and the page that its resources are read from.

use super::access;
use super::handler::{HostedHandler, PAGES};
use super::lists;
use super::page_argument::{PAGE_ID, choose_page};
use super::page_lists::HostedPageLists;
use super::read::{self, EarlyAnswers, OfferedResource};
use crate::alternatives::targets::NumberedThing;
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Resource, Variables};
use crate::features::prompts::{self, GivenArguments, PromptServer};
use crate::mcp::{Error, Handled, PromptOutcome, ResourceContents};
use crate::model::ids::PageId;
use crate::model::scope::Requirement;
use crate::upstream::identity::AccessiblePage;
use futures_util::future::{join, join_all};

pub(super) const SERVER: PromptServer<'_> = PromptServer { roots: &Roots::HOSTED, has_tool: &lists::has_tool };
/// The URI of a page, up to its id.
const PAGES_ROOT: &str = "statibeat://pages/";

pub async fn get(handler: &HostedHandler<'_>, name: &str, arguments: Variables) -> Handled<PromptOutcome> {
    let found = match find_granted(handler, name) {
        Ok(found) => found,
        Err(error) => return error.into(),
    };
    match prompts::check(found.arguments, arguments.clone()) {
        Ok(given) if given.is_open => Ok(prompts::open_outcome(found, &given, SERVER)).into(),
        Ok(given) => fill_in(handler, found, given).await,
        Err(problems) => explain(handler, problems, &arguments).await.into(),
    }
}

/// The error for arguments that do not fit, with what the page has in the place of ids that are none.
async fn explain(handler: &HostedHandler<'_>, mut problems: Vec<String>, arguments: &Variables) -> Error {
    let things: Vec<&NumberedThing> = NumberedThing::in_problems(&problems).collect();
    if !things.is_empty()
        && let Some(pages) = handler.visible_pages().await
        && let Ok(page) = choose_page(&pages, arguments.get(PAGE_ID).map(String::as_str))
    {
        for thing in things {
            problems.extend(thing.describe_in_place(&HostedPageLists { handler, page }).await);
        }
    }
    prompts::invalid(&problems)
}

/// The prompt with its resources, read on the page that was given, or on the only one.
async fn fill_in(
    handler: &HostedHandler<'_>,
    found: &'static Prompt,
    mut given: GivenArguments,
) -> Handled<PromptOutcome> {
    let by_number = given.page().and_then(PageId::parse);
    let by_name = match by_number {
        Some(_) => None,
        None => match find_page_by_name(handler, found, given.page()).await {
            Ok(page) => Some(page),
            Err(error) => return error.into(),
        },
    };
    let Some(page_id) = by_number.or(by_name.as_ref().map(|page| page.id)) else {
        return Error::Internal("a prompt without a page".to_owned()).into();
    };
    given.set_page(page_id);
    let variables = given.variables();
    let wanted: Vec<_> = prompts::entries(found).map(|entry| wanted(entry, &variables)).collect();
    let (page, early) = if let Some(page) = by_name {
        (Ok(page), wanted.iter().map(|_| None).collect())
    } else {
        let early = wanted.iter().map(|wanted| start(handler, wanted, page_id));
        join(find_page(handler, found, page_id), join_all(early)).await
    };
    let page = match page {
        Ok(page) => page,
        Err(error) => return error.into(),
    };
    let parts = wanted.into_iter().zip(early).map(|(wanted, early)| read_part(handler, &page, wanted, early));
    let outcome = prompts::outcome(found, given, SERVER, join_all(parts).await);
    Handled::on_page(outcome, Some(page.id))
}

/// The prompt, if the client was granted its scopes.
fn find_granted(handler: &HostedHandler<'_>, name: &str) -> Result<&'static Prompt, Error> {
    let granted = handler.context.caller.scopes;
    let found = catalog::find_prompt(name).and_then(|found| Some((found, found.scopes()?)));
    let (found, needed) = found.ok_or_else(|| prompts::unknown(name, lists::prompt_names(granted)))?;
    if granted.covers(needed) { Ok(found) } else { Err(Error::InsufficientScope { needed }) }
}

/// Requirement of the main resource of a prompt.
fn main_requirement(prompt: &Prompt) -> Result<Requirement, Error> {
    let main = prompts::entries(prompt).next().and_then(|entry| entry.hosted);
    main.ok_or_else(|| Error::Internal(format!("{} reads nothing", prompt.name)))
}

/// The page of a prompt that gives its slug or name, or no page where there is only one.
async fn find_page_by_name(
    handler: &HostedHandler<'_>,
    prompt: &Prompt,
    name: Option<&str>,
) -> Result<AccessiblePage, Error> {
    let main = main_requirement(prompt)?;
    let pages = handler.pages(main.scope).await.map_err(|error| handler.read_error(PAGES, &error))?;
    let page = choose_page(&pages, name).map_err(|problem| prompts::invalid(&[problem]))?.clone();
    access::check_role(&page, &main).map_err(|reason| read::refused(reason, PAGES, page.id))?;
    Ok(page)
}

/// The page, where the person may read what the prompt is about.
async fn find_page(handler: &HostedHandler<'_>, prompt: &Prompt, id: PageId) -> Result<AccessiblePage, Error> {
    let uri = format!("{PAGES_ROOT}{id}");
    let page = handler.page(id, &main_requirement(prompt)?).await.map_err(|error| handler.read_error(&uri, &error))?;
    page.map_err(|reason| read::refused(reason, &uri, id))
}

/// A resource of the prompt, and what people call it.
struct PromptPart {
    title: &'static str,
    wanted: OfferedResource,
}

fn wanted(entry: &'static Resource, variables: &Variables) -> Result<PromptPart, Error> {
    let uri = Roots::HOSTED.expand(entry, variables);
    let uri = uri.ok_or_else(|| Error::InvalidParams(format!("{} needs another id", entry.title)))?;
    Ok(PromptPart { title: entry.title, wanted: OfferedResource::parse(&uri)? })
}

fn start(
    handler: &HostedHandler<'_>,
    part: &Result<PromptPart, Error>,
    page_id: PageId,
) -> impl Future<Output = Option<EarlyAnswers>> {
    let part = part.as_ref().ok().filter(|part| is_granted(handler, part));
    let started = part.map(|part| part.wanted.start(handler, page_id));
    async move { started?.await }
}

fn is_granted(handler: &HostedHandler<'_>, part: &PromptPart) -> bool {
    handler.context.caller.scopes.contains(part.wanted.requirement.scope)
}

async fn read_part(
    handler: &HostedHandler<'_>,
    page: &AccessiblePage,
    part: Result<PromptPart, Error>,
    early: Option<EarlyAnswers>,
) -> Result<ResourceContents, Error> {
    let part = part?;
    if !is_granted(handler, &part) {
        let scope = part.wanted.requirement.scope;
        return Err(Error::Forbidden(format!("This connection was not granted {}.", scope.as_str())));
    }
    access::check_role(page, &part.wanted.requirement).map_err(|reason| read::refused(reason, part.title, page.id))?;
    part.wanted.finish(handler, page, early).await
}
