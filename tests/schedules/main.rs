//! Exactly once under every schedule: several calls of the same writes, through two connections of one person, interleaved
//! at every step, with restarts between any two of them, a database that fails before or after it commits, and a StatiBeat
//! that loses requests and answers.
//!
//! After each schedule the calls are repeated until they have an answer. Then the page must show each write once: a second
//! one is a *duplicate*; one that a call reported and the page does not show is *lost*; a call that was answered, or that
//! posted, without an audit row is *unaudited*. `SCHEDULES` says how many, `SCHEDULES_SEED` where to begin; a schedule that
//! breaks the rule is made as small as it still breaks it, and printed with its seed.

#![allow(clippy::print_stdout, reason = "the last line is what this test is run for")]

mod plan;
mod play;
mod ports;
mod world;

use plan::Plan;
use world::Totals;

/// Enough to notice a broken step within the ordinary tests.
const DEFAULT_COUNT: u64 = 150;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_write_is_published_once_under_every_schedule() {
    let (count, first) = (number("SCHEDULES", DEFAULT_COUNT), number("SCHEDULES_SEED", 1));
    let mut total = Totals::default();
    for seed in first..first + count {
        let plan = Plan::draw(seed);
        let totals = play::play(&plan);
        if totals.is_broken() && !total.is_broken() {
            let smallest = shrunk(plan);
            let totals = play::play(&smallest);
            println!("seed {} breaks the rule; smallest schedule:\n{smallest:#?}\n{totals:#?}", smallest.seed);
        }
        total.add(&totals);
    }
    println!("{}", total.counts());
    println!("schedules {count}, duplicates {}, lost {}, unaudited {}", total.duplicates, total.lost, total.unaudited);
    assert!(!total.is_broken(), "see the schedule above");
}

/// Leaves out one event, fault or call after the other as long as the rule stays broken.
fn shrunk(mut plan: Plan) -> Plan {
    while let Some(smaller) = plan.smaller().into_iter().find(|smaller| play::play(smaller).is_broken()) {
        plan = smaller;
    }
    plan
}
