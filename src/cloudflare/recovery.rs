//! Reports a panic of this instance to the JavaScript side.
//!
//! A panic ends this wasm instance: whatever it was doing never finishes, and the promises its callers wait for would
//! never settle. The hook below tells `entry.mjs` at once, which rejects those promises and makes a new instance with
//! the next event. Statics start afresh then.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = "statibeatInstanceAborted")]
    fn instance_aborted();
}

// Exactly one call: the instance counts as dead already, so control does not come back from it.
fn on_abort() {
    instance_aborted();
}

/// Called by `entry.mjs` on every new instance, after the worker crate's own start. The worker crate would log a panic
/// on top of the hook it found; replacing its hook has the panic logged once.
#[wasm_bindgen(js_name = "prepareInstance")]
pub fn prepare_instance() {
    std::panic::set_hook(Box::new(console_error_panic_hook::hook));
    wasm_bindgen::handler::set_on_abort(on_abort);
}
