//! The MCP endpoint: origin, bearer token, method, announced length; then the body and the protocol engine (RFC 6750, RFC 9728 5).

use super::context::RequestContext;
use super::limits::{self, Sender};
use super::refused_request::RefusedRequest;
use super::reply::{self, Challenge, Response};
use super::{body, endpoint_page, routes::Route};
use crate::hosted::CallContext;
use crate::hosted::HostedHandler;
use crate::hosted::bearer::{AccessUse, BearerCheck, BearerError, Caller};
use crate::hosted::call_log;
use crate::mcp::CallReport;
use crate::mcp::error;
use crate::mcp::headers::TransportHeaders;
use crate::mcp::protocol_version::ProtocolVersion;
use crate::mcp::server::{self, McpResponse};
use crate::model::outcome::{CallProblem, Outcome};
use crate::model::web_origin;
use crate::oauth::error::TokenError;
use crate::ports::RequestBody;
use crate::storage::audit::{self, AuditId, AuditKind, Entry, UnrecordedRefusals};
use crate::storage::diagnostics::ClientReport;
use crate::storage::grants::{self, RevokeReason};
use crate::storage::usage::{CallOutcome, CallUsage, UsageEvent};
use crate::telemetry::LoggedCaller;
use futures_util::future::join;
use http::header::{AUTHORIZATION, ORIGIN};
use http::{Method, Request, StatusCode};
use std::borrow::Cow;
use std::time::Duration;

/// Handles a message, or answers with a challenge. The body is read only for a valid token.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &dyn RequestBody) -> Response {
    if endpoint_page::is_wanted(ctx.head) {
        return endpoint_page::render(ctx);
    }
    let mut access_use = None;
    let admitted = admit(ctx, &mut access_use).await;
    let respond = async {
        match admitted {
            Ok(caller) => match body::read(ctx.head, Route::Mcp, body).await {
                Ok(bytes) => answer(ctx, &bytes, &caller).await,
                Err(error) => body::refuse(ctx, Route::Mcp, error),
            },
            Err(refusal) => {
                ctx.log.set_reason(refusal.word());
                refuse(ctx, refusal)
            }
        }
    };
    let (mut response, ()) = join(respond, record_use(ctx, access_use)).await;
    reply::vary_by_caller(&mut response);
    response
}

/// Records the use of the token beside the call. A call that was answered was recorded, unless D1 failed: then the next one is.
async fn record_use(ctx: &RequestContext<'_>, access_use: Option<AccessUse>) {
    if let Some(access_use) = access_use {
        // Not worth a refused call.
        let _ = access_use.record(ctx.db).await;
    }
}

enum RejectedRequest {
    Refused(RefusedRequest),
    Challenge(Challenge),
    TooOften(Duration),
    TooManyMessages(Duration),
    Unavailable,
}

impl RejectedRequest {
    const fn word(&self) -> &'static str {
        match self {
            Self::Refused(RefusedRequest::Origin(_)) => "foreign_origin",
            Self::Refused(_) => "method",
            Self::Challenge(Challenge::NoToken) => "no_token",
            Self::Challenge(Challenge::InvalidRequest) => "bad_header",
            Self::Challenge(Challenge::InvalidToken) => "token_not_valid",
            Self::Challenge(Challenge::InsufficientScope(_)) => "scope_missing",
            Self::TooOften(_) | Self::TooManyMessages(_) => "limited",
            Self::Unavailable => "storage_unavailable",
        }
    }
}

/// The checks that come before any byte of a message is read, in the order clients rely on: a probe without a token learns how to
/// get one whatever its method and body.
/// Leaves the use of the token that is to be recorded in `access_use`, also where the message is refused after all.
async fn admit(ctx: &RequestContext<'_>, access_use: &mut Option<AccessUse>) -> Result<Caller, RejectedRequest> {
    check_origin(ctx)?;
    let token = bearer_token(ctx.head).map_err(RejectedRequest::Challenge)?;
    let (checksum_keys, ended) = (ctx.checksum_keys(), &ctx.app.ended_tokens);
    let check = BearerCheck { db: ctx.db, checksum_keys, resource: ctx.app.resource.as_str(), ended, now: ctx.now };
    let caller = match check.find_caller(token).await {
        Ok((caller, found_use)) => {
            *access_use = found_use;
            caller
        }
        Err(reason) => return Err(no_caller(ctx, reason).await),
    };
    let (client, grant) = (caller.client_id.as_str().to_owned(), caller.grant_id.as_str().to_owned());
    ctx.log.set_caller(LoggedCaller { client, grant });
    if let Some(wait) = limits::message_wait(ctx, &caller.grant_id).await {
        return Err(RejectedRequest::TooManyMessages(wait));
    }
    if ctx.head.method() != Method::POST {
        return Err(RejectedRequest::Refused(RefusedRequest::method(Route::Mcp)));
    }
    Ok(caller)
}

/// Counts only forged tokens: a client's genuine token expires one day, but is never made up.
async fn no_caller(ctx: &RequestContext<'_>, reason: BearerError) -> RejectedRequest {
    match reason {
        BearerError::InvalidToken => RejectedRequest::Challenge(Challenge::InvalidToken),
        BearerError::NotOurs if Sender::from_head(ctx.head).is_shared() => {
            RejectedRequest::Challenge(Challenge::InvalidToken)
        }
        BearerError::NotOurs => {
            match limits::wait(ctx, &limits::BAD_BEARER, &Sender::from_head(ctx.head).bucket()).await {
                Some(wait) => RejectedRequest::TooOften(wait),
                None => RejectedRequest::Challenge(Challenge::InvalidToken),
            }
        }
        BearerError::Storage(error) => {
            ctx.log.note(&format!("bearer token: {error}"));
            RejectedRequest::Unavailable
        }
    }
}

/// Clients outside browsers send no origin. A website's origin must be ours, that of a client the operator listed, or one that
/// the operator allowed; the protocol wants it checked against DNS rebinding.
fn check_origin(ctx: &RequestContext<'_>) -> Result<(), RejectedRequest> {
    let Some(origin) = ctx.head.headers().get(ORIGIN) else { return Ok(()) };
    let (origin, config) = (String::from_utf8_lossy(origin.as_bytes()), &ctx.app.config);
    let is_allowed = origin == config.issuer
        || config.allowed_redirects.has_origin(&origin)
        || config.allowed_origins.has(&origin)
        || web_origin::is_of_a_program(&origin);
    if is_allowed { Ok(()) } else { Err(RejectedRequest::Refused(RefusedRequest::Origin(origin.into_owned()))) }
}

/// The token of the only `Authorization` header (RFC 6750 2.1). A token in the query or body is ignored.
fn bearer_token(head: &Request<()>) -> Result<&str, Challenge> {
    let mut headers = head.headers().get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else { return Err(Challenge::NoToken) };
    if headers.next().is_some() {
        return Err(Challenge::InvalidRequest);
    }
    let header = header.to_str().map_err(|_| Challenge::InvalidToken)?;
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Challenge::NoToken);
    }
    let token = token.trim_matches(' ');
    let is_one = !token.is_empty() && !token.contains([' ', ',']);
    if is_one { Ok(token) } else { Err(Challenge::InvalidToken) }
}

async fn answer(ctx: &RequestContext<'_>, body: &[u8], caller: &Caller) -> Response {
    let [version, method, name] =
        ["mcp-protocol-version", "mcp-method", "mcp-name"].map(|name| joined_header(ctx.head, name));
    let headers =
        TransportHeaders { protocol_version: version.as_deref(), method: method.as_deref(), name: name.as_deref() };
    let context = CallContext {
        caller,
        request_id: ctx.request_id,
        limiter: ctx.limiter,
        db: ctx.db,
        seals: ctx.checksum_keys(),
        policy: &ctx.app.config.writes,
        now: ctx.now,
        random: ctx.random,
        log: &|note| ctx.log.note(note),
    };
    let has_resource_tools = ctx.app.config.has_resource_tools && caller.has_resource_tools;
    let profile = ctx.app.profile.as_ref();
    let prepared = &ctx.app.prepared;
    let handler = HostedHandler { context, upstream: &ctx.upstream, profile, has_resource_tools, prepared };
    let (answer, report) = match server::receive(&headers, body) {
        Ok(call) => {
            call_log::log(ctx.log, &call);
            let (answer, report) = call.perform(&handler).await;
            (answer, Some(report))
        }
        Err(unperformed) => (unperformed.answer, unperformed.report),
    };
    if let Some(report) = &report {
        ctx.log.set_outcome(report.outcome.of_request());
        if let Some(reason) = report.reason {
            ctx.log.set_reason(reason.as_str());
        }
    }
    let mut response = into_response(ctx, caller, answer).await;
    if let Some(report) = report {
        response.extensions_mut().insert(UsageEvent::Call(usage(ctx, caller, report)));
    }
    response
}

/// Usage of one call, for the counts and the connection's diagnostics.
fn usage(ctx: &RequestContext<'_>, caller: &Caller, report: CallReport) -> CallUsage {
    let (user_id, client_id) = (caller.user_id.clone(), caller.client_id.clone());
    let unrecorded = report.is_unrecorded.then(|| Box::new(unrecorded(ctx, caller)));
    let outcome = match report.outcome.of_request() {
        Outcome::Refused => CallOutcome::Refused,
        Outcome::Failed | Outcome::Unknown => CallOutcome::Failed,
        _ => CallOutcome::Answered,
    };
    let kept = ClientReport {
        client_info: report.client.map(|client| (client.name, client.version)),
        protocol_version: report.version.map(ProtocolVersion::as_str),
        failure: report.problem.map(CallProblem::as_str),
        missing: report.missing,
    };
    CallUsage { user_id, client_id, outcome, page_id: report.page, report: kept, unrecorded, called_at: ctx.now }
}

fn unrecorded(ctx: &RequestContext<'_>, caller: &Caller) -> UnrecordedRefusals {
    UnrecordedRefusals {
        user_id: caller.user_id.clone(),
        client_id: caller.client_id.clone(),
        client_name: caller.client_name.clone(),
        grant_id: caller.grant_id.clone(),
        request_id: ctx.request_id.clone(),
        created_at: ctx.now,
        calls: 1,
    }
}

/// The lines of a header as one, as a proxy may join them (RFC 9110 5.3). Bytes that are no text become U+FFFD.
fn joined_header<'a>(head: &'a Request<()>, name: &str) -> Option<Cow<'a, str>> {
    let lines = head.headers().get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    lines.reduce(|joined, line| Cow::Owned(format!("{joined}, {line}")))
}

async fn into_response(ctx: &RequestContext<'_>, caller: &Caller, answer: McpResponse) -> Response {
    match answer {
        McpResponse::Accepted => reply::empty(StatusCode::ACCEPTED),
        McpResponse::Json { status, body, fault } => {
            if let Some(fault) = fault {
                ctx.log.note(&format!("mcp: {fault}"));
            }
            reply::json_bytes(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body)
        }
        McpResponse::InsufficientScope { needed, body } => {
            ctx.log.set_reason("scope_missing");
            let response = challenge(ctx, &Challenge::InsufficientScope(caller.scopes.union(needed)));
            response.map(|_| body.into())
        }
        McpResponse::AccessEnded => end_access(ctx, caller).await,
        // As the next request with this token will be answered.
        McpResponse::GrantEnded => challenge(ctx, &Challenge::InvalidToken),
        McpResponse::Unavailable { retry_after, body } => {
            let mut response = reply::json_bytes(StatusCode::SERVICE_UNAVAILABLE, body);
            reply::retry_after(&mut response, retry_after.unwrap_or(Duration::from_secs(5)));
            response
        }
    }
}

/// StatiBeat no longer knows the person: revokes the grant, so that no refresh keeps it alive.
async fn end_access(ctx: &RequestContext<'_>, caller: &Caller) -> Response {
    let id = AuditId::once(AuditKind::Revoke, &caller.grant_id);
    let entry = Entry {
        user_id: Some(&caller.user_id),
        grant_id: Some(&caller.grant_id),
        detail: Some(RevokeReason::UserDisabled.as_str()),
        ..ctx.audit_entry(id, AuditKind::Revoke, &caller.client_id, &caller.client_name)
    };
    let audit = audit::statement_if_grant_changed(&entry);
    if let Err(error) = grants::revoke(ctx.db, &caller.grant_id, RevokeReason::UserDisabled, audit, ctx.now).await {
        ctx.log.note(&format!("mcp: a grant whose user has gone is not revoked yet: {error}"));
    }
    challenge(ctx, &Challenge::InvalidToken)
}

fn challenge(ctx: &RequestContext<'_>, challenge: &Challenge) -> Response {
    let metadata = Route::ProtectedResource.url(&ctx.app.config.public_url);
    reply::challenge(challenge, metadata.as_str())
}

fn refuse(ctx: &RequestContext<'_>, refusal: RejectedRequest) -> Response {
    match refusal {
        RejectedRequest::Refused(refused) => refused.into_response(Some(Route::Mcp)),
        RejectedRequest::Challenge(reason) => challenge(ctx, &reason),
        RejectedRequest::TooOften(wait) => reply::token_error(&TokenError::RateLimited(wait.as_secs())),
        RejectedRequest::TooManyMessages(wait) => {
            let mut response = reply::json_bytes(StatusCode::TOO_MANY_REQUESTS, error::too_many_messages(wait));
            reply::retry_after(&mut response, wait);
            response
        }
        RejectedRequest::Unavailable => reply::unavailable(Duration::from_secs(5)),
    }
}
