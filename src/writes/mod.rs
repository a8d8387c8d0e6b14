//! The write pipeline that both programs share: checks, approval, preview, the post itself and its report.
//!
//! Access checks and storage belong to each program: this module knows no scopes, access tokens or database. Stored
//! data is behind [`store::WriteStore`].

pub mod approval;
pub mod call_arguments;
pub mod checks;
mod component_changes;
pub mod confirm_token;
pub mod confirmed_call;
mod effect;
mod execute;
pub mod fingerprint;
pub mod outcome;
mod preview;
mod question_state;
pub mod report;
pub mod store;
mod target;

use crate::alternatives::PageLists;
use crate::catalog::uri::Roots;
use crate::catalog::{Tool, Write};
use crate::keyring::KeyRing;
use crate::mcp::{Error, InputContext};
use crate::model::timestamp::Timestamp;
use crate::model::write::WriteFingerprint;
use crate::model::write_policy::WritePolicy;
use crate::upstream::{AccessiblePage, ApiError, PageClient};
use confirm_token::Asker;
use confirmed_call::ToolCallWrite;
use store::WriteStore;

/// A write that its caller may make. [`WriteRequest::respond`] carries it out.
pub struct WriteRequest<'a> {
    pub asker: Asker<'a>,
    pub tool: &'static Tool,
    pub page: &'a AccessiblePage,
    pub api: &'a PageClient<'a>,
    /// Access to the page's incidents, where the caller may read them.
    pub incidents: Option<&'a PageClient<'a>>,
    /// The page's lists, for errors.
    pub lists: &'a dyn PageLists,
    pub write: &'a Write,
    /// The call that asks for it.
    pub call: &'a ToolCallWrite,
    pub fingerprint: &'a WriteFingerprint,
    /// The input requests that the client supports, and its responses.
    pub input: &'a InputContext,
    /// The operator's policy for writes.
    pub policy: &'a WritePolicy,
    /// Signs confirm tokens and the states of questions.
    pub keys: &'a KeyRing,
    pub now: Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    pub store: &'a dyn WriteStore,
    /// The program's roots of resource URIs.
    pub roots: &'a Roots,
    /// The error that a client gets for a failed read.
    pub read_error: &'a dyn Fn(&ApiError) -> Error,
}
