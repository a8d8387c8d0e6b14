//! Text that is never part of a result: secret fields, and characters that a person would not see.
//!
//! Much upstream text can be written by outsiders (evidence, incident text, metadata). Characters that nobody sees
//! ([`crate::model::visible`]) can hide instructions from the person who watches the model, so all of them go.

use crate::model::visible::{clean, is_visible_ascii};
use serde_json::{Map, Value};
use std::mem;

/// Fields that are dropped wherever they stand, compared without case. None of them belongs to the offered surface;
/// they are here in case an upstream answer carries them.
const SENSITIVE: &[&str] = &[
    "access_token",
    "api_key",
    "api_token",
    "authorization",
    "client_secret",
    "cookie",
    "cookies",
    "credentials",
    "headers",
    "ingest_token",
    "ip_address",
    "password",
    "password_hash",
    "private_key",
    "refresh_token",
    "request_headers",
    "response_headers",
    "secret",
    "session",
    "set_cookie",
    "signing_secret",
    "token",
    "viewer_password",
    "webhook_secret",
    "webhook_url",
];

/// Drops sensitive fields and cleans every text, keys included. Iterative: depth costs no stack.
pub fn sanitize(value: &mut Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) if is_visible_ascii(text) => {}
            Value::String(text) => *text = clean(text),
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => {
                sanitize_names(fields);
                pending.extend(fields.values_mut());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Names are cleaned before they are compared, so that an invisible character cannot hide a sensitive one.
fn sanitize_names(fields: &mut Map<String, Value>) {
    if fields.keys().all(|name| is_visible_ascii(name) && !is_sensitive(name)) {
        return;
    }
    let named = mem::take(fields).into_iter().map(|(name, value)| (clean(&name), value));
    *fields = named.filter(|(name, _)| !is_sensitive(name)).collect();
}

fn is_sensitive(name: &str) -> bool {
    SENSITIVE.iter().any(|sensitive| sensitive.eq_ignore_ascii_case(name))
}

/// Words that precede a secret: the next word is redacted.
const ANNOUNCING: &[&str] = &["bearer", "basic", "authorization:", "cookie:", "set-cookie:", "x-api-key:", "password:"];
/// Text that precedes a secret within one word.
const NAMING: &[&str] = &["token=", "password=", "passwd=", "secret=", "api_key=", "apikey=", "key=", "session="];
/// Prefixes of well-known kinds of credentials.
const BEGINNINGS: &[&str] = &["eyJ", "sk_", "sk-", "ghp_", "gho_", "xoxb-", "xoxp-", "AKIA"];
const REDACTED: &str = "[redacted]";

/// The text without what looks like a credential. Monitored systems print such things; nobody reading needs them.
pub fn redact(text: &str) -> String {
    let mut is_next_secret = false;
    let words = text.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        let announces = ANNOUNCING.iter().any(|name| word.to_ascii_lowercase().ends_with(name));
        let is_secret = mem::replace(&mut is_next_secret, announces) && !announces && !word.is_empty();
        let shown = if is_secret { REDACTED.to_owned() } else { redact_word(word) };
        shown + &piece[word.len()..]
    });
    words.collect()
}

fn redact_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let named = NAMING.iter().filter_map(|name| Some(lower.find(name)? + name.len())).min();
    if let Some(at) = named.filter(|at| *at < word.len()) {
        return format!("{}{REDACTED}", &word[..at]);
    }
    let is_credential = |beginning: &&str| word.starts_with(*beginning) && word.len() >= 16;
    if BEGINNINGS.iter().any(is_credential) { REDACTED.to_owned() } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn credential_shaped_text_is_redacted() {
        for (given, shown) in [
            ("sent Authorization: Bearer abc.def now", "sent Authorization: Bearer [redacted] now"),
            ("GET /x?token=abc&a=b failed", "GET /x?token=[redacted] failed"),
            ("Cookie: sid=1;\nnext", "Cookie: [redacted]\nnext"),
            ("key eyJhbGciOiJIUzI1NiJ9.x.y used", "key [redacted] used"),
            ("the token expired", "the token expired"),
        ] {
            assert_eq!(redact(given), shown);
        }
    }

    #[test]
    fn sensitive_fields_go_at_every_depth_and_in_every_spelling() {
        let mut value = json!({
            "name": "API", "Token": "t", "to\u{200b}ken": "t", "token_count": 3,
            "list": [{ "request_headers": { "a": 1 }, "kept": [{ "PASSWORD": 1 }] }],
        });
        sanitize(&mut value);
        assert_eq!(value, json!({ "name": "API", "token_count": 3, "list": [{ "kept": [{}] }] }));
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut value = json!("x\u{200b}");
        for _ in 0..20_000 {
            value = Value::Array(vec![value]);
        }
        sanitize(&mut value);
        while let Value::Array(mut items) = value {
            value = items.pop().expect("each level holds one value");
        }
        assert_eq!(value, json!("x"));
    }
}
