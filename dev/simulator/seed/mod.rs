//! The seeded StatiBeat: two organizations, three pages, and a history that ends at the settings' `now`.
//!
//! Northwind Cloud (7) has the pages 42 and 43. Globex (9) has page 77, which nobody of Northwind may see.

mod beats;
mod configuration;
mod evidence;
mod hierarchy;
mod incidents;
mod maintenances;
mod people;

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Settings;
use super::caller::connector_keys::ConnectorKeys;
use super::secrets::Secrets;
use super::sign_in::SignIns;
use super::switches::faults::Faults;
use super::wire::limiter::Limiter;
use super::world::World;

/// Ids from here on belong to objects that were created through the API.
const FIRST_FREE_ID: u64 = 9001;

/// A freshly seeded world.
pub fn world(settings: Settings) -> World {
    let now = settings.now;
    let pages = configuration::pages(now);
    World {
        people: people::people(),
        pages: pages.into_iter().map(|page| (page.id, page)).collect(),
        incidents: by_id(incidents::incidents(now), |incident| incident.id),
        maintenances: by_id(maintenances::maintenances(now), |maintenance| maintenance.id),
        beats: beats::beats(now),
        next_id: FIRST_FREE_ID,
        secrets: Secrets::new(&settings.seed),
        sign_ins: SignIns::default(),
        connector_keys: ConnectorKeys::default(),
        spent_assertions: HashMap::new(),
        limiter: Limiter::new(settings.writes_per_minute),
        faults: Faults::default(),
        ahead_seconds: 0,
        requests: VecDeque::new(),
        audit: Vec::new(),
        revision: 0,
        settings,
    }
}

fn by_id<T>(list: Vec<T>, id: impl Fn(&T) -> u64) -> BTreeMap<u64, T> {
    list.into_iter().map(|entry| (id(&entry), entry)).collect()
}
