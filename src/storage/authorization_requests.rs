//! Authorization requests of signed-in people, from the end of the sign-in to the answer.
//!
//! Nothing is stored before sign-in: the request is sealed in a cookie of its browser (`oauth::sealed_request`). A row
//! is inserted once and consumed once, each by one conditional write.

use super::audit::{self, Entry};
use super::grants::{self, EarlierGrant};
use super::{Redemption, Result, diagnostics, json_list, narrowing, read, redeem, run, statement};
use crate::model::ids::{GrantId, PageId, RequestId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::access_limits::AccessLimits;
use crate::oauth::authorize::{AuthorizationRequest, RequestedAccess};
use crate::oauth::client::redirect::{RedirectKind, RedirectUri};
use crate::oauth::client::{ClientId, ClientTrust, ResolvedClient};
use crate::oauth::grant::{CODE_LIFETIME, GrantLifetime, PageChoice};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::secret::{BrowserBinding, ConsentToken, SecretHash, SignInState};
use crate::ports::{Database, DatabaseError, Statement};
use serde::{Deserialize, Serialize};

/// The person who signed in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SignedIn {
    pub user_id: UserId,
    #[serde(rename = "user_name")]
    pub name: String,
    /// For people, to tell two accounts apart.
    #[serde(rename = "user_email")]
    pub email: String,
}

#[derive(Clone, Debug)]
pub struct SignedInRequest {
    /// The client, with the redirect URI of the response.
    pub client: ResolvedClient,
    /// Returned to the client as sent.
    pub state: Option<String>,
    /// The access that the person is asked for.
    pub access: RequestedAccess,
    /// The person who is asked.
    pub person: SignedIn,
    /// Id of the grant that an approval creates.
    pub grant_id: GrantId,
    /// First second at which it is expired.
    pub expires_at: Timestamp,
    /// The person's newest live grant to this client when the consent form is shown or answered; its choices are proposed again.
    pub earlier: Option<EarlierGrant>,
}

impl SignedInRequest {
    /// The request as it was before somebody signed in.
    pub fn to_request(&self) -> AuthorizationRequest {
        AuthorizationRequest { client: self.client.clone(), state: self.state.clone(), access: Ok(self.access.clone()) }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredRequest {
    client_name: String,
    trust: ClientTrust,
    redirect_uri: RedirectUri,
    state: Option<String>,
    challenge: CodeChallenge,
    scope: ScopeSet,
}

/// A row of an open request, without its person.
#[derive(Deserialize)]
struct RequestRow {
    client_id: ClientId,
    request: String,
    grant_id: GrantId,
    expires_at: Timestamp,
}

impl RequestRow {
    fn into_request(self, person: SignedIn) -> Result<SignedInRequest> {
        let stored = serde_json::from_str(&self.request);
        let stored: StoredRequest = stored.map_err(|_| DatabaseError("request cannot be read".to_owned()))?;
        let StoredRequest { client_name: name, trust, redirect_uri, state, challenge, scope: scopes } = stored;
        let client = ResolvedClient { id: self.client_id, name, trust, redirect_uri };
        let access = RequestedAccess { challenge, scopes };
        let (grant_id, expires_at) = (self.grant_id, self.expires_at);
        Ok(SignedInRequest { client, state, access, person, grant_id, expires_at, earlier: None })
    }
}

/// The secrets that identify a stored request.
#[derive(Clone, Copy)]
pub struct RequestKeys<'a> {
    pub consent: &'a ConsentToken,
    /// In the cookie of the browser that the form was shown to.
    pub browser: &'a BrowserBinding,
}

/// Stores the request of a person who has just signed in. Each sign-in is redeemed once.
pub async fn insert(
    db: &dyn Database,
    sign_in: &SignInState,
    keys: RequestKeys<'_>,
    request: &SignedInRequest,
    now: Timestamp,
) -> Result<Redemption> {
    let stored = StoredRequest {
        client_name: request.client.name.clone(),
        trust: request.client.trust,
        redirect_uri: request.client.redirect_uri.clone(),
        state: request.state.clone(),
        challenge: request.access.challenge.clone(),
        scope: request.access.scopes,
    };
    let stored = serde_json::to_string(&stored).map_err(|error| DatabaseError(error.to_string()))?;
    let insert = statement!(
        "INSERT INTO authorization_requests (state_hash, consent_hash, browser_hash, client_id, request, user_id, user_name,
                                             user_email, grant_id, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (state_hash) DO NOTHING RETURNING state_hash",
        sign_in,
        keys.consent,
        keys.browser,
        &request.client.id,
        stored,
        &request.person.user_id,
        request.person.name.as_str(),
        request.person.email.as_str(),
        &request.grant_id,
        now,
        request.expires_at,
    );
    redeem(db, insert).await
}

/// Returns whether a request is open, in any browser.
pub async fn is_waiting_for_answer(db: &dyn Database, consent: &ConsentToken, now: Timestamp) -> Result<bool> {
    let select = statement!(
        "SELECT 1 AS one FROM authorization_requests WHERE consent_hash = ?1 AND consumed_at IS NULL AND expires_at > ?2",
        consent,
        now,
    );
    Ok(!run(db, select).await?.is_empty())
}

/// Finds the open request of a consent form, in the browser that the form was shown to.
pub async fn find(db: &dyn Database, keys: RequestKeys<'_>, now: Timestamp) -> Result<Option<SignedInRequest>> {
    let select = statement!(
        "SELECT client_id, request, user_id, user_name, user_email, grant_id, expires_at FROM authorization_requests
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3",
        keys.consent,
        keys.browser,
        now,
    );
    let answers = db.batch(&[select, grants::select_earlier(keys.consent, keys.browser, now)]).await?;
    let first = |at: usize| answers.get(at).and_then(|rows| rows.first());
    let Some(row) = first(0) else { return Ok(None) };
    let earlier = first(1).map(read).transpose()?;
    Ok(Some(SignedInRequest { earlier, ..read::<RequestRow>(row)?.into_request(read(row)?)? }))
}

/// Closes a request that continues as another one.
pub async fn close(db: &dyn Database, keys: RequestKeys<'_>, now: Timestamp) -> Result<Redemption> {
    redeem(db, statement_to_close(keys, now)).await
}

/// Closes a request without approval, with an audit row that gives the reason, at that row's time.
pub async fn refuse(db: &dyn Database, keys: RequestKeys<'_>, entry: &Entry<'_>) -> Result<Redemption> {
    let record = audit::statement_if_request_waits(entry, keys.consent, keys.browser);
    let answers = db.batch(&[record, statement_to_close(keys, entry.created_at)]).await?;
    Ok(Redemption::from_rows(answers.last()))
}

fn statement_to_close(keys: RequestKeys<'_>, now: Timestamp) -> Statement {
    statement!(
        "UPDATE authorization_requests SET consumed_at = ?3
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3
         RETURNING state_hash",
        keys.consent,
        keys.browser,
        now,
    )
}

pub struct Approval<'a> {
    /// The request that the consent page showed.
    pub request: &'a SignedInRequest,
    pub scopes: ScopeSet,
    /// The scopes that the next consent page does not propose: unticked reads, and what a narrowing took.
    pub unticked_scopes: ScopeSet,
    pub pages: PageChoice,
    /// The pages that the connection can access now.
    pub page_access: &'a [PageId],
    pub lifetime: GrantLifetime,
    /// True if the person's other live grants to the client are narrowed to this one.
    pub replaces_earlier: bool,
    /// Of the audit rows of that.
    pub request_id: &'a RequestId,
    /// True if the client gets the resource tools.
    pub has_resource_tools: bool,
    pub resource: String,
    pub code_hash: SecretHash,
}

/// Consumes the request and stores the grant and its code, all or nothing.
pub async fn approve(
    db: &dyn Database,
    keys: RequestKeys<'_>,
    approval: &Approval<'_>,
    audit: Statement,
    now: Timestamp,
) -> Result<Redemption> {
    let client = &approval.request.client;
    let consent = keys.consent;
    // `approved_as` carries this request's own code, so the later statements find a row only if this one won the first.
    let consume = statement!(
        "UPDATE authorization_requests SET consumed_at = ?3, approved_as = ?4
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3
         RETURNING state_hash",
        consent,
        keys.browser,
        now,
        &approval.code_hash,
    );
    let grant = statement!(
        "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, resource, scope,
                             created_at, pages, expires_at, resource_tools, is_loopback, unticked_scope)
         SELECT grant_id, user_id, user_name, client_id, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?10, ?11, ?12, ?13 FROM authorization_requests
         WHERE consent_hash = ?8 AND approved_as = ?1",
        &approval.code_hash,
        client.name.as_str(),
        client.trust.as_str(),
        client.redirect_uri.host(),
        approval.resource.as_str(),
        &approval.scopes,
        now,
        consent,
        approval.pages.stored(),
        approval.lifetime.end(now),
        approval.has_resource_tools,
        client.redirect_uri.kind() == RedirectKind::Loopback,
        &approval.unticked_scopes,
    );
    let reaches = statement!(
        "INSERT INTO page_access (page_id, user_id, client_id, seen_at)
         SELECT page.value, t.user_id, t.client_id, ?3 FROM authorization_requests t, json_each(?2) page
         WHERE t.consent_hash = ?4 AND t.approved_as = ?1
         ON CONFLICT (page_id, user_id, client_id) DO UPDATE SET seen_at = excluded.seen_at",
        &approval.code_hash,
        json_list(approval.page_access),
        now,
        consent,
    );
    let code = statement!(
        "INSERT INTO codes (code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
         SELECT ?1, grant_id, ?2, ?3, ?4, ?5 FROM authorization_requests WHERE consent_hash = ?6 AND approved_as = ?1",
        &approval.code_hash,
        client.redirect_uri.as_str(),
        approval.request.access.challenge.as_str(),
        now,
        now + CODE_LIFETIME,
        consent,
    );
    let asked = diagnostics::statement_for_approval(consent, &approval.code_hash, approval.request.access.scopes);
    let mut batch = vec![consume, grant, reaches, code, asked, audit];
    if approval.replaces_earlier && approval.request.earlier.as_ref().is_some_and(|earlier| earlier.is_live) {
        let limits = AccessLimits {
            scopes: approval.scopes,
            pages: approval.pages.clone(),
            expires_at: approval.lifetime.end(now),
        };
        let (code, request_id) = (&approval.code_hash, approval.request_id);
        let replacing = narrowing::ReplacingApproval { consent, code, request_id, now };
        batch.extend(narrowing::statements_to_replace(&limits, &replacing));
    }
    let answers = db.batch(&batch).await?;
    Ok(Redemption::from_rows(answers.first()))
}

#[cfg(test)]
mod tests;
