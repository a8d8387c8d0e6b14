//! The health route: liveness for everybody, readiness for operators.
//!
//! A connector that is switched off answers 404 here as everywhere. No answer names a version, a host or a reason; reasons go to
//! the log. Names of variables whose bad value was replaced are public, and so is every name in wrangler.toml.

use super::context::RequestContext;
use super::reply::{self, Response};
use crate::ports::RateLimit;
use crate::storage;
use futures_util::future;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use std::time::Duration;

/// Carries the operators' secret. Not `Authorization`, which carries tokens of people.
const HEALTH_TOKEN: HeaderName = HeaderName::from_static("x-health-token");

/// The counter that readiness reads; nothing is ever taken from it.
const COUNTER: (&str, RateLimit) = ("health", RateLimit { name: "health", count: 1, window: Duration::from_mins(1) });

/// Liveness without the header; readiness with the right secret in it. A wrong one is refused, so that a monitor whose
/// secret is out of date does not take liveness for readiness.
pub(super) async fn get(ctx: &RequestContext<'_>) -> Response {
    if !ctx.head.headers().contains_key(HEALTH_TOKEN) {
        return reply::json(StatusCode::OK, &json!({"status": "alive"}));
    }
    if is_operator(ctx) { readiness(ctx).await } else { refuse() }
}

/// True if the request carries the operators' secret.
pub(super) fn is_operator(ctx: &RequestContext<'_>) -> bool {
    let presented = ctx.head.headers().get(HEALTH_TOKEN);
    let is_right =
        |token: &HeaderValue| ctx.app.config.health_token.as_ref().is_some_and(|ours| ours.is(token.as_bytes()));
    presented.is_some_and(is_right)
}

pub(super) fn refuse() -> Response {
    reply::json(StatusCode::FORBIDDEN, &json!({"error": "the health token is not right"}))
}

/// Checks database, counters and StatiBeat in parallel; each has its timeout. StatiBeat is asked at most every five seconds, unless the request
/// says `Cache-Control: no-cache` (RFC 9111 5.2.1.4).
async fn readiness(ctx: &RequestContext<'_>) -> Response {
    let cache_control = ctx.head.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let must_be_new = cache_control.is_some_and(|value| value.eq_ignore_ascii_case("no-cache"));
    let upstream = ctx.upstream.check_health(must_be_new);
    let (database, counters, upstream) =
        future::join3(storage::check_readiness(ctx.db), look_at_a_counter(ctx), upstream).await;
    let parts =
        [("database", database.map_err(|error| error.to_string())), ("counters", counters), ("upstream", upstream)];
    let is_ready = parts.iter().all(|(_, outcome)| outcome.is_ok());
    let mut body = json!({"status": if is_ready { "ready" } else { "not ready" }});
    for (name, outcome) in parts {
        body[name] = json!(if outcome.is_ok() { "ok" } else { "failed" });
        if let Err(reason) = outcome {
            ctx.log.note(&format!("health: {name}: {reason}"));
        }
    }
    let misconfigured = ctx.app.config.misconfigured_variables();
    if !misconfigured.is_empty() {
        body["misconfigured"] = json!(misconfigured);
    }
    reply::json(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

async fn look_at_a_counter(ctx: &RequestContext<'_>) -> Result<(), String> {
    let (name, limit) = COUNTER;
    ctx.limiter.remaining(name, limit, ctx.now).await.map(drop).map_err(|error| error.to_string())
}
