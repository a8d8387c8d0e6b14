//! The consent page and the person's answer (RFC 6749 4.1.1, 4.1.2; RFC 9207).
//!
//! Consent is asked on every authorization. The form carries a handle and ticks; what was asked lives in the database, so
//! editing any other field changes nothing. The answer leaves by a page, not by a redirect: Chromium applies `form-action`
//! to every hop after a form post, and a client's callback may hop on to a scheme of its own.

use super::browser::{self, Cookie};
use super::choice::Choice;
use super::limits;
use super::routes::Route;
use super::views::{self, ConsentPage, Objection, Problem};
use super::{Context, Response, authorize};
use crate::catalog::scope::{Scope, ScopeSet};
use crate::hosted::access;
use crate::ids::{PageId, RequestId};
use crate::oauth::error::SentToClient;
use crate::oauth::secret::{AuthorizationCode, Handle};
use crate::ports::DatabaseError;
use crate::storage::audit::{self, AuditId, Entry, Kind, Outcome};
use crate::storage::transactions::{self, Approval, Transaction, Visit};
use crate::telemetry;
use crate::upstream::identity::{self, AccessiblePage};
use crate::upstream::{Api, ApiError, Principal};
use bytes::Bytes;
use http::{Request, StatusCode};
use std::time::Duration;
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
    NoPage(Box<Transaction>),
    UserEnded,
    Upstream(ApiError),
    Storage(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error)
    }
}

/// What both requests carry: the form's handle and the cookie that goes with it.
struct Ticket {
    consent: Handle,
    browser: Handle,
    cookie: Cookie,
}

impl Ticket {
    async fn read(ctx: &Context<'_>, request: &Request<Bytes>, handle: Option<&str>) -> Result<Self, Fault> {
        let consent = handle.and_then(Handle::recognize).ok_or(Fault::NotThisVisit)?;
        let cookie = Cookie::of_visit(&consent.hash(), &ctx.config.public_url);
        match cookie.read(request) {
            Some(browser) => Ok(Self { consent, browser, cookie }),
            None => Err(not_found(ctx, &consent).await?),
        }
    }

    async fn transaction(&self, ctx: &Context<'_>) -> Result<Transaction, Fault> {
        match transactions::find_for_consent(ctx.db, &self.consent, &self.browser, ctx.now).await? {
            Some(transaction) if is_still_proven(ctx, &transaction.visit) => Ok(transaction),
            Some(_) => Err(Fault::NotThisVisit),
            None => Err(not_found(ctx, &self.consent).await?),
        }
    }

    /// Counts an answer; one too many ends the visit.
    async fn count(&self, ctx: &Context<'_>) -> Result<(), Fault> {
        let counter = limits::visit(&self.consent.hash(), &self.browser.hash());
        let Some(wait) = limits::wait(ctx, &limits::VISIT, &counter).await else { return Ok(()) };
        transactions::close(ctx.db, &self.consent, &self.browser, ctx.now).await?;
        Err(Fault::TooOften(wait))
    }
}

/// Whether the client and its redirect URI would be accepted today: an operator may have struck them off since the visit
/// began.
pub(super) fn is_still_proven(ctx: &Context<'_>, visit: &Visit) -> bool {
    let client = &visit.client;
    ctx.clients().resolve(client.id.as_str(), client.redirect_uri.as_str()).is_ok()
}

/// Why there is no visit for a handle and a cookie. Whoever has the handle may know.
async fn not_found(ctx: &Context<'_>, consent: &Handle) -> Result<Fault, DatabaseError> {
    let is_waiting = transactions::is_waiting_for_answer(ctx.db, consent, ctx.now).await?;
    Ok(if is_waiting { Fault::OtherBrowser } else { Fault::NotThisVisit })
}

/// Shows the page. It can be loaded again until it is answered.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    match show(ctx, request, request_id).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &fault),
    }
}

async fn show(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Result<Response, Fault> {
    let parameters = browser::query(request).ok_or(Fault::NotThisVisit)?;
    let ticket = Ticket::read(ctx, request, parameters.one("request").ok().flatten()).await?;
    let transaction = ticket.transaction(ctx).await?;
    let Ok(asked) = &transaction.visit.asked else { return Err(Fault::NotThisVisit) };
    let pages = pages(ctx, &ticket, &transaction, request_id).await?;
    Ok(page(ctx, &ticket, &transaction, &pages, (asked.scopes, &Choice::proposed(asked.scopes)), None))
}

fn page(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    pages: &[AccessiblePage],
    (asked, choice): (ScopeSet, &Choice),
    objection: Option<Objection>,
) -> Response {
    views::consent(&ConsentPage {
        client: &transaction.visit.client,
        person: &transaction.person,
        pages,
        asked,
        choice,
        offers_read_bridge: ctx.config.has_read_bridge,
        objection,
        action: Route::Consent.path(),
        admin_page: Route::AdminPage.path(),
        handle: ticket.consent.reveal(),
    })
}

/// The pages that the person can see. Without any there is nothing to answer, and the visit is over.
async fn pages(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    request_id: &RequestId,
) -> Result<Vec<AccessiblePage>, Fault> {
    let connector = ctx.connector();
    let principal = Principal {
        user_id: &transaction.person.user_id,
        client_id: transaction.visit.client.id.as_str(),
        grant_id: &transaction.grant_id,
        request_id,
    };
    let api = Api { connector: &connector, principal };
    let pages: Vec<_> = match identity::accessible_pages(&api, Scope::PagesRead).await {
        Ok(pages) => pages.into_iter().filter(access::is_visible).collect(),
        Err(ApiError::UserEnded) => {
            transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await?;
            return Err(Fault::UserEnded);
        }
        Err(error) => return Err(Fault::Upstream(error)),
    };
    if pages.is_empty() {
        transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await?;
        return Err(Fault::NoPage(Box::new(transaction.clone())));
    }
    Ok(pages)
}

/// Takes the answer.
pub(super) async fn post(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    match answer(ctx, request, request_id).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &fault),
    }
}

/// The order is a security property: where the form comes from and whose browser it is, before anything else.
async fn answer(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Result<Response, Fault> {
    if !browser::is_from_our_page(request, &ctx.config.issuer) {
        return Err(Fault::ForeignForm);
    }
    let form = browser::form(request).ok_or(Fault::NotThisVisit)?;
    let ticket = Ticket::read(ctx, request, form.one("request").ok().flatten()).await?;
    let transaction = ticket.transaction(ctx).await?;
    // Only a visit that exists is counted: a made-up handle must not make a counter.
    ticket.count(ctx).await?;
    if form.one("person") != Ok(Some(&transaction.person.user_id.0)) {
        return Err(Fault::OtherPerson);
    }
    let Ok(asked) = &transaction.visit.asked else { return Err(Fault::NotThisVisit) };
    let choice = Choice::read(&form, asked.scopes);
    let decided = match form.one("answer") {
        Ok(Some("switch")) => return switch_account(ctx, &ticket, &transaction.visit).await,
        Ok(Some("approve")) if !choice.scopes.is_empty() => {
            let pages = pages(ctx, &ticket, &transaction, request_id).await?;
            let Some(choice) = choice.among(&pages) else {
                let again = (asked.scopes, &choice);
                return Ok(page(ctx, &ticket, &transaction, &pages, again, Some(Objection::NoPage)));
            };
            approve(ctx, &ticket, &transaction, &pages, choice, request_id).await.map(Ok)
        }
        _ => deny(ctx, &ticket, &transaction, request_id).await.map(Err),
    };
    let outcome = match decided {
        // Where the answer goes is proven and its person signed in, so the client may know that it can try again.
        Err(Fault::Storage(error)) => {
            (ctx.log)(&format!("consent: {error}"));
            Err(SentToClient::Unavailable)
        }
        decided => decided?,
    };
    let location = answer_url(ctx, &transaction.visit, &outcome);
    let mut response = views::leave(&location, &transaction.visit.client, outcome.is_ok());
    ticket.cookie.clear(&mut response);
    Ok(response)
}

/// The same request again from the start, with StatiBeat asking which account.
async fn switch_account(ctx: &Context<'_>, ticket: &Ticket, visit: &Visit) -> Result<Response, Fault> {
    if !transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await? {
        return Err(Fault::NotThisVisit);
    }
    let mut response = authorize::start(ctx, visit, true, views::to_sign_in).await?;
    ticket.cookie.clear(&mut response);
    Ok(response)
}

/// A person may grant what was asked for or less, and the writes that were offered; the tick boxes held no more.
async fn approve(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    pages: &[AccessiblePage],
    choice: Choice,
    request_id: &RequestId,
) -> Result<AuthorizationCode, Fault> {
    let Ok(asked) = &transaction.visit.asked else { return Err(Fault::NotThisVisit) };
    let code = AuthorizationCode::issue(&ctx.random_bytes(), ctx.tags());
    let reached: Vec<PageId> = pages.iter().map(|page| page.id).filter(|id| choice.pages.contains(*id)).collect();
    let approval = Approval {
        transaction,
        request: asked,
        scopes: choice.scopes,
        pages: choice.pages,
        reached: &reached,
        lifetime: choice.lifetime,
        has_read_bridge: ctx.config.has_read_bridge && choice.has_read_bridge,
        resource: Route::Mcp.url(&ctx.config.public_url).into(),
        code_hash: code.hash(),
    };
    let entry = audit_entry(ctx, transaction, Outcome::Done, request_id);
    let audit = audit::statement_if_grant_changed(&entry);
    if transactions::approve(ctx.db, &ticket.consent, &ticket.browser, &approval, audit, ctx.now).await? {
        Ok(code)
    } else {
        Err(Fault::NotThisVisit)
    }
}

async fn deny(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    request_id: &RequestId,
) -> Result<SentToClient, Fault> {
    if !transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await? {
        return Err(Fault::NotThisVisit);
    }
    if let Err(error) = audit::append(ctx.db, &audit_entry(ctx, transaction, Outcome::Refused, request_id)).await {
        (ctx.log)(&format!("consent: the refusal is not in the audit: {error}"));
    }
    Ok(SentToClient::Denied)
}

fn audit_entry<'a>(
    ctx: &Context<'_>,
    transaction: &'a Transaction,
    outcome: Outcome,
    request_id: &'a RequestId,
) -> Entry<'a> {
    Entry {
        id: AuditId::once(Kind::Approval, &transaction.grant_id),
        at: ctx.now,
        kind: Kind::Approval,
        outcome,
        user_id: &transaction.person.user_id,
        client_id: &transaction.visit.client.id,
        client_name: &transaction.visit.client.name,
        grant_id: &transaction.grant_id,
        request_id,
        target: None,
        detail: None,
    }
}

/// Where the browser goes with the answer: the proven redirect URI with exactly one each of code or error, state, `iss`.
pub(super) fn answer_url(ctx: &Context<'_>, visit: &Visit, outcome: &Result<AuthorizationCode, SentToClient>) -> Url {
    ctx.ledger.because(outcome.as_ref().map_or_else(|fault| fault.code(), |_| "approved"));
    ctx.ledger.ended(match outcome {
        Ok(_) => telemetry::Outcome::Answered,
        Err(SentToClient::Unavailable) => telemetry::Outcome::Failed,
        Err(_) => telemetry::Outcome::Refused,
    });
    let description;
    let mut parameters = match outcome {
        Ok(code) => vec![("code", code.reveal())],
        Err(fault) => {
            description = fault.to_string();
            vec![("error", fault.code()), ("error_description", description.as_str())]
        }
    };
    if let Some(state) = &visit.state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", &ctx.config.issuer));
    visit.client.redirect_uri.with_query(&parameters)
}

fn refuse(ctx: &Context<'_>, fault: &Fault) -> Response {
    ctx.ledger.because(match fault {
        Fault::NotThisVisit => "link_used",
        Fault::OtherPerson => "other_person",
        Fault::TooOften(_) => "limited",
        Fault::OtherBrowser | Fault::ForeignForm => "other_browser",
        Fault::UserEnded => "user_ended",
        Fault::NoPage(_) => "no_page",
        Fault::Upstream(error) => error.reason(),
        Fault::Storage(_) => "storage_unavailable",
    });
    match fault {
        Fault::NotThisVisit => views::problem(StatusCode::BAD_REQUEST, &Problem::LinkUsed),
        Fault::OtherPerson => views::problem(StatusCode::FORBIDDEN, &Problem::OtherPerson),
        Fault::TooOften(wait) => views::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(*wait)),
        Fault::OtherBrowser | Fault::ForeignForm => views::problem(StatusCode::FORBIDDEN, &Problem::OtherBrowser),
        Fault::UserEnded => views::problem(StatusCode::FORBIDDEN, &Problem::SignInRefused),
        Fault::NoPage(transaction) => {
            let back = answer_url(ctx, &transaction.visit, &Err(SentToClient::Denied));
            views::problem(StatusCode::FORBIDDEN, &Problem::NoPage { email: &transaction.person.email, back: &back })
        }
        Fault::Upstream(error) => {
            (ctx.log)(&format!("consent: {error}"));
            views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
        Fault::Storage(error) => {
            (ctx.log)(&format!("consent: {error}"));
            views::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
    }
}
