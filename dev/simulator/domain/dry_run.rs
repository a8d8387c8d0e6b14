//! `dry_run=true`: executes a write with its own handler, describes its effect, and restores the state.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use axum::body::to_bytes;
use axum::response::Response;
use futures_util::FutureExt as _;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::analytics;
use super::hierarchy::{self, Condition, Item};
use super::incidents::Incident;
use super::maintenances::Maintenance;
use super::notices::{NoticeKind, Reference, compact, full};
use super::pages::Page;
use crate::call::{PageCall, PageHandler};
use crate::reply::{self, ApiError, Handled};
use crate::world::World;

/// Most entries of `related`, as in the contract.
const MOST_RELATED: usize = 50;

/// The query that every write takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteQuery {
    #[serde(default)]
    dry_run: bool,
}

/// `true` if a write asks for its effect only.
pub fn is_wanted(call: &PageCall) -> Result<bool, ApiError> {
    call.query::<WriteQuery>().map(|query| query.dry_run)
}

/// Describes the effect of a write, or returns the error that the write would get. Changes nothing.
pub fn perform(world: &mut World, call: &PageCall, answer: PageHandler) -> Handled {
    let page = world.page(call.page_id);
    let before = Moment::capture(world, &page);
    let target_name = target_name(world, call, &before);
    let kept = world.keep();
    let response = answer(world, call);
    let after = Moment::capture(world, &page);
    world.put_back(kept);
    let response = response?;
    let already_exists = is_repetition(call, response.status());
    let subject = find_subject(&before, &after).or_else(|| named_by(call, response));
    let document = |moment: &Moment| subject.and_then(|key| moment.notices.get(&key)).map(|notice| notice.full.clone());
    let related = if may_read(world, call) { before.related(call, subject) } else { Vec::new() };
    // A deletion takes texts away and sends none.
    let is_announced = after.entries() > before.entries();
    Ok(reply::ok(&json!({
        "dry_run": true,
        "already_exists": already_exists,
        "target_name": target_name,
        "before": document(&before),
        "after": document(&after),
        "components": components(&page, &before, &after, subject),
        "ancestors": ancestors(&page, [&before, &after], subject, &related),
        "notifies": is_announced,
        "recipients": (is_announced && call.caller.has_permission(world, page.id, "analytics.read") == Some(true))
            .then(|| analytics::recipients(&page)),
        "page": { "visibility": page.visibility, "time_zone": page.time_zone },
        "related": related.iter().map(|notice| &notice.compact).collect::<Vec<_>>(),
    })))
}

/// An incident or maintenance by the path segment of its kind and its id.
type Key = (&'static str, u64);

struct Shown {
    /// The stored values, which change only when the write changes them.
    stored: Value,
    compact: Value,
    full: Value,
    begins_at: i64,
    is_over: bool,
}

impl Shown {
    fn affected(&self) -> Vec<u64> {
        self.stored["affected"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
    }
}

/// Snapshot of a page as its readers see it.
struct Moment {
    condition: Condition,
    notices: BTreeMap<Key, Shown>,
}

impl Moment {
    fn capture(world: &World, page: &Page) -> Self {
        let mut notices = BTreeMap::new();
        collect::<Incident>(world, page, &mut notices);
        collect::<Maintenance>(world, page, &mut notices);
        Self { condition: hierarchy::condition(world, page), notices }
    }

    /// The number of texts that subscribers have been sent.
    fn entries(&self) -> usize {
        let updates = |notice: &Shown| notice.stored["updates"].as_array().map_or(0, Vec::len);
        self.notices.values().map(|notice| updates(notice) + 1).sum()
    }

    fn affected(&self, subject: Option<Key>) -> Vec<u64> {
        subject.and_then(|key| self.notices.get(&key)).map(Shown::affected).unwrap_or_default()
    }

    /// Whatever else of the subject's kind is not over, in the order of its list, so that the caller can find possible duplicates and
    /// overlaps.
    fn related(&self, call: &PageCall, subject: Option<Key>) -> Vec<&Shown> {
        let kind = kind_of(call);
        let open = self
            .notices
            .iter()
            .filter(|(key, notice)| Some(key.0) == kind && Some(**key) != subject && !notice.is_over);
        let mut related: Vec<&Shown> = open.map(|(_, notice)| notice).rev().collect();
        match kind {
            Some(Maintenance::NOUN) => related.sort_by_key(|notice| notice.begins_at),
            _ => related.sort_by_key(|notice| Reverse(notice.begins_at)),
        }
        related.truncate(MOST_RELATED);
        related
    }
}

fn collect<K: NoticeKind>(world: &World, page: &Page, notices: &mut BTreeMap<Key, Shown>) {
    for notice in K::all(world).values().filter(|notice| notice.page_id == page.id) {
        let shown = Shown {
            stored: json!(notice),
            compact: compact(world, notice),
            full: full(world, notice),
            begins_at: notice.own.begins_at(),
            is_over: K::state(notice, page).is_over(),
        };
        notices.insert((K::NOUN, notice.id), shown);
    }
}

/// The kind of notice that the path is about.
fn kind_of(call: &PageCall) -> Option<&'static str> {
    let path = call.request.uri().path();
    [Incident::NOUN, Maintenance::NOUN].into_iter().find(|noun| path.contains(&format!("/admin/{noun}s")))
}

/// Returns whether the caller may read what else the path's kind has on the page.
fn may_read(world: &World, call: &PageCall) -> bool {
    let permission = match kind_of(call) {
        Some(Incident::NOUN) => "incidents.read",
        Some(_) => "maintenances.read",
        None => return false,
    };
    call.caller.has_permission(world, call.page_id, permission) == Some(true)
}

/// The title or name of what the path names.
fn target_name(world: &World, call: &PageCall, before: &Moment) -> Option<String> {
    let path = call.request.uri().path();
    if let Some(kind) = kind_of(call) {
        let is_named = |id: u64, notice: &Shown| match call.reference() {
            Reference::Id(wanted) => id == wanted,
            Reference::External(wanted) => notice.full["external_id"] == wanted,
        };
        let mut notices = before.notices.iter().filter(|((noun, _), _)| *noun == kind);
        let (_, notice) = notices.find(|((_, id), notice)| is_named(*id, notice))?;
        return notice.full["title"].as_str().map(str::to_owned);
    }
    if path.contains("/beats/actions/") {
        return world.beats.actions.iter().find(|action| action.id == call.id()).map(|action| action.title.clone());
    }
    world.beats.monitors.iter().find(|beat| beat.id == call.id()).map(|beat| beat.name.to_owned())
}

/// A create request answers 201, unless what it would create is there already.
fn is_repetition(call: &PageCall, status: StatusCode) -> bool {
    let path = call.request.uri().path();
    let creates = ["/incidents", "/maintenances", "/updates"].iter().any(|end| path.ends_with(end));
    creates && status == StatusCode::OK
}

/// The notice that the write created, changed or deleted.
fn find_subject(before: &Moment, after: &Moment) -> Option<Key> {
    let stored = |moment: &Moment, key: &Key| moment.notices.get(key).map(|notice| notice.stored.clone());
    let mut keys = before.notices.keys().chain(after.notices.keys());
    keys.find(|key| stored(before, key) != stored(after, key)).copied()
}

/// The notice that a write without an effect answered with.
fn named_by(call: &PageCall, response: Response) -> Option<Key> {
    let kind = kind_of(call)?;
    let body = to_bytes(response.into_body(), usize::MAX).now_or_never()?.ok()?;
    let document: Value = serde_json::from_slice(&body).ok()?;
    let id = document[format!("{kind}_id")].as_u64().or_else(|| document["id"].as_u64())?;
    Some((kind, id))
}

/// The components that the subject affects before or after, and every other one whose status changes.
fn components(page: &Page, before: &Moment, after: &Moment, subject: Option<Key>) -> Vec<Value> {
    let [was_affected, is_affected] = [before, after].map(|moment| moment.affected(subject));
    let shown = page.items.iter().filter_map(|item| {
        let role = match (was_affected.contains(&item.id), is_affected.contains(&item.id)) {
            (false, true) => Some("added"),
            (true, false) => Some("removed"),
            (true, true) => Some("kept"),
            (false, false) => None,
        };
        let [old, new] = [before, after].map(|moment| component_state(page, &moment.condition, item));
        (role.is_some() || old != new).then(|| {
            json!({
                "id": item.id, "name": item.name, "path": path(page, item), "affected": role, "before": old, "after": new,
            })
        })
    });
    shown.collect()
}

/// The ids above each component that the subject or something related affects.
fn ancestors(page: &Page, moments: [&Moment; 2], subject: Option<Key>, related: &[&Shown]) -> Vec<Value> {
    let own = moments.into_iter().flat_map(|moment| moment.affected(subject));
    let affected: BTreeSet<u64> = own.chain(related.iter().flat_map(|notice| notice.affected())).collect();
    let above = |id: u64| {
        let mut ids: Vec<u64> = hierarchy::upward(page, id).skip(1).collect();
        ids.reverse();
        ids
    };
    affected.into_iter().map(|id| json!({ "id": id, "ancestor_ids": above(id) })).collect()
}

fn component_state(page: &Page, condition: &Condition, item: &Item) -> Value {
    json!({
        "status": condition.status_key(page, item.id),
        "under_maintenance": condition.is_under_maintenance(item.id),
    })
}

/// The names of everything above an item, top level first.
fn path(page: &Page, item: &Item) -> Vec<&'static str> {
    let above = hierarchy::upward(page, item.id).skip(1);
    let mut names: Vec<&str> =
        above.filter_map(|id| page.items.iter().find(|item| item.id == id)).map(|item| item.name).collect();
    names.reverse();
    names
}
