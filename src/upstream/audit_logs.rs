//! The audit setting of pages: the connector shows the activity of a page only where StatiBeat keeps audit logs.

use super::accessible_page::AccessiblePage;
use super::client::UserClient;
use super::error::ApiError;
use crate::model::ids::PageId;
use crate::model::scope::Scope;
use futures_util::future::join_all;
use serde_json::Value;

/// StatiBeat's audit setting of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLogs {
    Enabled,
    Disabled,
    /// StatiBeat's response was missing or invalid.
    Unknown,
}

/// Reads the settings of all pages in parallel. A failure concerns only its page.
pub async fn of_pages(user: &UserClient<'_>, pages: &[AccessiblePage]) -> Vec<(PageId, AuditLogs)> {
    let ask = async |page: &AccessiblePage| {
        let answer = user.page(page, Scope::PagesRead).get("audit-settings").await;
        (page.id, read(answer))
    };
    join_all(pages.iter().map(ask)).await
}

fn read(answer: Result<Value, ApiError>) -> AuditLogs {
    match answer.ok().and_then(|settings| settings.get("audit_logs_enabled")?.as_bool()) {
        Some(true) => AuditLogs::Enabled,
        Some(false) => AuditLogs::Disabled,
        None => AuditLogs::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::ApiErrorKind;
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_clear_answer_counts() {
        assert_eq!(read(Ok(json!({ "audit_logs_enabled": true }))), AuditLogs::Enabled);
        assert_eq!(read(Ok(json!({ "audit_logs_enabled": false }))), AuditLogs::Disabled);
        assert_eq!(read(Ok(json!({ "audit_logs_enabled": "yes" }))), AuditLogs::Unknown);
        assert_eq!(read(Err(ApiError::new(ApiErrorKind::UserEnded, ""))), AuditLogs::Unknown);
    }
}
