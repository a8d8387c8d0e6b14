//! Who may look before a stage is moved: looking takes scopes and a role of its own.

use super::HostedSurface;
use super::access::{self, Denied};
use crate::mcp::Error;
use crate::model::scope::{Requirement, Scope, ScopeSet};
use crate::upstream::identity::AccessiblePage;
use crate::upstream::{ApiError, ApiErrorKind};
use crate::writes::checks::lifecycle::{LifecycleError, StageChange};

/// Whether the client was granted what looking takes, besides the write. A message without a stage does without.
pub fn check_scopes(granted: ScopeSet, write: Scope, change: &StageChange) -> Result<(), Error> {
    let looks = requirements(change).into_iter().flatten().map(|requirement| requirement.scope);
    let needed: ScopeSet = looks.chain([write]).collect();
    if granted.covers(needed) { Ok(()) } else { Err(Error::InsufficientScope { needed }) }
}

/// Why a stage is not moved.
pub enum Refusal {
    /// The person's role does not allow to look.
    Role(Denied),
    LifecycleError(LifecycleError),
}

/// Whether the move is allowed.
pub async fn check(surface: &HostedSurface<'_>, page: &AccessiblePage, change: &StageChange) -> Result<(), Refusal> {
    let unfit = || {
        Refusal::LifecycleError(LifecycleError::Unread(ApiError::new(
            ApiErrorKind::ContractViolation,
            "a stage cannot be looked at",
        )))
    };
    let requirements = requirements(change).ok_or_else(unfit)?;
    for requirement in &requirements {
        access::check_role(page, requirement).map_err(Refusal::Role)?;
    }
    let apis = requirements.map(|requirement| surface.api().page(page, requirement.scope));
    change.check(apis.each_ref()).await.map_err(Refusal::LifecycleError)
}

/// What reading the stages and the thing itself takes.
fn requirements(change: &StageChange) -> Option<[Requirement; 2]> {
    let [stages, target] = change.resources()?;
    Some([stages.hosted?, target.hosted?])
}
