//! Waiting for the runtime: a question leaves the wasm in one call and its answer comes back in one call, of [`settle`].
//!
//! Every call between wasm and JavaScript costs, and a promise awaited here takes about ten of them. So `crossings.mjs` awaits
//! whatever a question takes, with its time limit, and gives each question a number.

use super::clock;
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

/// Why a question has no answer.
#[derive(Debug, Deserialize)]
pub enum CrossingError {
    Timeout,
    /// The answer is larger than was asked for.
    TooLarge,
    /// The message of what the runtime threw.
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
    /// The questions on their way, by number. Few at a time: a list is searched faster than a map.
    static PENDING: RefCell<Vec<(u32, Pending)>> = const { RefCell::new(Vec::new()) };
}

fn with_pending<T>(id: u32, change: impl FnOnce(&mut Pending) -> T) -> Option<T> {
    PENDING.with_borrow_mut(|all| all.iter_mut().find(|(other, _)| *other == id).map(|(_, pending)| change(pending)))
}

/// Called by `crossings.mjs` with the answer to question `id`, and the time. `text` is a `Result` as serde writes it. The numbers
/// are unique over all instances: what one that died had asked for is not known here.
#[wasm_bindgen]
pub fn settle(id: u32, now: f64, text: String, bytes: Vec<u8>) {
    clock::set(now);
    let arrive = |pending: &mut Pending| {
        pending.arrival = Some(Arrival { text, bytes });
        pending.waker.take()
    };
    if let Some(waker) = with_pending(id, arrive).flatten() {
        waker.wake();
    }
}

/// A question on its way. Dropped, its answer is forgotten.
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

/// Waits for the answer to a question that was just asked. It never comes in the same turn.
pub async fn answer<T: DeserializeOwned>(id: u32) -> Result<(T, Vec<u8>), CrossingError> {
    PENDING.with_borrow_mut(|all| all.push((id, Pending::default())));
    let Arrival { text, bytes } = Crossing(id).await;
    let parsed: Result<Result<T, CrossingError>, _> = serde_json::from_str(&text);
    Ok((parsed.map_err(|_| CrossingError::Failed("the answer is of another kind".to_owned()))??, bytes))
}

/// Whole milliseconds, as JavaScript's timers take them.
pub fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

pub async fn sleep(duration: Duration) {
    // It has no way to fail.
    let _ = answer::<()>(start_sleep(milliseconds(duration))).await;
}
