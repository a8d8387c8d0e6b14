//! One row of the activity, as the page, the admin API and the export have it.

use super::super::session::Viewer;
use super::super::wire::text;
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::storage::activity::ActivityRow;
use serde::Serialize;
use url::Url;

/// Stored words are not parsed: a row may have been written by an older or newer version.
#[derive(Serialize)]
pub(in super::super) struct ActivityItem {
    pub id: String,
    #[serde(rename = "at", serialize_with = "text")]
    pub created_at: Timestamp,
    pub kind: String,
    pub outcome: String,
    /// The person in whose name the app acted, or who acted on the Hosted MCP page.
    pub user_id: UserId,
    /// As it was then; empty in rows of older versions.
    pub user_name: String,
    pub is_own: bool,
    pub client_id: String,
    pub client_name: String,
    /// Whose connection a block, pause or the like concerns; `None` for an act on an own one.
    pub owner_id: Option<String>,
    pub owner_name: Option<String>,
    pub page_id: Option<PageId>,
    pub tool: Option<String>,
    pub title: Option<String>,
    /// Id of the incident or maintenance.
    pub target_id: Option<String>,
    pub public_url: Option<String>,
    pub admin_url: Option<String>,
    pub detail: Option<String>,
    /// The end of an attempt of unknown outcome, as a later attempt found it.
    pub resolution: Option<String>,
    /// Number of refused calls that the row stands for.
    pub calls: Option<i64>,
    pub request_id: String,
}

impl ActivityItem {
    pub fn new(row: ActivityRow, viewer: &Viewer) -> Self {
        let is_write = row.kind == "write";
        let owner = row.target_id.clone().filter(|owner| !is_write && *owner != row.user_id.to_string());
        Self {
            id: row.id.as_str().to_owned(),
            created_at: row.created_at,
            kind: row.kind,
            outcome: row.outcome,
            is_own: row.user_id == viewer.person.user_id,
            user_id: row.user_id,
            user_name: row.user_name,
            client_id: row.client_id,
            client_name: row.client_name,
            owner_name: row.owner_name.filter(|_| owner.is_some()),
            owner_id: owner,
            page_id: row.page_id,
            tool: row.tool,
            title: row.title,
            target_id: row.target_id.filter(|_| is_write),
            public_url: row.public_url.filter(|url| is_web_address(url)),
            admin_url: row.admin_url.filter(|url| is_web_address(url)),
            detail: row.detail,
            resolution: row.resolution,
            calls: row.calls,
            request_id: row.request_id,
        }
    }

    /// The person's name, or their number where none was stored.
    pub fn person(&self) -> String {
        name_or_number(&self.user_name, &self.user_id)
    }

    /// The person whose connection was changed, if another one.
    pub fn owner(&self) -> Option<String> {
        let id = self.owner_id.as_deref()?;
        Some(name_or_number(self.owner_name.as_deref().unwrap_or_default(), &id))
    }
}

/// True for an address that a link may lead to.
fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

fn name_or_number(name: &str, id: &impl std::fmt::Display) -> String {
    if name.is_empty() { format!("User {id}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        assert!(is_web_address("https://status.example/incidents/1") && is_web_address("http://127.0.0.1:8687/a"));
        for bad in ["javascript:alert(1)", "data:text/html,x", "/incidents/1", ""] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
