//! Values that no line of the log may hold, looked for after every request of every test here: what the sender keeps secret, what
//! the answer hands out, what people wrote.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use statibeat_mcp::catalog::prompts::PROMPTS;
use statibeat_mcp::catalog::resources::RESOURCES;
use statibeat_mcp::catalog::tools::all_tools;
use statibeat_mcp::telemetry::RequestRecord;
use statibeat_mcp::telemetry::metrics::MetricPoint;

/// Shorter texts occur by chance.
const SHORTEST: usize = 8;

/// Every member that a line may have.
const MEMBERS: &str = "level event request_id trace_id span_id parent_span_id route method status outcome ms d1 objects \
                       upstream upstream_spans protocol_version rpc_method entry client grant reason limit notes";

/// Checks the line and the point that the request left.
pub fn check(request: &Request<Bytes>, response: &Response<Bytes>, record: &RequestRecord) {
    let line = record.line();
    assert!(!line.contains('\n'), "one line: {line}");
    let parsed: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    for member in parsed.as_object().expect("an object").keys() {
        assert!(MEMBERS.split(' ').any(|known| known == member), "{member} in {line}");
    }
    let MetricPoint { words, .. } = record.point();
    // Ids are named on purpose.
    let mut free_of_ids = record.clone();
    free_of_ids.caller = None;
    let seen = format!("{} {}", free_of_ids.line(), words.join(" "));
    for (what, text) in forbidden(request, response) {
        // A reason is a constant of ours by its type; as an OAuth error code it also goes to the client.
        if record.reason == Some(&text) {
            continue;
        }
        // A form names the page of ours to come back to, which may be above the route.
        if text == "/mcp/admin" {
            continue;
        }
        assert!(!seen.contains(&text), "{what} {text:?} is in the log: {line}");
    }
}

fn forbidden(request: &Request<Bytes>, response: &Response<Bytes>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let pairs = |text: &[u8]| form_urlencoded::parse(text).map(|(_, value)| value.into_owned()).collect::<Vec<_>>();
    if let Some(query) = request.uri().query() {
        found.push(("a query", query.to_owned()));
        found.extend(pairs(query.as_bytes()).into_iter().map(|value| ("a parameter", value)));
    }
    found.extend(headers(request.headers()));
    found.extend(headers(response.headers()));
    match serde_json::from_slice::<Value>(request.body()) {
        Ok(message) => {
            let mut texts = Vec::new();
            let messages = message.as_array().map_or(std::slice::from_ref(&message), Vec::as_slice);
            for message in messages {
                collect(message.pointer("/params/arguments").unwrap_or(&Value::Null), &mut texts);
            }
            found.extend(texts.into_iter().map(|text| ("an argument", text)));
        }
        Err(_) => found.extend(pairs(request.body()).into_iter().map(|value| ("a form field", value))),
    }
    if let Ok(answer) = serde_json::from_slice::<Value>(response.body()) {
        for secret in ["access_token", "refresh_token"] {
            found.extend(answer[secret].as_str().map(|token| ("a token", token.to_owned())));
        }
        let mut texts = Vec::new();
        collect(&answer["result"]["contents"], &mut texts);
        collect(&answer["result"]["content"], &mut texts);
        found.extend(texts.into_iter().map(|text| ("a result", text)));
    }
    found.retain(|(_, text)| text.chars().count() >= SHORTEST && !is_ours(text));
    found
}

/// Words of the protocols and names in the catalog, which senders and our own lines share.
fn is_ours(text: &str) -> bool {
    let public = ["authorization_code", "refresh_token", "application/json", "access_token"];
    let names = RESOURCES.iter().map(|entry| entry.name);
    let mut names = names.chain(all_tools().map(|tool| tool.name)).chain(PROMPTS.iter().map(|prompt| prompt.name));
    public.contains(&text) || names.any(|name| name == text)
}

fn headers(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    let secret = headers.iter().filter(|(name, _)| [AUTHORIZATION, COOKIE, SET_COOKIE, LOCATION].contains(name));
    secret
        .flat_map(|(_, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let parts: Vec<_> = text.split([' ', ';', '=', '&', '?']).map(str::to_owned).collect();
            parts
        })
        .map(|part| ("a header", part))
        .collect()
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
