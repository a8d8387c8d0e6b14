//! Reading resources: whether the one that a URI means may be read here, and its upstream reads in parallel.

use super::access::{self, AccessDenied};
use super::handler::HostedHandler;
use super::page_argument::PageArgumentError;
use super::page_lists::HostedPageLists;
use super::page_names::PageNames;
use crate::alternatives::uri::{PageInUri, UnknownUri};
use crate::catalog::MISSING;
use crate::catalog::uri::{Roots, split_query};
use crate::features;
use crate::features::resources::{UpstreamAnswers, part_answer};
use crate::mcp::{Error, Handled, ResourceContents};
use crate::model::ids::{OrganizationId, PageId};
use crate::model::scope::Requirement;
use crate::model::visible::quote;
use crate::upstream::ApiError;
use crate::upstream::identity::{AccessiblePage, PAGES_PATH};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// Longest URI that is quoted, in characters.
const URI_MAX: usize = 200;

/// Reads the resource of that URI.
pub async fn one(handler: &HostedHandler<'_>, uri: &str) -> Handled<ResourceContents> {
    let wanted = match OfferedResource::granted(handler, uri) {
        Ok(wanted) => wanted,
        Err(Error::ResourceNotFound { .. }) => return unknown(handler, uri).await.into(),
        Err(error) => return error.into(),
    };
    let Some(id) = wanted.inner.found.page_id() else { return wanted.read_of_session(handler).await.into() };
    let (page, early) = join(handler.page(id, &wanted.requirement), wanted.start(handler, id)).await;
    match page {
        Err(error) => handler.read_error(uri, &error).into(),
        Ok(Err(reason)) => {
            let missing = reason.missing(id);
            Handled::missing(refused(reason, uri, id), missing)
        }
        Ok(Ok(page)) => Handled::on_page(wanted.finish(handler, &page, early).await, Some(page.id)),
    }
}

/// The error for a URI that names no resource: what is wrong with it, and what would work.
async fn unknown(handler: &HostedHandler<'_>, uri: &str) -> Error {
    let unknown = UnknownUri::new(uri, &Roots::HOSTED, handler.granted().map(|(entry, _)| entry).collect());
    let page = unknown.page();
    let names = if page == PageInUri::NotBound {
        None
    } else {
        handler.visible_pages().await.map(|pages| PageNames::new(&pages))
    };
    let (page_id, problem) = match (page, &names) {
        (PageInUri::Number(page_id), Some(names)) if !names.contains(page_id) => {
            return Error::ResourceNotFound { uri: uri.to_owned(), message: names.describe_unknown(page_id) };
        }
        (PageInUri::Number(page_id), Some(_)) => (Some(page_id), None),
        (PageInUri::Text(text), names) => {
            // A variable that was not filled in is a missing page.
            let error = PageArgumentError::new(if text == "{page_id}" { Value::Null } else { text.into() });
            let meant = names.as_ref().and_then(|names| error.find_meant(names));
            (meant, Some(error.describe(names.as_ref())))
        }
        (PageInUri::Missing, Some(names)) => (names.only(), Some(names.to_string())),
        (PageInUri::Number(_) | PageInUri::Missing | PageInUri::NotBound, _) => (None, None),
    };
    let problem = problem.map(|problem| format!("{problem}. ")).unwrap_or_default();
    let message = format!("No such resource: {}. {problem}{}", quote(uri, URI_MAX), unknown.describe(page_id));
    Error::ResourceNotFound { uri: uri.to_owned(), message }
}

/// Answers of a page's reads from before it was known whether the person may see the page.
pub struct EarlyAnswers {
    organization_id: OrganizationId,
    answers: Vec<Result<Value, ApiError>>,
}

impl EarlyAnswers {
    fn has_outage(&self) -> bool {
        self.answers.iter().any(|answer| answer.as_ref().is_err_and(ApiError::is_outage))
    }
}

/// A resource that a URI names, and what reading it asks for.
pub struct OfferedResource {
    inner: features::resources::RequestedResource,
    pub requirement: Requirement,
}

impl OfferedResource {
    /// The resource of that URI, if Hosted MCP offers one.
    pub fn parse(uri: &str) -> Result<OfferedResource, Error> {
        let inner = features::resources::RequestedResource::parse(uri, &Roots::HOSTED, |entry| entry.hosted.is_some())?;
        let requirement = inner.found.resource.hosted.ok_or_else(|| features::no_such_resource(uri))?;
        Ok(OfferedResource { inner, requirement })
    }

    /// The resource of that URI, if the client was granted its scope.
    fn granted(handler: &HostedHandler<'_>, uri: &str) -> Result<OfferedResource, Error> {
        let wanted = Self::parse(uri)?;
        access::check_scope(handler.context.caller.scopes, &wanted.requirement)?;
        Ok(wanted)
    }

    async fn read_of_session(&self, handler: &HostedHandler<'_>) -> Result<ResourceContents, Error> {
        let paths = self.inner.paths()?;
        let answers = handler.api().get_all(self.requirement.scope, &paths).await;
        let answers = keep_chosen_pages(handler, &paths, answers);
        let parts = self.parts_of_pages(handler, answers.first()).await;
        let upstream = UpstreamAnswers { page: None, answers, parts };
        let mut contents = self.inner.contents(upstream, handler.context.now, handler.context.log)?;
        if let Some(paths) = contents.body.pointer_mut(PATHS_OF_A_PAGE).and_then(Value::as_array_mut) {
            let granted: Vec<&str> = handler.granted().map(|(entry, _)| split_query(entry.path).0).collect();
            paths.retain(|path| path.as_str().is_some_and(|path| granted.contains(&path)));
        }
        Ok(contents)
    }

    /// Reads the page beside the question whether the person may see it, so that the two waits are one. Nothing where the
    /// person's own list did not have the page a moment ago, or where the person did not choose the page for this client:
    /// a page that exists and one that does not are asked about in the same way.
    pub fn start(&self, handler: &HostedHandler<'_>, page_id: PageId) -> impl Future<Output = Option<EarlyAnswers>> {
        let is_chosen = handler.context.caller.reaches(page_id);
        let page = handler.api().early_page(page_id, &self.requirement).filter(|_| is_chosen);
        async move {
            let page = page?;
            let answers = page.get_all(&self.inner.paths().ok()?).await;
            Some(EarlyAnswers { organization_id: page.organization_id, answers })
        }
    }

    /// Its contents, on a page that the person may see: of what was read early if that was the right address, else read now.
    pub async fn finish(
        &self,
        handler: &HostedHandler<'_>,
        page: &AccessiblePage,
        early: Option<EarlyAnswers>,
    ) -> Result<ResourceContents, Error> {
        let paths = self.inner.paths()?;
        let parts = self.parts(handler, page);
        let (answers, parts) = match early {
            Some(early) if early.organization_id == page.organization_id => {
                if early.has_outage() {
                    handler.api().suspend_early_reads(page);
                }
                (early.answers, parts.await)
            }
            _ => join(handler.api().page(page, self.requirement.scope).get_all(&paths), parts).await,
        };
        let upstream = UpstreamAnswers { page: Some(&page.raw), answers, parts };
        match self.inner.contents(upstream, handler.context.now, handler.context.log) {
            Ok(contents) => Ok(contents),
            Err(error) => Err(self.inner.explain_missing(error, &HostedPageLists { handler, page }).await),
        }
    }
}

/// The paths that the list of pages names, in its body.
const PATHS_OF_A_PAGE: &str = "/resources_of_a_page/paths";
/// Maximum number of pages whose parts a session resource reads, all concurrently.
const PAGES_WITH_PARTS: usize = 5;

impl OfferedResource {
    /// The parts of a page-bound resource, each where its scope was granted and the role allows it.
    async fn parts(&self, handler: &HostedHandler<'_>, page: &AccessiblePage) -> Value {
        let parts = self.inner.found.resource.parts.iter().map(|part| async move {
            let withheld = |reason: String| (part.name.to_owned(), json!({ MISSING: reason }));
            if let Err(missing) = access::check_scope(handler.context.caller.scopes, &part.needs) {
                return withheld(format!("This connection was not granted {}.", missing.0));
            }
            if access::check_role(page, &part.needs).is_err() {
                return withheld("Your role on the page does not allow it.".to_owned());
            }
            let answer = handler.api().page(page, part.needs.scope).get(part.path).await;
            part_answer(part, answer, handler.context.log)
        });
        Value::Object(join_all(parts).await.into_iter().collect())
    }

    /// The parts of the first pages of a list that was just read, by page id.
    async fn parts_of_pages(&self, handler: &HostedHandler<'_>, pages: Option<&Result<Value, ApiError>>) -> Value {
        let Some(Ok(list)) = pages.filter(|_| !self.inner.found.resource.parts.is_empty()) else { return Value::Null };
        let entries = list.get("items").unwrap_or(list).as_array().map(Vec::as_slice).unwrap_or_default();
        let pages = entries.iter().filter_map(AccessiblePage::parse).filter(access::is_visible);
        let read =
            pages.take(PAGES_WITH_PARTS).map(async |page| (page.id.to_string(), self.parts(handler, &page).await));
        Value::Object(join_all(read).await.into_iter().collect())
    }
}

/// A page that the person did not choose for this client is in no list of theirs.
fn keep_chosen_pages(
    handler: &HostedHandler<'_>,
    paths: &[String],
    mut answers: Vec<Result<Value, ApiError>>,
) -> Vec<Result<Value, ApiError>> {
    for (answer, path) in answers.iter_mut().zip(paths) {
        if let Ok(list) = answer
            && path == PAGES_PATH
        {
            access::keep_pages(list, |page_id| handler.context.caller.reaches(page_id));
        }
    }
    answers
}

/// A page or a role that does not allow a read.
pub fn refused(reason: AccessDenied, uri: &str, page_id: PageId) -> Error {
    match reason {
        AccessDenied::Page(names) => {
            Error::ResourceNotFound { uri: uri.to_owned(), message: names.describe_unknown(page_id) }
        }
        AccessDenied::Role { missing, page_name } => Error::Forbidden(access::role_sentence(missing, &page_name)),
    }
}
