//! Authorization requests between the authorization endpoint and the person's answer.
//!
//! A transaction moves once through open → signed in → consumed; each move is one conditional write.

use super::{Result, health, json_list, run, run_for_one, statement};
use crate::catalog::scope::ScopeSet;
use crate::ids::{GrantId, PageId, UserId};
use crate::oauth::authorize::AuthorizationRequest;
use crate::oauth::client::{Client, ClientId, Standing};
use crate::oauth::error::SentToClient;
use crate::oauth::grant::{CODE_LIFETIME, GrantLifetime, PageChoice, TRANSACTION_LIFETIME};
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::redirect::{RedirectKind, RedirectUri};
use crate::oauth::secret::{Handle, SecretHash};
use crate::ports::{Database, DatabaseError, Row, Statement};
use crate::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What a visit asks for: a valid request, or a fault to deliver once the person is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Proven, with where its answer goes.
    pub client: Client,
    /// To be given back as sent.
    pub state: Option<String>,
    /// What to show, or what to send back.
    pub asked: std::result::Result<AuthorizationRequest, SentToClient>,
}

/// Who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// StatiBeat's id.
    pub user_id: UserId,
    /// For people.
    pub name: String,
    /// For people, to tell two accounts apart.
    pub email: String,
}

/// A visit whose person is known.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What it asks for.
    pub visit: Visit,
    /// Who is asked.
    pub person: SignedIn,
    /// What an approval will be called.
    pub grant_id: GrantId,
}

/// The stored form of a visit.
#[derive(Serialize, Deserialize)]
struct StoredVisit {
    client_name: String,
    standing: String,
    redirect_uri: String,
    state: Option<String>,
    challenge: Option<String>,
    scope: Option<String>,
    fault: Option<String>,
}

impl StoredVisit {
    fn from_visit(visit: &Visit) -> Self {
        let (request, fault) = match &visit.asked {
            Ok(request) => (Some(request), None),
            Err(fault) => (None, Some(fault.to_string())),
        };
        Self {
            client_name: visit.client.name.clone(),
            standing: visit.client.standing.as_str().to_owned(),
            redirect_uri: visit.client.redirect_uri.as_str().to_owned(),
            state: visit.state.clone(),
            challenge: request.map(|request| request.challenge.as_str().to_owned()),
            scope: request.map(|request| request.scopes.to_string()),
            fault,
        }
    }

    fn into_visit(self, id: ClientId) -> Option<Visit> {
        let client = Client {
            id,
            name: self.client_name,
            standing: Standing::parse(&self.standing)?,
            redirect_uri: RedirectUri::parse(&self.redirect_uri)?,
        };
        let asked = match self.fault {
            Some(fault) => Err(SentToClient::parse(&fault)?),
            None => Ok(AuthorizationRequest {
                challenge: CodeChallenge::parse(&self.challenge?)?,
                scopes: ScopeSet::parse(&self.scope?)?,
            }),
        };
        Some(Visit { client, state: self.state, asked })
    }
}

/// Parks a visit while its person signs in.
pub async fn open(db: &dyn Database, handle: &Handle, browser: &Handle, visit: &Visit, now: Timestamp) -> Result<()> {
    let stored = serde_json::to_string(&StoredVisit::from_visit(visit)).map_err(|e| DatabaseError(e.to_string()))?;
    let insert = statement!(
        "INSERT INTO transactions (handle_hash, browser_hash, client_id, request, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        handle.hash().0,
        browser.hash().0,
        visit.client.id.as_str(),
        stored,
        now,
        now + TRANSACTION_LIFETIME,
    );
    run(db, insert).await.map(drop)
}

/// Takes the sign-in state out of circulation, in the browser that started the visit: it works once. `None` when there is
/// no such open transaction for this browser. From here only [`attach_person`] can go on.
pub async fn consume_sign_in(
    db: &dyn Database,
    handle: &Handle,
    browser: &Handle,
    now: Timestamp,
) -> Result<Option<Visit>> {
    let update = statement!(
        "UPDATE transactions SET signed_in_at = ?3
         WHERE handle_hash = ?1 AND browser_hash = ?2 AND signed_in_at IS NULL AND consumed_at IS NULL AND expires_at > ?3
         RETURNING client_id, request",
        handle.hash().0,
        browser.hash().0,
        now,
    );
    run_for_one(db, update).await?.as_ref().map(read_visit).transpose()
}

/// Whether a visit waits for its person to come back from sign-in, in whatever browser.
pub async fn is_waiting_for_sign_in(db: &dyn Database, handle: &Handle, now: Timestamp) -> Result<bool> {
    let select = statement!(
        "SELECT 1 AS one FROM transactions
         WHERE handle_hash = ?1 AND signed_in_at IS NULL AND consumed_at IS NULL AND expires_at > ?2",
        handle.hash().0,
        now,
    );
    Ok(run_for_one(db, select).await?.is_some())
}

/// Whether a consent form waits for its answer, in whatever browser.
pub async fn is_waiting_for_answer(db: &dyn Database, consent: &Handle, now: Timestamp) -> Result<bool> {
    let select = statement!(
        "SELECT 1 AS one FROM transactions WHERE consent_hash = ?1 AND consumed_at IS NULL AND expires_at > ?2",
        consent.hash().0,
        now,
    );
    Ok(run_for_one(db, select).await?.is_some())
}

/// What follows from a finished sign-in.
pub struct Attachment<'a> {
    /// Who.
    pub person: &'a SignedIn,
    /// What the consent form will carry.
    pub consent: &'a Handle,
    /// The browser's new cookie: whoever knew the old one before the sign-in has nothing after it.
    pub browser: &'a Handle,
    /// What an approval will be called.
    pub grant_id: &'a GrantId,
}

/// Writes down who signed in. `false`: the visit is not waiting for that.
pub async fn attach_person(db: &dyn Database, handle: &Handle, attachment: &Attachment<'_>) -> Result<bool> {
    let update = statement!(
        "UPDATE transactions
         SET user_id = ?2, user_name = ?3, user_email = ?4, consent_hash = ?5, browser_hash = ?6, grant_id = ?7
         WHERE handle_hash = ?1 AND signed_in_at IS NOT NULL AND consumed_at IS NULL AND user_id IS NULL
         RETURNING handle_hash",
        handle.hash().0,
        attachment.person.user_id.0.as_str(),
        attachment.person.name.as_str(),
        attachment.person.email.as_str(),
        attachment.consent.hash().0,
        attachment.browser.hash().0,
        attachment.grant_id.0.as_str(),
    );
    Ok(run_for_one(db, update).await?.is_some())
}

/// The visit that a consent handle stands for, in the browser that started it, while it can still be answered.
pub async fn find_for_consent(
    db: &dyn Database,
    consent: &Handle,
    browser: &Handle,
    now: Timestamp,
) -> Result<Option<Transaction>> {
    let select = statement!(
        "SELECT client_id, request, user_id, user_name, user_email, grant_id FROM transactions
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3",
        consent.hash().0,
        browser.hash().0,
        now,
    );
    run_for_one(db, select).await?.as_ref().map(read).transpose()
}

fn read_visit(row: &Row) -> Result<Visit> {
    let id = row.parsed("client_id", ClientId::parse)?;
    row.parsed("request", |text| serde_json::from_str::<StoredVisit>(text).ok()?.into_visit(id))
}

fn read(row: &Row) -> Result<Transaction> {
    let visit = read_visit(row)?;
    let person = SignedIn {
        user_id: UserId(row.text("user_id")?),
        name: row.text("user_name")?,
        email: row.text("user_email")?,
    };
    Ok(Transaction { visit, person, grant_id: GrantId(row.text("grant_id")?) })
}

/// Ends a visit that will not be approved. `false`: it was already answered.
pub async fn close(db: &dyn Database, consent: &Handle, browser: &Handle, now: Timestamp) -> Result<bool> {
    let update = statement!(
        "UPDATE transactions SET consumed_at = ?3
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3
         RETURNING handle_hash",
        consent.hash().0,
        browser.hash().0,
        now,
    );
    Ok(run_for_one(db, update).await?.is_some())
}

/// Ends a visit, in the browser that started it, that will not come to a consent page; with an audit row if that is worth
/// one.
pub async fn abandon(
    db: &dyn Database,
    handle: &Handle,
    browser: &Handle,
    audit: Option<Statement>,
    now: Timestamp,
) -> Result<()> {
    let update = statement!(
        "UPDATE transactions SET consumed_at = ?3 WHERE handle_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL",
        handle.hash().0,
        browser.hash().0,
        now,
    );
    let statements: Vec<Statement> = [update].into_iter().chain(audit).collect();
    db.batch(&statements).await.map(drop)
}

/// What the person approved.
pub struct Approval<'a> {
    /// The visit as it was shown.
    pub transaction: &'a Transaction,
    /// The request that was shown.
    pub request: &'a AuthorizationRequest,
    /// What stayed ticked.
    pub scopes: ScopeSet,
    /// Where.
    pub pages: PageChoice,
    /// The pages that this reaches today.
    pub reached: &'a [PageId],
    /// For how long.
    pub lifetime: GrantLifetime,
    /// Whether the client may read resources by tools.
    pub has_read_bridge: bool,
    /// The protected resource.
    pub resource: String,
    /// Of the new code.
    pub code_hash: SecretHash,
}

/// Consumes the visit and stores the grant and its code, all or nothing. `false`: it was already answered, or a revoke came
/// in between, and nothing was stored.
pub async fn approve(
    db: &dyn Database,
    consent: &Handle,
    browser: &Handle,
    approval: &Approval<'_>,
    audit: Statement,
    now: Timestamp,
) -> Result<bool> {
    let visit = &approval.transaction.visit;
    // `approved_as` carries this request's own code, so the later statements find a row only if this one won the first.
    let consume = statement!(
        "UPDATE transactions SET consumed_at = ?3, approved_as = ?4
         WHERE consent_hash = ?1 AND browser_hash = ?2 AND consumed_at IS NULL AND expires_at > ?3
         RETURNING handle_hash",
        consent.hash().0,
        browser.hash().0,
        now,
        approval.code_hash.0.as_str(),
    );
    let grant = statement!(
        "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_standing, redirect_host, resource, scope,
                             created_at, pages, expires_at, read_bridge, is_loopback)
         SELECT grant_id, user_id, user_name, client_id, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?10, ?11, ?12 FROM transactions
         WHERE consent_hash = ?8 AND approved_as = ?1",
        approval.code_hash.0.as_str(),
        visit.client.name.as_str(),
        visit.client.standing.as_str(),
        visit.client.redirect_uri.host(),
        approval.resource.as_str(),
        approval.scopes.to_string(),
        now,
        consent.hash().0,
        approval.pages.stored(),
        approval.lifetime.end(now),
        i64::from(approval.has_read_bridge),
        i64::from(visit.client.redirect_uri.kind() == RedirectKind::Loopback),
    );
    let reaches = statement!(
        "INSERT INTO page_reaches (page_id, user_id, client_id, seen_at)
         SELECT page.value, t.user_id, t.client_id, ?3 FROM transactions t, json_each(?2) page
         WHERE t.consent_hash = ?4 AND t.approved_as = ?1
         ON CONFLICT (page_id, user_id, client_id) DO UPDATE SET seen_at = excluded.seen_at",
        approval.code_hash.0.as_str(),
        json_list(approval.reached),
        now,
        consent.hash().0,
    );
    let code = statement!(
        "INSERT INTO codes (code_hash, grant_id, redirect_uri, code_challenge, created_at, expires_at)
         SELECT ?1, grant_id, ?2, ?3, ?4, ?5 FROM transactions WHERE consent_hash = ?6 AND approved_as = ?1",
        approval.code_hash.0.as_str(),
        visit.client.redirect_uri.as_str(),
        approval.request.challenge.as_str(),
        now,
        now + CODE_LIFETIME,
        consent.hash().0,
    );
    let asked = health::statement_for_approval(consent, &approval.code_hash, approval.request.scopes);
    let answers = db.batch(&[consume, grant, reaches, code, asked, audit]).await?;
    Ok(answers.first().is_some_and(|rows| !rows.is_empty()))
}
