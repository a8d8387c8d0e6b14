//! Diagnosis of a connection from its grants, its reported health and the pages of its owner: what is wrong, and who can fix it.

use super::advice::{self, Guidance};
use super::wire::{optional_text, text};
use crate::mcp::protocol_version::ProtocolVersion;
use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::storage::connections::LiveGrant;
use crate::storage::diagnostics::Health;
use crate::upstream::identity::AccessiblePage;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Diagnosis {
    pub result: CheckResult,
    #[serde(serialize_with = "optional_text")]
    pub last_call_at: Option<Timestamp>,
    pub client: Option<NamedClient>,
    pub protocol_version: Option<&'static str>,
    pub refreshes: i64,
    #[serde(serialize_with = "optional_text")]
    pub last_refresh_at: Option<Timestamp>,
    /// Refresh tokens that were sent again within their reuse grace period, in the last 30 days. No fault by itself: a lost
    /// answer looks the same.
    pub refreshes_repeated: i64,
    /// When the newest of those tokens was first used.
    pub last_repeated_refresh: Option<RepeatedRefresh>,
    pub refreshes_refused: i64,
    pub last_refused_refresh: Option<DiagnosticCheck>,
    pub last_error: Option<DiagnosticCheck>,
    /// Every scope that was requested or granted.
    pub scopes: Vec<ScopeCheck>,
    /// Pages that admins have blocked the connection from.
    pub blocked_pages: Vec<PageId>,
}

/// A client's name and version as it reported them, already cleaned and cut.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NamedClient {
    pub name: String,
    pub version: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct RepeatedRefresh {
    #[serde(rename = "at", serialize_with = "text")]
    pub occurred_at: Timestamp,
    #[serde(flatten)]
    pub advice: Guidance,
}

/// A failure that the diagnosis reports.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DiagnosticCheck {
    pub reason: String,
    #[serde(rename = "at", serialize_with = "text")]
    pub occurred_at: Timestamp,
    /// True once a later call or refresh has succeeded.
    pub is_over: bool,
    #[serde(flatten)]
    pub advice: Guidance,
}

/// One scope: requested, granted, and usable with the owner's role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ScopeCheck {
    pub scope: &'static str,
    /// Requested at the newest approval; `None` if that is no longer known.
    pub is_asked: Option<bool>,
    pub is_granted: bool,
    /// Accessible pages on which the owner's role allows it now.
    pub usable_on_pages: usize,
    pub reached_pages: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckResult {
    Well,
    /// No call was received yet.
    Unused,
    Failing,
    /// The owner has paused its writes.
    Paused,
}

impl Diagnosis {
    /// `pages` are the ones that the connection's owner can see now.
    pub fn new(
        connection: &LiveGrant,
        health: Option<&Health>,
        blocked_pages: Vec<PageId>,
        pages: &[AccessiblePage],
    ) -> Self {
        let called_at = health.and_then(|known| known.called_at);
        let last_call_at = called_at.max(connection.last_used_at);
        let last_error = health.and_then(|known| known.failure.as_ref()).and_then(|(word, at)| {
            let problem = word.parse().ok()?;
            let is_over = called_at > Some(*at);
            Some(DiagnosticCheck {
                reason: word.clone(),
                occurred_at: *at,
                is_over,
                advice: advice::of_problem(problem),
            })
        });
        let failure = health.and_then(|known| known.refresh_failure.as_ref());
        let last_refused_refresh = failure.map(|(word, at)| {
            let is_over = connection.refreshed_at > *at;
            DiagnosticCheck { reason: word.clone(), occurred_at: *at, is_over, advice: advice::of_refresh(word) }
        });
        let is_failing = [&last_error, &last_refused_refresh].into_iter().flatten().any(|check| !check.is_over);
        let result = match () {
            () if is_failing => CheckResult::Failing,
            () if last_call_at.is_none() => CheckResult::Unused,
            () if connection.are_writes_paused => CheckResult::Paused,
            () => CheckResult::Well,
        };
        let is_reached =
            |page: &&AccessiblePage| connection.pages.contains(page.id) && !blocked_pages.contains(&page.id);
        let reached: Vec<&AccessiblePage> = pages.iter().filter(is_reached).collect();
        let client = health.and_then(|known| known.client_info.clone());
        let version = health.and_then(|known| known.protocol_version.as_deref()).and_then(ProtocolVersion::parse);
        let repeated = connection.repeated_at;
        Self {
            result,
            last_call_at,
            client: client.map(|(name, version)| NamedClient { name, version }),
            protocol_version: version.map(ProtocolVersion::as_str),
            refreshes: connection.refreshes,
            last_refresh_at: (connection.refreshes > 0).then_some(connection.refreshed_at),
            refreshes_repeated: connection.repeated_refreshes,
            last_repeated_refresh: repeated
                .map(|at| RepeatedRefresh { occurred_at: at, advice: advice::OF_REPEATED_REFRESH }),
            refreshes_refused: health.map_or(0, |known| known.refreshes_failed),
            last_refused_refresh,
            last_error,
            scopes: check_scopes(connection.scopes, health.and_then(|known| known.requested_scopes), &reached),
            blocked_pages,
        }
    }
}

fn check_scopes(granted: ScopeSet, asked: Option<ScopeSet>, reached: &[&AccessiblePage]) -> Vec<ScopeCheck> {
    let shown = granted.union(asked.unwrap_or_default());
    let check = |scope: Scope| ScopeCheck {
        scope: scope.as_str(),
        is_asked: asked.map(|asked| asked.contains(scope)),
        is_granted: granted.contains(scope),
        usable_on_pages: reached.iter().filter(|page| page.allows(scope.page_permission())).count(),
        reached_pages: reached.len(),
    };
    shown.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::super::connections::tests::connection;
    use super::*;
    use crate::oauth::grant::PageChoice;
    use serde_json::json;

    fn page(id: i64, permissions: &[&str]) -> AccessiblePage {
        let entry = json!({ "id": id, "organization_id": 7, "name": "N", "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    fn health(called_at: i64, failure: Option<(&str, i64)>) -> Health {
        let time = Timestamp::from_seconds;
        Health {
            client_id: "a".into(),
            called_at: Some(time(called_at)),
            client_info: None,
            protocol_version: Some("2026-07-28".into()),
            failure: failure.map(|(word, at)| (word.into(), time(at))),
            refreshes_failed: 0,
            refresh_failure: None,
            requested_scopes: Some(Scope::AnalyticsRead.into()),
        }
    }

    #[test]
    fn scope_is_usable_on_accessible_pages_whose_role_allows_it() {
        let pages = [page(1, &["page.read"]), page(2, &["page.read"]), page(3, &[]), page(4, &["page.read"])];
        let chosen = PageChoice::These([PageId(1), PageId(2), PageId(3)].into());
        let found =
            Diagnosis::new(&connection(chosen, Scope::PagesRead), Some(&health(9, None)), vec![PageId(2)], &pages);
        let shown: Vec<_> = found
            .scopes
            .iter()
            .map(|check| (check.scope, check.is_asked, check.is_granted, check.usable_on_pages, check.reached_pages))
            .collect();
        assert_eq!(
            shown,
            [("mcp.pages.read", Some(false), true, 1, 2), ("mcp.analytics.read", Some(true), false, 0, 2)]
        );
        assert_eq!(found.protocol_version, Some(ProtocolVersion::LATEST.as_str()));
    }

    #[test]
    fn later_successful_call_ends_a_failure() {
        let connection = connection(PageChoice::All, Scope::PagesRead);
        let result_of = |known: Option<&Health>| Diagnosis::new(&connection, known, vec![], &[]).result;
        assert_eq!(result_of(Some(&health(9, None))), CheckResult::Well);
        assert_eq!(result_of(Some(&health(9, Some(("scope", 9))))), CheckResult::Failing);
        assert_eq!(result_of(Some(&health(9, Some(("scope", 8))))), CheckResult::Well);
        assert_eq!(result_of(Some(&health(9, Some(("a word of another version", 9))))), CheckResult::Well);
    }

    #[test]
    fn connection_without_calls_is_unused_and_with_paused_writes_is_paused() {
        let mut connection = connection(PageChoice::All, Scope::PagesRead);
        connection.last_used_at = None;
        assert_eq!(Diagnosis::new(&connection, None, vec![], &[]).result, CheckResult::Unused);
        connection.are_writes_paused = true;
        assert_eq!(Diagnosis::new(&connection, Some(&health(9, None)), vec![], &[]).result, CheckResult::Paused);
    }
}
