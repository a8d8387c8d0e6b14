//! The states of one connection and those who use it: a client, a thief who copies what the client holds, and the requests that are on
//! their way.

use crate::engine::{Engine, History, Moved, Reply};
use crate::observations::{Broken, Observations, Pair, Secret};
use crate::ports::{Fault, Published, Shared};
use crate::requests::{RequestKind, Running, TokenReply};
use crate::support::START;
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
pub struct State {
    pub now: i64,
    pub shared: Shared,
    pub running: Vec<Running>,
    pub replies: Vec<TokenReply>,
    pub observed: Observations,
    /// The tokens that each sender holds.
    pub held: [Option<Pair>; 2],
    /// The code that each sender holds.
    pub codes: [Option<Secret>; 2],
    /// The copy or arrival that was the last action: see [`Taken`].
    pub taken: Option<Taken>,
    pub left: Bounds,
}

/// Something that makes a difference only to what its sender sends next, so that nothing else needs to come in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// A reply arrived at this sender, or was lost on the way there.
    Reply(usize),
    /// The thief copied what the client held. The next copy would be another one once a reply arrives at the client.
    Copy,
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
            replies: Vec::new(),
            observed: Observations::default(),
            held: [None, None],
            codes: [Some(Secret::new(&code)), None],
            taken: None,
            left: self.bounds,
        };
        if self.begins_with_tokens {
            let (_, sent) = state.request(&Action::Redeem(APP)).expect("a code");
            let (shared, reply) = engine.finish(&sent, shared);
            state.shared = shared;
            state.held[APP] = Some(Pair::parse(&reply, sent.number).unwrap_or_else(|| panic!("{reply:?}")));
            state.codes = [None, None];
        }
        state.canonical(engine)
    }
}

impl State {
    /// Sends a request; it has reached the connector when its first use of a port is made.
    fn send(mut self, engine: &Engine, sender: usize, action: &Action) -> Option<Self> {
        let (kind, sent) = self.request(action)?;
        let is_reuse = matches!(&kind, RequestKind::Refresh(token) if self.observed.is_superseded(*token));
        let is_after_revocation = self.observed.is_revocation_confirmed;
        let (history, number) = (History::empty(), sent.number);
        self.observed.is_disturbed |= sender == THIEF || matches!(kind, RequestKind::Redeem | RequestKind::Revoke(_));
        let sent = sent.numbered();
        let running = Running { sender, kind, history, is_hit: false, is_reuse, is_after_revocation, number, sent };
        self.running.push(running);
        let at = self.running.len() - 1;
        Some(self.step(engine, at, Fault::None))
    }

    fn step(mut self, engine: &Engine, at: usize, fault: Fault) -> Self {
        let running = &mut self.running[at];
        let Moved { shared, history, reply, .. } = engine.step(running.sent, running.history, self.shared, fault);
        running.history = history;
        running.is_hit |= fault != Fault::None;
        let tokens = |shared: Shared| engine.count(shared.content, ACCESS_TOKENS);
        if tokens(shared) > tokens(self.shared) {
            self.observed.note_stored_tokens(&running.kind);
        }
        self.shared = shared;
        if engine.count(shared.content, LIVING) > 1 {
            self.observed.broken.insert(Broken::TwoTokensLived);
        }
        if let Some(reply) = reply {
            self.note_reply(engine, at, &reply);
            // Whether any other answer arrives makes no difference to anybody.
            let Running { sender, kind, number, .. } = self.running.remove(at);
            let answered = if let RequestKind::Refresh(token) = kind { Some(token) } else { None };
            self.replies.extend(Pair::parse(&reply, number).map(|pair| TokenReply { sender, answered, pair }));
        }
        self
    }

    /// The faults that make a difference to the next step of a request.
    fn faults(&self, engine: &Engine, at: usize) -> Vec<Fault> {
        let Running { sent, history, .. } = self.running[at];
        let good = engine.step(sent, history, self.shared, Fault::None);
        let mut faults = vec![Fault::None];
        if self.left.lost > 0 && good.shared != self.shared {
            faults.push(Fault::After);
        }
        if self.left.outages > 0 {
            faults.push(Fault::Before);
            faults.extend(good.has_asked.then_some(Fault::Unreachable));
        }
        faults
    }

    /// Holds a reply against the properties that are about one request.
    fn note_reply(&mut self, engine: &Engine, at: usize, reply: &Reply) {
        let Running { kind, number, is_hit, is_reuse, is_after_revocation, .. } = self.running[at];
        let is_good = reply.status == 200;
        let must_have_ended = !is_good && !is_hit && engine.count(self.shared.content, LIVE_GRANTS) > 0;
        let observed = &mut self.observed;
        if is_good && is_after_revocation && !matches!(kind, RequestKind::Revoke(_)) {
            observed.broken.insert(Broken::WorkedAfterRevocation);
        }
        match kind {
            // No request is on its way while time passes.
            RequestKind::Redeem if is_good => observed.redeemed_at = observed.redeemed_at.or(Some(self.now)),
            RequestKind::Redeem
                if must_have_ended && observed.redeemed_at.is_some_and(|at| self.now >= at + FOUR_DAYS) =>
            {
                observed.broken.insert(Broken::ReplayKeptTheGrant);
            }
            RequestKind::Refresh(_) if is_reuse && must_have_ended => {
                observed.broken.insert(Broken::ReuseKeptTheGrant);
            }
            RequestKind::Refresh(token) => {
                if let Some(pair) = Pair::parse(reply, number) {
                    observed.successors.insert(token, pair.refresh);
                    observed.used.insert(token);
                }
            }
            RequestKind::Ping(pair) if is_good && !is_hit => {
                observed.used.insert(pair.refresh);
            }
            RequestKind::Revoke(_) if is_good => observed.is_revocation_confirmed = true,
            RequestKind::Redeem | RequestKind::Ping(_) | RequestKind::Revoke(_) => {}
        }
    }

    /// A sender keeps the tokens that an answer brings, unless it has newer ones.
    fn deliver(mut self, at: usize) -> Self {
        let reply = self.replies.remove(at);
        if self.is_wanted(&reply) {
            self.held[reply.sender] = Some(reply.pair);
        }
        self
    }

    /// True if who asked for these tokens has no newer ones.
    pub fn is_wanted(&self, reply: &TokenReply) -> bool {
        match (reply.answered, self.held[reply.sender]) {
            (Some(token), Some(held)) => token == held.refresh,
            _ => true,
        }
    }

    pub fn has_broken(&self, property: Broken) -> bool {
        self.observed.broken.contains(&property)
    }

    fn can_send(&self, sender: usize) -> bool {
        let running = self.running.iter().filter(|running| running.sender == sender).count();
        let replies = self.replies.iter().filter(|reply| reply.sender == sender).count();
        self.left.requests[sender] > 0 && running + replies < self.left.concurrent
    }
}

/// Grants that were not revoked.
pub const LIVE_GRANTS: &str = "SELECT count(*) FROM grants WHERE revoked_at IS NULL";

const LIVING: &str = "SELECT coalesce(max(living), 0) FROM (SELECT count(*) AS living FROM refresh_tokens r \
                      JOIN grants g ON g.id = r.grant_id WHERE r.rotated_at IS NULL AND g.revoked_at IS NULL GROUP BY grant_id)";

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
        let is_next = |sender: usize| match state.taken {
            None => true,
            Some(Taken::Reply(to)) => to == sender,
            Some(Taken::Copy) => sender == THIEF,
        };
        for sender in [APP, THIEF] {
            if is_next(sender) && state.can_send(sender) {
                actions.extend([Action::Redeem(sender), Action::Refresh(sender), Action::Ping(sender)]);
            }
        }
        if is_next(APP) && state.left.revocations > 0 && state.can_send(APP) {
            actions.push(Action::Revoke);
        }
        if is_next(APP) && state.left.thefts > 0 {
            actions.push(Action::Steal);
        }
        for (at, reply) in state.replies.iter().enumerate() {
            if is_next(reply.sender) || state.taken == Some(Taken::Copy) {
                actions.push(Action::Deliver(at));
                actions.extend((state.left.lost > 0).then_some(Action::Lose(at)));
            }
        }
        if state.taken.is_some() {
            return;
        }
        // No request is on its way for days.
        if state.left.delays > 0 && state.running.is_empty() {
            actions.push(Action::Wait);
        }
        for (at, running) in state.running.iter().enumerate() {
            if at == 0 || !running.is_like(&state.running[at - 1]) {
                let faults = state.faults(self.engine(), at);
                actions.extend(faults.into_iter().map(|fault| Action::Step(at, fault)));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let (engine, mut state) = (self.engine(), last.clone());
        state.taken = match action {
            Action::Deliver(at) | Action::Lose(at) => Some(Taken::Reply(last.replies[at].sender)),
            Action::Steal => Some(Taken::Copy),
            _ => None,
        };
        let next = match action {
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
            Action::Deliver(at) => Some(state.deliver(at)),
            Action::Lose(at) => {
                state.left.lost -= 1;
                state.replies.remove(at);
                Some(state)
            }
            Action::Steal => {
                state.left.thefts -= 1;
                (state.held[THIEF], state.codes[THIEF]) = (last.held[APP], last.codes[APP]);
                Some(state)
            }
            Action::Wait => {
                state.left.delays -= 1;
                state.now += FOUR_DAYS;
                Some(state)
            }
        };
        next.map(|state| state.canonical(engine))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}
