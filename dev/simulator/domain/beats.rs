//! Beats (synthetic monitors) and their groups. `evidence` holds what their runs leave behind.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::beat_actions::BeatAction;
use super::evidence::{BeatRun, EvidenceEvent};
use crate::call::{PageCall, View};
use crate::reply::{self, ApiError, Handled, time, time_or_null, with};
use crate::world::World;

/// A full document has this many changes of stage.
const STAGE_CHANGES_SHOWN: usize = 20;

/// Everything that belongs to Beats, of all pages.
pub struct Beats {
    pub monitors: Vec<Beat>,
    pub groups: Vec<BeatGroup>,
    /// In order of time, oldest first.
    pub events: Vec<EvidenceEvent>,
    /// In order of time, oldest first.
    pub runs: Vec<BeatRun>,
    /// Actions that wait, or waited, for a person.
    pub actions: Vec<BeatAction>,
}

#[derive(Serialize)]
pub struct Beat {
    pub id: u64,
    #[serde(skip)]
    pub page_id: u64,
    pub name: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub enabled: bool,
    /// `healthy`, `warning`, `critical` or `unknown`.
    #[serde(rename = "current_stage")]
    pub stage: &'static str,
    /// `disabled`, `draft_only` or `auto_post`.
    pub public_post_mode: &'static str,
    #[serde(rename = "beat_group_id")]
    pub group_id: Option<u64>,
    /// Hierarchy items it speaks for.
    pub component_ids: Vec<u64>,
    #[serde(skip)]
    pub last_run_at: Option<i64>,
    /// In order of time, oldest first.
    #[serde(skip)]
    pub stage_changes: Vec<StageChange>,
    #[serde(skip)]
    pub details: BeatDetails,
}

/// A Beat's move from one stage to another; a recovery leads to `healthy`.
pub struct StageChange {
    pub stage: &'static str,
    pub previous_stage: &'static str,
    pub changed_at: i64,
}

/// Fields that only the full document of a Beat has.
#[derive(Serialize)]
pub struct BeatDetails {
    pub description: &'static str,
    pub interval_seconds: u64,
    pub timeout_ms: u64,
    pub regions: [&'static str; 1],
    /// The configured target without credentials and query.
    pub target: String,
    pub thresholds: Value,
    /// Target and expectations, as configured. Carries credentials, as real configurations do.
    pub configuration: Value,
}

/// A group of Beats that share their customer-facing automation.
#[derive(Serialize)]
pub struct BeatGroup {
    pub id: u64,
    #[serde(skip)]
    pub page_id: u64,
    pub name: &'static str,
    pub description: &'static str,
    /// `disabled`, `draft_only` or `auto_post`.
    pub public_post_mode: &'static str,
}

/// A Beat of the call's page.
pub fn find<'a>(world: &'a World, call: &PageCall, id: u64) -> Result<&'a Beat, ApiError> {
    let found = world.beats.monitors.iter().find(|beat| beat.id == id && beat.page_id == call.page_id);
    found.ok_or_else(|| ApiError::not_found("beat"))
}

/// `GET beats/{id}`
pub fn show(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    Ok(reply::ok(&find(world, call, call.id())?.full()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeatsQuery {
    view: Option<View>,
}

/// `GET beats`
pub fn list(world: &mut World, call: &PageCall) -> Handled {
    let BeatsQuery { view } = call.query()?;
    let on_page = world.beats.monitors.iter().filter(|beat| beat.page_id == call.page_id);
    Ok(reply::list_all(on_page.map(|beat| if view.is_some() { beat.full() } else { beat.compact() })))
}

/// `GET beat-groups`
pub fn list_groups(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let groups = world.beats.groups.iter().filter(|group| group.page_id == call.page_id);
    Ok(reply::list_all(groups.map(|group| {
        let members: Vec<_> = world.beats.monitors.iter().filter(|beat| beat.group_id == Some(group.id)).collect();
        let worst = ["critical", "warning", "unknown", "healthy"];
        let worst = worst.into_iter().find(|stage| members.iter().any(|beat| beat.stage == *stage));
        let shown = members.iter().map(
            |beat| json!({ "id": beat.id, "name": beat.name, "enabled": beat.enabled, "current_stage": beat.stage }),
        );
        let shown: Vec<Value> = shown.collect();
        with(json!(group), json!({ "current_stage": worst.unwrap_or("unknown"), "members": shown }))
    })))
}

/// `POST beats/{id}/run`: the run confirms the stage that the Beat is in.
pub fn run(world: &mut World, call: &PageCall) -> Handled {
    call.no_body()?;
    let beat = find(world, call, call.id())?;
    if !beat.enabled {
        return Err(ApiError::conflict("beat is disabled"));
    }
    let (beat_id, stage) = (beat.id, beat.stage);
    let id = world.allocate_id();
    let run = BeatRun { id, beat_id, trigger: "manual", stage, latency_ms: 180, started_at: call.now };
    let shown = run.show();
    world.beats.runs.push(run);
    for beat in world.beats.monitors.iter_mut().filter(|beat| beat.id == beat_id) {
        beat.last_run_at = Some(call.now);
    }
    Ok(reply::respond(StatusCode::ACCEPTED, &shown))
}

impl Beat {
    fn compact(&self) -> Value {
        let since = self.stage_changes.last().map(|change| change.changed_at);
        with(json!(self), json!({ "last_run_at": time_or_null(self.last_run_at), "stage_since": time_or_null(since) }))
    }

    fn full(&self) -> Value {
        let newest = self.stage_changes.iter().rev().take(STAGE_CHANGES_SHOWN).map(|change| {
            json!({
                "stage": change.stage, "previous_stage": change.previous_stage, "changed_at": time(change.changed_at),
            })
        });
        let changes = json!({ "stage_changes": newest.collect::<Vec<_>>() });
        with(with(self.compact(), json!(self.details)), changes)
    }
}
