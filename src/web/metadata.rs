//! The metadata documents below `/.well-known/`.

use super::context::RequestContext;
use super::reply::{self, Response};
use crate::upstream::assertion;

/// Protected resource metadata (RFC 9728).
pub(super) fn protected_resource(ctx: &RequestContext<'_>) -> Response {
    reply::document(&ctx.endpoints().protected_resource())
}

/// Authorization server metadata (RFC 8414).
pub(super) fn authorization_server(ctx: &RequestContext<'_>) -> Response {
    reply::document(&ctx.endpoints().authorization_server())
}

/// The public keys that StatiBeat checks our assertions with (RFC 7517).
pub(super) fn assertion_keys(ctx: &RequestContext<'_>) -> Response {
    reply::document(&assertion::jwks(&ctx.app.config.assertion_keys))
}
