//! Results of Beats: evidence events and runs.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::beats::{self, Beat};
use crate::call::{LimitQuery, PageCall, limit, query_time, usual_limit};
use crate::reply::{self, Handled, time, with};
use crate::world::World;

/// An evidence event of a run or of an external source.
pub struct EvidenceEvent {
    pub id: u64,
    pub beat_id: u64,
    /// The stage it speaks for.
    pub stage: &'static str,
    pub created_at: i64,
    /// All further fields on the wire. Free text in here comes from outside and is not to be trusted.
    pub details: Value,
}

/// One run of a Beat.
#[derive(Serialize)]
pub struct BeatRun {
    pub id: u64,
    pub beat_id: u64,
    /// `schedule` or `manual`.
    pub trigger: &'static str,
    pub stage: &'static str,
    pub latency_ms: u64,
    #[serde(skip)]
    pub started_at: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    #[serde(default = "usual_limit", deserialize_with = "limit")]
    limit: usize,
    #[serde(default, deserialize_with = "query_time")]
    from: Option<i64>,
    #[serde(default, deserialize_with = "query_time")]
    to: Option<i64>,
}

/// `GET beats/{id}/events`
pub fn list_events(world: &mut World, call: &PageCall) -> Handled {
    let EventsQuery { limit, from, to } = call.query()?;
    let beat = beats::find(world, call, call.id())?;
    let is_within = |at: i64| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
    let own = world.beats.events.iter().rev().filter(|event| event.beat_id == beat.id);
    let events: Vec<_> = own.filter(|event| is_within(event.created_at)).collect();
    let shown: Vec<Value> = events.iter().take(limit).map(|event| event.show(world, beat)).collect();
    Ok(reply::list(shown, events.len()))
}

/// `GET beats/{id}/runs`
pub fn list_runs(world: &mut World, call: &PageCall) -> Handled {
    let LimitQuery { limit } = call.query()?;
    let beat = beats::find(world, call, call.id())?;
    let runs: Vec<_> = world.beats.runs.iter().rev().filter(|run| run.beat_id == beat.id).collect();
    let shown: Vec<Value> = runs.iter().take(limit).map(|run| run.show()).collect();
    Ok(reply::list(shown, runs.len()))
}

/// `GET beats/failures`: evidence of trouble over all Beats of the page, newest first.
pub fn list_failures(world: &mut World, call: &PageCall) -> Handled {
    let LimitQuery { limit } = call.query()?;
    let failed = world.beats.events.iter().filter(|event| matches!(event.stage, "warning" | "critical"));
    let mut found: Vec<_> =
        failed.filter_map(|event| Some((event, beats::find(world, call, event.beat_id).ok()?))).collect();
    found.sort_by_key(|(event, _)| Reverse((event.created_at, event.id)));
    let shown: Vec<Value> = found.iter().take(limit).map(|(event, beat)| event.show(world, beat)).collect();
    Ok(reply::list(shown, found.len()))
}

impl EvidenceEvent {
    fn show(&self, world: &World, beat: &Beat) -> Value {
        let shown = json!({
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
            "created_at": time(self.created_at),
        });
        with(shown, self.details.clone())
    }
}

impl BeatRun {
    pub fn show(&self) -> Value {
        with(json!(self), json!({ "region": "europe-west2", "started_at": time(self.started_at) }))
    }
}
