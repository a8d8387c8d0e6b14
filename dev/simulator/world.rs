//! Everything the simulator knows, in one value.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use http::Request;

use super::Settings;
use super::audit::AuditEntry;
use super::caller::connector_keys::ConnectorKeys;
use super::caller::people::People;
use super::domain::beats::Beats;
use super::domain::incidents::Incident;
use super::domain::maintenances::Maintenance;
use super::domain::pages::Page;
use super::secrets::Secrets;
use super::sign_in::SignIns;
use super::switches::faults::{Faults, RecordedRequest};
use super::wire::limiter::Limiter;

/// How many requests are remembered for tests.
const REMEMBERED_REQUESTS: usize = 1000;

/// The state behind the simulator's lock.
#[derive(Debug)]
pub struct World {
    /// What the simulator was made from.
    pub settings: Settings,
    /// Users, roles and API tokens.
    pub people: People,
    /// Pages with their configuration, by id.
    pub pages: BTreeMap<u64, Page>,
    /// Incidents of all pages, by id.
    pub incidents: BTreeMap<u64, Incident>,
    /// Maintenances of all pages, by id.
    pub maintenances: BTreeMap<u64, Maintenance>,
    /// Beats of all pages with everything that belongs to them.
    pub beats: Beats,
    /// The id the next created object gets.
    pub next_id: u64,
    /// Source of one-time values.
    pub secrets: Secrets,
    /// Sessions and codes of the sign-in hand-over.
    pub sign_ins: SignIns,
    /// The connector's public keys.
    pub connector_keys: ConnectorKeys,
    /// Ids of assertions that may not come again, with the second they may be forgotten.
    pub spent_assertions: HashMap<String, i64>,
    /// The write limiter's counters.
    pub limiter: Limiter,
    /// Planned faults.
    pub faults: Faults,
    /// How far the clock is ahead of the one that is handed in.
    pub ahead_seconds: i64,
    /// Requests seen, for tests.
    pub requests: VecDeque<RecordedRequest>,
    /// Audited writes.
    pub audit: Vec<AuditEntry>,
    /// Grows with every change worth keeping.
    pub revision: u64,
}

impl World {
    /// The next object id.
    pub fn allocate_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    /// Notes that something worth keeping changed.
    pub fn changed(&mut self) {
        self.revision += 1;
    }

    /// Remembers a request for tests.
    pub fn record(&mut self, request: &Request<Bytes>) {
        if self.requests.len() == REMEMBERED_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(RecordedRequest::of(request));
    }

    /// The caller's request id, or one of ours.
    pub fn request_id(&mut self, request: &Request<Bytes>) -> String {
        let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
        given.map_or_else(|| self.secrets.next("request")[..12].to_owned(), str::to_owned)
    }

    /// Moves maintenances on to the stage the time of day puts them in.
    pub fn advance(&mut self, now: i64) {
        let mut next_id = self.next_id;
        let mut moved = false;
        for maintenance in self.maintenances.values_mut() {
            if let Some(page) = self.pages.get(&maintenance.page_id) {
                moved |= maintenance.advance(page, now, &mut next_id);
            }
        }
        self.next_id = next_id;
        if moved {
            self.changed();
        }
    }
}
