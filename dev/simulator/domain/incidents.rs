//! Incidents: what they are and how they are read. `incident_changes` holds what may happen to them.

use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::routes::{Endpoint, Reference};
use super::super::wire::body::Query;
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::pages::{self, Page};
pub use super::updates::{Author, Origin, Update};
use super::{affected, incident_actions, incident_changes, updates};

/// An incident.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Incident {
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
    /// Status key.
    pub status: String,
    /// What customers notice.
    pub impact: Option<String>,
    /// Stage.
    pub stage_id: u64,
    /// Ids of affected items.
    pub affected: Vec<u64>,
    /// Affected things in words.
    pub affected_freetext: Option<String>,
    /// Who opened it.
    pub author: Author,
    /// Start, in unix seconds.
    pub started_at: i64,
    /// Acknowledgement.
    pub acknowledged_at: Option<i64>,
    /// Resolution.
    pub resolved_at: Option<i64>,
    /// Latest change.
    pub updated_at: i64,
    /// Timeline, oldest first.
    pub updates: Vec<Update>,
}

/// Answers the incident operations of a page.
pub fn perform(world: &mut World, call: &Call, endpoint: &Endpoint) -> Handled {
    let method = call.request.method().as_str();
    match (endpoint, method) {
        (Endpoint::Incidents, "GET") => list(world, call.request, call.page_id),
        (Endpoint::Incidents, _) => incident_changes::create(world, call),
        (Endpoint::IncidentUpdates(reference), "GET") => list_updates(world, call, reference),
        (Endpoint::IncidentUpdates(reference), _) => incident_changes::add_update(world, call, reference),
        (Endpoint::IncidentUpdate(reference, external_id), _) => find_update(world, call, reference, external_id),
        (Endpoint::IncidentAction(reference, action), _) => incident_actions::act(world, call, reference, action),
        (Endpoint::Incident(reference), "PATCH") => incident_actions::edit(world, call, reference),
        (Endpoint::Incident(reference), "DELETE") => incident_actions::delete(world, call, reference),
        (Endpoint::Incident(reference), _) => {
            Query::parse(call.request, &[])?;
            let incident = &world.incidents[&find(world, call.page_id, reference)?];
            Ok(reply::ok(&full(world, incident)?))
        }
        _ => Err(Refusal::not_found("route")),
    }
}

/// The id of the incident that a path names on a page.
pub fn find(world: &World, page_id: u64, reference: &Reference) -> Result<u64, Refusal> {
    let mut on_page = world.incidents.values().filter(|incident| incident.page_id == page_id);
    let found = on_page.find(|incident| match reference {
        Reference::Id(id) => incident.id == *id,
        Reference::External(external_id) => incident.external_id.as_ref() == Some(external_id),
    });
    found.map(|incident| incident.id).ok_or_else(|| Refusal::not_found("incident"))
}

/// `GET /api/v1/incidents`, for anybody, where the page is public.
pub fn public_list(world: &World, request: &Request<Bytes>, page_id: u64) -> Handled {
    if pages::of(world, page_id)?.visibility != "public" {
        return Err(Refusal::not_found("page"));
    }
    list(world, request, page_id)
}

fn list(world: &World, request: &Request<Bytes>, page_id: u64) -> Handled {
    let query = Query::parse(request, &["status", "limit", "view"])?;
    let wanted = query.word("status", &["active", "resolved"])?;
    let (limit, in_full) = (query.limit()?, query.full()?);
    let on_page = world.incidents.values().filter(|incident| incident.page_id == page_id);
    let mut found: Vec<&Incident> =
        on_page.filter(|incident| wanted.is_none_or(|wanted| wanted == incident.state())).collect();
    found.sort_by_key(|incident| std::cmp::Reverse((incident.started_at, incident.id)));
    let shown = found.iter().take(limit);
    let items = shown.map(|incident| if in_full { full(world, incident) } else { compact(world, incident) });
    Ok(reply::list(items.collect::<Result<_, _>>()?, found.len()))
}

fn list_updates(world: &World, call: &Call, reference: &Reference) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let incident = &world.incidents[&find(world, call.page_id, reference)?];
    let page = pages::of(world, call.page_id)?;
    let items = updates::newest(&incident.updates, limit, |id| page.stage_reference(id));
    Ok(reply::list(items, incident.updates.len()))
}

fn find_update(world: &World, call: &Call, reference: &Reference, external_id: &str) -> Handled {
    Query::parse(call.request, &[])?;
    let incident = &world.incidents[&find(world, call.page_id, reference)?];
    let update = updates::find_external(&incident.updates, Some(external_id));
    let update = update.ok_or_else(|| Refusal::not_found("update"))?;
    Ok(reply::ok(&incident_changes::show_update(pages::of(world, call.page_id)?, incident.id, update)))
}

impl Incident {
    /// `active` or `resolved`.
    pub fn state(&self) -> &'static str {
        if self.resolved_at.is_some() { "resolved" } else { "active" }
    }
}

/// The compact form.
pub fn compact(world: &World, incident: &Incident) -> Result<Value, Refusal> {
    let page = pages::of(world, incident.page_id)?;
    Ok(json!({
        "id": incident.id,
        "external_id": incident.external_id,
        "title": incident.title,
        "status": incident.status,
        "impact": incident.impact,
        "lifecycle_stage": page.stage_reference(incident.stage_id),
        "state": incident.state(),
        "affected_items": affected_items(world, page, incident),
        "affected_items_freetext": incident.affected_freetext,
        "started_at": reply::time(incident.started_at),
        "acknowledged_at": reply::time_or_null(incident.acknowledged_at),
        "resolved_at": reply::time_or_null(incident.resolved_at),
        "updated_at": reply::time(incident.updated_at),
        "public_url": format!("{}/incidents/{}", page.public_url, incident.id),
        "admin_url": format!("{}/admin/pages/{}/incidents/{}", world.settings.origin, page.id, incident.id),
        "latest_update": updates::latest(&incident.updates, |id| page.stage_reference(id)),
    }))
}

fn affected_items(world: &World, page: &Page, incident: &Incident) -> Value {
    let own_status = incident.resolved_at.is_none().then_some(incident.status.as_str());
    affected::show(world, page, &incident.affected, own_status)
}

/// The full document.
pub fn full(world: &World, incident: &Incident) -> Result<Value, Refusal> {
    let page = pages::of(world, incident.page_id)?;
    let mut document = compact(world, incident)?;
    document["description"] = json!(incident.description);
    document["author"] = json!({ "name": incident.author.name, "source": incident.author.source });
    document["updates"] =
        updates::newest(&incident.updates, updates::UPDATES_IN_DOCUMENT, |id| page.stage_reference(id)).into();
    document["updates_total"] = json!(incident.updates.len());
    Ok(document)
}
