//! Maintenance windows: what they are, how they are read, and how time moves them through their stages.
//!
//! A stage means what its position says: the first is scheduled, the second in progress, the last but one completed,
//! the last cancelled. `maintenance_changes` holds what people may do to them.

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::routes::Endpoint;
use super::super::wire::body::Query;
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::pages::{self, Page};
use super::updates::{Author, Origin, Update};
use super::{affected, maintenance_changes, updates};

/// A maintenance.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Maintenance {
    /// Numeric id.
    pub id: u64,
    /// The page it is on.
    pub page_id: u64,
    /// The creator's id for it.
    pub external_id: Option<String>,
    /// The create request, to recognize its repetition.
    pub created_with: Option<String>,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// What customers will notice.
    pub impact: Option<String>,
    /// Stage.
    pub stage_id: u64,
    /// Ids of affected items.
    pub affected: Vec<u64>,
    /// Affected things in words.
    pub affected_freetext: Option<String>,
    /// Who scheduled it.
    pub author: Author,
    /// Planned start, in unix seconds.
    pub starts_at: i64,
    /// Planned end.
    pub ends_at: i64,
    /// Completion.
    pub completed_at: Option<i64>,
    /// Cancellation.
    pub cancelled_at: Option<i64>,
    /// Latest change.
    pub updated_at: i64,
    /// Timeline, oldest first.
    pub updates: Vec<Update>,
}

/// What the position of a maintenance's stage means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In the first stage.
    Upcoming,
    /// Between the first stage and the last two.
    Active,
    /// In the last stage but one.
    Completed,
    /// In the last stage.
    Cancelled,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Active => "active",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Maintenance {
    /// Where it stands.
    pub fn state(&self, page: &Page) -> State {
        let count = page.maintenance_stages.len();
        match page.maintenance_stages.iter().position(|stage| stage.id == self.stage_id) {
            Some(0) => State::Upcoming,
            Some(position) if position + 1 == count => State::Cancelled,
            Some(position) if position + 2 == count => State::Completed,
            _ => State::Active,
        }
    }

    /// Starts and completes the window when its time has come. Tells whether anything moved.
    pub fn advance(&mut self, page: &Page, now: i64, next_id: &mut u64) -> bool {
        let stages = &page.maintenance_stages;
        let mut moved = false;
        if self.state(page) == State::Upcoming && now >= self.starts_at {
            self.stage_id = stages[1].id;
            self.append_automatic("Maintenance has started.", self.starts_at, next_id);
            moved = true;
        }
        if self.state(page) == State::Active && now >= self.ends_at {
            self.stage_id = stages[stages.len() - 2].id;
            self.completed_at = Some(self.ends_at);
            self.append_automatic("Maintenance is complete.", self.ends_at, next_id);
            moved = true;
        }
        moved
    }

    fn append_automatic(&mut self, message: &str, at: i64, next_id: &mut u64) {
        self.append(*next_id, message.to_owned(), Author::new("StatiBeat", "automation"), at, Origin::default());
        *next_id += 1;
    }

    /// Adds to the timeline.
    pub fn append(&mut self, id: u64, message: String, author: Author, now: i64, origin: Origin) -> &Update {
        self.updated_at = now;
        let Origin { external_id, created_with } = origin;
        let (stage_id, status) = (self.stage_id, None);
        self.updates.push(Update { id, message, stage_id, status, author, created_at: now, external_id, created_with });
        &self.updates[self.updates.len() - 1]
    }
}

/// Answers the maintenance operations of a page.
pub fn perform(world: &mut World, call: &Call, endpoint: &Endpoint) -> Handled {
    let method = call.request.method().as_str();
    match (endpoint, method) {
        (Endpoint::Maintenances, "GET") => list(world, call.request, call.page_id),
        (Endpoint::Maintenances, _) => maintenance_changes::create(world, call),
        (Endpoint::MaintenanceUpdates(id), "GET") => list_updates(world, call, *id),
        (Endpoint::MaintenanceUpdates(id), _) => maintenance_changes::add_update(world, call, *id),
        (Endpoint::MaintenanceUpdate(id, external_id), _) => find_update(world, call, *id, external_id),
        (Endpoint::MaintenanceByExternalId(external_id), _) => {
            Query::parse(call.request, &[])?;
            let found = maintenance_changes::find_external(world, call.page_id, Some(external_id));
            Ok(reply::ok(&full(world, found.ok_or_else(|| Refusal::not_found("maintenance"))?)?))
        }
        (Endpoint::MaintenanceAction(id, action), _) => maintenance_changes::act(world, call, *id, action),
        (Endpoint::Maintenance(id), "PATCH") => maintenance_changes::edit(world, call, *id),
        (Endpoint::Maintenance(id), "DELETE") => maintenance_changes::delete(world, call, *id),
        (Endpoint::Maintenance(id), _) => {
            Query::parse(call.request, &[])?;
            Ok(reply::ok(&full(world, find(world, call.page_id, *id)?)?))
        }
        _ => Err(Refusal::not_found("route")),
    }
}

/// A maintenance of a page.
pub fn find(world: &World, page_id: u64, id: u64) -> Result<&Maintenance, Refusal> {
    let found = world.maintenances.get(&id).filter(|maintenance| maintenance.page_id == page_id);
    found.ok_or_else(|| Refusal::not_found("maintenance"))
}

/// `GET /api/v1/maintenances`, for anybody, where the page is public.
pub fn public_list(world: &World, request: &Request<Bytes>, page_id: u64) -> Handled {
    if pages::of(world, page_id)?.visibility != "public" {
        return Err(Refusal::not_found("page"));
    }
    list(world, request, page_id)
}

/// Active and upcoming windows come soonest first, all others newest first.
fn list(world: &World, request: &Request<Bytes>, page_id: u64) -> Handled {
    let query = Query::parse(request, &["status", "limit", "view"])?;
    let wanted = query.word("status", &["active", "upcoming", "completed", "cancelled"])?;
    let (limit, in_full) = (query.limit()?, query.full()?);
    let page = pages::of(world, page_id)?;
    let on_page = world.maintenances.values().filter(|maintenance| maintenance.page_id == page_id);
    let mut found: Vec<&Maintenance> =
        on_page.filter(|maintenance| wanted.is_none_or(|wanted| wanted == maintenance.state(page).name())).collect();
    found.sort_by_key(|maintenance| (maintenance.starts_at, maintenance.id));
    if !matches!(wanted, Some("active" | "upcoming")) {
        found.reverse();
    }
    let shown = found.iter().take(limit);
    let items = shown.map(|entry| if in_full { full(world, entry) } else { compact(world, entry) });
    Ok(reply::list(items.collect::<Result<_, _>>()?, found.len()))
}

fn list_updates(world: &World, call: &Call, id: u64) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let maintenance = find(world, call.page_id, id)?;
    let page = pages::of(world, call.page_id)?;
    let items = updates::newest(&maintenance.updates, limit, |id| page.maintenance_stage_reference(id));
    Ok(reply::list(items, maintenance.updates.len()))
}

fn find_update(world: &World, call: &Call, id: u64, external_id: &str) -> Handled {
    Query::parse(call.request, &[])?;
    let maintenance = find(world, call.page_id, id)?;
    let update = updates::find_external(&maintenance.updates, Some(external_id));
    let update = update.ok_or_else(|| Refusal::not_found("update"))?;
    Ok(reply::ok(&maintenance_changes::show_update(pages::of(world, call.page_id)?, id, update)))
}

/// The compact form.
pub fn compact(world: &World, maintenance: &Maintenance) -> Result<Value, Refusal> {
    let page = pages::of(world, maintenance.page_id)?;
    Ok(json!({
        "id": maintenance.id,
        "external_id": maintenance.external_id,
        "title": maintenance.title,
        "impact": maintenance.impact,
        "lifecycle_stage": page.maintenance_stage_reference(maintenance.stage_id),
        "state": maintenance.state(page).name(),
        "affected_items": affected::show(world, page, &maintenance.affected, None),
        "affected_items_freetext": maintenance.affected_freetext,
        "starts_at": reply::time(maintenance.starts_at),
        "ends_at": reply::time(maintenance.ends_at),
        "completed_at": reply::time_or_null(maintenance.completed_at),
        "cancelled_at": reply::time_or_null(maintenance.cancelled_at),
        "updated_at": reply::time(maintenance.updated_at),
        "public_url": format!("{}/maintenances/{}", page.public_url, maintenance.id),
        "admin_url": format!("{}/admin/pages/{}/maintenances/{}", world.settings.origin, page.id, maintenance.id),
        "latest_update": updates::latest(&maintenance.updates, |id| page.maintenance_stage_reference(id)),
    }))
}

/// The full document.
pub fn full(world: &World, maintenance: &Maintenance) -> Result<Value, Refusal> {
    let page = pages::of(world, maintenance.page_id)?;
    let mut document = compact(world, maintenance)?;
    let stage = |id| page.maintenance_stage_reference(id);
    document["description"] = json!(maintenance.description);
    document["author"] = json!({ "name": maintenance.author.name, "source": maintenance.author.source });
    document["updates"] = updates::newest(&maintenance.updates, updates::UPDATES_IN_DOCUMENT, stage).into();
    document["updates_total"] = json!(maintenance.updates.len());
    Ok(document)
}
