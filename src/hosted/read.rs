//! Reading resources: which entry a URI means, whether it may be read, its upstream reads in parallel, its body.

use super::HostedSurface;
use super::access::{self, Denied};
use crate::catalog::resources::{RESOURCES, check_query};
use crate::catalog::scope::Requirement;
use crate::catalog::uri::{self, Match, Roots};
use crate::catalog::{BodyError, Read, Subject};
use crate::mcp::{Error, ResourceContents};
use crate::upstream::ApiError;
use crate::upstream::identity::{AccessiblePage, PAGES_PATH};
use serde_json::Value;

/// Reads the resource of that URI.
pub async fn one(surface: &HostedSurface<'_>, uri: &str) -> Result<ResourceContents, Error> {
    let wanted = Wanted::parse(uri)?;
    access::check_scope(surface.guard.caller.scopes, &wanted.requirement)?;
    let page = match wanted.found.page_id() {
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
    uri: String,
    found: Match,
    /// What it asks for.
    pub requirement: Requirement,
}

impl Wanted {
    /// The resource of that URI, if Hosted MCP offers one.
    pub fn parse(uri: &str) -> Result<Wanted, Error> {
        let unknown = || Error::ResourceNotFound(uri.to_owned());
        let found = Roots::HOSTED.find(uri, RESOURCES).ok_or_else(unknown)?;
        let requirement = found.resource.hosted.ok_or_else(unknown)?;
        check_query(&found.variables).map_err(|error| Error::InvalidParams(error.0))?;
        Ok(Wanted { uri: uri.to_owned(), found, requirement })
    }

    /// Its contents, on a page that was looked at before.
    pub async fn read(
        &self,
        surface: &HostedSurface<'_>,
        page: Option<&AccessiblePage>,
    ) -> Result<ResourceContents, Error> {
        let answers = self.fetch(surface, page).await.map_err(|error| surface.trouble(&self.uri, error))?;
        let resource = self.found.resource;
        let bare_uri = self.uri.split('?').next().unwrap_or_default();
        let subject = Subject { variables: &self.found.variables, page: page.map(|page| &page.raw), uri: bare_uri };
        let body = resource.render(&subject, answers).map_err(|error| match error {
            BodyError::Malformed(_) => surface.trouble(&self.uri, ApiError::Malformed(error.to_string())),
            BodyError::Cursor => Error::InvalidParams(error.to_string()),
            BodyError::Absent => Error::ResourceNotFound(self.uri.clone()),
        })?;
        Ok(ResourceContents { uri: self.uri.clone(), body, fresh_for: resource.fresh_for, media: None })
    }

    /// The answers to the entry's reads; `None` for an optional one that failed.
    async fn fetch(
        &self,
        surface: &HostedSurface<'_>,
        page: Option<&AccessiblePage>,
    ) -> Result<Vec<Option<Value>>, ApiError> {
        let reads = self.found.resource.reads;
        let paths: Option<Vec<String>> =
            reads.iter().map(|read| uri::expand(read.path, &self.found.variables)).collect();
        let paths = paths.ok_or_else(|| ApiError::Unfit(format!("{} lacks a variable", self.found.resource.name)))?;
        let (api, scope) = (surface.api(), self.requirement.scope);
        let answers = match page {
            Some(page) => api.page(page).get_all(scope, &paths).await,
            None => Self::keep_chosen_pages(surface, &paths, api.get_all(scope, &paths).await),
        };
        let forgiven = |(read, answer): (&Read, Result<Value, ApiError>)| match answer {
            Err(error) if read.is_optional && error.is_trouble() => {
                (surface.guard.log)(&error.to_string());
                Ok(None)
            }
            answer => answer.map(Some),
        };
        reads.iter().zip(answers).map(forgiven).collect()
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
}

/// A page or a role that does not allow a read.
pub fn refused(reason: Denied, uri: &str) -> Error {
    match reason {
        Denied::Page => Error::ResourceNotFound(uri.to_owned()),
        Denied::Role { missing, page_name } => Error::Forbidden(access::role_sentence(missing, &page_name)),
    }
}
