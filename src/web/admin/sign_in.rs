//! Signing in to the admin page, by the same hand-over as a connection's; and out again.
//!
//! Nothing is stored before somebody has signed in: the state stands in the address, what proves this browser in a cookie
//! named after it, the verifier takes both, and StatiBeat spends its code once.

use super::super::browser::{self, Cookie, Presented};
use super::super::limits::{self, Sender};
use super::super::reply;
use super::super::routes::Route;
use super::super::sign_in::problem_of;
use super::super::views::{self, Problem};
use super::super::{Context, Response};
use super::Visitor;
use crate::model::ids::RequestId;
use crate::oauth::grant::AUTHORIZATION_REQUEST_LIFETIME;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::{AdminSession, AdminSignInBinding, AdminSignInState};
use crate::storage::authorization_requests::SignedIn;
use crate::storage::sessions::{self, SessionEnd};
use crate::upstream::identity::{self, Return, SignIn, SignInPurpose};
use bytes::Bytes;
use http::{Request, StatusCode};

/// Sends the browser to StatiBeat's sign-in.
pub(in crate::web) async fn start(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    if let Some(response) = too_often(ctx, request).await {
        return response;
    }
    let state = AdminSignInState::issue(&ctx.random_bytes(), ctx.tags());
    let browser = AdminSignInBinding::issue(&ctx.random_bytes(), ctx.tags());
    let challenge = CodeVerifier::from_secrets(state.expose(), browser.expose()).challenge();
    let trip = SignIn {
        purpose: SignInPurpose::AdminPage,
        state: state.expose(),
        code_challenge: challenge.as_str(),
        select_account: browser::query(request).is_some_and(|query| query.one("account") == Ok(Some("choose"))),
    };
    let location = identity::sign_in_url(&ctx.config.sign_in_url, &trip);
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    let cookie = Cookie::of_admin_sign_in(&state.hash(), &ctx.config.public_url);
    cookie.put(&mut response, &browser, AUTHORIZATION_REQUEST_LIFETIME);
    response
}

/// Back from StatiBeat: opens a session under a fresh cookie.
pub(in crate::web) async fn back(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    let parameters = browser::query(request);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.one(name).ok().flatten());
    let state: AdminSignInState = match browser::presented(one("state"), ctx.tags()) {
        Presented::Token(state) => state,
        Presented::Absent => return views::admin::problem(StatusCode::BAD_REQUEST, &Problem::SignInFailed),
        Presented::MadeUp => return bad(ctx, request, StatusCode::BAD_REQUEST, &Problem::SignInFailed).await,
    };
    let cookie = Cookie::of_admin_sign_in(&state.hash(), &ctx.config.public_url);
    let browser: AdminSignInBinding = match cookie.read(request, ctx.tags()) {
        Presented::Token(browser) => browser,
        Presented::Absent => return views::admin::problem(StatusCode::FORBIDDEN, &Problem::OtherBrowser),
        Presented::MadeUp => return bad(ctx, request, StatusCode::FORBIDDEN, &Problem::OtherBrowser).await,
    };
    // After the cookie: what any page can send is not counted.
    if let Some(response) = too_often(ctx, request).await {
        return response;
    }
    let mut response = match one("code") {
        Some(code) => match exchange(ctx, &state, &browser, code).await {
            Ok(person) => open_session(ctx, request, &person, request_id).await,
            Err(response) => response,
        },
        None => views::admin::welcome(StatusCode::OK),
    };
    cookie.clear(&mut response);
    response
}

/// Counts something that was never ours; the problem unless there were too many.
async fn bad(ctx: &Context<'_>, request: &Request<Bytes>, status: StatusCode, problem: &Problem<'_>) -> Response {
    match limits::count_bad_handle(ctx, request).await {
        Some(wait) => views::admin::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(wait)),
        None => views::admin::problem(status, problem),
    }
}

/// Both ends of a sign-in are counted: the second asks StatiBeat.
async fn too_often(ctx: &Context<'_>, request: &Request<Bytes>) -> Option<Response> {
    let wait = limits::wait(ctx, &limits::ADMIN_SIGN_IN, &Sender::counter(ctx, request)).await?;
    Some(views::admin::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(wait)))
}

async fn exchange(
    ctx: &Context<'_>,
    state: &AdminSignInState,
    browser: &AdminSignInBinding,
    code: &str,
) -> Result<SignedIn, Response> {
    let verifier = CodeVerifier::from_secrets(state.expose(), browser.expose());
    let returned =
        Return { purpose: SignInPurpose::AdminPage, code, code_verifier: verifier.reveal(), state: state.expose() };
    match identity::exchange(&ctx.upstream(), &returned).await {
        Ok(user) => Ok(SignedIn { user_id: user.id, name: user.name, email: user.email }),
        Err(error) => {
            (ctx.log)(&format!("admin sign-in: {error}"));
            let (status, problem) = problem_of(&error);
            Err(views::admin::problem(status, &problem))
        }
    }
}

async fn open_session(
    ctx: &Context<'_>,
    request: &Request<Bytes>,
    person: &SignedIn,
    request_id: &RequestId,
) -> Response {
    let session = AdminSession::issue(&ctx.random_bytes(), ctx.tags());
    let cookie = Cookie::of_admin_session(&ctx.config.public_url);
    let earlier = match cookie.read(request, ctx.tags()) {
        Presented::Token(earlier) => Some(earlier),
        Presented::Absent | Presented::MadeUp => None,
    };
    let record = super::session_record(ctx, request_id);
    if let Err(error) = sessions::open(ctx.db, &session, person, earlier.as_ref(), &record).await {
        (ctx.log)(&format!("admin sign-in: {error}"));
        return views::admin::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater);
    }
    let mut response = reply::redirect(StatusCode::FOUND, Route::AdminPage.url(&ctx.config.public_url).as_str());
    cookie.put(&mut response, &session, sessions::LIFETIME);
    response
}

pub(in crate::web) async fn out(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    let visitor = match Visitor::of_form(ctx, request).await {
        Ok((visitor, _)) => visitor,
        Err(fault) => return super::refuse(ctx, request, &fault, request_id).await,
    };
    let record = super::session_record(ctx, request_id);
    if let Err(error) = sessions::close(ctx.db, &visitor.cookie, SessionEnd::User, &record).await {
        return super::refuse(ctx, request, &error.into(), request_id).await;
    }
    let mut response = views::admin::signed_out();
    Cookie::of_admin_session(&ctx.config.public_url).clear(&mut response);
    response
}
