//! The simulator's state, and the part of it that a snapshot keeps.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::caller::connector_keys::ConnectorKeys;
use crate::caller::people::People;
use crate::domain::beat_actions::BeatAction;
use crate::domain::beats::Beats;
use crate::domain::incidents::Incident;
use crate::domain::maintenances::Maintenance;
use crate::domain::notices::Notice;
use crate::domain::pages::Page;
use crate::limiter::Limiter;
use crate::secrets::Secrets;
use crate::sign_in::SignIns;
use crate::switches::faults::{Faults, RecordedRequest};

/// The number of requests that are kept for tests.
const REMEMBERED_REQUESTS: usize = 1000;
/// Version of [`Snapshot`]'s format; files of older versions are rejected.
const SNAPSHOT_VERSION: u32 = 1;

/// The state that all routes share.
pub type Shared = Arc<Mutex<World>>;

/// Locks the state. A test that panicked while it held the lock has failed already; the state is still whole.
pub fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

pub struct World {
    pub settings: Settings,
    pub people: People,
    pub pages: BTreeMap<u64, Arc<Page>>,
    pub incidents: BTreeMap<u64, Notice<Incident>>,
    pub maintenances: BTreeMap<u64, Notice<Maintenance>>,
    pub beats: Beats,
    pub next_id: u64,
    pub secrets: Secrets,
    pub sign_ins: SignIns,
    pub connector_keys: ConnectorKeys,
    /// Used `jti`s, with the second until which they are remembered.
    pub used_assertions: HashMap<String, i64>,
    pub limiter: Limiter,
    pub faults: Faults,
    /// Offset of the clock, in seconds.
    pub ahead_seconds: i64,
    pub requests: VecDeque<RecordedRequest>,
    pub audit: Vec<AuditEntry>,
    /// Incremented by every change that a snapshot contains.
    pub revision: u64,
}

/// The state that a write can change.
pub struct Kept {
    pub incidents: BTreeMap<u64, Notice<Incident>>,
    pub maintenances: BTreeMap<u64, Notice<Maintenance>>,
    actions: Vec<BeatAction>,
    /// The number of runs, which are only ever added.
    runs: usize,
    last_runs: Vec<Option<i64>>,
    next_id: u64,
    revision: u64,
}

/// One authorized write, successful or not.
#[derive(Clone, Debug, Serialize)]
pub struct AuditEntry {
    /// Time of the request in unix seconds.
    pub requested_at: i64,
    /// `hosted_mcp` or `api_token`.
    pub source: &'static str,
    /// None for an API token.
    pub user_id: Option<u64>,
    /// The MCP client that the assertion names.
    pub client_id: Option<String>,
    /// The grant that the assertion names.
    pub grant_id: Option<String>,
    /// The connection that the attribution header names.
    pub connection_id: Option<String>,
    /// The caller's, or one of ours.
    pub request_id: String,
    /// The page that was written to.
    pub page_id: u64,
    pub method: String,
    /// The path without its query string.
    pub path: String,
    /// The status of the response.
    pub status: u16,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    version: u32,
    next_id: u64,
    incidents: Vec<Notice<Incident>>,
    maintenances: Vec<Notice<Maintenance>>,
    beat_actions: Vec<BeatAction>,
}

impl World {
    /// A page that is known to exist.
    pub fn page(&self, id: u64) -> Arc<Page> {
        Arc::clone(&self.pages[&id])
    }

    pub fn allocate_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Keeps what a write can change, for a dry run.
    pub fn keep(&self) -> Kept {
        Kept {
            incidents: self.incidents.clone(),
            maintenances: self.maintenances.clone(),
            actions: self.beats.actions.clone(),
            runs: self.beats.runs.len(),
            last_runs: self.beats.monitors.iter().map(|beat| beat.last_run_at).collect(),
            next_id: self.next_id,
            revision: self.revision,
        }
    }

    pub fn put_back(&mut self, kept: Kept) {
        self.incidents = kept.incidents;
        self.maintenances = kept.maintenances;
        self.beats.actions = kept.actions;
        self.beats.runs.truncate(kept.runs);
        for (beat, last_run_at) in self.beats.monitors.iter_mut().zip(kept.last_runs) {
            beat.last_run_at = last_run_at;
        }
        self.next_id = kept.next_id;
        self.revision = kept.revision;
    }

    /// Increments the revision of the snapshot.
    pub fn changed(&mut self) {
        self.revision += 1;
    }

    pub fn record(&mut self, request: &Request<Bytes>) {
        if self.requests.len() == REMEMBERED_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(RecordedRequest::from_request(request));
    }

    pub fn set_role(&mut self, user_id: u64, page_id: u64, role_key: Option<&str>) -> Result<(), String> {
        if !self.pages.contains_key(&page_id) {
            return Err(format!("there is no page {page_id}"));
        }
        self.people.set_role(user_id, page_id, role_key)
    }

    /// Moves maintenances to the stage of the current time.
    pub fn advance(&mut self, now: i64) {
        let next_id = self.next_id;
        for maintenance in self.maintenances.values_mut() {
            maintenance.advance(&self.pages[&maintenance.page_id], now, &mut self.next_id);
        }
        if self.next_id != next_id {
            self.changed();
        }
    }

    pub fn snapshot(&self) -> String {
        let snapshot = Snapshot {
            version: SNAPSHOT_VERSION,
            next_id: self.next_id,
            incidents: self.incidents.values().cloned().collect(),
            maintenances: self.maintenances.values().cloned().collect(),
            beat_actions: self.beats.actions.clone(),
        };
        serde_json::to_string_pretty(&snapshot).expect("these types have string keys only and always serialize")
    }

    pub fn restore(&mut self, text: &str) -> Result<(), String> {
        let snapshot: Snapshot = serde_json::from_str(text).map_err(|error| format!("not a snapshot: {error}"))?;
        if snapshot.version != SNAPSHOT_VERSION {
            return Err(format!("snapshot version {} is not {SNAPSHOT_VERSION}", snapshot.version));
        }
        self.next_id = snapshot.next_id;
        self.incidents = snapshot.incidents.into_iter().map(|incident| (incident.id, incident)).collect();
        self.maintenances = snapshot.maintenances.into_iter().map(|entry| (entry.id, entry)).collect();
        self.beats.actions = snapshot.beat_actions;
        self.changed();
        Ok(())
    }
}
