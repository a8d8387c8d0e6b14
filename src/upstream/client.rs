//! StatiBeat's API as the connector itself ([`Client`]), and in one person's name ([`UserClient`]).
//!
//! Every request in a person's name carries an assertion of its own, for the one scope and page that it needs.

use super::accessible_page::AccessiblePage;
use super::assertion::{self, ACTOR, Assertion, OnBehalfOfClaims, RequestBinding};
use super::circuit_breaker::CallSubject;
use super::error::{ApiError, ApiErrorKind};
use super::exchange::{self, API_ROOT, Circuit, JSON, join_path};
use super::memory::Memory;
use super::page::{EarlyPage, PageClient, PageTransport, admin_root};
use crate::keyring::{KeyRing, PublicKey};
use crate::model::ids::{GrantId, OrganizationId, PageId, RequestId, UserId};
use crate::model::scope::{Requirement, Scope};
use crate::model::timestamp::Timestamp;
use crate::ports::HttpClient;
use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde::de::IgnoredAny;
use serde_json::Value;

/// The name of the connector's traffic in StatiBeat's records.
const SOURCE: &str = "hosted_mcp";

/// The connector's identity towards StatiBeat in this environment, and StatiBeat's address.
#[derive(Clone, Copy)]
pub struct ClientSettings<'a> {
    /// Our issuer URL, without a slash at the end.
    pub issuer: &'a str,
    /// StatiBeat's API origin: scheme and host, without a slash at the end.
    pub origin: &'a str,
    pub environment: &'a str,
    pub assertion_keys: &'a KeyRing,
    /// The public halves of the keys that StatiBeat signs identity tokens with.
    pub identity_keys: &'a [PublicKey],
}

/// StatiBeat's API during one request of ours.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    pub settings: ClientSettings<'a>,
    pub http: &'a dyn HttpClient,
    /// The time that decisions of this request are made for.
    pub now: Timestamp,
    /// Milliseconds since the Unix epoch. An assertion lives for a minute, and a request of ours may have waited for
    /// StatiBeat several times by then: so each assertion is signed with the time of its own sending.
    pub clock: &'a dyn Fn() -> u64,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// The instance's memory of StatiBeat; outlives the request.
    pub memory: &'a Memory,
}

impl Client<'_> {
    /// A bearer credential for one request with these claims.
    pub(super) fn sign(&self, claims: impl Assertion, binding: &RequestBinding<'_>, body: Option<&[u8]>) -> String {
        let ring = self.settings.assertion_keys;
        let mut nonce = [0; 16];
        (self.random)(&mut nonce);
        assertion::Token {
            claims,
            issuer: self.settings.issuer,
            audience: self.settings.origin,
            binding,
            body,
            sent_at: Timestamp::from_milliseconds((self.clock)()),
            nonce,
        }
        .sign(ring.newest().kid(), &self.memory.signing_key(ring))
    }

    /// Checks that StatiBeat answers. Asks without a credential, so that nobody's name is used and nothing is counted against anybody. A refusal is as good
    /// an answer as any, in JSON as all of StatiBeat's; a page of HTML is somebody else's. The error says what came instead
    /// of an answer, for the log.
    pub async fn check_health(&self) -> Result<(), String> {
        let url = format!("{}{API_ROOT}/me", self.settings.origin);
        let request = Request::get(&url).header(ACCEPT, JSON).body(Bytes::new());
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_server_error() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        serde_json::from_slice::<IgnoredAny>(answer.body()).map(drop).map_err(|error| format!("not JSON: {error}"))
    }
}

/// A person acting through a client, as StatiBeat is told about them.
#[derive(Clone, Copy)]
pub struct Principal<'a> {
    pub user_id: &'a UserId,
    pub client_id: &'a str,
    pub grant_id: &'a GrantId,
    /// The request of ours that this is part of.
    pub request_id: &'a RequestId,
}

/// StatiBeat's API in one person's name.
#[derive(Clone, Copy)]
pub struct UserClient<'a> {
    pub client: &'a Client<'a>,
    pub principal: Principal<'a>,
}

/// One request in a person's name, before it is signed.
struct UserCall<'a> {
    method: Method,
    /// Below StatiBeat's origin, beginning with a slash; may carry a query.
    path: &'a str,
    scope: Scope,
    page_id: Option<PageId>,
    body: Option<Bytes>,
}

impl<'a> UserClient<'a> {
    /// Reads below the API root, as in `me`. `scope` is the one that the read is made for.
    pub async fn get(&self, scope: Scope, relative: &str) -> Result<Value, ApiError> {
        let path = join_path(API_ROOT, relative)?;
        let request = || self.signed(UserCall { method: Method::GET, path: &path, scope, page_id: None, body: None });
        let read = Box::pin(exchange::read(self.client.http, self.client.random, request));
        self.circuit(None).guard(read).await
    }

    /// Reads all of them in parallel; answers in order.
    pub async fn get_all(&self, scope: Scope, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| self.get(scope, relative))).await
    }

    /// The admin API of a page that the person can see. `scope` is the one that its calls are made for.
    pub fn page(&self, page: &AccessiblePage, scope: Scope) -> PageClient<'a> {
        PageClient::new(OnBehalfOf { user: *self, scope, organization_id: page.organization_id, page_id: page.id })
    }

    /// The page for reads beside the question whether the person may see it: only where this person's own list had it a
    /// moment ago with what the read needs, and while neither calls to the page nor the person's own fail: the circuit of
    /// the question itself may be open.
    pub fn early_page(&self, page_id: PageId, needs: &Requirement) -> Option<EarlyPage<'a>> {
        let Client { memory, now, .. } = self.client;
        let person = self.principal.user_id;
        let organization_id = memory.recently_listed(person, page_id, needs.permissions, *now)?;
        if !memory.circuit_breaker.is_clear(&CallSubject { person, page: Some(page_id) }) {
            return None;
        }
        let transport = OnBehalfOf { user: *self, scope: needs.scope, organization_id, page_id };
        Some(EarlyPage { organization_id, page: PageClient::new(transport) })
    }

    /// Early reads of a page that the person turned out to be allowed to see have failed: it is not read early for now.
    pub fn doubt(&self, page: &AccessiblePage) {
        let Circuit { breaker, subject, clock } = self.circuit(Some(page.id));
        breaker.doubt(&subject, clock());
    }

    fn circuit(&self, page: Option<PageId>) -> Circuit<'a> {
        let subject = CallSubject { person: self.principal.user_id, page };
        Circuit { breaker: &self.client.memory.circuit_breaker, subject, clock: self.client.clock }
    }

    /// The request with its assertion and the headers that say on whose account it is.
    fn signed(&self, call: UserCall<'_>) -> Result<Request<Bytes>, ApiError> {
        let Principal { user_id, client_id, grant_id, request_id } = self.principal;
        let url = format!("{}{}", self.client.settings.origin, call.path);
        let claims = OnBehalfOfClaims {
            sub: &user_id.0,
            client_id,
            grant_id: &grant_id.0,
            scope: call.scope.as_str(),
            page_id: call.page_id.map(|page| page.0),
            act: ACTOR,
        };
        let binding = RequestBinding { method: &call.method, url: &url };
        let token = self.client.sign(claims, &binding, call.body.as_deref());
        let mut request = Request::builder()
            .method(&call.method)
            .uri(&url)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(ACCEPT, JSON)
            .header("x-statibeat-source", SOURCE)
            .header("x-statibeat-client-id", client_id)
            .header("x-statibeat-connection-id", &grant_id.0)
            .header("x-request-id", &request_id.0);
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request
            .body(call.body.unwrap_or_default())
            .map_err(|error| ApiError::new(ApiErrorKind::ContractViolation, error.to_string()))
    }
}

/// A page in one person's name, for one scope.
struct OnBehalfOf<'a> {
    user: UserClient<'a>,
    scope: Scope,
    organization_id: OrganizationId,
    page_id: PageId,
}

impl PageTransport for OnBehalfOf<'_> {
    fn root(&self) -> String {
        admin_root(self.organization_id, self.page_id)
    }

    fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Request<Bytes>, ApiError> {
        self.user.signed(UserCall { method, path, scope: self.scope, page_id: Some(self.page_id), body })
    }

    fn http(&self) -> &dyn HttpClient {
        self.user.client.http
    }

    fn random(&self) -> &dyn Fn(&mut [u8]) {
        self.user.client.random
    }

    fn circuit(&self) -> Option<Circuit<'_>> {
        Some(self.user.circuit(Some(self.page_id)))
    }
}

#[cfg(test)]
mod tests;
