//! The time, as the runtime said it with its last call into this instance.
//!
//! The runtime's clock stands still while code runs
//! (<https://developers.cloudflare.com/workers/reference/security-model/>), so asking it again in between would only cost.

use crate::model::timestamp::Timestamp;
use std::cell::Cell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static MILLISECONDS: Cell<u64> = const { Cell::new(0) };
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    fn date_now() -> f64;
}

/// Takes over the time that came with an event or an answer, in milliseconds since the Unix epoch.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole milliseconds since 1970")]
pub fn set(milliseconds: f64) {
    MILLISECONDS.set(milliseconds as u64);
}

/// Asks the runtime, at an event that brings no time along.
pub fn read() {
    set(date_now());
}

/// Milliseconds since the Unix epoch.
pub fn milliseconds() -> u64 {
    MILLISECONDS.get()
}

pub fn now() -> Timestamp {
    Timestamp::from_milliseconds(milliseconds())
}
