//! A status page: its settings, status definitions and stages, and its summary.

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::{Value, json};

use super::hierarchy::{self, Item, Level};
use super::maintenances::Maintenance;
use super::notices::{NoticeKind, State};
use crate::call::{PageCall, ReceivedRequest};
use crate::caller::Caller;
use crate::caller::people::PERMISSIONS;
use crate::reply::{self, ApiError, Handled, time, with};
use crate::world::World;

/// The page that a host without a known prefix stands for.
const DEFAULT_PAGE: u64 = 42;

pub struct Page {
    pub id: u64,
    pub organization_id: u64,
    pub organization_name: &'static str,
    pub name: &'static str,
    /// URL prefix; `<slug>.localhost` reaches the page.
    pub slug: &'static str,
    pub public_url: &'static str,
    pub time_zone: &'static str,
    /// `public` or `private`.
    pub visibility: &'static str,
    pub audit_logs_enabled: bool,
    /// When its configuration last changed.
    pub configured_at: i64,
    /// In order of severity, least severe first.
    pub statuses: Vec<StatusDefinition>,
    pub stages: Vec<Stage>,
    pub maintenance_stages: Vec<Stage>,
    /// In order of depth, top level first.
    pub levels: Vec<Level>,
    /// In an order that puts parents before their children.
    pub items: Vec<Item>,
    /// Traffic of the page; scales its analytics.
    pub daily_views: u64,
}

/// A status that items and incidents may have.
#[derive(Serialize)]
pub struct StatusDefinition {
    pub key: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub icon: &'static str,
    pub color: &'static str,
    /// The healthy baseline; exactly one definition is.
    pub operational: bool,
    /// Kept for history, not for new incidents.
    pub archived: bool,
}

/// A stage of an incident or a maintenance.
#[derive(Serialize)]
pub struct Stage {
    pub id: u64,
    pub name: &'static str,
    pub description: &'static str,
    pub color: &'static str,
}

impl Page {
    /// A status by key, with its rank of severity.
    pub fn find_status(&self, key: &str) -> Option<(usize, &StatusDefinition)> {
        self.statuses.iter().enumerate().find(|(_, status)| status.key == key)
    }
}

/// Refuses a status that is unknown or archived.
pub fn check_status(page: &Page, key: &str) -> Result<(), ApiError> {
    let usable = page.statuses.iter().filter(|status| !status.archived).map(|status| status.key);
    let usable: Vec<&str> = usable.collect();
    if usable.contains(&key) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("status must be one of: {}", usable.join(", "))))
}

pub fn stage_reference(stages: &[Stage], id: u64) -> Value {
    let found = (1..).zip(stages).find(|(_, stage)| stage.id == id);
    found.map_or(Value::Null, |(position, stage)| json!({ "id": id, "name": stage.name, "position": position }))
}

/// Stage names with their ids, for refusals that say what is allowed.
pub fn name_stages(stages: &[Stage]) -> String {
    stages.iter().map(|stage| format!("{} ({})", stage.name, stage.id)).collect::<Vec<_>>().join(", ")
}

/// The page that a request's host stands for.
pub fn find_by_host(world: &World, request: &Request<Bytes>) -> Result<u64, ApiError> {
    let header = request.headers().get("host").and_then(|value| value.to_str().ok());
    let host = header.or_else(|| request.uri().host()).unwrap_or("");
    let Some(prefix) = host.split(':').next().and_then(|name| name.strip_suffix(".localhost")) else {
        return Ok(DEFAULT_PAGE);
    };
    let page = world.pages.values().find(|page| page.slug == prefix);
    page.map(|page| page.id).ok_or_else(|| ApiError::not_found("page"))
}

/// To the public, a private page does not exist.
pub fn check_public(page: &Page) -> Result<(), ApiError> {
    if page.visibility == "public" { Ok(()) } else { Err(ApiError::not_found("page")) }
}

/// `GET /api/v1/context`
pub fn context(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let page = world.page(call.page_id);
    let mut shown = json!({
        "organization": { "id": page.organization_id, "name": page.organization_name },
        "page": identity(&page),
    });
    if let Caller::Token(token) = &call.caller {
        let permissions: Vec<&str> = PERMISSIONS.into_iter().filter(|permission| token.allows(permission)).collect();
        shown["credential"] = json!({
            "name": token.name,
            "permission": token.permission,
            "role_key": token.role_key,
            "permissions": permissions,
        });
    }
    Ok(reply::ok(&shown))
}

/// `GET /api/v1/settings`, for anybody.
pub fn settings(world: &mut World, received: &ReceivedRequest) -> Handled {
    let page = world.page(find_by_host(world, &received.request)?);
    check_public(&page)?;
    Ok(reply::ok(&identity(&page)))
}

/// `GET summary`
pub fn summary(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let page = world.page(call.page_id);
    let status = &page.statuses[hierarchy::condition(world, &page).worst()];
    let incidents = || world.incidents.values().filter(|incident| incident.page_id == page.id);
    let maintenances = || world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    let in_state = |state| maintenances().filter(|maintenance| Maintenance::state(maintenance, &page) == state).count();
    let changes = incidents().map(|incident| incident.updated_at);
    let changed_at = changes.chain(maintenances().map(|maintenance| maintenance.updated_at)).max();
    let fields = json!({
        "overall_status": { "key": status.key, "name": status.name, "operational": status.operational },
        "counts": {
            "active_incidents": incidents().filter(|incident| incident.own.is_open()).count(),
            "active_maintenances": in_state(State::Active),
            "upcoming_maintenances": in_state(State::Upcoming),
        },
        "updated_at": time(changed_at.unwrap_or(page.configured_at)),
    });
    Ok(reply::ok(&with(identity(&page), fields)))
}

/// The fields of a page that every caller sees.
pub fn identity(page: &Page) -> Value {
    json!({
        "id": page.id,
        "name": page.name,
        "slug": page.slug,
        "public_url": page.public_url,
        "time_zone": page.time_zone,
        "visibility": page.visibility,
    })
}

/// `GET status-definitions`
pub fn status_definitions(world: &mut World, call: &PageCall) -> Handled {
    list_in_order(call, &world.page(call.page_id).statuses)
}

/// `GET lifecycle-stages`, `GET maintenance-lifecycle-stages`
pub fn stages<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    list_in_order(call, K::stages(&world.page(call.page_id)))
}

fn list_in_order(call: &PageCall, entries: &[impl Serialize]) -> Handled {
    call.no_query()?;
    Ok(reply::list_all((1..).zip(entries).map(|(position, entry)| with(json!(entry), json!({ "position": position })))))
}
