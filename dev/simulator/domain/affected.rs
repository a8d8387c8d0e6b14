//! Affected items: how requests name them, and how responses show them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::hierarchy::{self, Item};
use super::pages::Page;
use crate::call::present;
use crate::reply::ApiError;
use crate::world::World;

/// A notice touches at most this many items by name.
const ITEMS_MAX: usize = 100;

/// One entry of `affected_items` in a request: exactly one of the three.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ItemName {
    #[serde(default, deserialize_with = "present")]
    id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    slug: Option<String>,
}

/// `true` for a valid external id: 1 to 128 letters, digits, dots, underscores, colons and hyphens.
pub fn is_external_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_allowed)
}

pub fn check_external_id(external_id: Option<&str>) -> Result<(), ApiError> {
    match external_id {
        Some(text) if !is_external_id(text) => Err(ApiError::invalid(
            "external_id must have 1 to 128 letters, digits, dots, underscores, colons or hyphens",
        )),
        _ => Ok(()),
    }
}

/// Finds the items that a request names.
pub fn resolve(page: &Page, names: &[ItemName]) -> Result<Vec<u64>, ApiError> {
    if names.len() > ITEMS_MAX {
        return Err(ApiError::invalid(format!("affected_items has more than {ITEMS_MAX} entries")));
    }
    let mut ids = Vec::new();
    for name in names {
        let id = name.resolve(page)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

impl ItemName {
    fn resolve(&self, page: &Page) -> Result<u64, ApiError> {
        let find = |matches: &dyn Fn(&Item) -> bool| page.items.iter().find(|item| matches(item));
        let (found, shown) = match (self.id, &self.external_id, &self.slug) {
            (Some(id), None, None) => (find(&|item| item.id == id), format!("id {id}")),
            (None, Some(wanted), None) => {
                (find(&|item| item.external_id == *wanted), format!("external_id \"{wanted}\""))
            }
            (None, None, Some(slug)) => (find(&|item| item.slug == *slug), format!("slug \"{slug}\"")),
            _ => {
                let message = "each entry of affected_items takes exactly one of id, external_id and slug";
                return Err(ApiError::invalid(message));
            }
        };
        let unknown = || ApiError::invalid(format!("affected_items names an unknown item: {shown}"));
        found.map(|item| item.id).ok_or_else(unknown)
    }
}

/// Affected items as responses show them. `own_status` wins over the computed one.
pub fn show(world: &World, page: &Page, ids: &[u64], own_status: Option<&str>) -> Value {
    let condition = hierarchy::condition(world, page);
    let items = ids.iter().filter_map(|id| page.items.iter().find(|item| item.id == *id));
    let shown = items.map(|item| {
        json!({
            "id": item.id,
            "external_id": item.external_id,
            "slug": item.slug,
            "name": item.name,
            "status": own_status.unwrap_or_else(|| condition.status_key(page, item.id)),
            "current_status": condition.status_key(page, item.id),
        })
    });
    shown.collect()
}
