//! Back from StatiBeat's sign-in: finds out who it is, then goes on to the consent page or delivers the request's error.

use super::browser::{self, Cookie, Presented};
use super::consent::answer_url;
use super::context::RequestContext;
use super::limits;
use super::problem::{BrowserProblem, connecting_page};
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
use crate::storage::audit::{self, AuditId, Entry, Kind, Outcome};
use crate::storage::authorization_requests::{self, RequestKeys, SignedIn, SignedInRequest};
use crate::upstream::identity::{self, SignInError, SignInPurpose, SignInReturn};
use http::StatusCode;
use std::time::Duration;

/// Why a return from sign-in does not go on.
enum Fault {
    /// It was used, is too old, made up, or its client was struck off.
    LinkUsed,
    OtherBrowser,
    TooOften(Duration),
    Canceled,
    /// StatiBeat did not name a person.
    SignIn(SignInError),
}

/// A sign-in in the browser that started it.
struct Ticket {
    state: SignInState,
    cookie: Cookie,
    opened: OpenedRequest,
}

pub(super) async fn get(ctx: &RequestContext<'_>) -> Response {
    let parameters = browser::query(ctx.head);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.one(name).ok().flatten());
    // 1. This browser started this sign-in, and neither was made up: found out without a query.
    let ticket = match receive(ctx, one("state")).await {
        Ok(ticket) => ticket,
        Err(fault) => return show(ctx, &fault),
    };
    // 2. Who is it? StatiBeat's code works once.
    let mut response = match exchange(ctx, &ticket, one("code")).await {
        Ok(person) => go_on(ctx, &ticket, person).await,
        Err(fault) => {
            // Somebody may be forging.
            if let Fault::SignIn(SignInError::Identity(reason)) = &fault {
                let (kind, user_id, detail) = (Kind::SignIn, UserId(String::new()), reason.reason());
                record(ctx, &ticket, Refused { kind, user_id, detail }).await;
            }
            show(ctx, &fault)
        }
    };
    // 3. Whatever came of it, this browser cannot use it again.
    ticket.cookie.mark_used(&mut response);
    response
}

async fn receive(ctx: &RequestContext<'_>, state: Option<&str>) -> Result<Ticket, Fault> {
    let state: SignInState = match browser::presented(state, ctx.checksum_keys()) {
        Presented::Token(state) => state,
        Presented::Absent => return Err(Fault::LinkUsed),
        Presented::MadeUp => return Err(bad(ctx, Fault::LinkUsed).await),
    };
    let cookie = Cookie::of_sign_in(&state.hash(), &ctx.app.config.public_url);
    let sealed = cookie.read_text(ctx.head).ok_or(Fault::OtherBrowser)?;
    if browser::is_used(sealed) {
        return Err(Fault::LinkUsed);
    }
    let opened = match sealed_request::open(sealed, &state, ctx.checksum_keys(), &ctx.clients(), ctx.now) {
        Ok(opened) => opened,
        Err(SealError::Expired | SealError::ClientStruckOff) => return Err(Fault::LinkUsed),
        Err(SealError::Foreign) => return Err(bad(ctx, Fault::OtherBrowser).await),
    };
    // A browser could go on making up codes, each of which asks StatiBeat.
    let counter = limits::visit(&state.hash(), &secret::hash(sealed));
    match limits::wait(ctx, &limits::VISIT, &counter).await {
        Some(wait) => Err(Fault::TooOften(wait)),
        None => Ok(Ticket { state, cookie, opened }),
    }
}

/// Counts something that was never ours; `fault` unless there were too many.
async fn bad(ctx: &RequestContext<'_>, fault: Fault) -> Fault {
    limits::count_bad_handle(ctx).await.map_or(fault, Fault::TooOften)
}

async fn exchange(ctx: &RequestContext<'_>, ticket: &Ticket, code: Option<&str>) -> Result<SignedIn, Fault> {
    let verifier = CodeVerifier::from_secrets(ticket.state.expose(), &ticket.opened.binding);
    let returned = SignInReturn {
        purpose: SignInPurpose::Connect,
        code: code.ok_or(Fault::Canceled)?,
        code_verifier: verifier.expose(),
        state: ticket.state.expose(),
    };
    let user = identity::exchange(&ctx.upstream, &returned).await.map_err(Fault::SignIn)?;
    Ok(SignedIn { user_id: user.id, name: user.name, email: user.email })
}

/// The person is known: an error may go to the client now; a request goes to its person.
async fn go_on(ctx: &RequestContext<'_>, ticket: &Ticket, person: SignedIn) -> Response {
    match &ticket.opened.request.access {
        Ok(access) => store(ctx, ticket, access, person).await,
        Err(error) => {
            let (kind, user_id, detail) = (Kind::Approval, person.user_id, error.code());
            record(ctx, ticket, Refused { kind, user_id, detail }).await;
            send_back(ctx, ticket, *error)
        }
    }
}

/// Stores the request, under a new handle and a new cookie: who knew the old ones before the sign-in has nothing after it.
async fn store(ctx: &RequestContext<'_>, ticket: &Ticket, access: &RequestedAccess, person: SignedIn) -> Response {
    let opened = &ticket.opened;
    let request = SignedInRequest {
        client: opened.request.client.clone(),
        state: opened.request.state.clone(),
        access: access.clone(),
        person,
        grant_id: GrantId(ctx.random_id()),
        expires_at: opened.expires_at,
    };
    let consent = ConsentToken::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let browser = BrowserBinding::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let keys = RequestKeys { consent: &consent, browser: &browser };
    match authorization_requests::insert(ctx.db, &ticket.state, keys, &request, ctx.now).await {
        Ok(Redemption::Redeemed) => ask(ctx, keys),
        Ok(Redemption::AlreadyRedeemed) => show(ctx, &Fault::LinkUsed),
        Err(error) => {
            ctx.log.note(&format!("sign-in: {error}"));
            send_back(ctx, ticket, RedirectError::Unavailable)
        }
    }
}

fn ask(ctx: &RequestContext<'_>, keys: RequestKeys<'_>) -> Response {
    let mut location = Route::Consent.url(&ctx.app.config.public_url);
    location.query_pairs_mut().append_pair("request", keys.consent.expose());
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    let cookie = Cookie::of_consent(&keys.consent.hash(), &ctx.app.config.public_url);
    cookie.put(&mut response, keys.browser, AUTHORIZATION_REQUEST_LIFETIME);
    response
}

fn send_back(ctx: &RequestContext<'_>, ticket: &Ticket, error: RedirectError) -> Response {
    let request = &ticket.opened.request;
    let location = answer_url(ctx, &request.client, request.state.as_deref(), &Err(error));
    reply::redirect(StatusCode::FOUND, location.as_str())
}

/// A sign-in that makes no request, for the audit.
struct Refused {
    kind: Kind,
    user_id: UserId,
    detail: &'static str,
}

async fn record(ctx: &RequestContext<'_>, ticket: &Ticket, refused: Refused) {
    let client = &ticket.opened.request.client;
    let entry = Entry {
        id: AuditId::new(ctx.random_bytes()),
        at: ctx.now,
        kind: refused.kind,
        outcome: Outcome::Refused,
        user_id: &refused.user_id,
        client_id: &client.id,
        client_name: &client.name,
        grant_id: &GrantId(String::new()),
        request_id: ctx.request_id,
        target: None,
        detail: Some(refused.detail),
    };
    if let Err(error) = audit::append(ctx.db, &entry).await {
        ctx.log.note(&format!("sign-in: a refusal is not in the audit: {error}"));
    }
}

fn show(ctx: &RequestContext<'_>, fault: &Fault) -> Response {
    let problem = match fault {
        Fault::LinkUsed => BrowserProblem::LinkUsed,
        Fault::OtherBrowser => BrowserProblem::OtherBrowser,
        Fault::Canceled => BrowserProblem::SignInCanceled,
        Fault::SignIn(error) => problem_of(error),
        Fault::TooOften(wait) => BrowserProblem::TooOften(*wait),
    };
    ctx.log.set_reason(match fault {
        Fault::LinkUsed => "link_used",
        Fault::OtherBrowser => "other_browser",
        Fault::Canceled => "canceled",
        Fault::SignIn(SignInError::BadCode(_)) => "bad_code",
        Fault::SignIn(SignInError::Refused(_)) => "sign_in_refused",
        Fault::SignIn(SignInError::Identity(reason)) => reason.reason(),
        Fault::SignIn(SignInError::Unavailable(_)) => "sign_in_unavailable",
        Fault::TooOften(_) => "limited",
    });
    if let Fault::SignIn(error) = fault {
        ctx.log.note(&format!("sign-in: {error}"));
    }
    connecting_page(&problem)
}

/// What it means to the person that nobody was signed in.
pub(super) const fn problem_of(error: &SignInError) -> BrowserProblem<'static> {
    match error {
        SignInError::BadCode(_) | SignInError::Identity(_) => BrowserProblem::SignInFailed,
        SignInError::Refused(_) => BrowserProblem::SignInRefused,
        SignInError::Unavailable(_) => BrowserProblem::TryLater,
    }
}
