//! The authorization endpoint: request → parked visit → StatiBeat's sign-in (RFC 6749 3.1, 4.1.1).
//!
//! No client is sent anything from here, not even an error: a fault is parked and delivered only to a signed-in person's
//! client (RFC 9700 4.11.2), so a broken request cannot turn this server into a bouncer.

use super::browser::{self, VisitCookie};
use super::limits::{self, Sender};
use super::routes::Route;
use super::views::{self, Problem};
use super::{Context, Response, reply};
use crate::oauth::authorize;
use crate::oauth::error::ShownToPerson;
use crate::oauth::grant::TRANSACTION_LIFETIME;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::Handle;
use crate::storage::transactions::{self, Visit};
use crate::upstream::identity::{self, SignIn, SignInPurpose};
use bytes::Bytes;
use http::{Request, StatusCode};

/// Starts a visit.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    if let Some(wait) = limits::wait(ctx, &limits::AUTHORIZE, &Sender::of(request).bucket()).await {
        return views::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(wait));
    }
    let visit = match read_visit(ctx, request) {
        Ok(visit) => visit,
        Err(fault) => return views::problem(StatusCode::BAD_REQUEST, &Problem::BadLink(fault)),
    };
    let (handle, browser) = (Handle::new(&ctx.random_bytes()), Handle::new(&ctx.random_bytes()));
    if let Err(error) = transactions::open(ctx.db, &handle, &browser, &visit, ctx.now).await {
        (ctx.log)(&format!("authorize: {error}"));
        return views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater);
    }
    let challenge = CodeVerifier::from_secrets(&handle, &browser).challenge();
    let trip = SignIn {
        purpose: SignInPurpose::Connect,
        state: handle.reveal(),
        code_challenge: challenge.as_str(),
        select_account: false,
    };
    let location = identity::sign_in_url(&ctx.config.sign_in_url, &trip);
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    VisitCookie::of(&handle.hash(), &ctx.config.public_url).put(
        &mut response,
        &browser,
        TRANSACTION_LIFETIME.as_secs(),
    );
    response
}

fn read_visit(ctx: &Context<'_>, request: &Request<Bytes>) -> Result<Visit, ShownToPerson> {
    let parameters = browser::query(request).ok_or(ShownToPerson::MalformedQuery)?;
    let (client_id, redirect_uri) = authorize::client_parameters(&parameters)?;
    let client = ctx.clients().resolve(client_id, redirect_uri)?;
    let asked = authorize::validate(&parameters, &Route::Mcp.url(&ctx.config.public_url));
    Ok(Visit { client, state: authorize::state(&parameters).map(str::to_owned), asked })
}
