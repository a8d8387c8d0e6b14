//! The hierarchy as a tree, built from flat items that name their parents.
//!
//! Upstream promises a forest. Should it not be one (a parent that is missing, a circle, an absurd depth), every item
//! still appears exactly once: those that hang nowhere stand at the top and are counted as `detached`.

use super::body::{self, Listing};
use crate::catalog::{BodyError, Subject};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Deeper items are detached. Real hierarchies have three to five levels; this only keeps the recursion of every JSON
/// reader behind us small.
const DEPTH_MAX: usize = 32;

type Item = Map<String, Value>;

/// The levels, and the items as a tree with `children` where there are any.
pub fn tree(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, BodyError> {
    let [levels, items] = body::answers(answers)?;
    let levels = Listing::read(levels, "the list of levels", None)?;
    let listing = Listing::read(items, "the list of items", None)?;
    let mut result = json!({ "page": body::page(subject)?, "levels": levels.items });
    listing.describe(&mut result);
    let items: Result<Vec<Item>, BodyError> =
        listing.items.into_iter().map(|item| body::object(item, "a hierarchy item")).collect();
    let forest = Forest::plant(items?);
    result["detached"] = json!(forest.detached);
    result["tree"] = Value::Array(forest.grow());
    Ok(result)
}

struct Forest {
    items: Vec<Item>,
    /// Every item once, each after the one it hangs under.
    order: Vec<usize>,
    /// Under which item each one hangs.
    under: Vec<Option<usize>>,
    detached: usize,
}

impl Forest {
    fn plant(mut items: Vec<Item>) -> Forest {
        items.sort_by_key(position);
        let parents = parents(&items);
        let mut children = vec![Vec::new(); items.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Parent::Item(parent) = parent {
                children[*parent].push(index);
            }
        }
        let mut walk =
            Walk { children, placed: vec![false; items.len()], order: vec![], under: vec![None; items.len()] };
        let is_top = |index: &usize| matches!(parents[*index], Parent::None);
        for top in (0..items.len()).filter(is_top) {
            walk.place(top);
        }
        // Orphans before circles, so that a whole branch stays together under its orphan.
        let is_orphan = |index: &usize| matches!(parents[*index], Parent::Missing);
        let detached =
            (0..items.len()).filter(is_orphan).chain(0..items.len()).filter(|index| walk.place(*index)).count();
        Forest { order: walk.order, under: walk.under, items, detached }
    }

    /// Hangs every item under its parent, the deepest first.
    fn grow(mut self) -> Vec<Value> {
        let mut branches: Vec<Vec<Value>> = vec![Vec::new(); self.items.len()];
        let mut tops = Vec::new();
        for index in self.order.into_iter().rev() {
            let mut item = std::mem::take(&mut self.items[index]);
            let mut children = std::mem::take(&mut branches[index]);
            if !children.is_empty() {
                children.reverse();
                item.insert("children".to_owned(), Value::Array(children));
            }
            self.under[index].map_or(&mut tops, |parent| &mut branches[parent]).push(Value::Object(item));
        }
        tops.reverse();
        tops
    }
}

struct Walk {
    children: Vec<Vec<usize>>,
    placed: Vec<bool>,
    order: Vec<usize>,
    under: Vec<Option<usize>>,
}

impl Walk {
    /// Puts an item at the top and everything not yet placed below it; whether it was still to be placed.
    fn place(&mut self, top: usize) -> bool {
        if self.placed[top] {
            return false;
        }
        let mut pending = vec![(top, None, 1)];
        while let Some((index, under, depth)) = pending.pop() {
            if std::mem::replace(&mut self.placed[index], true) {
                continue;
            }
            self.under[index] = under;
            self.order.push(index);
            if depth < DEPTH_MAX {
                pending.extend(self.children[index].iter().rev().map(|child| (*child, Some(index), depth + 1)));
            }
        }
        true
    }
}

enum Parent {
    None,
    Missing,
    Item(usize),
}

fn parents(items: &[Item]) -> Vec<Parent> {
    let mut by_id = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(id) = item.get("id").and_then(Value::as_i64) {
            by_id.entry(id).or_insert(index);
        }
    }
    let parent = |item: &Item| match item.get("parent_id") {
        None | Some(Value::Null) => Parent::None,
        Some(id) => id.as_i64().and_then(|id| by_id.get(&id)).map_or(Parent::Missing, |index| Parent::Item(*index)),
    };
    items.iter().map(parent).collect()
}

/// Where an item wants to stand among its siblings; those that do not say keep upstream's order, at the end.
fn position(item: &Item) -> i64 {
    ["position", "display_order"].iter().find_map(|name| item.get(*name)?.as_i64()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(items: &[(i64, Option<i64>)], expected: &str, detached: usize) {
        let items = items.iter().map(|(id, parent)| match json!({ "id": id, "parent_id": parent }) {
            Value::Object(item) => item,
            _ => Item::new(),
        });
        let forest = Forest::plant(items.collect());
        assert_eq!(forest.detached, detached, "detached in {expected}");
        assert_eq!(draw(&forest.grow()), expected);
    }

    fn draw(items: &[Value]) -> String {
        let draw_one = |item: &Value| match item["children"].as_array() {
            Some(children) => format!("{}({})", item["id"], draw(children)),
            None => item["id"].to_string(),
        };
        items.iter().map(draw_one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn items_hang_under_their_parents_in_order() {
        check(&[], "", 0);
        check(&[(1, None), (2, Some(1)), (3, Some(1)), (4, Some(2)), (5, None)], "1(2(4) 3) 5", 0);
        check(&[(4, Some(2)), (2, Some(1)), (1, None)], "1(2(4))", 0);
    }

    #[test]
    fn every_item_appears_once_even_if_upstream_gives_no_forest() {
        check(&[(1, None), (2, Some(9)), (3, Some(2))], "1 2(3)", 1);
        check(&[(1, Some(1))], "1", 1);
        check(&[(1, Some(2)), (2, Some(1)), (3, Some(2)), (4, None)], "4 1(2(3))", 1);
        check(&[(1, None), (1, None), (2, Some(1))], "1(2) 1", 0);
        check(&[(3, Some(2)), (2, Some(9))], "2(3)", 1);
    }

    #[test]
    fn depth_is_bounded() {
        let chain: Vec<(i64, Option<i64>)> = (1..=100_000).map(|id| (id, (id > 1).then_some(id - 1))).collect();
        let items = chain.iter().map(|(id, parent)| json!({ "id": id, "parent_id": parent })).collect::<Vec<_>>();
        let items: Vec<Item> = items.into_iter().filter_map(|item| body::object(item, "item").ok()).collect();
        let forest = Forest::plant(items);
        assert_eq!(forest.detached, 100_000 / DEPTH_MAX - 1);
        assert_eq!(forest.grow().len(), 100_000 / DEPTH_MAX);
    }

    #[test]
    fn siblings_stand_by_position() {
        let items = json!([{ "id": 1, "position": 2 }, { "id": 2 }, { "id": 3, "display_order": 1 }]);
        let page = json!({ "id": 7, "name": "Acme" });
        let variables = crate::catalog::Variables::new();
        let subject = Subject { variables: &variables, page: Some(&page) };
        let shown = tree(&subject, vec![json!([]), items]).expect("the answers have the promised shape");
        let ids: Vec<&Value> = shown["tree"].as_array().expect("a list").iter().map(|item| &item["id"]).collect();
        assert_eq!(ids, [3, 1, 2]);
        assert_eq!((&shown["page"]["name"], &shown["total"]), (&json!("Acme"), &json!(3)));
    }
}
