//! The authorization request behind a consent page: found by the form's handle and its browser-binding cookie, closed without a
//! connection.

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
    Person,
    /// The person can see no page.
    NoPage,
    /// The person's access at StatiBeat has ended.
    UserEnded,
    /// More answers than the limit allows.
    Answers,
    /// The operator removed the client or its redirect URI from the list.
    ClientNotListed,
}

/// The form's handle and the browser-binding cookie, which both the page and its answer carry.
pub(super) struct ConsentForm {
    pub consent: ConsentToken,
    browser: BrowserBinding,
    pub cookie: Cookie,
}

impl ConsentForm {
    /// Reads both. A forged one is rejected without a query.
    pub(super) async fn read(ctx: &RequestContext<'_>, handle: Option<&str>) -> Result<Self, PageError> {
        let presented = browser::presented(handle, ctx.checksum_keys());
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
            Some(request) if is_still_proven(ctx, &request.client) => Ok(request),
            Some(request) => {
                self.refuse(ctx, &request, NotConnected::ClientNotListed).await?;
                Err(PageError::LinkUsed)
            }
            None => Err(not_found(ctx, &self.consent).await?),
        }
    }

    /// Closes the request without a connection and appends the audit row.
    pub(super) async fn refuse(
        &self,
        ctx: &RequestContext<'_>,
        request: &SignedInRequest,
        why: NotConnected,
    ) -> Result<Redemption, DatabaseError> {
        let outcome = if why == NotConnected::Answers { Outcome::Limited } else { Outcome::Refused };
        let entry = Entry { outcome, detail: Some(why.into()), ..audit_entry(ctx, request) };
        authorization_requests::refuse(ctx.db, self.keys(), &entry).await
    }

    /// Counts an answer; one too many closes the request.
    pub(super) async fn count(&self, ctx: &RequestContext<'_>, request: &SignedInRequest) -> Result<(), PageError> {
        let counter = limits::request_counter(&self.consent.hash(), &self.browser.hash());
        let Some(wait) = limits::wait(ctx, &limits::VISIT, &counter).await else { return Ok(()) };
        self.refuse(ctx, request, NotConnected::Answers).await?;
        Err(PageError::TooMany(wait))
    }
}

/// True if the client and its redirect URI would be accepted now: an operator may have removed them since the sign-in.
fn is_still_proven(ctx: &RequestContext<'_>, client: &ResolvedClient) -> bool {
    ctx.clients().resolve(client.id.as_str(), client.redirect_uri.as_str()).is_ok()
}

/// Finds out why a genuine handle has no request in this browser. Limited, because it costs a query.
async fn not_found(ctx: &RequestContext<'_>, consent: &ConsentToken) -> Result<PageError, PageError> {
    limits::count_bad_handle(ctx).await?;
    let is_waiting = authorization_requests::is_waiting_for_answer(ctx.db, consent, ctx.now).await?;
    Ok(if is_waiting { PageError::OtherBrowser } else { PageError::LinkUsed })
}

pub(super) fn audit_entry<'a>(ctx: &RequestContext<'a>, request: &'a SignedInRequest) -> Entry<'a> {
    Entry {
        id: AuditId::once(AuditKind::Approval, &request.grant_id),
        created_at: ctx.now,
        kind: AuditKind::Approval,
        outcome: Outcome::Done,
        user_id: &request.person.user_id,
        client_id: &request.client.id,
        client_name: &request.client.name,
        grant_id: &request.grant_id,
        request_id: ctx.request_id,
        target: None,
        detail: None,
    }
}
