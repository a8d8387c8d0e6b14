//! The authorization endpoint: validates a request and sends its browser to StatiBeat's sign-in (RFC 6749 3.1, 4.1.1).
//!
//! Nothing is stored: the request is sealed into a cookie. Nothing is sent to the client from here: an error is sealed as well and
//! delivered only once a person has signed in (RFC 9700 4.11.2), so that an invalid request cannot turn this server into an open
//! redirector.

use super::browser::{self, Cookie, SIGN_IN_COOKIE_LIFETIME};
use super::context::RequestContext;
use super::limits::{self, Sender};
use super::page_error::PageError;
use super::refused_clients;
use super::reply::{self, Response};
use super::routes::Route;
use crate::oauth::authorize::{self, AuthorizationRequest};
use crate::oauth::client::refused::RefusedClient;
use crate::oauth::error::DirectError;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::sealed_request;
use crate::oauth::secret::SignInState;
use crate::upstream::identity::{self, SignIn, SignInPurpose};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use url::Url;

/// Starts a sign-in for a connection.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    if let Some(wait) = limits::wait(ctx, &limits::AUTHORIZE, &Sender::counter(ctx)).await {
        return Err(PageError::TooMany(wait));
    }
    let lead = |location: &Url| reply::redirect(StatusCode::FOUND, location.as_str());
    match read_request(ctx).and_then(|request| start(ctx, &request, false, lead)) {
        Ok(mut response) => {
            Cookie::clear_oldest_sign_ins(ctx.head, &mut response, &ctx.app.config.public_url);
            Ok(response)
        }
        Err(fault) => {
            refused_clients::remember(ctx, refused_client(ctx, fault)).await;
            Err(PageError::BadLink(fault))
        }
    }
}

/// Seals a request into a cookie and sends its browser to StatiBeat's sign-in; `lead` builds the response from the URL.
pub(super) fn start(
    ctx: &RequestContext<'_>,
    request: &AuthorizationRequest,
    select_account: bool,
    lead: impl FnOnce(&Url) -> Response,
) -> Result<Response, DirectError> {
    let state = SignInState::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let binding = URL_SAFE_NO_PAD.encode(ctx.random_bytes::<32>());
    let sealed = sealed_request::seal(request, &state, &binding, ctx.checksum_keys(), ctx.now)
        .map_err(|sealed_request::TooLong| DirectError::TooLong)?;
    let challenge = CodeVerifier::from_secrets(state.expose(), &binding).challenge();
    let trip = SignIn {
        purpose: SignInPurpose::Connect,
        state: state.expose(),
        code_challenge: challenge.as_str(),
        select_account,
    };
    let mut response = lead(&identity::sign_in_url(&ctx.app.config.sign_in_url, &trip));
    Cookie::of_sign_in(&state.hash(), &ctx.app.config.public_url).set(&mut response, &sealed, SIGN_IN_COOKIE_LIFETIME);
    Ok(response)
}

/// The refused client and redirect URI, if these are the fault.
fn refused_client(ctx: &RequestContext<'_>, fault: DirectError) -> Option<RefusedClient> {
    if !matches!(fault, DirectError::RedirectUri(_)) {
        return None;
    }
    let parameters = browser::query(ctx.head)?;
    RefusedClient::at_authorization(parameters.single("client_id")?, parameters.single("redirect_uri")?)
}

fn read_request(ctx: &RequestContext<'_>) -> Result<AuthorizationRequest, DirectError> {
    let parameters = browser::query(ctx.head).ok_or(DirectError::MalformedQuery)?;
    let (client_id, redirect_uri) = authorize::client_parameters(&parameters)?;
    let client = ctx.clients().resolve(client_id, redirect_uri)?;
    let access = authorize::validate(&parameters, &Route::Mcp.url(&ctx.app.config.public_url));
    Ok(AuthorizationRequest { client, state: authorize::state(&parameters).map(str::to_owned), access })
}
