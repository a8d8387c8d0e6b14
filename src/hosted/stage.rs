//! Who may look before a stage is moved: looking takes scopes and a role of its own.

use super::HostedSurface;
use super::access::{self, Denied};
use super::ended;
use crate::catalog::scope::{Requirement, Scope, ScopeSet};
use crate::catalog::tools::stage::StageChange;
use crate::mcp::{Error, ToolOutcome};
use crate::surface::stage;
use crate::upstream::identity::AccessiblePage;

/// Whether the client was granted what looking takes, besides the write. A message without a stage does without.
pub fn check_scopes(granted: ScopeSet, write: Scope, change: &StageChange) -> Result<(), Error> {
    let looks = requirements(change).into_iter().flatten().map(|requirement| requirement.scope);
    let needed: ScopeSet = looks.chain([write]).collect();
    if granted.covers(needed) { Ok(()) } else { Err(Error::InsufficientScope { needed }) }
}

/// Whether the move is allowed; the inner error is what to tell the model.
pub async fn check(
    surface: &HostedSurface<'_>,
    page: &AccessiblePage,
    change: &StageChange,
) -> Result<Result<(), ToolOutcome>, Error> {
    let Some(requirements) = requirements(change) else {
        return Err(Error::Internal("a stage cannot be looked at".to_owned()));
    };
    for requirement in &requirements {
        if let Err(reason @ Denied::Role { .. }) = access::check_role(page, requirement) {
            return Ok(Err(ended::denied(&reason, page.id)));
        }
    }
    stage::check(&requirements.map(|requirement| surface.api().page(page, requirement.scope)), change).await
}

/// What reading the stages and the thing itself takes.
fn requirements(change: &StageChange) -> Option<[Requirement; 2]> {
    let [stages, target] = change.resources()?;
    Some([stages.hosted?, target.hosted?])
}
