//! What may happen to a maintenance: scheduled, updated, completed, cancelled, edited, deleted.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::dispatch::Call;
use super::super::wire::body::{self, check_optional_text, check_text, present};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::affected::{self, ItemName};
use super::incident_actions::replace;
use super::incident_changes::{DESCRIPTION_MAX, IMPACT_MAX, TITLE_MAX};
use super::maintenances::{self, Maintenance, State};
use super::pages::{self, Page};
use super::updates::{self, MESSAGE_MAX, Origin, Update};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewMaintenance {
    title: String,
    description: String,
    starts_at: String,
    ends_at: String,
    #[serde(default, deserialize_with = "present")]
    impact: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    affected_items_freetext: Option<String>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default, deserialize_with = "present")]
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
    #[serde(default, deserialize_with = "present")]
    starts_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    ends_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    impact: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    affected_items_freetext: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewUpdate {
    message: String,
    #[serde(default, deserialize_with = "present")]
    lifecycle_stage_id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remark {
    #[serde(default, deserialize_with = "present")]
    message: Option<String>,
}

/// `POST maintenances`
pub fn create(world: &mut World, call: &Call) -> Handled {
    let input: NewMaintenance = body::json(call.request)?;
    let page = pages::of(world, call.page_id)?;
    check_text("title", &input.title, TITLE_MAX)?;
    check_text("description", &input.description, DESCRIPTION_MAX)?;
    check_optional_text("impact", input.impact.as_deref(), IMPACT_MAX)?;
    check_optional_text("affected_items_freetext", input.affected_items_freetext.as_deref(), IMPACT_MAX)?;
    affected::check_external_id(input.external_id.as_deref())?;
    let (starts_at, ends_at) = (moment("starts_at", &input.starts_at)?, moment("ends_at", &input.ends_at)?);
    let touched = affected::resolve(page, input.affected_items.as_deref().unwrap_or_default())?;
    let stage_id = page.maintenance_stages[0].id;
    let created_with = serde_json::to_string(&input).ok();
    if let Some(existing) = find_external(world, call.page_id, input.external_id.as_deref()) {
        return repeated(world, existing, created_with.as_deref());
    }
    check_window(starts_at, ends_at, call.now)?;
    let maintenance = Maintenance {
        id: world.allocate_id(),
        page_id: call.page_id,
        external_id: input.external_id,
        created_with,
        title: input.title,
        description: input.description,
        impact: input.impact,
        stage_id,
        affected: touched,
        affected_freetext: input.affected_items_freetext,
        author: call.caller.author(),
        starts_at,
        ends_at,
        completed_at: None,
        cancelled_at: None,
        updated_at: call.now,
        updates: Vec::new(),
    };
    let id = maintenance.id;
    world.maintenances.insert(id, maintenance);
    world.changed();
    world.advance(call.now);
    Ok(reply::created(&document(world, call, id)?))
}

/// The maintenance of that external id.
pub fn find_external<'a>(world: &'a World, page_id: u64, external_id: Option<&str>) -> Option<&'a Maintenance> {
    let external_id = external_id?;
    let mut on_page = world.maintenances.values().filter(|maintenance| maintenance.page_id == page_id);
    on_page.find(|maintenance| maintenance.external_id.as_deref() == Some(external_id))
}

fn repeated(world: &World, existing: &Maintenance, created_with: Option<&str>) -> Handled {
    if existing.created_with.is_some() && existing.created_with.as_deref() == created_with {
        return Ok(reply::ok(&maintenances::full(world, existing)?));
    }
    Err(Refusal::conflict("external_id is taken by another maintenance"))
}

/// `POST maintenances/{id}/updates`
pub fn add_update(world: &mut World, call: &Call, id: u64) -> Handled {
    let input: NewUpdate = body::json(call.request)?;
    check_text("message", &input.message, MESSAGE_MAX)?;
    affected::check_external_id(input.external_id.as_deref())?;
    let page = pages::of(world, call.page_id)?.clone();
    let maintenance = maintenances::find(world, call.page_id, id)?;
    let state = maintenance.state(&page);
    let created_with = serde_json::to_string(&input).ok();
    if let Some(known) = updates::find_external(&maintenance.updates, input.external_id.as_deref()) {
        return updates::repeated(known, created_with.as_deref(), &show_update(&page, id, known));
    }
    if let Some(stage_id) = input.lifecycle_stage_id {
        check_stage(&page, stage_id, call.caller.is_connector())?;
        if matches!(state, State::Completed | State::Cancelled) {
            return Err(Refusal::conflict("maintenance is over; only a message can be added"));
        }
    }
    let update_id = world.allocate_id();
    let Some(maintenance) = world.maintenances.get_mut(&id) else {
        return Err(Refusal::not_found("maintenance"));
    };
    if let Some(stage_id) = input.lifecycle_stage_id {
        maintenance.enter(&page, stage_id, call.now);
    }
    let origin = Origin { external_id: input.external_id, created_with };
    let update = maintenance.append(update_id, input.message, call.caller.author(), call.now, origin);
    let shown = show_update(&page, id, update);
    world.changed();
    Ok(reply::created(&shown))
}

/// An update with the maintenance it belongs to.
pub fn show_update(page: &Page, maintenance_id: u64, update: &Update) -> Value {
    let mut shown = update.show(|id| page.maintenance_stage_reference(id));
    shown["maintenance_id"] = maintenance_id.into();
    shown
}

/// `POST maintenances/{id}/complete`, `…/cancel`
pub fn act(world: &mut World, call: &Call, id: u64, action: &str) -> Handled {
    let input: Remark = body::optional_json(call.request)?;
    check_optional_text("message", input.message.as_deref(), MESSAGE_MAX)?;
    let page = pages::of(world, call.page_id)?.clone();
    let state = maintenances::find(world, call.page_id, id)?.state(&page);
    let count = page.maintenance_stages.len();
    let (position, words) = match (action, state) {
        (_, State::Completed | State::Cancelled) => {
            return Err(Refusal::conflict("maintenance is over already"));
        }
        ("complete", State::Upcoming) => {
            return Err(Refusal::conflict("maintenance has not started"));
        }
        ("complete", _) => (count - 2, "Maintenance is complete."),
        _ => (count - 1, "Maintenance has been cancelled."),
    };
    let update_id = world.allocate_id();
    let Some(maintenance) = world.maintenances.get_mut(&id) else {
        return Err(Refusal::not_found("maintenance"));
    };
    maintenance.enter(&page, page.maintenance_stages[position].id, call.now);
    let message = input.message.unwrap_or_else(|| words.to_owned());
    maintenance.append(update_id, message, call.caller.author(), call.now, Origin::default());
    world.changed();
    Ok(reply::ok(&document(world, call, id)?))
}

/// `PATCH maintenances/{id}`
pub fn edit(world: &mut World, call: &Call, id: u64) -> Handled {
    let input: Edit = body::json(call.request)?;
    let page = pages::of(world, call.page_id)?;
    let existing = maintenances::find(world, call.page_id, id)?;
    check_optional_text("title", input.title.as_deref(), TITLE_MAX)?;
    check_optional_text("description", input.description.as_deref(), DESCRIPTION_MAX)?;
    check_optional_text("impact", input.impact.as_deref(), IMPACT_MAX)?;
    check_optional_text("affected_items_freetext", input.affected_items_freetext.as_deref(), IMPACT_MAX)?;
    let starts_at = input.starts_at.map_or(Ok(existing.starts_at), |text| moment("starts_at", &text))?;
    let ends_at = input.ends_at.map_or(Ok(existing.ends_at), |text| moment("ends_at", &text))?;
    if (starts_at, ends_at) != (existing.starts_at, existing.ends_at) {
        check_window(starts_at, ends_at, call.now)?;
    }
    let touched = input.affected_items.as_deref().map(|names| affected::resolve(page, names)).transpose()?;
    let Some(maintenance) = world.maintenances.get_mut(&id) else {
        return Err(Refusal::not_found("maintenance"));
    };
    replace(&mut maintenance.title, input.title);
    replace(&mut maintenance.description, input.description);
    replace(&mut maintenance.affected, touched);
    (maintenance.starts_at, maintenance.ends_at) = (starts_at, ends_at);
    maintenance.impact = input.impact.or(maintenance.impact.take());
    maintenance.affected_freetext = input.affected_items_freetext.or(maintenance.affected_freetext.take());
    maintenance.updated_at = call.now;
    world.changed();
    Ok(reply::ok(&document(world, call, id)?))
}

/// `DELETE maintenances/{id}`
pub fn delete(world: &mut World, call: &Call, id: u64) -> Handled {
    body::none(call.request)?;
    maintenances::find(world, call.page_id, id)?;
    world.maintenances.remove(&id);
    world.changed();
    Ok(reply::no_content())
}

impl Maintenance {
    fn enter(&mut self, page: &Page, stage_id: u64, now: i64) {
        self.stage_id = stage_id;
        match self.state(page) {
            State::Completed => self.completed_at = Some(now),
            State::Cancelled => self.cancelled_at = Some(now),
            State::Upcoming | State::Active => {}
        }
    }
}

fn document(world: &World, call: &Call, id: u64) -> Result<Value, Refusal> {
    maintenances::full(world, maintenances::find(world, call.page_id, id)?)
}

fn moment(name: &str, text: &str) -> Result<i64, Refusal> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed.map(jiff::Timestamp::as_second).map_err(|_| Refusal::invalid(format!("{name} must be an RFC 3339 time")))
}

fn check_window(starts_at: i64, ends_at: i64, now: i64) -> Result<(), Refusal> {
    if ends_at <= starts_at {
        return Err(Refusal::invalid("ends_at must be after starts_at"));
    }
    if ends_at <= now {
        return Err(Refusal::invalid("ends_at must be in the future"));
    }
    Ok(())
}

/// The connector may move a maintenance along, and not out: its tools neither complete nor cancel.
fn check_stage(page: &Page, stage_id: u64, connector: bool) -> Result<(), Refusal> {
    let stages = &page.maintenance_stages;
    let open = if connector { &stages[..stages.len() - 2] } else { &stages[..] };
    if open.iter().any(|stage| stage.id == stage_id) {
        return Ok(());
    }
    Err(Refusal::invalid(format!("lifecycle_stage_id must be one of: {}", pages::name_stages(open))))
}
