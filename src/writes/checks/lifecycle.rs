//! The look before a stage is moved: the stages of the page and the thing itself, read in parallel.

use crate::catalog::tools::stage::StageChange;
use crate::catalog::{Resource, Variables, uri};
use crate::mcp::{Error, ToolOutcome};
use crate::upstream::{ApiError, PageClient};
use crate::writes::report;
use futures_util::future::try_join;
use serde_json::Value;

/// Why a stage is not moved.
#[derive(Clone, Debug)]
pub enum LifecycleError {
    /// It may not be; the words say which may.
    NotAllowed(String),
    Unread(ApiError),
}

impl LifecycleError {
    /// What to tell the model, or the client where a model cannot mend it.
    pub fn told(&self) -> Result<ToolOutcome, Error> {
        match self {
            Self::NotAllowed(problem) => Ok(report::bad_arguments(std::slice::from_ref(problem))),
            Self::Unread(error) => report::not_looked(error),
        }
    }
}

/// Whether the move is allowed. Each of the change's resources is read through the API that stands in its place.
pub async fn check(apis: [&PageClient<'_>; 2], change: &StageChange) -> Result<(), LifecycleError> {
    let unfit = || LifecycleError::Unread(ApiError::Unfit("the stages have no resource".to_owned()));
    let [stages, target] = change.resources().ok_or_else(unfit)?;
    let looked = try_join(read(apis[0], change, stages), read(apis[1], change, target)).await;
    let (stages, target) = looked.map_err(LifecycleError::Unread)?;
    change.check(&stages, &target).map_err(|problem| LifecycleError::NotAllowed(problem.0))
}

async fn read(api: &PageClient<'_>, change: &StageChange, entry: &'static Resource) -> Result<Value, ApiError> {
    let variables: Variables = [(change.variable().to_owned(), change.target_id.to_string())].into();
    let path = entry.reads.first().and_then(|read| uri::expand(read.path, &variables));
    let unfit = || ApiError::Unfit(format!("{} cannot be read for a stage", entry.name));
    api.get(&path.ok_or_else(unfit)?).await
}
