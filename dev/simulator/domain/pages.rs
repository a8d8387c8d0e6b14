//! A status page: its identity, its vocabulary of statuses and stages, and how it stands.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::caller::people::PERMISSIONS;
use super::super::dispatch::Call;
use super::super::wire::body::Query;
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::hierarchy::{self, Item, Level};
use super::maintenances::State as MaintenanceState;

/// The page that a host without a known prefix stands for.
const DEFAULT_PAGE: u64 = 42;

/// A status page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Numeric id.
    pub id: u64,
    /// The owner's id.
    pub organization_id: u64,
    /// The owner's name.
    pub organization_name: &'static str,
    /// Name.
    pub name: &'static str,
    /// URL prefix; `<slug>.localhost` reaches the page.
    pub slug: &'static str,
    /// Where customers read it.
    pub public_url: &'static str,
    /// Time zone of the page.
    pub time_zone: &'static str,
    /// `public` or `private`.
    pub visibility: &'static str,
    /// Whether the page keeps audit logs.
    pub audit_logs_enabled: bool,
    /// When its configuration last changed.
    pub configured_at: i64,
    /// Status definitions, least severe first.
    pub statuses: Vec<StatusDefinition>,
    /// Incident stages, in order.
    pub stages: Vec<Stage>,
    /// Maintenance stages, in order.
    pub maintenance_stages: Vec<Stage>,
    /// Hierarchy levels, top first.
    pub levels: Vec<Level>,
    /// Hierarchy items, parents before children.
    pub items: Vec<Item>,
    /// How busy the page is; scales its analytics.
    pub daily_views: u64,
}

/// A status that items and incidents may have.
#[derive(Clone, Copy, Debug)]
pub struct StatusDefinition {
    /// Key; never changes.
    pub key: &'static str,
    /// Display name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Icon.
    pub icon: &'static str,
    /// Color.
    pub color: &'static str,
    /// The healthy baseline; exactly one definition is.
    pub operational: bool,
    /// Kept for history, not for new incidents.
    pub archived: bool,
}

/// A stage of an incident or a maintenance.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Numeric id.
    pub id: u64,
    /// Name.
    pub name: &'static str,
    /// What it means.
    pub description: &'static str,
    /// Color.
    pub color: &'static str,
}

impl Page {
    /// A status by key, with its rank of severity.
    pub fn find_status(&self, key: &str) -> Option<(usize, &StatusDefinition)> {
        self.statuses.iter().enumerate().find(|(_, status)| status.key == key)
    }

    /// The reference to an incident stage.
    pub fn stage_reference(&self, id: u64) -> Value {
        stage_reference(&self.stages, id)
    }

    /// The reference to a maintenance stage.
    pub fn maintenance_stage_reference(&self, id: u64) -> Value {
        stage_reference(&self.maintenance_stages, id)
    }
}

fn stage_reference(stages: &[Stage], id: u64) -> Value {
    match stages.iter().position(|stage| stage.id == id) {
        Some(index) => json!({ "id": id, "name": stages[index].name, "position": index + 1 }),
        None => Value::Null,
    }
}

/// Stage names with their ids, for refusals that say what is allowed.
pub fn name_stages(stages: &[Stage]) -> String {
    stages.iter().map(|stage| format!("{} ({})", stage.name, stage.id)).collect::<Vec<_>>().join(", ")
}

/// The page a request's host stands for.
pub fn by_host(world: &World, request: &Request<Bytes>) -> Result<u64, Refusal> {
    let header = request.headers().get("host").and_then(|value| value.to_str().ok());
    let host = header.or_else(|| request.uri().host()).unwrap_or("");
    let prefix = host.split(':').next().and_then(|name| name.strip_suffix(".localhost"));
    match prefix {
        None => Ok(DEFAULT_PAGE),
        Some(prefix) => {
            let page = world.pages.values().find(|page| page.slug == prefix);
            page.map(|page| page.id).ok_or_else(|| Refusal::not_found("page"))
        }
    }
}

/// The page of a call. Dispatch has seen that it is there.
pub fn of(world: &World, page_id: u64) -> Result<&Page, Refusal> {
    world.pages.get(&page_id).ok_or_else(|| Refusal::not_found("page"))
}

/// `GET /api/v1/context`
pub fn context(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let page = of(world, call.page_id)?;
    let mut shown = json!({
        "organization": { "id": page.organization_id, "name": page.organization_name },
        "page": identity(page),
    });
    if let Caller::Token(token) = &call.caller {
        let reach: Vec<&str> = PERMISSIONS.into_iter().filter(|permission| token.allows(permission)).collect();
        shown["credential"] = json!({
            "name": token.name,
            "permission": token.permission,
            "role_key": token.role_key,
            "permissions": reach,
        });
    }
    Ok(reply::ok(&shown))
}

/// `GET /api/v1/settings`, for anybody.
pub fn settings(world: &World, page_id: u64) -> Handled {
    let page = of(world, page_id)?;
    if page.visibility != "public" {
        return Err(Refusal::not_found("page"));
    }
    Ok(reply::ok(&identity(page)))
}

/// `GET summary`
pub fn summary(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let page = of(world, call.page_id)?;
    let standing = hierarchy::standing(world, page);
    let worst = page.items.iter().filter_map(|item| standing.rank(item.id)).max().unwrap_or(0);
    let incidents = world.incidents.values().filter(|incident| incident.page_id == page.id);
    let maintenances = || world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    let in_state = |state| maintenances().filter(|maintenance| maintenance.state(page) == state).count();
    let changes = incidents.clone().map(|incident| incident.updated_at);
    let changes = changes.chain(maintenances().map(|maintenance| maintenance.updated_at));
    let status = &page.statuses[worst];
    let mut body = identity(page);
    body["overall_status"] = json!({ "key": status.key, "name": status.name, "operational": status.operational });
    body["counts"] = json!({
        "active_incidents": incidents.filter(|incident| incident.resolved_at.is_none()).count(),
        "active_maintenances": in_state(MaintenanceState::Active),
        "upcoming_maintenances": in_state(MaintenanceState::Upcoming),
    });
    body["updated_at"] = reply::time(changes.max().unwrap_or(page.configured_at));
    Ok(reply::ok(&body))
}

fn identity(page: &Page) -> Value {
    json!({
        "id": page.id,
        "name": page.name,
        "slug": page.slug,
        "public_url": page.public_url,
        "time_zone": page.time_zone,
        "visibility": page.visibility,
    })
}

/// `GET audit-settings`
pub fn audit_settings(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    Ok(reply::ok(&json!({ "audit_logs_enabled": of(world, call.page_id)?.audit_logs_enabled })))
}

/// `GET status-definitions`
pub fn status_definitions(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let statuses = of(world, call.page_id)?.statuses.iter().enumerate();
    let items = statuses.map(|(index, status)| {
        json!({
            "key": status.key,
            "name": status.name,
            "description": status.description,
            "icon": status.icon,
            "color": status.color,
            "operational": status.operational,
            "archived": status.archived,
            "position": index + 1,
        })
    });
    Ok(list_all(items.collect()))
}

/// `GET lifecycle-stages`
pub fn lifecycle_stages(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    Ok(list_all(stages(&of(world, call.page_id)?.stages)))
}

/// `GET maintenance-lifecycle-stages`
pub fn maintenance_lifecycle_stages(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    Ok(list_all(stages(&of(world, call.page_id)?.maintenance_stages)))
}

fn stages(stages: &[Stage]) -> Vec<Value> {
    let describe = |(index, stage): (usize, &Stage)| {
        json!({
            "id": stage.id,
            "name": stage.name,
            "description": stage.description,
            "color": stage.color,
            "position": index + 1,
        })
    };
    stages.iter().enumerate().map(describe).collect()
}

/// A list that is never cut: configuration is small.
pub fn list_all(items: Vec<Value>) -> Response<Bytes> {
    let total = items.len();
    reply::list(items, total)
}
