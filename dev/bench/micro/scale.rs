//! Simulates the database at scale, for `docs/scale.md`: calls that arrive at random queue in front of databases that each do one
//! thing at a time. It knows no clock and draws from a fixed seed, so it prints the same table each time.
//!
//! `cargo run --release -p statibeat-bench-micro --example scale`

use std::collections::HashMap;

/// Connections, and calls a second, of the scaled service.
const CONNECTIONS: u32 = 1_000_000;
const CALLS: f64 = 10_000.0;
/// Mean milliseconds of a batch that only reads, and of one that writes.
const READ: f64 = 1.2;
const WRITTEN: f64 = 4.0;
/// The same in an object that has its database in its own process.
const READ_IN_OBJECT: f64 = 0.2;
const WRITTEN_IN_OBJECT: f64 = 1.0;
/// Milliseconds until an evicted object answers, and the idle seconds after which it is evicted.
const WAKE: f64 = 10.0;
const EVICTED_AFTER: f64 = 10.0;
/// Share of calls that publish something: one read batch and three that write. The others are one read batch.
const WRITES: f64 = 0.01;
/// Every active connection refreshes once an hour: one read batch, one that writes.
const REFRESHES_PER_CONNECTION: f64 = 1.0 / 3600.0;
/// Instances of the worker per 10,000 calls a second, and the seconds for which each gathers usage for one batch.
const INSTANCES: f64 = 200.0;
const GATHERED: f64 = 2.0;
/// Seconds of the simulated time.
const LENGTH: f64 = 30.0;

/// A generator with a fixed sequence, `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>).
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Evenly distributed between 0 and 1.
    fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.draw() >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }

    /// Exponentially distributed around a mean.
    fn around(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).max(f64::MIN_POSITIVE).ln()
    }

    /// A connection: half of the calls come from one in a hundred.
    fn connection(&mut self) -> u64 {
        let hot = u64::from(CONNECTIONS / 100);
        if self.share() < 0.5 { self.draw() % hot } else { hot + self.draw() % (u64::from(CONNECTIONS) - hot) }
    }
}

/// Databases that each do one batch at a time, in the order of arrival.
#[derive(Default)]
struct Databases {
    /// The second from which each is free.
    free: HashMap<u64, f64>,
    /// Milliseconds from arrival to answer.
    answered: Vec<f64>,
    busy: f64,
}

impl Databases {
    /// Returns the second at which the batch is done.
    fn run(&mut self, database: u64, at: f64, milliseconds: f64) -> f64 {
        let free = self.free.entry(database).or_default();
        let done = at.max(*free) + milliseconds / 1000.0;
        *free = done;
        self.busy += milliseconds / 1000.0;
        self.answered.push((done - at) * 1000.0);
        done
    }

    fn percentile(&mut self, percent: usize) -> f64 {
        self.answered.sort_by(f64::total_cmp);
        let place = self.answered.len() * percent / 100;
        self.answered.get(place.min(self.answered.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// The batches of one event: how many of them write.
fn batches(random: &mut Random, calls: f64, connections: f64, usage: f64) -> &'static [bool] {
    let refreshes = connections * REFRESHES_PER_CONNECTION;
    let drawn = random.share() * (calls + refreshes + usage);
    match drawn {
        drawn if drawn < calls * (1.0 - WRITES) => &[false],
        drawn if drawn < calls => &[false, true, true, true],
        drawn if drawn < calls + refreshes => &[false, true],
        _ => &[true],
    }
}

/// Milliseconds for half and for 99 of 100 batches, and the load of a database.
struct Outcome {
    median: f64,
    p99: f64,
    load: f64,
}

/// Calls a second over a number of databases. Each instance writes its usage to each of them.
fn shards(calls: f64, shards: u32) -> Outcome {
    let (mut random, mut databases, mut now) = (Random(7), Databases::default(), 0.0);
    let connections = f64::from(CONNECTIONS) * calls / CALLS;
    let usage = INSTANCES * (calls / CALLS).max(0.05) / GATHERED * f64::from(shards);
    let events = calls + connections * REFRESHES_PER_CONNECTION + usage;
    while now < LENGTH {
        now += random.around(1.0 / events);
        let shard = random.connection().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let mut at = now;
        for is_written in batches(&mut random, calls, connections, usage) {
            let milliseconds = random.around(if *is_written { WRITTEN } else { READ });
            at = databases.run(shard % u64::from(shards), at, milliseconds);
        }
    }
    let load = databases.busy / LENGTH / f64::from(shards);
    Outcome { median: databases.percentile(50), p99: databases.percentile(99), load }
}

/// One object for each grant; returns also the share of calls that wake one.
fn objects() -> (Outcome, f64) {
    let (mut random, mut databases, mut now) = (Random(7), Databases::default(), 0.0);
    let (mut woken, mut calls) = (0.0, 0.0);
    let connections = f64::from(CONNECTIONS);
    while now < LENGTH {
        now += random.around(1.0 / (CALLS + connections * REFRESHES_PER_CONNECTION));
        let object = random.connection();
        let mut at = now;
        calls += 1.0;
        if databases.free.get(&object).is_none_or(|free| now - free > EVICTED_AFTER) {
            woken += 1.0;
            at += WAKE / 1000.0;
        }
        let began = databases.answered.len();
        for is_written in batches(&mut random, CALLS, connections, 0.0) {
            let milliseconds = random.around(if *is_written { WRITTEN_IN_OBJECT } else { READ_IN_OBJECT });
            at = databases.run(object, at, milliseconds);
        }
        databases.answered[began] += if at - now > WAKE / 1000.0 { WAKE } else { 0.0 };
    }
    let load = databases.busy / LENGTH / connections;
    (Outcome { median: databases.percentile(50), p99: databases.percentile(99), load }, woken / calls)
}

fn table() -> String {
    let mut lines = vec![
        "| Calls a second | Databases | Load of each | Batch, half | Batch, 99 of 100 |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (calls, count) in [(200.0, 1), (400.0, 1), (600.0, 1), (10_000.0, 24), (10_000.0, 32), (10_000.0, 64)] {
        let Outcome { median, p99, load } = shards(calls, count);
        lines.push(format!("| {calls} | {count} D1 | {:.0} % | {median:.1} ms | {p99:.0} ms |", load * 100.0));
    }
    let (Outcome { median, p99, .. }, woken) = objects();
    lines.push(format!("| {CALLS} | an object per grant | below 1 % | {median:.1} ms | {p99:.0} ms |"));
    lines.push(String::new());
    lines.push(format!("{:.0} of 100 calls wake their object.", woken * 100.0));
    lines.join("\n")
}

#[expect(clippy::print_stdout, reason = "the table is the purpose of the program")]
fn main() {
    println!("{}", table());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_document_has_the_simulated_table() {
        let document = include_str!("../../../docs/scale.md");
        assert!(document.contains(&table()), "print it anew:\n{}", table());
    }

    #[test]
    fn single_queue_waits_as_the_theory_says() {
        // M/M/1: the mean time in the system is s / (1 − ρ).
        let (mut random, mut databases, mut now) = (Random(1), Databases::default(), 0.0);
        for _ in 0..200_000 {
            now += random.around(0.002);
            let milliseconds = random.around(1.0);
            databases.run(0, now, milliseconds);
        }
        let mean = databases.answered.iter().sum::<f64>() / 200_000.0;
        assert!((mean - 2.0).abs() < 0.05, "{mean}");
    }
}
