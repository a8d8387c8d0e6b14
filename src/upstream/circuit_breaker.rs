//! Circuit breakers towards StatiBeat: after several failures in a row, calls are refused at once instead of waiting for the
//! next timeout, until a probe succeeds.
//!
//! Every page has a circuit, every person has one for calls without a page, and StatiBeat as a whole has one. The last
//! one concerns every customer of the instance, so it opens only on consecutive failures of several pages *and* several
//! people. Only calls after the role check are counted ([`CallSubject`]), and a call counts once, including its retry.
//! All ids come from StatiBeat, so no caller can invent circuits, and memory is bounded: the person with the most
//! circuits loses one.
//!
//! State is per instance. That costs some calls, but affects no access decision.

use crate::model::ids::{PageId, UserId};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Consecutive failures that open the circuit of a page or person.
pub const FAILURES: u32 = 3;
/// Distinct people, and distinct pages (or people, for calls without a page), that open StatiBeat's own circuit. Two
/// may be one person with two accounts; three are reached within seconds when StatiBeat is down.
pub const SEVERAL: usize = 3;
/// Duration of the first opening.
pub const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Maximum duration, after repeated failed probes.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Failures further apart are not consecutive: on a quiet instance they are outdated.
const EVIDENCE_LIFETIME: Duration = Duration::from_mins(1);
/// Calls sent within this time after a probe pass with it, because one message may send several calls at once.
const PROBE_WINDOW: Duration = Duration::from_millis(100);
/// Time after which a probe without a result is given up; longer than any call.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
/// Circuits kept for pages and people. Only failing ones are kept.
const CAPACITY: usize = 1_000;

/// Person and page of a call on behalf of a person. Others, such as the code exchange, have no subject and are never counted.
#[derive(Clone, Copy, Debug)]
pub struct CallSubject<'a> {
    /// Person on whose behalf the call is made.
    pub person: &'a UserId,
    /// The page of the call, which StatiBeat has listed for this person. `None` for calls that belong to no page.
    pub page: Option<PageId>,
}

/// Circuit of a call besides StatiBeat's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum CircuitKey {
    Page(PageId),
    Person(UserId),
}

impl CallSubject<'_> {
    fn key(&self) -> CircuitKey {
        self.page.map_or_else(|| CircuitKey::Person(self.person.clone()), CircuitKey::Page)
    }
}

/// Times are milliseconds of one clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CircuitState {
    #[default]
    Closed,
    Open {
        until: u64,
        pause: Duration,
    },
    /// Half-open: a probe is in progress; nothing else passes until it has a result or is given up.
    HalfOpen {
        since: u64,
        pause: Duration,
    },
}

impl CircuitState {
    /// Returns the state with this call in progress, or the wait if it must not be sent.
    fn admit(self, now: u64) -> Result<Self, Duration> {
        match self {
            Self::Closed => Ok(self),
            Self::HalfOpen { since, .. } if now < later(since, PROBE_WINDOW) => Ok(self),
            Self::Open { until, .. } if now < until => Err(Duration::from_millis(until - now)),
            Self::HalfOpen { since, .. } if now < later(since, PROBE_TIMEOUT) => {
                Err(Duration::from_millis(later(since, PROBE_TIMEOUT) - now))
            }
            Self::Open { pause, .. } | Self::HalfOpen { pause, .. } => Ok(Self::HalfOpen { since: now, pause }),
        }
    }

    /// Returns the state after a call was dropped, which may have been the probe.
    fn after_drop(self, now: u64) -> Self {
        match self {
            Self::HalfOpen { pause, .. } => Self::Open { until: now, pause },
            Self::Closed | Self::Open { .. } => self,
        }
    }

    /// Returns the state after a failure. The failure of a call sent before the circuit opened doesn't extend the
    /// opening.
    fn after_failure(self, is_enough: bool, now: u64) -> Self {
        match self {
            Self::Closed if is_enough => Self::Open { until: later(now, FIRST_PAUSE), pause: FIRST_PAUSE },
            Self::HalfOpen { pause, .. } => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                Self::Open { until: later(now, pause), pause }
            }
            Self::Closed | Self::Open { .. } => self,
        }
    }
}

fn later(now: u64, span: Duration) -> u64 {
    now.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// The circuit of a page or of a person.
#[derive(Debug)]
struct NarrowCircuit {
    state: CircuitState,
    failures: u32,
    failed_at: u64,
    /// In whose name the first failure was seen.
    person: UserId,
}

impl NarrowCircuit {
    fn record_failure(&mut self, now: u64) {
        let is_in_a_row = now < later(self.failed_at, EVIDENCE_LIFETIME);
        self.failures = if is_in_a_row { self.failures.saturating_add(1) } else { 1 };
        self.failed_at = now;
        self.state = self.state.after_failure(self.failures >= FAILURES, now);
    }
}

/// A failure since StatiBeat's last success.
#[derive(Debug, PartialEq, Eq)]
struct Evidence {
    key: CircuitKey,
    person: UserId,
    failed_at: u64,
}

#[derive(Debug, Default)]
struct WideCircuit {
    state: CircuitState,
    evidence: Vec<Evidence>,
}

impl WideCircuit {
    fn record_failure(&mut self, key: CircuitKey, person: &UserId, now: u64) {
        self.evidence.retain(|one| now < later(one.failed_at, EVIDENCE_LIFETIME));
        let count = |is_same: &dyn Fn(&Evidence) -> bool| self.evidence.iter().filter(|one| is_same(one)).count();
        let (same_key, same_person) = (count(&|one| one.key == key), count(&|one| one.person == *person));
        let is_new = !self.evidence.iter().any(|one| one.key == key && one.person == *person);
        // More evidence of one page or person proves nothing further, so the list stays short.
        if is_new && same_key < SEVERAL && same_person < SEVERAL {
            self.evidence.push(Evidence { key, person: person.clone(), failed_at: now });
        }
        self.state = self.state.after_failure(self.is_enough(), now);
    }

    fn is_enough(&self) -> bool {
        let keys: BTreeSet<_> = self.evidence.iter().map(|one| &one.key).collect();
        let people: BTreeSet<_> = self.evidence.iter().map(|one| &one.person).collect();
        keys.len() >= SEVERAL && people.len() >= SEVERAL
    }
}

/// All circuits. One for each instance of the server.
#[derive(Debug, Default)]
pub struct CircuitBreaker(RefCell<Circuits>);

#[derive(Debug, Default)]
struct Circuits {
    wide: WideCircuit,
    narrow: BTreeMap<CircuitKey, NarrowCircuit>,
}

/// The call must not be sent, because its circuit is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitOpen {
    /// Time until a call may be sent again.
    pub wait: Duration,
}

impl CircuitBreaker {
    /// Returns whether a call may be sent. After a pause the first one is the probe.
    pub(super) fn admit(&self, subject: &CallSubject<'_>, now: u64) -> Result<(), CircuitOpen> {
        let mut circuits = self.0.borrow_mut();
        let Circuits { wide, narrow } = &mut *circuits;
        let refused = |wait| CircuitOpen { wait };
        let narrow = narrow.get_mut(&subject.key());
        // Both circuits are checked before either changes: a call that one refuses is no probe for the other. A failing
        // page or person is refused first, so it doesn't probe for everybody.
        let narrow_state =
            narrow.as_ref().map_or(Ok(CircuitState::Closed), |circuit| circuit.state.admit(now)).map_err(refused)?;
        wide.state = wide.state.admit(now).map_err(refused)?;
        if let Some(circuit) = narrow {
            circuit.state = narrow_state;
        }
        Ok(())
    }

    /// Records the result of a call, including its retry.
    pub(super) fn record(&self, subject: &CallSubject<'_>, has_failed: bool, now: u64) {
        let mut circuits = self.0.borrow_mut();
        if !has_failed {
            circuits.wide = WideCircuit::default();
            circuits.narrow.remove(&subject.key());
            return;
        }
        circuits.wide.record_failure(subject.key(), subject.person, now);
        circuits.narrow_circuit(subject, now).record_failure(now);
    }

    /// Records that a call was dropped before it had a result: if it was a probe, the next call is one.
    pub(super) fn give_up(&self, subject: &CallSubject<'_>, now: u64) {
        let mut circuits = self.0.borrow_mut();
        let Circuits { wide, narrow } = &mut *circuits;
        wide.state = wide.state.after_drop(now);
        if let Some(circuit) = narrow.get_mut(&subject.key()) {
            circuit.state = circuit.state.after_drop(now);
        }
    }

    /// Returns whether a call without a subject may be sent. Such a call is never the probe of a half-open circuit.
    pub(super) fn admit_uncounted(&self, now: u64) -> Result<(), CircuitOpen> {
        self.0.borrow().wide.state.admit(now).map(drop).map_err(|wait| CircuitOpen { wait })
    }
}

impl Circuits {
    fn narrow_circuit(&mut self, subject: &CallSubject<'_>, now: u64) -> &mut NarrowCircuit {
        let key = subject.key();
        if self.narrow.len() >= CAPACITY && !self.narrow.contains_key(&key) {
            self.make_room(now);
        }
        let new = || NarrowCircuit {
            state: CircuitState::Closed,
            failures: 0,
            failed_at: now,
            person: subject.person.clone(),
        };
        self.narrow.entry(key).or_insert_with(new)
    }

    /// Removes expired circuits; if that is not enough, the oldest circuit of the person with the most.
    fn make_room(&mut self, now: u64) {
        self.narrow.retain(|_, circuit| now < later(circuit.failed_at, LONGEST_PAUSE * 2));
        if self.narrow.len() < CAPACITY {
            return;
        }
        let mut counts: BTreeMap<&UserId, usize> = BTreeMap::new();
        for circuit in self.narrow.values() {
            *counts.entry(&circuit.person).or_default() += 1;
        }
        let Some(person) = counts.into_iter().max_by_key(|(_, count)| *count).map(|(person, _)| person.clone()) else {
            return;
        };
        let theirs = self.narrow.iter().filter(|(_, circuit)| circuit.person == person);
        if let Some(oldest) = theirs.min_by_key(|(_, circuit)| circuit.failed_at).map(|(key, _)| key.clone()) {
            self.narrow.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
