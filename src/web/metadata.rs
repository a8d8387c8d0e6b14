//! The metadata documents below `/.well-known/`.

use super::context::RequestContext;
use super::reply::{self, Response};
use crate::upstream::assertion;
use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use std::cell::OnceCell;

fn document(kept: &OnceCell<Bytes>, print: impl FnOnce() -> Bytes) -> Response {
    reply::document(kept.get_or_init(print).clone())
}

fn print(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document).unwrap_or_default().into()
}

/// Protected resource metadata (RFC 9728).
pub(super) fn protected_resource(ctx: &RequestContext<'_>) -> Response {
    document(&ctx.app.documents.protected_resource, || print(&ctx.endpoints().protected_resource()))
}

/// Authorization server metadata (RFC 8414).
pub(super) fn authorization_server(ctx: &RequestContext<'_>) -> Response {
    document(&ctx.app.documents.authorization_server, || print(&ctx.endpoints().authorization_server()))
}

/// The public keys that StatiBeat checks our assertions with (RFC 7517).
pub(super) async fn assertion_keys(ctx: &RequestContext<'_>) -> Response {
    let kept = &ctx.app.documents.assertion_keys;
    if let Some(known) = kept.get() {
        return reply::document(known.clone());
    }
    let Some(keys) = assertion::public_jwks(&ctx.app.config.assertion_keys, ctx.upstream.http).await else {
        return reply::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "error": "the keys cannot be computed now; try again" }),
        );
    };
    document(kept, || print(&keys))
}
