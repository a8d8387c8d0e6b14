//! The hierarchy of a page, and the computed status of its items: the worst of the open incidents that touch an item
//! or anything below it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::json;

use super::maintenances::Maintenance;
use super::notices::{NoticeKind as _, State};
use super::pages::Page;
use crate::call::PageCall;
use crate::reply::{self, Handled, with};
use crate::world::World;

/// A level of the hierarchy; depth 1 is the top.
#[derive(Serialize)]
pub struct Level {
    pub id: u64,
    pub depth: u64,
    #[serde(rename = "name")]
    pub singular: &'static str,
    #[serde(rename = "plural_name")]
    pub plural: &'static str,
}

/// A service, platform, region or component.
#[derive(Serialize)]
pub struct Item {
    pub id: u64,
    pub parent_id: Option<u64>,
    #[serde(rename = "level")]
    pub depth: u64,
    pub external_id: String,
    pub slug: String,
    pub name: &'static str,
    pub abbreviated_name: &'static str,
    pub description: &'static str,
}

/// The computed condition of all items of a page.
#[derive(Default)]
pub struct Condition {
    /// Rank of severity by item; 0 is operational.
    ranks: HashMap<u64, usize>,
    under_maintenance: Vec<u64>,
}

impl Condition {
    pub fn worst(&self) -> usize {
        self.ranks.values().max().copied().unwrap_or(0)
    }

    pub fn is_under_maintenance(&self, item_id: u64) -> bool {
        self.under_maintenance.contains(&item_id)
    }

    fn is_operational(&self, page: &Page, item_id: u64) -> bool {
        page.statuses[self.ranks.get(&item_id).copied().unwrap_or(0)].operational
    }

    pub fn status_key(&self, page: &Page, item_id: u64) -> &'static str {
        page.statuses[self.ranks.get(&item_id).copied().unwrap_or(0)].key
    }
}

pub fn condition(world: &World, page: &Page) -> Condition {
    let mut condition = Condition::default();
    let incidents = world.incidents.values().filter(|incident| incident.page_id == page.id && incident.own.is_open());
    for incident in incidents {
        let rank = page.find_status(&incident.own.status).map_or(0, |(rank, _)| rank);
        for item_id in incident.affected.iter().flat_map(|id| upward(page, *id)) {
            let known = condition.ranks.entry(item_id).or_default();
            *known = rank.max(*known);
        }
    }
    let maintenances = world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    let active = maintenances.filter(|maintenance| Maintenance::state(maintenance, page) == State::Active);
    condition.under_maintenance = active.flat_map(|maintenance| maintenance.affected.clone()).collect();
    condition
}

/// An item and everything above it.
pub fn upward(page: &Page, item_id: u64) -> impl Iterator<Item = u64> {
    let parent = |id: &u64| page.items.iter().find(|item| item.id == *id).and_then(|item| item.parent_id);
    std::iter::successors(Some(item_id), parent)
}

/// `GET hierarchy/levels`
pub fn levels(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    Ok(reply::list_all(world.page(call.page_id).levels.iter().map(|level| json!(level))))
}

/// `GET hierarchy/items`: flat, parents before children; the tree is in `parent_id`.
pub fn items(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let page = world.page(call.page_id);
    let condition = condition(world, &page);
    Ok(reply::list_all((1..).zip(&page.items).map(|(position, item)| {
        with(
            json!(item),
            json!({
                "status": condition.status_key(&page, item.id),
                "operational": condition.is_operational(&page, item.id),
                "under_maintenance": condition.is_under_maintenance(item.id),
                "display_order": position,
                "metadata": {},
            }),
        )
    })))
}
