//! Explores a model in every order, and prints how much that was.

use crate::connection::{Bounds, Connection};
use crate::weakened::Weakening;
use stateright::{Checker, HasDiscoveries, Model, Path, Property};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Time between two looks at whether an exploration has ended.
const POLLED: Duration = Duration::from_millis(5);
/// Polls between two lines about how far it is: 15 seconds.
const REPORTED_POLLS: u32 = 3_000;

/// States after which an exploration is stopped and fails: one without an end proves nothing.
const MOST_STATES: usize = 60_000_000;

/// `npm run model` sets it: the bounds of the tests that take their time.
pub fn is_long() -> bool {
    std::env::var("EXHAUSTIVE").is_ok_and(|text| text == "long")
}

/// A story in which nothing happens.
pub const NOTHING: Bounds =
    Bounds { requests: [0, 0], concurrent: 2, lost: 0, outages: 0, thefts: 0, revocations: 0, delays: 0 };

/// Explores every state within the bounds, and fails where one breaks a property.
pub fn assert_holds(
    name: &str,
    bounds: Bounds,
    begins_with_tokens: bool,
    properties: fn() -> Vec<Property<Connection>>,
) {
    let model = Connection { bounds, weakening: None, begins_with_tokens, properties };
    let broken = explore(name, model);
    assert!(broken.is_empty(), "{name}: the stories are printed above");
}

/// Explores until a property is broken, which a weakened rule must lead to; the properties that were.
pub fn find_broken(
    rule: &'static str,
    bounds: Bounds,
    begins_with_tokens: bool,
    properties: fn() -> Vec<Property<Connection>>,
) -> Vec<&'static str> {
    let model = Connection { bounds, weakening: Some(Weakening::find(rule)), begins_with_tokens, properties };
    explore_weakened(rule, model).into_keys().collect()
}

/// Explores every state, depth first: the states that wait are few then. The properties that were broken, each with a story.
pub fn explore<M>(name: &str, model: M) -> Stories<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    follow::<M>(name, model.checker().finish_when(ANY_FAILURE).target_state_count(MOST_STATES).spawn_dfs())
}

/// Explores breadth first until a property is broken, so that the story is short.
pub fn explore_weakened<M>(rule: &str, model: M) -> Stories<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    follow::<M>(rule, model.checker().finish_when(ANY_FAILURE).target_state_count(MOST_STATES).spawn_bfs())
}

type Stories<M> = HashMap<&'static str, Path<<M as Model>::State, <M as Model>::Action>>;

const ANY_FAILURE: HasDiscoveries = HasDiscoveries::AnyFailures;

/// Waits for the end of an exploration, and prints what it has seen. Fails if it was stopped before.
#[expect(clippy::disallowed_methods, reason = "the time that an exploration takes is printed")]
fn follow<M>(name: &str, checker: impl Checker<M>) -> Stories<M>
where
    M: Model,
    M::State: Clone + Debug + Hash + PartialEq,
    M::Action: Clone + Debug + PartialEq,
{
    let begun = Instant::now();
    let mut polls = 0_u32;
    while !checker.is_done() {
        std::thread::sleep(POLLED);
        polls += 1;
        if polls.is_multiple_of(REPORTED_POLLS) {
            println!("{name}: {} unique states so far, depth {}", checker.unique_state_count(), checker.max_depth());
        }
    }
    let checker = checker.join();
    let (states, unique, depth) = (checker.state_count(), checker.unique_state_count(), checker.max_depth());
    let broken = checker.discoveries();
    let is_stopped = states >= MOST_STATES && broken.is_empty();
    let end = if is_stopped { "NOT WHOLE" } else { "whole" };
    let end = broken.keys().next().map_or(end, |_| "ended by a broken property");
    let seconds = begun.elapsed().as_secs_f64();
    println!("{name}: {states} states, {unique} unique, depth {depth}, {seconds:.1} s, {end}");
    for (property, path) in &broken {
        println!("  not so: {property}, after {:?}", path.clone().into_actions());
    }
    assert!(!is_stopped, "{name} was stopped before it had seen every state");
    broken
}
