//! HTTP in terms of the `http` crate; runs natively. One request, one `match`.
//!
//! Nothing here decides about codes, tokens, scopes or pages: a handler parses, loads, asks a pure rule, commits, replies.

mod admin;
mod authorize;
mod body;
mod browser;
mod choice;
mod consent;
mod fetch_metadata;
mod health;
mod limits;
mod mcp;
mod metadata;
mod refused_clients;
mod register;
mod reply;
mod revoke;
pub mod round_trips;
mod routes;
mod sign_in;
mod text;
mod token;
mod views;

pub use reply::Response;

use crate::config::Config;
use crate::hosted::rate_limit::MessageCounts;
use crate::keyring::KeyRing;
use crate::model::ids::RequestId;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::Clients;
use crate::oauth::metadata::Endpoints;
use crate::ports::{Database, HttpClient, RateLimiter, RequestBody};
use crate::storage::calls::{self, Tally};
use crate::storage::gathering::Gathering;
use crate::telemetry::counted::{CountedClient, CountedDatabase, CountedLimiter};
use crate::telemetry::trace::Trace;
use crate::telemetry::{Clock, Ledger, RequestRecord};
use crate::upstream;
use crate::upstream::memory::Memory;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, Method, Request};
use routes::{Audience, Route};
use std::time::Duration;

/// Carries the request's id to the client and to StatiBeat.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What an edge gives one request.
pub struct Runtime<'a> {
    pub config: &'a Config,
    /// D1.
    pub db: &'a dyn Database,
    pub http: &'a dyn HttpClient,
    /// What is known of StatiBeat; longer-lived than the request.
    pub memory: &'a Memory,
    pub limiter: &'a dyn RateLimiter,
    /// Messages that this instance has counted; longer-lived than the request.
    pub messages: &'a MessageCounts,
    pub request_id: RequestId,
    /// The clock, read once: the time that every decision is made for.
    pub now: Timestamp,
    /// The clock in milliseconds since the Unix epoch, for durations and for the times of assertions.
    pub clock: &'a Clock<'a>,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
}

/// All that a handler may use.
struct Context<'a> {
    config: &'a Config,
    db: &'a dyn Database,
    http: &'a dyn HttpClient,
    limiter: &'a dyn RateLimiter,
    messages: &'a MessageCounts,
    now: Timestamp,
    clock: &'a Clock<'a>,
    random: &'a dyn Fn(&mut [u8]),
    /// Takes a note for the operator. Never given a secret or a customer's text.
    log: &'a dyn Fn(&str),
    ledger: &'a Ledger<'a>,
    memory: &'a Memory,
}

pub struct Answered {
    pub response: Response,
    pub record: RequestRecord,
}

impl Context<'_> {
    fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    fn random_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random_bytes::<16>())
    }

    fn clients(&self) -> Clients<'_> {
        Clients {
            allowed: &self.config.allowed_redirects,
            registrations: &self.config.client_keys,
            accepts_unverified: self.config.accepts_unverified_clients,
        }
    }

    fn tags(&self) -> &KeyRing {
        &self.config.tag_keys
    }

    fn endpoints(&self) -> Endpoints {
        routes::endpoints(&self.config.public_url, &self.config.issuer, self.config.has_registration)
    }

    fn upstream(&self) -> upstream::Client<'_> {
        let settings = upstream::ClientSettings {
            issuer: &self.config.issuer,
            origin: &self.config.upstream_origin,
            environment: &self.config.environment,
            assertion_keys: &self.config.assertion_keys,
            identity_keys: &self.config.identity_keys,
        };
        let Self { http, now, clock, random, memory, .. } = *self;
        upstream::Client { settings, http, now, clock, random, memory }
    }
}

/// Answers a request, keeping its ledger. The body is read only once the head has been accepted.
pub async fn handle(runtime: &Runtime<'_>, head: Request<()>, body: &dyn RequestBody) -> Answered {
    let Runtime { config, now, clock, random, ref request_id, .. } = *runtime;
    let ledger = Ledger::open(clock, Trace::of_headers(head.headers(), random));
    let client = CountedClient::new(runtime.http, &ledger, random);
    let ctx = Context {
        config,
        db: &CountedDatabase { inner: runtime.db, ledger: &ledger },
        http: &client,
        limiter: &CountedLimiter { inner: runtime.limiter, ledger: &ledger },
        messages: runtime.messages,
        now,
        clock,
        random,
        log: &|note| ledger.note(note),
        ledger: &ledger,
        memory: runtime.memory,
    };
    let mut response = respond(&ctx, &head, body, request_id).await;
    reply::set(&mut response, X_REQUEST_ID, &request_id.0);
    let record = ledger.close(request_id.clone(), head.method(), response.status().as_u16());
    Answered { response, record }
}

/// Answers a request whose URL or headers cannot be parsed.
pub fn unreadable() -> Response {
    reply::unreadable()
}

/// Answers any request while the connector is off, or its configuration cannot be used. A person gets a page that says so.
pub fn unavailable(path: &str) -> Response {
    match Route::find(path) {
        Some(Route::AdminPage) => views::admin::unavailable(),
        _ => reply::not_found(),
    }
}

/// Gathers what an answered call leaves to be counted, for no client waits for that. Some duration: after it, the caller hands what
/// was gathered to [`count`]. `now` is in milliseconds since the Unix epoch.
pub fn gather(response: &mut Response, gathering: &Gathering, now: u64) -> Option<Duration> {
    gathering.add(response.extensions_mut().remove()?, now)
}

pub async fn count(db: &dyn Database, tallies: &[Tally], log: &dyn Fn(&str)) {
    if let Err(error) = calls::count(db, tallies).await {
        log(&format!("{} calls are not counted: {error}", tallies.len()));
    }
}

async fn respond(ctx: &Context<'_>, head: &Request<()>, body: &dyn RequestBody, request_id: &RequestId) -> Response {
    let path = head.uri().path();
    let route = Route::find(path).filter(|_| ctx.config.is_enabled);
    let Some(route) = route else { return unavailable(if ctx.config.is_enabled { "" } else { path }) };
    ctx.ledger.at(route.path(), route.area());
    let is_for_programs = route.audience() == Audience::Programs;
    let mut response = if is_for_programs && head.method() == Method::OPTIONS {
        reply::preflight(route.methods())
    } else if route == Route::Mcp {
        // Asks for a token before it looks at the method: a probe by GET must learn how to sign in.
        mcp::post(ctx, head, body, request_id).await
    } else if !route.methods().contains(head.method()) {
        reply::method_not_allowed(route.methods(), is_for_programs)
    } else if let Some(refusal) = fetch_metadata::refuse(route, head) {
        ctx.ledger.because("caused_by_another_page");
        refusal
    } else {
        match body::receive(route, head, body, &ctx.config.issuer).await {
            Ok(request) => dispatch(ctx, route, &request, request_id).await,
            Err(error) => body::refuse(ctx, route, error),
        }
    };
    if is_for_programs {
        reply::allow_any_origin(&mut response);
    }
    if head.method() == Method::HEAD { browser::without_body(response) } else { response }
}

async fn dispatch(ctx: &Context<'_>, route: Route, request: &Request<Bytes>, request_id: &RequestId) -> Response {
    match route {
        Route::ProtectedResource => metadata::protected_resource(ctx),
        Route::AuthorizationServer => metadata::authorization_server(ctx),
        Route::AssertionKeys => metadata::assertion_keys(ctx),
        Route::Authorize => authorize::get(ctx, request).await,
        Route::SignedIn => sign_in::get(ctx, request, request_id).await,
        Route::Consent if request.method() == Method::POST => consent::post(ctx, request, request_id).await,
        Route::Consent => consent::get(ctx, request, request_id).await,
        Route::Token => token::post(ctx, request, request_id).await,
        Route::Revoke => revoke::post(ctx, request, request_id).await,
        Route::Register => register::post(ctx, request).await,
        // Answered before: its token is judged before its body is read.
        Route::Mcp => reply::not_found(),
        Route::Health => health::get(ctx, request).await,
        Route::RefusedClients => refused_clients::get(ctx, request).await,
        Route::AdminPage => admin::get(ctx, request, request_id).await,
        Route::AdminSignIn => admin::start(ctx, request).await,
        Route::AdminSignedIn => admin::back(ctx, request, request_id).await,
        Route::AdminAction if request.method() == Method::POST => admin::perform(ctx, request, request_id).await,
        Route::AdminAction => admin::confirm(ctx, request, request_id).await,
        Route::AdminSignOut => admin::out(ctx, request, request_id).await,
        Route::AdminApiSetup | Route::AdminApiConnections | Route::AdminApiActivity => {
            admin::api(ctx, route, request, request_id).await
        }
    }
}
