//! Lines of the log: one JSON object each, with a fixed set of members. Whatever is absent was not so.

use super::policy::Level;
use super::{RequestRecord, Use};
use serde_json::{Map, Value, json};

impl RequestRecord {
    /// The record as a line.
    pub fn line(&self) -> String {
        let mut line = beginning(self.level(), "request");
        let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
        put("request_id", self.request_id.0.as_str().into());
        put("trace_id", self.trace.id().into());
        put("span_id", self.trace.span().into());
        if let Some(parent) = self.trace.parent() {
            put("parent_span_id", parent.into());
        }
        put("route", self.route.into());
        put("method", self.method.into());
        put("status", self.status.into());
        put("outcome", self.outcome.as_str().into());
        put("ms", self.milliseconds.into());
        put("d1", used(self.database));
        put("objects", used(self.objects));
        put("upstream", used(self.upstream));
        if let Some(asked) = self.asked {
            if !asked.era.is_empty() {
                put("era", asked.era.into());
            }
            put("asked", asked.method.into());
            if let Some(entry) = asked.entry {
                put("entry", entry.into());
            }
        }
        if let Some(asker) = &self.asker {
            put("client", asker.client.as_str().into());
            put("grant", asker.grant.as_str().into());
        }
        for (name, word) in [("reason", self.reason), ("limit", self.limit)] {
            if let Some(word) = word {
                put(name, word.into());
            }
        }
        if !self.notes.is_empty() {
            put("notes", self.notes.iter().map(String::as_str).collect());
        }
        Value::Object(line).to_string()
    }
}

/// A line about something that is no request.
pub fn event(level: Level, name: &str, message: &str) -> String {
    let mut line = beginning(level, name);
    line.insert("message".to_owned(), message.into());
    Value::Object(line).to_string()
}

fn beginning(level: Level, name: &str) -> Map<String, Value> {
    [("level".to_owned(), level.as_str().into()), ("event".to_owned(), name.into())].into_iter().collect()
}

fn used(port: Use) -> Value {
    let Use { count, failed, milliseconds, slowest_milliseconds } = port;
    let mut used = json!({ "count": count });
    if count > 0 {
        used["ms"] = milliseconds.into();
    }
    if count > 1 {
        used["slowest_ms"] = slowest_milliseconds.into();
    }
    if failed > 0 {
        used["failed"] = failed.into();
    }
    used
}
