//! Answers: the JSON of a success, the list envelope, and the `{"error": …}` of a refusal.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// What every handler gives back.
pub type Handled = Result<Response<Bytes>, Refusal>;

/// A refused request: a status and the words of its error envelope.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The message of the envelope.
    pub message: String,
    /// Headers beside the envelope (`Allow`).
    pub headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    /// A refusal without further headers.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), headers: Vec::new() }
    }

    /// 400: the request has the wrong shape or names something that is not there.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 401: who is calling is not established.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    /// 403: the caller is known and may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: there is no such thing for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 409: the thing is not in a state that allows this.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// The answer on the wire.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = json_response(self.status, &json!({ "error": self.message }));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// 200 with a JSON body.
pub fn ok(body: &Value) -> Response<Bytes> {
    json_response(StatusCode::OK, body)
}

/// 201 with a JSON body.
pub fn created(body: &Value) -> Response<Bytes> {
    json_response(StatusCode::CREATED, body)
}

/// 200 with the list envelope. `total` counts what matched, `items` holds what the limit left.
pub fn list(items: Vec<Value>, total: usize) -> Response<Bytes> {
    let mut body = json!({ "total": total });
    body["items"] = Value::Array(items);
    ok(&body)
}

/// 204.
pub fn no_content() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A JSON answer with the headers every API answer has.
pub fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    response
}

/// A moment as the API writes it: RFC 3339, UTC, whole seconds.
pub fn time(unix_seconds: i64) -> Value {
    match jiff::Timestamp::from_second(unix_seconds) {
        Ok(timestamp) => Value::String(timestamp.to_string()),
        Err(_) => Value::Null,
    }
}

/// A moment that may not have come.
pub fn time_or_null(unix_seconds: Option<i64>) -> Value {
    unix_seconds.map_or(Value::Null, time)
}
