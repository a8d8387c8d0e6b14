//! JSON-RPC 2.0 messages, read from bytes ([messages](https://modelcontextprotocol.io/specification/2026-07-28/basic);
//! JSON-RPC 2.0, sections 4 to 6).
//!
//! Only the structure is checked here; `version` decides the protocol version, `methods` performs the request.

use super::protocol_error::ProtocolError;
use super::surrogates;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

pub const JSON_RPC: &str = "2.0";

/// 2^53 - 1: beyond, a float is no longer one integer.
const LARGEST_EXACT_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A request's id: text or an integer, or `null` in an error whose request has none that can be read (JSON-RPC 2.0, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(Value);

/// A message that wants an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub id: Id,
    pub method: String,
    /// Empty if there were none.
    pub params: Map<String, Value>,
}

/// A message that wants no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub method: String,
    /// Empty if there were none; they may carry an envelope.
    pub params: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Request(Request),
    Notification(Notification),
    /// An answer to something that we never asked.
    Response,
}

/// Something that is no message.
#[derive(Clone, Debug, PartialEq)]
pub struct MalformedMessage {
    pub id: Id,
    pub error: ProtocolError,
}

impl Id {
    /// Some languages write an integer as a float (`1.0`): the same number, repeated as an integer.
    fn read(value: &Value) -> Option<Id> {
        if value.is_string() || value.is_i64() || value.is_u64() {
            return Some(Id(value.clone()));
        }
        let is_whole = |number: &f64| number.fract() == 0.0 && number.abs() <= LARGEST_EXACT_INTEGER;
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
        value.as_f64().filter(is_whole).map(|number| Id(Value::from(number as i64)))
    }

    pub const NULL: Id = Id(Value::Null);

    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

/// Parses the one message of a body. A batch (JSON-RPC 2.0, section 6) is rejected in every protocol version: only
/// 2025-03-26 has batches, and a check made once per HTTP request would not hold for each message.
///
/// A byte order mark in front is skipped, as RFC 8259 8.1 allows: Codex on Windows sends one.
pub fn parse(body: &[u8]) -> Result<Message, MalformedMessage> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    match serde_json::from_slice(body) {
        Err(error) => Err(match surrogates::find(body) {
            Some((half, content)) => MalformedMessage {
                id: Id::read(&content["id"]).unwrap_or(Id::NULL),
                error: ProtocolError::LoneSurrogate(half),
            },
            None => MalformedMessage { id: readable_id(body), error: ProtocolError::NotJson(error.to_string()) },
        }),
        Ok(Value::Array(items)) => Err(MalformedMessage { id: Id::NULL, error: ProtocolError::Batch(items.len()) }),
        Ok(value) => read(value),
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The id in an object that is broken in a later place or in another member.
fn readable_id(body: &[u8]) -> Id {
    let mut id = Id::NULL;
    // The error is that of the whole body.
    let _ = IdReader(&mut id).deserialize(&mut serde_json::Deserializer::from_slice(body));
    id
}

/// Keeps the id of an object, read up to where the object is broken.
struct IdReader<'a>(&'a mut Id);

impl<'de> DeserializeSeed<'de> for IdReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for IdReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == "id" {
                *self.0 = Id::read(&members.next_value()?).unwrap_or(Id::NULL);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

fn read(value: Value) -> Result<Message, MalformedMessage> {
    let Value::Object(mut fields) = value else {
        return Err(malformed(None, "not an object"));
    };
    let given_id = fields.remove("id");
    let id = given_id.as_ref().and_then(Id::read);
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(malformed(id, "jsonrpc is not \"2.0\""));
    }
    match (fields.remove("method"), given_id, id) {
        (Some(Value::String(method)), None, _) => {
            let params = object(fields.remove("params")).unwrap_or_default();
            Ok(Message::Notification(Notification { method, params }))
        }
        (Some(Value::String(method)), Some(_), Some(id)) => request(id, method, fields.remove("params")),
        (Some(Value::String(_)), Some(_), None) => Err(malformed(None, "the id is neither text nor an integer")),
        (Some(_), _, id) => Err(malformed(id, "the method is not text")),
        (None, _, _) if fields.contains_key("result") || fields.contains_key("error") => Ok(Message::Response),
        (None, _, id) => Err(malformed(id, "there is no method")),
    }
}

fn request(id: Id, method: String, params: Option<Value>) -> Result<Message, MalformedMessage> {
    match object(params) {
        Some(params) => Ok(Message::Request(Request { id, method, params })),
        None => Err(malformed(Some(id), "params is not an object")),
    }
}

/// Absent, `null` and an empty list, which is how PHP writes an object without members, are the same as empty.
fn object(params: Option<Value>) -> Option<Map<String, Value>> {
    match params {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Array(items)) if items.is_empty() => Some(Map::new()),
        Some(Value::Object(params)) => Some(params),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => None,
    }
}

fn malformed(id: Option<Id>, reason: &'static str) -> MalformedMessage {
    MalformedMessage { id: id.unwrap_or(Id::NULL), error: ProtocolError::NotARequest(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: &str, expected: Result<Message, (Option<Value>, ProtocolError)>) {
        let expected = expected.map_err(|(id, error)| MalformedMessage { id: id.map_or(Id::NULL, Id), error });
        assert_eq!(parse(body.as_bytes()), expected, "{body}");
    }

    fn request_of(id: Value, params: &Value) -> Message {
        let params = params.as_object().cloned().unwrap_or_default();
        Message::Request(Request { id: Id(id), method: "ping".to_owned(), params })
    }

    #[test]
    fn requests_are_read() {
        check(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Ok(request_of(json!(1), &json!({}))));
        check(r#"{"jsonrpc":"2.0","id":-1,"method":"ping","params":null}"#, Ok(request_of(json!(-1), &json!({}))));
        check(
            r#"{"jsonrpc":"2.0","id":"","method":"ping","params":{"a":1}}"#,
            Ok(request_of(json!(""), &json!({"a": 1}))),
        );
        check(
            r#" {"id":18446744073709551615,"method":"ping","jsonrpc":"2.0"}"#,
            Ok(request_of(json!(u64::MAX), &json!({}))),
        );
    }

    fn notification() -> Message {
        Message::Notification(Notification { method: "any".to_owned(), params: Map::new() })
    }

    #[test]
    fn a_message_without_an_id_wants_no_answer() {
        check(r#"{"jsonrpc":"2.0","method":"any"}"#, Ok(notification()));
        check(r#"{"jsonrpc":"2.0","method":"any","params":[1]}"#, Ok(notification()));
        check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Ok(Message::Response));
        check(r#"{"jsonrpc":"2.0","id":1,"error":{}}"#, Ok(Message::Response));
    }

    #[test]
    fn broken_json_is_rejected_with_its_place_and_a_readable_id() {
        let check = |body: &[u8], id: Value, reason: &str| {
            let error = ProtocolError::NotJson(reason.to_owned());
            assert_eq!(parse(body), Err(MalformedMessage { id: Id(id), error }), "{body:?}");
        };
        check(b"", Value::Null, "EOF while parsing a value at line 1 column 0");
        check(b"not json", Value::Null, "expected ident at line 1 column 2");
        check(b"{\"a\":1}x", Value::Null, "trailing characters at line 1 column 8");
        check("[".repeat(200).as_bytes(), Value::Null, "recursion limit exceeded at line 1 column 128");
        check(b"{\"id\":7,\n \"method\":}", json!(7), "expected value at line 2 column 11");
        check(b"{\"method\":\"\xff\",\"id\":\"a\"}", json!("a"), "invalid unicode code point at line 1 column 12");
        check(b"{\"id\":[1],\"method\"}", Value::Null, "expected `:` at line 1 column 19");
    }

    #[test]
    fn byte_order_mark_is_skipped() {
        check("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", Ok(request_of(json!(1), &json!({}))));
    }

    #[test]
    fn whole_number_written_as_a_float_is_an_id() {
        check(r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, Ok(request_of(json!(1), &json!({}))));
    }

    #[test]
    fn half_of_an_emoji_is_named_with_its_argument_and_the_id_behind_it() {
        let body = br#"{"jsonrpc":"2.0","method":"tools/call","params":{"arguments":{"title":"Slow \ud83d"}},"id":7}"#;
        let MalformedMessage { id, error } = parse(body).expect_err("half an emoji");
        assert_eq!(id.as_value(), &json!(7));
        let words = error.to_string();
        assert!(words.starts_with("Invalid arguments: \"title\" has \\ud83d at character 6, half of"), "{words}");
    }

    #[test]
    fn bad_shapes_say_why_and_repeat_a_readable_id() {
        let check = |body: &str, id: Option<Value>, reason: &'static str| {
            check(body, Err((id, ProtocolError::NotARequest(reason))));
        };
        check("null", None, "not an object");
        check("1", None, "not an object");
        check("\"ping\"", None, "not an object");
        check("{}", None, "jsonrpc is not \"2.0\"");
        check(r#"{"id":7,"method":"ping"}"#, Some(json!(7)), "jsonrpc is not \"2.0\"");
        check(r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#, Some(json!(7)), "jsonrpc is not \"2.0\"");
        check(r#"{"jsonrpc":"2.0"}"#, None, "there is no method");
        check(r#"{"jsonrpc":"2.0","id":7}"#, Some(json!(7)), "there is no method");
        check(r#"{"jsonrpc":"2.0","id":7,"method":1}"#, Some(json!(7)), "the method is not text");
        check(
            r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":[1]}"#,
            Some(json!("a")),
            "params is not an object",
        );
        for id in ["null", "1.5", "true", "[1]", "{}", "1e30"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            check(&body, None, "the id is neither text nor an integer");
        }
    }

    #[test]
    fn batch_is_rejected_with_its_length() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        for (body, length) in [("[]".to_owned(), 0), (format!("[{ping}]"), 1), (format!("[{ping},1,{ping}]"), 3)] {
            check(&body, Err((Some(Value::Null), ProtocolError::Batch(length))));
        }
    }
}
