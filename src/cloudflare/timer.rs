//! Letting time pass, by the runtime's own promise for it.
//!
//! Not by `setTimeout`: where the runtime is compatible with Node.js, that answers an object and not a number, so that
//! what waits on it in Rust can neither be cancelled nor be dropped.

use std::time::Duration;
use web_sys::AbortController;
use worker::js_sys::{Object, Promise, Reflect};
use worker::wasm_bindgen;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// Resolves after so many milliseconds; is rejected when the signal among the options aborts it.
    #[wasm_bindgen(js_namespace = scheduler)]
    fn wait(milliseconds: f64, options: &JsValue) -> Promise;
}

/// Ends the runtime's wait when nobody waits for it any more.
struct AbortOnDrop(Option<AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Waits. May be dropped at any time.
pub async fn pass(length: Duration) {
    let options = Object::new();
    let mut ended = AbortOnDrop(AbortController::new().ok());
    if let Some(controller) = &ended.0 {
        let _ = Reflect::set(&options, &JsValue::from_str("signal"), &controller.signal());
    }
    // It is rejected only when it is ended, and then nobody is here.
    let _ = JsFuture::from(wait(length.as_secs_f64() * 1000.0, &options)).await;
    ended.0 = None;
}
