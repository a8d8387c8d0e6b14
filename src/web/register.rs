//! The registration endpoint (RFC 7591): stateless, for loopback clients.

use super::{Context, Response, reply};
use crate::oauth::error::RegistrationError;
use crate::oauth::registration;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;

/// Largest body read, in bytes.
const MAX_BODY_LENGTH: usize = 16 * 1024;

/// Registers a client.
pub(super) fn post(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    if !ctx.config.has_registration {
        return reply::not_found();
    }
    match register(ctx, request.body()) {
        Ok(client) => reply::json(StatusCode::CREATED, &client),
        Err(error) => {
            let body = json!({"error": error.code(), "error_description": error.to_string()});
            reply::json(StatusCode::BAD_REQUEST, &body)
        }
    }
}

fn register(ctx: &Context<'_>, body: &Bytes) -> Result<serde_json::Value, RegistrationError> {
    if body.len() > MAX_BODY_LENGTH {
        return Err(RegistrationError::Malformed);
    }
    registration::register(body, &ctx.config.client_keys, ctx.now.as_seconds())
}
