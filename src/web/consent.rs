//! The consent page (RFC 6749 4.1.1, 4.1.2; RFC 9207), shown for every authorization request.
//!
//! The form carries a consent token and the person's choice; the authorization request is in the database, so editing other
//! fields changes nothing. The authorization response is delivered by a page, not by a redirect: Chromium applies
//! `form-action` to every redirect after a form post, and a client's callback may redirect to a custom URI scheme.

mod choice;
mod form;
mod page;

use super::authorize;
use super::browser;
use super::context::RequestContext;
use super::page_error::PageError;
use super::reply::Response;
use super::routes::Route;
use super::time::ZonedClock;
use crate::hosted::access;
use crate::model::ids::PageId;
use crate::model::outcome::Outcome;
use crate::model::scope::Scope;
use crate::oauth::client::ResolvedClient;
use crate::oauth::error::RedirectError;
use crate::oauth::secret::AuthorizationCode;
use crate::storage::Redemption;
use crate::storage::audit;
use crate::storage::authorization_requests::{self, Approval, SignedInRequest};
use crate::upstream::identity::{self, AccessiblePage};
use choice::Choice;
use form::{ConsentForm, NotConnected, audit_entry};
use page::ConsentPage;
use url::Url;

/// Shows the consent page, which can be reloaded until the form is submitted.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let parameters = browser::query(ctx.head).ok_or(PageError::LinkUsed)?;
    let form = ConsentForm::read(ctx, parameters.single("request")).await?;
    let request = form.find(ctx).await?;
    let pages = list_pages(ctx, &form, &request).await?;
    let choice = Choice::proposed(&request, &pages);
    Ok(consent_page(ctx, &form, &request, &pages, &choice).show())
}

fn consent_page<'a>(
    ctx: &RequestContext<'_>,
    form: &'a ConsentForm,
    request: &'a SignedInRequest,
    pages: &'a [AccessiblePage],
    choice: &'a Choice,
) -> ConsentPage<'a> {
    ConsentPage {
        client: &request.client,
        person: &request.person,
        pages,
        requested: request.access.scopes,
        earlier: request.earlier.as_ref(),
        choice,
        offers_resource_tools: ctx.app.config.has_resource_tools,
        clock: ZonedClock::in_utc(ctx.now),
        consent_token: form.consent.expose(),
    }
}

/// Lists the pages that the person can see; closes the authorization request if there are none.
async fn list_pages(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
) -> Result<Vec<AccessiblePage>, PageError> {
    let api = ctx.api(&request.person.user_id, request.client.id.as_str(), &request.grant_id);
    let pages: Vec<_> = match identity::accessible_pages(&api, Scope::PagesRead).await.map_err(PageError::from) {
        Ok(pages) => pages.into_iter().filter(access::is_visible).collect(),
        Err(error) => {
            if matches!(error, PageError::UserAccessEnded) {
                form.close_request(ctx, request, NotConnected::UserAccessEnded).await?;
            }
            return Err(error);
        }
    };
    if pages.is_empty() {
        form.close_request(ctx, request, NotConnected::NoPage).await?;
        let back =
            authorization_response_url(ctx, &request.client, request.state.as_deref(), &Err(RedirectError::Denied));
        return Err(PageError::NoPage { email: request.person.email.clone(), back });
    }
    Ok(pages)
}

/// Handles the submitted form. The order of checks matters for security: form origin and browser binding first.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    if !browser::is_from_our_page(ctx.head, &ctx.app.config.issuer) {
        return Err(PageError::OtherBrowser);
    }
    let fields = browser::form(ctx.head, body).ok_or(PageError::LinkUsed)?;
    let form = ConsentForm::read(ctx, fields.single("request")).await?;
    let request = form.find(ctx).await?;
    let answer = fields.single("answer");
    // Only an existing request is counted, so a forged consent token creates no counter. Enter in a field is no attempt to answer.
    if answer != Some(page::NO_ANSWER) {
        form.charge_answer(ctx, &request).await?;
    }
    if fields.one("person") != Ok(Some(request.person.user_id.as_str())) {
        return Err(PageError::OtherPerson);
    }
    let choice = Choice::read(&fields, &request);
    let granted = choice.scopes;
    let decision = match answer {
        Some(page::NO_ANSWER) => {
            let pages = list_pages(ctx, &form, &request).await?;
            return Ok(consent_page(ctx, &form, &request, &pages, &choice).ask_for_answer());
        }
        Some("switch") => return switch_account(ctx, &form, &request).await,
        Some("approve") => {
            let pages = list_pages(ctx, &form, &request).await?;
            match choice.check(&pages) {
                Ok(choice) => approve(ctx, &form, &request, &pages, choice).await.map(Ok),
                Err(missing) => return Ok(consent_page(ctx, &form, &request, &pages, &choice).show_missing(missing)),
            }
        }
        _ => deny(ctx, &form, &request).await.map(Err),
    };
    let outcome = match decision {
        // The redirect URI was validated and the person is signed in, so the client is told to try again.
        Err(PageError::Storage(error)) => {
            ctx.log.note(&format!("consent: {error}"));
            Err(RedirectError::Unavailable)
        }
        decision => decision?,
    };
    let location = authorization_response_url(ctx, &request.client, request.state.as_deref(), &outcome);
    let mut response = page::redirect_to_client(&location, &request.client, outcome.is_ok().then_some(granted));
    form.cookie.clear(&mut response);
    Ok(response)
}

/// The page that sends the browser back to a client that was not connected.
pub(super) fn leave(location: &Url, client: &ResolvedClient) -> Response {
    page::redirect_to_client(location, client, None)
}

/// Restarts the authorization request and makes StatiBeat ask which account to use.
async fn switch_account(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
) -> Result<Response, PageError> {
    if authorization_requests::close(ctx.db, form.keys(), ctx.now).await? == Redemption::AlreadyRedeemed {
        return Err(PageError::LinkUsed);
    }
    // Can't fail on size: the same request was stored in a cookie before.
    let response = authorize::start(ctx, &request.to_request(), true, page::redirect_to_sign_in);
    let mut response = response.map_err(|_| PageError::LinkUsed)?;
    form.cookie.clear(&mut response);
    Ok(response)
}

/// Grants the chosen scopes, which are limited to the requested ones and the write scopes that the form offers.
async fn approve(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
    pages: &[AccessiblePage],
    choice: Choice,
) -> Result<AuthorizationCode, PageError> {
    let code = AuthorizationCode::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let page_access: Vec<PageId> = pages.iter().map(|page| page.id).filter(|id| choice.pages.contains(*id)).collect();
    let approval = Approval {
        request,
        scopes: choice.scopes,
        unticked_scopes: choice.unticked_scopes(request),
        pages: choice.pages,
        page_access: &page_access,
        lifetime: choice.lifetime,
        replaces_earlier: choice.replaces_earlier,
        request_id: ctx.request_id,
        has_resource_tools: ctx.app.config.has_resource_tools && choice.has_resource_tools,
        resource: Route::Mcp.url(&ctx.app.config.public_url).into(),
        code_hash: code.hash(),
    };
    let entry = audit_entry(ctx, request);
    let audit = audit::statement_if_grant_changed(&entry);
    match authorization_requests::approve(ctx.db, form.keys(), &approval, audit, ctx.now).await? {
        Redemption::Redeemed => Ok(code),
        Redemption::AlreadyRedeemed => Err(PageError::LinkUsed),
    }
}

async fn deny(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
) -> Result<RedirectError, PageError> {
    match form.close_request(ctx, request, NotConnected::DeniedByPerson).await? {
        Redemption::Redeemed => Ok(RedirectError::Denied),
        Redemption::AlreadyRedeemed => Err(PageError::LinkUsed),
    }
}

/// The validated redirect URI with the authorization response: code or error, `state`, and `iss`, each exactly once.
pub(super) fn authorization_response_url(
    ctx: &RequestContext<'_>,
    client: &ResolvedClient,
    state: Option<&str>,
    outcome: &Result<AuthorizationCode, RedirectError>,
) -> Url {
    ctx.log.set_reason(outcome.as_ref().map_or_else(|error| error.code(), |_| "approved"));
    ctx.log.set_outcome(match outcome {
        Ok(_) => Outcome::Answered,
        Err(RedirectError::Unavailable) => Outcome::Failed,
        Err(_) => Outcome::Refused,
    });
    let description;
    let mut parameters = match outcome {
        Ok(code) => vec![("code", code.expose())],
        Err(error) => {
            description = error.description(&Route::Mcp.url(&ctx.app.config.public_url));
            vec![("error", error.code()), ("error_description", description.as_str())]
        }
    };
    if let Some(state) = state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", &ctx.app.config.issuer));
    client.redirect_uri.with_query(&parameters)
}
