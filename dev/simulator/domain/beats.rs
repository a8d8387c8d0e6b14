//! Beats (synthetic monitors), their groups, runs and evidence.

use serde_json::{Value, json};

use super::super::body::{self, Query};
use super::super::dispatch::Call;
use super::super::reply::{self, Handled, Refusal};
use super::super::routes::Endpoint;
use super::super::world::World;
use super::beat_actions::BeatAction;
use super::pages::list_all;

/// Everything that belongs to Beats, of all pages.
#[derive(Debug, Default)]
pub struct Beats {
    /// The Beats.
    pub beats: Vec<Beat>,
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

/// What a run or an external event left behind.
#[derive(Clone, Debug)]
pub struct EvidenceEvent {
    /// Numeric id.
    pub id: u64,
    /// The Beat.
    pub beat_id: u64,
    /// The stage it speaks for.
    pub stage: &'static str,
    /// When, in unix seconds.
    pub created_at: i64,
    /// All further fields on the wire. Free text in here comes from outside and is not to be trusted.
    pub details: Value,
}

/// One run of a Beat.
#[derive(Clone, Debug)]
pub struct BeatRun {
    /// Numeric id.
    pub id: u64,
    /// The Beat.
    pub beat_id: u64,
    /// `schedule` or `manual`.
    pub trigger: &'static str,
    /// What it found.
    pub stage: &'static str,
    /// Milliseconds it took.
    pub latency_ms: u64,
    /// When, in unix seconds.
    pub started_at: i64,
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
        Endpoint::BeatEvents(id) => list_events(world, call, *id),
        Endpoint::BeatRuns(id) => list_runs(world, call, *id),
        Endpoint::BeatFailures => list_failures(world, call),
        _ => list_groups(world, call),
    }
}

/// A Beat of a page.
pub fn find(world: &World, page_id: u64, id: u64) -> Result<&Beat, Refusal> {
    let found = world.beats.beats.iter().find(|beat| beat.id == id && beat.page_id == page_id);
    found.ok_or_else(|| Refusal::not_found("beat"))
}

fn list(world: &World, call: &Call) -> Handled {
    let in_full = Query::parse(call.request, &["view"])?.full()?;
    let on_page = world.beats.beats.iter().filter(|beat| beat.page_id == call.page_id);
    list_all(on_page.map(|beat| if in_full { beat.full() } else { beat.compact() }).collect())
}

fn list_events(world: &World, call: &Call, id: u64) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let beat = find(world, call.page_id, id)?;
    let events: Vec<_> = world.beats.events.iter().rev().filter(|event| event.beat_id == beat.id).collect();
    Ok(reply::list(events.iter().take(limit).map(|event| event.show(world, beat)).collect(), events.len()))
}

fn list_runs(world: &World, call: &Call, id: u64) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let beat = find(world, call.page_id, id)?;
    let runs: Vec<_> = world.beats.runs.iter().rev().filter(|run| run.beat_id == beat.id).collect();
    Ok(reply::list(runs.iter().take(limit).map(|run| run.show()).collect(), runs.len()))
}

/// Evidence of trouble over all Beats of the page, newest first.
fn list_failures(world: &World, call: &Call) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let failed = world.beats.events.iter().filter(|event| matches!(event.stage, "warning" | "critical"));
    let mut found: Vec<_> =
        failed.filter_map(|event| Some((event, find(world, call.page_id, event.beat_id).ok()?))).collect();
    found.sort_by_key(|(event, _)| std::cmp::Reverse((event.created_at, event.id)));
    Ok(reply::list(found.iter().take(limit).map(|(event, beat)| event.show(world, beat)).collect(), found.len()))
}

fn list_groups(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let groups = world.beats.groups.iter().filter(|group| group.page_id == call.page_id);
    let items = groups.map(|group| {
        let members: Vec<_> = world.beats.beats.iter().filter(|beat| beat.group_id == Some(group.id)).collect();
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
    list_all(items.collect())
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
    for beat in world.beats.beats.iter_mut().filter(|beat| beat.id == beat_id) {
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

impl EvidenceEvent {
    fn show(&self, world: &World, beat: &Beat) -> Value {
        let mut shown = json!({
            "id": self.id,
            "beat_id": beat.id,
            "beat_name": beat.name,
            "stage": self.stage,
            "evidence_summary": "",
            "latency_ms": null,
            "status_code": null,
            "region": null,
            "certificate_days_until_expiry": null,
            "browser_capture_status": null,
            "mtr_capture_status": null,
            "target_url": null,
            "external_trigger": null,
            "review_url": format!("{}/admin/pages/{}/beats/{}/events/{}", world.settings.origin, beat.page_id, beat.id, self.id),
            "created_at": reply::time(self.created_at),
        });
        for (name, value) in self.details.as_object().into_iter().flatten() {
            shown[name] = value.clone();
        }
        shown
    }
}

impl BeatRun {
    fn show(&self) -> Value {
        json!({
            "id": self.id,
            "beat_id": self.beat_id,
            "trigger": self.trigger,
            "stage": self.stage,
            "region": "europe-west2",
            "latency_ms": self.latency_ms,
            "started_at": reply::time(self.started_at),
        })
    }
}
