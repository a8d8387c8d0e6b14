//! Codes, refreshes and revocations: an honest client keeps its connection whatever answers are lost, a copied token ends it, and nothing
//! works after a revocation. Each rule that this stands on is weakened once, and a story then breaks a property.

use crate::connection::{APP, Action, Bounds, Connection, State};
use crate::exploration::{NOTHING, assert_holds, find_broken, is_long};
use crate::observations::{Broken, Pair};
use stateright::Property;

const KEEPS: &str = "a client that loses answers keeps its connection";
const ONE_LIVES: &str = "at most one refresh token of a family lives";
const REUSE_GETS_NOTHING: &str = "a token whose answer was used gets no tokens";
const REUSE_ENDS: &str = "a token whose answer was used ends the grant";
const REVOCATION_HOLDS: &str = "nothing works after a confirmed revocation";
const CODE_ONCE: &str = "a code gives tokens at most once";
const REPLAY_ENDS: &str = "a code used again later ends the grant";

fn properties() -> Vec<Property<Connection>> {
    vec![
        Property::always(KEEPS, client_keeps_its_connection),
        Property::always(ONE_LIVES, |_, state: &State| !state.has_broken(Broken::TwoTokensLived)),
        Property::always(REUSE_GETS_NOTHING, |_, state: &State| !state.has_broken(Broken::ReuseWasAnswered)),
        Property::always(REUSE_ENDS, |_, state: &State| !state.has_broken(Broken::ReuseKeptTheGrant)),
        Property::always(REVOCATION_HOLDS, |_, state: &State| !state.has_broken(Broken::WorkedAfterRevocation)),
        Property::always(CODE_ONCE, |_, state: &State| !state.has_broken(Broken::CodeGaveTokensTwice)),
        Property::always(REPLAY_ENDS, |_, state: &State| !state.has_broken(Broken::ReplayKeptTheGrant)),
    ]
}

/// A client that has lost nothing but answers can refresh, and its new access token works.
fn client_keeps_its_connection(model: &Connection, state: &State) -> bool {
    if state.observed.is_disturbed || !state.running.is_empty() || !state.replies.is_empty() {
        return true;
    }
    let engine = model.engine();
    let Some((_, mut sent)) = state.request(&Action::Refresh(APP)) else { return true };
    // The same for all states that differ only in how they came about.
    sent.number = u8::MAX;
    let (shared, reply) = engine.finish(&sent, state.shared);
    let Some(pair) = Pair::parse(&reply, sent.number) else { return false };
    let mut next = state.clone();
    next.shared = shared;
    next.held[APP] = Some(pair);
    let (_, call) = next.request(&Action::Ping(APP)).expect("tokens");
    engine.finish(&call, shared).1.status == 200
}

/// A client alone, with lost answers, an outage and delays.
fn lost_answers(is_long: bool) -> Bounds {
    let short = Bounds { requests: [3, 0], lost: 2, outages: 1, ..NOTHING };
    if is_long { Bounds { requests: [4, 0], delays: 1, ..short } } else { short }
}

/// A client whose tokens are copied once.
fn theft(is_long: bool) -> Bounds {
    let short = Bounds { requests: [3, 2], concurrent: 1, thefts: 1, ..NOTHING };
    if is_long { Bounds { requests: [3, 3], lost: 2, outages: 1, ..short } } else { short }
}

/// A client that revokes, and a thief.
fn revocation(is_long: bool) -> Bounds {
    let short = Bounds { requests: [3, 1], concurrent: 2, thefts: 1, revocations: 1, ..NOTHING };
    if is_long { Bounds { requests: [3, 2], lost: 2, outages: 1, ..short } } else { short }
}

/// A client and a thief with one code.
fn code(is_long: bool) -> Bounds {
    let short = Bounds { requests: [2, 1], lost: 1, thefts: 1, delays: 1, ..NOTHING };
    if is_long { Bounds { requests: [3, 2], lost: 2, outages: 1, ..short } } else { short }
}

#[test]
fn client_that_loses_answers_keeps_its_connection() {
    assert_holds("lost answers", lost_answers(is_long()), true, properties);
}

#[test]
fn copied_refresh_token_ends_the_connection_once_both_have_used_what_they_got() {
    assert_holds("theft", theft(is_long()), true, properties);
}

#[test]
fn nothing_works_after_a_confirmed_revocation() {
    assert_holds("revocation", revocation(is_long()), true, properties);
}

#[test]
fn code_gives_tokens_at_most_once() {
    assert_holds("code", code(is_long()), false, properties);
}

#[test]
fn each_weakened_rule_of_refreshes_breaks_a_property() {
    let rules = [
        (lost_answers(false), KEEPS, "an unused answer is given again"),
        (theft(false), REUSE_ENDS, "a used access token is evidence"),
        (theft(false), REUSE_ENDS, "a rotated successor is evidence"),
        (theft(false), REUSE_GETS_NOTHING, "first use is recorded"),
        (theft(false), REUSE_GETS_NOTHING, "an answer used meanwhile is not repeated"),
        (theft(false), REUSE_ENDS, "reuse revokes the grant"),
        (lost_answers(false), ONE_LIVES, "a rotated token is marked"),
        (revocation(false), REVOCATION_HOLDS, "a revoked grant is seen"),
        (revocation(false), REVOCATION_HOLDS, "a rotation needs a live grant"),
        (revocation(false), REVOCATION_HOLDS, "a repeat needs a live grant"),
    ];
    for (bounds, property, rule) in rules {
        assert_broken(property, rule, bounds, true);
    }
}

#[test]
fn each_weakened_rule_of_codes_breaks_a_property() {
    for (property, rule) in [(REPLAY_ENDS, "a redeemed code is seen"), (CODE_ONCE, "a code is redeemed once")] {
        assert_broken(property, rule, code(false), false);
    }
}

fn assert_broken(property: &str, rule: &'static str, bounds: Bounds, begins_with_tokens: bool) {
    let broken = find_broken(rule, bounds, begins_with_tokens, properties);
    assert!(broken.contains(&property), "without \"{rule}\", {broken:?} are broken instead of \"{property}\"");
}
