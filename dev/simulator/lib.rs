//! An in-memory StatiBeat: the upstream that is not in this repository.
//!
//! It implements `docs/statibeat-api.yaml` strictly: unknown fields, missing permissions and invalid assertions are
//! rejected. Time is an argument, and every id or code comes from a counter and the settings' seed, so a repeated test
//! gets the same bytes. It shares no code with the connector, because it would share its bugs.
//!
//! Tests call [`Simulator::exchange`]; the program serves [`Simulator::router`]. Order of one exchange: record, planned
//! faults (`switches::faults`), route (`routes`), caller, page, permission and write limit (`call`), domain handler
//! (`domain`).

mod call;
mod caller;
mod domain;
mod limiter;
mod reply;
mod routes;
mod secrets;
mod seed;
mod sign_in;
mod switches;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use tower::ServiceExt as _;

pub use call::Now;
pub use switches::faults::{Cut, Fate, Fault, FaultKind, RecordedRequest};
pub use world::AuditEntry;
use world::{Shared, lock};

#[derive(Clone, Debug)]
pub struct Settings {
    /// The origin of StatiBeat's API; the audience and the `htu` of every assertion.
    pub origin: String,
    /// The connector's issuer and public URL, without a slash at the end.
    pub connector_url: String,
    /// The environment's name, as identity assertions carry it in `env`.
    pub environment: String,
    /// The moment the seed data is built around, in unix seconds.
    pub now: i64,
    /// Seed of all one-time values (codes, sessions, assertion ids), together with a counter.
    pub seed: String,
    /// Seed of the key that signs identity assertions.
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
            identity_seed: sign_in::signing::SEED_TEXT.to_owned(),
            writes_per_minute: 120,
        }
    }
}

/// The result of an exchange, planned faults included.
#[derive(Debug)]
pub enum Outcome {
    /// A response, sent after the delay and, if `held_at` is set, after the next release.
    Answered { response: Response<Bytes>, delay: Duration, held_at: Option<u64> },
    /// The connection closes after the delay, without a response or within `half_of` one.
    Dropped { delay: Duration, half_of: Option<Response<Bytes>> },
}

/// The simulator. Share it by reference; the state is behind a lock.
pub struct Simulator {
    world: Shared,
}

impl Simulator {
    pub fn new(settings: Settings) -> Self {
        Self { world: Arc::new(Mutex::new(seed::world(settings))) }
    }

    /// Adds an organization with 60 pages and 200 people.
    pub fn add_large_organization(&self) {
        seed::large::add(&mut lock(&self.world));
    }

    /// All routes. Each request needs the extension [`Now`]; the server executes the [`Fate`] of a response.
    pub fn router(&self) -> Router {
        routes::ROUTER.clone().layer(Extension(Arc::clone(&self.world)))
    }

    /// Answers a request without a socket.
    ///
    /// # Panics
    ///
    /// When a planned fault drops the connection: there is no response then. Use [`Simulator::exchange`] for such tests.
    pub fn handle(&self, request: &Request<Bytes>, now_unix_seconds: i64) -> Response<Bytes> {
        match self.exchange(request, now_unix_seconds) {
            Outcome::Answered { response, .. } => response,
            Outcome::Dropped { .. } => panic!("a fault dropped this connection; use exchange() to see that"),
        }
    }

    /// Sends a request through the router, without a socket.
    ///
    /// # Panics
    ///
    /// Never: the router does not wait for anything. Delays are carried out by whoever serves it.
    pub fn exchange(&self, request: &Request<Bytes>, now_unix_seconds: i64) -> Outcome {
        let mut request = request.clone().map(Body::from);
        request.extensions_mut().insert(Now(now_unix_seconds));
        request.extensions_mut().insert(Arc::clone(&self.world));
        let exchange = async {
            let Ok(response) = routes::ROUTER.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body in memory");
            Response::from_parts(parts, body)
        };
        let mut response = exchange.now_or_never().expect("nothing in the router waits");
        let Fate { delay, held_at, cut } = response.extensions_mut().remove().unwrap_or_default();
        match cut {
            None => Outcome::Answered { response, delay, held_at },
            Some(cut) => Outcome::Dropped { delay, half_of: (cut == Cut::InResponse).then_some(response) },
        }
    }

    pub fn set_connector_keys(&self, jwks_json: &str) -> Result<(), String> {
        lock(&self.world).connector_keys.replace(jwks_json)
    }

    /// Checks for an assertion whose key is not known yet. The program then fetches the key set.
    pub fn needs_connector_keys<B>(&self, request: &Request<B>) -> bool {
        let token = caller::bearer_token(request.headers()).filter(|token| token.matches('.').count() == 2);
        let kid = token.and_then(|token| caller::assertion::peek_kid(&token));
        kid.is_some_and(|kid| lock(&self.world).connector_keys.find(&kid).is_none())
    }

    /// The public half of the key that signs identity assertions (`kid` "simulator-1"). On a development machine the
    /// private half is a fixed, published constant: it protects nothing.
    pub fn identity_public_key(identity_seed: &str) -> [u8; 32] {
        sign_in::signing::public_key(identity_seed)
    }

    pub fn inject(&self, fault: Fault) {
        lock(&self.world).faults.plan(fault);
    }

    pub fn clear_faults(&self) {
        lock(&self.world).faults.clear();
    }

    /// The number of times that held responses were released.
    pub fn releases(&self) -> u64 {
        lock(&self.world).faults.releases
    }

    /// The newest thousand requests since the last clearing, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.world).requests.iter().cloned().collect()
    }

    pub fn clear_requests(&self) {
        lock(&self.world).requests.clear();
    }

    /// The writes that StatiBeat has audited, oldest first.
    pub fn audit(&self) -> Vec<AuditEntry> {
        lock(&self.world).audit.clone()
    }

    /// Signs the assertion with which StatiBeat's back end reads the connector's admin API for a signed-in person, once.
    pub fn admin_assertion(&self, user_id: u64, path: &str, now_unix_seconds: i64) -> Result<String, String> {
        sign_in::signing::admin_assertion(&mut lock(&self.world), user_id, path, now_unix_seconds)
    }

    pub fn set_user_disabled(&self, user_id: u64, disabled: bool) -> Result<(), String> {
        lock(&self.world).people.set_disabled(user_id, disabled)
    }

    /// Gives a user a role on a page (`page_viewer`, `page_manager`, `page_admin`), or takes theirs away.
    pub fn set_role(&self, user_id: u64, page_id: u64, role_key: Option<&str>) -> Result<(), String> {
        lock(&self.world).set_role(user_id, page_id, role_key)
    }

    /// Gives an API token another permission (`read`, `write`, `admin`) and another role.
    pub fn set_token_reach(&self, token: &str, permission: &str, role_key: &str) -> Result<(), String> {
        lock(&self.world).people.set_token_reach(token, permission, role_key)
    }

    /// Grows with every change that a snapshot would keep.
    pub fn revision(&self) -> u64 {
        lock(&self.world).revision
    }

    /// Incidents, maintenances and decided Beat actions as JSON, for the program to keep between starts.
    pub fn snapshot(&self) -> String {
        lock(&self.world).snapshot()
    }

    /// Puts back what [`Simulator::snapshot`] gave.
    pub fn restore(&self, snapshot: &str) -> Result<(), String> {
        lock(&self.world).restore(snapshot)
    }
}
