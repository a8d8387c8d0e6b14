//! Context of a handler: [`App`] lives as long as the instance, [`RequestContext`] as long as one request.

use crate::config::Config;
use crate::hosted::ended_tokens::EndedTokens;
use crate::hosted::rate_limit::MessageCounts;
use crate::keyring::KeyRing;
use crate::mcp::ServerProfile;
use crate::mcp::prepared::PreparedResults;
use crate::model::ids::{GrantId, RequestId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::{ClientId, Clients};
use crate::oauth::metadata::Endpoints;
use crate::ports::{Database, HttpClient, RateLimiter};
use crate::storage::audit::{AuditId, AuditKind, Entry, Outcome};
use crate::storage::usage_buffer::UsageBuffer;
use crate::telemetry::{Clock, RequestLog};
use crate::upstream::memory::Memory;
use crate::upstream::{Client, ClientSettings, Principal, UserClient};
use crate::web::routes::{self, Route};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use std::cell::OnceCell;
use std::rc::Rc;
use url::Url;

/// Metadata documents in serialized form: they depend on the configuration alone, so an instance serializes each of them once.
#[derive(Default)]
pub(super) struct Documents {
    pub protected_resource: OnceCell<Bytes>,
    pub authorization_server: OnceCell<Bytes>,
    pub assertion_keys: OnceCell<Bytes>,
}

/// One instance of the server, created once by the edge.
pub struct App {
    pub config: Rc<Config>,
    pub db: Rc<dyn Database>,
    pub http: Rc<dyn HttpClient>,
    pub limiter: Rc<dyn RateLimiter>,
    pub memory: Memory,
    pub messages: MessageCounts,
    pub ended_tokens: EndedTokens,
    /// Lists and discovery results, serialized.
    pub prepared: PreparedResults,
    pub(super) documents: Documents,
    pub usage: UsageBuffer,
    /// The URL that access tokens are for (RFC 8707).
    pub(super) resource: Url,
    /// Website, icons and description of the server; `None` without a website.
    pub profile: Option<ServerProfile>,
}

impl App {
    pub fn new(
        config: Rc<Config>,
        db: Rc<dyn Database>,
        http: Rc<dyn HttpClient>,
        limiter: Rc<dyn RateLimiter>,
    ) -> Self {
        let (profile, resource) = (routes::profile(&config), Route::Mcp.url(&config.public_url));
        Self {
            config,
            db,
            http,
            limiter,
            memory: Memory::default(),
            messages: MessageCounts::default(),
            ended_tokens: EndedTokens::default(),
            prepared: PreparedResults::default(),
            documents: Documents::default(),
            usage: UsageBuffer::default(),
            resource,
            profile,
        }
    }

    pub(super) fn settings(&self) -> ClientSettings<'_> {
        ClientSettings {
            issuer: &self.config.issuer,
            origin: &self.config.upstream_origin,
            environment: &self.config.environment,
            assertion_keys: &self.config.assertion_keys,
            identity_keys: &self.config.identity_keys,
        }
    }
}

/// Inputs that the edge reads from the runtime for each request.
pub struct RequestInputs<'a> {
    pub request_id: RequestId,
    /// The clock, read once per request: every decision uses this time.
    pub now: Timestamp,
    /// The clock in milliseconds since the Unix epoch, for durations and for the times of assertions.
    pub clock: &'a Clock<'a>,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
}

pub(super) struct RequestContext<'a> {
    pub app: &'a App,
    /// The request without its body.
    pub head: &'a Request<()>,
    pub request_id: &'a RequestId,
    pub now: Timestamp,
    pub random: &'a dyn Fn(&mut [u8]),
    /// Must never be given a secret or a customer's text.
    pub log: &'a RequestLog<'a>,
    /// The app's ports; the log counts each use.
    pub db: &'a dyn Database,
    pub limiter: &'a dyn RateLimiter,
    pub upstream: Client<'a>,
}

impl RequestContext<'_> {
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    pub fn random_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random_bytes::<16>())
    }

    pub fn clients(&self) -> Clients<'_> {
        let config = &self.app.config;
        Clients {
            allowed: &config.allowed_redirects,
            registrations: &config.client_keys,
            accepts_unverified: config.accepts_unverified_clients,
        }
    }

    pub fn checksum_keys(&self) -> &KeyRing {
        &self.app.config.checksum_keys
    }

    pub fn endpoints(&self) -> Endpoints<'_> {
        routes::endpoints(&self.app.config)
    }

    /// The audit row of a request that succeeded, about an app alone: what else it is about, the caller adds.
    pub fn audit_entry<'a>(
        &'a self,
        id: AuditId,
        kind: AuditKind,
        client_id: &'a ClientId,
        client_name: &'a str,
    ) -> Entry<'a> {
        Entry {
            id,
            created_at: self.now,
            kind,
            outcome: Outcome::Done,
            user_id: None,
            client_id,
            client_name,
            grant_id: None,
            request_id: self.request_id,
            target: None,
            detail: None,
        }
    }

    pub fn api<'a>(&'a self, user_id: &'a UserId, client_id: &'a str, grant_id: &'a GrantId) -> UserClient<'a> {
        let principal = Principal { user_id, client_id, grant_id, request_id: self.request_id };
        UserClient { client: &self.upstream, principal }
    }
}
