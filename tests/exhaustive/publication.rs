//! The states of one write that two connections of a person want published once: their calls on the way, StatiBeat's page, and the
//! person or an admin who stops them.

use crate::database::{Column, ModelDatabase};
use crate::engine::{Engine, History, Moved, Reply, Sent, SentRequest};
use crate::ports::{Fault, Shared};
use crate::support::START;
use crate::weakened::Weakening;
use serde_json::json;
use stateright::{Model, Property};
use statibeat_mcp::storage::idempotency::LEASE;
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The title of the incident, which nothing else on the page has.
pub const TITLE: &str = "Written once";

/// The bounds of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WriteBounds {
    /// Number of calls through each connection.
    pub calls: [u8; 2],
    /// Number of answers that are lost: of the database or of StatiBeat.
    pub lost: u8,
    /// Number of uses of a port that fail.
    pub outages: u8,
    /// Number of instances that end in the middle of a call.
    pub crashes: u8,
    /// Number of delays that outlast a lease.
    pub delays: u8,
    /// Number of revocations, pauses and blocks.
    pub stops: u8,
}

/// A change after which nothing may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stop {
    Revoke,
    Pause,
    Block,
}

/// A property that a story broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BrokenWrite {
    PostedAfterStop,
    PostedUnaudited,
    /// A call was told that the write is published, and it is not.
    ReportedInVain,
    /// A call was told that it published nothing, and it did.
    ReportedAsUnpublished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunningCall {
    through: usize,
    history: History,
    /// True once it has published the write.
    has_published: bool,
    /// True if a stop was confirmed before its last check of the lease.
    is_stopped: bool,
    sent_at: i64,
    number: u8,
    sent: Sent,
}

impl RunningCall {
    /// True if the two differ at most in the random values that they are going to draw: their order makes no difference.
    fn is_like(&self, other: &Self) -> bool {
        Self { number: other.number, sent: other.sent, ..*self } == *other
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteState {
    pub now: i64,
    pub shared: Shared,
    pub running: Vec<RunningCall>,
    pub stopped: Option<Stop>,
    pub broken: BTreeSet<BrokenWrite>,
    left: WriteBounds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteAction {
    Begin(usize),
    Step(usize, Fault),
    Crash(usize),
    Stop(Stop),
    Wait,
}

/// One write through two connections, as a model.
pub struct Publication {
    pub bounds: WriteBounds,
    pub weakening: Option<Weakening>,
    pub properties: fn() -> Vec<Property<Publication>>,
}

/// An engine with two connections: the state that it begins with, and an access token of each.
struct Prepared {
    weakening: Option<Weakening>,
    engine: &'static Engine,
    shared: Shared,
    tokens: [String; 2],
}

thread_local! {
    static PREPARED: RefCell<Option<Prepared>> = const { RefCell::new(None) };
}

impl Publication {
    fn with<T>(&self, read: impl FnOnce(&Prepared) -> T) -> T {
        PREPARED.with_borrow_mut(|prepared| {
            if prepared.as_ref().is_none_or(|prepared| prepared.weakening != self.weakening) {
                let engine: &'static Engine = Box::leak(Box::new(Engine::new(self.weakening, true)));
                let (shared, tokens) = engine.two_connections();
                *prepared = Some(Prepared { weakening: self.weakening, engine, shared, tokens });
            }
            read(prepared.as_ref().expect("prepared"))
        })
    }

    pub fn engine(&self) -> &'static Engine {
        self.with(|prepared| prepared.engine)
    }

    /// A call of the write through a connection.
    pub fn call(&self, through: usize, number: u8, sent_at: i64) -> SentRequest {
        let arguments = json!({ "page_id": 42, "title": TITLE, "description": "D" });
        let params = json!({ "name": "create_incident", "arguments": arguments });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let bearer = Some(self.with(|prepared| prepared.tokens[through].clone()));
        SentRequest { path: "/mcp", bearer, body, number, sent_at }
    }
}

impl WriteState {
    fn begin(mut self, model: &Publication, through: usize) -> Self {
        let begun = model.bounds.calls[through] - self.left.calls[through];
        let number = begun + if through == 0 { 0 } else { 32 };
        let sent = model.call(through, number, self.now).numbered();
        let (history, is_stopped, sent_at) = (History::empty(), self.stopped.is_some(), self.now);
        self.running.push(RunningCall { through, history, has_published: false, is_stopped, sent_at, number, sent });
        let at = self.running.len() - 1;
        self.step(model.engine(), at, Fault::None)
    }

    /// The state without what makes no difference to any later call, in a fixed order.
    fn canonical(mut self, engine: &Engine) -> Self {
        self.running.sort_unstable();
        let (content, running) = (self.shared.content, &self.running);
        // A call writes only to its own audit row, and no decision reads one.
        self.shared.content =
            engine.reduce(content, running.iter().map(|call| u32::from(call.number)).collect(), || {
                let calls = running.iter().map(|call| Column::Text(format!("request-{}", call.number)));
                let calls: Vec<Column> = calls.collect();
                content.change("audit", |rows| rows.retain(|row| row.iter().any(|column| calls.contains(column))))
            });
        if self.running.is_empty() && self.left.calls == [0, 0] {
            self.left = WriteBounds { calls: [0, 0], lost: 0, outages: 0, crashes: 0, delays: 0, stops: 0 };
            if self.stopped.is_some() {
                self.shared = Shared { content: ModelDatabase::empty(), ..self.shared };
            }
        }
        self
    }

    fn step(mut self, engine: &Engine, at: usize, fault: Fault) -> Self {
        let running = &mut self.running[at];
        let Moved { shared, history, reply, .. } = engine.step(running.sent, running.history, self.shared, fault);
        running.history = history;
        if shared.published != self.shared.published {
            running.has_published = true;
            let audited = format!(
                "SELECT count(*) FROM audit WHERE kind = 'write' AND request_id = 'request-{}'",
                running.number
            );
            let is_audited = engine.count(self.shared.content, &audited) == 1;
            self.broken.extend((!is_audited).then_some(BrokenWrite::PostedUnaudited));
            self.broken.extend(running.is_stopped.then_some(BrokenWrite::PostedAfterStop));
        }
        self.shared = shared;
        if let Some(reply) = reply {
            let running = self.running.remove(at);
            self.broken.extend(find_broken_promise(&reply, running.has_published, engine.published(self.shared) > 0));
        }
        self
    }

    /// The faults that make a difference to the next step of a call.
    fn faults(&self, engine: &Engine, at: usize) -> Vec<Fault> {
        let RunningCall { sent, history, .. } = self.running[at];
        let good = engine.step(sent, history, self.shared, Fault::None);
        let mut faults = vec![Fault::None];
        faults.extend((self.left.lost > 0 && good.shared != self.shared).then_some(Fault::After));
        if self.left.outages > 0 {
            faults.push(Fault::Before);
            faults.extend(good.has_asked.then_some(Fault::Unreachable));
        }
        faults
    }

    /// Stops the connections. A call that has passed its last check may still publish.
    fn stop(mut self, engine: &Engine, stop: Stop) -> Self {
        for running in &mut self.running {
            let next = engine.step(running.sent, running.history, self.shared, Fault::None);
            running.is_stopped = next.shared.published == self.shared.published;
        }
        self.shared = engine.stop(self.shared, stop, self.now);
        self.stopped = Some(stop);
        self
    }
}

/// Returns whether a reply says that the write is published.
pub fn is_done(reply: &Reply) -> bool {
    reply.status == 200 && reply.json()["result"]["isError"] == false
}

fn find_broken_promise(reply: &Reply, has_published: bool, is_published: bool) -> Option<BrokenWrite> {
    let says_nothing = reply.body.contains("Nothing was published") && !reply.body.contains("may have published");
    match (is_done(reply), is_published) {
        (true, false) => Some(BrokenWrite::ReportedInVain),
        (false, true) if has_published && says_nothing => Some(BrokenWrite::ReportedAsUnpublished),
        _ => None,
    }
}

impl Model for Publication {
    type State = WriteState;
    type Action = WriteAction;

    fn init_states(&self) -> Vec<WriteState> {
        let shared = self.with(|prepared| prepared.shared);
        let (running, broken) = (Vec::new(), BTreeSet::new());
        vec![WriteState { now: START, shared, running, stopped: None, broken, left: self.bounds }]
    }

    fn actions(&self, state: &WriteState, actions: &mut Vec<WriteAction>) {
        let WriteBounds { calls, crashes, delays, stops, .. } = state.left;
        actions.extend((0..2).filter(|through| calls[*through] > 0).map(WriteAction::Begin));
        actions.extend((delays > 0).then_some(WriteAction::Wait));
        if stops > 0 {
            actions.extend([Stop::Revoke, Stop::Pause, Stop::Block].map(WriteAction::Stop));
        }
        for at in 0..state.running.len() {
            if at > 0 && state.running[at].is_like(&state.running[at - 1]) {
                continue;
            }
            actions.extend((crashes > 0).then_some(WriteAction::Crash(at)));
            let faults = state.faults(self.engine(), at);
            actions.extend(faults.into_iter().map(|fault| WriteAction::Step(at, fault)));
        }
    }

    fn next_state(&self, last: &WriteState, action: WriteAction) -> Option<WriteState> {
        let (engine, mut state) = (self.engine(), last.clone());
        let next = match action {
            WriteAction::Begin(through) => {
                state.left.calls[through] -= 1;
                state.begin(self, through)
            }
            WriteAction::Step(at, fault) => {
                match fault {
                    Fault::None => {}
                    Fault::After => state.left.lost -= 1,
                    Fault::Before | Fault::Unreachable => state.left.outages -= 1,
                }
                state.step(engine, at, fault)
            }
            WriteAction::Crash(at) => {
                state.left.crashes -= 1;
                state.running.remove(at);
                state
            }
            WriteAction::Stop(stop) => {
                state.left.stops -= 1;
                state.stop(engine, stop)
            }
            WriteAction::Wait => {
                state.left.delays -= 1;
                state.now += i64::try_from(LEASE.as_secs()).expect("a short time") + 1;
                state
            }
        };
        Some(next.canonical(engine))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}
