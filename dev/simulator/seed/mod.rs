//! The seeded StatiBeat: two organizations, three pages, and a history that ends at the settings' `now`.
//!
//! Northwind Cloud (7) has the pages 42 and 43. Globex (9) has page 77, which nobody of Northwind may see.
//! On request, Meridian Group (11) has 60 pages more.

mod beats;
mod configuration;
mod evidence;
mod hierarchy;
mod incidents;
pub mod large;
mod maintenances;
mod people;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::Settings;
use crate::caller::connector_keys::ConnectorKeys;
use crate::limiter::Limiter;
use crate::secrets::Secrets;
use crate::sign_in::SignIns;
use crate::switches::faults::Faults;
use crate::world::World;

/// Ids from here on belong to objects that were created through the API.
const FIRST_FREE_ID: u64 = 9001;

pub fn world(settings: Settings) -> World {
    let now = settings.now;
    World {
        people: people::people(),
        pages: configuration::pages(now).into_iter().map(|page| (page.id, Arc::new(page))).collect(),
        incidents: incidents::incidents(now).into_iter().map(|incident| (incident.id, incident)).collect(),
        maintenances: maintenances::maintenances(now).into_iter().map(|entry| (entry.id, entry)).collect(),
        beats: beats::beats(now),
        next_id: FIRST_FREE_ID,
        secrets: Secrets::new(&settings.seed),
        sign_ins: SignIns::default(),
        connector_keys: ConnectorKeys::default(),
        used_assertions: HashMap::new(),
        limiter: Limiter::new(settings.writes_per_minute),
        faults: Faults::default(),
        ahead_seconds: 0,
        requests: VecDeque::new(),
        audit: Vec::new(),
        revision: 0,
        settings,
    }
}
