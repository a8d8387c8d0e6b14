//! Responses: the JSON of a success, the list envelope, and the `{"error": …}` of a refusal.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

pub type Handled = Result<Response, ApiError>;

/// A refused request: a status and the message of its error envelope.
#[derive(Debug)]
pub struct ApiError(pub StatusCode, pub String);

impl ApiError {
    /// 400: the request is malformed or names a missing object.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }

    /// 401: the caller is not authenticated.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self(StatusCode::UNAUTHORIZED, message.into())
    }

    /// 403: the caller is known and may not do this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self(StatusCode::FORBIDDEN, message.into())
    }

    /// 404: missing, or not visible to this caller.
    pub fn not_found(what: &str) -> Self {
        Self(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// 409: the object's state does not allow this.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self(StatusCode::CONFLICT, message.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        respond(self.0, &json!({ "error": self.1 }))
    }
}

/// A JSON response with the header that every response of the API has.
pub fn respond(status: StatusCode, body: &Value) -> Response {
    // The keys of a `Value` are sorted, so responses are reproducible.
    let mut response = (status, axum::Json(body)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub fn created(body: &Value) -> Response {
    respond(StatusCode::CREATED, body)
}

pub fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

pub fn ok(body: &Value) -> Response {
    respond(StatusCode::OK, body)
}

/// The list envelope. `total` counts what matched, `items` holds what the limit left.
pub fn list(items: Vec<Value>, total: usize) -> Response {
    ok(&Value::from_iter([("items", Value::from(items)), ("total", total.into())]))
}

/// A list that is never cut: configuration is small.
pub fn list_all(items: impl Iterator<Item = Value>) -> Response {
    let items: Vec<Value> = items.collect();
    let total = items.len();
    list(items, total)
}

/// A time as the API writes it: RFC 3339, UTC, whole seconds.
pub fn time(unix_seconds: i64) -> Value {
    jiff::Timestamp::from_second(unix_seconds).map_or(Value::Null, |time| Value::String(time.to_string()))
}

pub fn time_or_null(unix_seconds: Option<i64>) -> Value {
    unix_seconds.map_or(Value::Null, time)
}

/// A document with further fields.
pub fn with(mut document: Value, fields: Value) -> Value {
    if let (Some(document), Value::Object(fields)) = (document.as_object_mut(), fields) {
        document.extend(fields);
    }
    document
}
