//! A request as a data point of the metrics (Workers Analytics Engine): one index, text columns and numeric columns.
//!
//! `docs/metrics.md` explains every column and is compared with [`WORDS`] and [`NUMBERS`]. The meaning of a column
//! never changes, because old data points stay; new columns are appended.

use super::RequestRecord;
use super::policy::Level;
use serde_json::{Map, Value};

pub struct MetricColumn<T> {
    /// The column's name in queries.
    pub name: &'static str,
    pub meaning: &'static str,
    value: fn(&RequestRecord) -> T,
}

const fn column<T>(name: &'static str, meaning: &'static str, value: fn(&RequestRecord) -> T) -> MetricColumn<T> {
    MetricColumn { name, meaning, value }
}

/// `blob1`, `blob2`, …
pub const WORDS: [MetricColumn<&'static str>; 9] = [
    column(
        "kind",
        "kind of request: read, list, prompt, write, protocol, document (metadata), oauth, admin or other",
        RequestRecord::kind,
    ),
    column("outcome", "answered, refused, failed or unknown", |record| record.outcome.as_str()),
    column("reason", "reason for the outcome, one of a fixed list; empty if there is none", |record| {
        record.reason.unwrap_or_default()
    }),
    column("limit", "limit that was reached; empty if none", |record| record.limit.unwrap_or_default()),
    column("route", "path of the route; none for an unknown path", |record| record.route),
    column("rpc_method", "MCP method, or grant type at the token endpoint", |record| {
        record.message.map_or("", |message| message.method)
    }),
    column("entry", "name of the tool, prompt or resource", |record| {
        record.message.and_then(|message| message.entry).unwrap_or_default()
    }),
    column("protocol_version", "MCP protocol version", |record| {
        record.message.map_or("", |message| message.protocol_version)
    }),
    column("method", "HTTP method", |record| record.method),
];

/// `double1`, `double2`, …
pub const NUMBERS: [MetricColumn<u64>; 10] = [
    column("status", "HTTP status", |record| record.status.into()),
    column("ms", "duration of the request in milliseconds", |record| record.milliseconds),
    column("d1", "number of D1 batches", |record| record.database.count.into()),
    column("d1_ms", "time spent waiting for D1", |record| record.database.milliseconds),
    column("objects", "number of Durable Object calls", |record| record.objects.count.into()),
    column("objects_ms", "time spent waiting for Durable Objects", |record| record.objects.milliseconds),
    column("upstream", "number of requests to StatiBeat", |record| record.upstream.count.into()),
    column("upstream_ms", "time spent waiting for StatiBeat, summed over the requests", |record| {
        record.upstream.milliseconds
    }),
    column("upstream_slowest_ms", "time of the slowest request to StatiBeat", |record| {
        record.upstream.slowest_milliseconds
    }),
    column("upstream_failed", "number of requests to StatiBeat without a response, or with 5xx", |record| {
        record.upstream.failed.into()
    }),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricPoint {
    /// The sampling index: the kind of request.
    pub index: &'static str,
    /// In the order of [`WORDS`].
    pub words: Vec<&'static str>,
    /// In the order of [`NUMBERS`].
    pub numbers: Vec<u64>,
}

impl MetricPoint {
    /// The data point as a log line, by column name.
    pub fn line(&self) -> String {
        let words = WORDS.iter().map(|place| place.name).zip(self.words.iter().map(|word| (*word).into()));
        let numbers = NUMBERS.iter().map(|place| place.name).zip(self.numbers.iter().map(|number| (*number).into()));
        let members = [("level", Level::Info.as_str().into()), ("event", "point".into())];
        let members = members.into_iter().chain(words).chain(numbers);
        let line: Map<String, Value> = members.map(|(name, value)| (name.to_owned(), value)).collect();
        Value::Object(line).to_string()
    }
}

impl RequestRecord {
    /// The record as a point.
    pub fn point(&self) -> MetricPoint {
        MetricPoint {
            index: self.kind(),
            words: WORDS.iter().map(|place| (place.value)(self)).collect(),
            numbers: NUMBERS.iter().map(|place| (place.value)(self)).collect(),
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        let Some(message) = self.message else { return self.area };
        match message.method {
            "resources/read" => "read",
            "tools/call" => "write",
            "prompts/get" => "prompt",
            "authorization_code" | "refresh_token" => "oauth",
            "tools/list" | "resources/list" | "resources/templates/list" | "prompts/list" => "list",
            _ => "protocol",
        }
    }
}
