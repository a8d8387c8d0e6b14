//! From live grants to connections, as the page lists them.

use crate::catalog::policy::Confirm;
use crate::model::ids::{PageId, UserId};
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::{ClientId, ClientTrust};
use crate::oauth::grant::PageChoice;
use crate::storage::connections::LiveGrant;
use std::collections::HashMap;

/// All live grants of one person to one client; of a listing by page, those that reach the page.
#[derive(Clone, Debug)]
pub(in crate::web) struct Connection {
    pub user_id: UserId,
    pub user_name: String,
    pub client_id: ClientId,
    /// Its name, as the newest consent page showed it.
    pub client_name: String,
    /// How much is known of it.
    pub trust: ClientTrust,
    pub redirect_host: String,
    /// Whether any of its grants went to a loopback address, where any program can claim the client id.
    pub is_loopback: bool,
    /// What any of its grants allows.
    pub scopes: ScopeSet,
    /// Where any of its grants reaches.
    pub pages: PageChoice,
    pub since: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub end: End,
    /// How often any of its grants was refreshed.
    pub refreshes: i64,
    /// The last refresh, or the last first tokens.
    pub refreshed_at: Timestamp,
    /// How often any of its refresh tokens was sent again within its reuse grace period, in the last 30 days.
    pub repeated_refreshes: i64,
    /// When the newest of those tokens was sent first.
    pub repeated_at: Option<Timestamp>,
    /// Whether any of its grants lets the client read resources by tools.
    pub has_read_bridge: bool,
    /// Whether its writes are paused.
    pub are_writes_paused: bool,
    /// How its person wants to be asked about them; `None`: as the environment says.
    pub confirm: Option<Confirm>,
    /// Of a listing by page: the page, and whether the connection is blocked from it.
    pub page: Option<(PageId, bool)>,
}

/// When a connection ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum End {
    /// At the time its person set.
    At(Timestamp),
    /// Only if it is not used until then.
    Unused(Timestamp),
}

/// Puts grants of the same connection together, in the order of their first.
pub(super) fn gather(grants: Vec<LiveGrant>) -> Vec<Connection> {
    let mut connections: Vec<Connection> = Vec::new();
    let mut places: HashMap<_, usize> = HashMap::new();
    for grant in grants {
        let key = (grant.user_id.clone(), grant.client_id.clone(), grant.page.map(|page| page.page_id));
        if let Some(place) = places.get(&key) {
            connections[*place].add(grant);
        } else {
            places.insert(key, connections.len());
            connections.push(Connection::of(grant));
        }
    }
    connections
}

impl Connection {
    fn of(grant: LiveGrant) -> Self {
        let end = end_of(&grant);
        Self {
            user_id: grant.user_id,
            user_name: grant.user_name,
            client_id: grant.client_id,
            client_name: grant.client_name,
            trust: grant.trust,
            redirect_host: grant.redirect_host,
            is_loopback: grant.is_loopback,
            scopes: grant.scopes,
            pages: grant.pages,
            since: grant.created_at,
            last_used_at: grant.last_used_at,
            end,
            refreshes: grant.refreshes,
            refreshed_at: grant.refreshed_at,
            repeated_refreshes: grant.repeated_refreshes,
            repeated_at: grant.repeated_at,
            has_read_bridge: grant.has_read_bridge,
            are_writes_paused: grant.are_writes_paused,
            confirm: grant.confirm.as_deref().map(Confirm::from_stored),
            page: grant.page.map(|page| (page.page_id, page.is_blocked)),
        }
    }

    fn add(&mut self, grant: LiveGrant) {
        self.end = later(self.end, end_of(&grant));
        self.scopes = self.scopes.union(grant.scopes);
        self.pages = match (std::mem::replace(&mut self.pages, PageChoice::All), grant.pages) {
            (PageChoice::These(mut pages), PageChoice::These(more)) => {
                pages.extend(more);
                PageChoice::These(pages)
            }
            _ => PageChoice::All,
        };
        self.has_read_bridge |= grant.has_read_bridge;
        self.is_loopback |= grant.is_loopback;
        self.last_used_at = self.last_used_at.max(grant.last_used_at);
        self.refreshes += grant.refreshes;
        self.refreshed_at = self.refreshed_at.max(grant.refreshed_at);
        self.repeated_refreshes += grant.repeated_refreshes;
        self.repeated_at = self.repeated_at.max(grant.repeated_at);
        self.client_name = grant.client_name;
        self.trust = grant.trust;
        self.redirect_host = grant.redirect_host;
    }

    /// Whether it may write at all, paused or not.
    pub(in crate::web) fn may_write(&self) -> bool {
        self.scopes.iter().any(Scope::is_write)
    }
}

fn end_of(grant: &LiveGrant) -> End {
    match grant.expires_at {
        Some(end) => End::At(end),
        None => End::Unused(grant.unused_until),
    }
}

fn later(one: End, other: End) -> End {
    match (one, other) {
        (End::At(a), End::At(b)) => End::At(a.max(b)),
        (End::Unused(a), End::Unused(b)) => End::Unused(a.max(b)),
        (End::Unused(at), End::At(_)) | (End::At(_), End::Unused(at)) => End::Unused(at),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A connection of one grant, for the tests beside.
    pub(in super::super) fn connection(pages: PageChoice, scope: Scope) -> Connection {
        gather(vec![grant("a", pages, scope, 1, None)]).remove(0)
    }

    fn grant(client: &str, pages: PageChoice, scope: Scope, at: i64, expires_at: Option<i64>) -> LiveGrant {
        let time = Timestamp::from_seconds;
        LiveGrant {
            user_id: UserId("1".into()),
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
            has_read_bridge: false,
            are_writes_paused: false,
            confirm: None,
            page: None,
        }
    }

    #[test]
    fn grants_to_one_client_are_one_connection_that_reaches_what_any_of_them_does() {
        let these = |id| PageChoice::These([PageId(id)].into());
        let connections = gather(vec![
            grant("a", these(7), Scope::PagesRead, 1, Some(50)),
            grant("b", PageChoice::All, Scope::PagesRead, 2, None),
            grant("a", these(8), Scope::IncidentsWrite, 3, Some(60)),
        ]);
        assert_eq!(connections.len(), 2);
        let a = &connections[0];
        assert_eq!(a.pages, PageChoice::These([PageId(7), PageId(8)].into()));
        assert_eq!(a.scopes, ScopeSet::from_iter([Scope::PagesRead, Scope::IncidentsWrite]));
        assert_eq!((a.since.as_seconds(), a.last_used_at.map(Timestamp::as_seconds)), (1, Some(4)));
        assert_eq!(a.end, End::At(Timestamp::from_seconds(60)));
        assert_eq!((a.refreshes, a.refreshed_at.as_seconds()), (2, 3));
        assert_eq!((a.repeated_refreshes, a.repeated_at.map(Timestamp::as_seconds)), (2, Some(3)));
        assert!(a.may_write() && !connections[1].may_write());
    }

    #[test]
    fn a_connection_with_one_open_end_has_an_open_end() {
        let connections = gather(vec![
            grant("a", PageChoice::All, Scope::PagesRead, 1, Some(50)),
            grant("a", PageChoice::All, Scope::PagesRead, 3, None),
        ]);
        assert_eq!(connections[0].end, End::Unused(Timestamp::from_seconds(103)));
    }
}
