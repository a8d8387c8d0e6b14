//! The hierarchy of a page, and the computed status of its items: the worst of the open incidents that touch an item
//! or anything below it.

use std::collections::HashMap;

use serde_json::json;

use super::super::dispatch::Call;
use super::super::wire::body::Query;
use super::super::wire::reply::Handled;
use super::super::world::World;
use super::maintenances::State as MaintenanceState;
use super::pages::{self, Page};

/// A level of the hierarchy.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// Numeric id.
    pub id: u64,
    /// Depth; 1 is the top.
    pub depth: u64,
    /// Name of one item.
    pub singular: &'static str,
    /// Name of many.
    pub plural: &'static str,
}

/// A service, platform, region or component.
#[derive(Clone, Debug)]
pub struct Item {
    /// Numeric id.
    pub id: u64,
    /// The item above.
    pub parent_id: Option<u64>,
    /// Depth of its level.
    pub depth: u64,
    /// Identifier of the customer's own.
    pub external_id: String,
    /// Name in addresses.
    pub slug: String,
    /// Name.
    pub name: &'static str,
    /// Short name.
    pub abbreviated_name: &'static str,
    /// What it is.
    pub description: &'static str,
}

/// The computed condition of all items of a page.
#[derive(Debug)]
pub struct Standing {
    ranks: HashMap<u64, usize>,
    under_maintenance: HashMap<u64, bool>,
}

impl Standing {
    /// Rank of severity of an item's status; 0 is operational.
    pub fn rank(&self, item_id: u64) -> Option<usize> {
        self.ranks.get(&item_id).copied()
    }

    /// The key of an item's status.
    pub fn status_key(&self, page: &Page, item_id: u64) -> &'static str {
        page.statuses[self.rank(item_id).unwrap_or(0)].key
    }
}

/// Computes how a page's items stand now.
pub fn standing(world: &World, page: &Page) -> Standing {
    let mut standing = Standing { ranks: HashMap::new(), under_maintenance: HashMap::new() };
    for item in &page.items {
        standing.ranks.insert(item.id, 0);
        standing.under_maintenance.insert(item.id, false);
    }
    let open =
        world.incidents.values().filter(|incident| incident.page_id == page.id && incident.resolved_at.is_none());
    for incident in open {
        let rank = page.find_status(&incident.status).map_or(0, |(rank, _)| rank);
        for item_id in &incident.affected {
            for_each_upward(page, *item_id, |id| {
                standing.ranks.entry(id).and_modify(|known| *known = rank.max(*known));
            });
        }
    }
    let running = world.maintenances.values().filter(|maintenance| maintenance.page_id == page.id);
    for maintenance in running.filter(|maintenance| maintenance.state(page) == MaintenanceState::Active) {
        for item_id in &maintenance.affected {
            standing.under_maintenance.insert(*item_id, true);
        }
    }
    standing
}

fn for_each_upward(page: &Page, item_id: u64, mut visit: impl FnMut(u64)) {
    let mut next = Some(item_id);
    while let Some(id) = next {
        visit(id);
        next = page.items.iter().find(|item| item.id == id).and_then(|item| item.parent_id);
    }
}

/// `GET hierarchy/levels`
pub fn levels(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let levels = pages::of(world, call.page_id)?.levels.iter();
    let items = levels.map(
        |level| json!({ "id": level.id, "depth": level.depth, "name": level.singular, "plural_name": level.plural }),
    );
    Ok(pages::list_all(items.collect()))
}

/// `GET hierarchy/items`: flat, parents before children; the tree is in `parent_id`.
pub fn items(world: &World, call: &Call) -> Handled {
    Query::parse(call.request, &[])?;
    let page = pages::of(world, call.page_id)?;
    let standing = standing(world, page);
    let describe = |(index, item): (usize, &Item)| {
        json!({
            "id": item.id,
            "parent_id": item.parent_id,
            "level": item.depth,
            "name": item.name,
            "abbreviated_name": item.abbreviated_name,
            "external_id": item.external_id,
            "slug": item.slug,
            "description": item.description,
            "status": standing.status_key(page, item.id),
            "under_maintenance": standing.under_maintenance[&item.id],
            "display_order": index + 1,
            "metadata": {},
        })
    };
    Ok(pages::list_all(page.items.iter().enumerate().map(describe).collect()))
}
