//! The authorization endpoint: request → parked visit → StatiBeat's sign-in (RFC 6749 3.1, 4.1.1).
//!
//! No client is sent anything from here, not even an error: a fault is parked and delivered only to a signed-in person's
//! client (RFC 9700 4.11.2), so a broken request cannot turn this server into a bouncer.

use super::browser::{self, Cookie};
use super::limits::{self, Sender, Verdict};
use super::routes::Route;
use super::views::{self, Problem};
use super::{Context, Response, reply};
use crate::oauth::authorize;
use crate::oauth::client::diagnosis::RefusedRedirect;
use crate::oauth::error::ShownToPerson;
use crate::oauth::grant::TRANSACTION_LIFETIME;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::Handle;
use crate::ports::DatabaseError;
use crate::storage::refusals;
use crate::storage::transactions::{self, Visit};
use crate::upstream::identity::{self, SignIn, SignInPurpose};
use bytes::Bytes;
use http::{Request, StatusCode};
use url::Url;

/// Starts a visit.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    if let Some(wait) = limits::wait(ctx, &limits::AUTHORIZE, &Sender::counter(ctx, request)).await {
        return views::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(wait));
    }
    let visit = match read_visit(ctx, request) {
        Ok(visit) => visit,
        Err(fault) => {
            ctx.ledger.because("bad_link");
            remember(ctx, request, fault).await;
            return views::problem(StatusCode::BAD_REQUEST, &Problem::BadLink(fault));
        }
    };
    match start(ctx, &visit, false, |location| reply::redirect(StatusCode::FOUND, location.as_str())).await {
        Ok(response) => response,
        Err(error) => {
            (ctx.log)(&format!("authorize: {error}"));
            views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
    }
}

/// Parks a visit and sends its browser to StatiBeat's sign-in, by an answer that `lead` makes of the address.
pub(super) async fn start(
    ctx: &Context<'_>,
    visit: &Visit,
    select_account: bool,
    lead: impl FnOnce(&Url) -> Response,
) -> Result<Response, DatabaseError> {
    let (handle, browser) = (Handle::new(&ctx.random_bytes()), Handle::new(&ctx.random_bytes()));
    transactions::open(ctx.db, &handle, &browser, visit, ctx.now).await?;
    let challenge = CodeVerifier::from_secrets(&handle, &browser).challenge();
    let trip = SignIn {
        purpose: SignInPurpose::Connect,
        state: handle.reveal(),
        code_challenge: challenge.as_str(),
        select_account,
    };
    let mut response = lead(&identity::sign_in_url(&ctx.config.sign_in_url, &trip));
    let cookie = Cookie::of_visit(&handle.hash(), &ctx.config.public_url);
    cookie.put(&mut response, &browser, TRANSACTION_LIFETIME.as_secs());
    Ok(response)
}

/// Keeps a refused redirect URI for admins to look at. Whoever is refused is told the same whether or not this works.
async fn remember(ctx: &Context<'_>, request: &Request<Bytes>, fault: ShownToPerson) {
    if !matches!(fault, ShownToPerson::RedirectUriUnlisted | ShownToPerson::RedirectUriShape) {
        return;
    }
    let parameters = browser::query(request);
    let one = |name| parameters.as_ref().and_then(|all| all.one(name).ok().flatten());
    let (Some(client_id), Some(redirect_uri)) = (one("client_id"), one("redirect_uri")) else { return };
    let Some(refused) = RefusedRedirect::of(client_id, redirect_uri) else { return };
    if matches!(limits::take(ctx, &limits::REMEMBER_REFUSAL, "all").await, Verdict::Pass)
        && let Err(error) = refusals::remember(ctx.db, &refused, ctx.now).await
    {
        (ctx.log)(&format!("authorize: a refusal is not remembered: {error}"));
    }
}

fn read_visit(ctx: &Context<'_>, request: &Request<Bytes>) -> Result<Visit, ShownToPerson> {
    let parameters = browser::query(request).ok_or(ShownToPerson::MalformedQuery)?;
    let (client_id, redirect_uri) = authorize::client_parameters(&parameters)?;
    let client = ctx.clients().resolve(client_id, redirect_uri)?;
    let asked = authorize::validate(&parameters, &Route::Mcp.url(&ctx.config.public_url));
    Ok(Visit { client, state: authorize::state(&parameters).map(str::to_owned), asked })
}
