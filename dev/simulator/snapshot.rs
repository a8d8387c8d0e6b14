//! What the process keeps between starts: incidents, maintenances and Beat actions. The rest is seeded anew.

use serde::{Deserialize, Serialize};

use super::domain::beat_actions::BeatAction;
use super::domain::incidents::Incident;
use super::domain::maintenances::Maintenance;
use super::world::World;

/// Grows when the shape below changes; an older file is then refused.
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    version: u32,
    next_id: u64,
    incidents: Vec<Incident>,
    maintenances: Vec<Maintenance>,
    beat_actions: Vec<BeatAction>,
}

/// The snapshot as JSON.
pub fn write(world: &World) -> String {
    let snapshot = Snapshot {
        version: VERSION,
        next_id: world.next_id,
        incidents: world.incidents.values().cloned().collect(),
        maintenances: world.maintenances.values().cloned().collect(),
        beat_actions: world.beats.actions.clone(),
    };
    serde_json::to_string_pretty(&snapshot).expect("these types have string keys only and always serialize")
}

/// Puts a snapshot in place of the seeded data.
pub fn read(world: &mut World, text: &str) -> Result<(), String> {
    let snapshot: Snapshot = serde_json::from_str(text).map_err(|error| format!("not a snapshot: {error}"))?;
    if snapshot.version != VERSION {
        return Err(format!("snapshot version {} is not {VERSION}", snapshot.version));
    }
    world.next_id = snapshot.next_id;
    world.incidents = snapshot.incidents.into_iter().map(|incident| (incident.id, incident)).collect();
    world.maintenances = snapshot.maintenances.into_iter().map(|entry| (entry.id, entry)).collect();
    world.beats.actions = snapshot.beat_actions;
    world.changed();
    Ok(())
}
