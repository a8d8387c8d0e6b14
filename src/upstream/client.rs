//! StatiBeat's API as the connector ([`Client`]), and on behalf of a person ([`UserClient`]).
//!
//! Every request on behalf of a person carries its own assertion, for one scope and one page.

use super::accessible_page::AccessiblePage;
use super::assertion::{self, ACTOR, Assertion, OnBehalfOfClaims, RequestBinding};
use super::circuit_breaker::CallSubject;
use super::error::{ApiError, ApiErrorKind};
use super::exchange::{self, API_ROOT, Circuit, JSON, join_path};
use super::memory::Memory;
use super::page::{PageClient, PageTransport, admin_root};
use crate::keyring::{KeyRing, PublicKey};
use crate::model::ids::{GrantId, OrganizationId, PageId, RequestId, UserId};
use crate::model::scope::{PagePermission, Scope};
use crate::model::timestamp::Timestamp;
use crate::ports::{BearerSigningKey, HttpClient};
use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::rc::Rc;

/// Value of `X-StatiBeat-Source`, which identifies the connector in StatiBeat's logs.
const SOURCE: &str = "hosted_mcp";

/// The connector's identity at StatiBeat in this environment, and StatiBeat's URL.
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

/// StatiBeat's API for the duration of one request.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    pub settings: ClientSettings<'a>,
    pub http: &'a dyn HttpClient,
    /// Time of the request, for all its decisions.
    pub now: Timestamp,
    /// Milliseconds since the Unix epoch. Each assertion is signed with the time it is sent: it lives for a minute, and
    /// one request may call StatiBeat several times.
    pub clock: &'a dyn Fn() -> u64,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// The instance's memory of StatiBeat; outlives the request.
    pub memory: &'a Memory,
}

impl Client<'_> {
    /// Begins a request with an assertion of these claims, which the HTTP client signs.
    pub(super) fn asserted(
        &self,
        claims: impl Assertion,
        binding: &RequestBinding<'_>,
        body: Option<&[u8]>,
    ) -> http::request::Builder {
        let key = self.settings.assertion_keys.newest();
        let mut nonce = [0; 16];
        (self.random)(&mut nonce);
        let token = assertion::Token {
            claims,
            issuer: self.settings.issuer,
            audience: self.settings.origin,
            binding,
            body,
            sent_at: Timestamp::from_milliseconds((self.clock)()),
            nonce,
        };
        Request::builder()
            .method(binding.method)
            .uri(binding.url)
            .header(AUTHORIZATION, format!("Bearer {}", token.unsigned(key.kid())))
            .extension(BearerSigningKey(*key.expose()))
    }

    /// Checks that StatiBeat responds. Sends no credential, so the request counts for nobody. Any JSON response below
    /// 500 counts as healthy, including 401; HTML comes from a proxy. The error is for the log.
    /// The result counts for five seconds, unless a new one is wanted.
    pub async fn check_health(&self, must_be_new: bool) -> Result<(), String> {
        if let Some(health) = self.memory.known_health(self.now).filter(|_| !must_be_new) {
            return health;
        }
        let health = self.ask_for_health().await;
        self.memory.set_health(self.now, &health);
        health
    }

    async fn ask_for_health(&self) -> Result<(), String> {
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

/// A person acting through a client, as StatiBeat's logs identify them.
#[derive(Clone, Copy)]
pub struct Principal<'a> {
    pub user_id: &'a UserId,
    pub client_id: &'a str,
    pub grant_id: &'a GrantId,
    /// Id of the request to the connector.
    pub request_id: &'a RequestId,
}

/// StatiBeat's API on behalf of one person.
#[derive(Clone, Copy)]
pub struct UserClient<'a> {
    pub client: &'a Client<'a>,
    pub principal: Principal<'a>,
}

/// One request on behalf of a person, before it is signed.
struct UserCall<'a> {
    method: Method,
    /// Below StatiBeat's origin, beginning with a slash; may carry a query.
    path: &'a str,
    scope: Scope,
    page_id: Option<PageId>,
    body: Option<Bytes>,
}

impl<'a> UserClient<'a> {
    /// Reads a path relative to the API root, such as `me`, with an assertion for `scope`.
    pub async fn get(&self, scope: Scope, relative: &str) -> Result<Value, ApiError> {
        let path = join_path(API_ROOT, relative)?;
        let request = || self.signed(UserCall { method: Method::GET, path: &path, scope, page_id: None, body: None });
        let read = Box::pin(exchange::get_with_retry(self.client.http, self.client.random, request));
        self.circuit(None).guard(read).await
    }

    /// Reads several paths in parallel; returns the results in order.
    pub async fn get_all(&self, scope: Scope, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| self.get(scope, relative))).await
    }

    /// The admin API of a page that the person can see, with assertions for `scope`.
    pub fn page(&self, page: &AccessiblePage, scope: Scope) -> PageClient<'a> {
        PageClient::new(OnBehalfOf { user: *self, scope, organization_id: page.organization_id, page_id: page.id })
    }

    /// Returns a page as this person's list had it within the last minute, if it then allowed what is needed.
    pub fn remembered_page(&self, page_id: PageId, needed: &[PagePermission]) -> Option<Rc<AccessiblePage>> {
        let Client { memory, now, .. } = self.client;
        memory.remembered_page(self.principal.user_id, page_id, needed, *now)
    }

    fn circuit(&self, page: Option<PageId>) -> Circuit<'a> {
        let subject = CallSubject { person: self.principal.user_id, page };
        Circuit { breaker: &self.client.memory.circuit_breaker, subject, clock: self.client.clock }
    }

    /// Builds a request with its assertion and the headers that identify client, connection and request.
    fn signed(&self, call: UserCall<'_>) -> Result<Request<Bytes>, ApiError> {
        let Principal { user_id, client_id, grant_id, request_id } = self.principal;
        let url = format!("{}{}", self.client.settings.origin, call.path);
        let claims = OnBehalfOfClaims {
            sub: user_id.as_str(),
            client_id,
            grant_id: grant_id.as_str(),
            scope: call.scope.as_str(),
            page_id: call.page_id.map(PageId::get),
            act: ACTOR,
        };
        let binding = RequestBinding { method: &call.method, url: &url };
        let request = self.client.asserted(claims, &binding, call.body.as_deref());
        let mut request = request
            .header(ACCEPT, JSON)
            .header("x-statibeat-source", SOURCE)
            .header("x-statibeat-client-id", client_id)
            .header("x-statibeat-connection-id", grant_id.as_str())
            .header("x-request-id", request_id.as_str());
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request
            .body(call.body.unwrap_or_default())
            .map_err(|error| ApiError::new(ApiErrorKind::ContractViolation, error.to_string()))
    }
}

/// A page on behalf of one person, for one scope.
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
