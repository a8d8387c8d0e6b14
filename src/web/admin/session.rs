//! The session of the Hosted MCP page, separate from every token of a client.
//!
//! Each form post is checked twice: by its origin, and by a form token that only pages of this session contain. Every
//! statement is limited to the signed-in person, or to a page that StatiBeat reports as administered by them at this
//! moment.

use super::super::browser::{self, Cookie, Presented};
use super::super::context::RequestContext;
use super::super::layout::page;
use super::super::limits;
use super::super::page_error::{PageError, admin_page, sign_in_address};
use super::super::reply::Response;
use super::super::routes::Route;
use crate::hosted::access;
use crate::model::ids::GrantId;
use crate::model::scope::Scope;
use crate::oauth::parameters::Parameters;
use crate::oauth::secret::AdminSession;
use crate::storage::audit::AuditId;
use crate::storage::authorization_requests::SignedIn;
use crate::storage::sessions::{self, SessionEnd, SessionRecord};
use crate::upstream::identity::{self, AccessiblePage, SignInPurpose};
use crate::upstream::{ApiError, UserClient};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::uri::PathAndQuery;
use http::{Method, StatusCode};
use maud::{Markup, html};
use subtle::ConstantTimeEq as _;

/// Purpose of the MAC that is the form token.
const FORM_TOKEN: &str = "admin form token";

pub(super) const HOSTED_MCP: &str = "Hosted MCP";

/// The person a page or API answer is for.
pub(super) struct Viewer {
    pub person: SignedIn,
    grant_id: GrantId,
}

impl Viewer {
    pub fn new(person: SignedIn) -> Self {
        Self { person, grant_id: GrantId::parse("admin-page").expect("an id") }
    }

    /// StatiBeat's API in this person's name.
    pub fn api<'a>(&'a self, ctx: &'a RequestContext<'_>) -> UserClient<'a> {
        ctx.api(&self.person.user_id, SignInPurpose::AdminPage.connector_id(), &self.grant_id)
    }
}

pub(super) struct Session {
    pub cookie: AdminSession,
    pub viewer: Viewer,
}

impl Session {
    pub async fn require(ctx: &RequestContext<'_>) -> Result<Self, PageError> {
        let cookie = session_cookie(ctx).await?;
        Self::find(ctx, cookie).await
    }

    async fn find(ctx: &RequestContext<'_>, cookie: AdminSession) -> Result<Self, PageError> {
        let person = sessions::find(ctx.db, &cookie, ctx.now).await?.ok_or(PageError::SignedOut)?;
        Ok(Self { cookie, viewer: Viewer::new(person) })
    }

    /// Finds the session that sends a form, and parses the form. Everything that needs no query is checked first.
    pub async fn of_form(ctx: &RequestContext<'_>, body: &[u8]) -> Result<(Self, Parameters), PageError> {
        if !browser::is_from_our_page(ctx.head, &ctx.app.config.issuer) {
            return Err(PageError::ForeignForm);
        }
        let cookie = session_cookie(ctx).await?;
        let form = browser::form(ctx.head, body).ok_or(PageError::ForeignForm)?;
        let token = form.single("token").unwrap_or_default();
        if !accepts(ctx, &cookie, token) {
            limits::count_bad_handle(ctx).await?;
            return Err(PageError::ForeignForm);
        }
        Ok((Self::find(ctx, cookie).await?, form))
    }

    /// The token that the forms of this session carry. Derived from the cookie, so nothing is stored.
    pub fn form_token(&self, ctx: &RequestContext<'_>) -> String {
        let ring = ctx.checksum_keys();
        URL_SAFE_NO_PAD.encode(ring.mac(ring.newest(), FORM_TOKEN, &[self.cookie.expose().as_bytes()]))
    }
}

/// Parses the session cookie. A forged one is rejected without a query.
async fn session_cookie(ctx: &RequestContext<'_>) -> Result<AdminSession, PageError> {
    let cookie = Cookie::of_admin_session(&ctx.app.config.public_url);
    limits::require(ctx, cookie.read(ctx.head, ctx.checksum_keys()), PageError::SignedOut).await
}

/// True if the form token was derived from this session's cookie, with any key of the ring.
fn accepts(ctx: &RequestContext<'_>, cookie: &AdminSession, token: &str) -> bool {
    let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
    let ring = ctx.checksum_keys();
    ring.iter().any(|key| ring.mac(key, FORM_TOKEN, &[cookie.expose().as_bytes()]).ct_eq(&token[..]).into())
}

pub(super) async fn visible_pages(api: &UserClient<'_>) -> Result<Vec<AccessiblePage>, ApiError> {
    let pages = identity::accessible_pages(api, Scope::PagesRead).await?;
    Ok(pages.into_iter().filter(access::is_visible).collect())
}

pub(super) fn session_record<'a>(ctx: &RequestContext<'a>) -> SessionRecord<'a> {
    let client_id = SignInPurpose::AdminPage.connector_id();
    SessionRecord { id: AuditId::new(ctx.random_bytes()), created_at: ctx.now, client_id, request_id: ctx.request_id }
}

/// Returns the response, or the error page. A person whose access ended at StatiBeat is signed out here as well.
pub(in crate::web) async fn or_error_page(ctx: &RequestContext<'_>, answer: Result<Response, PageError>) -> Response {
    let error = match answer {
        Ok(response) => return response,
        // A person who opens a page of theirs is led back to it.
        Err(PageError::SignedOut) if ctx.head.method() == Method::GET => {
            return welcome(ctx.head.uri().path_and_query().map(PathAndQuery::as_str));
        }
        Err(PageError::SignedOut) => return welcome(None),
        Err(error) => error,
    };
    let mut response = admin_page(ctx, &error);
    if matches!(error, PageError::UserAccessEnded) {
        let cookie = Cookie::of_admin_session(&ctx.app.config.public_url);
        let record = session_record(ctx);
        if let Presented::Token(session) = cookie.read(ctx.head, ctx.checksum_keys())
            && let Err(error) = sessions::close(ctx.db, &session, SessionEnd::UserEnded, &record).await
        {
            ctx.log.note(&format!("admin page: {error}"));
        }
        cookie.clear(&mut response);
    }
    response
}

/// The page for a person who is not signed in.
pub(super) fn welcome(back: Option<&str>) -> Response {
    let back = back.filter(|back| *back != Route::AdminPage.path()).and_then(return_address);
    let sign_in = back.map_or_else(|| Route::AdminSignIn.path().to_owned(), |back| sign_in_address(&back));
    let body = html! {
        h1 { (HOSTED_MCP) }
        p { "Connect Claude, Cursor, ChatGPT and other AI apps to your StatiBeat pages, see what they do, and end a connection at any time." }
        p.actions { a.button.main href=(sign_in) { "Sign in with StatiBeat" } }
    };
    page(StatusCode::OK, HOSTED_MCP, &body)
}

/// Longest address that a sign-in leads back to, in bytes.
const LONGEST_RETURN: usize = 1500;

/// The address, if it is a page of the signed-in person that a browser may open.
pub(super) fn return_address(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?').map_or((address, ""), |(path, query)| (path, query));
    let is_ours = matches!(
        Route::find(path)?,
        Route::AdminPage
            | Route::AdminConnection
            | Route::AdminBlocks
            | Route::AdminActivity
            | Route::AdminAction
            | Route::AdminNarrow
    );
    let query = Parameters::parse(query.as_bytes()).ok().map(|_| query)?;
    let address = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    (is_ours && address.len() <= LONGEST_RETURN && address.bytes().all(|byte| byte.is_ascii_graphic()))
        .then_some(address)
}

pub(super) fn token_field(form_token: &str) -> Markup {
    html! { input type="hidden" name="token" value=(form_token); }
}

/// Name of the signed-in person, with the sign-out button.
pub(super) fn account(viewer: &Viewer, form_token: &str) -> Markup {
    html! {
        form.account method="post" action=(Route::AdminSignOut.path()) {
            (token_field(form_token))
            span.soft { (viewer.person.name) " · " (viewer.person.email) }
            button.small type="submit" { "Sign out" }
        }
    }
}
