//! The states of one connection and those who use it: a client, a thief who copies what the client holds, and the requests that are on
//! their way.

use crate::engine::{Engine, History, Moved, Reply, SentRequest};
use crate::observations::{Broken, Observations, Pair, Secret};
use crate::ports::{Fault, Published, Shared};
use crate::support::START;
use crate::support::flow::{CALLBACK, CLIENT, VERIFIER};
use crate::weakened::Weakening;
use stateright::{Model, Property};
use std::cell::RefCell;

pub const APP: usize = 0;
pub const THIEF: usize = 1;

/// The bounds of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Number of requests that each sender may send.
    pub requests: [u8; 2],
    /// Requests of a sender that are on their way at the same time.
    pub concurrent: usize,
    /// Answers that are lost: of the database, of StatiBeat or of the connector.
    pub lost: u8,
    /// Uses of a port that fail.
    pub outages: u8,
    /// Copies of the client's tokens that the thief may make.
    pub thefts: u8,
    pub revocations: u8,
    /// Number of delays of four days.
    pub delays: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    pub sender: usize,
    pub kind: RequestKind,
    sent: SentRequest,
    history: History,
    /// The reply on its way back.
    reply: Option<Reply>,
    /// True once a fault has hit it.
    is_hit: bool,
    /// True if it presents a refresh token whose answer was known to have been used when it was sent.
    is_reuse: bool,
    /// True if it was sent after a revocation was confirmed.
    is_after_revocation: bool,
}

/// The duty of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    Redeem,
    Refresh(Secret),
    /// A call with an access token that came with this refresh token.
    Ping(Secret),
    Revoke,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub now: i64,
    pub shared: Shared,
    pub running: Vec<Running>,
    pub observed: Observations,
    /// The tokens that each sender holds.
    pub held: [Option<Pair>; 2],
    /// The code that each sender holds.
    pub codes: [Option<Secret>; 2],
    /// Numbers of requests whose random values were stored, one bit each: no other request may have them.
    stored: u64,
    left: Bounds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Redeem(usize),
    Refresh(usize),
    Ping(usize),
    Revoke,
    Step(usize, Fault),
    Deliver(usize),
    Lose(usize),
    Steal,
    Wait,
}

/// A connection from its code or its first tokens on, as a model.
pub struct Connection {
    pub bounds: Bounds,
    pub weakening: Option<Weakening>,
    pub begins_with_tokens: bool,
    pub properties: fn() -> Vec<Property<Connection>>,
}

thread_local! {
    static ENGINE: RefCell<Option<(Option<Weakening>, &'static Engine)>> = const { RefCell::new(None) };
}

impl Connection {
    /// This thread's instance of the product with the model's weakening.
    pub fn engine(&self) -> &'static Engine {
        ENGINE.with_borrow_mut(|engine| match engine {
            Some((weakening, engine)) if *weakening == self.weakening => *engine,
            _ => {
                let new: &'static Engine = Box::leak(Box::new(Engine::new(self.weakening, false)));
                *engine = Some((self.weakening, new));
                new
            }
        })
    }

    fn first_state(&self) -> State {
        let engine = self.engine();
        let (content, code) = engine.approved_code();
        let shared = Shared { content, published: Published::nothing(), role: "page_admin" };
        let mut state = State {
            now: START,
            shared,
            running: Vec::new(),
            observed: Observations::default(),
            held: [None, None],
            codes: [Some(code), None],
            stored: 0,
            left: self.bounds,
        };
        if self.begins_with_tokens {
            let (_, sent) = state.request(&Action::Redeem(APP)).expect("a code");
            let (shared, reply) = engine.finish(&sent, shared);
            state.shared = shared;
            state.stored = 1;
            state.held[APP] = Some(Pair::parse(&reply).unwrap_or_else(|| panic!("{reply:?}")));
            state.codes = [None, None];
        }
        state
    }
}

impl State {
    /// The request that an action sends, if its sender can send it.
    pub fn request(&self, action: &Action) -> Option<(RequestKind, SentRequest)> {
        let form = |path: &'static str, fields: &[(&str, &str)]| {
            let all = [("client_id", CLIENT)].into_iter().chain(fields.iter().copied());
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
            SentRequest { path, bearer: None, body, number: self.free_number(), sent_at: self.now }
        };
        let token = "/mcp/oauth/token";
        Some(match action {
            Action::Redeem(sender) => {
                let proof = [("code", self.codes[*sender].as_deref()?), ("redirect_uri", CALLBACK)];
                let grant_type = [("grant_type", "authorization_code"), ("code_verifier", VERIFIER)];
                (RequestKind::Redeem, form(token, &[proof, grant_type].concat()))
            }
            Action::Refresh(sender) => {
                let refresh = &self.held[*sender].as_ref()?.refresh;
                let sent = form(token, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
                (RequestKind::Refresh(refresh.clone()), sent)
            }
            Action::Ping(sender) => {
                let Pair { access, refresh } = self.held[*sender].clone()?;
                let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#.to_owned();
                // A call stores nothing random.
                let (number, sent_at) = (0, self.now);
                (RequestKind::Ping(refresh), SentRequest { path: "/mcp", bearer: Some(access), body, number, sent_at })
            }
            Action::Revoke => {
                let refresh = &self.held[APP].as_ref()?.refresh;
                (RequestKind::Revoke, form("/mcp/oauth/revoke", &[("token", refresh)]))
            }
            Action::Step(..) | Action::Deliver(_) | Action::Lose(_) | Action::Steal | Action::Wait => return None,
        })
    }

    fn free_number(&self) -> u8 {
        let is_free = |number: &u8| {
            self.stored & (1 << number) == 0 && self.running.iter().all(|running| running.sent.number != *number)
        };
        (0..64).find(is_free).expect("few requests")
    }

    /// Sends a request; it has reached the connector when its first use of a port is made.
    fn send(mut self, engine: &Engine, sender: usize, action: &Action) -> Option<Self> {
        let (kind, sent) = self.request(action)?;
        let is_reuse = matches!(&kind, RequestKind::Refresh(token) if self.observed.is_superseded(token));
        let is_after_revocation = self.observed.is_revocation_confirmed;
        let (history, reply) = (History::empty(), None);
        self.observed.is_disturbed |= sender == THIEF || matches!(kind, RequestKind::Redeem | RequestKind::Revoke);
        let running = Running { sender, kind, sent, history, reply, is_hit: false, is_reuse, is_after_revocation };
        self.running.push(running);
        let at = self.running.len() - 1;
        Some(self.step(engine, at, Fault::None))
    }

    fn step(mut self, engine: &Engine, at: usize, fault: Fault) -> Self {
        let running = &mut self.running[at];
        let Moved { shared, history, reply, .. } = engine.step(&running.sent, running.history, self.shared, fault);
        running.history = history;
        running.is_hit |= fault != Fault::None;
        let tokens = |shared: Shared| engine.count(shared.content, ACCESS_TOKENS);
        if tokens(shared) > tokens(self.shared) {
            self.stored |= 1 << running.sent.number;
            self.observed.note_stored_tokens(&running.kind);
        }
        self.shared = shared;
        if let Some(reply) = reply {
            let has_tokens = Pair::parse(&reply).is_some();
            running.reply = Some(reply);
            self.note_reply(engine, at);
            // Whether any other answer arrives makes no difference to anybody.
            if !has_tokens {
                self.running.remove(at);
            }
        }
        self
    }

    /// The faults that make a difference to the next step of a request.
    fn faults(&self, engine: &Engine, at: usize) -> Vec<Fault> {
        let Running { sent, history, .. } = &self.running[at];
        let moved = |fault| engine.step(sent, *history, self.shared, fault);
        let good = moved(Fault::None);
        let mut faults = vec![Fault::None];
        if self.left.lost > 0 && good.shared != self.shared {
            faults.push(Fault::After);
        }
        if self.left.outages > 0 {
            faults.push(Fault::Before);
            faults.extend((moved(Fault::Unreachable) != good).then_some(Fault::Unreachable));
        }
        faults
    }

    /// Holds a reply against the properties that are about one request.
    fn note_reply(&mut self, engine: &Engine, at: usize) {
        let Running { kind, sent, reply, is_hit, is_reuse, is_after_revocation, .. } = self.running[at].clone();
        let Some(reply) = reply else { return };
        let is_good = reply.status == 200;
        let must_have_ended = !is_good && !is_hit && engine.count(self.shared.content, LIVE_GRANTS) > 0;
        let observed = &mut self.observed;
        if is_good && is_after_revocation && kind != RequestKind::Revoke {
            observed.broken.insert(Broken::WorkedAfterRevocation);
        }
        match kind {
            RequestKind::Redeem if is_good => observed.redeemed_at = observed.redeemed_at.or(Some(sent.sent_at)),
            RequestKind::Redeem
                if must_have_ended && observed.redeemed_at.is_some_and(|at| sent.sent_at >= at + FOUR_DAYS) =>
            {
                observed.broken.insert(Broken::ReplayKeptTheGrant);
            }
            RequestKind::Refresh(_) if is_reuse && must_have_ended => {
                observed.broken.insert(Broken::ReuseKeptTheGrant);
            }
            RequestKind::Refresh(token) => {
                if let Some(pair) = Pair::parse(&reply) {
                    observed.successors.insert(token.clone(), pair.refresh);
                    observed.used.insert(token);
                }
            }
            RequestKind::Ping(refresh) if is_good && !is_hit => {
                observed.used.insert(refresh);
            }
            RequestKind::Revoke if is_good => observed.is_revocation_confirmed = true,
            RequestKind::Redeem | RequestKind::Ping(_) | RequestKind::Revoke => {}
        }
    }

    /// A sender keeps the tokens that an answer brings, unless it has newer ones.
    fn deliver(mut self, at: usize) -> Option<Self> {
        let Running { sender, kind, reply, .. } = self.running.remove(at);
        let Some(pair) = Pair::parse(&reply?) else { return Some(self) };
        let is_current = match (&kind, &self.held[sender]) {
            (RequestKind::Refresh(token), Some(held)) => *token == held.refresh,
            _ => true,
        };
        if is_current {
            self.held[sender] = Some(pair);
        }
        Some(self)
    }

    pub fn has_broken(&self, property: Broken) -> bool {
        self.observed.broken.contains(&property)
    }

    fn can_send(&self, sender: usize) -> bool {
        let running = self.running.iter().filter(|running| running.sender == sender).count();
        self.left.requests[sender] > 0 && running < self.left.concurrent
    }
}

/// Grants that were not revoked.
pub const LIVE_GRANTS: &str = "SELECT count(*) FROM grants WHERE revoked_at IS NULL";

const ACCESS_TOKENS: &str = "SELECT count(*) FROM access_tokens";

/// Longer than an access token lives, and shorter than a refresh token.
const FOUR_DAYS: i64 = 4 * 86_400;

impl Model for Connection {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.first_state()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for sender in [APP, THIEF] {
            if state.can_send(sender) {
                actions.extend([Action::Redeem(sender), Action::Refresh(sender), Action::Ping(sender)]);
            }
        }
        if state.left.revocations > 0 && state.can_send(APP) {
            actions.push(Action::Revoke);
        }
        if state.left.thefts > 0 {
            actions.push(Action::Steal);
        }
        // No request is on its way for days.
        if state.left.delays > 0 && state.running.iter().all(|running| running.reply.is_some()) {
            actions.push(Action::Wait);
        }
        for (at, running) in state.running.iter().enumerate() {
            if running.reply.is_some() {
                actions.push(Action::Deliver(at));
                actions.extend((state.left.lost > 0).then_some(Action::Lose(at)));
            } else {
                let faults = state.faults(self.engine(), at);
                actions.extend(faults.into_iter().map(|fault| Action::Step(at, fault)));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let (engine, mut state) = (self.engine(), last.clone());
        match action {
            Action::Redeem(sender) | Action::Refresh(sender) | Action::Ping(sender) => {
                state.left.requests[sender] -= 1;
                state.send(engine, sender, &action)
            }
            Action::Revoke => {
                state.left.requests[APP] -= 1;
                state.left.revocations -= 1;
                state.send(engine, APP, &action)
            }
            Action::Step(at, fault) => {
                match fault {
                    Fault::None => {}
                    Fault::After => state.left.lost -= 1,
                    Fault::Before | Fault::Unreachable => state.left.outages -= 1,
                }
                Some(state.step(engine, at, fault))
            }
            Action::Deliver(at) => state.deliver(at),
            Action::Lose(at) => {
                state.left.lost -= 1;
                state.running.remove(at);
                Some(state)
            }
            Action::Steal => {
                state.left.thefts -= 1;
                (state.held[THIEF], state.codes[THIEF]) = (last.held[APP].clone(), last.codes[APP].clone());
                Some(state)
            }
            Action::Wait => {
                state.left.delays -= 1;
                state.now += FOUR_DAYS;
                Some(state)
            }
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}
