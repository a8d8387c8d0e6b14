//! The authorization request of a consent page: found by the form's consent token and the browser-binding cookie, and closed if
//! no connection is made.

use super::super::browser::{self, Cookie, Presented};
use super::super::context::RequestContext;
use super::super::limits;
use super::super::page_error::PageError;
use crate::oauth::client::ResolvedClient;
use crate::oauth::secret::{BrowserBinding, ConsentToken};
use crate::ports::DatabaseError;
use crate::storage::Redemption;
use crate::storage::audit::{AuditId, AuditKind, Entry, Outcome};
use crate::storage::authorization_requests::{self, RequestKeys, SignedInRequest};
use strum::IntoStaticStr;

/// Reason why a signed-in person's authorization request ends without a connection; the `detail` of the audit row.
#[derive(Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum NotConnected {
    #[strum(serialize = "user")]
    DeniedByPerson,
    /// The person can see no page.
    NoPage,
    /// The person's access at StatiBeat has ended.
    #[strum(serialize = "user_ended")]
    UserAccessEnded,
    /// More submitted forms than the rate limit allows.
    #[strum(serialize = "answers")]
    TooManyAnswers,
    /// The operator removed the client or its redirect URI from the list.
    ClientNotListed,
}

/// The consent token and the browser-binding cookie, which both the page and the submitted form carry.
pub(super) struct ConsentForm {
    pub consent: ConsentToken,
    browser: BrowserBinding,
    pub cookie: Cookie,
}

impl ConsentForm {
    /// Reads both. A forged consent token or cookie is rejected without a query.
    pub(super) async fn read(ctx: &RequestContext<'_>, consent_token: Option<&str>) -> Result<Self, PageError> {
        let presented = browser::presented(consent_token, ctx.checksum_keys());
        let consent: ConsentToken = limits::require(ctx, presented, PageError::LinkUsed).await?;
        let cookie = Cookie::of_consent(&consent.hash(), &ctx.app.config.public_url);
        match cookie.read(ctx.head, ctx.checksum_keys()) {
            Presented::Absent => Err(not_found(ctx, &consent).await?),
            presented => {
                let browser = limits::require(ctx, presented, PageError::OtherBrowser).await?;
                Ok(Self { consent, browser, cookie })
            }
        }
    }

    pub(super) fn keys(&self) -> RequestKeys<'_> {
        RequestKeys { consent: &self.consent, browser: &self.browser }
    }

    pub(super) async fn find(&self, ctx: &RequestContext<'_>) -> Result<SignedInRequest, PageError> {
        match authorization_requests::find(ctx.db, self.keys(), ctx.now).await? {
            Some(request) if is_still_accepted(ctx, &request.client) => Ok(request),
            Some(request) => {
                self.close_request(ctx, &request, NotConnected::ClientNotListed).await?;
                Err(PageError::LinkUsed)
            }
            None => Err(not_found(ctx, &self.consent).await?),
        }
    }

    /// Closes the request without a connection and appends the audit row.
    pub(super) async fn close_request(
        &self,
        ctx: &RequestContext<'_>,
        request: &SignedInRequest,
        reason: NotConnected,
    ) -> Result<Redemption, DatabaseError> {
        let outcome = if reason == NotConnected::TooManyAnswers { Outcome::Limited } else { Outcome::Refused };
        let entry = Entry { outcome, detail: Some(reason.into()), ..audit_entry(ctx, request) };
        authorization_requests::refuse(ctx.db, self.keys(), &entry).await
    }

    /// Charges a submitted form to the rate limit; over the limit, closes the request.
    pub(super) async fn charge_answer(
        &self,
        ctx: &RequestContext<'_>,
        request: &SignedInRequest,
    ) -> Result<(), PageError> {
        let counter = limits::request_counter(&self.consent.hash(), &self.browser.hash());
        let Some(wait) = limits::wait(ctx, &limits::AUTHORIZATION_REQUEST, &counter).await else { return Ok(()) };
        self.close_request(ctx, request, NotConnected::TooManyAnswers).await?;
        Err(PageError::TooMany(wait))
    }
}

/// Returns whether the client and its redirect URI are still accepted: an operator may have removed them since the sign-in.
fn is_still_accepted(ctx: &RequestContext<'_>, client: &ResolvedClient) -> bool {
    ctx.clients().resolve(client.id.as_str(), client.redirect_uri.as_str()).is_ok()
}

/// Returns why a genuine consent token has no request in this browser. Rate-limited, because it costs a query.
async fn not_found(ctx: &RequestContext<'_>, consent: &ConsentToken) -> Result<PageError, PageError> {
    limits::count_bad_handle(ctx).await?;
    let is_waiting = authorization_requests::is_waiting_for_answer(ctx.db, consent, ctx.now).await?;
    Ok(if is_waiting { PageError::OtherBrowser } else { PageError::LinkUsed })
}

pub(super) fn audit_entry<'a>(ctx: &'a RequestContext<'_>, request: &'a SignedInRequest) -> Entry<'a> {
    let SignedInRequest { grant_id, client, person, .. } = request;
    let id = AuditId::once(AuditKind::Approval, grant_id);
    let entry = ctx.audit_entry(id, AuditKind::Approval, &client.id, &client.name);
    Entry { user_id: Some(&person.user_id), grant_id: Some(grant_id), ..entry }
}
