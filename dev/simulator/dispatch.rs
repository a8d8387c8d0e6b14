//! From a request to the noun that answers it: route, caller, page, permission, write limit, handler, audit.

use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};

use super::audit::AuditEntry;
use super::caller::access;
use super::caller::{self, Caller};
use super::domain::{analytics, beat_actions, beats, hierarchy, incidents, maintenances, pages, session};
use super::routes::{self, Address, Endpoint, Route};
use super::sign_in;
use super::wire::body;
use super::wire::reply::{Handled, Refusal};
use super::world::World;

/// A call that was let through to a page.
#[derive(Debug)]
pub struct Call<'a> {
    /// The request.
    pub request: &'a Request<Bytes>,
    /// The time, in unix seconds.
    pub now: i64,
    /// The page.
    pub page_id: u64,
    /// Who calls.
    pub caller: Caller,
}

/// Answers a request.
pub fn answer(world: &mut World, request: &Request<Bytes>, now: i64, request_id: &str) -> Response<Bytes> {
    world.advance(now);
    respond(world, request, now, request_id).unwrap_or_else(Refusal::into_response)
}

fn respond(world: &mut World, request: &Request<Bytes>, now: i64, request_id: &str) -> Handled {
    let route = routes::parse(request.uri().path())?;
    if request.body().len() > body::BODY_LIMIT {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "request body is larger than 1 MiB"));
    }
    let method = request.method().as_str();
    match (&route, method) {
        (Route::SignIn, "GET") => Ok(sign_in::show(world, request, now)),
        (Route::SignIn, "POST") => Ok(sign_in::choose(world, request, now)),
        (Route::SignIn, _) => Err(method_not_allowed("GET, POST")),
        (Route::SignInExchange, "POST") => sign_in::exchange::perform(world, request, now),
        (Route::SignInExchange, _) => Err(method_not_allowed("POST")),
        (Route::Page(address, endpoint), _) => page_call(world, request, now, (*address, endpoint, request_id)),
        (_, "GET") => session_call(world, request, now, &route),
        _ => Err(method_not_allowed("GET")),
    }
}

/// Calls without a page in the credential: the user's own, and the public ones.
fn session_call(world: &mut World, request: &Request<Bytes>, now: i64, route: &Route) -> Handled {
    match route {
        Route::Me | Route::MyPages => {
            body::Query::parse(request, &[])?;
            let caller = caller::establish(world, request, &access::SESSION, None, now)?;
            if *route == Route::Me { session::me(world, &caller) } else { session::pages(world, &caller) }
        }
        Route::PublicIncidents => incidents::public_list(world, request, pages::by_host(world, request)?),
        Route::PublicMaintenances => maintenances::public_list(world, request, pages::by_host(world, request)?),
        _ => pages::settings(world, pages::by_host(world, request)?),
    }
}

fn page_call(
    world: &mut World,
    request: &Request<Bytes>,
    now: i64,
    (address, endpoint, request_id): (Address, &Endpoint, &str),
) -> Handled {
    let found = access::find(endpoint, request.method().as_str());
    let mut access = found.ok_or_else(|| method_not_allowed(&access::allowed_methods(endpoint)))?;
    let page_id = match address {
        Address::Numbers { page, .. } => page,
        Address::Host => pages::by_host(world, request)?,
    };
    let bound_page = match address {
        Address::Numbers { .. } => Some(page_id),
        Address::Host => {
            access.scopes = None;
            None
        }
    };
    let caller = caller::establish(world, request, &access, bound_page, now)?;
    check_page(world, &caller, address, page_id, access.permission)?;
    let call = Call { request, now, page_id, caller };
    if !access.write {
        return perform(world, &call, endpoint);
    }
    let mut response = limited_write(world, &call, endpoint);
    world.limiter.describe(&mut response);
    audit(world, &call, request_id, response.status());
    Ok(response)
}

/// A page that is not there and a page that the caller has no role on give one and the same answer.
fn check_page(world: &World, caller: &Caller, address: Address, page_id: u64, permission: &str) -> Result<(), Refusal> {
    let page = world.pages.get(&page_id).ok_or_else(|| Refusal::not_found("page"))?;
    if matches!(address, Address::Numbers { organization, .. } if organization != page.organization_id) {
        return Err(Refusal::not_found("page"));
    }
    match caller.holds(world, page_id, permission) {
        None => Err(Refusal::not_found("page")),
        Some(false) => Err(Refusal::forbidden(format!("permission {permission} is required on this page"))),
        Some(true) => Ok(()),
    }
}

fn limited_write(world: &mut World, call: &Call, endpoint: &Endpoint) -> Response<Bytes> {
    let name = format!("{endpoint:?}");
    let route = format!("{} {}", call.request.method(), name.split('(').next().unwrap_or(&name));
    if let Err(wait) = world.limiter.take(&call.caller.principal(), &route, call.now) {
        return world.limiter.refusal(wait);
    }
    perform(world, call, endpoint).unwrap_or_else(Refusal::into_response)
}

fn perform(world: &mut World, call: &Call, endpoint: &Endpoint) -> Handled {
    match endpoint {
        Endpoint::Context => pages::context(world, call),
        Endpoint::Summary => pages::summary(world, call),
        Endpoint::AuditSettings => pages::audit_settings(world, call),
        Endpoint::StatusDefinitions => pages::status_definitions(world, call),
        Endpoint::LifecycleStages => pages::lifecycle_stages(world, call),
        Endpoint::MaintenanceLifecycleStages => pages::maintenance_lifecycle_stages(world, call),
        Endpoint::HierarchyLevels => hierarchy::levels(world, call),
        Endpoint::HierarchyItems => hierarchy::items(world, call),
        Endpoint::SubscribersSummary => analytics::subscribers(world, call),
        Endpoint::AnalyticsSummary => analytics::summary(world, call),
        Endpoint::Incidents
        | Endpoint::Incident(_)
        | Endpoint::IncidentUpdates(_)
        | Endpoint::IncidentUpdate(..)
        | Endpoint::IncidentAction(..) => incidents::perform(world, call, endpoint),
        Endpoint::Maintenances
        | Endpoint::Maintenance(_)
        | Endpoint::MaintenanceByExternalId(_)
        | Endpoint::MaintenanceUpdates(_)
        | Endpoint::MaintenanceUpdate(..)
        | Endpoint::MaintenanceAction(..) => maintenances::perform(world, call, endpoint),
        Endpoint::BeatActions => beat_actions::list(world, call),
        Endpoint::BeatDecision(id, decision) => beat_actions::decide(world, call, *id, decision),
        Endpoint::Beats
        | Endpoint::Beat(_)
        | Endpoint::BeatRun(_)
        | Endpoint::BeatEvents(_)
        | Endpoint::BeatRuns(_)
        | Endpoint::BeatFailures
        | Endpoint::BeatGroups => beats::perform(world, call, endpoint),
    }
}

fn audit(world: &mut World, call: &Call, request_id: &str, status: StatusCode) {
    let header = |name: &str| call.request.headers().get(name).and_then(|value| value.to_str().ok());
    let (source, user_id, client_id, grant_id) = match &call.caller {
        Caller::Token(_) => ("api_token", None, None, None),
        Caller::OnBehalf(person) => {
            ("hosted_mcp", Some(person.user_id), Some(person.client_id.clone()), Some(person.grant_id.clone()))
        }
    };
    world.audit.push(AuditEntry {
        at: call.now,
        source,
        user_id,
        client_id,
        grant_id,
        connection_id: header("x-statibeat-connection-id").map(str::to_owned),
        request_id: request_id.to_owned(),
        page_id: call.page_id,
        method: call.request.method().to_string(),
        path: call.request.uri().path().to_owned(),
        status: status.as_u16(),
    });
}

fn method_not_allowed(allowed: &str) -> Refusal {
    let mut refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    refusal.headers.push((HeaderName::from_static("allow"), allowed.to_owned()));
    refusal
}
