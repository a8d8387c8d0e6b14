//! The look before a stage is moved: the stages of the page and the thing itself, read in parallel.

use super::HostedSurface;
use super::access::{self, Denied};
use super::outcome;
use crate::catalog::scope::{Requirement, Scope, ScopeSet};
use crate::catalog::tools::stage::StageChange;
use crate::catalog::{Resource, Variables, uri};
use crate::mcp::{Error, ToolOutcome};
use crate::upstream::ApiError;
use crate::upstream::identity::AccessiblePage;
use futures_util::future::try_join;
use serde_json::Value;

/// Whether the client was granted what looking takes, besides the write. A message without a stage does without.
pub fn check_scopes(granted: ScopeSet, write: Scope, change: &StageChange) -> Result<(), Error> {
    let looks = requirements(change).map(|(_, requirement)| requirement.scope);
    let needed: ScopeSet = looks.chain([write]).collect();
    if granted.covers(needed) { Ok(()) } else { Err(Error::InsufficientScope { needed }) }
}

/// Whether the move is allowed; the inner error is what to tell the model.
pub async fn check(
    surface: &HostedSurface<'_>,
    page: &AccessiblePage,
    change: &StageChange,
) -> Result<Result<(), ToolOutcome>, Error> {
    for (_, requirement) in requirements(change) {
        if let Err(reason @ Denied::Role { .. }) = access::check_role(page, &requirement) {
            return Ok(Err(outcome::denied(&reason, page.id)));
        }
    }
    let Some([stages, target]) = change.resources() else {
        return Err(Error::Internal("the stages have no resource".to_owned()));
    };
    match try_join(read(surface, page, change, stages), read(surface, page, change, target)).await {
        Ok((stages, target)) => {
            Ok(change.check(&stages, &target).map_err(|problem| outcome::bad_arguments(&[problem.0])))
        }
        Err(error) => outcome::not_looked(&error).map(Err),
    }
}

fn requirements(change: &StageChange) -> impl Iterator<Item = (&'static Resource, Requirement)> {
    change.resources().into_iter().flatten().filter_map(|entry| Some((entry, entry.hosted?)))
}

async fn read(
    surface: &HostedSurface<'_>,
    page: &AccessiblePage,
    change: &StageChange,
    entry: &'static Resource,
) -> Result<Value, ApiError> {
    let variables: Variables = [(change.variable().to_owned(), change.target_id.to_string())].into();
    let path = entry.reads.first().and_then(|read| uri::expand(read.path, &variables));
    let unfit = || ApiError::Unfit(format!("{} cannot be read for a stage", entry.name));
    let (path, requirement) = path.zip(entry.hosted).ok_or_else(unfit)?;
    surface.api().page(page).get(requirement.scope, &path).await
}
