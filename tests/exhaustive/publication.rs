//! The states of one write that two connections of a person want published once: their calls on the way, StatiBeat's page, and the
//! person or an admin who stops them.

use crate::engine::{Engine, History, Moved, Reply, SentRequest};
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

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunningCall {
    through: usize,
    sent: SentRequest,
    history: History,
    /// True once it has published the write.
    has_published: bool,
    /// True if a stop was confirmed before its last check of the lease.
    is_stopped: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteState {
    pub now: i64,
    pub shared: Shared,
    pub running: Vec<RunningCall>,
    pub stopped: Option<Stop>,
    pub broken: BTreeSet<BrokenWrite>,
    begun: u8,
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
        self.begun += 1;
        let sent = model.call(through, self.begun, self.now);
        let (history, is_stopped) = (History::empty(), self.stopped.is_some());
        self.running.push(RunningCall { through, sent, history, has_published: false, is_stopped });
        let at = self.running.len() - 1;
        self.step(model.engine(), at, Fault::None)
    }

    fn step(mut self, engine: &Engine, at: usize, fault: Fault) -> Self {
        let running = &mut self.running[at];
        let Moved { shared, history, reply, .. } = engine.step(&running.sent, running.history, self.shared, fault);
        running.history = history;
        if shared.published != self.shared.published {
            running.has_published = true;
            let audited = format!(
                "SELECT count(*) FROM audit WHERE kind = 'write' AND request_id = 'request-{}'",
                running.sent.number
            );
            let is_audited = engine.count(self.shared.content, &audited) == 1;
            self.broken.extend((!is_audited).then_some(BrokenWrite::PostedUnaudited));
            self.broken.extend(running.is_stopped.then_some(BrokenWrite::PostedAfterStop));
        }
        self.shared = shared;
        if let Some(reply) = reply {
            let running = self.running.remove(at);
            self.broken.extend(find_broken_promise(&reply, running.has_published, self.shared));
        }
        self
    }

    /// The faults that make a difference to the next step of a call.
    fn faults(&self, engine: &Engine, at: usize) -> Vec<Fault> {
        let RunningCall { sent, history, .. } = &self.running[at];
        let moved = |fault| engine.step(sent, *history, self.shared, fault);
        let good = moved(Fault::None);
        let mut faults = vec![Fault::None];
        faults.extend((self.left.lost > 0 && good.shared != self.shared).then_some(Fault::After));
        if self.left.outages > 0 {
            faults.push(Fault::Before);
            faults.extend((moved(Fault::Unreachable) != good).then_some(Fault::Unreachable));
        }
        faults
    }

    /// Stops the connections. A call that has passed its last check may still publish.
    fn stop(mut self, engine: &Engine, stop: Stop) -> Self {
        for running in &mut self.running {
            let next = engine.step(&running.sent, running.history, self.shared, Fault::None);
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

fn find_broken_promise(reply: &Reply, has_published: bool, shared: Shared) -> Option<BrokenWrite> {
    let is_published = shared.published.count(TITLE) > 0;
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
        vec![WriteState { now: START, shared, running, stopped: None, broken, begun: 0, left: self.bounds }]
    }

    fn actions(&self, state: &WriteState, actions: &mut Vec<WriteAction>) {
        let WriteBounds { calls, crashes, delays, stops, .. } = state.left;
        actions.extend((0..2).filter(|through| calls[*through] > 0).map(WriteAction::Begin));
        actions.extend((delays > 0).then_some(WriteAction::Wait));
        if stops > 0 {
            actions.extend([Stop::Revoke, Stop::Pause, Stop::Block].map(WriteAction::Stop));
        }
        for at in 0..state.running.len() {
            actions.extend((crashes > 0).then_some(WriteAction::Crash(at)));
            let faults = state.faults(self.engine(), at);
            actions.extend(faults.into_iter().map(|fault| WriteAction::Step(at, fault)));
        }
    }

    fn next_state(&self, last: &WriteState, action: WriteAction) -> Option<WriteState> {
        let (engine, mut state) = (self.engine(), last.clone());
        Some(match action {
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
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}
