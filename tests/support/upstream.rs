//! The `HttpClient` port with the simulator behind it. Every exchange is held against the contract document.

use super::UPSTREAM_URL;
use super::contract::Contract;
use super::simulator::{Fault, FaultKind, Outcome, Settings, Simulator};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use statibeat_mcp::ports::{HttpClient, HttpError};
use statibeat_mcp::upstream::assertion;
use std::cell::{Cell, RefCell};
use std::sync::LazyLock;
use std::time::Duration;

/// The bounds that the edge sets to one exchange.
const TIMEOUT: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 1024 * 1024;

pub struct SimulatorClient {
    pub simulator: Simulator,
    pub now: Cell<i64>,
    /// Method and path of each call.
    pub calls: RefCell<Vec<String>>,
    /// Everything that was sent, headers and body, for searching.
    pub sent: RefCell<String>,
    /// A hook that may change an answer on its way back.
    tamper: RefCell<Option<Box<Tamper>>>,
    contract: &'static Contract,
    has_faults: Cell<bool>,
}

/// Parsed once, and its schemas compiled once, for all tests.
static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::load);

/// Changes an answer on its way back, or loses it.
pub type Tamper = dyn Fn(&Request<Bytes>, Response<Bytes>) -> Result<Response<Bytes>, HttpError>;

/// StatiBeat as the connector of these tests is configured for it.
pub fn settings(now: i64) -> Settings {
    Settings {
        origin: UPSTREAM_URL.into(),
        connector_url: super::PUBLIC_URL.into(),
        environment: "test".into(),
        identity_seed: super::IDENTITY_SEED.into(),
        ..Settings::local(now)
    }
}

impl SimulatorClient {
    pub fn new(now: i64) -> Self {
        Self {
            simulator: Simulator::new(settings(now)),
            now: Cell::new(now),
            calls: RefCell::default(),
            sent: RefCell::default(),
            tamper: RefCell::default(),
            contract: &CONTRACT,
            has_faults: Cell::new(false),
        }
    }

    /// Makes StatiBeat misbehave; its answers are then not held against the contract.
    pub fn inject(&self, method: Option<&str>, path: &str, kind: FaultKind) {
        self.inject_times(1, method, path, kind);
    }

    /// Makes StatiBeat misbehave for several requests.
    pub fn inject_times(&self, times: u32, method: Option<&str>, path: &str, kind: FaultKind) {
        self.has_faults.set(true);
        let method = method.map(str::to_owned);
        self.simulator.inject(Fault { method, path: path.to_owned(), times, kind });
    }

    /// Changes every document on its way back.
    pub fn rewrite(&self, change: impl Fn(&mut Value) + 'static) {
        self.tamper(move |_, response| {
            let Ok(mut document) = serde_json::from_slice::<Value>(response.body()) else { return Ok(response) };
            change(&mut document);
            Ok(response.map(|_| Bytes::from(document.to_string())))
        });
    }

    /// Puts somebody on the way back from StatiBeat.
    pub fn tamper(
        &self,
        change: impl Fn(&Request<Bytes>, Response<Bytes>) -> Result<Response<Bytes>, HttpError> + 'static,
    ) {
        *self.tamper.borrow_mut() = Some(Box::new(change));
    }

    /// The calls since the last time this was asked.
    pub fn take_calls(&self) -> Vec<String> {
        self.calls.take()
    }
}

#[async_trait(?Send)]
impl HttpClient for SimulatorClient {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        assertion::sign(&mut request);
        let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
        self.calls.borrow_mut().push(format!("{} {path}", request.method()));
        self.sent.borrow_mut().push_str(&format!("{request:?}\n"));
        match self.simulator.exchange(&request, self.now.get()) {
            Outcome::Answered { delay, .. } if delay >= TIMEOUT => Err(HttpError::Timeout),
            Outcome::Answered { response, .. } if response.body().len() > LARGEST_ANSWER => Err(HttpError::TooLarge),
            Outcome::Answered { response, .. } => {
                if !self.has_faults.get() {
                    self.contract.check_exchange(&request, &response).unwrap_or_else(|fault| panic!("{path}: {fault}"));
                }
                match self.tamper.borrow().as_ref() {
                    Some(change) => change(&request, response),
                    None => Ok(response),
                }
            }
            Outcome::Dropped { .. } => Err(HttpError::Transport("the connection closed".into())),
        }
    }
}
