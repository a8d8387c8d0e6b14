//! Access for checking a stage before it is moved: reading the stages needs scopes and permissions of its own.

use super::access;
use super::call_record::CallRecord;
use super::page_lists::HostedPageLists;
use crate::mcp::Error;
use crate::model::outcome::{Outcome, Reason};
use crate::model::scope::{Requirement, Scope, ScopeSet};
use crate::upstream::{ApiError, ApiErrorKind};
use crate::writes::approval::Respond;
use crate::writes::checks::lifecycle::{LifecycleError, StageChange};

/// Returns whether the client was granted what looking takes, besides the write. A message without a stage does without.
pub fn check_scopes(granted: ScopeSet, write: Scope, change: &StageChange) -> Result<(), Error> {
    let looks = requirements(change).into_iter().flatten().map(|requirement| requirement.scope);
    let needed: ScopeSet = looks.chain([write]).collect();
    if granted.covers(needed) { Ok(()) } else { Err(Error::InsufficientScope { needed }) }
}

/// Checks that the move is allowed; if not, records why and says what to tell the client.
pub async fn check(lists: &HostedPageLists<'_>, change: &StageChange, record: &CallRecord<'_>) -> Result<(), Respond> {
    let HostedPageLists { handler, page } = *lists;
    let requirements = requirements(change);
    for requirement in requirements.iter().flatten() {
        if let Err(denied) = access::check_role(page, requirement) {
            record.refuse(Reason::Role).await;
            return Err(access::denied_write(&denied, page.id).into());
        }
    }
    let result = if let Some(requirements) = requirements {
        let apis = requirements.map(|requirement| handler.api().page(page, requirement.scope));
        change.check(apis.each_ref()).await
    } else {
        let error = ApiError::new(ApiErrorKind::ContractViolation, "a stage cannot be looked at");
        Err(LifecycleError::Unread(error))
    };
    let Err(error) = result else { return Ok(()) };
    match &error {
        LifecycleError::NotAllowed(_) | LifecycleError::Over(_) => record.refuse(Reason::Stage).await,
        LifecycleError::Unread(error) => drop(record.append(Outcome::Failed, error.reason()).await),
    }
    Err(Respond(change.respond(&error, lists).await))
}

/// The requirements for reading the stages and the target.
fn requirements(change: &StageChange) -> Option<[Requirement; 2]> {
    let [stages, target] = change.resources()?;
    Some([stages.hosted?, target.hosted?])
}
