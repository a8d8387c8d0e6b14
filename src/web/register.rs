//! The registration endpoint (RFC 7591): stateless, for loopback clients.

use super::browser::has_media_type;
use super::context::RequestContext;
use super::limits::{self, LimitDecision};
use super::refused_clients;
use super::refused_request::RefusedRequest;
use super::reply::{self, Response};
use crate::oauth::client::refused::RefusedClient;
use crate::oauth::client::registration;
use crate::oauth::error::{RegistrationError, TokenError};
use http::StatusCode;

/// Registers a client. While the limiter is down, nobody can register.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Response {
    if !ctx.app.config.has_registration {
        return RefusedRequest::not_found(ctx).into_response(None);
    }
    // No page of another site can send this type without a preflight, so its requests are rejected before they are counted.
    if !has_media_type(ctx.head.headers(), "application/json") {
        return reply::registration_error(RegistrationError::ContentType);
    }
    let registered = registration::register(body, &ctx.app.config.client_keys, ctx.now.as_seconds());
    let id = registered.as_ref().ok().and_then(|client| client["client_id"].as_str());
    match limits::take_registration(ctx, id.unwrap_or(&String::from_utf8_lossy(body))).await {
        LimitDecision::Pass => {}
        LimitDecision::Wait(wait) => return reply::token_error(&TokenError::RateLimited(wait.as_secs())),
        LimitDecision::Unknown => return reply::token_error(&TokenError::Unavailable),
    }
    match registered {
        Ok(client) => reply::json(StatusCode::CREATED, &client),
        Err(error) => {
            refused_clients::remember(ctx, RefusedClient::at_registration(body)).await;
            reply::registration_error(error)
        }
    }
}
