//! Plays many seeds on every processor.

use crate::base::Base;
use crate::report::Totals;
use crate::story;
use crate::weakened::Weakening;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seeds that a thread takes at once.
const PORTION: u64 = 50;
/// Seeds between two lines about how far a run is.
const REPORTED: u64 = 10_000;

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

/// The seeds of a run that were not played yet, and the results of those that were.
struct Run {
    next: AtomicU64,
    end: u64,
    is_over: AtomicBool,
    totals: Mutex<Totals>,
    failure: Mutex<Option<Failure>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    fn work(&self) {
        let base = Rc::new(Base::new(None));
        while !self.is_over.load(Ordering::Relaxed) {
            let from = self.next.fetch_add(PORTION, Ordering::Relaxed);
            if from >= self.end {
                return;
            }
            let mut sum = Totals::default();
            for seed in from..(from + PORTION).min(self.end) {
                let (told, broken, _) = play(&base, seed, false);
                sum.add(&told);
                if let Some(broken) = broken {
                    self.is_over.store(true, Ordering::Relaxed);
                    lock(&self.failure).get_or_insert((seed, broken));
                    break;
                }
            }
            let mut totals = lock(&self.totals);
            let before = totals.stories / REPORTED;
            totals.add(&sum);
            if totals.stories / REPORTED > before {
                println!("{} seeds", totals.stories);
            }
        }
    }
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
    let (next, is_over) = (AtomicU64::new(first), AtomicBool::new(false));
    let run = Run { next, end: first + count, is_over, totals: Mutex::default(), failure: Mutex::default() };
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
