//! Common parts of incidents and maintenances, called notices: a stage, affected items and a timeline on a page.
//! `incidents` and `maintenances` have the specific parts, `changes` the writes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::affected;
use super::changes::Fields;
use super::hierarchy;
use super::pages::{self, Page, Stage};
use crate::call::{LimitQuery, PageCall, ReceivedRequest, View, limit, usual_limit, whole_number};
use crate::reply::{self, ApiError, Handled, time, with};
use crate::world::World;

/// Number of updates in a full document; the rest is at `…/updates`.
const UPDATES_IN_DOCUMENT: usize = 20;

/// An incident (`K` = `Incident`) or a maintenance (`K` = `Maintenance`). Times are unix seconds.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
pub struct Notice<K> {
    pub id: u64,
    pub page_id: u64,
    /// The creator's id for it.
    pub external_id: Option<String>,
    /// The create request, to recognize its repetition.
    pub created_with: Option<String>,
    pub title: String,
    pub description: String,
    pub impact: Option<String>,
    pub stage_id: u64,
    pub affected: Vec<u64>,
    pub affected_freetext: Option<String>,
    pub author: Author,
    pub updated_at: i64,
    /// The timeline in order of time, oldest first.
    pub updates: Vec<Update>,
    #[serde(flatten)]
    pub own: K,
}

#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
pub struct Author {
    /// A person's or token's name.
    pub name: String,
    /// `dashboard`, `api_token`, `hosted_mcp` or `automation`.
    pub source: String,
}

impl Author {
    pub fn new(name: &str, source: &str) -> Self {
        Self { name: name.to_owned(), source: source.to_owned() }
    }

    pub fn automation() -> Self {
        Self::new("StatiBeat", "automation")
    }
}

/// One entry of a timeline.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
pub struct Update {
    pub id: u64,
    pub message: String,
    /// The stage it was written in or moved to.
    pub stage_id: u64,
    /// The incident's status after it; none for maintenances.
    pub status: Option<String>,
    pub author: Author,
    pub created_at: i64,
    /// The creator's id for it.
    pub external_id: Option<String>,
    /// The create request, to recognize its repetition.
    pub created_with: Option<String>,
}

/// External id of a notice or update, and the request that created it.
#[derive(Default)]
pub struct Origin {
    pub external_id: Option<String>,
    pub created_with: Option<String>,
}

/// The word under which lists find a notice.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Upcoming,
    Active,
    Resolved,
    Completed,
    Cancelled,
}

impl State {
    /// The state of that word, if it is one of these.
    fn parse(word: &str, states: &[Self]) -> Result<Self, ApiError> {
        let found = states.iter().find(|state| json!(state) == word);
        found.copied().ok_or_else(|| {
            let words: Vec<String> =
                states.iter().map(|state| json!(state).as_str().unwrap_or("").to_owned()).collect();
            ApiError::invalid(format!("status must be one of: {}", words.join(", ")))
        })
    }

    pub fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Completed | Self::Cancelled)
    }
}

#[derive(Clone, Copy)]
pub enum Reference<'a> {
    Id(u64),
    /// By the id the creator gave.
    External(&'a str),
}

/// The differences between an incident and a maintenance.
pub trait NoticeKind: Clone + DeserializeOwned + Serialize + 'static {
    const NOUN: &'static str;
    /// Why a notice that is over takes messages only.
    const OVER: &'static str;
    const STATES: &'static [State];
    /// Number of last stages that close a notice, which the connector can't set.
    const CLOSING_STAGES: usize;

    fn all(world: &World) -> &BTreeMap<u64, Notice<Self>>;
    fn all_mut(world: &mut World) -> &mut BTreeMap<u64, Notice<Self>>;
    fn stages(page: &Page) -> &[Stage];
    fn state(notice: &Notice<Self>, page: &Page) -> State;
    fn begins_at(&self) -> i64;
    /// The fields on the wire that the other kind does not have.
    fn show(&self) -> Value;
    /// Builds the kind's own fields from a create request.
    fn new(fields: &Fields, page: &Page, now: i64) -> Result<Self, ApiError>;
    /// Builds the kind's own fields after an edit.
    fn edited(&self, fields: &Fields, page: &Page, now: i64) -> Result<Self, ApiError>;
    /// Records the effect of entering a stage.
    fn enter(notice: &mut Notice<Self>, page: &Page, now: i64);

    /// Checked for a new notice, and not for the repetition of a create request.
    fn check_new(&self, _now: i64) -> Result<(), ApiError> {
        Ok(())
    }

    /// The status that it gives to its items; only incidents have one.
    fn status(&self) -> Option<&str> {
        None
    }

    fn set_status(&mut self, _status: String) {}
}

/// The query of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    status: Option<String>,
    #[serde(default = "usual_limit", deserialize_with = "limit")]
    limit: usize,
    view: Option<View>,
    /// Only of incidents, and not for anybody.
    #[serde(default, deserialize_with = "item_id")]
    item_id: Option<u64>,
}

fn item_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    whole_number(deserializer, "item_id", u32::MAX).map(|id| Some(id.into()))
}

/// The list for anybody, where the page is public.
pub fn public_list<K: NoticeKind>(world: &mut World, received: &ReceivedRequest) -> Handled {
    let page_id = pages::find_by_host(world, &received.request)?;
    pages::check_public(&world.page(page_id))?;
    list_of_page::<K>(world, received, page_id, false)
}

pub fn list<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    list_of_page::<K>(world, call, call.page_id, K::NOUN == "incident")
}

/// Active and upcoming maintenances are sorted by start, everything else newest first.
fn list_of_page<K: NoticeKind>(
    world: &World,
    received: &ReceivedRequest,
    page_id: u64,
    has_item_filter: bool,
) -> Handled {
    let query: ListQuery = received.query()?;
    if query.item_id.is_some() && !has_item_filter {
        return Err(ApiError::invalid("unknown field \"item_id\""));
    }
    let status = query.status.map(|word| State::parse(&word, K::STATES)).transpose()?;
    let page = world.page(page_id);
    let on_page = K::all(world).values().filter(|notice| notice.page_id == page_id);
    let mut found: Vec<&Notice<K>> =
        on_page.filter(|notice| status.is_none_or(|wanted| wanted == K::state(notice, &page))).collect();
    let affects = |notice: &Notice<K>, wanted: u64| {
        notice.affected.iter().any(|id| hierarchy::upward(&page, *id).any(|above| above == wanted))
    };
    found.retain(|notice| query.item_id.is_none_or(|wanted| affects(notice, wanted)));
    found.sort_by_key(|notice| Reverse((notice.own.begins_at(), notice.id)));
    if K::STATES.contains(&State::Upcoming) && matches!(status, Some(State::Active | State::Upcoming)) {
        found.reverse();
    }
    let is_full = query.view == Some(View::Full);
    let shown = found.iter().take(query.limit);
    let shown = shown.map(|notice| if is_full { full(world, notice) } else { compact(world, notice) });
    Ok(reply::list(shown.collect(), found.len()))
}

pub fn show<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    Ok(reply::ok(&full(world, find::<K>(world, call)?)))
}

pub fn list_updates<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    let LimitQuery { limit } = call.query()?;
    let notice = find::<K>(world, call)?;
    Ok(reply::list(notice.newest_updates(&world.page(call.page_id), limit), notice.updates.len()))
}

pub fn show_update<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    call.no_query()?;
    let notice = find::<K>(world, call)?;
    let update = notice.find_update(call.update_external_id()).ok_or_else(|| ApiError::not_found("update"))?;
    Ok(reply::ok(&update_document::<K>(world, &world.page(call.page_id), notice.id, update)))
}

/// The notice that the path names on the call's page.
pub fn find<'a, K: NoticeKind>(world: &'a World, call: &PageCall) -> Result<&'a Notice<K>, ApiError> {
    find_reference(world, call.page_id, call.reference()).ok_or_else(|| ApiError::not_found(K::NOUN))
}

pub fn find_reference<'a, K: NoticeKind>(
    world: &'a World,
    page_id: u64,
    reference: Reference<'_>,
) -> Option<&'a Notice<K>> {
    let found = match reference {
        Reference::Id(id) => K::all(world).get(&id),
        Reference::External(wanted) => K::all(world)
            .values()
            .find(|notice| notice.page_id == page_id && notice.external_id.as_deref() == Some(wanted)),
    };
    found.filter(|notice| notice.page_id == page_id)
}

impl<K: NoticeKind> Notice<K> {
    pub fn append(&mut self, id: u64, message: String, author: Author, now: i64, origin: Origin) -> &Update {
        self.updated_at = now;
        self.updates.push(Update {
            id,
            message,
            stage_id: self.stage_id,
            status: self.own.status().map(str::to_owned),
            author,
            created_at: now,
            external_id: origin.external_id,
            created_with: origin.created_with,
        });
        &self.updates[self.updates.len() - 1]
    }

    pub fn find_update(&self, external_id: &str) -> Option<&Update> {
        self.updates.iter().find(|update| update.external_id.as_deref() == Some(external_id))
    }

    fn newest_updates(&self, page: &Page, limit: usize) -> Vec<Value> {
        self.updates.iter().rev().take(limit).map(|update| update.show(K::stages(page))).collect()
    }
}

impl Update {
    fn show(&self, stages: &[Stage]) -> Value {
        json!({
            "id": self.id,
            "external_id": self.external_id,
            "message": self.message,
            "lifecycle_stage": pages::stage_reference(stages, self.stage_id),
            "status": self.status,
            "author": self.author,
            "created_at": time(self.created_at),
        })
    }
}

/// An update with the notice it belongs to.
pub fn update_document<K: NoticeKind>(world: &World, page: &Page, notice_id: u64, update: &Update) -> Value {
    let mut shown = update.show(K::stages(page));
    shown[format!("{}_id", K::NOUN)] = notice_id.into();
    with(shown, addresses::<K>(world, page, notice_id))
}

/// Where customers see a notice, and where a person edits it.
fn addresses<K: NoticeKind>(world: &World, page: &Page, notice_id: u64) -> Value {
    json!({
        "public_url": format!("{}/{}s/{notice_id}", page.public_url, K::NOUN),
        "admin_url": format!("{}/admin/pages/{}/{}s/{notice_id}", world.settings.origin, page.id, K::NOUN),
    })
}

/// The status of an active incident takes precedence over the computed one of its items.
pub fn compact<K: NoticeKind>(world: &World, notice: &Notice<K>) -> Value {
    let page = &world.page(notice.page_id);
    let state = K::state(notice, page);
    let own_status = notice.own.status().filter(|_| state == State::Active);
    let shown = json!({
        "id": notice.id,
        "external_id": notice.external_id,
        "title": notice.title,
        "impact": notice.impact,
        "lifecycle_stage": pages::stage_reference(K::stages(page), notice.stage_id),
        "state": state,
        "affected_items": affected::show(world, page, &notice.affected, own_status),
        "affected_items_freetext": notice.affected_freetext,
        "updated_at": time(notice.updated_at),
        "latest_update": notice.updates.last().map(|update| update.show(K::stages(page))),
    });
    with(with(shown, addresses::<K>(world, page, notice.id)), notice.own.show())
}

pub fn full<K: NoticeKind>(world: &World, notice: &Notice<K>) -> Value {
    let page = world.page(notice.page_id);
    with(
        compact(world, notice),
        json!({
            "description": notice.description,
            "author": notice.author,
            "updates": notice.newest_updates(&page, UPDATES_IN_DOCUMENT),
            "updates_total": notice.updates.len(),
        }),
    )
}
