//! The switches of the running simulator, under `/__simulator/`: faults, recorded requests, users, the clock; and the
//! assertions that StatiBeat's back end would sign for its own admin interface. Not part of the contract.

use axum::Router;
use axum::extract::{Extension, Path, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::faults::Fault;
use crate::call::{JsonBody, Now};
use crate::reply::{self, ApiError};
use crate::sign_in::signing;
use crate::world::{Shared, lock};

const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;

pub fn router() -> Router {
    Router::new()
        .route("/health", get(async || reply::ok(&json!({ "status": "ok" }))))
        .route(
            "/faults",
            post(async |Extension(shared): Extension<Shared>, JsonBody(fault): JsonBody<Fault>| {
                lock(&shared).faults.plan(fault);
                NO_CONTENT
            })
            .delete(async |Extension(shared): Extension<Shared>| {
                lock(&shared).faults.clear();
                NO_CONTENT
            }),
        )
        .route(
            "/release",
            post(async |Extension(shared): Extension<Shared>| {
                lock(&shared).faults.release();
                NO_CONTENT
            }),
        )
        .route(
            "/requests",
            get(async |Extension(shared): Extension<Shared>| list(&lock(&shared).requests)).delete(
                async |Extension(shared): Extension<Shared>| {
                    lock(&shared).requests.clear();
                    NO_CONTENT
                },
            ),
        )
        .route("/audit", get(async |Extension(shared): Extension<Shared>| list(&lock(&shared).audit)))
        .route(
            "/clock",
            post(async |Extension(shared): Extension<Shared>, JsonBody(clock): JsonBody<Clock>| {
                lock(&shared).ahead_seconds = clock.ahead_seconds;
                NO_CONTENT
            }),
        )
        .route("/admin-assertions", post(sign_admin_assertion))
        .route("/users/{id}", post(change_user))
        .fallback(async || ApiError(StatusCode::NOT_FOUND, "no such switch".to_owned()))
        .layer(from_fn(refuse_browsers))
}

/// The switches change what everybody sees, so a page in a browser may not reach them: a request that carries an `Origin`
/// or a host other than loopback is refused.
async fn refuse_browsers(request: Request, next: Next) -> Response {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().host()).unwrap_or("127.0.0.1");
    let is_loopback = matches!(host.split(':').next(), Some("127.0.0.1" | "localhost"));
    if request.headers().contains_key("origin") || !is_loopback {
        return ApiError::forbidden("the simulator's switches are for programs on this machine").into_response();
    }
    next.run(request).await
}

fn list<'a>(entries: impl IntoIterator<Item = &'a (impl Serialize + 'a)>) -> Response {
    reply::list_all(entries.into_iter().map(|entry| json!(entry)))
}

/// Seconds by which the simulator's clock is ahead of the machine's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    ahead_seconds: i64,
}

/// The person and the request to the connector's admin API that an assertion is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminAssertion {
    user_id: u64,
    path: String,
}

async fn sign_admin_assertion(
    Extension(shared): Extension<Shared>,
    Extension(Now(now)): Extension<Now>,
    JsonBody(wanted): JsonBody<AdminAssertion>,
) -> Result<Response, ApiError> {
    let world = &mut *lock(&shared);
    let now = now + world.ahead_seconds;
    let assertion = signing::admin_assertion(world, wanted.user_id, &wanted.path, now).map_err(ApiError::invalid)?;
    Ok(reply::ok(&json!({ "assertion": assertion })))
}

/// Changes to a user; `role_key: null` with a page takes the role away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    disabled: Option<bool>,
    page_id: Option<u64>,
    role_key: Option<String>,
}

async fn change_user(
    Extension(shared): Extension<Shared>,
    Path(id): Path<u64>,
    JsonBody(change): JsonBody<UserChange>,
) -> Result<StatusCode, ApiError> {
    let world = &mut *lock(&shared);
    if let Some(disabled) = change.disabled {
        world.people.set_disabled(id, disabled).map_err(ApiError::invalid)?;
    }
    match (change.page_id, change.role_key) {
        (Some(page_id), role_key) => world.set_role(id, page_id, role_key.as_deref()).map_err(ApiError::invalid)?,
        (None, None) => {}
        (None, Some(_)) => return Err(ApiError::invalid("role_key needs the page_id of a page")),
    }
    Ok(NO_CONTENT)
}
