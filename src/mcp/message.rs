//! JSON-RPC 2.0 messages, read from bytes ([messages](https://modelcontextprotocol.io/specification/2026-07-28/basic);
//! JSON-RPC 2.0, sections 4 to 6).
//!
//! Only the shape is judged here. Which version a request speaks is `version`'s business, and what it asks for is
//! `methods`'.

use super::protocol_error::ProtocolError;
use serde_json::{Map, Value};

pub const JSON_RPC: &str = "2.0";

/// A request's id: text or an integer. `null` stands only in the error that answers a batch.
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
    /// Its id, if that much could be read.
    pub id: Option<Id>,
    pub error: ProtocolError,
}

impl Id {
    fn read(value: &Value) -> Option<Id> {
        let valid = value.is_string() || value.is_i64() || value.is_u64();
        valid.then(|| Id(value.clone()))
    }

    /// JSON-RPC 2.0, section 5: `null` where no single id can be named.
    const NULL: Id = Id(Value::Null);

    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

/// Parses the one message that a body holds. A batch (JSON-RPC 2.0, section 6) is rejected in every protocol version:
/// only 2025-03-26 has batches, and a check made once per HTTP request would not hold for each of its messages.
pub fn parse(body: &[u8]) -> Result<Message, MalformedMessage> {
    match serde_json::from_slice(body) {
        Err(_) => Err(MalformedMessage { id: None, error: ProtocolError::NotJson }),
        Ok(Value::Array(items)) => {
            Err(MalformedMessage { id: Some(Id::NULL), error: ProtocolError::Batch(items.len()) })
        }
        Ok(value) => read(value),
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

/// Absent and `null` are the same as empty.
fn object(params: Option<Value>) -> Option<Map<String, Value>> {
    match params {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(params)) => Some(params),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => None,
    }
}

fn malformed(id: Option<Id>, reason: &'static str) -> MalformedMessage {
    MalformedMessage { id, error: ProtocolError::NotARequest(reason) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(body: &str, expected: Result<Message, (Option<Value>, ProtocolError)>) {
        let expected = expected.map_err(|(id, error)| MalformedMessage { id: id.map(Id), error });
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
    fn what_is_not_json_is_told_from_what_is_not_a_request() {
        for body in ["", "{", "not json", "{\"a\":1}x", "\u{feff}{}", &"[".repeat(200)] {
            check(body, Err((None, ProtocolError::NotJson)));
        }
        assert!(parse(b"\"\xff\"").is_err_and(|malformed| malformed.error == ProtocolError::NotJson));
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
        check(r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":[]}"#, Some(json!("a")), "params is not an object");
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
