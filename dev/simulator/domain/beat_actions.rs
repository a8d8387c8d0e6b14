//! Beat actions: what a Beat would post, waiting for a person to approve or reject it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::affected;
use super::incidents::Incident;
use super::notices::{Author, Notice, Origin};
use crate::call::{PageCall, limit, usual_limit};
use crate::reply::{self, ApiError, Handled, time, time_or_null};
use crate::world::World;

#[derive(Clone, Deserialize, Serialize)]
pub struct BeatAction {
    pub id: u64,
    pub page_id: u64,
    pub beat_id: u64,
    /// `create_incident` or `post_update`.
    pub kind: String,
    pub state: ActionState,
    /// Title of the incident that it would open, or touches.
    pub title: String,
    /// The text that approving it posts.
    pub message: String,
    pub proposed_status: String,
    /// Ids of items it would mark.
    pub affected: Vec<u64>,
    /// The incident it updates, or has opened.
    pub incident_id: Option<u64>,
    /// The Beat's evidence: untrusted text from outside.
    pub evidence_summary: String,
    /// The external event behind it, redacted.
    pub external_trigger: Option<Value>,
    pub created_at: i64,
    pub decided_at: Option<i64>,
    pub decided_by: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    Pending,
    Approved,
    Rejected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionsQuery {
    status: Option<ActionState>,
    #[serde(default = "usual_limit", deserialize_with = "limit")]
    limit: usize,
}

/// `GET beats/actions`
pub fn list(world: &mut World, call: &PageCall) -> Handled {
    let query: ActionsQuery = call.query()?;
    let on_page = world.beats.actions.iter().rev().filter(|action| action.page_id == call.page_id);
    let found: Vec<_> = on_page.filter(|action| query.status.is_none_or(|wanted| wanted == action.state)).collect();
    let shown: Vec<Value> = found.iter().take(query.limit).map(|action| action.show(world)).collect();
    Ok(reply::list(shown, found.len()))
}

/// `POST beats/actions/{id}/approve`
pub fn approve(world: &mut World, call: &PageCall) -> Handled {
    decide(world, call, ActionState::Approved)
}

/// `POST beats/actions/{id}/reject`
pub fn reject(world: &mut World, call: &PageCall) -> Handled {
    decide(world, call, ActionState::Rejected)
}

fn decide(world: &mut World, call: &PageCall, decision: ActionState) -> Handled {
    call.no_body()?;
    let is_wanted = |action: &BeatAction| action.id == call.id() && action.page_id == call.page_id;
    let index = world.beats.actions.iter().position(is_wanted).ok_or_else(|| ApiError::not_found("beat action"))?;
    let mut action = world.beats.actions[index].clone();
    match action.state {
        ActionState::Pending => {}
        ActionState::Approved => return Err(ApiError::conflict("beat action is already approved")),
        ActionState::Rejected => return Err(ApiError::conflict("beat action is already rejected")),
    }
    if decision == ActionState::Approved {
        action.incident_id = Some(post(world, &action, call.now));
    }
    action.state = decision;
    action.decided_at = Some(call.now);
    action.decided_by = Some(call.caller.author().name);
    let shown = action.show(world);
    world.beats.actions[index] = action;
    world.changed();
    Ok(reply::ok(&shown))
}

/// Posts what was approved, and names the incident it went to.
fn post(world: &mut World, action: &BeatAction, now: i64) -> u64 {
    let author = Author::automation();
    let id = world.allocate_id();
    if let Some(incident) = action.incident_id.and_then(|id| world.incidents.get_mut(&id)) {
        incident.append(id, action.message.clone(), author, now, Origin::default());
        return incident.id;
    }
    let incident = Notice {
        id,
        page_id: action.page_id,
        external_id: None,
        created_with: None,
        title: action.title.clone(),
        description: action.message.clone(),
        impact: None,
        stage_id: world.page(action.page_id).stages[0].id,
        affected: action.affected.clone(),
        affected_freetext: None,
        author,
        updated_at: now,
        updates: Vec::new(),
        own: Incident::new(&action.proposed_status, now),
    };
    world.incidents.insert(id, incident);
    id
}

impl BeatAction {
    fn show(&self, world: &World) -> Value {
        let page = world.page(self.page_id);
        let beat = world.beats.monitors.iter().find(|beat| beat.id == self.beat_id);
        json!({
            "id": self.id,
            "beat_id": self.beat_id,
            "beat_name": beat.map(|beat| beat.name),
            "beat_group_id": beat.and_then(|beat| beat.group_id),
            "kind": self.kind,
            "state": self.state,
            "title": self.title,
            "message": self.message,
            "proposed_status": self.proposed_status,
            "affected_items": affected::show(world, &page, &self.affected, None),
            "incident_id": self.incident_id,
            "evidence_summary": self.evidence_summary,
            "external_trigger": self.external_trigger,
            "review_url": format!("{}/admin/pages/{}/beats/actions/{}", world.settings.origin, page.id, self.id),
            "created_at": time(self.created_at),
            "decided_at": time_or_null(self.decided_at),
            "decided_by": self.decided_by,
        })
    }
}
