//! The connection doctor: what is known of one connection put together, so that its owner can tell what is wrong and whose
//! turn it is. Facts only; the words for them are the view's.

use super::connections::Connection;
use crate::mcp::version::ProtocolVersion;
use crate::model::ids::PageId;
use crate::model::outcome::CallProblem;
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::storage::health::Health;
use crate::upstream::identity::AccessiblePage;

#[derive(Clone, Debug)]
pub(in crate::web) struct Checkup {
    /// The last call, to the minute.
    pub called_at: Option<Timestamp>,
    /// What the program calls itself, and its version. From outside.
    pub program: Option<(String, String)>,
    pub revision: Option<ProtocolVersion>,
    /// The last call without a result.
    pub trouble: Option<Finding<CallProblem>>,
    pub refreshes: i64,
    /// The last of them; the first tokens, if there was none.
    pub refreshed_at: Timestamp,
    /// Refresh tokens that were sent again within their reuse grace period, in the last 30 days. No trouble by itself: a lost
    /// answer looks the same.
    pub repeated_refreshes: i64,
    /// When the newest of those tokens was sent first.
    pub repeated_at: Option<Timestamp>,
    pub refreshes_failed: i64,
    /// The last of those, with its reason in a word of ours.
    pub refresh_failure: Option<Finding<String>>,
    /// Every scope that was asked for or granted.
    pub scopes: Vec<ScopeCheck>,
    /// Pages that admins have blocked the connection from.
    pub blocked_pages: Vec<PageId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) struct Finding<T> {
    pub what: T,
    pub at: Timestamp,
    /// Whether the same has gone well since.
    pub is_over: bool,
}

/// What one scope is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web) struct ScopeCheck {
    pub scope: Scope,
    /// Whether the client asked for it at the newest approval; `None`: not known any more.
    pub is_asked: Option<bool>,
    /// Whether the person granted it.
    pub is_granted: bool,
    /// On how many of the pages that it reaches the person's role allows it now.
    pub usable_on: usize,
    /// How many pages it reaches.
    pub reached: usize,
}

/// How a connection is doing, in one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Verdict {
    /// Nothing stands in its way.
    Well,
    /// It has not called yet.
    Unused,
    Trouble,
    /// Its person has paused what it posts.
    Paused,
}

impl Checkup {
    /// Examines a connection. `pages` are those that its owner can see now.
    pub(super) fn of(
        connection: &Connection,
        health: Option<&Health>,
        blocked_pages: Vec<PageId>,
        pages: &[AccessiblePage],
    ) -> Self {
        let called_at = health.and_then(|known| known.called_at).max(connection.last_used_at);
        let trouble = health.and_then(|known| known.trouble.as_ref());
        let failure = health.and_then(|known| known.refresh_failure.as_ref());
        let reached: Vec<&AccessiblePage> = pages
            .iter()
            .filter(|page| connection.pages.contains(page.id) && !blocked_pages.contains(&page.id))
            .collect();
        Self {
            called_at,
            program: health.and_then(|known| known.program.clone()),
            revision: health.and_then(|known| known.revision.as_deref()).and_then(ProtocolVersion::parse),
            trouble: trouble.and_then(|(word, at)| {
                let what = word.parse().ok()?;
                Some(Finding { what, at: *at, is_over: health.and_then(|known| known.called_at) > Some(*at) })
            }),
            refreshes: connection.refreshes,
            refreshed_at: connection.refreshed_at,
            repeated_refreshes: connection.repeated_refreshes,
            repeated_at: connection.repeated_at,
            refreshes_failed: health.map_or(0, |known| known.refreshes_failed),
            refresh_failure: failure.map(|(word, at)| Finding {
                what: word.clone(),
                at: *at,
                is_over: connection.refreshed_at > *at,
            }),
            scopes: check_scopes(connection.scopes, health.and_then(|known| known.asked), &reached),
            blocked_pages,
        }
    }

    /// How the connection is doing.
    pub(in crate::web) fn verdict(&self, connection: &Connection) -> Verdict {
        let is_ill = self.trouble.as_ref().is_some_and(|found| !found.is_over)
            || self.refresh_failure.as_ref().is_some_and(|found| !found.is_over);
        match () {
            () if is_ill => Verdict::Trouble,
            () if self.called_at.is_none() => Verdict::Unused,
            () if connection.are_writes_paused => Verdict::Paused,
            () => Verdict::Well,
        }
    }
}

fn check_scopes(granted: ScopeSet, asked: Option<ScopeSet>, reached: &[&AccessiblePage]) -> Vec<ScopeCheck> {
    let shown = granted.union(asked.unwrap_or_default());
    let check = |scope: Scope| ScopeCheck {
        scope,
        is_asked: asked.map(|asked| asked.contains(scope)),
        is_granted: granted.contains(scope),
        usable_on: reached.iter().filter(|page| page.allows(scope.page_permission())).count(),
        reached: reached.len(),
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

    fn health(called_at: i64, trouble: Option<(&str, i64)>) -> Health {
        let time = Timestamp::from_seconds;
        Health {
            client_id: "a".into(),
            called_at: Some(time(called_at)),
            program: None,
            revision: Some("2026-07-28".into()),
            trouble: trouble.map(|(word, at)| (word.into(), time(at))),
            refreshes_failed: 0,
            refresh_failure: None,
            asked: Some(Scope::AnalyticsRead.into()),
        }
    }

    #[test]
    fn a_scope_is_usable_where_the_role_allows_it_and_the_connection_reaches() {
        let pages = [page(1, &["page.read"]), page(2, &["page.read"]), page(3, &[]), page(4, &["page.read"])];
        let chosen = PageChoice::These([PageId(1), PageId(2), PageId(3)].into());
        let found = Checkup::of(&connection(chosen, Scope::PagesRead), Some(&health(9, None)), vec![PageId(2)], &pages);
        let shown: Vec<_> = found
            .scopes
            .iter()
            .map(|check| (check.scope, check.is_asked, check.is_granted, check.usable_on, check.reached))
            .collect();
        assert_eq!(
            shown,
            [(Scope::PagesRead, Some(false), true, 1, 2), (Scope::AnalyticsRead, Some(true), false, 0, 2)]
        );
        assert_eq!(found.revision, Some(ProtocolVersion::LATEST));
    }

    #[test]
    fn trouble_is_over_when_a_later_call_went_well() {
        let connection = connection(PageChoice::All, Scope::PagesRead);
        let verdict = |known: Option<&Health>| Checkup::of(&connection, known, vec![], &[]).verdict(&connection);
        assert_eq!(verdict(Some(&health(9, None))), Verdict::Well);
        assert_eq!(verdict(Some(&health(9, Some(("scope", 9))))), Verdict::Trouble);
        assert_eq!(verdict(Some(&health(9, Some(("scope", 8))))), Verdict::Well);
        assert_eq!(verdict(Some(&health(9, Some(("a word of another version", 9))))), Verdict::Well);
    }

    #[test]
    fn what_never_called_is_unused_and_what_is_paused_is_paused() {
        let mut connection = connection(PageChoice::All, Scope::PagesRead);
        connection.last_used_at = None;
        assert_eq!(Checkup::of(&connection, None, vec![], &[]).verdict(&connection), Verdict::Unused);
        connection.are_writes_paused = true;
        assert_eq!(Checkup::of(&connection, Some(&health(9, None)), vec![], &[]).verdict(&connection), Verdict::Paused);
    }
}
