//! The hierarchy as a tree, built from flat items that name their parents.
//!
//! Upstream promises a forest. Should it not be one (a parent that is missing, a circle, an absurd depth), every item
//! still appears exactly once: those that hang nowhere stand at the top and are counted as `detached`. A tree that is
//! too long for one result is shown from the top down; an item says how many of its children were left out.

use super::body::{self, LIST_BYTES, Listing};
use super::flat;
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Deeper items are detached. Real hierarchies have three to five levels; this only keeps the recursion of every JSON
/// reader behind us small.
const DEPTH_MAX: usize = 32;

const LEVEL: &[Shown] = &[Plain("depth"), Text("name", 60, People)];
const ITEM: &[Shown] = &[
    Plain("id"),
    Text("name", 100, People),
    Plain("external_id"),
    Plain("slug"),
    Plain("status"),
    Plain("under_maintenance"),
];

type Item = Map<String, Value>;

/// The levels, and the items as a tree with `children` where there are any; with `under_id`, one branch of it.
pub fn tree(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [levels, items] = body::answers(answers)?;
    let mut result = json!({ "page": body::page(subject)? });
    if !levels.is_null() {
        let levels = Listing::read(levels, "the list of levels", None)?;
        result["levels"] = levels.items.iter().map(|level| shown::show(LEVEL, level)).collect();
    }
    let listing = Listing::read(items, "the list of items", None)?;
    let mut forest = Forest::plant(listing.items);
    if let Some(id) = subject.variables.get("under_id") {
        forest.keep_branch(id)?;
    }
    if subject.variables.contains_key("not_operational") {
        forest.keep_broken();
    }
    result["total"] = json!(forest.order.len());
    result["detached"] = json!(forest.detached);
    let (tree, returned) = forest.grow();
    result["returned"] = json!(returned);
    result["truncated"] = json!(result["total"] != result["returned"]);
    if result["truncated"] == true {
        let path = subject.uri.split('?').next().unwrap_or_default();
        result["next"] = json!(format!("{path}?under_id={{id}} shows the branch of one item."));
    }
    result["tree"] = Value::Array(tree);
    body::label(&mut result, &[LEVEL, ITEM]);
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
        items.sort_by_key(body::position);
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

    /// Only the item of that id and what hangs below it.
    fn keep_branch(&mut self, id: &str) -> Result<(), DocumentError> {
        let id = id.parse::<i64>().ok();
        let of_id = |index: &usize| id.is_some() && self.items[*index].get("id").and_then(Value::as_i64) == id;
        let root = self.order.iter().copied().find(of_id).ok_or(DocumentError::Absent)?;
        let mut kept = vec![false; self.items.len()];
        for index in &self.order {
            kept[*index] = *index == root || self.under[*index].is_some_and(|parent| kept[parent]);
        }
        self.order.retain(|index| kept[*index]);
        self.under[root] = None;
        self.detached = 0;
        Ok(())
    }

    /// Only the items that are not operational, and those above them.
    fn keep_broken(&mut self) {
        let mut kept = vec![false; self.items.len()];
        for index in self.order.iter().rev() {
            kept[*index] |= !flat::is_operational(&self.items[*index]);
            if let (true, Some(parent)) = (kept[*index], self.under[*index]) {
                kept[parent] = true;
            }
        }
        self.order.retain(|index| kept[*index]);
    }

    /// Decides from the top down which items fit into the result.
    fn fitting(&self, shown: &[Value]) -> Vec<bool> {
        let mut depth = vec![0; self.items.len()];
        for index in &self.order {
            depth[*index] = self.under[*index].map_or(0, |parent| depth[parent] + 1);
        }
        let mut downward = self.order.clone();
        downward.sort_by_key(|index| depth[*index]);
        let (mut fits, mut bytes) = (vec![false; self.items.len()], 0);
        for index in downward {
            bytes += shown[index].to_string().len() + r#","children":[]"#.len();
            if bytes > LIST_BYTES {
                break;
            }
            fits[index] = true;
        }
        fits
    }

    /// Hangs every item that fits under its parent, the deepest first; the tops, and how many items there are in all.
    fn grow(self) -> (Vec<Value>, usize) {
        let mut shown: Vec<Value> = self.items.iter().map(|item| shown::show(ITEM, item)).collect();
        let fits = self.fitting(&shown);
        let mut branches: Vec<Vec<Value>> = vec![Vec::new(); shown.len()];
        let mut left_out = vec![0; shown.len()];
        let mut tops = Vec::new();
        for index in self.order.into_iter().rev() {
            let parent = self.under[index];
            if !fits[index] {
                if let Some(parent) = parent {
                    left_out[parent] += 1;
                }
                continue;
            }
            let mut item = shown[index].take();
            let mut children = std::mem::take(&mut branches[index]);
            if !children.is_empty() {
                children.reverse();
                item["children"] = Value::Array(children);
            }
            if left_out[index] > 0 {
                item["children_left_out"] = json!(left_out[index]);
            }
            parent.map_or(&mut tops, |parent| &mut branches[parent]).push(item);
        }
        tops.reverse();
        (tops, fits.into_iter().filter(|fits| *fits).count())
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

#[cfg(test)]
mod tests;
