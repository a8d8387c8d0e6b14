//! Counts of what stories did, which prove that they are not empty.

use crate::scheduler::Turn;
use crate::weather::Fault;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub stories: u64,
    pub steps: u64,
    pub requests: u64,
    pub batches: u64,
    pub exchanges: u64,
    pub takes: u64,
    pub posts: u64,
    pub crashes: u64,
    /// Requests that ended with their instance.
    pub ended: u64,
    pub evictions: u64,
    pub cancellations: u64,
    faults: BTreeMap<(&'static str, Fault), u64>,
}

impl Totals {
    pub fn add_fault(&mut self, turn: Turn, fault: Fault) {
        let port = match turn {
            Turn::Database => "database",
            Turn::StatiBeat => "StatiBeat",
            Turn::Limiter => "limiter",
            Turn::Arrival => "request",
            Turn::Delivery => "reply",
            Turn::Sleep(_) => "none",
        };
        *self.faults.entry((port, fault)).or_default() += 1;
    }

    pub fn add_crash(&mut self, ended: usize) {
        self.crashes += 1;
        self.ended += u64::try_from(ended).expect("few");
    }

    pub fn add(&mut self, other: &Self) {
        self.stories += other.stories;
        self.steps += other.steps;
        self.requests += other.requests;
        self.batches += other.batches;
        self.exchanges += other.exchanges;
        self.takes += other.takes;
        self.posts += other.posts;
        self.crashes += other.crashes;
        self.ended += other.ended;
        self.evictions += other.evictions;
        self.cancellations += other.cancellations;
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stories, steps, requests, batches, exchanges, takes, posts, .. } = self;
        let Self { crashes, ended, evictions, cancellations, faults, .. } = self;
        writeln!(f, "{stories} seeds, {steps} steps, {requests} requests, {posts} posts")?;
        writeln!(f, "{batches} batches, {exchanges} exchanges with StatiBeat, {takes} uses of the limiter")?;
        writeln!(
            f,
            "{crashes} crashes that ended {ended} requests, {evictions} evictions, {cancellations} requests cancelled"
        )?;
        let faults: Vec<String> =
            faults.iter().map(|((port, fault), count)| format!("{port} {fault:?} {count}")).collect();
        write!(f, "faults: {}", faults.join(", "))
    }
}
