//! Explores a model in every order, and prints how much that was.

use crate::connection::{Bounds, Connection};
use crate::weakened::Weakening;
use stateright::{Checker as _, HasDiscoveries, Model, Path, Property};
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

/// Time between two looks at whether an exploration has ended.
const POLLED: Duration = Duration::from_millis(5);
/// Polls between two lines about how far it is: 15 seconds.
const REPORTED_POLLS: u32 = 3_000;

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
    explore(rule, model).into_keys().collect()
}

/// Explores until a property is broken, or every state was seen; the properties that were, each with a story.
pub fn explore<M>(name: &str, model: M) -> HashMap<&'static str, Path<M::State, M::Action>>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs();
    let mut polls = 0_u32;
    while !checker.is_done() {
        std::thread::sleep(POLLED);
        polls += 1;
        if polls.is_multiple_of(REPORTED_POLLS) {
            println!("{name}: {} states so far, depth {}", checker.unique_state_count(), checker.max_depth());
        }
    }
    let checker = checker.join();
    let (states, transitions, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{name}: {states} states, {transitions} transitions, depth {depth}");
    let broken = checker.discoveries();
    for (property, path) in &broken {
        println!("  not so: {property}, after {:?}", path.clone().into_actions());
    }
    broken
}
