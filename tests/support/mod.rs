//! `TestApp`: the connector with SQLite behind it, the simulator upstream, and time in the test's hand.

pub mod accepted;
pub mod browser;
pub mod database;
pub mod faults;
pub mod flow;
pub mod forge;
pub mod logged;
pub mod references;
pub mod rmcp_types;
pub mod surface;
pub mod tokens;
pub mod upstream;

pub use statibeat_contract as contract;
pub use statibeat_simulator as simulator;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use database::SqliteDatabase;
use futures_util::FutureExt as _;
use http::{Request, Response};
use sha2::{Digest, Sha256};
use statibeat_mcp::config::Config;
use statibeat_mcp::hosted::rate_limit::WindowCount;
use statibeat_mcp::model::ids::RequestId;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{BodyError, Decision, LimiterError, RateLimit, RateLimiter, RequestBody};
use statibeat_mcp::telemetry::RequestRecord;
use statibeat_mcp::web::{self, Answered, App, RequestInputs};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::time::Duration;
use upstream::SimulatorClient;

/// Where the connector is served in these tests.
pub const PUBLIC_URL: &str = "https://mcp.example";
pub const RESOURCE: &str = "https://mcp.example/mcp";
pub const UPSTREAM_URL: &str = "https://api.statibeat.example";
/// StatiBeat's key here. The one of development machines is refused by a connector on a public address.
pub const IDENTITY_SEED: &str = "hosted tests";
/// Bearer token of the readiness route.
pub const HEALTH_TOKEN: &str = "health-token-of-the-hosted-tests-0123";
/// Time at which every test begins.
pub const START: i64 = 1_790_000_000;

pub struct TestApp {
    app: App,
    pub db: Rc<SqliteDatabase>,
    pub upstream: Rc<SimulatorClient>,
    pub limiter: Rc<Counters>,
    /// The notes of all requests.
    pub log: RefCell<Vec<String>>,
    /// Log lines of all requests, in the order in which they ended.
    pub records: RefCell<Vec<RequestRecord>>,
    looks: Cell<u64>,
    /// The address that Cloudflare says all requests come from.
    pub address: Cell<Option<&'static str>>,
    /// Bytes of request bodies that the connector has read.
    pub body_bytes_read: Cell<usize>,
    now: Cell<i64>,
    /// Number of random values so far; the next ones follow from it.
    pub drawn: Cell<u64>,
}

impl TestApp {
    pub fn new() -> Self {
        Self::with(|_| None)
    }

    /// The connector with some variables of its own.
    pub fn with(variables: impl Fn(&str) -> Option<&'static str>) -> Self {
        let lookup = |name: &str| variables(name).map(str::to_owned).or_else(|| variable(name));
        let config = Config::from_lookup(lookup).expect("the test's configuration is good");
        let (db, upstream) = (Rc::new(SqliteDatabase::new()), Rc::new(SimulatorClient::new(START)));
        let limiter = Rc::new(Counters::default());
        let app = Self {
            app: App::new(Rc::new(config), db.clone(), upstream.clone(), limiter.clone()),
            db,
            upstream,
            limiter,
            log: RefCell::default(),
            records: RefCell::default(),
            looks: Cell::new(0),
            address: Cell::new(None),
            body_bytes_read: Cell::new(0),
            now: Cell::new(START),
            drawn: Cell::new(0),
        };
        app.publish_keys();
        app
    }

    /// The same connector, database and all, deployed with other variables.
    pub fn redeploy(&mut self, variables: impl Fn(&str) -> Option<String>) {
        let lookup = |name: &str| variables(name).or_else(|| variable(name));
        let config = Rc::new(Config::from_lookup(lookup).expect("the test's configuration is good"));
        // A deployment starts new instances.
        self.app = App::new(config, self.db.clone(), self.upstream.clone(), self.limiter.clone());
        self.publish_keys();
    }

    /// StatiBeat reads the connector's public keys.
    fn publish_keys(&self) {
        let keys = self.get("/.well-known/hosted-mcp-jwks.json");
        if keys.status() == 200 {
            let text = String::from_utf8(keys.into_body().to_vec()).expect("text");
            self.upstream.simulator.set_connector_keys(&text).expect("a key set");
        }
    }

    pub fn advance(&self, span: Duration) {
        let seconds = i64::try_from(span.as_secs()).expect("a short span");
        self.now.set(self.now.get() + seconds);
        self.upstream.now.set(self.now.get());
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.now.get())
    }

    /// Sends a request to the connector.
    pub fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.start(request).now_or_never().expect("nothing here ever waits, but for a stepwise database")
    }

    /// A request on its way; it moves when polled.
    pub async fn start(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        if let Some(address) = self.address.get() {
            request.headers_mut().insert("cf-connecting-ip", http::HeaderValue::from_static(address));
        }
        let random = |bytes: &mut [u8]| self.draw(bytes);
        self.looks.set(0);
        let inputs = RequestInputs {
            request_id: RequestId::parse(URL_SAFE_NO_PAD.encode(self.drawn_bytes::<16>())).expect("an id"),
            now: self.now(),
            clock: &|| self.milliseconds(),
            random: &random,
        };
        let sent = request.clone();
        let (parts, bytes) = request.into_parts();
        let body = SentBody { bytes, read: &self.body_bytes_read };
        let head = Request::from_parts(parts, ());
        let Answered { mut response, record } = web::handle(&self.app, inputs, &head, &body).await;
        logged::check(&sent, &response, &record);
        check_mcp_answer(sent.body(), response.body());
        self.log.borrow_mut().extend(record.notes.iter().cloned());
        self.records.borrow_mut().push(record);
        web::gather(&mut response, &self.app.usage, 0);
        response
    }

    /// The record of the request that ended last.
    pub fn last_record(&self) -> RequestRecord {
        self.records.borrow().last().expect("a request").clone()
    }

    pub fn lines(&self) -> String {
        self.records.borrow().iter().map(RequestRecord::line).collect::<Vec<_>>().join("\n")
    }

    /// A clock that each look during a request moves on by a millisecond.
    fn milliseconds(&self) -> u64 {
        self.looks.set(self.looks.get() + 1);
        u64::try_from(self.now.get()).expect("after 1970") * 1000 + self.looks.get()
    }

    fn drawn_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.draw(&mut bytes);
        bytes
    }

    /// Does what answered calls left to be done.
    pub fn count_calls(&self) {
        let log = |line: &str| panic!("{line}");
        web::count(&*self.db, &self.app.usage.take(), &log).now_or_never().expect("nothing here ever waits");
    }

    pub fn get(&self, path_and_query: &str) -> Response<Bytes> {
        self.send(request("GET", path_and_query, &[], ""))
    }

    /// Different bytes each time, the same ones in each run.
    fn draw(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.drawn.set(self.drawn.get() + 1);
            let drawn = Sha256::digest(self.drawn.get().to_be_bytes());
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

/// Holds a JSON-RPC answer against the types of the official SDK.
fn check_mcp_answer(request: &[u8], response: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(response) else { return };
    let request = request.strip_prefix("\u{feff}".as_bytes()).unwrap_or(request);
    let request: serde_json::Value = serde_json::from_slice(request).unwrap_or_default();
    if answer.get("jsonrpc").is_some() {
        rmcp_types::check(request["method"].as_str().unwrap_or_default(), &answer);
    }
}

/// Tests look at the instance under test, and change what an operator or a restart would.
impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}

impl DerefMut for TestApp {
    fn deref_mut(&mut self) -> &mut App {
        &mut self.app
    }
}

/// A body that comes in pieces, as from a runtime.
struct SentBody<'a> {
    bytes: Bytes,
    read: &'a Cell<usize>,
}

pub const PIECE: usize = 1024;

#[async_trait::async_trait(?Send)]
impl RequestBody for SentBody<'_> {
    async fn read(&self, limit: usize) -> Result<Bytes, BodyError> {
        let mut read = 0;
        for piece in self.bytes.chunks(PIECE) {
            if piece == BREAK {
                return Err(BodyError::Broken);
            }
            read += piece.len();
            self.read.set(self.read.get() + piece.len());
            if read > limit {
                return Err(BodyError::TooLarge);
            }
        }
        Ok(self.bytes.clone())
    }
}

/// A piece at which the sender breaks off.
pub const BREAK: &[u8] = b"(the connection is closed)";

/// A request with a body.
pub fn request(
    method: &str,
    path_and_query: &str,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> Request<Bytes> {
    let mut builder = Request::builder().method(method).uri(path_and_query);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Bytes::from(body.into())).expect("a request")
}

pub fn json(response: &Response<Bytes>) -> serde_json::Value {
    serde_json::from_slice(response.body()).unwrap_or_else(|error| panic!("{error}: {:?}", response.body()))
}

/// The header's value; empty when absent.
pub fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

/// A key that is different for each name.
pub fn ring(name: &str) -> String {
    format!("{name}:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(name)))
}

fn variable(name: &str) -> Option<String> {
    Some(match name {
        "HOSTED_MCP_ENABLED" => "true".into(),
        "HOSTED_MCP_ENVIRONMENT" => "test".into(),
        "HOSTED_MCP_PUBLIC_URL" => PUBLIC_URL.into(),
        "HOSTED_MCP_UPSTREAM_URL" => UPSTREAM_URL.into(),
        "HOSTED_MCP_SIGN_IN_URL" => format!("{UPSTREAM_URL}/connector/sign-in"),
        "HOSTED_MCP_IDENTITY_KEYS" => {
            let key = simulator::Simulator::identity_public_key(IDENTITY_SEED);
            format!("simulator-1:{}", URL_SAFE_NO_PAD.encode(key))
        }
        "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS" => {
            "https://claude.ai/oauth/mcp-oauth-client-metadata=https://claude.ai/api/mcp/auth_callback".into()
        }
        "HOSTED_MCP_CHECKSUM_KEYS" => ring("tag"),
        "HOSTED_MCP_ROTATION_KEYS" => ring("rotation"),
        "HOSTED_MCP_CLIENT_KEYS" => ring("client"),
        "HOSTED_MCP_ASSERTION_KEYS" => ring("assertion"),
        "HOSTED_MCP_HEALTH_TOKEN" => HEALTH_TOKEN.into(),
        _ => return None,
    })
}

/// The rate limiter as a map of the same counters that the Durable Objects keep.
#[derive(Default)]
pub struct Counters {
    counters: RefCell<HashMap<String, WindowCount>>,
    pub is_down: Cell<bool>,
}

impl Counters {
    /// The names of all counters.
    pub fn names(&self) -> String {
        self.counters.borrow().keys().cloned().collect::<Vec<_>>().join("\n")
    }

    pub fn forget(&self) {
        self.counters.borrow_mut().clear();
    }
}

#[async_trait::async_trait(?Send)]
impl RateLimiter for Counters {
    async fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<Decision, LimiterError> {
        if self.is_down.get() {
            return Err(LimiterError("down".into()));
        }
        let mut counters = self.counters.borrow_mut();
        let (state, decision) = WindowCount::take(counters.get(key).copied(), limit, now);
        counters.insert(key.to_owned(), state);
        Ok(decision)
    }

    async fn remaining(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<u32, LimiterError> {
        if self.is_down.get() {
            return Err(LimiterError("down".into()));
        }
        Ok(WindowCount::remaining(self.counters.borrow().get(key).copied(), limit, now))
    }
}
