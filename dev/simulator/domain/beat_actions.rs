//! Beat actions: what a Beat would post, waiting for a person to approve or reject it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::wire::body::{self, Query};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::incidents::{Author, Incident, Origin};
use super::{affected, pages};

/// An action.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BeatAction {
    /// Numeric id.
    pub id: u64,
    /// The page.
    pub page_id: u64,
    /// The Beat behind it.
    pub beat_id: u64,
    /// `create_incident` or `post_update`.
    pub kind: String,
    /// `pending`, `approved` or `rejected`.
    pub state: String,
    /// Title of the incident it would open, or touches.
    pub title: String,
    /// What it would post.
    pub message: String,
    /// The status it proposes.
    pub proposed_status: String,
    /// Ids of items it would mark.
    pub affected: Vec<u64>,
    /// The incident it updates, or has opened.
    pub incident_id: Option<u64>,
    /// What the Beat saw. Comes from outside.
    pub evidence_summary: String,
    /// The external event behind it, redacted.
    pub external_trigger: Option<Value>,
    /// When it was proposed.
    pub created_at: i64,
    /// When it was decided.
    pub decided_at: Option<i64>,
    /// By whom.
    pub decided_by: Option<String>,
}

/// `GET beats/actions`
pub fn list(world: &World, call: &Call) -> Handled {
    let query = Query::parse(call.request, &["status", "limit"])?;
    let wanted = query.word("status", &["pending", "approved", "rejected"])?;
    let limit = query.limit()?;
    let on_page = world.beats.actions.iter().rev().filter(|action| action.page_id == call.page_id);
    let found: Vec<_> = on_page.filter(|action| wanted.is_none_or(|wanted| wanted == action.state)).collect();
    let items: Result<Vec<_>, _> = found.iter().take(limit).map(|action| show(world, action)).collect();
    Ok(reply::list(items?, found.len()))
}

/// `POST beats/actions/{id}/approve`, `…/reject`
pub fn decide(world: &mut World, call: &Call, id: u64, decision: &str) -> Handled {
    body::none(call.request)?;
    let place = world.beats.actions.iter().position(|action| action.id == id && action.page_id == call.page_id);
    let place = place.ok_or_else(|| Refusal::not_found("beat action"))?;
    let mut action = world.beats.actions[place].clone();
    if action.state != "pending" {
        return Err(Refusal::conflict(format!("beat action is already {}", action.state)));
    }
    let approved = decision == "approve";
    if approved {
        action.incident_id = Some(carry_out(world, &action, call)?);
    }
    action.state = String::from(if approved { "approved" } else { "rejected" });
    action.decided_at = Some(call.now);
    action.decided_by = Some(call.caller.author().name);
    let shown = show(world, &action)?;
    world.beats.actions[place] = action;
    world.changed();
    Ok(reply::ok(&shown))
}

/// Posts what was approved, and names the incident it went to.
fn carry_out(world: &mut World, action: &BeatAction, call: &Call) -> Result<u64, Refusal> {
    let author = Author::new("StatiBeat", "automation");
    let id = world.allocate_id();
    if let Some(incident) = action.incident_id.and_then(|id| world.incidents.get_mut(&id)) {
        incident.append(id, action.message.clone(), author, call.now, Origin::default());
        return Ok(incident.id);
    }
    let incident = Incident {
        id,
        page_id: action.page_id,
        external_id: None,
        created_with: None,
        title: action.title.clone(),
        description: action.message.clone(),
        status: action.proposed_status.clone(),
        impact: None,
        stage_id: pages::of(world, action.page_id)?.stages[0].id,
        affected: action.affected.clone(),
        affected_freetext: None,
        author,
        started_at: call.now,
        acknowledged_at: None,
        resolved_at: None,
        updated_at: call.now,
        updates: Vec::new(),
    };
    world.incidents.insert(id, incident);
    Ok(id)
}

fn show(world: &World, action: &BeatAction) -> Result<Value, Refusal> {
    let page = pages::of(world, action.page_id)?;
    let beat = world.beats.monitors.iter().find(|beat| beat.id == action.beat_id);
    Ok(json!({
        "id": action.id,
        "beat_id": action.beat_id,
        "beat_name": beat.map(|beat| beat.name),
        "beat_group_id": beat.and_then(|beat| beat.group_id),
        "kind": action.kind,
        "state": action.state,
        "title": action.title,
        "message": action.message,
        "proposed_status": action.proposed_status,
        "affected_items": affected::show(world, page, &action.affected, None),
        "incident_id": action.incident_id,
        "evidence_summary": action.evidence_summary,
        "external_trigger": action.external_trigger,
        "review_url": format!("{}/admin/pages/{}/beats/actions/{}", world.settings.origin, page.id, action.id),
        "created_at": reply::time(action.created_at),
        "decided_at": reply::time_or_null(action.decided_at),
        "decided_by": action.decided_by,
    }))
}
