//! Prompts: who gets one, and the page that its resources are read from.

use super::access;
use super::handler::{HostedHandler, PAGES};
use super::read::{self, EarlyAnswers, OfferedResource};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Prompt, Reach, Resource, Variables};
use crate::features::prompts::{self, GivenArguments};
use crate::mcp::{Error, Handled, PromptOutcome, ResourceContents};
use crate::model::ids::PageId;
use crate::model::scope::Requirement;
use crate::model::visible::quote;
use crate::upstream::identity::AccessiblePage;
use futures_util::future::{join, join_all};

/// The URI of a page, up to its id.
const PAGES_ROOT: &str = "statibeat://pages/";
/// Most pages that an error names.
const PAGES_NAMED: usize = 10;
/// Longest name of a page in an error, in characters.
const NAME_MAX: usize = 60;

pub async fn get(handler: &HostedHandler<'_>, name: &str, arguments: Variables) -> Handled<PromptOutcome> {
    let (found, given) = match check(handler, name, arguments) {
        Ok((found, given)) if given.is_open => return Ok(prompts::open_outcome(found, &given, Reach::Hosted)).into(),
        Ok(checked) => checked,
        Err(error) => return error.into(),
    };
    fill_in(handler, found, given).await
}

/// The prompt with its resources, read on the page that was named or on the only one.
async fn fill_in(
    handler: &HostedHandler<'_>,
    found: &'static Prompt,
    mut given: GivenArguments,
) -> Handled<PromptOutcome> {
    let only = match given.page() {
        Some(_) => None,
        None => match only_page(handler, found).await {
            Ok(page) => Some(page),
            Err(error) => return error.into(),
        },
    };
    let Some(page_id) = only.as_ref().map(|page| page.id).or_else(|| PageId::parse(given.page()?)) else {
        return Error::InvalidParams("page_id must be the id of a page".to_owned()).into();
    };
    given.set_page(page_id);
    let variables = given.variables();
    let wanted: Vec<_> = prompts::entries(found).map(|entry| wanted(entry, &variables)).collect();
    let (page, early) = if let Some(page) = only {
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
    let outcome = prompts::outcome(found, given, Reach::Hosted, join_all(parts).await);
    Handled::on_page(outcome, Some(page.id))
}

/// The prompt, if the client was granted its scopes, with its arguments.
fn check(
    handler: &HostedHandler<'_>,
    name: &str,
    arguments: Variables,
) -> Result<(&'static Prompt, GivenArguments), Error> {
    let found = catalog::find_prompt(name).ok_or_else(|| prompts::unknown(name))?;
    let needed = found.scopes().ok_or_else(|| prompts::unknown(name))?;
    if !handler.context.caller.scopes.covers(needed) {
        return Err(Error::InsufficientScope { needed });
    }
    Ok((found, prompts::check(found.arguments, arguments)?))
}

/// Requirement of the main resource of a prompt.
fn main_requirement(prompt: &Prompt) -> Result<Requirement, Error> {
    let main = prompts::entries(prompt).next().and_then(|entry| entry.hosted);
    main.ok_or_else(|| Error::Internal(format!("{} reads nothing", prompt.name)))
}

/// The page of a prompt that names none: the only one there is.
async fn only_page(handler: &HostedHandler<'_>, prompt: &Prompt) -> Result<AccessiblePage, Error> {
    let main = main_requirement(prompt)?;
    let mut pages = handler.pages(main.scope).await.map_err(|error| handler.read_error(PAGES, &error))?;
    if pages.len() > 1 {
        let named = pages.iter().take(PAGES_NAMED);
        let named: Vec<String> = named.map(|page| format!("{} ({})", page.id, quote(&page.name, NAME_MAX))).collect();
        let more = pages.len() - named.len();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        return Err(Error::InvalidParams(format!("page_id is required: {}{more}", named.join(", "))));
    }
    let page = pages.pop();
    let page = page.ok_or_else(|| {
        Error::InvalidParams("page_id is required, and there is no page that you can access".to_owned())
    })?;
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
