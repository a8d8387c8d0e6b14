//! Back from StatiBeat's sign-in: who is it? Then on to the consent page, or the parked fault on to the client.

use super::authorize::sign_in_verifier;
use super::browser::{self, Cookie};
use super::consent::answer_url;
use super::routes::Route;
use super::views::{self, Problem};
use super::{Context, Response, reply};
use crate::ids::GrantId;
use crate::oauth::grant::TRANSACTION_LIFETIME;
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::Handle;
use crate::ports::DatabaseError;
use crate::storage::transactions::{self, Attachment, SignedIn};
use crate::upstream::identity::{self, Return, SignInError, SignInPurpose};
use bytes::Bytes;
use http::{Request, StatusCode};

/// Why a return from sign-in does not go on.
enum Fault {
    /// No visit of this browser waits for it.
    NotThisVisit,
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

/// Ends a sign-in.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>) -> Response {
    let parameters = browser::query(request);
    let one = |name| parameters.as_ref().and_then(|all: &Parameters| all.one(name).ok().flatten());
    let Some(handle) = one("state").and_then(Handle::recognize) else {
        return views::problem(StatusCode::BAD_REQUEST, &Problem::LinkUsed);
    };
    let cookie = Cookie::of_visit(&handle.hash(), &ctx.config.public_url);
    let Some(browser) = cookie.read(request) else {
        return views::problem(StatusCode::FORBIDDEN, &Problem::OtherBrowser);
    };
    let mut response = match sign_in(ctx, &handle, &browser, one("code")).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &handle, &fault).await,
    };
    cookie.clear(&mut response);
    response
}

/// The order is a security property: the state is spent before anything is asked of StatiBeat.
async fn sign_in(ctx: &Context<'_>, handle: &Handle, browser: &Handle, code: Option<&str>) -> Result<Response, Fault> {
    // 1. This browser, this visit, once.
    if !transactions::consume_sign_in(ctx.db, handle, browser, ctx.now).await? {
        return Err(Fault::NotThisVisit);
    }
    // 2. Who is it?
    let verifier = sign_in_verifier(ctx, handle, browser);
    let returned = Return {
        purpose: SignInPurpose::Connect,
        code: code.ok_or(Fault::Canceled)?,
        code_verifier: verifier.reveal(),
        state: handle.reveal(),
    };
    let user = identity::exchange(&ctx.connector(), &returned).await.map_err(Fault::SignIn)?;
    // 3. From here on the visit belongs to this person, under a new handle and a new cookie.
    let person = SignedIn { user_id: user.id, name: user.name, email: user.email };
    let (consent, browser) = (Handle::new(&ctx.random_bytes()), Handle::new(&ctx.random_bytes()));
    let grant_id = GrantId(ctx.random_id());
    let attachment = Attachment { person: &person, consent: &consent, browser: &browser, grant_id: &grant_id };
    if !transactions::attach_person(ctx.db, handle, &attachment).await? {
        return Err(Fault::NotThisVisit);
    }
    // 4. A parked fault may go to the client now; a request goes to its person.
    let transaction = transactions::find_for_consent(ctx.db, &consent, &browser, ctx.now).await?;
    let transaction = transaction.ok_or(Fault::NotThisVisit)?;
    if let Err(fault) = &transaction.visit.asked {
        transactions::close(ctx.db, &consent, &browser, ctx.now).await?;
        let location = answer_url(ctx, &transaction.visit, &Err(*fault));
        return Ok(reply::redirect(StatusCode::FOUND, location.as_str()));
    }
    let mut location = Route::Consent.url(&ctx.config.public_url);
    location.query_pairs_mut().append_pair("request", consent.reveal());
    let mut response = reply::redirect(StatusCode::FOUND, location.as_str());
    Cookie::of_visit(&consent.hash(), &ctx.config.public_url).put(
        &mut response,
        &browser,
        TRANSACTION_LIFETIME.as_secs(),
    );
    Ok(response)
}

async fn refuse(ctx: &Context<'_>, handle: &Handle, fault: &Fault) -> Response {
    let (status, problem) = match fault {
        Fault::NotThisVisit => return views::problem(StatusCode::BAD_REQUEST, &Problem::LinkUsed),
        Fault::Canceled => (StatusCode::OK, Problem::SignInCanceled),
        Fault::SignIn(error) => problem_of(error),
        Fault::Storage(_) => (StatusCode::SERVICE_UNAVAILABLE, Problem::TryLater),
    };
    match fault {
        Fault::SignIn(error) => (ctx.log)(&format!("sign-in: {error}")),
        Fault::Storage(error) => (ctx.log)(&format!("sign-in: {error}")),
        Fault::NotThisVisit | Fault::Canceled => {}
    }
    if let Err(error) = transactions::abandon(ctx.db, handle, ctx.now).await {
        (ctx.log)(&format!("sign-in: {error}"));
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
