//! Writes log lines to the console and data points to the Analytics Engine. A local server has no Analytics Engine, so
//! it writes points as log lines.

use crate::config::Config;
use crate::telemetry::metrics::MetricPoint;
use crate::telemetry::policy::Level;
use crate::telemetry::{RequestRecord, line};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = writeLine)]
    fn write_line(level: &str, line: &str);

    /// Gives a data point to the binding `METRICS`. The engine takes it without an answer: nothing is waited for. Returns the message
    /// of an error.
    #[wasm_bindgen(js_namespace = statibeat, js_name = writePoint)]
    fn write_point(env: &JsValue, point: &str) -> Option<String>;
}

/// Writes what is to be known of a request.
pub fn record(config: &Config, env: &Env, record: &RequestRecord) {
    if config.log.keeps(record) {
        write(record.level(), &record.line());
    }
    if config.is_local() {
        if config.logs_points {
            write(Level::Info, &record.point().line());
        }
    } else if let Some(message) = write_point(env, &data_point(&record.point())) {
        event(Level::Warn, "metrics", &message);
    }
}

/// Writes a line about something that is no request.
pub fn event(level: Level, name: &str, message: &str) {
    write(level, &line::event(level, name, message));
}

fn write(level: Level, line: &str) {
    write_line(level.as_str(), line);
}

/// The point as the engine takes it.
fn data_point(point: &MetricPoint) -> String {
    let point = DataPoint { indexes: [point.index], blobs: &point.words, doubles: &point.numbers };
    serde_json::to_string(&point).unwrap_or_default()
}

#[derive(Serialize)]
struct DataPoint<'a> {
    indexes: [&'a str; 1],
    blobs: &'a [&'static str],
    doubles: &'a [u64],
}
