//! Responses: JSON, HTML, redirects and challenges, each with the headers it always carries.

use crate::model::scope::ScopeSet;
use crate::oauth::error::{RegistrationError, TokenError, bearer};
use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, LOCATION, PRAGMA, REFERRER_POLICY, RETRY_AFTER, STRICT_TRANSPORT_SECURITY, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

pub type Response = http::Response<Bytes>;

/// Request headers allowed from other origins; `*` would not cover `Authorization`.
const CORS_REQUEST_HEADERS: &str = "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, Last-Event-ID, Traceparent";
/// Response headers readable from other origins.
const CORS_RESPONSE_HEADERS: &str = "WWW-Authenticate, Retry-After, Mcp-Session-Id, X-Request-Id";

/// A response without a body, never cached.
pub fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

/// A JSON response that must not be cached (RFC 6749 5.1).
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    json_bytes(status, serde_json::to_vec(body).unwrap_or_default())
}

/// The same with a body that is already serialized.
pub fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = empty(status);
    *response.body_mut() = body.into();
    set(&mut response, CONTENT_TYPE, "application/json");
    set(&mut response, PRAGMA, "no-cache");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A file in CSV (RFC 4180) to save under that name, which is plain ASCII.
pub fn csv(file_name: &str, text: String) -> Response {
    let mut response = empty(StatusCode::OK);
    *response.body_mut() = Bytes::from(text);
    set(&mut response, CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
    set(&mut response, CONTENT_DISPOSITION, &format!("attachment; filename=\"{file_name}\""));
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

/// A public JSON document that may be cached for five minutes.
pub fn document(body: Bytes) -> Response {
    let mut response = json_bytes(StatusCode::OK, body);
    response.headers_mut().remove(PRAGMA);
    set(&mut response, CACHE_CONTROL, "public, max-age=300");
    response
}

/// A public file that may be cached for a day.
pub fn public(kind: &'static str, content: Bytes) -> Response {
    let mut response = empty(StatusCode::OK);
    *response.body_mut() = content;
    set(&mut response, CONTENT_TYPE, kind);
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, CACHE_CONTROL, "public, max-age=86400");
    response
}

/// Hashes of the inline elements that a page's policy allows.
pub struct InlineHashes {
    pub style: String,
    pub script: String,
}

/// A page (RFC 9700 4.2.4, 4.16): no other script than ours, no frame, no foreign resource, no referrer. No
/// `Cross-Origin-Opener-Policy`: a client that opened the flow in a popup must find its opener again.
pub fn html(status: StatusCode, allowed: &InlineHashes, page: String) -> Response {
    let InlineHashes { style, script } = allowed;
    let mut response = empty(status);
    *response.body_mut() = Bytes::from(page);
    let policy = format!(
        "default-src 'none'; img-src 'self'; style-src {style}; script-src {script}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    set(&mut response, CONTENT_TYPE, "text/html; charset=utf-8");
    set(&mut response, CONTENT_SECURITY_POLICY, &policy);
    set(&mut response, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    set(&mut response, X_FRAME_OPTIONS, "DENY");
    set(&mut response, REFERRER_POLICY, "no-referrer");
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    response
}

/// Sets the referrer policy of a page with a form: under `no-referrer`, browsers send our own forms with `Origin:
/// null`, which proves nothing. Under `same-origin`, other sites still get no referrer.
pub fn name_origin_to_ourselves(response: &mut Response) {
    set(response, REFERRER_POLICY, "same-origin");
}

/// 302 after a GET, 303 after a POST; never 307 or 308, which would send a body along (RFC 9700 4.12).
pub fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = empty(status);
    set(&mut response, LOCATION, location);
    set(&mut response, REFERRER_POLICY, "no-referrer");
    response
}

pub fn preflight(allowed: &[Method]) -> Response {
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let mut response = empty(StatusCode::NO_CONTENT);
    set(&mut response, ACCESS_CONTROL_ALLOW_METHODS, &names.join(", "));
    set(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, CORS_REQUEST_HEADERS);
    set(&mut response, ACCESS_CONTROL_MAX_AGE, "86400");
    response
}

/// Lets clients of any origin read the response. Without credentials: their routes ignore cookies.
pub fn allow_any_origin(response: &mut Response) {
    set(response, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(response, ACCESS_CONTROL_EXPOSE_HEADERS, CORS_RESPONSE_HEADERS);
}

/// A refused token or revocation request (RFC 6749 5.2).
pub fn token_error(error: &TokenError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &json!({"error": error.code(), "error_description": error.description()}));
    match error {
        TokenError::BasicAuthentication => {
            set(&mut response, WWW_AUTHENTICATE, r#"Basic realm="StatiBeat Hosted MCP""#);
        }
        TokenError::Unavailable | TokenError::Storage(_) => retry_after(&mut response, Duration::from_secs(5)),
        TokenError::RateLimited(seconds) => retry_after(&mut response, Duration::from_secs(*seconds)),
        _ => {}
    }
    response
}

/// A refused registration (RFC 7591 3.2.2).
pub fn registration_error(error: RegistrationError) -> Response {
    json(StatusCode::BAD_REQUEST, &json!({"error": error.code(), "error_description": error.to_string()}))
}

/// Reason for a bearer challenge (RFC 6750 3.1).
pub enum Challenge {
    /// A request without credentials gets no error code.
    NoToken,
    InvalidRequest,
    /// Unknown, expired or revoked token.
    InvalidToken,
    /// The union of the scopes that the operation needs and the token has.
    InsufficientScope(ScopeSet),
}

/// A challenge (RFC 6750 3, RFC 9728 5.1). Clients read it with simple patterns: scheme first, and neither `scope=` nor
/// `error=` inside a description.
pub fn challenge(challenge: &Challenge, metadata_url: &str) -> Response {
    let (status, error, scopes) = match challenge {
        Challenge::NoToken => (StatusCode::UNAUTHORIZED, None, ScopeSet::baseline()),
        Challenge::InvalidRequest => {
            let words = "send one Authorization header with one bearer token";
            (StatusCode::BAD_REQUEST, Some((bearer::INVALID_REQUEST, words)), ScopeSet::baseline())
        }
        Challenge::InvalidToken => {
            let words = "the access token is not valid here or has ended";
            (StatusCode::UNAUTHORIZED, Some((bearer::INVALID_TOKEN, words)), ScopeSet::baseline())
        }
        Challenge::InsufficientScope(scopes) => {
            let words = "the user has not allowed this: connect again, and they can allow it on the consent page";
            (StatusCode::FORBIDDEN, Some((bearer::INSUFFICIENT_SCOPE, words)), *scopes)
        }
    };
    let error_part = error.map(|(code, words)| format!(r#"error="{code}", error_description="{words}", "#));
    let error_part = error_part.unwrap_or_default();
    let value = format!(r#"Bearer {error_part}resource_metadata="{metadata_url}", scope="{scopes}""#);
    let body = match error {
        Some((code, words)) => json!({"error": code, "error_description": words, "scope": scopes.to_string()}),
        None => json!({"error_description": "sign in to StatiBeat to use this endpoint"}),
    };
    let mut response = json(status, &body);
    set(&mut response, WWW_AUTHENTICATE, &value);
    response
}

pub fn unavailable(wait: Duration) -> Response {
    let mut response = json(StatusCode::SERVICE_UNAVAILABLE, &json!({"error": "try again later"}));
    retry_after(&mut response, wait);
    response
}

/// Sets `Retry-After` in whole seconds, at least one.
pub fn retry_after(response: &mut Response, wait: Duration) {
    set(response, RETRY_AFTER, &wait.as_secs().max(1).to_string());
}

pub fn vary_by_caller(response: &mut Response) {
    set(response, VARY, "Authorization, Origin");
}

/// Sets a header. A value that is no legal header value is left out: all of ours are legal.
pub fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
