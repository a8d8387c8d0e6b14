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
use super::notices::{self, Notice, NoticeKind, compact, full};
use super::pages::Page;
use crate::call::{PageCall, PageHandler};
use crate::reply::{self, ApiError, Handled};
use crate::world::{Kept, World};

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
    let kept = world.keep();
    let written = answer(world, call).map(|response| {
        let already_exists = is_repetition(call, response.status());
        let subject = find_subject(&kept, world, page.id).or_else(|| named_by(call, response));
        (already_exists, subject, Moment::capture(world, &page, subject))
    });
    world.put_back(kept);
    let (already_exists, subject, after) = written?;
    let before = Moment::capture(world, &page, subject);
    let related = if may_read(world, call) { find_related(world, &page, call, subject) } else { Vec::new() };
    // A deletion takes texts away and sends none.
    let is_announced = after.entries > before.entries;
    Ok(reply::ok(&json!({
        "dry_run": true,
        "already_exists": already_exists,
        "target_name": target_name(world, call),
        "before": before.document,
        "after": after.document,
        "components": components(&page, &before, &after),
        "ancestors": ancestors(&page, [&before, &after], &related),
        "notifies": is_announced,
        "recipients": (is_announced && call.caller.has_permission(world, page.id, "analytics.read") == Some(true))
            .then(|| analytics::recipients(&page)),
        "page": { "visibility": page.visibility, "time_zone": page.time_zone },
        "related": related.iter().map(|notice| &notice.document).collect::<Vec<_>>(),
    })))
}

/// An incident or maintenance by the path segment of its kind and its id.
type Key = (&'static str, u64);

/// The page, and what a write is about, as its readers see it.
struct Moment {
    condition: Condition,
    /// The number of texts that subscribers have been sent.
    entries: usize,
    /// The document of the subject, if it exists.
    document: Option<Value>,
    /// The items that the subject affects.
    affected: Vec<u64>,
}

impl Moment {
    fn capture(world: &World, page: &Page, subject: Option<Key>) -> Self {
        let shown =
            find_shown::<Incident>(world, page, subject).or_else(|| find_shown::<Maintenance>(world, page, subject));
        let (document, affected) = shown.map_or_else(Default::default, |shown| (Some(shown.document), shown.affected));
        let entries = count_entries::<Incident>(world, page) + count_entries::<Maintenance>(world, page);
        Self { condition: hierarchy::condition(world, page), entries, document, affected }
    }
}

/// The document of a notice, and the items that it affects.
struct Shown {
    document: Value,
    affected: Vec<u64>,
}

fn on_page<'a, K: NoticeKind>(world: &'a World, page: &Page) -> impl DoubleEndedIterator<Item = &'a Notice<K>> {
    let page_id = page.id;
    K::all(world).values().filter(move |notice| notice.page_id == page_id)
}

fn count_entries<K: NoticeKind>(world: &World, page: &Page) -> usize {
    on_page::<K>(world, page).map(|notice| notice.updates.len() + 1).sum()
}

fn find_shown<K: NoticeKind>(world: &World, page: &Page, subject: Option<Key>) -> Option<Shown> {
    let notice = on_page::<K>(world, page).find(|notice| subject == Some((K::NOUN, notice.id)))?;
    Some(Shown { document: full(world, notice), affected: notice.affected.clone() })
}

/// Whatever else of the subject's kind is not over, in the order of its list, so that the caller can find possible duplicates and
/// overlaps.
fn find_related(world: &World, page: &Page, call: &PageCall, subject: Option<Key>) -> Vec<Shown> {
    match kind_of(call) {
        Some(Incident::NOUN) => find_open::<Incident>(world, page, subject),
        Some(_) => find_open::<Maintenance>(world, page, subject),
        None => Vec::new(),
    }
}

fn find_open<K: NoticeKind>(world: &World, page: &Page, subject: Option<Key>) -> Vec<Shown> {
    let is_other = |notice: &&Notice<K>| subject != Some((K::NOUN, notice.id)) && !K::state(notice, page).is_over();
    let mut open: Vec<&Notice<K>> = on_page::<K>(world, page).filter(is_other).rev().collect();
    if K::NOUN == Maintenance::NOUN {
        open.sort_by_key(|notice| notice.own.begins_at());
    } else {
        open.sort_by_key(|notice| Reverse(notice.own.begins_at()));
    }
    let shown = open.into_iter().take(MOST_RELATED);
    shown.map(|notice| Shown { document: compact(world, notice), affected: notice.affected.clone() }).collect()
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
fn target_name(world: &World, call: &PageCall) -> Option<String> {
    let path = call.request.uri().path();
    if let Some(kind) = kind_of(call) {
        return if kind == Incident::NOUN { title::<Incident>(world, call) } else { title::<Maintenance>(world, call) };
    }
    if path.contains("/beats/actions/") {
        return world.beats.actions.iter().find(|action| action.id == call.id()).map(|action| action.title.clone());
    }
    world.beats.monitors.iter().find(|beat| beat.id == call.id()).map(|beat| beat.name.to_owned())
}

fn title<K: NoticeKind>(world: &World, call: &PageCall) -> Option<String> {
    notices::find::<K>(world, call).ok().map(|notice| notice.title.clone())
}

/// A create request answers 201, unless what it would create is there already.
fn is_repetition(call: &PageCall, status: StatusCode) -> bool {
    let path = call.request.uri().path();
    let creates = ["/incidents", "/maintenances", "/updates"].iter().any(|end| path.ends_with(end));
    creates && status == StatusCode::OK
}

/// The notice that the write created, changed or deleted.
fn find_subject(before: &Kept, after: &World, page_id: u64) -> Option<Key> {
    let incident = find_changed(&before.incidents, &after.incidents, page_id);
    incident.or_else(|| find_changed(&before.maintenances, &after.maintenances, page_id))
}

fn find_changed<K: NoticeKind + PartialEq>(
    before: &BTreeMap<u64, Notice<K>>,
    after: &BTreeMap<u64, Notice<K>>,
    page_id: u64,
) -> Option<Key> {
    let on_page = |notice: &&Notice<K>| notice.page_id == page_id;
    let mut notices = before.values().chain(after.values()).filter(on_page);
    let changed = notices.find(|notice| before.get(&notice.id) != after.get(&notice.id))?;
    Some((K::NOUN, changed.id))
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
fn components(page: &Page, before: &Moment, after: &Moment) -> Vec<Value> {
    let shown = page.items.iter().filter_map(|item| {
        let role = match (before.affected.contains(&item.id), after.affected.contains(&item.id)) {
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
fn ancestors(page: &Page, moments: [&Moment; 2], related: &[Shown]) -> Vec<Value> {
    let own = moments.into_iter().flat_map(|moment| &moment.affected);
    let affected: BTreeSet<u64> = own.chain(related.iter().flat_map(|notice| &notice.affected)).copied().collect();
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
