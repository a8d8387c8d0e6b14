//! The Hosted MCP page, where people look after what they trusted: who is signed in, and the page itself.
//!
//! A session of its own, apart from every token. Each post is checked twice, by where it comes from and by a token that only
//! this session's pages carry. What belongs to somebody else cannot even be named: every statement is about the signed-in
//! person, or about a page that StatiBeat says at this moment they administer.

mod act;
mod api;
mod connections;
mod doctor;
mod facts;
mod overview;
mod sign_in;

pub(super) use act::{Action, Plan, Target, confirm, perform};
pub(super) use api::answer as api;
pub(super) use connections::{Connection, End};
pub(super) use doctor::{Checkup, Finding, ScopeCheck, Verdict};
pub(super) use sign_in::{back, out, start};

use super::browser::{self, Cookie, Presented};
use super::context::RequestContext;
use super::limits;
use super::reply::Response;
use super::views::{self, Problem};
use crate::hosted::access;
use crate::model::ids::GrantId;
use crate::model::scope::Scope;
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::AdminSession;
use crate::ports::DatabaseError;
use crate::storage::audit::AuditId;
use crate::storage::authorization_requests::SignedIn;
use crate::storage::sessions::{self, SessionEnd, SessionRecord};
use crate::upstream::identity::{self, AccessiblePage, SignInPurpose};
use crate::upstream::{ApiError, ApiErrorKind, UserClient};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Why the page, or an action on it, cannot be had.
enum Fault {
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// A form that none of our pages sent in this session.
    ForeignForm,
    /// Too many cookies or tokens that were never ours.
    TooOften(Duration),
    /// There is no such connection or page for this person, or no such action.
    NotThere,
    /// StatiBeat keeps this person out.
    UserEnded,
    Upstream(ApiError),
    Storage(DatabaseError),
}

impl From<DatabaseError> for Fault {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error)
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        if error.kind == ApiErrorKind::UserEnded { Self::UserEnded } else { Self::Upstream(error) }
    }
}

/// Whoever looks, during one request.
struct Viewer {
    person: SignedIn,
    grant_id: GrantId,
}

impl Viewer {
    fn new(person: SignedIn) -> Self {
        Self { person, grant_id: GrantId("admin-page".to_owned()) }
    }

    /// StatiBeat's API in this person's name.
    fn api<'a>(&'a self, ctx: &'a RequestContext<'_>) -> UserClient<'a> {
        ctx.api(&self.person.user_id, SignInPurpose::AdminPage.connector_id(), &self.grant_id)
    }
}

/// A signed-in browser, during one request.
struct Visitor {
    cookie: AdminSession,
    viewer: Viewer,
}

impl Visitor {
    async fn of(ctx: &RequestContext<'_>) -> Result<Self, Fault> {
        let cookie = session_cookie(ctx).await?;
        Self::find(ctx, cookie).await
    }

    async fn find(ctx: &RequestContext<'_>, cookie: AdminSession) -> Result<Self, Fault> {
        let person = sessions::find(ctx.db, &cookie, ctx.now).await?.ok_or(Fault::SignedOut)?;
        Ok(Self { cookie, viewer: Viewer::new(person) })
    }

    /// Who sends a form, and its fields, if it was sent from a page of this session. Everything that needs no query is
    /// checked before the session is looked up.
    async fn of_form(ctx: &RequestContext<'_>, body: &[u8]) -> Result<(Self, Parameters), Fault> {
        if !browser::is_from_our_page(ctx.head, &ctx.app.config.issuer) {
            return Err(Fault::ForeignForm);
        }
        let cookie = session_cookie(ctx).await?;
        let form = browser::form(ctx.head, body).ok_or(Fault::ForeignForm)?;
        let token = form.one("token").ok().flatten().unwrap_or_default();
        if !accepts(ctx, &cookie, token) {
            return Err(bad(ctx, Fault::ForeignForm).await);
        }
        Ok((Self::find(ctx, cookie).await?, form))
    }

    /// What this session's forms carry. Derived, so that none of it is stored.
    fn form_token(&self, ctx: &RequestContext<'_>) -> String {
        let ring = ctx.tags();
        URL_SAFE_NO_PAD.encode(ring.mac(ring.newest(), FORM_TOKEN, &[self.cookie.expose().as_bytes()]))
    }
}

/// The session's cookie. One that was made up ends here, without a query.
async fn session_cookie(ctx: &RequestContext<'_>) -> Result<AdminSession, Fault> {
    match Cookie::of_admin_session(&ctx.app.config.public_url).read(ctx.head, ctx.tags()) {
        Presented::Token(cookie) => Ok(cookie),
        Presented::Absent => Err(Fault::SignedOut),
        Presented::MadeUp => Err(bad(ctx, Fault::SignedOut).await),
    }
}

/// Counts something that was never ours; `fault` unless there were too many.
async fn bad(ctx: &RequestContext<'_>, fault: Fault) -> Fault {
    limits::count_bad_handle(ctx).await.map_or(fault, Fault::TooOften)
}

/// Whether a form token was derived from this session's cookie, with any key of the ring.
fn accepts(ctx: &RequestContext<'_>, cookie: &AdminSession, token: &str) -> bool {
    let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let ring = ctx.tags();
    ring.iter().any(|key| ring.mac(key, FORM_TOKEN, &[cookie.expose().as_bytes()]).ct_eq(&token[..]).into())
}

/// What the form token is derived for.
const FORM_TOKEN: &str = "admin form token";

/// The pages that the person can see now.
async fn visible_pages(api: &UserClient<'_>) -> Result<Vec<AccessiblePage>, ApiError> {
    let pages = identity::accessible_pages(api, Scope::PagesRead).await?;
    Ok(pages.into_iter().filter(access::is_visible).collect())
}

pub(super) async fn get(ctx: &RequestContext<'_>) -> Response {
    match overview::show(ctx).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, &fault).await,
    }
}

/// For the audit rows of a session that this request opens or closes.
fn session_record<'a>(ctx: &RequestContext<'a>) -> SessionRecord<'a> {
    let client_id = SignInPurpose::AdminPage.connector_id();
    SessionRecord { id: AuditId::new(ctx.random_bytes()), at: ctx.now, client_id, request_id: ctx.request_id }
}

/// Says why not. Somebody whom StatiBeat keeps out is signed out here as well.
async fn refuse(ctx: &RequestContext<'_>, fault: &Fault) -> Response {
    match fault {
        Fault::SignedOut => views::admin::welcome(StatusCode::OK),
        Fault::ForeignForm => views::admin::problem(StatusCode::FORBIDDEN, &Problem::ForeignForm),
        Fault::NotThere => views::admin::problem(StatusCode::NOT_FOUND, &Problem::NotThere),
        Fault::TooOften(wait) => views::admin::problem(StatusCode::TOO_MANY_REQUESTS, &Problem::TooOften(*wait)),
        Fault::UserEnded => {
            let cookie = Cookie::of_admin_session(&ctx.app.config.public_url);
            let record = session_record(ctx);
            if let Presented::Token(session) = cookie.read(ctx.head, ctx.tags())
                && let Err(error) = sessions::close(ctx.db, &session, SessionEnd::UserEnded, &record).await
            {
                ctx.log.note(&format!("admin page: {error}"));
            }
            let mut response = views::admin::problem(StatusCode::FORBIDDEN, &Problem::SignInRefused);
            cookie.clear(&mut response);
            response
        }
        Fault::Upstream(error) => {
            ctx.log.note(&format!("admin page: {error}"));
            views::admin::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
        Fault::Storage(error) => {
            ctx.log.note(&format!("admin page: {error}"));
            views::admin::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
    }
}
