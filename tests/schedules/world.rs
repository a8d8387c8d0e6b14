//! One connector, one database, one StatiBeat: calls of writes on it, and what is to be seen afterwards.

use super::plan::{Plan, Tool, Wanted};
use super::ports::{Faults, Limiter, Sqlite, Upstream};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use statibeat_mcp::hosted::CallContext;
use statibeat_mcp::hosted::HostedHandler;
use statibeat_mcp::hosted::bearer::Caller;
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::mcp::prepared::PreparedResults;
use statibeat_mcp::mcp::{InputContext, ServerHandler as _};
use statibeat_mcp::model::ids::{GrantId, RequestId, UserId};
use statibeat_mcp::model::scope::ScopeSet;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::model::write_policy::WritePolicy;
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::upstream::memory::Memory;
use statibeat_mcp::upstream::{self, Client, assertion};
use statibeat_simulator::{Settings, Simulator};
use std::cell::{Cell, RefCell};

pub const START: i64 = 1_790_000_000;
const ISSUER: &str = "https://mcp.example";
const ORIGIN: &str = "https://api.statibeat.example";

/// The answer that a client got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallResult {
    Done,
    /// It is published, through the other connection.
    DoneElsewhere,
    /// Anything else that is on record.
    NotPublished,
    /// Nothing could be put on record, so nothing was sent.
    Unrecorded,
    /// An error of the protocol, before there was anything to write.
    Failed,
}

impl CallResult {
    /// `true` if the client knows that the write is published.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::DoneElsewhere)
    }
}

/// Everything a schedule plays on.
pub struct World<'a> {
    pub plan: &'a Plan,
    pub db: Sqlite<'a>,
    pub limiter: Limiter<'a>,
    pub upstream: Upstream<'a>,
    pub now: &'a Cell<i64>,
    callers: [Caller; 2],
    ring: &'a KeyRing,
    drawn: Cell<u64>,
    /// The answer to each call, by its request id.
    pub results: RefCell<Vec<(String, usize, CallResult)>>,
}

/// Counts over one schedule, or over many.
#[derive(Debug, Default)]
pub struct Totals {
    pub duplicates: usize,
    pub lost: usize,
    pub unaudited: usize,
    calls: usize,
    answered_done: usize,
    posts: usize,
    resolved: usize,
}

/// The key that signs assertions in every schedule.
pub fn ring() -> KeyRing {
    KeyRing::parse(&format!("a:{}", URL_SAFE_NO_PAD.encode(Sha256::digest("schedules"))), "test").expect("a ring")
}

/// A freshly seeded StatiBeat that knows that key.
pub fn simulator(ring: &KeyRing) -> Simulator {
    let settings = Settings {
        origin: ORIGIN.into(),
        connector_url: ISSUER.into(),
        environment: "test".into(),
        ..Settings::local(START)
    };
    let simulator = Simulator::new(settings);
    simulator.set_connector_keys(&assertion::jwks(ring).to_string()).expect("a key set");
    simulator
}

impl<'a> World<'a> {
    pub fn new(
        plan: &'a Plan,
        faults: &'a Faults,
        simulator: &'a Simulator,
        now: &'a Cell<i64>,
        ring: &'a KeyRing,
    ) -> Self {
        let caller = |grant: &str| Caller {
            user_id: UserId::parse("2").expect("an id"),
            client_id: ClientId::parse("schedules").expect("a client id"),
            client_name: "Schedules".into(),
            grant_id: GrantId::parse(grant).expect("an id"),
            scopes: ScopeSet::all(),
            pages: statibeat_mcp::oauth::grant::PageChoice::All,
            blocked_pages: std::collections::BTreeSet::new(),
            are_writes_paused: false,
            has_resource_tools: false,
            confirm: statibeat_mcp::model::write_policy::ConfirmMode::Never,
        };
        Self {
            plan,
            db: Sqlite::new(faults),
            limiter: Limiter::new(faults),
            upstream: Upstream::new(simulator, faults, now),
            now,
            callers: [caller("grant"), caller("another-grant")],
            ring,
            drawn: Cell::new(0),
            results: RefCell::default(),
        }
    }

    /// One call of a write, from its request to what the client is told.
    pub async fn call(&self, write: usize, through: usize) {
        let draw = |bytes: &mut [u8]| self.draw(bytes);
        let request_id =
            RequestId::parse(format!("request-{}", self.drawn.replace(self.drawn.get() + 1))).expect("an id");
        let now = Timestamp::from_seconds(self.now.get());
        let settings = upstream::ClientSettings {
            issuer: ISSUER,
            origin: ORIGIN,
            environment: "test",
            assertion_keys: self.ring,
            identity_keys: &[],
        };
        let memory = Memory::default();
        let clock = || self.now.get().unsigned_abs() * 1000;
        let http = &self.upstream;
        let upstream = Client { settings, http, now, clock: &clock, random: &draw, memory: &memory };
        let context = CallContext {
            caller: &self.callers[through],
            request_id: &request_id,
            limiter: &self.limiter,
            db: &self.db,
            seals: self.ring,
            policy: &WritePolicy::default(),
            now,
            random: &draw,
            log: &|_| {},
        };
        let prepared = PreparedResults::default();
        let (profile, has_resource_tools) = (None, false);
        let handler = HostedHandler { context, upstream: &upstream, profile, has_resource_tools, prepared: &prepared };
        let (tool, arguments) = request(&self.plan.wanted[write], write);
        let told = match handler.call(tool, arguments, &InputContext::default()).await.result {
            Ok(outcome) if !outcome.is_error => CallResult::Done,
            Ok(outcome) if outcome.text.contains("minutes ago through another connection (id ") => {
                CallResult::DoneElsewhere
            }
            Ok(outcome) if outcome.text.contains("cannot be recorded") => CallResult::Unrecorded,
            Ok(_) => CallResult::NotPublished,
            Err(_) => CallResult::Failed,
        };
        self.results.borrow_mut().push((request_id.to_string(), write, told));
    }

    fn draw(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let drawn = Sha256::digest(self.drawn.replace(self.drawn.get() + 1).to_be_bytes());
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }

    /// Holds what the page shows and what is on record against what clients were told.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { posts: self.upstream.posted.borrow().len(), ..Totals::default() };
        for (at, wanted) in self.plan.wanted.iter().enumerate() {
            let told_done = self.results.borrow().iter().any(|(_, write, told)| *write == at && told.is_done());
            match (self.published(wanted, at), told_done) {
                // A client that repeats its call must come to an end, and the page must then show the write.
                (0, _) | (_, false) => totals.lost += 1,
                (shown, true) => totals.duplicates += shown.saturating_sub(1),
            }
        }
        for (request_id, _, told) in self.results.borrow().iter() {
            totals.calls += 1;
            totals.answered_done += usize::from(told.is_done());
            let must_be = matches!(told, CallResult::Done | CallResult::DoneElsewhere | CallResult::NotPublished)
                || self.upstream.posted.borrow().contains(request_id);
            totals.unaudited += usize::from(must_be && !self.is_audited(request_id));
        }
        for request_id in self.upstream.posted.borrow().iter() {
            totals.unaudited += usize::from(!self.is_audited(request_id));
        }
        totals.resolved = self.count("SELECT count(*) FROM audit WHERE resolution = 'done' AND '' = ?1", "");
        totals
    }

    fn is_audited(&self, request_id: &str) -> bool {
        self.count("SELECT count(*) FROM audit WHERE kind = 'write' AND request_id = ?1", request_id) == 1
    }

    fn count(&self, sql: &str, value: &str) -> usize {
        let count: i64 = self.db.connection.borrow().query_row(sql, [value], |row| row.get(0)).expect("a count");
        usize::try_from(count).expect("a count")
    }

    /// Counts how many times the page shows a write.
    fn published(&self, wanted: &Wanted, at: usize) -> usize {
        let (path, field) = match wanted.tool {
            Tool::CreateIncident => ("incidents?limit=200", "title"),
            Tool::ScheduleMaintenance => ("maintenances?limit=200", "title"),
            Tool::AddIncidentUpdate => ("incidents/1001/updates?limit=200", "message"),
            Tool::AddMaintenanceUpdate => ("maintenances/2001/updates?limit=200", "message"),
        };
        let request = http::Request::builder()
            .uri(format!("{ORIGIN}/api/v1/orgs/7/pages/42/admin/{path}"))
            .header("authorization", "Bearer sb_demo_admin_42")
            .body(Bytes::new())
            .expect("a request");
        let response = self.upstream.simulator.handle(&request, self.now.get());
        let list: Value = serde_json::from_slice(response.body()).expect("JSON");
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{list}"));
        items.iter().filter(|item| item[field] == words(at)).count()
    }
}

impl Totals {
    pub fn is_broken(&self) -> bool {
        self.duplicates + self.lost + self.unaudited > 0
    }

    pub fn add(&mut self, other: &Self) {
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.unaudited += other.unaudited;
        self.calls += other.calls;
        self.answered_done += other.answered_done;
        self.posts += other.posts;
        self.resolved += other.resolved;
    }

    /// Counts of the events that ran, to prove that they are not empty.
    pub fn counts(&self) -> String {
        let Self { calls, answered_done, posts, resolved, .. } = self;
        format!("calls answered {calls}, as done {answered_done}, posts {posts}, unknown outcomes resolved {resolved}")
    }
}

fn words(at: usize) -> String {
    format!("Write number {at}")
}

/// The call of a write; the same each time.
fn request(wanted: &Wanted, at: usize) -> (&'static str, Map<String, Value>) {
    let time = |seconds: i64| jiff::Timestamp::from_second(START + seconds).expect("a time").to_string();
    let (tool, mut arguments) = match wanted.tool {
        Tool::CreateIncident => {
            let freetext = format!("System {at}");
            ("create_incident", json!({ "title": words(at), "description": "D", "affected_items_freetext": freetext }))
        }
        Tool::ScheduleMaintenance => (
            "schedule_maintenance",
            json!({ "title": words(at), "description": "D", "starts_at": time(864_000), "ends_at": time(867_600) }),
        ),
        Tool::AddIncidentUpdate => ("add_incident_update", json!({ "incident_id": 1001, "message": words(at) })),
        Tool::AddMaintenanceUpdate => {
            ("add_maintenance_update", json!({ "maintenance_id": 2001, "message": words(at) }))
        }
    };
    arguments["page_id"] = json!(42);
    if wanted.has_key {
        arguments["idempotency_key"] = json!(format!("key-{at}"));
    }
    if wanted.has_external_id {
        arguments["external_id"] = json!(format!("own-{at}"));
    }
    let Value::Object(arguments) = arguments else { unreachable!("an object") };
    (tool, arguments)
}
