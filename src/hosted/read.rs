//! Reading resources: whether the one that a URI means may be read here, and its upstream reads in parallel.
//!
//! Scopes, chosen pages and blocks are checked here; the person's role is StatiBeat's own check of each read.

use super::access::{self, AccessDenied};
use super::handler::{HostedHandler, PageRead};
use super::page_argument::PageArgumentError;
use super::page_lists::HostedPageLists;
use super::page_names::PageNames;
use crate::alternatives::uri::{PageInUri, UnknownUri};
use crate::catalog::MISSING;
use crate::catalog::uri::{Roots, split_query};
use crate::features;
use crate::features::resources::{UpstreamAnswers, part_answer};
use crate::mcp::{Error, Handled, ResourceContents};
use crate::model::ids::PageId;
use crate::model::scope::{PagePermission, Requirement, ScopeSet};
use crate::model::visible::quote;
use crate::upstream::identity::{AccessiblePage, PAGES_PATH};
use crate::upstream::{ApiError, ApiErrorKind};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::iter;

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
    let permissions = wanted.permissions(handler.context.caller.scopes).collect();
    let page_read = PageRead { id, needs: wanted.requirement, permissions };
    let read = async |page: &AccessiblePage| wanted.read(handler, page).await;
    match handler.read_on_page(page_read, read, PageAnswers::are_refused).await {
        Err(error) => handler.read_error(uri, &error).into(),
        Ok(Err(reason)) => {
            let missing = reason.missing(id);
            Handled::missing(refused(reason, uri, id), missing)
        }
        Ok(Ok((page, answers))) => Handled::on_page(wanted.contents(handler, &page, answers).await, Some(page.id)),
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

/// StatiBeat's answers to the reads of a resource on a page.
pub struct PageAnswers {
    answers: Vec<Result<Value, ApiError>>,
    parts: Value,
}

impl PageAnswers {
    /// Returns whether StatiBeat refused a read: the person lost the page or the permission, or something that the URI names is
    /// not there.
    pub fn are_refused(&self) -> bool {
        let is_refused = |error: &ApiError| matches!(error.kind, ApiErrorKind::Forbidden | ApiErrorKind::NotFound);
        self.answers.iter().any(|answer| answer.as_ref().is_err_and(is_refused))
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

    /// The permissions that it and its parts make use of, for a client with these scopes.
    pub fn permissions(&self, granted: ScopeSet) -> impl Iterator<Item = PagePermission> {
        let parts = self.inner.found.resource.parts.iter().map(|part| part.needs);
        let used = iter::once(self.requirement).chain(parts).filter(move |needs| granted.contains(needs.scope));
        used.flat_map(|needs| needs.permissions.iter().copied())
    }

    /// Reads it on a page.
    pub async fn read(&self, handler: &HostedHandler<'_>, page: &AccessiblePage) -> PageAnswers {
        let Ok(paths) = self.inner.paths() else { return PageAnswers { answers: Vec::new(), parts: Value::Null } };
        let api = handler.api().page(page, self.requirement.scope);
        let (answers, parts) = join(api.get_all(&paths), self.parts(handler, page)).await;
        PageAnswers { answers, parts }
    }

    /// Its contents, on a page that the person may see.
    pub async fn contents(
        &self,
        handler: &HostedHandler<'_>,
        page: &AccessiblePage,
        PageAnswers { answers, parts }: PageAnswers,
    ) -> Result<ResourceContents, Error> {
        self.inner.paths()?;
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
            let by_role = || withheld("Your role on the page does not allow it.".to_owned());
            if access::check_role(page, &part.needs).is_err() {
                return by_role();
            }
            match handler.api().page(page, part.needs.scope).get(part.path).await {
                Err(error) if error.kind == ApiErrorKind::Forbidden => by_role(),
                answer => part_answer(part, answer, handler.context.log),
            }
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
