//! The consent page and the person's answer (RFC 6749 4.1.1, 4.1.2; RFC 9207).
//!
//! Consent is asked on every authorization. The form carries a handle and ticks; what was asked lives in the database, so
//! editing any other field changes nothing. The answer leaves by a page, not by a redirect: Chromium applies `form-action`
//! to every hop after a form post, and a client's callback may hop on to a scheme of its own.

mod ticket;

use super::authorize;
use super::browser;
use super::choice::Choice;
use super::context::RequestContext;
use super::reply::Response;
use super::routes::Route;
use super::views::{self, ConsentPage, Objection, Problem};
use crate::hosted::access;
use crate::model::ids::PageId;
use crate::model::outcome::Outcome;
use crate::model::scope::Scope;
use crate::oauth::client::ResolvedClient;
use crate::oauth::error::SentToClient;
use crate::oauth::secret::AuthorizationCode;
use crate::ports::DatabaseError;
use crate::storage::Redemption;
use crate::storage::audit;
use crate::storage::authorization_requests::{self, Approval, SignedInRequest};
use crate::upstream::identity::{self, AccessiblePage};
use crate::upstream::{ApiError, ApiErrorKind};
use http::StatusCode;
use std::time::Duration;
use ticket::{Refused, Ticket, audit_entry};
use url::Url;

/// Why a person cannot answer.
enum Fault {
    /// No form waits for it.
    NotThisVisit,
    /// A form in another browser waits for it.
    OtherBrowser,
    /// The form was shown to somebody else.
    OtherPerson,
    ForeignForm,
    TooOften(Duration),
    NoPage(Box<SignedInRequest>),
    UserEnded,
    Upstream(ApiError),
    Storage(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error)
    }
}

/// Shows the page. It can be loaded again until it is answered.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Response {
    match show(ctx).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &fault),
    }
}

async fn show(ctx: &RequestContext<'_>) -> Result<Response, Fault> {
    let parameters = browser::query(ctx.head).ok_or(Fault::NotThisVisit)?;
    let ticket = Ticket::read(ctx, parameters.one("request").ok().flatten()).await?;
    let asked = ticket.find(ctx).await?;
    let pages = pages(ctx, &ticket, &asked).await?;
    let shown = Shown { asked: &asked, pages: &pages, choice: &Choice::proposed(asked.access.scopes) };
    Ok(page(ctx, &ticket, &shown, None))
}

/// What a person is asked, and the state of the form's controls.
struct Shown<'a> {
    asked: &'a SignedInRequest,
    pages: &'a [AccessiblePage],
    choice: &'a Choice,
}

fn page(ctx: &RequestContext<'_>, ticket: &Ticket, shown: &Shown<'_>, objection: Option<Objection>) -> Response {
    let Shown { asked, pages, choice } = *shown;
    views::consent(&ConsentPage {
        client: &asked.client,
        person: &asked.person,
        pages,
        asked: asked.access.scopes,
        choice,
        offers_read_bridge: ctx.app.config.has_read_bridge,
        objection,
        action: Route::Consent.path(),
        admin_page: Route::AdminPage.path(),
        handle: ticket.consent.expose(),
    })
}

/// The pages that the person can see. Without any there is nothing to answer, and the visit is over.
async fn pages(
    ctx: &RequestContext<'_>,
    ticket: &Ticket,
    asked: &SignedInRequest,
) -> Result<Vec<AccessiblePage>, Fault> {
    let api = ctx.api(&asked.person.user_id, asked.client.id.as_str(), &asked.grant_id);
    let pages: Vec<_> = match identity::accessible_pages(&api, Scope::PagesRead).await {
        Ok(pages) => pages.into_iter().filter(access::is_visible).collect(),
        Err(error) if error.kind == ApiErrorKind::UserEnded => {
            ticket.refuse(ctx, asked, Refused::UserEnded).await?;
            return Err(Fault::UserEnded);
        }
        Err(error) => return Err(Fault::Upstream(error)),
    };
    if pages.is_empty() {
        ticket.refuse(ctx, asked, Refused::NoPage).await?;
        return Err(Fault::NoPage(Box::new(asked.clone())));
    }
    Ok(pages)
}

pub(super) async fn post(ctx: &RequestContext<'_>, body: &[u8]) -> Response {
    match answer(ctx, body).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &fault),
    }
}

/// The order is a security property: where the form comes from and whose browser it is, before anything else.
async fn answer(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, Fault> {
    if !browser::is_from_our_page(ctx.head, &ctx.app.config.issuer) {
        return Err(Fault::ForeignForm);
    }
    let form = browser::form(ctx.head, body).ok_or(Fault::NotThisVisit)?;
    let ticket = Ticket::read(ctx, form.one("request").ok().flatten()).await?;
    let asked = ticket.find(ctx).await?;
    // Only a request that exists is counted: a made-up handle must not make a counter.
    ticket.count(ctx, &asked).await?;
    if form.one("person") != Ok(Some(&asked.person.user_id.0)) {
        return Err(Fault::OtherPerson);
    }
    let choice = Choice::read(&form, asked.access.scopes);
    let decided = match form.one("answer") {
        Ok(Some("switch")) => return switch_account(ctx, &ticket, &asked).await,
        Ok(Some("approve")) if !choice.scopes.is_empty() => {
            let pages = pages(ctx, &ticket, &asked).await?;
            let Some(choice) = choice.among(&pages) else {
                let shown = Shown { asked: &asked, pages: &pages, choice: &choice };
                return Ok(page(ctx, &ticket, &shown, Some(Objection::NoPage)));
            };
            approve(ctx, &ticket, &asked, &pages, choice).await.map(Ok)
        }
        _ => deny(ctx, &ticket, &asked).await.map(Err),
    };
    let outcome = match decided {
        // Where the answer goes is proven and its person signed in, so the client may know that it can try again.
        Err(Fault::Storage(error)) => {
            ctx.log.note(&format!("consent: {error}"));
            Err(SentToClient::Unavailable)
        }
        decided => decided?,
    };
    let location = answer_url(ctx, &asked.client, asked.state.as_deref(), &outcome);
    let mut response = views::leave(&location, &asked.client, outcome.is_ok());
    ticket.cookie.clear(&mut response);
    Ok(response)
}

/// The same request again from the start, with StatiBeat asking which account.
async fn switch_account(ctx: &RequestContext<'_>, ticket: &Ticket, asked: &SignedInRequest) -> Result<Response, Fault> {
    if authorization_requests::close(ctx.db, ticket.keys(), ctx.now).await? == Redemption::AlreadyRedeemed {
        return Err(Fault::NotThisVisit);
    }
    // It was sealed before, so it fits.
    let started = authorize::start(ctx, &asked.to_request(), true, views::to_sign_in);
    let mut response = started.map_err(|_| Fault::NotThisVisit)?;
    ticket.cookie.clear(&mut response);
    Ok(response)
}

/// A person may grant what was asked for or less, and the writes that were offered; the tick boxes held no more.
async fn approve(
    ctx: &RequestContext<'_>,
    ticket: &Ticket,
    asked: &SignedInRequest,
    pages: &[AccessiblePage],
    choice: Choice,
) -> Result<AuthorizationCode, Fault> {
    let code = AuthorizationCode::issue(&ctx.random_bytes(), ctx.tags());
    let reached: Vec<PageId> = pages.iter().map(|page| page.id).filter(|id| choice.pages.contains(*id)).collect();
    let approval = Approval {
        request: asked,
        scopes: choice.scopes,
        pages: choice.pages,
        reached: &reached,
        lifetime: choice.lifetime,
        has_read_bridge: ctx.app.config.has_read_bridge && choice.has_read_bridge,
        resource: Route::Mcp.url(&ctx.app.config.public_url).into(),
        code_hash: code.hash(),
    };
    let entry = audit_entry(ctx, asked);
    let audit = audit::statement_if_grant_changed(&entry);
    match authorization_requests::approve(ctx.db, ticket.keys(), &approval, audit, ctx.now).await? {
        Redemption::Redeemed => Ok(code),
        Redemption::AlreadyRedeemed => Err(Fault::NotThisVisit),
    }
}

async fn deny(ctx: &RequestContext<'_>, ticket: &Ticket, asked: &SignedInRequest) -> Result<SentToClient, Fault> {
    match ticket.refuse(ctx, asked, Refused::Person).await? {
        Redemption::Redeemed => Ok(SentToClient::Denied),
        Redemption::AlreadyRedeemed => Err(Fault::NotThisVisit),
    }
}

/// Where the browser goes with the answer: the proven redirect URI with exactly one each of code or error, state, `iss`.
pub(super) fn answer_url(
    ctx: &RequestContext<'_>,
    client: &ResolvedClient,
    state: Option<&str>,
    outcome: &Result<AuthorizationCode, SentToClient>,
) -> Url {
    ctx.log.because(outcome.as_ref().map_or_else(|fault| fault.code(), |_| "approved"));
    ctx.log.ended(match outcome {
        Ok(_) => Outcome::Answered,
        Err(SentToClient::Unavailable) => Outcome::Failed,
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

fn refuse(ctx: &RequestContext<'_>, fault: &Fault) -> Response {
    ctx.log.because(match fault {
        Fault::NotThisVisit => "link_used",
        Fault::OtherPerson => "other_person",
        Fault::TooOften(_) => "limited",
        Fault::OtherBrowser | Fault::ForeignForm => "other_browser",
        Fault::UserEnded => "user_ended",
        Fault::NoPage(_) => "no_page",
        Fault::Upstream(error) => error.reason().as_str(),
        Fault::Storage(_) => "storage_unavailable",
    });
    match fault {
        Fault::NotThisVisit => views::problem(StatusCode::BAD_REQUEST, &Problem::LinkUsed),
        Fault::OtherPerson => views::problem(StatusCode::FORBIDDEN, &Problem::OtherPerson),
        Fault::TooOften(wait) => views::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(*wait)),
        Fault::OtherBrowser | Fault::ForeignForm => views::problem(StatusCode::FORBIDDEN, &Problem::OtherBrowser),
        Fault::UserEnded => views::problem(StatusCode::FORBIDDEN, &Problem::SignInRefused),
        Fault::NoPage(asked) => {
            let back = answer_url(ctx, &asked.client, asked.state.as_deref(), &Err(SentToClient::Denied));
            views::problem(StatusCode::FORBIDDEN, &Problem::NoPage { email: &asked.person.email, back: &back })
        }
        Fault::Upstream(error) => {
            ctx.log.note(&format!("consent: {error}"));
            views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
        Fault::Storage(error) => {
            ctx.log.note(&format!("consent: {error}"));
            views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
    }
}
