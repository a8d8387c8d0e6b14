//! The Cloudflare edge: turns the runtime's events into calls of the library, and its ports into calls of the runtime.
//!
//! Nothing is decided here. The clock and the random source are read here and nowhere below. `entry.mjs` is the
//! JavaScript side; it also replaces an instance that a panic has killed. The worker crate receives events and their bindings; what
//! a request asks of the runtime crosses by hand (`crossing.rs`), because that crate asks for each statement, value and header
//! in calls of their own.

mod clock;
mod convert;
mod crossing;
mod d1;
mod fetch;
mod log;
mod random;
mod rate_limit;
mod recovery;
mod tasks;

use crate::config::{Config, ConfigProblem};
use crate::storage::purge;
use crate::telemetry::policy::Level;
use crate::web::{self, Answered, App, RequestInputs};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys;
use worker::{Env, ScheduleContext, ScheduledEvent, event};

#[wasm_bindgen]
extern "C" {
    /// The variables and secrets among the bindings, as a JSON object.
    #[wasm_bindgen(js_namespace = statibeat, js_name = readVariables)]
    fn read_variables(env: &JsValue) -> String;
}

thread_local! {
    /// Made once per instance: variables and bindings change only with a deployment, which starts new instances.
    static APP: OnceCell<Option<Rc<App>>> = const { OnceCell::new() };
}

/// Called by `entry.mjs` with a request, whose response it is handed by [`convert::finish`] under the same number.
#[wasm_bindgen(js_name = handleRequest)]
pub fn handle_request(number: u32, head: String, request: JsValue, env: Env, context: worker_sys::Context) {
    tasks::start(async move {
        let response = respond(&head, convert::Body::new(request), &env, worker::Context::new(context)).await;
        convert::finish(number, &response);
    });
}

async fn respond(head: &str, body: convert::Body, env: &Env, context: worker::Context) -> web::Response {
    let (request_id, head) = match convert::request(head) {
        Ok(parts) => parts,
        Err(refusal) => return refusal,
    };
    let Some(app) = app(env) else {
        let variables = variables(env);
        let links = Config::links_from_lookup(|name| variables.get(name).cloned());
        return web::unavailable(&head, web::Unavailable::Misconfigured, &links);
    };
    let drawn = random::RandomBytes::new(random);
    let random = |bytes: &mut [u8]| drawn.fill(bytes);
    let inputs = RequestInputs { request_id, now: clock::now(), clock: &clock::milliseconds, random: &random };
    let Answered { mut response, record } = web::handle(&app, inputs, &head, &body).await;
    log::record(&app.config, env, &record);
    if let Some(wait) = web::gather(&mut response, &app.usage, clock::milliseconds()) {
        context.wait_until(flush_usage(app, wait));
    }
    response
}

/// Waits, then stores the buffered usage events.
async fn flush_usage(app: Rc<App>, wait: Duration) {
    crossing::sleep(wait).await;
    let note = |message: &str| log::event(Level::Warn, "usage", message);
    web::count(&*app.db, &app.usage.take(), &note).await;
}

/// Time limit of one purge: a scheduled event of an hourly cron ends after 15 minutes
/// (<https://developers.cloudflare.com/workers/platform/limits/>), and the log line must still be written.
const LONGEST_PURGE: Duration = Duration::from_mins(10);

/// Deletes what is past its time; the next run continues what this one leaves.
#[event(scheduled)]
async fn purge(_: ScheduledEvent, env: Env, _: ScheduleContext) {
    clock::read();
    let end = u128::from(clock::milliseconds()) + LONGEST_PURGE.as_millis();
    let is_in_time = || u128::from(clock::milliseconds()) < end;
    let report = purge::run(&d1::D1Binding::new(&env), clock::now(), &is_in_time).await;
    for (table, error) in &report.failures {
        log::event(Level::Error, "purge", &format!("{table}: {error}"));
    }
    if !report.unfinished.is_empty() {
        let tables = report.unfinished.join(", ");
        log::event(Level::Warn, "purge", &format!("rows are left in {tables}; the next run goes on"));
    }
    if report.failures.is_empty() {
        log::event(Level::Info, "purge", &format!("{:?}", report.removed));
    }
}

/// The app of this instance; `None` if the configuration has problems. They are logged once, at the first event.
fn app(env: &Env) -> Option<Rc<App>> {
    APP.with(|cell| cell.get_or_init(|| start(env).map_err(log_problems).ok()).clone())
}

fn start(env: &Env) -> Result<Rc<App>, Vec<ConfigProblem>> {
    let variables = variables(env);
    let mut config = Config::from_lookup(|name| variables.get(name).cloned())?;
    config.report_unknown_variables(variables.into_keys());
    for problem in &config.tolerated {
        log::event(Level::Error, "configuration", &problem.to_string());
    }
    for entry in &config.bad_redirects {
        log::event(Level::Error, "configuration", &format!("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: {entry}"));
    }
    let (db, http) = (Rc::new(d1::D1Binding::new(env)), Rc::new(fetch::Runtime));
    Ok(Rc::new(App::new(Rc::new(config), db, http, Rc::new(rate_limit::Counters::new(env)))))
}

fn variables(env: &Env) -> HashMap<String, String> {
    serde_json::from_str(&read_variables(env)).unwrap_or_default()
}

fn log_problems(problems: Vec<ConfigProblem>) {
    log::event(Level::Error, "switched_off", &format!("{} problems in the configuration", problems.len()));
    for problem in problems {
        log::event(Level::Error, "configuration", &problem.to_string());
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge reads the system's random source")]
fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the runtime has a random source inside every event");
}
