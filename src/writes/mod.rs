//! The write pipeline that both programs share: checks, approval, preview, the post itself and its report.
//!
//! Who may write, and what is kept of a write, is each program's own: nothing here knows of granted scopes, of access tokens
//! or of a database.

pub mod approval;
pub mod call_arguments;
pub mod checks;
pub mod confirm_token;
pub mod execute;
pub mod fingerprint;
pub mod preview;
pub mod report;
mod target;
