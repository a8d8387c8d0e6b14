//! Random stories held against a model: which code and token works after every step, also while the database fails.
//!
//! `MODEL_SEQUENCES` sets how many, `MODEL_SEED` repeats a run. A failure shows its seed and the shortest story that fails.

mod authorizations;
mod races;
mod reference;
mod step;
mod story;
mod tokens;

use crate::support::TestApp;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use step::Step;
use story::{Story, Totals};

/// Stories of a plain `cargo test`.
const FEW: u32 = 100;
/// Stories one app lives through; then its simulator has seen enough.
const STORIES_OF_AN_APP: u32 = 50;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[expect(clippy::print_stdout, reason = "how to repeat the run, and how much it did")]
fn say(what: std::fmt::Arguments<'_>) {
    println!("{what}");
}

/// Tells the stories; panics with the shortest that fails.
fn tell(name: &str, stories: impl Strategy<Value = Vec<Step>>) {
    let seed = number("MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one(name));
    let count = number("MODEL_SEQUENCES").map_or(FEW, |count| u32::try_from(count).expect("fewer sequences"));
    say(format_args!("{name}: MODEL_SEED={seed} MODEL_SEQUENCES={count}"));
    let config = Config { cases: count, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &Sha256::digest(seed.to_be_bytes()));
    let totals = Totals::default();
    let app = RefCell::new((TestApp::new(), 0));
    let outcome = TestRunner::new_with_rng(config, rng).run(&stories, |steps| {
        let mut app = app.borrow_mut();
        app.1 += 1;
        if app.1 == STORIES_OF_AN_APP {
            *app = (TestApp::new(), 0);
        }
        Story::new(&app.0, &totals).run(&steps).map_err(TestCaseError::fail)
    });
    say(format_args!(
        "{name}: {} steps, {} faults, {} late writes, {} tokens, {} checks",
        totals.steps.get(),
        totals.faults.get(),
        totals.late.get(),
        totals.minted.get(),
        totals.checks.get()
    ));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, steps)) => {
            let story: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
            panic!(
                "{name}, MODEL_SEED={seed}: {reason}\nafter a connection of user 0 to client 0:\n{}",
                story.join("\n")
            );
        }
        Err(TestError::Abort(reason)) => panic!("{name}: {reason}"),
    }
}

/// X4
#[test]
fn every_token_works_exactly_when_the_model_says_so() {
    tell("a working database", step::steps());
}

/// X5, K15, R16
#[test]
fn a_failing_database_neither_revives_a_token_nor_costs_a_client_its_credentials() {
    tell("a failing database", step::faulty_steps());
}
