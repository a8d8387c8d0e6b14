//! Prompts: who gets one, and the page that its resources are read from.

use super::access;
use super::handler::{HostedHandler, PAGES, PageRead};
use super::lists;
use super::page_argument::{PAGE_ID, choose_page};
use super::page_lists::HostedPageLists;
use super::read::{self, OfferedResource, PageAnswers};
use crate::alternatives::targets::NumberedThing;
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Resource, Variables};
use crate::features::prompts::{self, GivenArguments, PromptServer};
use crate::mcp::{Error, Handled, PromptOutcome};
use crate::model::ids::PageId;
use crate::model::scope::Requirement;
use crate::upstream::identity::AccessiblePage;
use futures_util::future::join_all;
use std::rc::Rc;

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
    let read = async |page: &AccessiblePage| join_all(wanted.iter().map(|part| read_part(handler, page, part))).await;
    let (page, answers) = if let Some(page) = by_name {
        let answers = read(&page).await;
        (Rc::new(page), answers)
    } else {
        let needs = match main_requirement(found) {
            Ok(needs) => needs,
            Err(error) => return error.into(),
        };
        let granted = handler.context.caller.scopes;
        let permissions = wanted.iter().flatten().flat_map(|part| part.wanted.permissions(granted)).collect();
        match read_on_page(handler, PageRead { id: page_id, needs, permissions }, read).await {
            Ok(found) => found,
            Err(error) => return error.into(),
        }
    };
    let parts = wanted.iter().zip(answers).map(async |(part, answers)| match (part, answers) {
        (Ok(part), Ok(answers)) => part.wanted.contents(handler, &page, answers).await,
        (Err(error), _) => Err(error.clone()),
        (_, Err(error)) => Err(error),
    });
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

/// The page and its reads, where the person may read what the prompt is about.
async fn read_on_page(
    handler: &HostedHandler<'_>,
    wanted: PageRead,
    read: impl AsyncFn(&AccessiblePage) -> Vec<Result<PageAnswers, Error>>,
) -> Result<(Rc<AccessiblePage>, Vec<Result<PageAnswers, Error>>), Error> {
    let id = wanted.id;
    let uri = format!("{PAGES_ROOT}{id}");
    let are_refused =
        |answers: &Vec<Result<PageAnswers, Error>>| answers.iter().flatten().any(PageAnswers::are_refused);
    let found = handler.read_on_page(wanted, read, are_refused).await;
    found.map_err(|error| handler.read_error(&uri, &error))?.map_err(|reason| read::refused(reason, &uri, id))
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

/// Reads a part, or says why it may not be read.
async fn read_part(
    handler: &HostedHandler<'_>,
    page: &AccessiblePage,
    part: &Result<PromptPart, Error>,
) -> Result<PageAnswers, Error> {
    let part = part.as_ref().map_err(Clone::clone)?;
    let PromptPart { title, wanted } = part;
    let scope = wanted.requirement.scope;
    if !handler.context.caller.scopes.contains(scope) {
        return Err(Error::Forbidden(format!("This connection was not granted {}.", scope.as_str())));
    }
    access::check_role(page, &wanted.requirement).map_err(|reason| read::refused(reason, title, page.id))?;
    Ok(wanted.read(handler, page).await)
}
