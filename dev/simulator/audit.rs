//! The audit trail of writes, as StatiBeat would keep it beside the connector's own.

use serde::Serialize;

/// One write that was let through to a page, successful or not.
#[derive(Clone, Debug, Serialize)]
pub struct AuditEntry {
    /// When, in unix seconds.
    pub at: i64,
    /// `hosted_mcp` or `api_token`.
    pub source: &'static str,
    /// The user behind the call; none for an API token.
    pub user_id: Option<u64>,
    /// The MCP client that the assertion names.
    pub client_id: Option<String>,
    /// The grant that the assertion names.
    pub grant_id: Option<String>,
    /// The connection that the attribution header names.
    pub connection_id: Option<String>,
    /// The request id, echoed or made.
    pub request_id: String,
    /// The page that was written to.
    pub page_id: u64,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status that was answered.
    pub status: u16,
}
