//! Failures that open a circuit, failures that do not, and the probe that closes it again.

use super::*;

fn user(index: u32) -> UserId {
    UserId::parse((index + 1).to_string()).expect("an id")
}

/// A breaker and short ways to talk about it: people and pages by number, page 0 for calls that belong to no page.
#[derive(Default)]
struct Bench(CircuitBreaker);

impl Bench {
    fn with<T>(&self, person: u32, page: i64, act: impl FnOnce(&CircuitBreaker, &CallSubject<'_>) -> T) -> T {
        act(&self.0, &CallSubject { person: &user(person), page: PageId::new(page) })
    }

    fn admits(&self, person: u32, page: i64, now: u64) -> bool {
        self.wait(person, page, now).is_ok()
    }

    fn wait(&self, person: u32, page: i64, now: u64) -> Result<(), CircuitOpen> {
        self.with(person, page, |breaker, subject| breaker.admit(subject, now))
    }

    fn fail(&self, person: u32, page: i64, now: u64) {
        self.with(person, page, |breaker, subject| breaker.record(subject, true, now));
    }

    fn succeed(&self, person: u32, page: i64, now: u64) {
        self.with(person, page, |breaker, subject| breaker.record(subject, false, now));
    }

    fn drop_call(&self, person: u32, page: i64, now: u64) {
        self.with(person, page, |breaker, subject| breaker.give_up(subject, now));
    }

    /// One person's own circuit, opened at 0.
    fn opened() -> Self {
        let bench = Self::default();
        (0..FAILURES).for_each(|_| bench.fail(1, 0, 0));
        bench
    }

    /// StatiBeat's circuit, opened at 0 by as many people as it takes.
    fn opened_for_all() -> Self {
        let bench = Self::default();
        (1..=3).for_each(|person| bench.fail(person, 0, 0));
        bench
    }

    fn circuits(&self) -> usize {
        self.0.0.borrow().narrow.len()
    }
}

fn wait_of(span: Duration) -> Result<(), CircuitOpen> {
    Err(CircuitOpen { wait: span })
}

#[test]
fn failing_page_is_refused_and_no_other_page_or_person() {
    let bench = Bench::default();
    for person in 1..=50 {
        bench.fail(person, 77, 0);
    }
    assert!(!bench.admits(1, 77, 0) && !bench.admits(99, 77, 0));
    assert!(bench.admits(1, 78, 0) && bench.admits(1, 0, 0) && bench.admits(99, 78, 0));
}

#[test]
fn person_with_many_failing_pages_does_not_open_the_circuit_for_others() {
    let bench = Bench::default();
    (1..=500).for_each(|page| bench.fail(1, page, 0));
    (0..50).for_each(|_| bench.fail(1, 0, 0));
    assert!(bench.admits(2, 0, 0) && bench.admits(2, 600, 0));
    bench.fail(2, 600, 0);
    assert!(bench.admits(3, 601, 0), "a second account is not several people");
}

#[test]
fn several_people_on_several_pages_open_the_circuit_for_all() {
    let bench = Bench::default();
    bench.fail(1, 71, 0);
    bench.fail(2, 72, 0);
    assert!(bench.admits(4, 74, 0));
    bench.fail(3, 73, 0);
    assert_eq!(bench.wait(4, 74, 0), wait_of(FIRST_PAUSE));
}

#[test]
fn several_people_without_a_page_open_the_circuit_for_all_at_once() {
    let bench = Bench::opened_for_all();
    assert_eq!(bench.wait(9, 0, 0), wait_of(FIRST_PAUSE));
    assert_eq!(bench.0.admit_uncounted(0), wait_of(FIRST_PAUSE), "a sign-in does not wait for a timeout either");
}

#[test]
fn popular_failing_page_and_busy_person_do_not_hide_evidence_of_others() {
    let bench = Bench::default();
    (1..=100).for_each(|person| bench.fail(person, 77, 0));
    (1..=100).for_each(|page| bench.fail(1, page, 0));
    assert!(!bench.admits(500, 0, 0), "many people, many pages");
    let bench = Bench::default();
    (1..=100).for_each(|person| bench.fail(person, 77, 0));
    bench.fail(200, 78, 0);
    assert!(bench.admits(500, 0, 0));
    bench.fail(200, 79, 0);
    assert!(!bench.admits(500, 0, 0));
}

#[test]
fn repeated_failure_of_one_person_on_one_page_hides_no_evidence_of_others() {
    let bench = Bench::default();
    (0..FAILURES).for_each(|_| bench.fail(1, 77, 0));
    bench.fail(2, 77, 0);
    bench.fail(3, 77, 0);
    bench.fail(1, 78, 0);
    assert!(bench.admits(500, 0, 0), "two pages");
    bench.fail(1, 79, 0);
    assert!(!bench.admits(500, 0, 0), "three people, three pages");
}

#[test]
fn evidence_stays_short_despite_one_person_or_page_with_many_failures() {
    let bench = Bench::default();
    (1..=500).for_each(|page| bench.fail(1, page, 0));
    (1..=500).for_each(|person| bench.fail(person, 77, 0));
    assert!(bench.0.0.borrow().wide.evidence.len() <= 2 * SEVERAL);
}

#[test]
fn success_in_between_or_a_minute_without_failure_ends_the_row() {
    let bench = Bench::default();
    bench.fail(1, 0, 0);
    bench.fail(2, 0, 0);
    bench.succeed(3, 7, 0);
    bench.fail(3, 0, 0);
    assert!(bench.admits(4, 0, 0));
    bench.fail(1, 0, 60_000);
    bench.fail(2, 0, 60_000);
    assert!(bench.admits(4, 0, 60_000), "the failure of person 3 is a minute old");
    let bench = Bench::default();
    bench.fail(1, 7, 0);
    bench.fail(1, 7, 60_000);
    bench.fail(1, 7, 120_000);
    assert!(bench.admits(1, 7, 120_000));
    bench.fail(1, 7, 120_000);
    bench.succeed(2, 7, 120_000);
    bench.fail(1, 7, 120_000);
    assert!(bench.admits(1, 7, 120_000));
}

#[test]
fn half_open_circuit_lets_one_probe_pass_with_those_of_its_window() {
    for (bench, person) in [(Bench::opened(), 1), (Bench::opened_for_all(), 9)] {
        assert_eq!(bench.wait(person, 0, 4000), wait_of(Duration::from_secs(1)));
        assert_eq!(bench.wait(person, 0, 5000), Ok(()));
        assert_eq!(bench.wait(person, 0, 5099), Ok(()), "sent beside it");
        assert_eq!(bench.wait(person, 0, 5100), wait_of(PROBE_TIMEOUT.saturating_sub(PROBE_WINDOW)), "later");
        bench.succeed(person, 0, 5100);
        assert!(bench.admits(person, 0, 5100) && bench.admits(person, 0, 5100));
    }
}

#[test]
fn failed_probe_doubles_the_pause_up_to_a_minute() {
    // For all, each probe is somebody else's: whoever keeps failing is refused by a circuit of their own.
    for (bench, is_for_all) in [(Bench::opened(), false), (Bench::opened_for_all(), true)] {
        let mut now = 5000;
        for (probe, seconds) in [10, 20, 40, 60, 60].into_iter().enumerate() {
            let person = if is_for_all { 10 + u32::try_from(probe).expect("small") } else { 1 };
            assert!(bench.admits(person, 0, now), "a probe");
            bench.fail(person, 0, now);
            assert_eq!(bench.wait(person, 0, now), wait_of(Duration::from_secs(seconds)));
            now += seconds * 1000;
        }
    }
}

#[test]
fn person_who_keeps_failing_does_not_probe_for_everybody() {
    let bench = Bench::opened_for_all();
    (0..FAILURES).for_each(|_| bench.fail(1, 0, 4000));
    assert!(!bench.admits(1, 0, 5000), "refused by their own circuit");
    assert!(bench.admits(9, 0, 5000), "and the probe is still free");
}

#[test]
fn call_without_a_subject_is_no_probe() {
    let bench = Bench::opened_for_all();
    assert_eq!(bench.0.admit_uncounted(5000), Ok(()));
    assert!(bench.admits(9, 0, 5200), "the probe is still free");
    assert!(bench.0.admit_uncounted(5400).is_err());
}

#[test]
fn probe_without_a_result_is_given_up() {
    let bench = Bench::opened();
    assert!(bench.admits(1, 0, 5000));
    assert!(!bench.admits(1, 0, 34_999) && bench.admits(1, 0, 35_000));
}

#[test]
fn late_failure_does_not_lengthen_the_pause() {
    let bench = Bench::opened();
    bench.fail(1, 0, 4000);
    assert_eq!(bench.wait(1, 0, 4000), wait_of(Duration::from_secs(1)));
}

#[test]
fn person_with_thousands_of_failing_pages_evicts_only_their_own() {
    let bench = Bench::default();
    (0..FAILURES).for_each(|_| bench.fail(2, 5, 0));
    for page in 1000..4000 {
        bench.fail(1, page, 1);
    }
    assert_eq!(bench.circuits(), CAPACITY);
    assert!(!bench.admits(2, 5, 1), "still open");
    bench.fail(1, 3999, 1);
    assert_eq!(bench.circuits(), CAPACITY, "one that is counted already needs no room");
    bench.fail(1, 9999, 500_000);
    assert_eq!(bench.circuits(), 1, "what is over is forgotten first");
}

#[test]
fn call_that_is_dropped_leaves_the_probe_to_the_next_one() {
    for bench in [Bench::opened(), Bench::opened_for_all()] {
        let after = u64::try_from(FIRST_PAUSE.as_millis()).expect("small");
        assert!(bench.admits(1, 0, after), "the probe");
        assert!(!bench.admits(1, 0, after + 200), "one at a time");
        bench.drop_call(1, 0, after + 300);
        assert!(bench.admits(1, 0, after + 300), "the next probe");
        assert!(!bench.admits(1, 0, after + 600));
        bench.succeed(1, 0, after + 700);
        bench.drop_call(1, 0, after + 700);
        assert!(bench.admits(1, 0, after + 700), "a closed circuit stays closed");
    }
}
