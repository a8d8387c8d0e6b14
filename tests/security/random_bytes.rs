//! Every parser that sees outside bytes, fed with random ones for a moment (X3). `fuzz/` feeds the same functions for as
//! long as one likes.

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// Inputs of each kind, for each target.
const CASES: u32 = 150;

/// A change of a good input.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index, usize),
    /// A piece of it, once more somewhere else.
    Repeat(Index, Index, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        prop::sample::select(vec![
            "%", "%00", "&", "=", "+", "\"", "{", "]", ":", "/", "@", "#", "..", "\\", "\u{202e}", "é", " ", "\n"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (any::<Index>(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        (any::<Index>(), 1..30_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<Index>(), any::<Index>(), 1..60_usize).prop_map(|(from, to, length)| Change::Repeat(from, to, length)),
    ];
    prop::collection::vec(change, 0..5)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let length = bytes.len();
        match change {
            Change::Insert(at, piece) => {
                drop(bytes.splice(at.index(length + 1)..at.index(length + 1), piece.iter().copied()));
            }
            _ if bytes.is_empty() => {}
            Change::Replace(at, byte) => bytes[at.index(length)] = *byte,
            Change::Cut(at, cut) => drop(bytes.drain(at.index(length)..(at.index(length) + cut).min(length))),
            Change::Repeat(from, to, count) => {
                let piece = bytes[from.index(length)..(from.index(length) + count).min(length)].to_vec();
                drop(bytes.splice(to.index(length)..to.index(length), piece));
            }
        }
    }
    bytes
}

fn feed(name: &str, target: fn(&[u8]), inputs: impl Strategy<Value = Vec<u8>>) {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&inputs, |bytes| {
        target(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// X3
#[test]
fn no_parser_of_outside_bytes_breaks_on_random_bytes() {
    for target in &targets::TARGETS {
        feed(target.name, target.run, prop::collection::vec(any::<u8>(), 0..200));
    }
}

/// X3
#[test]
fn no_parser_of_outside_bytes_breaks_on_good_input_with_a_few_changes() {
    for target in &targets::TARGETS {
        let seed = prop::sample::select((target.seeds)());
        feed(target.name, target.run, (seed, changes()).prop_map(|(seed, changes)| changed(seed, &changes)));
    }
}

#[test]
fn a_good_input_of_each_target_gets_all_the_way_through() {
    targets::good_inputs_succeed();
}
