//! Sign-in to the Hosted MCP page, with the same hand-over as a connection's, and sign-out.
//!
//! Nothing is stored before sign-in: the state is in the URL, the browser binding in a cookie named after it, the code
//! verifier is derived from both, and StatiBeat redeems its code once.

use super::super::browser::{self, Cookie, Presented};
use super::super::context::RequestContext;
use super::super::layout::page;
use super::super::limits::{self, Sender};
use super::super::page_error::{PageError, admin_page};
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::session::{Session, return_address, session_record, welcome};
use crate::oauth::grant::AUTHORIZATION_REQUEST_LIFETIME;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::{AdminSession, AdminSignInBinding, AdminSignInState};
use crate::storage::authorization_requests::SignedIn;
use crate::storage::sessions::{self, SessionEnd};
use crate::upstream::identity::{self, SignIn, SignInPurpose, SignInReturn};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use maud::html;

/// Sends the browser to StatiBeat's sign-in.
pub(in crate::web) async fn start(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    count(ctx).await?;
    let state = AdminSignInState::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let browser = AdminSignInBinding::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let challenge = CodeVerifier::from_secrets(state.expose(), browser.expose()).challenge();
    let trip = SignIn {
        purpose: SignInPurpose::AdminPage,
        state: state.expose(),
        code_challenge: challenge.as_str(),
        select_account: browser::query(ctx.head).is_some_and(|query| query.one("account") == Ok(Some("choose"))),
    };
    let location = identity::sign_in_url(&ctx.app.config.sign_in_url, &trip);
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    let cookie = Cookie::of_admin_sign_in(&state.hash(), &ctx.app.config.public_url);
    cookie.set(&mut response, browser.expose(), AUTHORIZATION_REQUEST_LIFETIME);
    let query = browser::query(ctx.head);
    let back = query.as_ref().and_then(|query| return_address(query.single("back")?));
    if let Some(back) = back {
        let cookie = Cookie::of_admin_return(&state.hash(), &ctx.app.config.public_url);
        cookie.set(&mut response, &URL_SAFE_NO_PAD.encode(back), AUTHORIZATION_REQUEST_LIFETIME);
    }
    Ok(response)
}

/// The page that the sign-in leads back to; checked again, because a browser can send any cookie.
fn kept_return(ctx: &RequestContext<'_>, cookie: &Cookie) -> Option<String> {
    let back = URL_SAFE_NO_PAD.decode(cookie.read_text(ctx.head)?).ok()?;
    return_address(std::str::from_utf8(&back).ok()?)
}

/// Callback of StatiBeat's sign-in: opens a session with a new cookie.
pub(in crate::web) async fn finish(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let parameters = browser::query(ctx.head);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.single(name));
    let state = browser::presented(one("state"), ctx.checksum_keys());
    let state: AdminSignInState = limits::require(ctx, state, PageError::SignInFailed).await?;
    let cookie = Cookie::of_admin_sign_in(&state.hash(), &ctx.app.config.public_url);
    let browser = limits::require(ctx, cookie.read(ctx.head, ctx.checksum_keys()), PageError::OtherBrowser).await?;
    // Charged after the cookie check, so that requests from other pages aren't charged.
    count(ctx).await?;
    let answer = match one("code") {
        Some(code) => exchange(ctx, &state, &browser, code).await,
        None => Ok(welcome(None)),
    };
    let mut response = answer.unwrap_or_else(|error| admin_page(ctx, &error));
    cookie.clear(&mut response);
    Cookie::of_admin_return(&state.hash(), &ctx.app.config.public_url).clear(&mut response);
    Ok(response)
}

/// Charges the start or the return of a sign-in; the return calls StatiBeat.
async fn count(ctx: &RequestContext<'_>) -> Result<(), PageError> {
    let wait = limits::wait(ctx, &limits::ADMIN_SIGN_IN, &Sender::counter(ctx)).await;
    wait.map_or(Ok(()), |wait| Err(PageError::TooMany(wait)))
}

/// Opens a session for the person of the identity token.
async fn exchange(
    ctx: &RequestContext<'_>,
    state: &AdminSignInState,
    browser: &AdminSignInBinding,
    code: &str,
) -> Result<Response, PageError> {
    let verifier = CodeVerifier::from_secrets(state.expose(), browser.expose());
    let returned = SignInReturn {
        purpose: SignInPurpose::AdminPage,
        code,
        code_verifier: verifier.expose(),
        state: state.expose(),
    };
    let user = identity::exchange(&ctx.upstream, &returned).await.map_err(PageError::SignIn)?;
    let person = SignedIn { user_id: user.id, name: user.name, email: user.email };
    let session = AdminSession::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let cookie = Cookie::of_admin_session(&ctx.app.config.public_url);
    let earlier = match cookie.read(ctx.head, ctx.checksum_keys()) {
        Presented::Token(earlier) => Some(earlier),
        Presented::Absent | Presented::MadeUp => None,
    };
    sessions::open(ctx.db, &session, &person, earlier.as_ref(), &session_record(ctx)).await?;
    let kept = kept_return(ctx, &Cookie::of_admin_return(&state.hash(), &ctx.app.config.public_url));
    let back = kept.unwrap_or_else(|| Route::AdminPage.path().to_owned());
    let location = format!("{}{back}", ctx.app.config.issuer);
    let mut response = reply::redirect(StatusCode::FOUND, &location);
    cookie.set(&mut response, session.expose(), sessions::LIFETIME);
    Ok(response)
}

pub(in crate::web) async fn sign_out(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    let (session, _) = Session::of_form(ctx, body).await?;
    sessions::close(ctx.db, &session.cookie, SessionEnd::User, &session_record(ctx)).await?;
    let mut response = signed_out_page();
    Cookie::of_admin_session(&ctx.app.config.public_url).clear(&mut response);
    Ok(response)
}

fn signed_out_page() -> Response {
    let another = Route::AdminSignIn.address([("account", "choose")]);
    let body = html! {
        h1 { "You're signed out" }
        p { "Your connections keep working. You may still be signed in to StatiBeat itself." }
        p.actions {
            a.button.main href=(Route::AdminSignIn.path()) { "Sign in again" }
            a.button href=(another) { "Use another account" }
        }
    };
    page(StatusCode::OK, "Signed out", &body)
}
