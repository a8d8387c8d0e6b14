//! Reading resources: which entry a URI means, the upstream reads it takes, and the body made of their answers.

use super::{no_such_resource, read_error};
use crate::alternatives::PageLists;
use crate::alternatives::targets::NumberedThing;
use crate::catalog::resources::{RESOURCES, check_query};
use crate::catalog::uri::{self, Match, Roots};
use crate::catalog::{DocumentError, MISSING, Read, Resource, ResourcePart, Subject, Variables};
use crate::mcp::{Error, ResourceContents};
use crate::model::timestamp::Timestamp;
use crate::upstream::{ApiError, ApiErrorKind};
use serde_json::{Value, json};

/// A resource that a URI names.
pub struct RequestedResource {
    /// As it was asked for.
    uri: String,
    /// The same URI as the catalog spells it, without its query.
    bare_uri: String,
    /// The entry, and what the URI says.
    pub found: Match,
}

/// The answers that a resource is made of.
pub struct UpstreamAnswers<'a> {
    /// The page as StatiBeat lists it, for page-bound ones.
    pub page: Option<&'a Value>,
    /// Answers to [`RequestedResource::paths`], in the order of the paths.
    pub answers: Vec<Result<Value, ApiError>>,
    pub parts: Value,
}

/// A part as a body gets it: StatiBeat's answer, or why there is none.
pub fn part_answer(part: &ResourcePart, answer: Result<Value, ApiError>, log: &dyn Fn(&str)) -> (String, Value) {
    let value = answer.unwrap_or_else(|error| {
        log(&error.to_string());
        json!({ MISSING: "StatiBeat did not answer this part." })
    });
    (part.name.to_owned(), value)
}

impl RequestedResource {
    /// The resource of that URI, if the program offers it.
    pub fn parse(uri: &str, roots: &Roots, is_offered: impl Fn(&Resource) -> bool) -> Result<RequestedResource, Error> {
        let unknown = || no_such_resource(uri);
        let mut found = roots.find(uri, RESOURCES).filter(|found| is_offered(found.resource)).ok_or_else(unknown)?;
        check_query(&found.variables).map_err(|error| Error::InvalidParams(error.0))?;
        let mut without_cursor = found.variables.clone();
        without_cursor.remove("cursor");
        let bare_uri = roots.expand(found.resource, &without_cursor).unwrap_or_default();
        convert_times(&mut found.variables);
        Ok(RequestedResource { uri: uri.to_owned(), bare_uri, found })
    }

    /// The thing that the URI names by number: it is missing where StatiBeat says that something is.
    pub fn named_thing(&self) -> Option<(&'static NumberedThing, &str)> {
        let mut variables = self.found.variables.iter();
        variables.find_map(|(name, value)| Some((NumberedThing::find(name)?, value.as_str())))
    }

    /// The error where StatiBeat does not have what the URI names: which there are.
    pub async fn explain_missing(&self, error: Error, lists: &dyn PageLists) -> Error {
        match (error, self.named_thing()) {
            (Error::ResourceNotFound { uri, .. }, Some((thing, id))) => {
                Error::ResourceNotFound { uri, message: thing.describe_unknown(lists, id).await }
            }
            (error, _) => error,
        }
    }

    /// The paths to read, in order.
    pub fn paths(&self) -> Result<Vec<String>, Error> {
        let resource = self.found.resource;
        let paths: Option<Vec<String>> =
            resource.reads.iter().map(|read| uri::expand(read.path, &self.found.variables)).collect();
        paths.ok_or_else(|| Error::Internal(format!("{} lacks a variable", resource.name)))
    }

    /// The contents, made of what was read for it at `now`.
    pub fn contents(
        &self,
        upstream: UpstreamAnswers<'_>,
        now: Timestamp,
        log: &dyn Fn(&str),
    ) -> Result<ResourceContents, Error> {
        let UpstreamAnswers { page, answers, parts } = upstream;
        let resource = self.found.resource;
        let forgiven = |(read, answer): (&Read, Result<Value, ApiError>)| match answer {
            Err(error) if read.is_optional && error.is_retryable() => {
                log(&error.to_string());
                Ok(None)
            }
            answer => answer.map(Some),
        };
        let answers: Result<_, ApiError> = resource.reads.iter().zip(answers).map(forgiven).collect();
        let answers = answers.map_err(|error| read_error(&self.uri, &error, log))?;
        let subject = Subject { variables: &self.found.variables, page, uri: &self.bare_uri, parts: &parts, now };
        let body = resource.render(&subject, answers).map_err(|error| match error {
            DocumentError::Malformed(_) => {
                read_error(&self.uri, &ApiError::new(ApiErrorKind::Malformed, error.to_string()), log)
            }
            DocumentError::Cursor => Error::InvalidParams(error.to_string()),
            DocumentError::Absent => no_such_resource(&self.uri),
        })?;
        Ok(ResourceContents { uri: self.uri.clone(), body, fresh_for: resource.fresh_for })
    }
}

/// Upstream gets times in UTC: the plus of an offset would be a blank in a query.
fn convert_times(variables: &mut Variables) {
    for name in ["from", "to"] {
        if let Some(time) = variables.get_mut(name)
            && let Ok(parsed) = time.parse::<jiff::Timestamp>()
        {
            *time = parsed.to_string();
        }
    }
}
