//! The revocation endpoint (RFC 7009).

use super::context::RequestContext;
use super::limits::{self, Sender};
use super::reply::{self, Response};
use super::token::{end_grant, form, refuse};
use crate::oauth::error::TokenError;
use crate::oauth::secret::{AccessToken, RefreshToken};
use crate::oauth::token::TokenEndpoint;
use crate::storage::audit::{AuditId, AuditKind, RevokedAccess};
use crate::storage::grants::RevokeReason;
use crate::storage::tokens;
use http::StatusCode;

/// Revokes a grant by its refresh token, or a single access token. Every well-formed request is answered 200 (RFC 7009 2.2), so
/// that nobody learns whose token it was.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Response {
    match end(ctx, body).await {
        Ok(()) => reply::empty(StatusCode::OK),
        Err(error) => refuse(ctx, &error),
    }
}

async fn end(ctx: &RequestContext<'_>, body: &[u8]) -> Result<(), TokenError> {
    let resource = ctx.endpoints().resource;
    let endpoint = TokenEndpoint { clients: ctx.clients(), checksum_keys: ctx.checksum_keys(), resource: &resource };
    let form = form(ctx, body)?;
    if form.repeats_any(&["token", "token_type_hint", "client_id"]) {
        return Err(TokenError::RepeatedParameter);
    }
    let text = form.single("token").ok_or(TokenError::Missing("token"))?;
    let client_id = endpoint.parse_client_id(&form)?;
    if let Some(token) = RefreshToken::parse(text, ctx.checksum_keys()) {
        if let Some(grant) = tokens::find_grant_of_refresh(ctx.db, &token.hash(), &client_id).await? {
            end_grant(ctx, &grant, RevokeReason::Client, AuditKind::Revoke).await?;
        }
    } else if let Some(token) = AccessToken::parse(text, ctx.checksum_keys()) {
        let row =
            RevokedAccess { id: AuditId::new(ctx.random_bytes()), created_at: ctx.now, request_id: ctx.request_id };
        tokens::revoke_access(ctx.db, &token.hash(), &client_id, &row).await?;
    } else if let Some(wait) = limits::wait(ctx, &limits::BAD_REVOCATION, &Sender::counter(ctx)).await {
        return Err(TokenError::RateLimited(wait.as_secs()));
    }
    Ok(())
}
