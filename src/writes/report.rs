//! What a call of a tool tells its client: what was done, or what was not and how to go on.
//!
//! Whatever a model or its user can mend is an outcome. What they cannot, because the person's access has ended or we
//! made a mistake, is an [`mcp::Error`].

use super::checks::duplicate::PossibleDuplicate;
use super::confirm_token::ConfirmTokenError;
use super::execute::{WriteError, WriteOrigin, WriteReport};
use super::target::TITLE_MAX;
use crate::catalog::Tool;
use crate::catalog::tools::Written;
use crate::catalog::uri::Roots;
use crate::mcp::{self, ToolOutcome};
use crate::model::visible::quote;
use crate::upstream::identity::AccessiblePage;
use crate::upstream::{ApiError, ApiErrorKind};
use std::time::Duration;

/// Longest answer of StatiBeat that is quoted, in characters.
pub(super) const ANSWER_MAX: usize = 400;

/// Arguments that do not fit.
pub fn bad_arguments(problems: &[String]) -> ToolOutcome {
    error(format!("The arguments do not fit: {}. Nothing was published.", problems.join("; ")))
}

/// A text that the operator's rules do not let through.
pub fn lint_refused(warnings: &[String]) -> ToolOutcome {
    error(format!("This text may not be published: {}. Nothing was published.", warnings.join("; ")))
}

/// A write that must be confirmed, from a client that cannot ask its person.
pub fn needs_preview() -> ToolOutcome {
    error(
        "This write must be confirmed. Nothing was published. Call again with preview: true, show the person what it says, \
         and then call with the handle it gives in `confirm`."
            .to_owned(),
    )
}

/// Adds to a report of what was done: the times of a window, and what looks wrong.
pub fn with_remarks(mut outcome: ToolOutcome, warnings: Vec<String>, window: Option<&str>) -> ToolOutcome {
    if outcome.is_error {
        return outcome;
    }
    outcome.text.extend(window.into_iter().flat_map(|window| [" ", window]));
    if !warnings.is_empty() {
        outcome.text.extend(warnings.iter().map(|warning| format!(" Warning: {warning}.")));
        if let Some(fields) = outcome.structured.as_mut().and_then(serde_json::Value::as_object_mut) {
            fields.insert("warnings".to_owned(), warnings.into());
        }
    }
    outcome
}

/// A person who said no. That is no failure.
pub fn declined() -> ToolOutcome {
    let text = "The person declined. Nothing was published.".to_owned();
    ToolOutcome { is_error: false, text, ..ToolOutcome::default() }
}

/// A handle that confirms nothing.
pub fn bad_handle(reason: ConfirmTokenError) -> ToolOutcome {
    error(match reason {
        ConfirmTokenError::Invalid => {
            "This handle is not for this call: it confirms exactly the arguments, the page and the key that \
             were previewed. Nothing was published. Ask for a new preview."
                .to_owned()
        }
        ConfirmTokenError::Expired => {
            "This handle is older than 10 minutes. Nothing was published. Ask for a new preview.".to_owned()
        }
    })
}

/// The report of a write that is there.
pub fn done(
    tool: &Tool,
    page: &AccessiblePage,
    roots: &Roots,
    posted: &WriteReport,
    audit_id: Option<&str>,
) -> ToolOutcome {
    let written = Written {
        answer: &posted.document,
        page: &page.raw,
        roots,
        audit_id,
        remaining_writes: posted.remaining,
        replayed: !posted.made.is_new(),
    };
    let mut done = (tool.report)(&written);
    if posted.made == WriteOrigin::Earlier {
        done.text.push_str(" To publish the same text once more, give another idempotency_key.");
    }
    ToolOutcome {
        is_error: false,
        text: done.text,
        structured: Some(done.structured),
        links: done.links,
        ..ToolOutcome::default()
    }
}

/// Why there is no write, or may be none, and how to go on.
pub fn not_written(reason: &WriteError) -> Result<String, mcp::Error> {
    Ok(match reason {
        WriteError::Running { retry_after } => format!(
            "The same write is already being carried out by another call. Nothing was published by this one. Call again \
             with the same arguments to learn how it ended; in {} at the latest it can be found out.",
            seconds(*retry_after)
        ),
        WriteError::KeyConflict { fields } => format!(
            "This idempotency_key was used for another write: {} differ. Nothing was published. Use the same arguments \
             to get that write's result, or another key for a new one.",
            fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
        ),
        WriteError::TokenRedeemed => {
            "This handle was used before, and a handle works once. Nothing was published. Ask for a new preview."
                .to_owned()
        }
        WriteError::PossibleDuplicates(found) => similar(found),
        WriteError::Unchecked(error) => return unchecked(error),
        WriteError::Unresolved(_) => {
            "An earlier call may have published this, and StatiBeat does not say at the moment. Nothing was published by \
             this call. Call again later with the same arguments: it will be found out first."
                .to_owned()
        }
        WriteError::Invalid { text, unknown } => {
            let hint = if unknown.is_empty() { String::new() } else { format!(" ({})", unknown.join("; ")) };
            format!("StatiBeat refused: {}{hint}. Nothing was published.", quote(text, ANSWER_MAX))
        }
        WriteError::Upstream(error) => return refused(error),
        WriteError::Unconfirmed(_) => {
            "StatiBeat did not confirm this: it may or may not have been done. Read what it was about before calling again."
                .to_owned()
        }
    })
}

fn similar(found: &[PossibleDuplicate]) -> String {
    let one = |similar: &PossibleDuplicate| {
        let title = quote(&similar.title, TITLE_MAX);
        format!("incident {} ({title}, opened {} minutes ago)", similar.id, similar.age.as_secs() / 60)
    };
    let list = found.iter().map(one).collect::<Vec<_>>().join(", ");
    format!(
        "Nothing was published: {list} affects the same components. If it is the same problem, use add_incident_update. If \
         it is another, call again with preview: true, show the person what it says, and then call with the handle it gives \
         in `confirm`."
    )
}

/// A look before posting that gave nothing.
fn unchecked(error: &ApiError) -> Result<String, mcp::Error> {
    match error.kind {
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed | ApiErrorKind::OutcomeUnknown => {
            Ok("StatiBeat cannot be reached, so nothing was published. Try again later.".to_owned())
        }
        ApiErrorKind::NotFound
        | ApiErrorKind::Forbidden
        | ApiErrorKind::Invalid
        | ApiErrorKind::UserEnded
        | ApiErrorKind::CredentialRefused
        | ApiErrorKind::RateLimited
        | ApiErrorKind::CircuitOpen
        | ApiErrorKind::ContractViolation => refused(error),
    }
}

/// A look before a write that gave nothing: the write was not attempted.
pub fn not_looked(error: &ApiError) -> Result<ToolOutcome, mcp::Error> {
    let text = match error.kind {
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed => {
            "StatiBeat cannot be reached. Nothing was published. Try again later.".to_owned()
        }
        _ => refused(error)?,
    };
    Ok(self::error(text))
}

fn refused(error: &ApiError) -> Result<String, mcp::Error> {
    let wait = error.retry_after.map_or_else(|| "later".to_owned(), |wait| format!("in {}", seconds(wait)));
    match error.kind {
        ApiErrorKind::NotFound | ApiErrorKind::Forbidden | ApiErrorKind::Invalid => {
            Ok(format!("StatiBeat refused: {}. Nothing was published.", quote(&error.detail, ANSWER_MAX)))
        }
        ApiErrorKind::RateLimited => Ok(format!("StatiBeat asks to wait. Nothing was published. Try again {wait}.")),
        ApiErrorKind::CircuitOpen => {
            Ok(format!("StatiBeat keeps failing and was not asked. Nothing was published. Try again {wait}."))
        }
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed | ApiErrorKind::OutcomeUnknown => {
            Ok("StatiBeat did not confirm the write: it may or may not have been published, and a look at StatiBeat does \
                not show it yet. Call again with the same arguments: it will be found out first, and nothing is published \
                twice."
                .to_owned())
        }
        ApiErrorKind::UserEnded => Err(mcp::Error::AccessEnded),
        ApiErrorKind::CredentialRefused => Err(mcp::Error::Untrusted(error.to_string())),
        ApiErrorKind::ContractViolation => Err(mcp::Error::Internal(error.to_string())),
    }
}

fn seconds(wait: Duration) -> String {
    match wait.as_secs() {
        1 => "1 second".to_owned(),
        count => format!("{count} seconds"),
    }
}

/// A failure that the model or its user can mend.
pub fn error(text: String) -> ToolOutcome {
    ToolOutcome { is_error: true, text, ..ToolOutcome::default() }
}
