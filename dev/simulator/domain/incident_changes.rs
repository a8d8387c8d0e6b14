//! Opening an incident and adding to it: the two writes that the connector shares with page tokens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::dispatch::Call;
use super::super::routes::Reference;
use super::super::wire::body::{self, check_optional_text, check_text, present};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::affected::{self, ItemName};
use super::incidents::{self, Author, Incident, Update};
use super::pages::{self, Page};
use super::updates::{self, MESSAGE_MAX, Origin};

/// The status of an incident whose creator names none.
const STATUS_DEFAULT: &str = "degraded";
/// The longest title, in characters.
pub const TITLE_MAX: usize = 200;
/// The longest description, in characters.
pub const DESCRIPTION_MAX: usize = 20_000;
/// The longest impact and free text, in characters.
pub const IMPACT_MAX: usize = 2000;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewIncident {
    title: String,
    description: String,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    impact: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    affected_items_freetext: Option<String>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewUpdate {
    message: String,
    #[serde(default, deserialize_with = "present")]
    lifecycle_stage_id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

/// `POST incidents`
pub fn create(world: &mut World, call: &Call) -> Handled {
    let input: NewIncident = body::json(call.request)?;
    let page = pages::of(world, call.page_id)?;
    check_text("title", &input.title, TITLE_MAX)?;
    check_text("description", &input.description, DESCRIPTION_MAX)?;
    check_optional_text("impact", input.impact.as_deref(), IMPACT_MAX)?;
    check_optional_text("affected_items_freetext", input.affected_items_freetext.as_deref(), IMPACT_MAX)?;
    affected::check_external_id(input.external_id.as_deref())?;
    let status = input.status.clone().unwrap_or_else(|| STATUS_DEFAULT.to_owned());
    check_opening_status(page, &status)?;
    let touched = affected::resolve(page, input.affected_items.as_deref().unwrap_or_default())?;
    let stage_id = page.stages[0].id;
    let created_with = serde_json::to_string(&input).ok();
    if let Some(external_id) = &input.external_id
        && let Ok(id) = incidents::find(world, call.page_id, &Reference::External(external_id.clone()))
    {
        return repeated(world, id, created_with.as_deref());
    }
    let incident = Incident {
        id: world.allocate_id(),
        page_id: call.page_id,
        external_id: input.external_id,
        created_with,
        title: input.title,
        description: input.description,
        status,
        impact: input.impact,
        stage_id,
        affected: touched,
        affected_freetext: input.affected_items_freetext,
        author: call.caller.author(),
        started_at: call.now,
        acknowledged_at: None,
        resolved_at: None,
        updated_at: call.now,
        updates: Vec::new(),
    };
    let id = incident.id;
    world.incidents.insert(id, incident);
    world.changed();
    Ok(reply::created(&incidents::full(world, &world.incidents[&id])?))
}

fn repeated(world: &World, id: u64, created_with: Option<&str>) -> Handled {
    let existing = &world.incidents[&id];
    if existing.created_with.is_some() && existing.created_with.as_deref() == created_with {
        return Ok(reply::ok(&incidents::full(world, existing)?));
    }
    Err(Refusal::conflict("external_id is taken by another incident"))
}

/// `POST incidents/{id}/updates`
pub fn add_update(world: &mut World, call: &Call, reference: &Reference) -> Handled {
    let input: NewUpdate = body::json(call.request)?;
    check_text("message", &input.message, MESSAGE_MAX)?;
    affected::check_external_id(input.external_id.as_deref())?;
    let id = incidents::find(world, call.page_id, reference)?;
    let page = pages::of(world, call.page_id)?.clone();
    let created_with = serde_json::to_string(&input).ok();
    if let Some(known) = updates::find_external(&world.incidents[&id].updates, input.external_id.as_deref()) {
        return updates::repeated(known, created_with.as_deref(), &show_update(&page, id, known));
    }
    if let Some(status) = &input.status {
        check_status(&page, status)?;
    }
    let touched = input.affected_items.as_deref().map(|names| affected::resolve(&page, names)).transpose()?;
    let last = page.stages[page.stages.len() - 1].id;
    if let Some(stage_id) = input.lifecycle_stage_id {
        check_stage(&page, stage_id, call.caller.is_connector())?;
    }
    let moves = input.lifecycle_stage_id.is_some() || input.status.is_some() || touched.is_some();
    if world.incidents[&id].resolved_at.is_some() && moves {
        return Err(Refusal::conflict("incident is resolved; only a message can be added"));
    }
    let update_id = world.allocate_id();
    let Some(incident) = world.incidents.get_mut(&id) else {
        return Err(Refusal::not_found("incident"));
    };
    incident.stage_id = input.lifecycle_stage_id.unwrap_or(incident.stage_id);
    incident.status = input.status.unwrap_or_else(|| incident.status.clone());
    incident.affected = touched.unwrap_or_else(|| incident.affected.clone());
    if incident.stage_id == last && incident.resolved_at.is_none() {
        incident.resolved_at = Some(call.now);
    }
    let origin = Origin { external_id: input.external_id, created_with };
    let update = incident.append(update_id, input.message, call.caller.author(), call.now, origin);
    let shown = show_update(&page, id, update);
    world.changed();
    Ok(reply::created(&shown))
}

/// An update with the incident it belongs to.
pub fn show_update(page: &Page, incident_id: u64, update: &Update) -> Value {
    let mut shown = update.show(|id| page.stage_reference(id));
    shown["incident_id"] = incident_id.into();
    shown
}

impl Incident {
    /// Adds to the timeline.
    pub fn append(&mut self, id: u64, message: String, author: Author, now: i64, origin: Origin) -> &Update {
        let (stage_id, status) = (self.stage_id, Some(self.status.clone()));
        self.updated_at = now;
        let Origin { external_id, created_with } = origin;
        self.updates.push(Update { id, message, stage_id, status, author, created_at: now, external_id, created_with });
        &self.updates[self.updates.len() - 1]
    }
}

/// Refuses a status that is unknown or archived.
pub fn check_status(page: &Page, key: &str) -> Result<(), Refusal> {
    let usable = || page.statuses.iter().filter(|status| !status.archived).map(|status| status.key);
    if usable().any(|known| known == key) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("status must be one of: {}", usable().collect::<Vec<_>>().join(", "))))
}

/// The operational status means that there is no incident, so none is opened with it.
fn check_opening_status(page: &Page, key: &str) -> Result<(), Refusal> {
    check_status(page, key)?;
    match page.find_status(key) {
        Some((_, status)) if status.operational => {
            Err(Refusal::invalid(format!("an incident cannot be opened with the operational status \"{key}\"")))
        }
        _ => Ok(()),
    }
}

/// The connector may move an incident along, and not out: its tools do not resolve.
fn check_stage(page: &Page, stage_id: u64, connector: bool) -> Result<(), Refusal> {
    let open = if connector { &page.stages[..page.stages.len() - 1] } else { &page.stages[..] };
    if open.iter().any(|stage| stage.id == stage_id) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("lifecycle_stage_id must be one of: {}", pages::name_stages(open))))
}
