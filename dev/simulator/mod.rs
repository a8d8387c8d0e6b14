//! A small StatiBeat, in memory: an HTTP request goes in, an HTTP response comes out.
//!
//! It stands in for the upstream that does not exist in this repository, and keeps the contract of
//! `docs/statibeat-api.yaml` strictly: unknown fields, missing permissions and bad assertions are refused. Time is an
//! argument and every id or code comes from a counter and the settings' seed, so a test that repeats a story gets the
//! same bytes again. Nothing here imports the connector: a fake that shares code with it would share its mistakes.
//!
//! Order of one exchange: record, planned faults, route, caller (`caller`), page and permission, write limit
//! (`wire`), then the noun that answers (`domain`).
#![allow(
    dead_code,
    reason = "the process and each test binary take in this file by path, and none of them uses all of it"
)]

mod audit;
mod caller;
mod dispatch;
mod domain;
mod routes;
mod secrets;
mod seed;
mod sign_in;
mod snapshot;
mod switches;
mod wire;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};

pub use audit::AuditEntry;
use switches::faults::Drop;
#[allow(unused_imports, reason = "only tests plan faults in memory")]
pub use switches::faults::{Fault, FaultKind, RecordedRequest};
use world::World;

/// What a simulator is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The origin StatiBeat's API is reached at; the audience and the `htu` of every assertion.
    pub origin: String,
    /// The connector's issuer and public URL, without a slash at the end.
    pub connector_url: String,
    /// The environment's name, as identity assertions carry it in `env`.
    pub environment: String,
    /// The moment the seed data is built around, in unix seconds.
    pub now: i64,
    /// Everything one-time (codes, sessions, ids of assertions) is derived from this and a counter.
    pub seed: String,
    /// What the key of identity assertions is derived from.
    pub identity_seed: String,
    /// Writes per minute for one principal on one route.
    pub writes_per_minute: u32,
}

impl Settings {
    /// The settings of a development machine: StatiBeat on 8687, the connector on 8686.
    pub fn local(now: i64) -> Self {
        Self {
            origin: "http://127.0.0.1:8687".to_owned(),
            connector_url: "http://localhost:8686".to_owned(),
            environment: "local".to_owned(),
            now,
            seed: "statibeat simulator".to_owned(),
            identity_seed: sign_in::identity::SEED_TEXT.to_owned(),
            writes_per_minute: 120,
        }
    }
}

/// What became of a request, faults included.
#[derive(Debug)]
pub enum Outcome {
    /// An answer, to be sent after the delay.
    Answered {
        /// The answer.
        response: Response<Bytes>,
        /// How long a planned fault holds it back.
        delay: Duration,
        /// A planned fault holds it back until there were more releases than this.
        held_at: Option<u64>,
    },
    /// No answer: the connection closes after the delay. Whether the work was done depends on the fault.
    Dropped {
        /// How long a planned fault holds the connection open.
        delay: Duration,
        /// An answer of which half is sent first.
        half_of: Option<Response<Bytes>>,
    },
}

/// The simulator. Share it by reference; the state is behind a lock.
#[derive(Debug)]
pub struct Simulator {
    world: Mutex<World>,
}

impl Simulator {
    /// A freshly seeded StatiBeat.
    pub fn new(settings: Settings) -> Self {
        Self { world: Mutex::new(seed::world(settings)) }
    }

    /// Answers a request.
    ///
    /// # Panics
    ///
    /// When a planned fault drops the connection: there is no answer then. Use [`Simulator::exchange`] for such tests.
    pub fn handle(&self, request: &Request<Bytes>, now_unix_seconds: i64) -> Response<Bytes> {
        match self.exchange(request, now_unix_seconds) {
            Outcome::Answered { response, .. } => response,
            Outcome::Dropped { .. } => {
                panic!("a fault dropped this connection; use exchange() to see that")
            }
        }
    }

    /// Answers a request, or says that a planned fault drops or delays it.
    pub fn exchange(&self, request: &Request<Bytes>, now_unix_seconds: i64) -> Outcome {
        let mut world = self.world();
        let now = now_unix_seconds + world.ahead_seconds;
        if switches::control::is_control(request) {
            let response = switches::control::answer(&mut world, request, now);
            return Outcome::Answered { response, delay: Duration::ZERO, held_at: None };
        }
        world.record(request);
        let request_id = world.request_id(request);
        let mut planned = world.faults.take(request);
        if planned.drop == Some(Drop::BeforeWork) {
            return Outcome::Dropped { delay: planned.delay, half_of: None };
        }
        let answer = match planned.instead.take() {
            Some(instead) => instead,
            None => dispatch::answer(&mut world, request, now, &request_id),
        };
        if planned.drop == Some(Drop::BeforeAnswer) {
            return Outcome::Dropped { delay: planned.delay, half_of: None };
        }
        let mut response = planned.spoil(answer);
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-request-id", value);
        }
        if planned.drop == Some(Drop::InAnswer) {
            return Outcome::Dropped { delay: planned.delay, half_of: Some(response) };
        }
        let held_at = planned.hold.then_some(world.faults.releases);
        Outcome::Answered { response, delay: planned.delay, held_at }
    }

    /// Replaces the connector's public keys by those of a JWK set.
    pub fn set_connector_keys(&self, jwks_json: &str) -> Result<(), String> {
        self.world().connector_keys.replace(jwks_json)
    }

    /// Whether the request carries an assertion whose key is not known yet. The process then fetches the key set.
    pub fn needs_connector_keys(&self, request: &Request<Bytes>) -> bool {
        let token = caller::bearer(request);
        let kid =
            token.filter(|token| token.matches('.').count() == 2).and_then(|token| caller::assertion::peek_kid(&token));
        kid.is_some_and(|kid| !self.world().connector_keys.has(&kid))
    }

    /// The public half of the key that signs identity assertions (`kid` "simulator-1"). On a development machine the
    /// private half is a fixed, published constant: it protects nothing.
    pub fn identity_public_key(identity_seed: &str) -> [u8; 32] {
        sign_in::identity::public_key(identity_seed)
    }

    /// Plans a fault for coming requests.
    pub fn inject(&self, fault: Fault) {
        self.world().faults.plan(fault);
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&self) {
        self.world().faults.clear();
    }

    /// How often held answers were released.
    pub fn releases(&self) -> u64 {
        self.world().faults.releases
    }

    /// The requests seen since the last clearing, oldest first (the newest thousand).
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.world().requests.iter().cloned().collect()
    }

    /// Forgets the recorded requests.
    pub fn clear_requests(&self) {
        self.world().requests.clear();
    }

    /// The writes StatiBeat has audited, oldest first.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.world().audit.clone()
    }

    /// What StatiBeat's back end sends along to read the connector's admin API for a signed-in person, once.
    pub fn admin_assertion(&self, user_id: u64, path: &str, now_unix_seconds: i64) -> Result<String, String> {
        sign_in::admin_assertion::issue(&mut self.world(), user_id, path, now_unix_seconds)
    }

    /// Disables a user, or lets them in again.
    pub fn set_user_disabled(&self, user_id: u64, disabled: bool) -> Result<(), String> {
        self.world().people.set_disabled(user_id, disabled)
    }

    /// Gives a user a role on a page (`page_viewer`, `page_manager`, `page_admin`), or takes theirs away.
    pub fn set_role(&self, user_id: u64, page_id: u64, role_key: Option<&str>) -> Result<(), String> {
        let mut world = self.world();
        if !world.pages.contains_key(&page_id) {
            return Err(format!("there is no page {page_id}"));
        }
        world.people.set_role(user_id, page_id, role_key)
    }

    /// Gives an API token another permission (`read`, `write`, `admin`) and another role.
    pub fn set_token_reach(&self, token: &str, permission: &str, role_key: &str) -> Result<(), String> {
        self.world().people.set_token_reach(token, permission, role_key)
    }

    /// Grows with every change that a snapshot would keep.
    pub fn revision(&self) -> u64 {
        self.world().revision
    }

    /// Incidents, maintenances and decided Beat actions as JSON, for the process to keep between starts.
    pub fn snapshot(&self) -> String {
        snapshot::write(&self.world())
    }

    /// Puts back what [`Simulator::snapshot`] gave.
    pub fn restore(&self, snapshot: &str) -> Result<(), String> {
        snapshot::read(&mut self.world(), snapshot)
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked while it held the lock has failed already; the state is still whole for the next one.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
