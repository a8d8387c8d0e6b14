//! The token endpoint (RFC 6749 3.2).
//!
//! Parses, loads, decides, checks the person at StatiBeat, commits, responds. A database failure is always
//! `temporarily_unavailable`, so that an outage never makes a client drop its credentials.

use super::context::RequestContext;
use super::limits::{self, Sender};
use super::reply::{self, Response};
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::oauth::error::{InvalidGrantReason, TokenError};
use crate::oauth::grant::{ACCESS_TOKEN_LIFETIME, CodeRecord, Grant, REFRESH_TOKEN_LIFETIME, RefreshRecord, Rotation};
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::{AccessToken, AuthorizationCode, RefreshToken, SecretHash};
use crate::oauth::token::{
    self, CodeDecision, CodeRequest, RefreshDecision, RefreshRequest, TokenEndpoint, TokenRequest, TokenResponse,
};
use crate::ports::DatabaseError;
use crate::storage::Redemption;
use crate::storage::audit::{self, AuditId, AuditKind, Entry};
use crate::storage::diagnostics::RejectedRefresh;
use crate::storage::grants::{self, RevokeReason};
use crate::storage::tokens::{self, NewTokens};
use crate::storage::usage::UsageEvent;
use crate::telemetry::LoggedMessage;
use crate::upstream::{ApiErrorKind, identity};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use std::time::Duration;

impl From<DatabaseError> for TokenError {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error.0)
    }
}

/// Issues tokens for a code or a refresh token.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Response {
    match exchange(ctx, body).await {
        Ok(answer) => reply::json(StatusCode::OK, &answer),
        Err(TokenRefusal { mut error, rejected }) => {
            let wait = if error.is_caused_by_sender() { count_failure(ctx, body).await } else { None };
            // Over a limit, nothing is written either.
            let counted = rejected.filter(|_| wait.is_none());
            if let Some(wait) = wait {
                error = TokenError::RateLimited(wait.as_secs());
            }
            let mut response = refuse(ctx, &error);
            if let Some(refused) = counted {
                response.extensions_mut().insert(UsageEvent::RejectedRefresh(*refused));
            }
            response
        }
    }
}

/// A token error, and the rejected refresh where its grant is known, for the diagnostics of the connection.
struct TokenRefusal {
    error: TokenError,
    rejected: Option<Box<RejectedRefresh>>,
}

impl<E: Into<TokenError>> From<E> for TokenRefusal {
    fn from(error: E) -> Self {
        Self { error: error.into(), rejected: None }
    }
}

impl TokenRefusal {
    fn of_grant(ctx: &RequestContext<'_>, grant: &Grant, error: TokenError) -> Self {
        let (user_id, client_id) = (grant.user_id.clone(), grant.client_id.clone());
        let refused = RejectedRefresh { user_id, client_id, reason: error.reason(), rejected_at: ctx.now };
        Self { error, rejected: Some(Box::new(refused)) }
    }
}

/// Charges a failure to its sender and to the code or token of the request. Over a limit the response only gives the
/// wait, and the code or token is unchanged. Successes are not charged: they need a secret, and services share
/// addresses.
///
/// Charged after the decision on purpose: a limit before it could be used up by the holder of a stolen code or token,
/// and then hide the replay that must revoke the grant; and other senders' failures would block valid tokens. Tokens
/// without a valid checksum are rejected before it, without a query.
async fn count_failure(ctx: &RequestContext<'_>, body: &[u8]) -> Option<Duration> {
    let of_address = if Sender::from_head(ctx.head).is_shared() {
        None
    } else {
        limits::wait(ctx, &limits::TOKEN_FAILURES_OF_ADDRESS, &Sender::counter(ctx)).await
    };
    let of_credential = match presented(ctx, body) {
        Some(hash) => limits::wait(ctx, &limits::TOKEN_FAILURES_OF_CREDENTIAL, hash.as_str()).await,
        None => None,
    };
    of_address.max(of_credential)
}

/// Hash of the genuine code or refresh token in the request.
fn presented(ctx: &RequestContext<'_>, body: &[u8]) -> Option<SecretHash> {
    let form = form(ctx, body).ok()?;
    let code = || Some(AuthorizationCode::parse(form.one("code").ok()??, ctx.checksum_keys())?.hash());
    let token = || Some(RefreshToken::parse(form.one("refresh_token").ok()??, ctx.checksum_keys())?.hash());
    code().or_else(token)
}

pub(super) fn refuse(ctx: &RequestContext<'_>, error: &TokenError) -> Response {
    ctx.log.set_reason(error.word());
    if let TokenError::Storage(reason) = error {
        ctx.log.note(&format!("token endpoint: {reason}"));
    }
    reply::token_error(error)
}

pub(super) fn form(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Parameters, TokenError> {
    let texts = |name| ctx.head.headers().get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let content_types: Vec<&str> = texts(CONTENT_TYPE).collect();
    token::parse_form(&content_types, texts(AUTHORIZATION).next(), body)
}

async fn exchange(ctx: &RequestContext<'_>, body: &[u8]) -> Result<TokenResponse, TokenRefusal> {
    let resource = ctx.endpoints().resource;
    let endpoint = TokenEndpoint { clients: ctx.clients(), checksum_keys: ctx.checksum_keys(), resource: &resource };
    match endpoint.parse(&form(ctx, body)?)? {
        TokenRequest::Code(request) => {
            ctx.log.set_message(LoggedMessage { protocol_version: "", method: "authorization_code", entry: None });
            Ok(redeem(ctx, &request).await?)
        }
        TokenRequest::Refresh(request) => {
            ctx.log.set_message(LoggedMessage { protocol_version: "", method: "refresh_token", entry: None });
            refresh(ctx, &request).await
        }
    }
}

async fn redeem(ctx: &RequestContext<'_>, request: &CodeRequest) -> Result<TokenResponse, TokenError> {
    let hash = request.code.hash();
    let unknown = || TokenError::InvalidGrant(InvalidGrantReason::Unknown(hash.clone()));
    let record = tokens::find_code(ctx.db, &hash).await?.ok_or_else(unknown)?;
    match token::decide_code(request, &record, ctx.now) {
        CodeDecision::Redeem => {
            check_person(ctx, &record.grant).await?;
            commit_code(ctx, &record).await
        }
        CodeDecision::Refuse(fault) => Err(TokenError::InvalidGrant(fault)),
        CodeDecision::WrongResource => Err(TokenError::Resource),
        CodeDecision::WrongVerifier => {
            tokens::count_failed_attempt(ctx.db, &hash).await?;
            Err(TokenError::InvalidGrant(InvalidGrantReason::Verifier))
        }
        CodeDecision::Replay => {
            end_grant(ctx, &record.grant, RevokeReason::CodeReplay, AuditKind::CodeReplay).await?;
            Err(TokenError::InvalidGrant(InvalidGrantReason::Replayed))
        }
    }
}

async fn commit_code(ctx: &RequestContext<'_>, record: &CodeRecord) -> Result<TokenResponse, TokenError> {
    let access = AccessToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let refresh = RefreshToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let scopes = record.grant.scopes;
    let new = new_tokens(&record.grant, &access, scopes, &refresh, ctx.now);
    match tokens::redeem_code(ctx.db, &record.hash, &ctx.random_id(), &new, ctx.now).await? {
        Redemption::Redeemed => Ok(TokenResponse::new(&access, new.access_expires_at.since(ctx.now), &refresh, scopes)),
        // Redeemed between our read and our write: a concurrent request, not a replay.
        Redemption::AlreadyRedeemed => Err(TokenError::InvalidGrant(InvalidGrantReason::Redeemed)),
    }
}

/// The stored values of a token pair. Neither token outlives the grant.
fn new_tokens(
    grant: &Grant,
    access: &AccessToken,
    scopes: ScopeSet,
    refresh: &RefreshToken,
    now: Timestamp,
) -> NewTokens {
    NewTokens {
        access: access.hash(),
        scopes,
        access_expires_at: grant.end_of(ACCESS_TOKEN_LIFETIME, now),
        refresh: refresh.hash(),
        refresh_expires_at: grant.end_of(REFRESH_TOKEN_LIFETIME, now),
    }
}

async fn refresh(ctx: &RequestContext<'_>, request: &RefreshRequest) -> Result<TokenResponse, TokenRefusal> {
    // A concurrent request with the same token may rotate it between our read and our write: read once more what it left. Once is
    // enough, because states never go back.
    for is_second_look in [false, true] {
        let hash = request.token.hash();
        let unknown = || TokenError::InvalidGrant(InvalidGrantReason::Unknown(hash.clone()));
        let record = tokens::find_refresh(ctx.db, &hash).await?.ok_or_else(unknown)?;
        match refresh_once(ctx, request, &record, is_second_look).await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => {}
            Err(error) => return Err(TokenRefusal::of_grant(ctx, &record.grant, error)),
        }
    }
    Err(TokenError::Unavailable.into())
}

/// `None` if a concurrent request rotated the token first.
async fn refresh_once(
    ctx: &RequestContext<'_>,
    request: &RefreshRequest,
    record: &RefreshRecord,
    is_second_look: bool,
) -> Result<Option<TokenResponse>, TokenError> {
    let decision = token::decide_refresh(request, record, ctx.now)?;
    if !matches!(decision, RefreshDecision::Reused) {
        check_person(ctx, &record.grant).await?;
    }
    match decision {
        RefreshDecision::Rotate(scopes) => {
            ctx.log.set_reason("rotated");
            rotate(ctx, request, record, scopes).await
        }
        RefreshDecision::Repeat(scopes, rotation) => {
            ctx.log.set_reason("repeated");
            repeat(ctx, request, record, scopes, &rotation).await
        }
        // Two concurrent requests rotated the token meanwhile: this request is late, not an attack.
        RefreshDecision::Reused if is_second_look => Err(TokenError::Unavailable),
        RefreshDecision::Reused => {
            end_grant(ctx, &record.grant, RevokeReason::RefreshReuse, AuditKind::RefreshReuse).await?;
            Err(TokenError::InvalidGrant(InvalidGrantReason::Replayed))
        }
    }
}

/// Checks at StatiBeat that the person still has access, so that refreshing stops when it ends. Roles are checked by
/// every call instead.
async fn check_person(ctx: &RequestContext<'_>, grant: &Grant) -> Result<(), TokenError> {
    let api = ctx.api(&grant.user_id, grant.client_id.as_str(), &grant.id);
    let scope = grant.scopes.iter().next().unwrap_or(Scope::PagesRead);
    match identity::check_person(&api, scope).await {
        Ok(()) => Ok(()),
        Err(error) if error.kind == ApiErrorKind::UserEnded => {
            end_grant(ctx, grant, RevokeReason::UserDisabled, AuditKind::Revoke).await?;
            Err(TokenError::InvalidGrant(InvalidGrantReason::UserEnded))
        }
        Err(error) => {
            ctx.log.note(&format!("token endpoint: {error}"));
            Err(TokenError::Unavailable)
        }
    }
}

/// First use of a refresh token. `None` if a concurrent request rotated it first.
async fn rotate(
    ctx: &RequestContext<'_>,
    request: &RefreshRequest,
    record: &RefreshRecord,
    scopes: ScopeSet,
) -> Result<Option<TokenResponse>, TokenError> {
    let ring = &ctx.app.config.rotation_keys;
    let salt = ctx.random_id();
    let successor = token::derive_successor(&request.token, record, &salt, ring, ring.newest(), ctx.checksum_keys());
    let access = AccessToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let new = new_tokens(&record.grant, &access, scopes, &successor, ctx.now);
    let rotated = tokens::rotate_refresh(ctx.db, record, &salt, ring.newest().kid(), &new, ctx.now).await;
    Ok(is_redeemed(ctx, rotated)
        .then(|| TokenResponse::new(&access, new.access_expires_at.since(ctx.now), &successor, scopes)))
}

/// Returns the same successor with a new access token. Each repeat adds an audit row, because whoever has copied the token looks
/// the same.
async fn repeat(
    ctx: &RequestContext<'_>,
    request: &RefreshRequest,
    record: &RefreshRecord,
    scopes: ScopeSet,
    rotation: &Rotation,
) -> Result<Option<TokenResponse>, TokenError> {
    let same =
        token::rederive_successor(&request.token, record, rotation, &ctx.app.config.rotation_keys, ctx.checksum_keys());
    let Some(successor) = same else {
        ctx.log.note("refresh: a stored successor cannot be derived again; has a rotation key been removed too early?");
        return Err(TokenError::Unavailable);
    };
    let access = AccessToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let new = new_tokens(&record.grant, &access, scopes, &successor, ctx.now);
    let entry = grant_entry(ctx, AuditId::new(ctx.random_bytes()), AuditKind::RefreshRepeat, &record.grant);
    let audit = audit::statement_if_token_issued(&entry, &new.access);
    let repeated = tokens::repeat_refresh(ctx.db, record, &new, audit, ctx.now).await;
    Ok(is_redeemed(ctx, repeated)
        .then(|| TokenResponse::new(&access, new.access_expires_at.since(ctx.now), &successor, scopes)))
}

/// A write whose response was lost counts as already redeemed: the state is read again at once, so that the
/// client need not retry.
fn is_redeemed(ctx: &RequestContext<'_>, redemption: Result<Redemption, DatabaseError>) -> bool {
    redemption.unwrap_or_else(|error| {
        ctx.log.note(&format!("token endpoint: {error}"));
        Redemption::AlreadyRedeemed
    }) == Redemption::Redeemed
}

/// Revokes a grant and appends its audit row, unless it has ended already.
pub(super) async fn end_grant(
    ctx: &RequestContext<'_>,
    grant: &Grant,
    reason: RevokeReason,
    kind: AuditKind,
) -> Result<(), TokenError> {
    let detail = Some(reason.as_str());
    let entry = Entry { detail, ..grant_entry(ctx, AuditId::once(kind, &grant.id), kind, grant) };
    let audit = audit::statement_if_grant_changed(&entry);
    Ok(grants::revoke(ctx.db, &grant.id, reason, audit, ctx.now).await?)
}

fn grant_entry<'a>(ctx: &'a RequestContext<'_>, id: AuditId, kind: AuditKind, grant: &'a Grant) -> Entry<'a> {
    let entry = ctx.audit_entry(id, kind, &grant.client_id, &grant.client_name);
    Entry { user_id: Some(&grant.user_id), grant_id: Some(&grant.id), ..entry }
}
