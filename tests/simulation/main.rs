//! The whole worker, simulated: one seed decides who does what, in which order every use of a port happens, and what goes wrong.
//!
//! `web::handle` runs with the real SQL on SQLite and the simulator as StatiBeat. Several instances share them, each with a memory of
//! its own that a crash or an eviction ends. Clients that follow the rules read, refresh and publish; somebody copies what they hold;
//! people pause, block, narrow and revoke, sometimes while a request decides; the operator purges; StatiBeat takes roles and accounts away. Whatever happens is held against the
//! promises in `observations`, `tokens` and `writes`, and at the end everybody tries to come to an end in peace.
//!
//! `SIMULATION_SEEDS` says how many stories, `SIMULATION_SEED` where to begin. A seed that breaks a promise is printed with the command
//! that plays it again and shows each step.

#![allow(clippy::print_stdout, reason = "the counts and the story of a failing seed are what this test is run for")]
#![allow(clippy::format_push_string, reason = "as in the other tests with this support")]

mod authorizations;
mod base;
mod clients;
mod interruptions;
mod narrowing;
mod observations;
mod people;
mod ports;
mod random;
mod refresh_limits;
mod report;
mod requests;
mod runs;
mod scheduler;
mod story;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "the other requests of the tests need the rest of it")]
mod support;
mod tokens;
#[path = "../exhaustive/weakened.rs"]
mod weakened;
mod weather;
mod world;
mod writes;

use base::Base;
use std::rc::Rc;
use weakened::{RULES, Weakening};

/// Enough to notice a broken rule within the ordinary tests.
const DEFAULT_SEEDS: u64 = 150;

/// Weakened rules of the ordinary tests, and the seeds within which they are found.
const SOME_WEAKENED: [&str; 5] = [
    "an unused answer is given again",
    "a write that is begun keeps its row",
    "an attempt is recorded with its lease",
    "a paused connection writes nothing",
    "a block is read with the token",
];
const SEEDS_OF_WEAKENED: u64 = 100;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

/// X4, X5, K15, R16
#[test]
fn no_seed_breaks_a_promise() {
    let count = number("SIMULATION_SEEDS").unwrap_or(DEFAULT_SEEDS);
    let first = number("SIMULATION_SEED").unwrap_or(1);
    let (totals, failure) = runs::play_all(first, count);
    println!("{totals}");
    // One seed is played alone by whoever wants to read its story.
    let shown = failure.as_ref().map(|(seed, _)| *seed).or((count == 1).then_some(first));
    if let Some(seed) = shown {
        let (_, _, trace) = runs::play(&Rc::new(Base::new(None)), seed, true);
        println!("{}", trace.join("\n"));
    }
    if let Some((seed, broken)) = failure {
        panic!("seed {seed}: {broken}\nagain: npm run simulate -- --seeds 1 --seed {seed}");
    }
}

#[test]
fn weakened_rules_are_found() {
    let (seeds, rules) = match number("SIMULATION_SEEDS") {
        Some(seeds) => (seeds, RULES.to_vec()),
        None => (SEEDS_OF_WEAKENED, SOME_WEAKENED.map(Weakening::find).to_vec()),
    };
    let missed = runs::find_all_broken(&rules, seeds);
    println!("{} of {} weakened rules found within {seeds} seeds", rules.len() - missed.len(), rules.len());
    assert!(missed.is_empty(), "not found: {missed:?}");
}
