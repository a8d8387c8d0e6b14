//! The switches of the running simulator, under `/__simulator/`: faults, recorded requests, users, the clock; and the
//! assertions that StatiBeat's back end would sign for its own admin interface. Not part of the contract. They change what everybody sees, so a page in a browser may not reach them: a request that carries an
//! `Origin` or a host other than loopback is refused.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::sign_in::admin_assertion;
use super::super::wire::body;
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::faults::{Fault, RecordedRequest};

/// Where the switches are.
const PREFIX: &str = "/__simulator/";

/// Whether a request is for a switch.
pub fn is_control(request: &Request<Bytes>) -> bool {
    request.uri().path().starts_with(PREFIX)
}

/// Answers a switch.
pub fn answer(world: &mut World, request: &Request<Bytes>, now: i64) -> Response<Bytes> {
    perform(world, request, now).unwrap_or_else(Refusal::into_response)
}

fn perform(world: &mut World, request: &Request<Bytes>, now: i64) -> Handled {
    if request.headers().contains_key("origin") || !is_loopback(request) {
        return Err(Refusal::forbidden("the simulator's switches are for programs on this machine"));
    }
    let name = request.uri().path().strip_prefix(PREFIX).unwrap_or("");
    match (request.method().as_str(), name) {
        ("GET", "health") => Ok(reply::ok(&json!({ "status": "ok" }))),
        ("POST", "faults") => {
            world.faults.plan(body::json::<Fault>(request)?);
            Ok(reply::no_content())
        }
        ("DELETE", "faults") => {
            world.faults.clear();
            Ok(reply::no_content())
        }
        ("POST", "release") => {
            world.faults.release();
            Ok(reply::no_content())
        }
        ("GET", "requests") => {
            let items: Vec<Value> = world.requests.iter().map(show).collect();
            let total = items.len();
            Ok(reply::list(items, total))
        }
        ("DELETE", "requests") => {
            world.requests.clear();
            Ok(reply::no_content())
        }
        ("GET", "audit") => {
            let items: Vec<Value> = world.audit.iter().map(|entry| json!(entry)).collect();
            let total = items.len();
            Ok(reply::list(items, total))
        }
        ("POST", "clock") => {
            world.ahead_seconds = body::json::<Clock>(request)?.ahead_seconds;
            Ok(reply::no_content())
        }
        ("POST", "admin-assertions") => {
            let asked: AdminAssertion = body::json(request)?;
            let issued = admin_assertion::issue(world, asked.user_id, &asked.path, now).map_err(Refusal::invalid)?;
            Ok(reply::ok(&json!({ "assertion": issued })))
        }
        ("POST", name) if name.starts_with("users/") => change_user(world, request, &name["users/".len()..]),
        _ => Err(Refusal::new(StatusCode::NOT_FOUND, "no such switch")),
    }
}

/// How far the simulator's clock is ahead of the machine's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    ahead_seconds: i64,
}

/// For whom, and for which question of the connector's admin API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminAssertion {
    user_id: u64,
    path: String,
}

/// What may be changed about a user; `role_key: null` with a page takes the role away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserChange {
    #[serde(default)]
    disabled: Option<bool>,
    #[serde(default)]
    page_id: Option<u64>,
    #[serde(default)]
    role_key: Option<String>,
}

fn change_user(world: &mut World, request: &Request<Bytes>, id: &str) -> Handled {
    let id: u64 = id.parse().map_err(|_| Refusal::invalid("invalid ID parameter"))?;
    let change: UserChange = body::json(request)?;
    if let Some(disabled) = change.disabled {
        world.people.set_disabled(id, disabled).map_err(Refusal::invalid)?;
    }
    match (change.page_id, change.role_key) {
        (Some(page_id), role_key) if world.pages.contains_key(&page_id) => {
            world.people.set_role(id, page_id, role_key.as_deref()).map_err(Refusal::invalid)?;
        }
        (None, None) => {}
        _ => return Err(Refusal::invalid("role_key needs the page_id of a page")),
    }
    Ok(reply::no_content())
}

fn is_loopback(request: &Request<Bytes>) -> bool {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().host()).unwrap_or("127.0.0.1");
    matches!(host.split(':').next(), Some("127.0.0.1" | "localhost"))
}

fn show(request: &RecordedRequest) -> Value {
    json!({
        "method": request.method,
        "path": request.path,
        "headers": request.headers,
        "body": String::from_utf8_lossy(&request.body),
    })
}
