//! Request bodies: read after the head was accepted, and never beyond the limit of the route.

use super::browser;
use super::context::RequestContext;
use super::reply::{self, Response};
use super::routes::{Audience, Route};
use crate::oauth::error::{RegistrationError, TokenError};
use crate::ports::{BodyError, RequestBody};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request};

/// Reads the body for the route's handler. Empty without POST, with another content type, and for a form that a page of another
/// site sends to a page of ours: the handler rejects these by their headers.
pub(super) async fn receive(
    ctx: &RequestContext<'_>,
    route: Route,
    body: &dyn RequestBody,
) -> Result<Bytes, BodyError> {
    let head = ctx.head;
    let is_accepted = route.audience() != Audience::Browser || browser::is_from_our_page(head, &ctx.app.config.issuer);
    if head.method() != Method::POST || !is_accepted || !has_wanted_type(route, head.headers()) {
        return Ok(Bytes::new());
    }
    match read(head, route, body).await {
        // To a person's form, whose handler has a page for one that is incomplete.
        Err(BodyError::TooLarge) if route.audience() == Audience::Browser => Ok(Bytes::new()),
        read => read,
    }
}

/// Reads the body, unless its announced length is over the limit.
pub(super) async fn read(head: &Request<()>, route: Route, body: &dyn RequestBody) -> Result<Bytes, BodyError> {
    let limit = route.body_limit();
    if announced_length(head.headers()).is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    let bytes = body.read(limit).await?;
    if bytes.len() > limit { Err(BodyError::TooLarge) } else { Ok(bytes) }
}

/// The error response of the route for a body that was not read.
pub(super) fn refuse(ctx: &RequestContext<'_>, route: Route, error: BodyError) -> Response {
    match error {
        BodyError::TooLarge => {
            ctx.log.set_reason("too_large");
            match route {
                Route::Token | Route::Revoke => reply::token_error(&TokenError::MalformedBody),
                Route::Register => reply::registration_error(RegistrationError::Malformed),
                _ => reply::too_large(route.body_limit()),
            }
        }
        BodyError::Broken => {
            ctx.log.set_reason("broken_body");
            reply::unreadable()
        }
    }
}

fn has_wanted_type(route: Route, headers: &HeaderMap) -> bool {
    route.content_type().is_none_or(|wanted| browser::has_media_type(headers, wanted))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
