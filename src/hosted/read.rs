//! Reading resources: whether the one that a URI means may be read here, and its upstream reads in parallel.

use super::HostedSurface;
use super::access::{self, Denied};
use crate::catalog::scope::Requirement;
use crate::catalog::uri::Roots;
use crate::mcp::{Error, ResourceContents};
use crate::surface;
use crate::upstream::ApiError;
use crate::upstream::identity::{AccessiblePage, PAGES_PATH};
use serde_json::Value;

/// Reads the resource of that URI.
pub async fn one(surface: &HostedSurface<'_>, uri: &str) -> Result<ResourceContents, Error> {
    let wanted = Wanted::parse(uri)?;
    access::check_scope(surface.guard.caller.scopes, &wanted.requirement)?;
    let page = match wanted.inner.found.page_id() {
        Some(id) => {
            let page = surface.page(id, &wanted.requirement).await.map_err(|error| surface.trouble(uri, error))?;
            Some(page.map_err(|reason| refused(reason, uri))?)
        }
        None => None,
    };
    wanted.read(surface, page.as_ref()).await
}

/// A resource that a URI names, and what reading it asks for.
pub struct Wanted {
    inner: surface::read::Wanted,
    /// What it asks for.
    pub requirement: Requirement,
}

impl Wanted {
    /// The resource of that URI, if Hosted MCP offers one.
    pub fn parse(uri: &str) -> Result<Wanted, Error> {
        let inner = surface::read::Wanted::parse(uri, &Roots::HOSTED, |entry| entry.hosted.is_some())?;
        let requirement = inner.found.resource.hosted.ok_or_else(|| Error::ResourceNotFound(uri.to_owned()))?;
        Ok(Wanted { inner, requirement })
    }

    /// Its contents, on a page that was looked at before.
    pub async fn read(
        &self,
        surface: &HostedSurface<'_>,
        page: Option<&AccessiblePage>,
    ) -> Result<ResourceContents, Error> {
        let (paths, api, scope) = (self.inner.paths()?, surface.api(), self.requirement.scope);
        let answers = match page {
            Some(page) => api.page(page, scope).get_all(&paths).await,
            None => keep_chosen_pages(surface, &paths, api.get_all(scope, &paths).await),
        };
        self.inner.contents(page.map(|page| &page.raw), answers, surface.guard.log)
    }
}

/// A page that the person did not choose for this client is in no list of theirs.
fn keep_chosen_pages(
    surface: &HostedSurface<'_>,
    paths: &[String],
    mut answers: Vec<Result<Value, ApiError>>,
) -> Vec<Result<Value, ApiError>> {
    for (answer, path) in answers.iter_mut().zip(paths) {
        if let Ok(list) = answer
            && path == PAGES_PATH
        {
            access::keep_pages(list, |page_id| surface.guard.caller.reaches(page_id));
        }
    }
    answers
}

/// A page or a role that does not allow a read.
pub fn refused(reason: Denied, uri: &str) -> Error {
    match reason {
        Denied::Page => Error::ResourceNotFound(uri.to_owned()),
        Denied::Role { missing, page_name } => Error::Forbidden(access::role_sentence(missing, &page_name)),
    }
}
