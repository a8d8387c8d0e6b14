//! Writes log lines to the console and data points to the Analytics Engine. A local server has no Analytics Engine, so
//! it writes points as log lines.

use crate::config::Config;
use crate::telemetry::metrics::MetricPoint;
use crate::telemetry::policy::Level;
use crate::telemetry::{RequestRecord, line};
use worker::{AnalyticsEngineDataPointBuilder, BlobType, Env};

/// The binding's name in wrangler.toml.
const BINDING: &str = "METRICS";

/// Writes what is to be known of a request.
pub fn record(config: &Config, env: &Env, record: &RequestRecord) {
    if config.log.keeps(record) {
        write(record.level(), &record.line());
    }
    let point = record.point();
    if config.is_local() {
        write(Level::Info, &point.line());
    } else if let Err(error) = send(env, &point) {
        event(Level::Warn, "metrics", &error.to_string());
    }
}

/// Writes a line about something that is no request.
pub fn event(level: Level, name: &str, message: &str) {
    write(level, &line::event(level, name, message));
}

fn write(level: Level, line: &str) {
    match level {
        Level::Info => worker::console_log!("{line}"),
        Level::Warn => worker::console_warn!("{line}"),
        Level::Error => worker::console_error!("{line}"),
    }
}

/// The engine takes points without an answer: nothing is waited for.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds, far below 2^53")]
fn send(env: &Env, point: &MetricPoint) -> worker::Result<()> {
    let words: Vec<BlobType> = point.words.iter().map(|word| (*word).into()).collect();
    let numbers: Vec<f64> = point.numbers.iter().map(|number| *number as f64).collect();
    let point = AnalyticsEngineDataPointBuilder::new().indexes([point.index]).blobs(words).doubles(numbers).build();
    env.analytics_engine(BINDING)?.write_data_point(&point)
}
