//! The ports of a request in progress: they give the recorded answers, make as many visible uses as the step has, and wait then for ever.

use crate::database::{Content, ModelDatabase};
use crate::interned::Interner;
use crate::support::{self, upstream};
use crate::weakened::Weakening;
use bytes::Bytes;
use http::{Request, Response};
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{
    Database, DatabaseError, Decision, HttpClient, HttpError, LimiterError, RateLimit, RateLimiter, Row, Statement,
};
use statibeat_mcp::upstream::assertion;
use statibeat_simulator::{Outcome, Simulator};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Extent of a step, and the fault that it meets.
#[derive(Clone, Copy)]
pub struct StepExtent {
    /// The number of visible uses of a port.
    pub uses: usize,
    pub fault: Fault,
}

impl StepExtent {
    /// A whole request without a fault.
    pub const WHOLE: Self = Self { uses: usize::MAX, fault: Fault::None };
}

/// The fault of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    None,
    /// The port fails before it does anything.
    Before,
    /// The port does its work, and the answer is lost.
    After,
    /// StatiBeat does not answer reads.
    Unreachable,
}

/// The answer of a port, or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PortAnswer {
    Rows(Vec<Vec<Row>>),
    NoRows,
    Http { status: u16, media_type: String, body: String },
    NoHttp,
}

/// An answer with the digest of what it answers: calls that a request makes side by side can be recorded in any order.
pub type Recorded = (u64, PortAnswer);

static SNAPSHOTS: Interner<String> = Interner::new();

/// The content of StatiBeat, by number: a snapshot of the simulator, or the one it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Published(u32);

/// The state outside all requests: the database, StatiBeat and the person's role there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shared {
    pub content: Content,
    pub published: Published,
    /// The role of the person on the page: `page_viewer`, …; empty for none.
    pub role: &'static str,
}

impl Shared {
    /// Nothing stored, and the person an admin of the page.
    pub fn first() -> Self {
        Self { content: ModelDatabase::empty(), published: Published::nothing(), role: "page_admin" }
    }
}

impl Published {
    pub fn nothing() -> Self {
        Self(SNAPSHOTS.number(String::new()))
    }

    /// The number of incidents with this title.
    pub fn count(self, title: &str) -> usize {
        SNAPSHOTS.value(self.0).matches(&format!("\"title\": \"{title}\"")).count()
    }
}

/// A read of StatiBeat: of this content, with this role, at this time, and its URL.
type Read = (Published, &'static str, i64, String);

/// The ports of the request that makes a step.
pub struct Ports {
    pub db: ModelDatabase,
    pub shared: Cell<Shared>,
    answers: RefCell<Vec<Recorded>>,
    /// Which of the answers were given in this run.
    given: RefCell<Vec<usize>>,
    /// The number of visible uses that are left.
    left: Cell<usize>,
    fault: Cell<Fault>,
    now: Cell<i64>,
    simulator: RefCell<Option<Simulator>>,
    /// Answers of StatiBeat to reads.
    reads: RefCell<HashMap<Read, PortAnswer>>,
    connector_keys: String,
}

impl Ports {
    pub fn new(weakening: Option<Weakening>, keeps_audit: bool, connector_keys: String) -> Self {
        let db = ModelDatabase::new(weakening, keeps_audit);
        Self {
            db,
            shared: Cell::new(Shared::first()),
            answers: RefCell::default(),
            given: RefCell::default(),
            left: Cell::new(0),
            fault: Cell::new(Fault::None),
            now: Cell::new(support::START),
            simulator: RefCell::default(),
            reads: RefCell::default(),
            connector_keys,
        }
    }

    /// Begins a step at this time, with what was answered before.
    pub fn begin(&self, answers: Vec<Recorded>, shared: Shared, extent: StepExtent, now: i64) {
        self.answers.replace(answers);
        self.given.borrow_mut().clear();
        self.shared.set(shared);
        self.left.set(extent.uses);
        self.fault.set(extent.fault);
        self.now.set(now);
        self.simulator.take();
    }

    pub fn take_answers(&self) -> Vec<Recorded> {
        self.answers.take()
    }

    /// The first recorded answer to this call that was not given yet.
    fn recorded(&self, call: u64) -> Option<PortAnswer> {
        let (answers, mut given) = (self.answers.borrow(), self.given.borrow_mut());
        let at = (0..answers.len()).find(|at| answers[*at].0 == call && !given.contains(at))?;
        given.push(at);
        Some(answers[at].1.clone())
    }

    /// Waits for ever if no visible use of a port is left, which ends the step.
    async fn wait_for_turn(&self) {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => std::future::pending().await,
        }
    }

    fn record(&self, call: u64, answer: PortAnswer) -> PortAnswer {
        let mut answers = self.answers.borrow_mut();
        self.given.borrow_mut().push(answers.len());
        answers.push((call, answer.clone()));
        answer
    }

    fn change(&self, change: impl FnOnce(&mut Shared)) {
        let mut shared = self.shared.get();
        change(&mut shared);
        self.shared.set(shared);
    }

    fn run(&self, statements: &[Statement]) -> PortAnswer {
        let fault = self.fault.get();
        if fault == Fault::Before {
            return PortAnswer::NoRows;
        }
        let (content, rows) = self.db.run(self.shared.get().content, statements);
        self.change(|shared| shared.content = content);
        rows.filter(|_| fault != Fault::After).map_or(PortAnswer::NoRows, PortAnswer::Rows)
    }

    fn ask(&self, request: &Request<Bytes>, is_visible: bool) -> PortAnswer {
        match self.fault.get() {
            Fault::Before if is_visible => PortAnswer::NoHttp,
            Fault::Unreachable => PortAnswer::NoHttp,
            Fault::After if is_visible => {
                self.exchange(request);
                PortAnswer::NoHttp
            }
            Fault::None | Fault::Before | Fault::After => self.exchange(request),
        }
    }

    fn exchange(&self, request: &Request<Bytes>) -> PortAnswer {
        let Shared { published, role, .. } = self.shared.get();
        let read = (published, role, self.now.get(), request.uri().to_string());
        if request.method() == http::Method::POST {
            return self.ask_simulator(request);
        }
        if let Some(answer) = self.reads.borrow().get(&read) {
            return answer.clone();
        }
        let answer = self.ask_simulator(request);
        self.reads.borrow_mut().insert(read, answer.clone());
        answer
    }

    fn ask_simulator(&self, request: &Request<Bytes>) -> PortAnswer {
        let mut simulator = self.simulator.borrow_mut();
        let Shared { published, role, .. } = self.shared.get();
        let simulator = simulator.get_or_insert_with(|| self.simulator_of(published, role));
        let Outcome::Answered { response, .. } = simulator.exchange(request, self.now.get()) else {
            panic!("no fault is planned")
        };
        if request.method() == http::Method::POST && !is_dry_run(request) {
            let published = Published(SNAPSHOTS.number(simulator.snapshot()));
            self.change(|shared| shared.published = published);
        }
        let media_type = response.headers().get("content-type").map_or("", |value| value.to_str().expect("text"));
        PortAnswer::Http {
            status: response.status().as_u16(),
            media_type: media_type.to_owned(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        }
    }

    fn simulator_of(&self, published: Published, role: &'static str) -> Simulator {
        let simulator = Simulator::new(upstream::settings(support::START));
        simulator.set_connector_keys(&self.connector_keys).expect("a key set");
        let snapshot = SNAPSHOTS.value(published.0);
        if !snapshot.is_empty() {
            simulator.restore(&snapshot).expect("a snapshot");
        }
        simulator.set_role(1, 42, Some(role).filter(|role| !role.is_empty())).expect("a role");
        simulator
    }
}

#[async_trait::async_trait(?Send)]
impl Database for Ports {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let call = digest(&format!("{statements:?}"));
        let answer = if let Some(answer) = self.recorded(call) {
            answer
        } else {
            self.wait_for_turn().await;
            self.record(call, self.run(statements))
        };
        match answer {
            PortAnswer::Rows(rows) => Ok(rows),
            _ => Err(DatabaseError("as the model says".into())),
        }
    }
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// A request that other requests can tell from its absence, or that depends on what they published.
fn is_visible(request: &Request<Bytes>) -> bool {
    request.uri().path().contains("/incidents") && !is_dry_run(request)
}

fn is_dry_run(request: &Request<Bytes>) -> bool {
    request.uri().query().is_some_and(|query| query.contains("dry_run"))
}

#[async_trait::async_trait(?Send)]
impl HttpClient for Ports {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        assertion::sign(&mut request);
        let call = digest(&format!("{} {}", request.method(), request.uri()));
        let answer = if let Some(answer) = self.recorded(call) {
            answer
        } else {
            let is_visible = is_visible(&request);
            if is_visible {
                self.wait_for_turn().await;
            }
            self.record(call, self.ask(&request, is_visible))
        };
        match answer {
            PortAnswer::Http { status, media_type, body } => {
                let response = Response::builder().status(status).header("content-type", media_type);
                Ok(response.body(Bytes::from(body)).expect("a response"))
            }
            _ => Err(HttpError::Timeout),
        }
    }
}

/// The rate limits are another test's business: here they always leave enough.
#[async_trait::async_trait(?Send)]
impl RateLimiter for Ports {
    async fn take(&self, _: &str, _: RateLimit, _: Timestamp) -> Result<Decision, LimiterError> {
        Ok(Decision::Allowed { remaining: 9 })
    }

    async fn remaining(&self, _: &str, _: RateLimit, _: Timestamp) -> Result<u32, LimiterError> {
        Ok(9)
    }
}
