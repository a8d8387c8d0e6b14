//! What a call of a tool tells its client: what was done, or what was not and how to go on.
//!
//! Whatever a model or its user can mend is an outcome. What they cannot, because the person's access has ended or we
//! made a mistake, is an [`mcp::Error`].

use super::access::{self, Denied};
use super::rate_limit::WRITE_LIMIT;
use super::write::{Ended, NotDone, Posted};
use crate::catalog::Tool;
use crate::catalog::scope::ScopeSet;
use crate::catalog::tools::Written;
use crate::catalog::uri::Roots;
use crate::ids::PageId;
use crate::mcp::{self, ToolOutcome};
use crate::upstream::ApiError;
use crate::upstream::identity::AccessiblePage;
use std::time::Duration;

/// Arguments that do not fit.
pub fn bad_arguments(problems: &[String]) -> ToolOutcome {
    error(format!("The arguments do not fit: {}. Nothing was published.", problems.join("; ")))
}

/// A page that cannot be written to.
pub fn denied(reason: &Denied, page_id: PageId) -> ToolOutcome {
    let why = match reason {
        Denied::Page => {
            format!("There is no page {page_id} that you can access; statibeat://pages lists those you can.")
        }
        Denied::Role { missing, page_name } => access::role_sentence(*missing, page_name),
    };
    error(format!("{why} Nothing was published."))
}

/// How a write ended.
pub fn ended(
    tool: &'static Tool,
    page: &AccessiblePage,
    granted: ScopeSet,
    ended: &Ended,
) -> Result<ToolOutcome, mcp::Error> {
    let mut outcome = match &ended.result {
        Ok(posted) => done(tool, page, granted, ended, posted),
        Err(reason) => error(not_done(reason)?),
    };
    match &ended.audit_id {
        // A report names its entry itself.
        Some(id) if outcome.is_error => outcome.text.extend([" (Audit entry ", &id.0, ".)"]),
        Some(_) => {}
        None => outcome.text.push_str(" No audit entry could be recorded for this call."),
    }
    Ok(outcome)
}

fn done(tool: &Tool, page: &AccessiblePage, granted: ScopeSet, ended: &Ended, posted: &Posted) -> ToolOutcome {
    let written = Written {
        answer: &posted.document,
        page: &page.raw,
        roots: &Roots::HOSTED,
        audit_id: ended.audit_id.as_ref().map(|id| id.0.as_str()),
        remaining_writes: Some(posted.remaining),
        replayed: !posted.is_new,
    };
    let mut done = (tool.report)(&written);
    // A link that the client has no scope to follow would only send it into a refusal.
    done.links.retain(|(_, entry)| entry.hosted.is_some_and(|requirement| granted.contains(requirement.scope)));
    ToolOutcome {
        is_error: false,
        text: done.text,
        structured: Some(done.structured),
        links: done.links,
        ..ToolOutcome::default()
    }
}

fn not_done(reason: &NotDone) -> Result<String, mcp::Error> {
    match reason {
        NotDone::Paused => {
            Ok("The user has paused this connection's writes, so nothing was published. Only the user can \
            resume them, on StatiBeat's Hosted MCP page."
                .to_owned())
        }
        NotDone::Limited { retry_after } => Ok(format!(
            "This connection has used its {} writes per {} seconds. Nothing was published. Try again in {}.",
            WRITE_LIMIT.count,
            WRITE_LIMIT.window.as_secs(),
            seconds(*retry_after)
        )),
        NotDone::Unlimited => {
            Ok("Writes cannot be counted at the moment, so nothing was published. Try again later.".to_owned())
        }
        NotDone::Upstream(error) => refused(error),
    }
}

/// A look before a write that gave nothing: the write was not attempted.
pub fn not_looked(error: &ApiError) -> Result<ToolOutcome, mcp::Error> {
    let text = match error {
        ApiError::Unavailable { .. } | ApiError::Malformed(_) => {
            "StatiBeat cannot be reached. Nothing was published. Try again later.".to_owned()
        }
        told => refused(told)?,
    };
    Ok(self::error(text))
}

fn refused(error: &ApiError) -> Result<String, mcp::Error> {
    match error {
        ApiError::NotFound(text) | ApiError::Forbidden(text) | ApiError::Invalid(text) => {
            Ok(format!("StatiBeat refused: \"{text}\". Nothing was published."))
        }
        ApiError::RateLimited { retry_after } => {
            let wait = retry_after.map_or_else(|| "later".to_owned(), |wait| format!("in {}", seconds(wait)));
            Ok(format!("StatiBeat asks to wait. Nothing was published. Try again {wait}."))
        }
        ApiError::Unavailable { .. } | ApiError::Malformed(_) | ApiError::OutcomeUnknown(_) => {
            Ok("StatiBeat did not confirm the write: it may or may not have been published. Look at the page before \
                trying again, so that nothing is published twice."
                .to_owned())
        }
        ApiError::UserEnded => Err(mcp::Error::AccessEnded),
        ApiError::CredentialRefused(_) => Err(mcp::Error::Untrusted(error.to_string())),
        ApiError::Unfit(_) => Err(mcp::Error::Internal(error.to_string())),
    }
}

fn seconds(wait: Duration) -> String {
    match wait.as_secs() {
        1 => "1 second".to_owned(),
        count => format!("{count} seconds"),
    }
}

fn error(text: String) -> ToolOutcome {
    ToolOutcome { is_error: true, text, ..ToolOutcome::default() }
}
