//! A circuit breaker for each host: one that failed again and again is left alone for a while, and whoever asks is told so
//! at once instead of waiting for the next time-out.
//!
//! Only failures in a row count, over all requests of an instance: one broken page of StatiBeat among working ones never
//! cuts off the others. After the pause one request goes ahead as a probe, with those that the same call sends beside it;
//! the first end decides. An instance knows only what it saw itself, and a new one knows nothing: that costs some requests,
//! never a decision about somebody's access.

use crate::ports::{HttpClient, HttpError};
use async_trait::async_trait;
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Failures in a row that open the circuit. Two requests of one person, each tried twice, do not.
pub const FAILURES: u32 = 5;
/// How long it stays open the first time.
pub const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// How long at most, after probe on probe has failed.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How long a probe's moment lasts. A call that sends several requests at once would fail if only its first one passed.
const MOMENT: Duration = Duration::from_millis(100);
/// When a probe that nobody heard of again is given up; longer than any request to StatiBeat may take.
const PROBE_ENDS: Duration = Duration::from_secs(15);

/// What is known of one host. Times are milliseconds of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    /// Requests pass; so many in a row have failed.
    Closed { failures: u32 },
    /// Nothing passes until then.
    Open { until: u64, pause: Duration },
    /// What was sent in this one moment is on its way; nothing else passes until one of it ends, or is given up.
    Probing { since: u64, pause: Duration },
}

impl Circuit {
    /// Whether a request may go; otherwise how long to wait.
    fn admit(self, now: u64) -> Result<Self, Duration> {
        match self {
            Self::Closed { .. } => Ok(self),
            Self::Probing { since, .. } if now < later(since, MOMENT) => Ok(self),
            Self::Open { until, .. } if now < until => Err(Duration::from_millis(until - now)),
            Self::Probing { since, .. } if now < later(since, PROBE_ENDS) => {
                Err(Duration::from_millis(later(since, PROBE_ENDS) - now))
            }
            Self::Open { pause, .. } | Self::Probing { pause, .. } => Ok(Self::Probing { since: now, pause }),
        }
    }

    /// What a request's end means. One that was sent before the circuit opened tells nothing new when it fails.
    fn after(self, has_failed: bool, now: u64) -> Self {
        match self {
            _ if !has_failed => Self::Closed { failures: 0 },
            Self::Closed { failures } if failures + 1 < FAILURES => Self::Closed { failures: failures + 1 },
            Self::Closed { .. } => Self::Open { until: later(now, FIRST_PAUSE), pause: FIRST_PAUSE },
            Self::Probing { pause, .. } => {
                let pause = (pause * 2).min(LONGEST_PAUSE);
                Self::Open { until: later(now, pause), pause }
            }
            open @ Self::Open { .. } => open,
        }
    }
}

fn later(now: u64, span: Duration) -> u64 {
    now.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// The circuits of all hosts. One for each instance of the server.
#[derive(Debug, Default)]
pub struct Breaker(RefCell<BTreeMap<String, Circuit>>);

impl Breaker {
    const fn closed() -> Circuit {
        Circuit::Closed { failures: 0 }
    }

    fn admit(&self, host: &str, now: u64) -> Result<(), Duration> {
        let mut circuits = self.0.borrow_mut();
        let circuit = circuits.entry(host.to_owned()).or_insert_with(Self::closed);
        *circuit = circuit.admit(now)?;
        Ok(())
    }

    fn note(&self, host: &str, has_failed: bool, now: u64) {
        if let Some(circuit) = self.0.borrow_mut().get_mut(host) {
            *circuit = circuit.after(has_failed, now);
        }
    }
}

/// An HTTP client that does not ask a host whose circuit is open.
pub struct Breaking<'a> {
    /// The client.
    pub inner: &'a dyn HttpClient,
    /// What is known of hosts.
    pub breaker: &'a Breaker,
    /// The clock, in milliseconds.
    pub clock: &'a dyn Fn() -> u64,
}

#[async_trait(?Send)]
impl HttpClient for Breaking<'_> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        self.breaker.admit(&host, (self.clock)()).map_err(|wait| HttpError::CircuitOpen { wait })?;
        let answer = self.inner.send(request).await;
        self.breaker.note(&host, has_failed(&answer), (self.clock)());
        answer
    }

    async fn pause(&self, length: Duration) {
        self.inner.pause(length).await;
    }
}

/// An answer that is no use says something about its host only if the host could not do better. One that asks to wait does
/// so on purpose, and an answer that is too long is a matter of what was asked.
fn has_failed(answer: &Result<http::Response<Bytes>, HttpError>) -> bool {
    match answer {
        Ok(response) => matches!(response.status().as_u16(), 500 | 502 | 503 | 504),
        Err(HttpError::Timeout | HttpError::Transport(_)) => true,
        Err(HttpError::TooLarge | HttpError::CircuitOpen { .. }) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker_after(failures: u32) -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..failures {
            breaker.admit("api", 0).expect("closed");
            breaker.note("api", true, 0);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        assert_eq!(breaker_after(FAILURES - 1).admit("api", 0), Ok(()));
        assert_eq!(breaker_after(FAILURES).admit("api", 0), Err(FIRST_PAUSE));
        let breaker = breaker_after(FAILURES - 1);
        breaker.note("api", false, 0);
        breaker.note("api", true, 0);
        assert_eq!(breaker.admit("api", 0), Ok(()));
    }

    #[test]
    fn the_wait_shrinks_and_then_one_probe_passes_with_those_of_its_moment() {
        let breaker = breaker_after(FAILURES);
        assert_eq!(breaker.admit("api", 4000), Err(Duration::from_secs(1)));
        assert_eq!(breaker.admit("api", 5000), Ok(()));
        assert_eq!(breaker.admit("api", 5099), Ok(()), "sent beside it");
        assert_eq!(breaker.admit("api", 5100), Err(PROBE_ENDS.saturating_sub(MOMENT)), "later");
        breaker.note("api", false, 5100);
        assert_eq!(breaker.admit("api", 5100), Ok(()));
        assert_eq!(breaker.admit("api", 5100), Ok(()));
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_a_minute() {
        let breaker = breaker_after(FAILURES);
        let mut now = 5000;
        for seconds in [10, 20, 40, 60, 60] {
            breaker.admit("api", now).expect("a probe");
            breaker.note("api", true, now);
            assert_eq!(breaker.admit("api", now), Err(Duration::from_secs(seconds)));
            now += seconds * 1000;
        }
    }

    #[test]
    fn a_probe_that_is_never_heard_of_again_does_not_keep_it_open() {
        let breaker = breaker_after(FAILURES);
        breaker.admit("api", 5000).expect("a probe");
        assert_eq!(breaker.admit("api", 20_000), Ok(()));
    }

    #[test]
    fn a_late_failure_does_not_lengthen_the_pause() {
        let breaker = breaker_after(FAILURES);
        breaker.note("api", true, 4000);
        assert_eq!(breaker.admit("api", 4000), Err(Duration::from_secs(1)));
    }

    #[test]
    fn hosts_do_not_answer_for_each_other() {
        assert_eq!(breaker_after(FAILURES).admit("other", 0), Ok(()));
    }
}
