//! The registration endpoint (RFC 7591): stateless, for loopback clients.

use super::limits::{self, Sender, Verdict};
use super::{Context, Response, reply};
use crate::oauth::error::{RegistrationError, TokenError};
use crate::oauth::registration;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::json;

/// Largest body read, in bytes.
const MAX_BODY_LENGTH: usize = 16 * 1024;

/// Registers a client. While nobody can count registrations, there are none.
pub(super) async fn post(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    if !ctx.config.has_registration {
        return reply::not_found();
    }
    match limits::take(ctx, &limits::REGISTER, &Sender::of(request).bucket()).await {
        Verdict::Pass => {}
        Verdict::Wait(wait) => return reply::token_error(&TokenError::Limited(wait.as_secs())),
        Verdict::Unknown => return reply::token_error(&TokenError::Unavailable),
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
