//! Back from StatiBeat's sign-in: who is it? Then on to the consent page, or the parked fault on to the client.

use super::browser::{self, Cookie};
use super::consent::{answer_url, is_still_proven};
use super::routes::Route;
use super::views::{self, Problem};
use super::{Context, Response, reply};
use crate::ids::{GrantId, RequestId, UserId};
use crate::oauth::error::SentToClient;
use crate::oauth::grant::TRANSACTION_LIFETIME;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::Handle;
use crate::ports::{DatabaseError, Statement};
use crate::storage::audit::{self, AuditId, Entry, Kind, Outcome};
use crate::storage::transactions::{self, Attachment, SignedIn, Visit};
use crate::upstream::identity::{self, Return, SignInError, SignInPurpose};
use bytes::Bytes;
use http::{Request, StatusCode};

/// Why a return from sign-in does not go on.
enum Fault {
    /// No visit of any browser waits for it.
    LinkUsed,
    /// A visit of another browser waits for it.
    OtherBrowser,
    /// The person turned back.
    Canceled,
    /// StatiBeat did not name a person.
    SignIn(SignInError),
    /// Ours.
    Storage(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error)
    }
}

/// The two secrets of one visit in one browser.
struct Ticket {
    handle: Handle,
    browser: Handle,
}

/// Ends a sign-in.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    let parameters = browser::query(request);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.one(name).ok().flatten());
    let Some(handle) = one("state").and_then(Handle::recognize) else {
        return views::problem(StatusCode::BAD_REQUEST, &Problem::LinkUsed);
    };
    let cookie = Cookie::of_visit(&handle.hash(), &ctx.config.public_url);
    // 1. This browser, this visit, once: the state is spent before anything is asked of StatiBeat.
    let (ticket, visit) = match take(ctx, handle, cookie.read(request)).await {
        Ok(taken) => taken,
        Err(fault) => return show(ctx, &fault),
    };
    // 2. Who is it?
    let mut response = match exchange(ctx, &ticket, one("code")).await {
        Ok(person) => go_on(ctx, &ticket, &visit, &person).await,
        Err(fault) => {
            close(ctx, &ticket, audit_row(ctx, &visit, &fault, request_id)).await;
            show(ctx, &fault)
        }
    };
    cookie.clear(&mut response);
    response
}

/// Takes the visit out of circulation. A browser without the visit's cookie learns nothing and spends nothing.
async fn take(ctx: &Context<'_>, handle: Handle, browser: Option<Handle>) -> Result<(Ticket, Visit), Fault> {
    let Some(browser) = browser else { return Err(not_taken(ctx, &handle).await?) };
    let ticket = Ticket { handle, browser };
    // Needs no limit of its own: the state works once, and a made-up one must not make a counter.
    match transactions::consume_sign_in(ctx.db, &ticket.handle, &ticket.browser, ctx.now).await? {
        Some(visit) if is_still_proven(ctx, &visit) => Ok((ticket, visit)),
        Some(_) => Err(Fault::LinkUsed),
        None => Err(not_taken(ctx, &ticket.handle).await?),
    }
}

async fn not_taken(ctx: &Context<'_>, handle: &Handle) -> Result<Fault, DatabaseError> {
    let is_waiting = transactions::is_waiting_for_sign_in(ctx.db, handle, ctx.now).await?;
    Ok(if is_waiting { Fault::OtherBrowser } else { Fault::LinkUsed })
}

async fn exchange(ctx: &Context<'_>, ticket: &Ticket, code: Option<&str>) -> Result<SignedIn, Fault> {
    let verifier = CodeVerifier::from_secrets(&ticket.handle, &ticket.browser);
    let returned = Return {
        purpose: SignInPurpose::Connect,
        code: code.ok_or(Fault::Canceled)?,
        code_verifier: verifier.reveal(),
        state: ticket.handle.reveal(),
    };
    let user = identity::exchange(&ctx.connector(), &returned).await.map_err(Fault::SignIn)?;
    Ok(SignedIn { user_id: user.id, name: user.name, email: user.email })
}

/// The person is known: a parked fault may go to the client now; a request goes to its person.
async fn go_on(ctx: &Context<'_>, ticket: &Ticket, visit: &Visit, person: &SignedIn) -> Response {
    if let Err(fault) = visit.asked {
        close(ctx, ticket, None).await;
        return send_back(ctx, visit, fault);
    }
    // From here on the visit belongs to this person, under a new handle and a new cookie.
    let (consent, browser) = (Handle::new(&ctx.random_bytes()), Handle::new(&ctx.random_bytes()));
    let grant_id = GrantId(ctx.random_id());
    let attachment = Attachment { person, consent: &consent, browser: &browser, grant_id: &grant_id };
    match transactions::attach_person(ctx.db, &ticket.handle, &attachment).await {
        Ok(true) => ask(ctx, &consent, &browser),
        Ok(false) => show(ctx, &Fault::LinkUsed),
        Err(error) => {
            (ctx.log)(&format!("sign-in: {error}"));
            send_back(ctx, visit, SentToClient::Unavailable)
        }
    }
}

fn ask(ctx: &Context<'_>, consent: &Handle, browser: &Handle) -> Response {
    let mut location = Route::Consent.url(&ctx.config.public_url);
    location.query_pairs_mut().append_pair("request", consent.reveal());
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    let cookie = Cookie::of_visit(&consent.hash(), &ctx.config.public_url);
    cookie.put(&mut response, browser, TRANSACTION_LIFETIME.as_secs());
    response
}

fn send_back(ctx: &Context<'_>, visit: &Visit, fault: SentToClient) -> Response {
    reply::redirect(StatusCode::FOUND, answer_url(ctx, visit, &Err(fault)).as_str())
}

/// Ends the visit. Its state is spent already, so nothing can follow even if this fails.
async fn close(ctx: &Context<'_>, ticket: &Ticket, audit: Option<Statement>) {
    if let Err(error) = transactions::abandon(ctx.db, &ticket.handle, &ticket.browser, audit, ctx.now).await {
        (ctx.log)(&format!("sign-in: a visit is not closed: {error}"));
    }
}

/// The row for a person named in a way that we cannot trust: somebody may be forging.
fn audit_row(ctx: &Context<'_>, visit: &Visit, fault: &Fault, request_id: &RequestId) -> Option<Statement> {
    let Fault::SignIn(SignInError::BadIdentity(reason)) = fault else { return None };
    let entry = Entry {
        id: AuditId::new(ctx.random_bytes()),
        at: ctx.now,
        kind: Kind::SignIn,
        outcome: Outcome::Refused,
        user_id: &UserId(String::new()),
        client_id: &visit.client.id,
        client_name: &visit.client.name,
        grant_id: &GrantId(String::new()),
        request_id,
        target: None,
        detail: Some(reason.reason()),
    };
    Some(audit::statement(&entry))
}

fn show(ctx: &Context<'_>, fault: &Fault) -> Response {
    let (status, problem) = match fault {
        Fault::LinkUsed => (StatusCode::BAD_REQUEST, Problem::LinkUsed),
        Fault::OtherBrowser => (StatusCode::FORBIDDEN, Problem::OtherBrowser),
        Fault::Canceled => (StatusCode::OK, Problem::SignInCanceled),
        Fault::SignIn(error) => problem_of(error),
        Fault::Storage(_) => (StatusCode::SERVICE_UNAVAILABLE, Problem::TryLater),
    };
    ctx.ledger.because(match fault {
        Fault::LinkUsed => "link_used",
        Fault::OtherBrowser => "other_browser",
        Fault::Canceled => "canceled",
        Fault::SignIn(SignInError::BadCode(_)) => "bad_code",
        Fault::SignIn(SignInError::Refused(_)) => "sign_in_refused",
        Fault::SignIn(SignInError::BadIdentity(reason)) => reason.reason(),
        Fault::SignIn(SignInError::Unavailable(_)) => "sign_in_unavailable",
        Fault::Storage(_) => "storage_unavailable",
    });
    match fault {
        Fault::SignIn(error) => (ctx.log)(&format!("sign-in: {error}")),
        Fault::Storage(error) => (ctx.log)(&format!("sign-in: {error}")),
        Fault::LinkUsed | Fault::OtherBrowser | Fault::Canceled => {}
    }
    views::problem(status, &problem)
}

/// What it means to the person that nobody was signed in.
pub(super) const fn problem_of(error: &SignInError) -> (StatusCode, Problem<'static>) {
    match error {
        SignInError::BadCode(_) | SignInError::BadIdentity(_) => (StatusCode::BAD_REQUEST, Problem::SignInFailed),
        SignInError::Refused(_) => (StatusCode::FORBIDDEN, Problem::SignInRefused),
        SignInError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, Problem::TryLater),
    }
}
