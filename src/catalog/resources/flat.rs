//! The components of a page as flat lines, `102 API / Gateway partial_outage`: a third of the length of the tree.

use super::body::JsonObject;
use crate::model::visible;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// Longest name in a path, in characters.
const NAME_MAX: usize = 60;
/// Most names in a path; also what ends a circle of parents.
const DEPTH_MAX: usize = 6;

pub struct Component {
    pub id: i64,
    path: String,
    status: String,
}

impl Component {
    pub fn line(&self) -> String {
        format!("{} {} {}", self.id, self.path, self.status)
    }

    pub fn into_parts(self) -> (i64, String) {
        (self.id, self.path)
    }
}

/// Every component, in upstream's order.
pub fn components(items: &[JsonObject]) -> Vec<Component> {
    let by_id: HashMap<i64, &JsonObject> = items.iter().filter_map(|item| Some((id(item)?, item))).collect();
    items.iter().filter_map(|item| component(item, &by_id)).collect()
}

/// The components that are not operational, without those whose status only follows from a component below them.
pub fn broken(items: &[JsonObject]) -> Vec<Component> {
    let is_broken = |item: &&JsonObject| !is_operational(item);
    let above: BTreeSet<i64> =
        items.iter().filter(is_broken).filter_map(|item| item.get("parent_id").and_then(Value::as_i64)).collect();
    let by_id: HashMap<i64, &JsonObject> = items.iter().filter_map(|item| Some((id(item)?, item))).collect();
    let lowest = items.iter().filter(is_broken).filter(|item| id(item).is_some_and(|id| !above.contains(&id)));
    lowest.filter_map(|item| component(item, &by_id)).collect()
}

/// A component whose list does not say is operational if its status has that key.
pub fn is_operational(item: &JsonObject) -> bool {
    item.get("operational").and_then(Value::as_bool).unwrap_or_else(|| status(item) == "operational")
}

fn component(item: &JsonObject, by_id: &HashMap<i64, &JsonObject>) -> Option<Component> {
    let name =
        |item: &JsonObject| visible::line(item.get("name").and_then(Value::as_str).unwrap_or_default(), NAME_MAX);
    let mut names = vec![name(item)];
    let mut above = item;
    while let Some(parent) = above.get("parent_id").and_then(Value::as_i64).and_then(|id| by_id.get(&id)) {
        if names.len() == DEPTH_MAX {
            break;
        }
        names.push(name(parent));
        above = parent;
    }
    names.reverse();
    Some(Component { id: id(item)?, path: names.join(" / "), status: visible::line(status(item), NAME_MAX) })
}

fn id(item: &JsonObject) -> Option<i64> {
    item.get("id").and_then(Value::as_i64)
}

fn status(item: &JsonObject) -> &str {
    item.get("status").and_then(Value::as_str).unwrap_or("operational")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(list: Value) -> Vec<JsonObject> {
        serde_json::from_value(list).expect("a list of objects")
    }

    #[test]
    fn lines_name_the_path_and_broken_ones_leave_out_parents_that_only_roll_up() {
        let items = items(json!([
            { "id": 1, "name": "API", "status": "partial_outage", "parent_id": null },
            { "id": 2, "name": "Gate\nway", "status": "partial_outage", "parent_id": 1 },
            { "id": 3, "name": "Search", "status": "up", "operational": true, "parent_id": 1 },
            { "id": 4, "name": "Circle", "status": "up", "operational": true, "parent_id": 4 },
        ]));
        let lines: Vec<String> = components(&items).iter().map(Component::line).collect();
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("1 API partial_outage", "3 API / Search up"));
        assert!(lines[1].starts_with("2 API / Gate") && !lines[1].contains('\n'), "{}", lines[1]);
        assert_eq!(broken(&items).iter().map(|one| one.id).collect::<Vec<_>>(), [2]);
    }
}
