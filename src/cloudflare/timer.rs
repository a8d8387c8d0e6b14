//! Letting time pass, by the runtime's own promise for it: nothing has to be cancelled when nobody waits for it any more.

use std::time::Duration;
use worker::js_sys::Promise;
use worker::wasm_bindgen;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Resolves after so many milliseconds.
    #[wasm_bindgen(js_namespace = scheduler)]
    fn wait(milliseconds: f64) -> Promise;
}

/// Waits.
pub async fn pass(length: Duration) {
    // It is rejected only where it is cancelled, which takes a signal that it is not given.
    let _ = JsFuture::from(wait(length.as_secs_f64() * 1000.0)).await;
}
