//! Writes: one publication under any order of two connections' calls, faults and restarts; none after a stop, none unaudited, and none
//! that a call reports wrongly.

use crate::exploration::{explore, explore_weakened, is_long};
use crate::publication::{BrokenWrite, Publication, WriteBounds, WriteState, is_done};
use crate::weakened::Weakening;
use stateright::Property;

const ONCE: &str = "a write is published at most once";
const COMES_TO_AN_END: &str = "calls repeated in peace report the write, and the page has it once";
const STOPPED: &str = "nothing is published after a confirmed stop";
const AUDITED: &str = "nothing is published without an audit row";
const TOLD: &str = "no call is told something else than what it did";

fn properties() -> Vec<Property<Publication>> {
    vec![
        Property::always(ONCE, |model: &Publication, state: &WriteState| model.engine().published(state.shared) <= 1),
        Property::always(COMES_TO_AN_END, repeated_call_comes_to_an_end),
        Property::always(STOPPED, |_, state: &WriteState| !state.broken.contains(&BrokenWrite::PostedAfterStop)),
        Property::always(AUDITED, |_, state: &WriteState| !state.broken.contains(&BrokenWrite::PostedUnaudited)),
        Property::always(TOLD, |_, state: &WriteState| {
            !state.broken.contains(&BrokenWrite::ReportedInVain)
                && !state.broken.contains(&BrokenWrite::ReportedAsUnpublished)
        }),
    ]
}

/// After every lease is over, calls without faults report the write. A connection that is told that the other one began it leaves that to
/// the other.
fn repeated_call_comes_to_an_end(model: &Publication, state: &WriteState) -> bool {
    if !state.running.is_empty() || state.stopped.is_some() {
        return true;
    }
    let repeat = |through, shared| model.engine().finish(&model.call(through, 60, state.now + 300), shared);
    let (mut shared, mut reply) = repeat(0, state.shared);
    if reply.body.contains("through another connection and may be published") {
        (shared, reply) = repeat(1, shared);
    }
    let is_reported = is_done(&reply) || reply.body.contains("through another connection (id ");
    is_reported && model.engine().published(shared) == 1
}

const NOTHING: WriteBounds = WriteBounds { calls: [0, 0], lost: 0, outages: 0, crashes: 0, delays: 0, stops: 0 };

/// Calls that are repeated through one connection, with lost answers and a restart.
fn repetition(is_long: bool) -> WriteBounds {
    let short = WriteBounds { calls: [2, 0], lost: 1, outages: 0, crashes: 1, delays: 1, ..NOTHING };
    if is_long { WriteBounds { calls: [3, 0], lost: 2, outages: 1, ..short } } else { short }
}

/// The same write through two connections.
fn two_connections(is_long: bool) -> WriteBounds {
    let short = WriteBounds { calls: [1, 1], lost: 1, delays: 1, ..NOTHING };
    if is_long { WriteBounds { calls: [2, 2], lost: 2, outages: 1, crashes: 1, ..short } } else { short }
}

/// A revocation, pause or block beside calls through both connections.
fn stops(is_long: bool) -> WriteBounds {
    let short = WriteBounds { calls: [1, 1], stops: 1, ..NOTHING };
    if is_long { WriteBounds { calls: [2, 1], lost: 2, outages: 1, crashes: 1, delays: 1, ..short } } else { short }
}

fn assert_holds(name: &str, bounds: WriteBounds) {
    let broken = explore(name, Publication { bounds, weakening: None, properties });
    assert!(broken.is_empty(), "{name}: the stories are printed above");
}

#[test]
fn repeated_call_is_published_once_despite_lost_answers() {
    assert_holds("repetition", repetition(is_long()));
}

#[test]
fn write_through_two_connections_is_published_once() {
    assert_holds("two connections", two_connections(is_long()));
}

#[test]
fn nothing_is_published_after_a_revocation_pause_or_block() {
    assert_holds("stops", stops(is_long()));
}

#[test]
fn each_weakened_rule_of_writes_breaks_a_property() {
    let rules = [
        (stops(false), STOPPED, "a revoked grant writes nothing"),
        (stops(false), STOPPED, "a paused connection writes nothing"),
        (stops(false), STOPPED, "a blocked connection writes nothing"),
        (two_connections(false), ONCE, "the same write of another connection is seen"),
        (repetition(false), COMES_TO_AN_END, "a write that is begun keeps its row"),
        (repetition(false), AUDITED, "an attempt is recorded with its lease"),
    ];
    for (bounds, property, rule) in rules {
        let broken = explore_weakened(rule, Publication { bounds, weakening: Some(Weakening::find(rule)), properties });
        let broken: Vec<_> = broken.into_keys().collect();
        assert!(broken.contains(&property), "without \"{rule}\", {broken:?} are broken instead of \"{property}\"");
    }
}
