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

use super::browser::{self, Cookie};
use super::views::{self, Problem};
use super::{Context, Response};
use crate::catalog::scope::Scope;
use crate::hosted::access;
use crate::ids::{GrantId, RequestId};
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::Handle;
use crate::ports::DatabaseError;
use crate::storage::sessions;
use crate::storage::transactions::SignedIn;
use crate::upstream::identity::{self, AccessiblePage, SignInPurpose};
use crate::upstream::{Api, ApiError, Connector, Principal};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, StatusCode};
use subtle::ConstantTimeEq as _;

/// Why the page, or an action on it, cannot be had.
enum Fault {
    /// Nobody is signed in, or not any more.
    SignedOut,
    /// A form that none of our pages sent in this session.
    ForeignForm,
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
        match error {
            ApiError::UserEnded => Self::UserEnded,
            other => Self::Upstream(other),
        }
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
    fn api<'a>(&'a self, connector: &'a Connector<'a>, request_id: &'a RequestId) -> Api<'a> {
        let principal = Principal {
            user_id: &self.person.user_id,
            client_id: SignInPurpose::AdminPage.connector_id(),
            grant_id: &self.grant_id,
            request_id,
        };
        Api { connector, principal }
    }
}

/// A signed-in browser, during one request.
struct Visitor {
    cookie: Handle,
    viewer: Viewer,
}

impl Visitor {
    /// Who sends the request.
    async fn of(ctx: &Context<'_>, request: &Request<Bytes>) -> Result<Self, Fault> {
        let cookie = Cookie::of_admin_session(&ctx.config.public_url).read(request).ok_or(Fault::SignedOut)?;
        let person = sessions::find(ctx.db, &cookie, ctx.now).await?.ok_or(Fault::SignedOut)?;
        Ok(Self { cookie, viewer: Viewer::new(person) })
    }

    /// Who sends a form, and its fields, if it was sent from a page of this session.
    async fn of_form(ctx: &Context<'_>, request: &Request<Bytes>) -> Result<(Self, Parameters), Fault> {
        if !browser::is_from_our_page(request, &ctx.config.issuer) {
            return Err(Fault::ForeignForm);
        }
        let visitor = Self::of(ctx, request).await?;
        let form = browser::form(request).ok_or(Fault::ForeignForm)?;
        let token = form.one("token").ok().flatten().unwrap_or_default();
        if visitor.accepts(ctx, token) { Ok((visitor, form)) } else { Err(Fault::ForeignForm) }
    }

    /// What this session's forms carry. Derived, so that none of it is stored.
    fn form_token(&self, ctx: &Context<'_>) -> String {
        let ring = ctx.tags();
        URL_SAFE_NO_PAD.encode(ring.mac(ring.newest(), FORM_TOKEN, &[self.cookie.reveal().as_bytes()]))
    }

    fn accepts(&self, ctx: &Context<'_>, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let ring = ctx.tags();
        ring.iter().any(|key| ring.mac(key, FORM_TOKEN, &[self.cookie.reveal().as_bytes()]).ct_eq(&token[..]).into())
    }
}

/// What the form token is derived for.
const FORM_TOKEN: &str = "admin form token";

/// The pages that the person can see now.
async fn visible_pages(api: &Api<'_>) -> Result<Vec<AccessiblePage>, ApiError> {
    let pages = identity::accessible_pages(api, Scope::PagesRead).await?;
    Ok(pages.into_iter().filter(access::is_visible).collect())
}

/// The page.
pub(super) async fn get(ctx: &Context<'_>, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    match overview::show(ctx, request, request_id).await {
        Ok(response) => response,
        Err(fault) => refuse(ctx, request, &fault).await,
    }
}

/// Says why not. Somebody whom StatiBeat keeps out is signed out here as well.
async fn refuse(ctx: &Context<'_>, request: &Request<Bytes>, fault: &Fault) -> Response {
    match fault {
        Fault::SignedOut => views::admin::welcome(StatusCode::OK),
        Fault::ForeignForm => views::admin::problem(StatusCode::FORBIDDEN, &Problem::ForeignForm),
        Fault::NotThere => views::admin::problem(StatusCode::NOT_FOUND, &Problem::NotThere),
        Fault::UserEnded => {
            let cookie = Cookie::of_admin_session(&ctx.config.public_url);
            if let Some(handle) = cookie.read(request)
                && let Err(error) = sessions::close(ctx.db, &handle).await
            {
                (ctx.log)(&format!("admin page: {error}"));
            }
            let mut response = views::admin::problem(StatusCode::FORBIDDEN, &Problem::SignInRefused);
            cookie.clear(&mut response);
            response
        }
        Fault::Upstream(error) => {
            (ctx.log)(&format!("admin page: {error}"));
            views::admin::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
        Fault::Storage(error) => {
            (ctx.log)(&format!("admin page: {error}"));
            views::admin::problem(StatusCode::SERVICE_UNAVAILABLE, &Problem::TryLater)
        }
    }
}
