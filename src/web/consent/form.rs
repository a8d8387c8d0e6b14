//! The visit of a consent page: its form's handle with the cookie that belongs to it, and its end without a connection.

use super::super::browser::{self, Cookie, Presented};
use super::super::context::RequestContext;
use super::super::limits;
use super::super::page_error::PageError;
use crate::oauth::client::ResolvedClient;
use crate::oauth::secret::{BrowserBinding, ConsentToken};
use crate::ports::DatabaseError;
use crate::storage::Redemption;
use crate::storage::audit::{AuditId, Entry, Kind, Outcome};
use crate::storage::authorization_requests::{self, RequestKeys, SignedInRequest};
use strum::IntoStaticStr;

/// Why a request of somebody who has signed in makes no connection, in the words of the audit.
#[derive(Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum NotConnected {
    #[strum(serialize = "user")]
    Person,
    /// The person can see no page.
    NoPage,
    /// StatiBeat keeps the person out.
    UserEnded,
    /// Too many answers.
    Answers,
    /// The client or its redirect URI was taken off the list.
    ClientNotListed,
}

/// What both requests carry: the form's handle and the cookie that goes with it.
pub(super) struct ConsentForm {
    pub consent: ConsentToken,
    browser: BrowserBinding,
    pub cookie: Cookie,
}

impl ConsentForm {
    /// Reads both. What was made up ends here, without a query.
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
            Some(asked) if is_still_proven(ctx, &asked.client) => Ok(asked),
            Some(asked) => {
                self.refuse(ctx, &asked, NotConnected::ClientNotListed).await?;
                Err(PageError::LinkUsed)
            }
            None => Err(not_found(ctx, &self.consent).await?),
        }
    }

    /// Ends the request without a connection, with the audit row that says why.
    pub(super) async fn refuse(
        &self,
        ctx: &RequestContext<'_>,
        asked: &SignedInRequest,
        why: NotConnected,
    ) -> Result<Redemption, DatabaseError> {
        let outcome = if why == NotConnected::Answers { Outcome::Limited } else { Outcome::Refused };
        let entry = Entry { outcome, detail: Some(why.into()), ..audit_entry(ctx, asked) };
        authorization_requests::refuse(ctx.db, self.keys(), &entry).await
    }

    /// Counts an answer; one too many ends the request.
    pub(super) async fn count(&self, ctx: &RequestContext<'_>, asked: &SignedInRequest) -> Result<(), PageError> {
        let counter = limits::visit(&self.consent.hash(), &self.browser.hash());
        let Some(wait) = limits::wait(ctx, &limits::VISIT, &counter).await else { return Ok(()) };
        self.refuse(ctx, asked, NotConnected::Answers).await?;
        Err(PageError::TooMany(wait))
    }
}

/// Whether the client and its redirect URI would be accepted today: an operator may have struck them off since the sign-in.
fn is_still_proven(ctx: &RequestContext<'_>, client: &ResolvedClient) -> bool {
    ctx.clients().resolve(client.id.as_str(), client.redirect_uri.as_str()).is_ok()
}

/// Why there is no request for a handle of ours in this browser. Whoever has the handle may know; how often is limited, for
/// it costs a query.
async fn not_found(ctx: &RequestContext<'_>, consent: &ConsentToken) -> Result<PageError, PageError> {
    limits::count_bad_handle(ctx).await?;
    let is_waiting = authorization_requests::is_waiting_for_answer(ctx.db, consent, ctx.now).await?;
    Ok(if is_waiting { PageError::OtherBrowser } else { PageError::LinkUsed })
}

/// The row of an approval.
pub(super) fn audit_entry<'a>(ctx: &RequestContext<'a>, asked: &'a SignedInRequest) -> Entry<'a> {
    Entry {
        id: AuditId::once(Kind::Approval, &asked.grant_id),
        at: ctx.now,
        kind: Kind::Approval,
        outcome: Outcome::Done,
        user_id: &asked.person.user_id,
        client_id: &asked.client.id,
        client_name: &asked.client.name,
        grant_id: &asked.grant_id,
        request_id: ctx.request_id,
        target: None,
        detail: None,
    }
}
