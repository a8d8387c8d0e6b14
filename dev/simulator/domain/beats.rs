//! Beats (synthetic monitors) and their groups. `evidence` holds what their runs leave behind.

use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::routes::Endpoint;
use super::super::wire::body::{self, Query};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::beat_actions::BeatAction;
use super::evidence::{self, BeatRun, EvidenceEvent};
use super::pages::list_all;

/// Everything that belongs to Beats, of all pages.
#[derive(Debug, Default)]
pub struct Beats {
    /// The Beats themselves.
    pub monitors: Vec<Beat>,
    /// Their groups.
    pub groups: Vec<BeatGroup>,
    /// Evidence, oldest first.
    pub events: Vec<EvidenceEvent>,
    /// Runs, oldest first.
    pub runs: Vec<BeatRun>,
    /// Actions that wait, or waited, for a person.
    pub actions: Vec<BeatAction>,
}

/// A Beat.
#[derive(Clone, Debug)]
pub struct Beat {
    /// Numeric id.
    pub id: u64,
    /// The page it watches for.
    pub page_id: u64,
    /// Name.
    pub name: &'static str,
    /// Type key.
    pub kind: &'static str,
    /// What it watches.
    pub description: &'static str,
    /// Whether it runs.
    pub enabled: bool,
    /// Seconds between runs.
    pub interval_seconds: u64,
    /// Milliseconds a run may take.
    pub timeout_ms: u64,
    /// Hierarchy items it speaks for.
    pub component_ids: Vec<u64>,
    /// Its group.
    pub group_id: Option<u64>,
    /// `healthy`, `warning`, `critical` or `unknown`.
    pub stage: &'static str,
    /// `disabled`, `draft_only` or `auto_post`.
    pub public_post_mode: &'static str,
    /// Target and expectations, as configured. Carries credentials, as real configurations do.
    pub configuration: Value,
    /// The latest run.
    pub last_run_at: Option<i64>,
}

/// A group of Beats that share their customer-facing automation.
#[derive(Clone, Debug)]
pub struct BeatGroup {
    /// Numeric id.
    pub id: u64,
    /// The page.
    pub page_id: u64,
    /// Name.
    pub name: &'static str,
    /// What it stands for.
    pub description: &'static str,
    /// `disabled`, `draft_only` or `auto_post`.
    pub public_post_mode: &'static str,
}

/// Answers the Beat operations of a page.
pub fn perform(world: &mut World, call: &Call, endpoint: &Endpoint) -> Handled {
    match endpoint {
        Endpoint::Beats => list(world, call),
        Endpoint::Beat(id) => {
            Query::parse(call.request, &[])?;
            Ok(reply::ok(&find(world, call.page_id, *id)?.full()))
        }
        Endpoint::BeatRun(id) => run(world, call, *id),
        Endpoint::BeatEvents(id) => evidence::list_events(world, call, *id),
        Endpoint::BeatRuns(id) => evidence::list_runs(world, call, *id),
        Endpoint::BeatFailures => evidence::list_failures(world, call),
        _ => list_groups(world, call),
    }
}

/// A Beat of a page.
pub fn find(world: &World, page_id: u64, id: u64) -> Result<&Beat, Refusal> {
    let found = world.beats.monitors.iter().find(|beat| beat.id == id && beat.page_id == page_id);
    found.ok_or_else(|| Refusal::not_found("beat"))
}

fn list(world: &World, call: &Call) -> Handled {
    let in_full = Query::parse(call.request, &["view"])?.full()?;
    let on_page = world.beats.monitors.iter().filter(|beat| beat.page_id == call.page_id);
    let shown = on_page.map(|beat| if in_full { beat.full() } else { beat.compact() });
    Ok(list_all(shown.collect()))
}

fn list_groups(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let groups = world.beats.groups.iter().filter(|group| group.page_id == call.page_id);
    let items = groups.map(|group| {
        let members: Vec<_> = world.beats.monitors.iter().filter(|beat| beat.group_id == Some(group.id)).collect();
        let worst = ["critical", "warning", "unknown", "healthy"];
        let worst = worst.into_iter().find(|stage| members.iter().any(|beat| beat.stage == *stage));
        let shown = members.iter().map(
            |beat| json!({ "id": beat.id, "name": beat.name, "enabled": beat.enabled, "current_stage": beat.stage }),
        );
        json!({
            "id": group.id,
            "name": group.name,
            "description": group.description,
            "public_post_mode": group.public_post_mode,
            "current_stage": worst.unwrap_or("unknown"),
            "members": shown.collect::<Vec<_>>(),
        })
    });
    Ok(list_all(items.collect()))
}

/// `POST beats/{id}/run`: the run confirms the stage the Beat is in.
fn run(world: &mut World, call: &Call, id: u64) -> Handled {
    body::none(call.request)?;
    let beat = find(world, call.page_id, id)?;
    if !beat.enabled {
        return Err(Refusal::conflict("beat is disabled"));
    }
    let (beat_id, stage) = (beat.id, beat.stage);
    let id = world.allocate_id();
    let run = BeatRun { id, beat_id, trigger: "manual", stage, latency_ms: 180, started_at: call.now };
    let shown = run.show();
    world.beats.runs.push(run);
    for beat in world.beats.monitors.iter_mut().filter(|beat| beat.id == beat_id) {
        beat.last_run_at = Some(call.now);
    }
    Ok(reply::json_response(http::StatusCode::ACCEPTED, &shown))
}

impl Beat {
    fn compact(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind,
            "enabled": self.enabled,
            "current_stage": self.stage,
            "public_post_mode": self.public_post_mode,
            "beat_group_id": self.group_id,
            "component_ids": self.component_ids,
            "last_run_at": reply::time_or_null(self.last_run_at),
        })
    }

    fn full(&self) -> Value {
        let mut document = self.compact();
        document["description"] = json!(self.description);
        document["interval_seconds"] = json!(self.interval_seconds);
        document["timeout_ms"] = json!(self.timeout_ms);
        document["regions"] = json!(["europe-west2"]);
        document["configuration"] = self.configuration.clone();
        document
    }
}
