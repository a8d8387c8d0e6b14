//! Responses to tool calls: the report of a write, or why nothing was published and how to go on.
//!
//! Whatever a model or its user can mend is an outcome. What they cannot, because the person's access has ended or we
//! made a mistake, is an [`mcp::Error`].

use super::WriteRequest;
use super::call_arguments::to_publish;
use super::checks::schedule;
use super::confirmed_call::ConfirmationError;
use super::outcome::{DuplicateKind, PossibleDuplicate, WriteError, WriteOrigin, WriteReport};
use super::store::AuditRow;
use crate::catalog::uri::Roots;
use crate::catalog::{CompletedWrite, ToolResult};
use crate::mcp::request_state::RequestStateError;
use crate::mcp::{self, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::outcome::Reason;
use crate::model::visible::quote;
use crate::model::write::{LeaseRefusal, WriteDenial};
use crate::ports::RateLimit;
use crate::upstream::{ApiError, ApiErrorKind};
use serde_json::json;
use std::time::Duration;

/// Longest answer of StatiBeat that is quoted, in characters.
pub(super) const ANSWER_MAX: usize = 400;

/// Arguments that do not fit.
pub fn invalid_arguments(problems: &[String]) -> ToolOutcome {
    error(describe_invalid(problems))
}

fn describe_invalid(problems: &[String]) -> String {
    nothing_published(&format!("Invalid arguments: {}", problems.join("; ")))
}

/// A refusal in words, and that nothing was published.
pub fn nothing_published(words: &str) -> String {
    format!("{} Nothing was published.", sentence(words))
}

/// The words with a full stop, unless they end a sentence already.
fn sentence(words: &str) -> String {
    let end = if words.ends_with(['.', '?', '!', '…']) { "" } else { "." };
    format!("{words}{end}")
}

/// A text that the operator's rules do not let through at all.
pub fn text_refused(warnings: &[String]) -> ToolOutcome {
    error(format!(
        "Nothing was published, because of the text: {}. Take this out and call again; a confirmed preview does not publish it \
         either.",
        warnings.join("; ")
    ))
}

/// A text that is published only after a person has seen the preview.
pub fn text_needs_preview(warnings: &[String]) -> ToolOutcome {
    error(format!(
        "Nothing was published, because of the text: {}. Take this out and call again; or, if customers are meant to read it, \
         preview first: call with preview: true, show the person the result, and then call again with its confirm token in \
         `confirm`.",
        warnings.join("; ")
    ))
}

/// A write that must be confirmed, from a client that cannot ask its person.
pub fn needs_preview() -> ToolOutcome {
    error(
        "This write must be confirmed. Nothing was published. Call again with preview: true, show the person the result, and then \
         call again with its confirm token in `confirm`."
            .to_owned(),
    )
}

/// A person who said no. That is no failure.
pub fn declined(request: &WriteRequest<'_>) -> ToolOutcome {
    unpublished(request, "The person declined. Nothing was published.".to_owned())
}

/// A question that the client closed without asking anybody, or whose person looked at something else. That is no answer, and
/// a client without a person in front of it gives no other: so the preview's confirm token counts from now on.
pub fn cancelled(request: &WriteRequest<'_>) -> ToolOutcome {
    let text = format!(
        "Nobody confirmed this: the app closed the question without an answer. Nothing was published. If the person wants it published, \
         call again with preview: true, and show them the result. {}, set to the confirm token of that preview; the question is not \
         asked again.",
        to_publish(request.roots)
    );
    unpublished(request, text)
}

/// A result without a write; within the tool's output schema, against which clients check whatever is no error.
fn unpublished(request: &WriteRequest<'_>, text: String) -> ToolOutcome {
    let WriteRequest { page, .. } = *request;
    let structured = json!({ "page_id": page.id.get(), "page_name": page.name, "published": false, "replayed": false });
    ToolOutcome { text, structured: Some(structured), is_text_complete: true, ..ToolOutcome::default() }
}

/// The state of a question that the person did not answer.
pub fn invalid_state(reason: RequestStateError) -> ToolOutcome {
    error(match reason {
        RequestStateError::Invalid => {
            "This answer is not for this call: it confirms exactly the arguments, the page and the key that the person was \
             shown. Nothing was published. Call again without requestState."
                .to_owned()
        }
        RequestStateError::Expired => {
            "The question was asked more than 10 minutes ago. Nothing was published. Call again without requestState.".to_owned()
        }
    })
}

/// A confirm token that confirms nothing.
pub fn invalid_token(reason: &ConfirmationError, roots: &Roots) -> ToolOutcome {
    error(reason.describe(roots))
}

/// A preview that could not be stored, so its confirm token would not work.
pub fn preview_not_kept() -> ToolOutcome {
    error("Previews cannot be kept at the moment, so this one could not be confirmed. Nothing was published. Try again later.".to_owned())
}

/// A confirm token whose preview cannot be read.
pub fn preview_not_read() -> ToolOutcome {
    error("The preview of this confirm token cannot be read at the moment. Nothing was published by this call. Try again later.".to_owned())
}

/// The report of a write that was requested: what is there now and what looks wrong about it, or why it is not there.
pub fn write_report(
    request: &WriteRequest<'_>,
    result: &Result<WriteReport, WriteError>,
    warnings: Vec<String>,
) -> Result<ToolOutcome, mcp::Error> {
    let audit_row = request.store.audit_row();
    let mut outcome = match result {
        Ok(report) => written(request, report, warnings),
        Err(reason) => error(not_written(reason, request.page.id, &|name| request.lists.has_tool(name))?),
    };
    match audit_row {
        // A report names its row itself.
        AuditRow::Stored(id) if outcome.is_error => outcome.text.extend([" (Audit entry ", id, ".)"]),
        AuditRow::Stored(_) | AuditRow::NotKept => {}
        AuditRow::Missing => outcome.text.push_str(" No audit entry could be recorded for this call."),
    }
    Ok(outcome)
}

/// The server's form of resource URIs, if the caller may read what the tool writes.
fn report_roots<'a>(request: &WriteRequest<'a>) -> Option<&'a Roots> {
    let kind = request.tool.write.as_ref()?.report.resource?;
    request.lists.can_read(kind.into()).then_some(request.roots)
}

fn written(request: &WriteRequest<'_>, report: &WriteReport, warnings: Vec<String>) -> ToolOutcome {
    let audit_id = match request.store.audit_row() {
        AuditRow::Stored(id) => Some(id),
        AuditRow::NotKept | AuditRow::Missing => None,
    };
    let completed = CompletedWrite {
        answer: &report.document,
        page: &request.page.raw,
        roots: report_roots(request),
        audit_id,
        remaining_writes: report.remaining,
        replayed: !report.origin.is_new(),
    };
    let mut result = request.tool.report(&completed);
    if report.origin == WriteOrigin::Earlier {
        result.text.push_str(" To publish the same text once more, give another idempotency_key.");
    }
    result.text.extend(
        schedule::echo(request.write, &request.page.raw).into_iter().flat_map(|window| [" ".to_owned(), window]),
    );
    if !warnings.is_empty() {
        result.text.extend(warnings.iter().map(|warning| format!(" {}", warning_sentence(warning))));
        if let Some(fields) = result.structured.as_object_mut() {
            fields.insert("warnings".to_owned(), warnings.into());
        }
    }
    let ToolResult { text, structured, links } = result;
    ToolOutcome { text, structured: Some(structured), links, ..ToolOutcome::default() }
}

/// A preview of a write whose earlier call has not ended, or ended without a clear answer.
pub fn unfinished() -> ToolOutcome {
    error(
        "An earlier call with the same arguments is still running, or its outcome is unknown. Nothing was published by this \
         call. Call again without preview to learn how it ended; nothing is published twice."
            .to_owned(),
    )
}

/// A preview of a write that is published already.
pub fn already_published(request: &WriteRequest<'_>, document: &serde_json::Value) -> ToolOutcome {
    let completed = CompletedWrite {
        answer: document,
        page: &request.page.raw,
        roots: report_roots(request),
        audit_id: None,
        remaining_writes: None,
        replayed: true,
    };
    let ToolResult { mut text, structured, links } = request.tool.report(&completed);
    text.push_str(" Nobody is notified again. To publish the same text once more, give another idempotency_key.");
    ToolOutcome { text, structured: Some(structured), links, ..ToolOutcome::default() }
}

/// A warning as a sentence.
pub fn warning_sentence(warning: &str) -> String {
    format!("Warning: {}", sentence(warning))
}

/// The message to a paused connection.
const PAUSED: &str = "The user has paused this connection's writes, so nothing was published. Only the user can resume them, \
    on StatiBeat's Hosted MCP page.";

/// A write of a paused connection, before anybody is asked about it.
pub fn paused() -> ToolOutcome {
    error(PAUSED.to_owned())
}

/// Said of a page that the person cannot see, and of one that the connection is blocked from.
pub fn unreachable_page(page_id: PageId) -> String {
    format!(
        "There is no page {page_id} that you can access; statibeat://pages lists those you can. Nothing was published."
    )
}

/// Message for a write that failed or has an unknown outcome, with the next step.
pub(crate) fn not_written(
    reason: &WriteError,
    page_id: PageId,
    has_tool: &dyn Fn(&str) -> bool,
) -> Result<String, mcp::Error> {
    Ok(match reason {
        WriteError::Refused(refusal) => return refused_lease(refusal, page_id),
        WriteError::Limited { reason, limit, retry_after } => limited(*reason, *limit, *retry_after),
        WriteError::LimiterUnavailable => {
            "The rate limit of writes cannot be checked at the moment, so nothing was published. Try again later.".to_owned()
        }
        WriteError::Unrecorded => {
            "The write cannot be recorded at the moment, so nothing was published. Try again later.".to_owned()
        }
        WriteError::LeaseUnchecked => {
            "Whether this connection may still publish cannot be checked at the moment, so nothing \
            was published. Try again later."
                .to_owned()
        }
        WriteError::PossibleDuplicates(found) => possible_duplicates(found, has_tool),
        WriteError::Unchecked(error) => return unchecked(error),
        WriteError::Unresolved(_) => {
            "An earlier call may have published this, and StatiBeat cannot be asked at the moment. Nothing was published by \
             this call. Call again later with the same arguments: the server checks first."
                .to_owned()
        }
        WriteError::Stage(problems) => describe_invalid(problems),
        WriteError::Invalid { text, hints } => {
            let hints: String = hints.iter().flat_map(|hint| [" ".to_owned(), sentence(hint)]).collect();
            format!("StatiBeat refused: {}.{hints} Nothing was published.", quote(text, ANSWER_MAX))
        }
        WriteError::UnknownTarget(words) => nothing_published(words),
        WriteError::Upstream(error) => return refused(error),
        WriteError::Unconfirmed(_) => {
            "StatiBeat did not confirm this: the change may or may not have been made. Read the resource that it changes before calling again."
                .to_owned()
        }
    })
}

/// Message for an attempt that does not get the lease, or no longer has it.
fn refused_lease(refusal: &LeaseRefusal, page_id: PageId) -> Result<String, mcp::Error> {
    Ok(match refusal {
        LeaseRefusal::Denied(WriteDenial::WritesPaused) => PAUSED.to_owned(),
        LeaseRefusal::Denied(WriteDenial::PageBlocked) => unreachable_page(page_id),
        LeaseRefusal::Denied(WriteDenial::GrantEnded) => return Err(mcp::Error::GrantEnded),
        LeaseRefusal::Running { retry_after } => format!(
            "The same write is already being carried out by another call. Nothing was published by this one. Call again \
             with the same arguments to get its result, at the latest in {}.",
            seconds(*retry_after)
        ),
        LeaseRefusal::KeyConflict { fields } if fields.iter().any(|field| field == "tool") => {
            "This idempotency_key was used for a call of another tool. Nothing was published. Give another key."
                .to_owned()
        }
        LeaseRefusal::KeyConflict { fields } => format!(
            "This idempotency_key was used for another write, with a different value for: {}. Nothing was published. Use the same arguments \
             to get that write's result, or another key for a new one.",
            fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ")
        ),
        LeaseRefusal::TokenRedeemed => {
            "This confirm token was used before, and it works only once. Nothing was published. Ask for a new preview."
                .to_owned()
        }
        LeaseRefusal::Duplicate(duplicate) => format!(
            "Nothing was published: {duplicate}. If once is enough, nothing is left to do. To publish it once more, call again with \
             preview: true, show the person the result, and then call again with its confirm token in `confirm`."
        ),
    })
}

fn limited(reason: Reason, limit: RateLimit, retry_after: Duration) -> String {
    let whose = match reason {
        Reason::PageLimit => "All connections together have used this page's",
        _ => "This connection has used its",
    };
    let (count, window, wait) = (limit.count, limit.window.as_secs(), retry_after.as_secs());
    format!("{whose} {count} writes per {window} seconds. Nothing was published. Try again in {wait} seconds.")
}

fn possible_duplicates(found: &[PossibleDuplicate], has_tool: &dyn Fn(&str) -> bool) -> String {
    let list = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let advice = match found.first().map(|similar| similar.kind) {
        Some(DuplicateKind::Update) => "If it says the same, nothing is left to do. If it is news",
        Some(DuplicateKind::Window) => "If it is the same work, nothing is left to do. If it is another",
        _ if has_tool("add_incident_update") => "If it is the same problem, use add_incident_update. If it is another",
        _ => "If it is the same problem, it needs no second incident. If it is another",
    };
    format!(
        "Nothing was published: {list}. {advice}, call again with preview: true, show the person the result, and then call \
         again with its confirm token in `confirm`."
    )
}

/// Error of a lookup before the POST.
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

/// Error of a read before the write: the write was not attempted.
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
        ApiErrorKind::RateLimited => Ok(format!("StatiBeat is limiting requests. Nothing was published. Try again {wait}.")),
        ApiErrorKind::CircuitOpen => {
            Ok(format!("StatiBeat keeps failing, so it was not called. Nothing was published. Try again {wait}."))
        }
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed | ApiErrorKind::OutcomeUnknown => {
            Ok("StatiBeat did not confirm the write: it may or may not have been published, and it is not visible at StatiBeat \
                yet. Call again with the same arguments: the server checks first and publishes nothing twice."
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

/// An error that the model or its user can fix.
pub fn error(text: String) -> ToolOutcome {
    ToolOutcome { is_error: true, text, ..ToolOutcome::default() }
}
