//! What Beats leave behind: evidence events and runs.

use serde_json::{Value, json};

use super::super::dispatch::Call;
use super::super::wire::body::Query;
use super::super::wire::reply::{self, Handled};
use super::super::world::World;
use super::beats::{self, Beat};

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

/// `GET beats/{id}/events`
pub fn list_events(world: &World, call: &Call, id: u64) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let beat = beats::find(world, call.page_id, id)?;
    let events: Vec<_> = world.beats.events.iter().rev().filter(|event| event.beat_id == beat.id).collect();
    Ok(reply::list(events.iter().take(limit).map(|event| event.show(world, beat)).collect(), events.len()))
}

/// `GET beats/{id}/runs`
pub fn list_runs(world: &World, call: &Call, id: u64) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let beat = beats::find(world, call.page_id, id)?;
    let runs: Vec<_> = world.beats.runs.iter().rev().filter(|run| run.beat_id == beat.id).collect();
    Ok(reply::list(runs.iter().take(limit).map(|run| run.show()).collect(), runs.len()))
}

/// `GET beats/failures`: evidence of trouble over all Beats of the page, newest first.
pub fn list_failures(world: &World, call: &Call) -> Handled {
    let limit = Query::parse(call.request, &["limit"])?.limit()?;
    let failed = world.beats.events.iter().filter(|event| matches!(event.stage, "warning" | "critical"));
    let mut found: Vec<_> =
        failed.filter_map(|event| Some((event, beats::find(world, call.page_id, event.beat_id).ok()?))).collect();
    found.sort_by_key(|(event, _)| std::cmp::Reverse((event.created_at, event.id)));
    Ok(reply::list(found.iter().take(limit).map(|(event, beat)| event.show(world, beat)).collect(), found.len()))
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
    /// The run on the wire.
    pub fn show(&self) -> Value {
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
