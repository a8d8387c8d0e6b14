//! Reading resources, rendering prompts and completing arguments, for both programs.
//!
//! Access checks are in each program.

pub mod completion;
pub mod prompts;
pub mod resources;
pub mod skills;

use crate::mcp::Error;
use crate::model::visible::quote;
use crate::upstream::{ApiError, ApiErrorKind};

/// Longest reason of StatiBeat that is quoted, in characters.
const REASON_MAX: usize = 400;

/// The error that a client gets for a failed read. What it must not see goes to the log.
pub fn read_error(uri: &str, error: &ApiError, log: &dyn Fn(&str)) -> Error {
    let unavailable = |reason: &str| Error::Unavailable { reason: reason.to_owned(), retry_after: error.retry_after };
    match error.kind {
        ApiErrorKind::NotFound => no_such_resource(uri),
        ApiErrorKind::Forbidden => Error::Forbidden(refused(&error.detail)),
        ApiErrorKind::Invalid => Error::InvalidParams(refused(&error.detail)),
        ApiErrorKind::UserEnded => Error::AccessEnded,
        ApiErrorKind::RateLimited => unavailable("StatiBeat is limiting requests."),
        ApiErrorKind::CircuitOpen => unavailable("StatiBeat keeps failing, so it is not called for a moment."),
        ApiErrorKind::Unavailable => {
            log(&error.to_string());
            unavailable("StatiBeat cannot be reached.")
        }
        ApiErrorKind::Malformed => {
            log(&error.to_string());
            unavailable("StatiBeat's answer could not be read.")
        }
        ApiErrorKind::CredentialRefused => Error::Untrusted(error.to_string()),
        ApiErrorKind::ContractViolation | ApiErrorKind::OutcomeUnknown => Error::Internal(error.to_string()),
    }
}

/// The error for a resource that is not there, or not for this caller, where nothing is known that would have worked.
pub fn no_such_resource(uri: &str) -> Error {
    Error::ResourceNotFound { uri: uri.to_owned(), message: format!("No such resource: {}", quote(uri, REASON_MAX)) }
}

/// StatiBeat's reason may repeat what somebody wrote on the page, so it stands in quotation marks.
fn refused(reason: &str) -> String {
    format!("StatiBeat refused: {}", quote(reason, REASON_MAX))
}
