//! Merges live grants into connections: all live grants of one person to one client.

use crate::oauth::grant::PageChoice;
use crate::storage::connections::{ConnectionKey, LiveGrant};
use std::collections::HashMap;
use std::mem;

/// Merges grants of the same connection, keeping the order of their first. The result allows what any of them allows and has the
/// name of the newest.
pub(super) fn merge_grants(grants: Vec<LiveGrant>) -> Vec<LiveGrant> {
    let mut connections: Vec<LiveGrant> = Vec::new();
    let mut places: HashMap<ConnectionKey, usize> = HashMap::new();
    for grant in grants {
        let key = grant.key();
        if let Some(place) = places.get(&key) {
            merge(&mut connections[*place], grant);
        } else {
            places.insert(key, connections.len());
            connections.push(grant);
        }
    }
    connections
}

fn merge(known: &mut LiveGrant, later: LiveGrant) {
    // A grant without a limit leaves the connection without one.
    match (known.expires_at, later.expires_at) {
        (Some(_), Some(_)) => known.expires_at = known.expires_at.max(later.expires_at),
        (Some(_), None) => (known.expires_at, known.unused_until) = (None, later.unused_until),
        (None, Some(_)) => {}
        (None, None) => known.unused_until = known.unused_until.max(later.unused_until),
    }
    known.scopes = known.scopes.union(later.scopes);
    known.pages = match (mem::replace(&mut known.pages, PageChoice::All), later.pages) {
        (PageChoice::These(mut pages), PageChoice::These(more)) => {
            pages.extend(more);
            PageChoice::These(pages)
        }
        _ => PageChoice::All,
    };
    known.has_resource_tools |= later.has_resource_tools;
    known.is_loopback |= later.is_loopback;
    known.last_used_at = known.last_used_at.max(later.last_used_at);
    known.refreshes += later.refreshes;
    known.refreshed_at = known.refreshed_at.max(later.refreshed_at);
    known.repeated_refreshes += later.repeated_refreshes;
    known.repeated_at = known.repeated_at.max(later.repeated_at);
    known.approvals.extend(later.approvals);
    known.accessed.extend(later.accessed);
    known.blocked.extend(later.blocked);
    known.client_name = later.client_name;
    known.trust = later.trust;
    known.redirect_host = later.redirect_host;
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::ids::{GrantId, PageId, UserId};
    use crate::model::scope::{Scope, ScopeSet};
    use crate::model::timestamp::Timestamp;
    use crate::oauth::client::{ClientId, ClientTrust};
    use crate::storage::connections::{ApprovedAccess, ListPosition};
    use crate::storage::diagnostics::Health;
    use std::collections::BTreeSet;

    /// A connection of one grant, for the tests beside.
    pub(in super::super) fn connection(pages: PageChoice, scope: Scope) -> LiveGrant {
        merge_grants(vec![grant("a", pages, scope, 1, None)]).remove(0)
    }

    /// A grant of that scope on these pages.
    pub(in super::super) fn grant(
        client: &str,
        pages: PageChoice,
        scope: Scope,
        at: i64,
        expires_at: Option<i64>,
    ) -> LiveGrant {
        let time = Timestamp::from_seconds;
        let approved = ApprovedAccess {
            grant_id: GrantId::parse(format!("g{at}")).expect("an id"),
            scopes: scope.into(),
            pages: pages.clone(),
            created_at: time(at),
            last_used_at: Some(time(at + 1)),
            expires_at: expires_at.map(time),
        };
        LiveGrant {
            user_id: UserId::parse("1").expect("an id"),
            user_name: "Mara".into(),
            client_id: ClientId::parse(client).expect("a client id"),
            client_name: client.to_uppercase(),
            trust: ClientTrust::Unverified,
            redirect_host: "localhost".into(),
            is_loopback: true,
            scopes: scope.into(),
            pages,
            created_at: time(at),
            last_used_at: Some(time(at + 1)),
            expires_at: expires_at.map(time),
            unused_until: time(at + 100),
            refreshes: 1,
            refreshed_at: time(at),
            repeated_refreshes: 1,
            repeated_at: Some(time(at)),
            has_resource_tools: false,
            are_writes_paused: false,
            confirm: None,
            accessed: BTreeSet::new(),
            blocked: BTreeSet::new(),
            approvals: vec![approved],
            health: Health::default(),
            position: ListPosition::default(),
        }
    }

    #[test]
    fn grants_to_one_client_merge_into_one_connection_with_the_access_of_all() {
        let these = |id| PageChoice::These([PageId::new(id).expect("an id")].into());
        let connections = merge_grants(vec![
            grant("a", these(7), Scope::PagesRead, 1, Some(50)),
            grant("b", PageChoice::All, Scope::PagesRead, 2, None),
            grant("a", these(8), Scope::IncidentsWrite, 3, Some(60)),
        ]);
        assert_eq!(connections.len(), 2);
        let a = &connections[0];
        assert_eq!(a.pages, PageChoice::These([PageId::new(7).expect("an id"), PageId::new(8).expect("an id")].into()));
        assert_eq!(a.scopes, ScopeSet::from_iter([Scope::PagesRead, Scope::IncidentsWrite]));
        assert_eq!((a.created_at.as_seconds(), a.last_used_at.map(Timestamp::as_seconds)), (1, Some(4)));
        assert_eq!(a.expires_at, Some(Timestamp::from_seconds(60)));
        assert_eq!((a.refreshes, a.refreshed_at.as_seconds()), (2, 3));
        assert_eq!((a.repeated_refreshes, a.repeated_at.map(Timestamp::as_seconds)), (2, Some(3)));
    }

    #[test]
    fn connection_with_one_unlimited_grant_is_unlimited() {
        let connections = merge_grants(vec![
            grant("a", PageChoice::All, Scope::PagesRead, 1, Some(50)),
            grant("a", PageChoice::All, Scope::PagesRead, 3, None),
        ]);
        let ends = (connections[0].expires_at, connections[0].unused_until);
        assert_eq!(ends, (None, Timestamp::from_seconds(103)));
    }
}
