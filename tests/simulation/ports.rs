//! The three ports of an instance: each use waits for its turn, and meets the fault that comes with it.

use crate::scheduler::{TaskId, Turn};
use crate::weather::Fault;
use crate::world::{LateWork, World};
use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use statibeat_mcp::hosted::rate_limit::WindowCount;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{
    Database, DatabaseError, Decision, HttpClient, HttpError, LimiterError, RateLimit, RateLimiter, Row, Statement,
};
use statibeat_mcp::upstream::assertion;
use statibeat_simulator::Outcome;
use std::rc::Rc;
use std::time::Duration;

/// The ports of one instance.
pub struct InstancePorts(pub Rc<World>);

#[async_trait(?Send)]
impl Database for InstancePorts {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let world = &self.0;
        world.interrupt(statements).await;
        let fault = world.wait_for_turn(Turn::Database).await;
        let failed = |when: &str| Err(DatabaseError(format!("fails {when}")));
        let task = world.scheduler.current();
        world.trace(|| format!("  database: {}", beginning(statements)));
        world.totals.borrow_mut().batches += 1;
        world.observed.borrow_mut().note_batch(task, world.scheduler.steps.get());
        match fault {
            None => world.base.stored.run(statements),
            Some(Fault::After) => {
                let _ = world.base.stored.run(statements);
                failed("after")
            }
            Some(Fault::Twice) => {
                let _ = world.base.stored.run(statements);
                world.base.stored.run(statements)
            }
            Some(Fault::Late) => {
                world.late.borrow_mut().push((task, LateWork::Batch(statements.to_vec())));
                failed("for now")
            }
            Some(_) => failed("before"),
        }
    }
}

/// The first words of a batch.
fn beginning(statements: &[Statement]) -> String {
    let first = statements.first().map_or("", |statement| statement.sql);
    let words: Vec<&str> = first.split_whitespace().take(14).collect();
    format!("{} statements, {} …", statements.len(), words.join(" "))
}

#[async_trait(?Send)]
impl HttpClient for InstancePorts {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let world = &self.0;
        assertion::sign(&mut request);
        let begun = world.scheduler.steps.get();
        let fault = world.wait_for_turn(Turn::StatiBeat).await;
        let task = world.scheduler.current();
        world.totals.borrow_mut().exchanges += 1;
        let exchange = || world.exchange(&request, task, begun);
        Ok(match fault {
            None => exchange(),
            Some(Fault::After) => {
                exchange();
                return Err(HttpError::Timeout);
            }
            Some(Fault::Late) => {
                world.late.borrow_mut().push((task, LateWork::Upstream(Box::new(request))));
                return Err(HttpError::Timeout);
            }
            Some(Fault::Twice) => {
                let response = exchange();
                exchange();
                response
            }
            Some(Fault::Before) => return Err(HttpError::Transport("lost on the way".into())),
            Some(Fault::Refused) => planned(503),
            Some(Fault::Limited) => planned(429),
            Some(Fault::DoneWithError) => {
                exchange();
                planned(500)
            }
            Some(Fault::Cut) => exchange().map(|body| body.slice(..body.len() / 2)),
        })
    }

    async fn sleep(&self, duration: Duration) {
        self.0.sleep(u64::try_from(duration.as_millis()).expect("short")).await;
    }
}

fn planned(status: u16) -> Response<Bytes> {
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    if status == 429 {
        response = response.header("retry-after", "2");
    }
    response.body(Bytes::from_static(br#"{"error":"planned"}"#)).expect("a response")
}

impl World {
    /// Lets StatiBeat answer a request of a task, which has sent it at the step `begun`.
    pub fn exchange(&self, request: &Request<Bytes>, task: TaskId, begun: u32) -> Response<Bytes> {
        let Outcome::Answered { response, .. } = self.simulator.exchange(request, self.now()) else {
            panic!("this test plans its faults itself")
        };
        self.trace(|| format!("  StatiBeat: {} {} → {}", request.method(), request.uri(), response.status()));
        let is_post = request.method() == Method::POST && request.uri().query().is_none();
        if is_post && response.status() == 201 {
            self.totals.borrow_mut().posts += 1;
            self.observed.borrow_mut().note_post(task, request.body(), begun, self);
        }
        response
    }

    async fn use_limiter(&self) -> Option<Fault> {
        let fault = self.wait_for_turn(Turn::Limiter).await;
        self.totals.borrow_mut().takes += 1;
        fault
    }

    fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Decision {
        let mut counters = self.counters.borrow_mut();
        let (state, decision) = WindowCount::take(counters.get(key).copied(), limit, now);
        counters.insert(key.to_owned(), state);
        decision
    }
}

#[async_trait(?Send)]
impl RateLimiter for InstancePorts {
    async fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<Decision, LimiterError> {
        let fault = self.0.use_limiter().await;
        let take = || self.0.take(key, limit, now);
        match fault {
            None => Ok(take()),
            Some(Fault::Twice) => {
                take();
                Ok(take())
            }
            Some(Fault::After) => {
                take();
                Err(LimiterError("no answer".into()))
            }
            Some(_) => Err(LimiterError("down".into())),
        }
    }

    async fn remaining(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<u32, LimiterError> {
        if self.0.use_limiter().await.is_some() {
            return Err(LimiterError("down".into()));
        }
        Ok(WindowCount::remaining(self.0.counters.borrow().get(key).copied(), limit, now))
    }
}
