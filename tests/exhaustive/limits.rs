//! Limits of access: a call never exceeds grant, role and blocks at the moment it is checked, no event widens a grant, and an approval
//! with the boxes as proposed keeps what a narrowing took.

use crate::decisions::{AnsweredConsent, NARROWINGS};
use crate::engine::{Engine, SentRequest};
use crate::exploration::{explore, explore_weakened, is_long};
use crate::ports::Shared;
use crate::publication::Stop;
use crate::support::START;
use crate::weakened::Weakening;
use stateright::{Model, Property};
use std::cell::RefCell;

const CALLS: &str = "a call succeeds exactly where grant, role and blocks allow it";
const NEVER_WIDER: &str = "nothing widens a grant";
const PROPOSAL: &str = "an approval as proposed stays within the narrowed grant";
const TWO_DAYS: i64 = 2 * 86_400;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct LimitedState {
    now: i64,
    shared: Shared,
    /// One access token of each grant, in the order of the approvals, with its scopes as bits and the time of its approval.
    tokens: Vec<(String, i64, i64)>,
    is_widened: bool,
    is_proposal_wider: bool,
    left: LimitBounds,
}

/// The bounds of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LimitBounds {
    narrowings: u8,
    approvals: u8,
    roles: u8,
    blocks: u8,
    delays: u8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LimitAction {
    Narrow { grant: usize, limits: usize },
    Approve(AnsweredConsent),
    SetRole(&'static str),
    Block,
    Wait,
}

struct Limits {
    bounds: LimitBounds,
    weakening: Option<Weakening>,
}

/// The limits of a grant: bits of scopes and pages, and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StoredLimits {
    bits: i64,
    scopes: i64,
    expires_at: i64,
    is_live: bool,
}

thread_local! {
    static ENGINE: RefCell<Option<(Option<Weakening>, &'static Engine)>> = const { RefCell::new(None) };
}

const READS_INCIDENTS: i64 = 2;
const HOUR: i64 = 3_600;

/// Bits of the scopes, and of the pages 42, 43 and any other.
const BITS: &str = "SELECT (instr(scope, 'mcp.pages.read') > 0) + 2 * (instr(scope, 'mcp.incidents.read') > 0) \
     + 4 * (instr(scope, 'mcp.incidents.write') > 0) + 8 * (pages IS NULL OR instr(pages, '42') > 0) \
     + 16 * (pages IS NULL OR instr(pages, '43') > 0) + 32 * (pages IS NULL) FROM grants ORDER BY rowid LIMIT 1 OFFSET ";
const END: &str = "SELECT coalesce(expires_at, 9223372036854775807) FROM grants ORDER BY rowid LIMIT 1 OFFSET ";
const IS_LIVE: &str = "SELECT revoked_at IS NULL FROM grants ORDER BY rowid LIMIT 1 OFFSET ";

impl StoredLimits {
    fn read(engine: &Engine, shared: Shared, grant: usize) -> Self {
        let number = |sql: &str| engine.count(shared.content, &format!("{sql}{grant}"));
        let bits = number(BITS);
        Self { bits, scopes: bits & 7, expires_at: number(END), is_live: number(IS_LIVE) == 1 }
    }

    fn covers(self, other: Self) -> bool {
        other.bits & !self.bits == 0 && other.expires_at <= self.expires_at
    }
}

impl Limits {
    fn engine(&self) -> &'static Engine {
        ENGINE.with_borrow_mut(|engine| match engine {
            Some((weakening, engine)) if *weakening == self.weakening => *engine,
            _ => {
                let new: &'static Engine = Box::leak(Box::new(Engine::new(self.weakening, false)));
                *engine = Some((self.weakening, new));
                new
            }
        })
    }

    fn approve(&self, mut state: LimitedState, consent: AnsweredConsent) -> LimitedState {
        let engine = self.engine();
        let earlier = (0..state.tokens.len()).map(|grant| StoredLimits::read(engine, state.shared, grant));
        let earlier = earlier.filter(|limits| limits.is_live && limits.expires_at > state.now).last();
        let number = state.tokens.len();
        let place = u64::try_from(number).expect("few approvals");
        let (shared, access) = engine.approve(state.shared, consent, place, state.now);
        let new = StoredLimits::read(engine, shared, number);
        let is_wider = earlier.is_some_and(|earlier| !earlier.covers(new));
        state.is_proposal_wider |= consent == AnsweredConsent::AsProposed && is_wider;
        state.shared = shared;
        state.tokens.push((access, new.scopes, state.now));
        state
    }
}

/// Reads of the active incidents of a page succeed exactly where everything allows them.
fn calls_keep_within_the_limits(model: &Limits, state: &LimitedState) -> bool {
    let engine = model.engine();
    let is_blocked = engine.count(state.shared.content, "SELECT count(*) FROM page_blocks WHERE page_id = 42") > 0;
    state.tokens.iter().enumerate().all(|(grant, (token, token_scopes, issued_at))| {
        let limits = StoredLimits::read(engine, state.shared, grant);
        [(42, 8), (43, 16)].into_iter().all(|(page, bit)| {
            let is_granted = limits.is_live
                && state.now < limits.expires_at.min(issued_at + HOUR)
                && limits.scopes & token_scopes & READS_INCIDENTS != 0
                && limits.bits & bit != 0;
            let is_expected = is_granted && (page != 42 || !is_blocked && !state.shared.role.is_empty());
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{{"uri":"statibeat://pages/{page}/incidents/active"}}}}"#
            );
            let sent = SentRequest { path: "/mcp", bearer: Some(token.clone()), body, number: 0, sent_at: state.now };
            let (_, reply) = engine.finish(&sent, state.shared);
            reply.json()["result"]["contents"].is_array() == is_expected
        })
    })
}

impl Model for Limits {
    type State = LimitedState;
    type Action = LimitAction;

    fn init_states(&self) -> Vec<LimitedState> {
        let shared = Shared::first();
        let (tokens, left) = (Vec::new(), self.bounds);
        let state = LimitedState { now: START, shared, tokens, is_widened: false, is_proposal_wider: false, left };
        vec![self.approve(state, AnsweredConsent::Wide)]
    }

    fn actions(&self, state: &LimitedState, actions: &mut Vec<LimitAction>) {
        let LimitBounds { narrowings, approvals, roles, blocks, delays } = state.left;
        if narrowings > 0 {
            let each =
                (0..state.tokens.len()).flat_map(|grant| (0..NARROWINGS.len()).map(move |limits| (grant, limits)));
            actions.extend(each.map(|(grant, limits)| LimitAction::Narrow { grant, limits }));
        }
        if approvals > 0 {
            use AnsweredConsent::{AsProposed, NarrowReplacing, Wide};
            actions.extend([AsProposed, Wide, NarrowReplacing].map(LimitAction::Approve));
        }
        if roles > 0 {
            actions.extend(["", "page_viewer", "page_admin"].map(LimitAction::SetRole));
        }
        actions.extend((blocks > 0).then_some(LimitAction::Block));
        actions.extend((delays > 0).then_some(LimitAction::Wait));
    }

    fn next_state(&self, last: &LimitedState, action: LimitAction) -> Option<LimitedState> {
        let (engine, mut state) = (self.engine(), last.clone());
        match action {
            LimitAction::Narrow { grant, limits } => {
                state.left.narrowings -= 1;
                state.shared = engine.narrow(state.shared, grant, limits, state.now);
            }
            LimitAction::Approve(consent) => {
                state.left.approvals -= 1;
                state = self.approve(state, consent);
            }
            LimitAction::SetRole(role) => {
                state.left.roles -= 1;
                state.shared.role = role;
            }
            LimitAction::Block => {
                state.left.blocks -= 1;
                state.shared = engine.stop(state.shared, Stop::Block, state.now);
            }
            LimitAction::Wait => {
                state.left.delays -= 1;
                state.now += TWO_DAYS;
            }
        }
        let limits = |shared, grant| StoredLimits::read(engine, shared, grant);
        state.is_widened |=
            (0..last.tokens.len()).any(|grant| !limits(last.shared, grant).covers(limits(state.shared, grant)));
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(CALLS, calls_keep_within_the_limits),
            Property::always(NEVER_WIDER, |_, state: &LimitedState| !state.is_widened),
            Property::always(PROPOSAL, |_, state: &LimitedState| !state.is_proposal_wider),
        ]
    }
}

fn bounds() -> LimitBounds {
    let short = LimitBounds { narrowings: 1, approvals: 1, roles: 1, blocks: 1, delays: 0 };
    if is_long() { LimitBounds { narrowings: 2, approvals: 2, delays: 1, ..short } } else { short }
}

#[test]
fn access_keeps_within_grant_role_and_blocks_and_nothing_widens_it() {
    let narrowed_twice = LimitBounds { narrowings: 2, roles: 0, blocks: 0, ..bounds() };
    for bounds in [bounds(), narrowed_twice] {
        let broken = explore("limits", Limits { bounds, weakening: None });
        assert!(broken.is_empty(), "the stories are printed above");
    }
}

#[test]
fn each_weakened_rule_of_limits_breaks_a_property() {
    let none = LimitBounds { narrowings: 0, approvals: 0, roles: 0, blocks: 0, delays: 0 };
    let twice = LimitBounds { narrowings: 2, delays: 1, ..none };
    let blocked = LimitBounds { blocks: 1, ..none };
    let narrowed = LimitBounds { narrowings: 1, ..none };
    let rules = [
        (blocked, CALLS, "a block is read with the token"),
        (narrowed, CALLS, "the grant's pages count"),
        (twice, NEVER_WIDER, "pages are intersected"),
        (twice, NEVER_WIDER, "scopes are intersected"),
        (twice, NEVER_WIDER, "the earlier end counts"),
        (LimitBounds { approvals: 1, ..narrowed }, PROPOSAL, "a narrowing is remembered"),
    ];
    for (bounds, property, rule) in rules {
        let broken = explore_weakened(rule, Limits { bounds, weakening: Some(Weakening::find(rule)) });
        assert!(broken.contains_key(property), "without \"{rule}\", {:?} instead of \"{property}\"", broken.keys());
    }
}
