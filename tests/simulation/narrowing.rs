//! Narrowings of a connection: fewer scopes, fewer pages, an earlier end. Nothing takes one back.

use crate::clients::Holder;
use crate::observations::SentRequest;
use crate::ports::InstancePorts;
use crate::world::World;
use statibeat_mcp::model::ids::{GrantId, PageId, RequestId, UserId};
use statibeat_mcp::model::scope::ScopeSet;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::oauth::access_limits::AccessLimits;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::oauth::grant::PageChoice;
use statibeat_mcp::storage::audit::{AuditId, AuditKind, Entry, Outcome};
use statibeat_mcp::storage::narrowing;
use std::rc::Rc;

/// Scopes and pages that a person leaves (no page for all), and the seconds until the end.
#[derive(Clone, Copy, Debug)]
pub struct Narrowing {
    scopes: &'static str,
    pages: &'static [i64],
    seconds: Option<i64>,
}

const READS_AND_WRITES: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write";

const NARROWINGS: [Narrowing; 4] = [
    Narrowing { scopes: "mcp.pages.read", pages: &[], seconds: None },
    Narrowing { scopes: READS_AND_WRITES, pages: &[42], seconds: None },
    Narrowing { scopes: READS_AND_WRITES, pages: &[43], seconds: Some(120) },
    Narrowing { scopes: READS_AND_WRITES, pages: &[42, 43], seconds: Some(7 * 86_400) },
];

/// Limits that narrowings have certainly, or possibly, set to a connection.
#[derive(Clone, Debug, Default)]
pub struct NarrowingFacts {
    /// True from the moment the first one begins.
    pub began: bool,
    /// The earliest end that one of them may have set.
    pub may_end_at: Option<i64>,
    /// Those that are confirmed, each with its step and its end.
    confirmed: Vec<(u32, Narrowing, Option<i64>)>,
}

impl NarrowingFacts {
    /// A narrowing begins, which may set an end.
    pub fn begin(&mut self, end: Option<i64>) {
        self.began = true;
        self.may_end_at = [self.may_end_at, end].into_iter().flatten().min();
    }

    /// Returns whether a read of a page's incidents at this time was certainly taken before a step.
    pub fn has_taken(&self, page: i64, step: u32, now: i64) -> bool {
        self.confirmed.iter().any(|(since, narrowing, end)| {
            let has_scope = narrowing.scopes.contains("mcp.incidents.read");
            let has_page = narrowing.pages.is_empty() || narrowing.pages.contains(&page);
            *since < step && (!has_scope || !has_page || end.is_some_and(|end| now >= end))
        })
    }

    /// The scopes that all of those leave that were confirmed before a step.
    pub fn scopes_left(&self, step: u32) -> Option<String> {
        let left = self.confirmed.iter().filter(|(since, ..)| *since < step).map(|(_, narrowing, _)| narrowing.scopes);
        left.min_by_key(|scopes| scopes.len()).map(str::to_owned)
    }

    /// Returns whether the connection had certainly come to a chosen end by this time.
    pub fn has_ended(&self, step: u32, now: i64) -> bool {
        self.confirmed.iter().any(|(since, _, end)| *since < step && end.is_some_and(|end| now >= end))
    }

    /// Returns whether the connection may have come to a chosen end by this time.
    pub fn may_have_ended(&self, now: i64) -> bool {
        self.may_end_at.is_some_and(|end| now >= end)
    }
}

impl World {
    /// A person who narrows a connection, up to three times, and its client, which looks what is left.
    pub async fn narrow(self: Rc<Self>, holder: Rc<Holder>) {
        let connection_index = holder.connection_index;
        self.pause().await;
        for _ in 0..=self.random.below(3) {
            let narrowing = *self.random.pick(&NARROWINGS);
            let now = self.now();
            let end = narrowing.seconds.map(|seconds| now + seconds);
            self.begin_narrowing(connection_index, end);
            let is_done = self.store_narrowing(connection_index, narrowing, now).await;
            self.trace(|| format!("{narrowing:?} of connection {connection_index}: {is_done}"));
            if is_done {
                let step = self.scheduler.steps.get();
                let facts = &mut self.observed.borrow_mut().connections[connection_index].narrowing;
                facts.confirmed.push((step, narrowing, end));
            }
            if self.random.below(2) == 0 {
                self.pause().await;
            }
        }
        for page in [42, 43] {
            self.call_with(&holder, |access| SentRequest::read(connection_index, access, page)).await;
        }
        if self.random.below(3) == 0 {
            Rc::clone(&self).authorize(connection_index).await;
        }
        let end = self.observed.borrow().connections[connection_index].narrowing.may_end_at;
        if let Some(seconds) = end.and_then(|end| u64::try_from(end - self.now()).ok()) {
            self.sleep((seconds + 1) * 1000).await;
            self.call_with(&holder, |access| SentRequest::ping(connection_index, access)).await;
        }
    }

    /// A narrowing concerns every approval of the person for the client, one whose code nobody has redeemed yet among them.
    fn begin_narrowing(&self, connection_index: usize, end: Option<i64>) {
        let narrowed = self.connection(connection_index);
        let observed = &mut *self.observed.borrow_mut();
        for concerned in observed.connections_of(narrowed.user, narrowed.client) {
            observed.connections[concerned].narrowing.begin(end);
        }
    }

    async fn store_narrowing(self: &Rc<Self>, connection_index: usize, narrowing: Narrowing, now: i64) -> bool {
        let base_connection = &self.connection(connection_index);
        let now = Timestamp::from_seconds(now);
        let pages = narrowing.pages.iter().filter_map(|page| PageId::new(*page)).collect();
        let pages = if narrowing.pages.is_empty() { PageChoice::All } else { PageChoice::These(pages) };
        let expires_at = narrowing.seconds.map(|seconds| Timestamp::from_seconds(now.as_seconds() + seconds));
        let scopes = ScopeSet::parse(narrowing.scopes).expect("scopes");
        let user_id = UserId::parse(base_connection.user).expect("an id");
        let mut id = [0; 16];
        self.random.fill(&mut id);
        let entry = Entry {
            id: AuditId::new(id),
            created_at: now,
            kind: AuditKind::Narrow,
            outcome: Outcome::Done,
            user_id: Some(&user_id),
            client_id: &ClientId::parse(base_connection.client).expect("a client id"),
            client_name: base_connection.client,
            grant_id: Some(&GrantId::parse(base_connection.grant.clone()).expect("an id")),
            request_id: &RequestId::parse("narrow").expect("an id"),
            target: None,
            detail: None,
        };
        let limits = AccessLimits { scopes, pages, expires_at };
        narrowing::narrow(&InstancePorts(Rc::clone(self)), &user_id, &limits, &entry).await.is_ok()
    }
}
