//! Runtime operations (D1 batches, requests, bodies, timers): each is started by one call out of the wasm, and its result comes back in
//! one call of [`settle`].
//!
//! Every call between wasm and JavaScript costs, and a promise awaited here takes about ten of them. So `crossings.mjs` awaits
//! the operation, with its time limit, and gives it a number. `entry.mjs` keeps the runtime from dropping a request that waits for one;
//! where the runtime does so all the same, 30 seconds after the client hung up, its operation stays in `PENDING` until the instance ends.

use super::{clock, tasks};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = sleep)]
    fn start_sleep(milliseconds: u32) -> u32;
}

/// Reason why an operation has no result.
#[derive(Debug, Deserialize)]
pub enum CrossingError {
    Timeout,
    /// The result is larger than the limit that was given.
    TooLarge,
    /// The message of the error that the runtime threw.
    Failed(String),
}

struct Arrival {
    text: String,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Pending {
    arrival: Option<Arrival>,
    waker: Option<Waker>,
}

thread_local! {
    /// The unfinished operations by number. They are few, so a list is searched faster than a map.
    static PENDING: RefCell<Vec<(u32, Pending)>> = const { RefCell::new(Vec::new()) };
}

fn with_pending<T>(id: u32, change: impl FnOnce(&mut Pending) -> T) -> Option<T> {
    PENDING.with_borrow_mut(|all| all.iter_mut().find(|(other, _)| *other == id).map(|(_, pending)| change(pending)))
}

/// Takes the result of operation `id`, and the time; called by `crossings.mjs`. `text` is a `Result` as serde writes it. The numbers
/// are unique over all instances, so the result of an operation that an earlier instance started is ignored.
#[wasm_bindgen]
pub fn settle(id: u32, now: f64, text: String, bytes: Vec<u8>) {
    clock::set(now);
    let arrive = |pending: &mut Pending| {
        pending.arrival = Some(Arrival { text, bytes });
        pending.waker.take()
    };
    if let Some(waker) = with_pending(id, arrive).flatten() {
        waker.wake();
        tasks::run_ready();
    }
}

/// An unfinished operation. If it is dropped, its result is ignored.
struct Crossing(u32);

impl Future for Crossing {
    type Output = Arrival;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Arrival> {
        let arrived = with_pending(self.0, |pending| {
            pending.waker = Some(context.waker().clone());
            pending.arrival.take()
        });
        arrived.flatten().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        PENDING.with_borrow_mut(|all| all.retain(|(id, _)| *id != self.0));
    }
}

/// Waits for the result of an operation that was just started. It never comes in the same turn.
pub async fn answer<T: DeserializeOwned>(id: u32) -> Result<(T, Vec<u8>), CrossingError> {
    PENDING.with_borrow_mut(|all| all.push((id, Pending::default())));
    let Arrival { text, bytes } = Crossing(id).await;
    let parsed: Result<Result<T, CrossingError>, _> = serde_json::from_str(&text);
    Ok((parsed.map_err(|_| CrossingError::Failed("the result is of another type".to_owned()))??, bytes))
}

/// Whole milliseconds, as JavaScript's timers take them.
pub fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

pub async fn sleep(duration: Duration) {
    // It has no way to fail.
    let _ = answer::<()>(start_sleep(milliseconds(duration))).await;
}
