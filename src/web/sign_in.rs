//! Callback of StatiBeat's sign-in: identifies the person, then leads to the consent page or delivers the request's error.

use super::browser::{self, Cookie};
use super::consent::{self, authorization_response_url};
use super::context::RequestContext;
use super::limits;
use super::page_error::{PageError, connecting_page};
use super::reply::{self, Response};
use super::routes::Route;
use crate::model::ids::{GrantId, UserId};
use crate::oauth::authorize::RequestedAccess;
use crate::oauth::error::RedirectError;
use crate::oauth::grant::AUTHORIZATION_REQUEST_LIFETIME;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::sealed_request::{self, OpenedRequest, SealError};
use crate::oauth::secret::{self, BrowserBinding, ConsentToken, SignInState};
use crate::storage::Redemption;
use crate::storage::audit::{self, AuditId, AuditKind, Entry, Outcome};
use crate::storage::authorization_requests::{self, RequestKeys, SignedIn, SignedInRequest};
use crate::upstream::identity::{self, SignInError, SignInPurpose, SignInReturn};
use http::StatusCode;

/// A sign-in in the browser that started it.
struct Ticket {
    state: SignInState,
    cookie: Cookie,
    opened: OpenedRequest,
}

pub(super) async fn get(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let parameters = browser::query(ctx.head);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.single(name));
    // 1. The browser that started this sign-in; checked without a query.
    let ticket = receive(ctx, one("state")).await?;
    // 2. The person. StatiBeat's code works once.
    let answer = match exchange(ctx, &ticket, one("code")).await {
        Ok(person) => go_on(ctx, &ticket, person).await,
        // Only StatiBeat's sign-in knows the state, and only this browser has the cookie: the person canceled it there, so the client
        // may hear of it.
        Err(PageError::SignInCanceled) => Ok(not_connected(ctx, &ticket)),
        Err(error) => {
            // Possibly a forgery.
            if let PageError::SignIn(SignInError::Identity(reason)) = &error {
                record(ctx, &ticket, AuditKind::SignIn, None, reason.reason()).await;
            }
            Err(error)
        }
    };
    // 3. Whatever the result, this browser cannot use the sign-in again.
    let mut response = answer.unwrap_or_else(|error| connecting_page(ctx, &error));
    ticket.cookie.mark_used(&mut response);
    Ok(response)
}

async fn receive(ctx: &RequestContext<'_>, state: Option<&str>) -> Result<Ticket, PageError> {
    let state: SignInState =
        limits::require(ctx, browser::presented(state, ctx.checksum_keys()), PageError::LinkUsed).await?;
    let cookie = Cookie::of_sign_in(&state.hash(), &ctx.app.config.public_url);
    let sealed = cookie.read_text(ctx.head).ok_or(PageError::OtherBrowser)?;
    if browser::is_used(sealed) {
        return Err(PageError::LinkUsed);
    }
    let opened = match sealed_request::open(sealed, &state, ctx.checksum_keys(), &ctx.clients(), ctx.now) {
        Ok(opened) => opened,
        Err(SealError::Expired | SealError::ClientRemoved) => return Err(PageError::LinkUsed),
        Err(SealError::Foreign) => {
            limits::count_bad_handle(ctx).await?;
            return Err(PageError::OtherBrowser);
        }
    };
    // Each code, even a made-up one, costs a request to StatiBeat.
    let counter = limits::request_counter(&state.hash(), &secret::hash(sealed));
    match limits::wait(ctx, &limits::AUTHORIZATION_REQUEST, &counter).await {
        Some(wait) => Err(PageError::TooMany(wait)),
        None => Ok(Ticket { state, cookie, opened }),
    }
}

async fn exchange(ctx: &RequestContext<'_>, ticket: &Ticket, code: Option<&str>) -> Result<SignedIn, PageError> {
    let verifier = CodeVerifier::from_secrets(ticket.state.expose(), &ticket.opened.binding);
    let returned = SignInReturn {
        purpose: SignInPurpose::Connect,
        code: code.ok_or(PageError::SignInCanceled)?,
        code_verifier: verifier.expose(),
        state: ticket.state.expose(),
    };
    let user = identity::exchange(&ctx.upstream, &returned).await.map_err(PageError::SignIn)?;
    Ok(SignedIn { user_id: user.id, name: user.name, email: user.email })
}

/// With the person known, an error may go to the client; a valid request goes on to the consent page.
async fn go_on(ctx: &RequestContext<'_>, ticket: &Ticket, person: SignedIn) -> Result<Response, PageError> {
    match &ticket.opened.request.access {
        Ok(access) => store(ctx, ticket, access, person).await,
        Err(error) => {
            record(ctx, ticket, AuditKind::Approval, Some(&person.user_id), error.code()).await;
            Ok(send_back(ctx, ticket, *error))
        }
    }
}

/// Stores the request under a new handle and a new cookie: knowing the ones from before the sign-in is worth nothing.
async fn store(
    ctx: &RequestContext<'_>,
    ticket: &Ticket,
    access: &RequestedAccess,
    person: SignedIn,
) -> Result<Response, PageError> {
    let opened = &ticket.opened;
    let request = SignedInRequest {
        client: opened.request.client.clone(),
        state: opened.request.state.clone(),
        access: access.clone(),
        person,
        grant_id: GrantId::new(ctx.random_bytes()),
        expires_at: opened.expires_at,
        earlier: None,
    };
    let consent = ConsentToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let browser = BrowserBinding::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let keys = RequestKeys { consent: &consent, browser: &browser };
    match authorization_requests::insert(ctx.db, &ticket.state, keys, &request, ctx.now).await {
        Ok(Redemption::Redeemed) => Ok(ask(ctx, keys)),
        Ok(Redemption::AlreadyRedeemed) => Err(PageError::LinkUsed),
        Err(error) => {
            ctx.log.note(&format!("sign-in: {error}"));
            Ok(send_back(ctx, ticket, RedirectError::Unavailable))
        }
    }
}

fn ask(ctx: &RequestContext<'_>, keys: RequestKeys<'_>) -> Response {
    let mut location = Route::Consent.url(&ctx.app.config.public_url);
    location.query_pairs_mut().append_pair("request", keys.consent.expose());
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    let cookie = Cookie::of_consent(&keys.consent.hash(), &ctx.app.config.public_url);
    cookie.set(&mut response, keys.browser.expose(), AUTHORIZATION_REQUEST_LIFETIME);
    response
}

/// Tells the person that nothing is connected, and sends them back to the client with `access_denied`.
fn not_connected(ctx: &RequestContext<'_>, ticket: &Ticket) -> Response {
    let request = &ticket.opened.request;
    let denied = Err(RedirectError::Denied);
    let location = authorization_response_url(ctx, &request.client, request.state.as_deref(), &denied);
    consent::leave(&location, &request.client)
}

fn send_back(ctx: &RequestContext<'_>, ticket: &Ticket, error: RedirectError) -> Response {
    let request = &ticket.opened.request;
    let location = authorization_response_url(ctx, &request.client, request.state.as_deref(), &Err(error));
    reply::redirect(StatusCode::FOUND, location.as_str())
}

/// Appends the audit row of a sign-in that makes no request.
async fn record(
    ctx: &RequestContext<'_>,
    ticket: &Ticket,
    kind: AuditKind,
    user_id: Option<&UserId>,
    detail: &'static str,
) {
    let client = &ticket.opened.request.client;
    let entry = ctx.audit_entry(AuditId::new(ctx.random_bytes()), kind, &client.id, &client.name);
    let entry = Entry { outcome: Outcome::Refused, user_id, detail: Some(detail), ..entry };
    if let Err(error) = audit::append(ctx.db, &entry).await {
        ctx.log.note(&format!("sign-in: a refusal is not in the audit: {error}"));
    }
}
