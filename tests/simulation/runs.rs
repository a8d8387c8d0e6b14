//! Plays many seeds on every processor.

use crate::base::Base;
use crate::report::Totals;
use crate::story;
use crate::weakened::Weakening;
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Seeds that a thread takes at once.
const PORTION: u64 = 50;
/// Time between two lines about how far a run is.
const REPORTED: Duration = Duration::from_secs(30);

/// A seed that failed, and why.
pub type Failure = (u64, String);

/// Plays a seed; a panic of the product counts as a broken promise.
pub fn play(base: &Rc<Base>, seed: u64, is_traced: bool) -> (Totals, Option<String>, Vec<String>) {
    match catch_unwind(AssertUnwindSafe(|| story::tell(base, seed, is_traced))) {
        Ok(told) => (told.totals, told.broken.map(|(promise, how)| format!("not so: {promise}: {how}")), told.trace),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (Totals::default(), Some(format!("panic: {}", text.unwrap_or_default())), Vec::new())
        }
    }
}

/// The seeds of a run, which its threads take in portions.
struct Portions {
    next: u64,
    end: u64,
    /// The first seeds of the portions that are being played.
    open: BTreeSet<u64>,
}

impl Portions {
    fn new(first: u64, count: u64) -> Self {
        Self { next: first, end: first + count, open: BTreeSet::new() }
    }

    fn take(&mut self) -> Option<Range<u64>> {
        let seeds = self.next..(self.next + PORTION).min(self.end);
        self.next = seeds.end;
        (!seeds.is_empty()).then(|| {
            self.open.insert(seeds.start);
            seeds
        })
    }

    /// Notes that a portion has been played. Returns the seeds from the first that may not have been.
    fn finish(&mut self, portion: &Range<u64>) -> Range<u64> {
        self.open.remove(&portion.start);
        self.open.first().copied().unwrap_or(self.next)..self.end
    }
}

/// The state that the threads of a run share.
struct Run {
    portions: Mutex<Portions>,
    count: u64,
    begun: Instant,
    /// The time of the run at its last line.
    reported: Mutex<Duration>,
    is_over: AtomicBool,
    totals: Mutex<Totals>,
    failure: Mutex<Option<Failure>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "how long a run takes is for whoever waits for it")]
    fn new(first: u64, count: u64) -> Self {
        Self {
            portions: Mutex::new(Portions::new(first, count)),
            count,
            begun: Instant::now(),
            reported: Mutex::default(),
            is_over: AtomicBool::new(false),
            totals: Mutex::default(),
            failure: Mutex::default(),
        }
    }

    fn work(&self) {
        let base = Rc::new(Base::new(None));
        while !self.is_over.load(Ordering::Relaxed) {
            let Some(portion) = lock(&self.portions).take() else { return };
            let mut sum = Totals::default();
            for seed in portion.clone() {
                let (told, broken, _) = play(&base, seed, false);
                sum.add(&told);
                if let Some(broken) = broken {
                    self.is_over.store(true, Ordering::Relaxed);
                    lock(&self.failure).get_or_insert((seed, broken));
                    break;
                }
            }
            lock(&self.totals).add(&sum);
            let rest = lock(&self.portions).finish(&portion);
            self.report(&rest);
        }
    }

    /// Prints how far the run is, unless it has just done so.
    fn report(&self, rest: &Range<u64>) {
        let (played, elapsed) = (lock(&self.totals).stories, self.begun.elapsed());
        let mut reported = lock(&self.reported);
        if elapsed.saturating_sub(*reported) >= REPORTED && !self.is_over.load(Ordering::Relaxed) {
            *reported = elapsed;
            println!("{}", progress(self.count, played, elapsed, rest));
        }
    }
}

/// Says how many of the seeds were played in that time, how long the others will take, and how to play the rest after a stop.
fn progress(count: u64, played: u64, elapsed: Duration, rest: &Range<u64>) -> String {
    let left = elapsed.as_secs() * (count - played) / played.max(1);
    let left = if left < 120 { format!("{left} seconds") } else { format!("{} minutes", left / 60) };
    let options = format!("--from {} --seeds {}", rest.start, rest.end - rest.start);
    format!("{played} of {count} seeds, about {left} left; if you stop it, {options} plays the rest")
}

fn on_every_processor(work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(&work);
        }
    });
}

/// Plays many seeds; stops at the first that fails.
pub fn play_all(first: u64, count: u64) -> (Totals, Option<Failure>) {
    let run = Run::new(first, count);
    on_every_processor(|| run.work());
    let (totals, failure) = (lock(&run.totals).clone(), lock(&run.failure).take());
    (totals, failure)
}

/// Plays seeds while a rule is weakened, one rule after the other, and prints which seed breaks a promise first. Returns the
/// names of the rules that no seed breaks.
pub fn find_all_broken(rules: &[Weakening], seeds: u64) -> Vec<&'static str> {
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    on_every_processor(|| {
        while let Some(weakening) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
            let base = Rc::new(Base::new(Some(*weakening)));
            match (1..=seeds).find_map(|seed| Some((seed, play(&base, seed, false).1?))) {
                Some((seed, broken)) => println!("{}: seed {seed}, {broken}", weakening.rule),
                None => lock(&missed).push(weakening.rule),
            }
        }
    });
    lock(&missed).clone()
}

#[test]
fn stopped_run_continues_with_the_first_seed_that_may_not_have_been_played() {
    let mut portions = Portions::new(1, 120);
    let [first, second, third] = [(); 3].map(|()| portions.take().expect("seeds"));
    assert_eq!((first.clone(), second.clone(), third.clone()), (1..51, 51..101, 101..121));
    assert_eq!(portions.take(), None);
    assert_eq!([&second, &first, &third].map(|portion| portions.finish(portion)), [1..121, 101..121, 121..121]);
}

#[test]
fn progress_of_a_run_estimates_the_time_left() {
    let after = |seconds| progress(1_000_000, 250_000, Duration::from_secs(seconds), &(249_951..1_000_001));
    let options = "if you stop it, --from 249951 --seeds 750050 plays the rest";
    assert_eq!(after(1_200), format!("250000 of 1000000 seeds, about 60 minutes left; {options}"));
    assert!(after(30).contains("about 90 seconds left"));
}
