//! The look before a stage is moved: the stages of the page and the thing itself, read in parallel.

use super::outcome;
use crate::catalog::tools::stage::StageChange;
use crate::catalog::{Resource, Variables, uri};
use crate::mcp::{Error, ToolOutcome};
use crate::upstream::{ApiError, PageApi};
use futures_util::future::try_join;
use serde_json::Value;

/// Whether the move is allowed; the inner error is what to tell the model. Each of the change's resources is read through the
/// API that stands in its place.
pub async fn check(apis: &[PageApi<'_>; 2], change: &StageChange) -> Result<Result<(), ToolOutcome>, Error> {
    let Some([stages, target]) = change.resources() else {
        return Err(Error::Internal("the stages have no resource".to_owned()));
    };
    match try_join(read(&apis[0], change, stages), read(&apis[1], change, target)).await {
        Ok((stages, target)) => {
            Ok(change.check(&stages, &target).map_err(|problem| outcome::bad_arguments(&[problem.0])))
        }
        Err(error) => outcome::not_looked(&error).map(Err),
    }
}

async fn read(api: &PageApi<'_>, change: &StageChange, entry: &'static Resource) -> Result<Value, ApiError> {
    let variables: Variables = [(change.variable().to_owned(), change.target_id.to_string())].into();
    let path = entry.reads.first().and_then(|read| uri::expand(read.path, &variables));
    let unfit = || ApiError::Unfit(format!("{} cannot be read for a stage", entry.name));
    api.get(&path.ok_or_else(unfit)?).await
}
