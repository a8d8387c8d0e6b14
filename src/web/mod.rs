//! HTTP routes and handlers on the `http` crate, without a runtime. One `match` dispatches a request.
//!
//! Rules about codes, tokens, scopes and pages are elsewhere: a handler parses, loads, calls a pure rule, commits, replies.

mod admin;
mod authorize;
mod body;
mod browser;
mod consent;
mod context;
mod endpoint_page;
mod fetch_metadata;
mod health;
mod layout;
mod limits;
mod mcp;
mod metadata;
mod page_error;
mod public_files;
mod refused_clients;
mod refused_request;
mod register;
mod reply;
mod revoke;
mod routes;
mod sign_in;
mod time;
mod token;

pub use context::{App, RequestInputs};
pub use refused_request::Unavailable;
pub use reply::Response;

use crate::model::links::Links;
use crate::ports::{Database, RequestBody};
use crate::storage::usage::{self, UsageEvent};
use crate::storage::usage_buffer::UsageBuffer;
use crate::telemetry::counted::{CountedClient, CountedDatabase, CountedLimiter};
use crate::telemetry::trace::Trace;
use crate::telemetry::{RequestLog, RequestRecord};
use crate::upstream::Client;
use bytes::Bytes;
use context::RequestContext;
use http::{HeaderName, Method, Request};
use page_error::PageError;
use refused_request::RefusedRequest;
use routes::{Audience, Route};
use std::time::Duration;

/// Carries the request's id to the client and to StatiBeat.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub struct Answered {
    pub response: Response,
    pub record: RequestRecord,
}

/// Handles a request and returns its log record. The body is read only once the head has been accepted.
pub async fn handle(app: &App, inputs: RequestInputs<'_>, head: &Request<()>, body: &dyn RequestBody) -> Answered {
    let RequestInputs { request_id, now, clock, random } = inputs;
    let log = RequestLog::open(clock, Trace::of_headers(head.headers(), random), request_id.clone(), head.method());
    let http = CountedClient::new(&*app.http, &log, random);
    let (settings, memory) = (app.settings(), &app.memory);
    let ctx = RequestContext {
        app,
        head,
        request_id: &request_id,
        now,
        random,
        log: &log,
        db: &CountedDatabase { inner: &*app.db, log: &log },
        limiter: &CountedLimiter { inner: &*app.limiter, log: &log },
        upstream: Client { settings, http: &http, now, clock, random, memory },
    };
    let mut response = respond(&ctx, body).await;
    reply::set(&mut response, X_REQUEST_ID, request_id.as_str());
    let record = log.close(response.status().as_u16());
    Answered { response, record }
}

/// The response to a request whose URL or headers cannot be parsed.
pub fn unreadable() -> Response {
    RefusedRequest::Unreadable.into_response(None)
}

/// The response to any request while no route is served: a page for a person, JSON that says which it is for a program.
pub fn unavailable(head: &Request<()>, reason: Unavailable, links: &Links) -> Response {
    let is_admin_page = Route::find(head.uri().path()) == Some(Route::AdminPage);
    if is_admin_page || endpoint_page::is_opened_by_a_person(head) {
        page_error::unavailable_page(reason, links)
    } else {
        RefusedRequest::Unavailable(reason).into_response(None)
    }
}

/// Buffers the usage event of a response, because no client should wait for it. Returns the delay after which the caller must pass
/// the buffered events to [`count`]. `now` is in milliseconds since the Unix epoch.
pub fn gather(response: &mut Response, usage: &UsageBuffer, now: u64) -> Option<Duration> {
    usage.add(response.extensions_mut().remove()?, now)
}

pub async fn count(db: &dyn Database, events: &[UsageEvent], log: &dyn Fn(&str)) {
    if let Err(error) = usage::count(db, events).await {
        log(&format!("{} calls are not counted: {error}", events.len()));
    }
}

async fn respond(ctx: &RequestContext<'_>, body: &dyn RequestBody) -> Response {
    let (head, is_enabled) = (ctx.head, ctx.app.config.is_enabled);
    let path = head.uri().path();
    if !is_enabled {
        return unavailable(head, Unavailable::Disabled, &ctx.app.config.links);
    }
    let Some(route) = Route::find(path) else {
        return if endpoint_page::is_opened_by_a_person(head) {
            page_error::admin_page(ctx, &PageError::NotFound)
        } else {
            RefusedRequest::not_found(ctx).into_response(None)
        };
    };
    ctx.log.set_route(route.path(), route.area());
    let is_for_programs = route.audience() == Audience::Programs;
    let mut response = if is_for_programs && head.method() == Method::OPTIONS {
        reply::preflight(route.methods())
    } else if route == Route::Mcp {
        // Checks the token before the method: a client that probes by GET must get the challenge.
        mcp::post(ctx, body).await
    } else if !route.methods().contains(head.method()) {
        RefusedRequest::method(route).into_response(Some(route))
    } else if let Some(refusal) = fetch_metadata::refuse(ctx, route) {
        refusal
    } else {
        match body::receive(ctx, route, body).await {
            Ok(body) => dispatch(ctx, route, &body).await,
            Err(error) => body::refuse(ctx, route, error),
        }
    };
    if is_for_programs {
        reply::allow_any_origin(&mut response);
    }
    if head.method() == Method::HEAD { browser::without_body(response) } else { response }
}

async fn dispatch(ctx: &RequestContext<'_>, route: Route, body: &Bytes) -> Response {
    let is_post = ctx.head.method() == Method::POST;
    match route {
        Route::Home => endpoint_page::render(ctx),
        Route::Favicon
        | Route::LightIcon
        | Route::DarkIcon
        | Route::Robots
        | Route::Llms
        | Route::SecurityText
        | Route::OpenaiChallenge => public_files::get(ctx, route),
        Route::ProtectedResource => metadata::protected_resource(ctx),
        Route::AuthorizationServer => metadata::authorization_server(ctx),
        Route::AssertionKeys => metadata::assertion_keys(ctx).await,
        Route::Authorize => connecting(ctx, authorize::get(ctx).await),
        Route::SignedIn => connecting(ctx, sign_in::get(ctx).await),
        Route::Consent if is_post => connecting(ctx, consent::post(ctx, body).await),
        Route::Consent => connecting(ctx, consent::get(ctx).await),
        Route::Token => token::post(ctx, body).await,
        Route::Revoke => revoke::post(ctx, body).await,
        Route::Register => register::post(ctx, body).await,
        // Handled in `respond`: its token is checked before its body is read.
        Route::Mcp => RefusedRequest::not_found(ctx).into_response(None),
        Route::Health => health::get(ctx).await,
        Route::RefusedClients => refused_clients::get(ctx).await,
        Route::AdminPage => admin::or_error_page(ctx, admin::index::show(ctx).await).await,
        Route::AdminConnection => admin::or_error_page(ctx, admin::connection::show(ctx).await).await,
        Route::AdminBlocks => admin::or_error_page(ctx, admin::blocked::show(ctx).await).await,
        Route::AdminActivity => admin::or_error_page(ctx, admin::activity::show(ctx).await).await,
        Route::AdminActivityExport => admin::or_error_page(ctx, admin::activity::export::download(ctx).await).await,
        Route::AdminSignIn => admin::or_error_page(ctx, admin::sign_in::start(ctx).await).await,
        Route::AdminSignedIn => admin::or_error_page(ctx, admin::sign_in::finish(ctx).await).await,
        Route::AdminAction if is_post => admin::or_error_page(ctx, admin::actions::perform(ctx, body).await).await,
        Route::AdminAction => admin::or_error_page(ctx, admin::actions::confirm(ctx).await).await,
        Route::AdminNarrow if is_post => admin::or_error_page(ctx, admin::narrow::perform(ctx, body).await).await,
        Route::AdminNarrow => admin::or_error_page(ctx, admin::narrow::show(ctx).await).await,
        Route::AdminSignOut => admin::or_error_page(ctx, admin::sign_in::sign_out(ctx, body).await).await,
        Route::AdminApiSetup
        | Route::AdminApiConnections
        | Route::AdminApiConnection
        | Route::AdminApiBlocks
        | Route::AdminApiActivity => admin::api::get(ctx, route).await,
    }
}

fn connecting(ctx: &RequestContext<'_>, answer: Result<Response, PageError>) -> Response {
    answer.unwrap_or_else(|error| page_error::connecting_page(ctx, &error))
}
