//! Diagnosis of a connection from its grants, its reported health and the pages of its owner: what is wrong, and who can fix it.

use super::advice::{self, Guidance, Remedy};
use super::missing::MissingThing;
use super::wire::{optional_text, text};
use crate::mcp::ClientInfo;
use crate::mcp::protocol_version::ProtocolVersion;
use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::storage::connections::LiveGrant;
use crate::upstream::identity::AccessiblePage;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(super) struct Diagnosis {
    pub result: CheckResult,
    #[serde(serialize_with = "optional_text")]
    pub last_call_at: Option<Timestamp>,
    pub client: Option<ClientInfo>,
    pub protocol_version: Option<&'static str>,
    pub refreshes: i64,
    #[serde(serialize_with = "optional_text")]
    pub last_refresh_at: Option<Timestamp>,
    /// Refresh tokens that were sent again before their answer was used, in the last 30 days. No fault by itself: a lost answer
    /// looks the same.
    pub refreshes_repeated: i64,
    /// Time of the newest of those repeats.
    pub last_repeated_refresh: Option<RepeatedRefresh>,
    pub refreshes_refused: i64,
    pub last_refused_refresh: Option<DiagnosticCheck>,
    pub last_error: Option<DiagnosticCheck>,
    /// Every scope that was requested or granted.
    pub scopes: Vec<ScopeCheck>,
    /// Pages that admins have blocked the connection from.
    pub blocked_pages: Vec<PageId>,
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
    /// True once a later call or refresh has succeeded, or what was missing is there.
    pub is_over: bool,
    /// The scope, role, page or argument that was missing, in words; `None` if that is not known.
    pub missing: Option<String>,
    #[serde(flatten)]
    pub advice: Guidance,
    /// The page whose block was the reason.
    #[serde(skip)]
    pub blocked_page: Option<PageId>,
}

/// One scope: requested, granted, and usable with the owner's role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ScopeCheck {
    pub scope: &'static str,
    /// Requested at the newest approval; `None` if that is no longer known.
    pub is_asked: Option<bool>,
    pub is_granted: bool,
    /// Accessible pages on which the owner's role allows it now; `None` for another person's connection.
    pub usable_on_pages: Option<usize>,
    pub reached_pages: Option<usize>,
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
    /// `pages` are the ones that the connection's owner can see now; `None` for another person's, whose roles the viewer isn't told.
    pub fn new(connection: &LiveGrant, pages: Option<&[AccessiblePage]>) -> Self {
        let health = &connection.health;
        let called_at = health.called_at;
        let last_call_at = called_at.max(connection.last_used_at);
        let last_error = health.failure.as_ref().and_then(|(word, at)| {
            let mut advice = advice::of_problem(word.parse().ok()?);
            let missing = MissingThing::find(connection, pages);
            if let Some(remedy) = missing.as_ref().and_then(|missing| missing.remedy) {
                advice.remedy = remedy;
            }
            let is_resolved = missing.as_ref().is_some_and(|missing| missing.is_resolved)
                || advice.remedy == Remedy::ResumeWrites && !connection.are_writes_paused;
            Some(DiagnosticCheck {
                reason: word.clone(),
                occurred_at: *at,
                is_over: is_resolved || called_at > Some(*at),
                blocked_page: missing.as_ref().and_then(|missing| missing.blocked_page),
                missing: missing.map(|missing| missing.sentence),
                advice,
            })
        });
        let last_refused_refresh = health.refresh_failure.as_ref().map(|(word, at)| {
            let is_over = connection.refreshed_at > *at;
            DiagnosticCheck {
                reason: word.clone(),
                occurred_at: *at,
                is_over,
                missing: None,
                advice: advice::of_refresh(word),
                blocked_page: None,
            }
        });
        let is_failing = [&last_error, &last_refused_refresh].into_iter().flatten().any(|check| !check.is_over);
        let result = match () {
            () if is_failing => CheckResult::Failing,
            () if last_call_at.is_none() => CheckResult::Unused,
            () if connection.are_writes_paused => CheckResult::Paused,
            () => CheckResult::Well,
        };
        let is_reached =
            |page: &&AccessiblePage| connection.pages.contains(page.id) && !connection.blocked.contains(&page.id);
        let reached: Option<Vec<&AccessiblePage>> = pages.map(|pages| pages.iter().filter(is_reached).collect());
        let version = health.protocol_version.as_deref().and_then(ProtocolVersion::parse);
        let repeated = connection.repeated_at;
        Self {
            result,
            last_call_at,
            client: health.client_info.clone().map(|(name, version)| ClientInfo { name, version }),
            protocol_version: version.map(ProtocolVersion::as_str),
            refreshes: connection.refreshes,
            last_refresh_at: (connection.refreshes > 0).then_some(connection.refreshed_at),
            refreshes_repeated: connection.repeated_refreshes,
            last_repeated_refresh: repeated
                .map(|at| RepeatedRefresh { occurred_at: at, advice: advice::OF_REPEATED_REFRESH }),
            refreshes_refused: health.refreshes_failed,
            last_refused_refresh,
            last_error,
            scopes: check_scopes(connection.scopes, health.requested_scopes, reached.as_deref()),
            blocked_pages: connection.blocked.iter().copied().collect(),
        }
    }
}

fn check_scopes(granted: ScopeSet, asked: Option<ScopeSet>, reached: Option<&[&AccessiblePage]>) -> Vec<ScopeCheck> {
    let shown = granted.union(asked.unwrap_or_default());
    let check = |scope: Scope| ScopeCheck {
        scope: scope.as_str(),
        is_asked: asked.map(|asked| asked.contains(scope)),
        is_granted: granted.contains(scope),
        usable_on_pages: reached
            .map(|reached| reached.iter().filter(|page| page.allows(scope.page_permission())).count()),
        reached_pages: reached.map(<[_]>::len),
    };
    shown.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::super::connections::tests::connection;
    use super::*;
    use crate::oauth::grant::PageChoice;
    use crate::storage::diagnostics::Health;
    use serde_json::json;

    fn page(id: i64, permissions: &[&str]) -> AccessiblePage {
        let entry = json!({ "id": id, "organization_id": 7, "name": "N", "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    fn health(called_at: i64, failure: Option<(&str, i64)>) -> Health {
        let time = Timestamp::from_seconds;
        Health {
            called_at: Some(time(called_at)),
            client_info: None,
            protocol_version: Some("2026-07-28".into()),
            failure: failure.map(|(word, at)| (word.into(), time(at))),
            failure_missing: None,
            refreshes_failed: 0,
            refresh_failure: None,
            requested_scopes: Some(Scope::AnalyticsRead.into()),
        }
    }

    #[test]
    fn scope_is_usable_on_accessible_pages_whose_role_allows_it() {
        let pages = [page(1, &["page.read"]), page(2, &["page.read"]), page(3, &[]), page(4, &["page.read"])];
        let chosen = PageChoice::These(
            [PageId::new(1).expect("an id"), PageId::new(2).expect("an id"), PageId::new(3).expect("an id")].into(),
        );
        let mut connection = connection(chosen, Scope::PagesRead);
        (connection.health, connection.blocked) = (health(9, None), [PageId::new(2).expect("an id")].into());
        let found = Diagnosis::new(&connection, Some(&pages));
        let shown: Vec<_> = found
            .scopes
            .iter()
            .map(|check| (check.scope, check.is_asked, check.is_granted, check.usable_on_pages, check.reached_pages))
            .collect();
        assert_eq!(
            shown,
            [
                ("mcp.pages.read", Some(false), true, Some(1), Some(2)),
                ("mcp.analytics.read", Some(true), false, Some(0), Some(2))
            ]
        );
        assert_eq!(found.protocol_version, Some(ProtocolVersion::LATEST.as_str()));
    }

    #[test]
    fn later_successful_call_ends_a_failure() {
        let result_of = |health: Health| {
            Diagnosis::new(&LiveGrant { health, ..connection(PageChoice::All, Scope::PagesRead) }, None).result
        };
        assert_eq!(result_of(health(9, None)), CheckResult::Well);
        assert_eq!(result_of(health(9, Some(("scope", 9)))), CheckResult::Failing);
        assert_eq!(result_of(health(9, Some(("scope", 8)))), CheckResult::Well);
        assert_eq!(result_of(health(9, Some(("a word of another version", 9)))), CheckResult::Well);
    }

    #[test]
    fn connection_without_calls_is_unused_and_with_paused_writes_is_paused() {
        let mut connection = connection(PageChoice::All, Scope::PagesRead);
        connection.last_used_at = None;
        assert_eq!(Diagnosis::new(&connection, None).result, CheckResult::Unused);
        (connection.are_writes_paused, connection.health) = (true, health(9, None));
        assert_eq!(Diagnosis::new(&connection, None).result, CheckResult::Paused);
    }
}
