//! Sleeping, with the runtime's `scheduler.wait`.
//!
//! Not `setTimeout`: with Node.js compatibility it returns an object instead of a number, so a Rust future that waits
//! on it can't be cancelled or dropped.

use std::time::Duration;
use web_sys::AbortController;
use worker::js_sys::{Object, Promise, Reflect};
use worker::wasm_bindgen;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Resolves after `milliseconds`; rejects if `options.signal` aborts.
    #[wasm_bindgen(js_namespace = scheduler)]
    fn wait(milliseconds: f64, options: &JsValue) -> Promise;
}

/// Cancels the runtime's timer when the waiting future is dropped.
struct AbortOnDrop(Option<AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Sleeps for `duration`. Dropping the future cancels the timer.
pub async fn sleep(duration: Duration) {
    let options = Object::new();
    let mut abort_on_drop = AbortOnDrop(AbortController::new().ok());
    if let Some(controller) = &abort_on_drop.0 {
        let _ = Reflect::set(&options, &JsValue::from_str("signal"), &controller.signal());
    }
    // The promise rejects only on abort, and by then this future has been dropped.
    let _ = JsFuture::from(wait(duration.as_secs_f64() * 1000.0, &options)).await;
    abort_on_drop.0 = None;
}
