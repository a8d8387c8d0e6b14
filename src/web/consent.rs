//! The consent page and the person's answer (RFC 6749 4.1.1, 4.1.2; RFC 9207).
//!
//! Every authorization asks for consent. The form carries a handle and the choice; the request itself is in the database, so editing
//! other fields changes nothing. The answer is delivered by a page, not by a redirect: Chromium applies `form-action` to every
//! redirect after a form post, and a client's callback may redirect to a scheme of its own.

mod choice;
mod form;
mod page;

use super::authorize;
use super::browser;
use super::context::RequestContext;
use super::page_error::PageError;
use super::reply::Response;
use super::routes::Route;
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

/// Shows the consent page, which can be reloaded until it is answered.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let parameters = browser::query(ctx.head).ok_or(PageError::LinkUsed)?;
    let form = ConsentForm::read(ctx, parameters.one("request").ok().flatten()).await?;
    let request = form.find(ctx).await?;
    let pages = pages(ctx, &form, &request).await?;
    let choice = Choice::proposed(request.access.scopes, request.client.is_tool_only());
    Ok(page(ctx, &form, &request, &pages, &choice).show())
}

fn page<'a>(
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
        choice,
        offers_resource_tools: ctx.app.config.has_resource_tools,
        handle: form.consent.expose(),
    }
}

/// The pages that the person can see. Without any, the request is closed.
async fn pages(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
) -> Result<Vec<AccessiblePage>, PageError> {
    let api = ctx.api(&request.person.user_id, request.client.id.as_str(), &request.grant_id);
    let pages: Vec<_> = match identity::accessible_pages(&api, Scope::PagesRead).await.map_err(PageError::from) {
        Ok(pages) => pages.into_iter().filter(access::is_visible).collect(),
        Err(error) => {
            if matches!(error, PageError::UserEnded) {
                form.refuse(ctx, request, NotConnected::UserEnded).await?;
            }
            return Err(error);
        }
    };
    if pages.is_empty() {
        form.refuse(ctx, request, NotConnected::NoPage).await?;
        let back = answer_url(ctx, &request.client, request.state.as_deref(), &Err(RedirectError::Denied));
        return Err(PageError::NoPage { email: request.person.email.clone(), back });
    }
    Ok(pages)
}

/// Handles the answer. The order is a security property: origin of the form and browser binding come first.
pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    if !browser::is_from_our_page(ctx.head, &ctx.app.config.issuer) {
        return Err(PageError::OtherBrowser);
    }
    let fields = browser::form(ctx.head, body).ok_or(PageError::LinkUsed)?;
    let form = ConsentForm::read(ctx, fields.one("request").ok().flatten()).await?;
    let request = form.find(ctx).await?;
    // Only an existing request is counted: a made-up handle must not create a counter.
    form.count(ctx, &request).await?;
    if fields.one("person") != Ok(Some(&request.person.user_id.0)) {
        return Err(PageError::OtherPerson);
    }
    let choice = Choice::read(&fields, request.access.scopes);
    let decided = match fields.one("answer") {
        Ok(Some("switch")) => return switch_account(ctx, &form, &request).await,
        Ok(Some("approve")) if !choice.scopes.is_empty() => {
            let pages = pages(ctx, &form, &request).await?;
            let Some(choice) = choice.among(&pages) else {
                return Ok(page(ctx, &form, &request, &pages, &choice).object_to_no_page());
            };
            approve(ctx, &form, &request, &pages, choice).await.map(Ok)
        }
        _ => deny(ctx, &form, &request).await.map(Err),
    };
    let outcome = match decided {
        // The redirect URI is proven and the person signed in, so the client may learn that it can try again.
        Err(PageError::Storage(error)) => {
            ctx.log.note(&format!("consent: {error}"));
            Err(RedirectError::Unavailable)
        }
        decided => decided?,
    };
    let location = answer_url(ctx, &request.client, request.state.as_deref(), &outcome);
    let mut response = page::leave(&location, &request.client, outcome.is_ok());
    form.cookie.clear(&mut response);
    Ok(response)
}

/// Starts the same request again, with StatiBeat asking for the account.
async fn switch_account(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
) -> Result<Response, PageError> {
    if authorization_requests::close(ctx.db, form.keys(), ctx.now).await? == Redemption::AlreadyRedeemed {
        return Err(PageError::LinkUsed);
    }
    // It fitted into the cookie before.
    let started = authorize::start(ctx, &request.to_request(), true, page::to_sign_in);
    let mut response = started.map_err(|_| PageError::LinkUsed)?;
    form.cookie.clear(&mut response);
    Ok(response)
}

/// Grants the chosen scopes: a subset of the requested ones and the offered writes.
async fn approve(
    ctx: &RequestContext<'_>,
    form: &ConsentForm,
    request: &SignedInRequest,
    pages: &[AccessiblePage],
    choice: Choice,
) -> Result<AuthorizationCode, PageError> {
    let code = AuthorizationCode::issue(&ctx.random_bytes(), ctx.checksum_keys());
    let reached: Vec<PageId> = pages.iter().map(|page| page.id).filter(|id| choice.pages.contains(*id)).collect();
    let approval = Approval {
        request,
        scopes: choice.scopes,
        pages: choice.pages,
        reached: &reached,
        lifetime: choice.lifetime,
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
    match form.refuse(ctx, request, NotConnected::Person).await? {
        Redemption::Redeemed => Ok(RedirectError::Denied),
        Redemption::AlreadyRedeemed => Err(PageError::LinkUsed),
    }
}

/// The proven redirect URI with the response: code or error, `state`, and `iss`, each exactly once.
pub(super) fn answer_url(
    ctx: &RequestContext<'_>,
    client: &ResolvedClient,
    state: Option<&str>,
    outcome: &Result<AuthorizationCode, RedirectError>,
) -> Url {
    ctx.log.set_reason(outcome.as_ref().map_or_else(|fault| fault.code(), |_| "approved"));
    ctx.log.set_outcome(match outcome {
        Ok(_) => Outcome::Answered,
        Err(RedirectError::Unavailable) => Outcome::Failed,
        Err(_) => Outcome::Refused,
    });
    let description;
    let mut parameters = match outcome {
        Ok(code) => vec![("code", code.expose())],
        Err(fault) => {
            description = fault.to_string();
            vec![("error", fault.code()), ("error_description", description.as_str())]
        }
    };
    if let Some(state) = state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", &ctx.app.config.issuer));
    client.redirect_uri.with_query(&parameters)
}
