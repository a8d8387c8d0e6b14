//! Request bodies: read after the head was accepted, and never beyond the limit of the route.

use super::browser;
use super::context::RequestContext;
use super::refused_request::RefusedRequest;
use super::reply::{self, Response};
use super::routes::{Audience, Route};
use crate::oauth::error::{RegistrationError, TokenError};
use crate::ports::{BodyError, RequestBody};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method, Request};

/// Why the body was not read.
pub(super) enum UnreadBody {
    Failed(BodyError),
    /// It is compressed: the name of the encoding (RFC 9110 8.4).
    Encoded(String),
}

impl From<BodyError> for UnreadBody {
    fn from(error: BodyError) -> Self {
        Self::Failed(error)
    }
}

/// Reads the body for the route's handler. Empty without POST, with another content type, and for a form that a page of another
/// site sends to a page of ours: the handler rejects these by their headers.
pub(super) async fn receive(
    ctx: &RequestContext<'_>,
    route: Route,
    body: &dyn RequestBody,
) -> Result<Bytes, UnreadBody> {
    let head = ctx.head;
    let is_accepted = route.audience() != Audience::Browser || browser::is_from_our_page(head, &ctx.app.config.issuer);
    if head.method() != Method::POST || !is_accepted || !has_wanted_type(route, head.headers()) {
        return Ok(Bytes::new());
    }
    match read(head, route, body).await {
        // To a person's form, whose handler has a page for one that is incomplete.
        Err(UnreadBody::Failed(BodyError::TooLarge)) if route.audience() == Audience::Browser => Ok(Bytes::new()),
        read => read,
    }
}

/// Reads the body, unless its announced length is over the limit.
pub(super) async fn read(head: &Request<()>, route: Route, body: &dyn RequestBody) -> Result<Bytes, UnreadBody> {
    let encoding = head.headers().get(CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()));
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(UnreadBody::Encoded(encoding.into_owned()));
    }
    let limit = route.body_limit();
    if announced_length(head.headers()).is_some_and(|length| length > limit) {
        return Err(BodyError::TooLarge.into());
    }
    let bytes = body.read(limit).await?;
    if bytes.len() > limit { Err(BodyError::TooLarge.into()) } else { Ok(bytes) }
}

/// The error response of the route for a body that was not read.
pub(super) fn refuse(ctx: &RequestContext<'_>, route: Route, error: UnreadBody) -> Response {
    let (reason, refused) = match error {
        UnreadBody::Failed(BodyError::TooLarge) => ("too_large", RefusedRequest::TooLarge(route.body_limit())),
        UnreadBody::Failed(BodyError::Broken) => ("broken_body", RefusedRequest::Unreadable),
        UnreadBody::Encoded(encoding) => ("encoded_body", RefusedRequest::Encoding(encoding)),
    };
    ctx.log.set_reason(reason);
    match (route, &refused) {
        (Route::Token | Route::Revoke, RefusedRequest::TooLarge(_)) => reply::token_error(&TokenError::MalformedBody),
        (Route::Register, RefusedRequest::TooLarge(_)) => reply::registration_error(RegistrationError::Malformed),
        _ => refused.into_response(Some(route)),
    }
}

fn has_wanted_type(route: Route, headers: &HeaderMap) -> bool {
    route.content_type().is_none_or(|wanted| browser::has_media_type(headers, wanted))
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
