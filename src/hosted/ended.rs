//! How a call of a tool ended here: what this surface alone knows to tell, around what both tell.

use super::access::{self, Denied};
use super::write::{Ended, NotDone, budget};
use crate::catalog::Tool;
use crate::catalog::uri::Roots;
use crate::mcp::{self, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::storage::idempotency::StoredDuplicate;
use crate::storage::write_permission::WriteDenial;
use crate::upstream::identity::AccessiblePage;
use crate::writes::execute::WriteReport;
use crate::writes::report;
use serde_json::Value;

/// A page that cannot be written to.
pub fn denied(reason: &Denied, page_id: PageId) -> ToolOutcome {
    let why = match reason {
        Denied::Page => unreachable_page(page_id),
        Denied::Role { missing, page_name } => {
            format!("{} Nothing was published.", access::role_sentence(*missing, page_name))
        }
    };
    report::error(why)
}

/// Also said of a page that the connection is blocked from.
fn unreachable_page(page_id: PageId) -> String {
    format!(
        "There is no page {page_id} that you can access; statibeat://pages lists those you can. Nothing was published."
    )
}

pub fn ended(
    tool: &'static Tool,
    page: &AccessiblePage,
    granted: ScopeSet,
    ended: &Ended,
    now: Timestamp,
) -> Result<ToolOutcome, mcp::Error> {
    let mut outcome = match &ended.result {
        Ok(posted) => done(tool, page, granted, ended, posted),
        Err(reason) => report::error(not_done(reason, page.id, now)?),
    };
    match &ended.audit_id {
        // A report names its entry itself.
        Some(id) if outcome.is_error => outcome.text.extend([" (Audit entry ", &id.0, ".)"]),
        Some(_) => {}
        None => outcome.text.push_str(" No audit entry could be recorded for this call."),
    }
    Ok(outcome)
}

fn done(tool: &Tool, page: &AccessiblePage, granted: ScopeSet, ended: &Ended, posted: &WriteReport) -> ToolOutcome {
    let audit_id = ended.audit_id.as_ref().map(|id| id.0.as_str());
    let mut done = report::done(tool, page, &Roots::HOSTED, posted, audit_id);
    // A link that the client has no scope to follow would only send it into a refusal.
    done.links.retain(|(_, entry)| entry.hosted.is_some_and(|requirement| granted.contains(requirement.scope)));
    done
}

/// What a paused connection is told.
const PAUSED: &str = "The user has paused this connection's writes, so nothing was published. Only the user can resume them, \
    on StatiBeat's Hosted MCP page.";

/// A write of a paused connection, before anybody is asked about it.
pub fn paused() -> ToolOutcome {
    report::error(PAUSED.to_owned())
}

/// What is said of the same write through another connection.
pub fn same_elsewhere(duplicate: &StoredDuplicate, now: Timestamp) -> String {
    let minutes = now.since(duplicate.at).as_secs() / 60;
    let made = duplicate.result.as_deref().and_then(|result| serde_json::from_str::<Value>(result).ok());
    match made.as_ref().and_then(|made| made["id"].as_i64()) {
        Some(id) => format!("the very same was published {minutes} minutes ago through another connection (id {id})"),
        None => {
            format!("the very same was begun {minutes} minutes ago through another connection and may be published")
        }
    }
}

fn not_done(reason: &NotDone, page_id: PageId, now: Timestamp) -> Result<String, mcp::Error> {
    Ok(match reason {
        NotDone::Denied(WriteDenial::WritesPaused) => PAUSED.to_owned(),
        NotDone::Denied(WriteDenial::PageBlocked) => unreachable_page(page_id),
        NotDone::Denied(WriteDenial::GrantEnded) => return Err(mcp::Error::GrantEnded),
        NotDone::Duplicate(duplicate) => format!(
            "Nothing was published: {}. If once is enough, nothing is left to do. To publish it once more, call again with \
             preview: true, show the person what it says, and then call with the handle it gives in `confirm`.",
            same_elsewhere(duplicate, now)
        ),
        NotDone::Limited { limit, retry_after } => budget::sentence(*limit, *retry_after),
        NotDone::Unlimited => {
            "Writes cannot be counted at the moment, so nothing was published. Try again later.".to_owned()
        }
        NotDone::Unrecorded => {
            "The write cannot be put on record at the moment, so nothing was published. Try again later.".to_owned()
        }
        NotDone::LeaseUnchecked => {
            "Whether this connection may still publish cannot be checked at the moment, so nothing \
            was published. Try again later."
                .to_owned()
        }
        NotDone::WriteError(reason) => return report::not_written(reason),
    })
}
