//! The consent page and the person's answer (RFC 6749 4.1.1, 4.1.2; RFC 9207).
//!
//! Consent is asked on every authorization. The form carries a handle and ticks; what was asked lives in the database, so
//! editing any other field changes nothing. The answer leaves by a page, not by a redirect: Chromium applies `form-action`
//! to every hop after a form post, and a client's callback may hop on to a scheme of its own.

use super::browser::{self, VisitCookie};
use super::limits;
use super::routes::Route;
use super::views::{self, ConsentPage, Problem};
use super::{Context, Response};
use crate::catalog::scope::{Scope, ScopeSet};
use crate::ids::RequestId;
use crate::oauth::error::SentToClient;
use crate::oauth::secret::{AuthorizationCode, Handle};
use crate::ports::DatabaseError;
use crate::storage::audit::{self, AuditId, Entry, Kind, Outcome};
use crate::storage::transactions::{self, Approval, Transaction, Visit};
use crate::upstream::{Api, ApiError, Principal, identity};
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
    cookie: VisitCookie,
}

impl Ticket {
    async fn read(ctx: &Context<'_>, request: &Request<Bytes>, handle: Option<&str>) -> Result<Self, Fault> {
        let consent = handle.and_then(Handle::recognize).ok_or(Fault::NotThisVisit)?;
        let cookie = VisitCookie::of(&consent.hash(), &ctx.config.public_url);
        match cookie.read(request) {
            Some(browser) => Ok(Self { consent, browser, cookie }),
            None => Err(not_found(ctx, &consent).await?),
        }
    }

    async fn transaction(&self, ctx: &Context<'_>) -> Result<Transaction, Fault> {
        match transactions::find_for_consent(ctx.db, &self.consent, &self.browser, ctx.now).await? {
            Some(transaction) => Ok(transaction),
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
    let connector = ctx.connector();
    let principal = Principal {
        user_id: &transaction.person.user_id,
        client_id: transaction.visit.client.id.as_str(),
        grant_id: &transaction.grant_id,
        request_id,
    };
    let api = Api { connector: &connector, principal };
    let pages = match identity::accessible_pages(&api, Scope::PagesRead).await {
        Ok(pages) => pages,
        Err(ApiError::UserEnded) => {
            transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await?;
            return Err(Fault::UserEnded);
        }
        Err(error) => return Err(Fault::Upstream(error)),
    };
    if pages.is_empty() {
        transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await?;
        return Err(Fault::NoPage(Box::new(transaction)));
    }
    let page_names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
    Ok(views::consent(&ConsentPage {
        client: &transaction.visit.client,
        person: &transaction.person,
        asked: asked.scopes,
        page_names: &page_names,
        action: Route::Consent.path(),
        handle: ticket.consent.reveal(),
    }))
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
    let chosen: ScopeSet = form.all("scope").filter_map(Scope::parse).collect();
    let is_approved = form.one("answer") == Ok(Some("approve"));
    let decided = if is_approved && !chosen.is_empty() {
        approve(ctx, &ticket, &transaction, chosen, request_id).await
    } else {
        deny(ctx, &ticket, &transaction, request_id).await
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

/// A person may grant what was asked for or less, and the writes that were offered; the tick boxes held no more.
async fn approve(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    chosen: ScopeSet,
    request_id: &RequestId,
) -> Result<Result<AuthorizationCode, SentToClient>, Fault> {
    let Ok(asked) = &transaction.visit.asked else { return Err(Fault::NotThisVisit) };
    let code = AuthorizationCode::issue(&ctx.random_bytes(), ctx.tags());
    let approval = Approval {
        transaction,
        request: asked,
        scopes: chosen.intersection(offered(asked.scopes)),
        resource: Route::Mcp.url(&ctx.config.public_url).into(),
        code_hash: code.hash(),
    };
    if approval.scopes.is_empty() {
        return deny(ctx, ticket, transaction, request_id).await;
    }
    let entry = audit_entry(ctx, transaction, Outcome::Done, request_id);
    let audit = audit::statement_if_grant_changed(&entry);
    if transactions::approve(ctx.db, &ticket.consent, &ticket.browser, &approval, audit, ctx.now).await? {
        Ok(Ok(code))
    } else {
        Err(Fault::NotThisVisit)
    }
}

/// What a person can tick: everything asked for, and the writes, so that one visit is enough.
pub(super) fn offered(asked: ScopeSet) -> ScopeSet {
    asked.union(Scope::ALL.into_iter().filter(|scope| scope.is_write()).collect())
}

async fn deny(
    ctx: &Context<'_>,
    ticket: &Ticket,
    transaction: &Transaction,
    request_id: &RequestId,
) -> Result<Result<AuthorizationCode, SentToClient>, Fault> {
    if !transactions::close(ctx.db, &ticket.consent, &ticket.browser, ctx.now).await? {
        return Err(Fault::NotThisVisit);
    }
    if let Err(error) = audit::append(ctx.db, &audit_entry(ctx, transaction, Outcome::Refused, request_id)).await {
        (ctx.log)(&format!("consent: the refusal is not in the audit: {error}"));
    }
    Ok(Err(SentToClient::Denied))
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
