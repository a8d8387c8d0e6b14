//! The operations, with their paths, access requirements and handlers.
//!
//! Page operations have two paths: by organization and page id, and on the page's own host.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Extension, MatchedPath, RawPathParams};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::StatusCode;
use tower::Layer as _;

use crate::call::{self, PageHandler, ReceivedRequest};
use crate::caller::{AccessRequirement, scopes};
use crate::domain::incidents::{self, Incident};
use crate::domain::maintenances::{self, Maintenance};
use crate::domain::{analytics, beat_actions, beats, changes, evidence, hierarchy, notices, pages, session};
use crate::reply::ApiError;
use crate::sign_in;
use crate::switches::control;
use crate::world::{Shared, World, lock};

type Operation = MethodRouter;

/// Shared by all simulators; each request carries its simulator's state.
pub static ROUTER: LazyLock<Router> = LazyLock::new(router);

fn router() -> Router {
    let api = Router::new()
        .route("/connector/sign-in", without_page(MethodFilter::GET, sign_in::show))
        .route("/connector/sign-in", without_page(MethodFilter::POST, sign_in::choose))
        .route("/api/v1/connector/sign-in/exchange", without_page(MethodFilter::POST, sign_in::exchange::perform))
        .route("/api/v1/me", without_page(MethodFilter::GET, session::me))
        .route("/api/v1/me/pages", without_page(MethodFilter::GET, session::pages))
        .route("/api/v1/settings", without_page(MethodFilter::GET, pages::settings))
        .route("/api/v1/incidents", without_page(MethodFilter::GET, notices::public_list::<Incident>))
        .route("/api/v1/maintenances", without_page(MethodFilter::GET, notices::public_list::<Maintenance>))
        .route("/api/v1/context", closed("page.read", pages::context))
        .nest("/api/v1/orgs/{organization}/pages/{page}/admin", page_operations())
        .nest("/api/v1/admin", page_operations())
        .fallback(async || ApiError::not_found("route"))
        .method_not_allowed_fallback(async || {
            ApiError(StatusCode::METHOD_NOT_ALLOWED, "method not allowed".to_owned())
        });
    // Outermost layer, so that it sees responses of axum itself, and whole paths.
    let api = from_fn(call::observe).layer(api);
    Router::new().nest("/__simulator", control::router()).fallback_service(api)
}

fn page_operations() -> Router {
    let pages_read = &["mcp.pages.read"];
    Router::new()
        .route("/summary", read("page.read", pages_read, pages::summary))
        .route("/status-definitions", read("status_definitions.read", scopes::PAGE_METADATA, pages::status_definitions))
        .route("/lifecycle-stages", read("lifecycle_stages.read", scopes::PAGE_METADATA, pages::stages::<Incident>))
        .route(
            "/maintenance-lifecycle-stages",
            read("maintenance_lifecycle_stages.read", scopes::PAGE_METADATA, pages::stages::<Maintenance>),
        )
        .route("/hierarchy/levels", read("hierarchy.read", pages_read, hierarchy::levels))
        .route("/hierarchy/items", read("hierarchy.read", scopes::PAGE_METADATA, hierarchy::items))
        .route("/subscribers/summary", read("analytics.read", scopes::SUBSCRIBERS, analytics::subscribers))
        .route("/analytics/summary", read("analytics.read", &["mcp.analytics.read"], analytics::summary))
        .merge(incident_operations("/incidents/{id}", true))
        .merge(incident_operations("/incidents/external/{external_id}", false))
        .merge(maintenance_operations())
        .merge(beat_operations())
}

/// Operations of incidents, by id or by the creator's external id.
fn incident_operations(one: &str, by_number: bool) -> Router {
    let read_scopes = &["mcp.incidents.read", "mcp.incidents.write"];
    let reads = |answer| read("incidents.read", read_scopes, answer);
    let manage = |method, answer| token_write("incidents.manage", method, answer);
    let hosted = |answer| write("incidents.manage", &["mcp.incidents.write"], &["mcp.incidents.read"], answer);
    // The connector writes to incidents by number only, so an update cannot follow an id somebody else chose.
    let updates = if by_number {
        hosted(changes::add_update::<Incident>)
    } else {
        manage(MethodFilter::POST, changes::add_update::<Incident>)
    };
    let router = Router::new()
        .route(
            one,
            reads(notices::show::<Incident>)
                .merge(manage(MethodFilter::PATCH, changes::edit::<Incident>))
                .merge(manage(MethodFilter::DELETE, changes::delete::<Incident>)),
        )
        .route(
            &format!("{one}/updates"),
            read("incidents.read", &["mcp.incidents.read"], notices::list_updates::<Incident>).merge(updates),
        )
        .route(&format!("{one}/updates/external/{{update_external_id}}"), reads(notices::show_update::<Incident>))
        .route(&format!("{one}/acknowledge"), manage(MethodFilter::POST, incidents::acknowledge))
        .route(&format!("{one}/resolve"), manage(MethodFilter::POST, incidents::resolve))
        .route(&format!("{one}/reopen"), manage(MethodFilter::POST, incidents::reopen));
    if by_number {
        router.route("/incidents", reads(notices::list::<Incident>).merge(hosted(changes::create::<Incident>)))
    } else {
        router
    }
}

fn maintenance_operations() -> Router {
    let read_scopes = &["mcp.maintenances.read", "mcp.maintenances.write"];
    let reads = |answer| read("maintenances.read", read_scopes, answer);
    let manage = |method, answer| token_write("maintenances.manage", method, answer);
    let hosted = |answer| write("maintenances.manage", &["mcp.maintenances.write"], &["mcp.maintenances.read"], answer);
    let one = "/maintenances/{id}";
    Router::new()
        .route("/maintenances", reads(notices::list::<Maintenance>).merge(hosted(changes::create::<Maintenance>)))
        .route("/maintenances/external/{external_id}", reads(notices::show::<Maintenance>))
        .route(
            one,
            reads(notices::show::<Maintenance>)
                .merge(manage(MethodFilter::PATCH, changes::edit::<Maintenance>))
                .merge(manage(MethodFilter::DELETE, changes::delete::<Maintenance>)),
        )
        .route(
            &format!("{one}/updates"),
            read("maintenances.read", &["mcp.maintenances.read"], notices::list_updates::<Maintenance>)
                .merge(hosted(changes::add_update::<Maintenance>)),
        )
        .route(&format!("{one}/updates/external/{{update_external_id}}"), reads(notices::show_update::<Maintenance>))
        .route(&format!("{one}/complete"), manage(MethodFilter::POST, maintenances::complete))
        .route(&format!("{one}/cancel"), manage(MethodFilter::POST, maintenances::cancel))
}

fn beat_operations() -> Router {
    let reads = |answer| read("synthetic_monitors.read", &["mcp.beats.read"], answer);
    let manage = |answer| token_write("synthetic_monitors.manage", MethodFilter::POST, answer);
    Router::new()
        .route("/beat-groups", reads(beats::list_groups))
        .route("/beats", reads(beats::list))
        .route("/beats/failures", reads(evidence::list_failures))
        .route("/beats/actions", read("synthetic_monitors.manage", &["mcp.beats.read"], beat_actions::list))
        .route("/beats/actions/{id}/approve", manage(beat_actions::approve))
        .route("/beats/actions/{id}/reject", manage(beat_actions::reject))
        .route("/beats/{id}", reads(beats::show))
        .route("/beats/{id}/run", manage(beats::run))
        .route("/beats/{id}/events", reads(evidence::list_events))
        .route("/beats/{id}/runs", reads(evidence::list_runs))
}

fn without_page<R: IntoResponse + 'static>(
    method: MethodFilter,
    answer: fn(&mut World, &ReceivedRequest) -> R,
) -> Operation {
    on(
        method,
        async move |Extension(shared): Extension<Shared>, Extension(received): Extension<Arc<ReceivedRequest>>| {
            answer(&mut lock(&shared), &received)
        },
    )
}

/// An operation that the connector may call with one of these scopes.
fn read(permission: &'static str, scopes: &'static [&'static str], answer: PageHandler) -> Operation {
    on_page(
        MethodFilter::GET,
        AccessRequirement { permission, scopes: Some(scopes), dry_run_scopes: &[], write: false },
        answer,
    )
}

/// A read that only API tokens may call.
fn closed(permission: &'static str, answer: PageHandler) -> Operation {
    on_page(
        MethodFilter::GET,
        AccessRequirement { permission, scopes: None, dry_run_scopes: &[], write: false },
        answer,
    )
}

/// One of the connector's four writes. A `dry_run` publishes nothing, so a read scope suffices for it.
fn write(
    permission: &'static str,
    scopes: &'static [&'static str],
    dry_run_scopes: &'static [&'static str],
    answer: PageHandler,
) -> Operation {
    let access = AccessRequirement { permission, scopes: Some(scopes), dry_run_scopes, write: true };
    on_page(MethodFilter::POST, access, answer)
}

/// A write that only API tokens may call.
fn token_write(permission: &'static str, method: MethodFilter, answer: PageHandler) -> Operation {
    on_page(method, AccessRequirement { permission, scopes: None, dry_run_scopes: &[], write: true }, answer)
}

fn on_page(method: MethodFilter, access: AccessRequirement, answer: PageHandler) -> Operation {
    on(
        method,
        async move |Extension(shared): Extension<Shared>,
                    Extension(received): Extension<Arc<ReceivedRequest>>,
                    path: RawPathParams,
                    matched: MatchedPath| {
            let world = &mut *lock(&shared);
            let admitted = call::admit(world, received, &path, access);
            admitted.map(|call| call::perform(world, &call, &matched, access.write, answer))
        },
    )
}
