//! The three ports as a schedule sees them: each use is a step before and a step after the work, so that a call can be
//! stopped, overtaken or dropped there; and each use may fail as planned.

#[path = "../../src/storage/testing/sqlite.rs"]
mod sqlite;

use super::plan::{Fault, FaultKind};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use rusqlite::Connection;
use statibeat_mcp::hosted::rate_limit::WindowCount;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{
    Database, DatabaseError, Decision, HttpClient, HttpError, LimiterError, RateLimit, RateLimiter, Row, Statement,
};
use statibeat_mcp::upstream::assertion;
use statibeat_simulator::{Outcome, Simulator};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Stops once, then goes on.
struct Step(bool);

impl Future for Step {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

async fn step() {
    Step(false).await;
}

/// Uses of a port so far, compared with the faults that are planned for it.
#[derive(Default)]
struct Uses(Cell<u16>);

impl Uses {
    fn next(&self) -> u16 {
        self.0.replace(self.0.get() + 1)
    }
}

/// The faults of a schedule; none happens any more once it is healed.
pub struct Faults {
    planned: Vec<Fault>,
    pub is_healed: Cell<bool>,
}

impl Faults {
    pub fn new(planned: &[Fault]) -> Self {
        Self { planned: planned.to_vec(), is_healed: Cell::new(false) }
    }

    fn has(&self, kind: FaultKind, at: u16) -> bool {
        !self.is_healed.get() && self.planned.iter().any(|fault| fault.hits(kind, at))
    }
}

pub struct Sqlite<'a> {
    pub connection: RefCell<Connection>,
    pub faults: &'a Faults,
    uses: Uses,
}

impl<'a> Sqlite<'a> {
    pub fn new(faults: &'a Faults) -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        connection.execute_batch(include_str!("../../schema.sql")).expect("schema.sql");
        for grant in ["grant", "another-grant"] {
            let insert = "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, \
                          redirect_host, is_loopback, resource, scope, created_at) \
                          VALUES (?1, '2', 'Theo', 'schedules', 'Schedules', 'preregistered', 'h', 0, 'r', 's', 0)";
            connection.execute(insert, [grant]).expect("a grant");
        }
        Self { connection: RefCell::new(connection), faults, uses: Uses::default() }
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let statements = statements.iter().map(|one| (one.sql, one.values.as_slice()));
        sqlite::run_batch(&mut self.connection.borrow_mut(), statements)
    }
}

#[async_trait(?Send)]
impl Database for Sqlite<'_> {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        step().await;
        let at = self.uses.next();
        if self.faults.has(FaultKind::DatabaseBefore, at) {
            return Err(DatabaseError("failed before".into()));
        }
        let answers = self.run(statements).map_err(|error| DatabaseError(error.to_string()));
        step().await;
        if self.faults.has(FaultKind::DatabaseAfter, at) {
            return Err(DatabaseError("failed after".into()));
        }
        Ok(answers.expect("every statement fits the schema"))
    }
}

pub struct Limiter<'a> {
    pub faults: &'a Faults,
    counters: RefCell<HashMap<String, WindowCount>>,
    uses: Uses,
}

impl<'a> Limiter<'a> {
    pub fn new(faults: &'a Faults) -> Self {
        Self { faults, counters: RefCell::default(), uses: Uses::default() }
    }

    async fn counted(&self) -> Result<(), LimiterError> {
        step().await;
        if self.faults.has(FaultKind::LimiterDown, self.uses.next()) {
            return Err(LimiterError("down".into()));
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl RateLimiter for Limiter<'_> {
    async fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<Decision, LimiterError> {
        self.counted().await?;
        let decision = {
            let mut counters = self.counters.borrow_mut();
            let (state, decision) = WindowCount::take(counters.get(key).copied(), limit, now);
            counters.insert(key.to_owned(), state);
            decision
        };
        step().await;
        Ok(decision)
    }

    async fn remaining(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<u32, LimiterError> {
        self.counted().await?;
        Ok(WindowCount::remaining(self.counters.borrow().get(key).copied(), limit, now))
    }
}

pub struct Upstream<'a> {
    pub simulator: &'a Simulator,
    pub faults: &'a Faults,
    pub now: &'a Cell<i64>,
    /// Request ids of all posts that arrived; a dry run publishes nothing.
    pub posted: RefCell<Vec<String>>,
    uses: Uses,
}

impl<'a> Upstream<'a> {
    pub fn new(simulator: &'a Simulator, faults: &'a Faults, now: &'a Cell<i64>) -> Self {
        Self { simulator, faults, now, posted: RefCell::default(), uses: Uses::default() }
    }

    /// The clock that StatiBeat sees is the request's own: assertions live a minute, and a call may sleep for longer.
    fn exchange(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if request.method() == http::Method::POST && request.uri().query().is_none() {
            let id = request.headers()["x-request-id"].to_str().expect("text");
            self.posted.borrow_mut().push(id.to_owned());
        }
        match self.simulator.exchange(request, self.now.get()) {
            Outcome::Answered { response, .. } => response,
            Outcome::Dropped { .. } => panic!("this test plans its faults itself"),
        }
    }
}

fn status(code: u16) -> Response<Bytes> {
    Response::builder().status(code).body(Bytes::from_static(br#"{"error":"planned"}"#)).expect("a response")
}

#[async_trait(?Send)]
impl HttpClient for Upstream<'_> {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        assertion::sign(&mut request);
        step().await;
        let at = self.uses.next();
        if self.faults.has(FaultKind::RequestLost, at) {
            return Err(HttpError::Transport("lost on the way".into()));
        }
        if self.faults.has(FaultKind::Refused, at) {
            return Ok(status(503));
        }
        let response = self.exchange(&request);
        step().await;
        if self.faults.has(FaultKind::AnswerLost, at) {
            return Err(HttpError::Timeout);
        }
        Ok(if self.faults.has(FaultKind::DoneWithError, at) { status(500) } else { response })
    }
}
