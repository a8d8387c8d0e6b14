//! Circuit breakers towards StatiBeat: after several failures in a row, calls are refused at once instead of waiting for the
//! next timeout, until a probe succeeds.
//!
//! Every page has a circuit, every person has one for the calls that belong to no page, and StatiBeat as a whole has one.
//! The last one concerns every customer of the instance, so it opens only on failures of several pages *and* several people
//! in a row: whoever meets a failing page, or makes one fail, is not several people. Only calls whose permission is known are
//! counted ([`CallSubject`]), and a call counts once, however often it was tried. All ids come from StatiBeat, so that no caller
//! can invent a circuit, and nobody can fill the memory: the person with the most circuits gives one up.
//!
//! An instance knows only what it saw itself. That costs some calls, never a decision about somebody's access.

use crate::model::ids::{PageId, UserId};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failed calls in a row that open the circuit of a page or of a person.
pub const FAILURES: u32 = 3;
/// Distinct people, and distinct pages (or people, for calls that belong to no page), that open StatiBeat's own circuit.
/// Two may be one person with a second account on a page of their own; three in a row without a success between them are
/// reached within seconds when StatiBeat is down.
pub const SEVERAL: usize = 3;
/// Duration of the first opening.
pub const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// Longest duration, after probe on probe has failed.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Failures that lie further apart are not in a row: on a quiet instance they say nothing about now.
const EVIDENCE_LIFETIME: Duration = Duration::from_mins(1);
/// Calls sent within this time after a probe pass with it. A message that sends several calls at once would fail if only its
/// first one passed.
const PROBE_WINDOW: Duration = Duration::from_millis(100);
/// When a probe without a result is given up; longer than any call may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
/// Circuits kept for pages and people. Only failing ones are kept.
const CAPACITY: usize = 1_000;

/// Whom a call is for, once that is known. Calls sent before, such as early reads or the exchange of a sign-in code, have no
/// subject: they are never counted.
#[derive(Clone, Copy, Debug)]
pub struct CallSubject<'a> {
    /// The person in whose name the call is made.
    pub person: &'a UserId,
    /// The page of the call, which StatiBeat has listed for this person. `None` for calls that belong to no page.
    pub page: Option<PageId>,
}

/// Which circuit besides StatiBeat's own a call belongs to.
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
    /// A probe is on its way; nothing else passes until one of its window has a result, or it is given up.
    HalfOpen {
        since: u64,
        pause: Duration,
    },
}

impl CircuitState {
    /// The state with this call on its way, or the wait if it must not be sent.
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

    /// The state after a failure. One of a call that was sent before the circuit opened does not lengthen the pause.
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
        // More of one page, or of one person, would prove nothing further; so the list stays short whatever anybody does.
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

/// The call must not be sent: it failed too often just now.
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
        // Both are asked before either changes: a call that one of them refuses is no probe for the other. A person or page
        // that keeps failing is refused here first and so does not get to probe for everybody.
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

    /// Suspends early reads of the page until a call succeeds, after early reads failed. It doesn't count as a failure: the
    /// following reads, which wait for the role check, do.
    pub(super) fn suspend_early_reads(&self, subject: &CallSubject<'_>, now: u64) {
        self.0.borrow_mut().narrow_circuit(subject, now);
    }

    /// Returns whether a call without a subject may be sent. Such a call is never the probe of a half-open circuit.
    pub(super) fn admit_uncounted(&self, now: u64) -> Result<(), CircuitOpen> {
        self.0.borrow().wide.state.admit(now).map(drop).map_err(|wait| CircuitOpen { wait })
    }

    /// Returns whether the circuits of the page, of the person and of StatiBeat as a whole have no failures.
    pub(super) fn is_clear(&self, subject: &CallSubject<'_>) -> bool {
        let circuits = self.0.borrow();
        let keys = [subject.key(), CircuitKey::Person(subject.person.clone())];
        circuits.wide.state == CircuitState::Closed && !keys.iter().any(|key| circuits.narrow.contains_key(key))
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

    /// Forgets what is over; if that is not enough, the oldest circuit of whoever has the most.
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
