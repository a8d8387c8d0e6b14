//! What only page tokens may do to an incident: acknowledge, resolve, reopen, edit, delete.

use serde::Deserialize;

use super::super::dispatch::Call;
use super::super::routes::Reference;
use super::super::wire::body::{self, check_optional_text, present};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::affected::{self, ItemName};
use super::incident_changes::{DESCRIPTION_MAX, IMPACT_MAX, TITLE_MAX, check_status};
use super::incidents;
use super::pages;
use super::updates::{MESSAGE_MAX, Origin};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    #[serde(default, deserialize_with = "present")]
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    impact: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    affected_items_freetext: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    #[serde(default, deserialize_with = "present")]
    resolution_message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remark {
    #[serde(default, deserialize_with = "present")]
    message: Option<String>,
}

/// `POST incidents/{id}/acknowledge`, `…/resolve`, `…/reopen`
pub fn act(world: &mut World, call: &Call, reference: &Reference, action: &str) -> Handled {
    let id = incidents::find(world, call.page_id, reference)?;
    let page = pages::of(world, call.page_id)?.clone();
    let resolved = world.incidents[&id].resolved_at.is_some();
    let update_id = world.allocate_id();
    let Some(incident) = world.incidents.get_mut(&id) else {
        return Err(Refusal::not_found("incident"));
    };
    let message = match action {
        "acknowledge" => {
            body::none(call.request)?;
            incident.acknowledged_at.get_or_insert(call.now);
            None
        }
        "resolve" => {
            let input: Resolution = body::optional_json(call.request)?;
            check_optional_text("resolution_message", input.resolution_message.as_deref(), MESSAGE_MAX)?;
            if resolved {
                return Err(Refusal::conflict("incident is already resolved"));
            }
            incident.stage_id = page.stages[page.stages.len() - 1].id;
            incident.resolved_at = Some(call.now);
            Some(input.resolution_message.unwrap_or_else(|| "This incident has been resolved.".to_owned()))
        }
        _ => {
            let input: Remark = body::optional_json(call.request)?;
            check_optional_text("message", input.message.as_deref(), MESSAGE_MAX)?;
            if !resolved {
                return Err(Refusal::conflict("incident is not resolved"));
            }
            incident.stage_id = page.stages[0].id;
            incident.resolved_at = None;
            Some(input.message.unwrap_or_else(|| "This incident has been reopened.".to_owned()))
        }
    };
    if let Some(message) = message {
        incident.append(update_id, message, call.caller.author(), call.now, Origin::default());
    }
    incident.updated_at = call.now;
    world.changed();
    Ok(reply::ok(&incidents::full(world, &world.incidents[&id])?))
}

/// `PATCH incidents/{id}`
pub fn edit(world: &mut World, call: &Call, reference: &Reference) -> Handled {
    let input: Edit = body::json(call.request)?;
    let id = incidents::find(world, call.page_id, reference)?;
    let page = pages::of(world, call.page_id)?;
    check_optional_text("title", input.title.as_deref(), TITLE_MAX)?;
    check_optional_text("description", input.description.as_deref(), DESCRIPTION_MAX)?;
    check_optional_text("impact", input.impact.as_deref(), IMPACT_MAX)?;
    check_optional_text("affected_items_freetext", input.affected_items_freetext.as_deref(), IMPACT_MAX)?;
    if let Some(status) = &input.status {
        check_status(page, status)?;
    }
    let touched = input.affected_items.as_deref().map(|names| affected::resolve(page, names)).transpose()?;
    let Some(incident) = world.incidents.get_mut(&id) else {
        return Err(Refusal::not_found("incident"));
    };
    replace(&mut incident.title, input.title);
    replace(&mut incident.description, input.description);
    replace(&mut incident.status, input.status);
    replace(&mut incident.affected, touched);
    incident.impact = input.impact.or(incident.impact.take());
    incident.affected_freetext = input.affected_items_freetext.or(incident.affected_freetext.take());
    incident.updated_at = call.now;
    world.changed();
    Ok(reply::ok(&incidents::full(world, &world.incidents[&id])?))
}

/// `DELETE incidents/{id}`
pub fn delete(world: &mut World, call: &Call, reference: &Reference) -> Handled {
    body::none(call.request)?;
    let id = incidents::find(world, call.page_id, reference)?;
    world.incidents.remove(&id);
    world.changed();
    Ok(reply::no_content())
}

/// Puts a new value in place if one was given.
pub fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
