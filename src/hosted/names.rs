//! Statuses and stages by name: looked up where the client's scopes and the person's role allow it.

use super::access;
use super::handler::HostedHandler;
use crate::catalog::{Write, find_resource};
use crate::upstream::AccessiblePage;
use crate::writes::approval::Respond;
use crate::writes::checks::names;
use crate::writes::report;
use serde_json::Value;

/// Replaces the names in a write by keys and ids; refuses a stage that has none of the page's names.
pub async fn resolve(handler: &HostedHandler<'_>, page: &AccessiblePage, write: &mut Write) -> Result<(), Respond> {
    let needed: Vec<&str> = names::find_needed(write).collect();
    let mut stages = None;
    for resource in needed {
        let Some(list) = read(handler, page, resource).await else { continue };
        names::replace(resource, &list, write);
        stages = Some(list).filter(|_| resource != "status_definitions");
    }
    match names::find_problem(write, stages.as_ref()) {
        Some(problem) => Err(report::invalid_arguments(&[problem]).into()),
        None => Ok(()),
    }
}

async fn read(handler: &HostedHandler<'_>, page: &AccessiblePage, resource: &str) -> Option<Value> {
    let entry = find_resource(resource)?;
    let needs = entry.hosted?;
    let may_read = handler.context.caller.scopes.contains(needs.scope) && access::check_role(page, &needs).is_ok();
    if !may_read {
        return None;
    }
    handler.api().page(page, needs.scope).get(entry.reads.first()?.path).await.ok()
}
