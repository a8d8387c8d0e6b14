//! Faults of a story: the seed draws which there are, and how often.

use crate::random::Random;
use crate::scheduler::Turn;

/// A fault of one use of a port, or of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// It fails before it does anything.
    Before,
    /// It does its work, and the answer is lost.
    After,
    /// Its sender is told that it failed, and it happens later or never.
    Late,
    /// It happens twice; the second answer counts for the database and the limiter, the first for StatiBeat.
    Twice,
    /// StatiBeat answers 503 without having done anything.
    Refused,
    /// StatiBeat does the work and answers 500.
    DoneWithError,
    /// StatiBeat answers 429 without having done anything.
    Limited,
    /// StatiBeat does the work, and its answer breaks off.
    Cut,
}

use Fault::{After, Before, Cut, DoneWithError, Late, Limited, Refused, Twice};

const OF_DATABASE: [Fault; 4] = [Before, After, Late, Twice];
const OF_LIMITER: [Fault; 3] = [Before, After, Twice];
const OF_STATIBEAT: [Fault; 8] = [Before, After, Late, Twice, Refused, DoneWithError, Limited, Cut];
/// A request that does not arrive, arrives late, or arrives twice.
const OF_ARRIVAL: [Fault; 3] = [Before, Late, Twice];
const OF_DELIVERY: [Fault; 1] = [After];

/// The frequencies of a story's faults, each in a thousand.
#[derive(Clone, Debug)]
pub struct Weather {
    /// Faults of one use of a port.
    pub faults: usize,
    /// The kinds of faults that this story has.
    kinds: Vec<Fault>,
    /// Ends of an instance, with everything that it does and remembers.
    pub crashes: usize,
    /// Ends of one request, because its client went away.
    pub cancellations: usize,
    /// Starts of a new instance in place of an idle one.
    pub evictions: usize,
    /// Leaps of the clock while requests are on their way.
    leaps: usize,
    /// Steps of the task that went on last.
    pub burst: usize,
}

impl Weather {
    pub fn draw(random: &Random) -> Self {
        let is_calm = random.below(5) == 0;
        let rare = |random: &Random| if is_calm { 0 } else { *random.pick(&[0, 0, 3, 10, 30]) };
        let kinds = [Before, After, Late, Twice, Refused, DoneWithError, Limited, Cut];
        Self {
            faults: if is_calm { 0 } else { *random.pick(&[10, 30, 60, 120]) },
            kinds: kinds.into_iter().filter(|_| random.below(3) > 0).collect(),
            crashes: rare(random),
            cancellations: rare(random),
            evictions: rare(random),
            leaps: rare(random),
            burst: *random.pick(&[0, 500, 800]),
        }
    }

    /// Without faults, for what everybody does at the end.
    pub fn calm() -> Self {
        Self { faults: 0, kinds: Vec::new(), crashes: 0, cancellations: 0, evictions: 0, leaps: 0, burst: 900 }
    }

    /// The milliseconds until the next step.
    pub fn draw_delay(&self, random: &Random) -> u64 {
        if random.chance(self.leaps) {
            return *random.pick(&[500, 4_000, 9_500, 15_000, 70_000, 150_000]);
        }
        random.next() % 12
    }

    /// The fault of a use that has waited this long, in milliseconds: nobody waits longer than the timeouts of the runtime.
    pub fn draw_fault(&self, random: &Random, turn: Turn, waited: u64) -> Option<Fault> {
        let (choices, timeout): (&[Fault], u64) = match turn {
            Turn::Database => (&OF_DATABASE, 10_000),
            Turn::Limiter => (&OF_LIMITER, 3_000),
            Turn::StatiBeat => (&OF_STATIBEAT, 10_000),
            Turn::Arrival => (&OF_ARRIVAL, u64::MAX),
            Turn::Delivery => (&OF_DELIVERY, u64::MAX),
            Turn::Sleep(_) => return None,
        };
        if waited >= timeout {
            let is_late = turn != Turn::Limiter && random.below(2) == 0;
            return Some(if is_late { Late } else { Before });
        }
        if !random.chance(self.faults) {
            return None;
        }
        Some(*random.pick(choices)).filter(|fault| self.kinds.contains(fault))
    }
}
