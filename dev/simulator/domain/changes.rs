//! Changes that incidents and maintenances share: create, update, edit, delete.

use serde::{Deserialize, Serialize};

use super::affected::{self, ItemName};
use super::notices::{self, Notice, NoticeKind, Origin, Reference, State, full, update_document};
use super::pages::{self, Page, Stage};
use crate::call::{PageCall, present};
use crate::reply::{self, ApiError, Handled};
use crate::world::World;

const TITLE_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 20_000;
const IMPACT_MAX: usize = 2000;
const MESSAGE_MAX: usize = 20_000;

/// The body of a create or edit request, of either kind.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    #[serde(default, deserialize_with = "present")]
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub starts_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub ends_at: Option<String>,
    #[serde(default, deserialize_with = "present")]
    impact: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    affected_items_freetext: Option<String>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

/// The body of an update of either kind.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NewUpdate {
    message: String,
    #[serde(default, deserialize_with = "present")]
    lifecycle_stage_id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    status: Option<String>,
    #[serde(default, deserialize_with = "present")]
    affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    add_affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    remove_affected_items: Option<Vec<ItemName>>,
    #[serde(default, deserialize_with = "present")]
    external_id: Option<String>,
}

impl NewUpdate {
    fn changes_items(&self) -> bool {
        self.affected_items.is_some() || self.add_affected_items.is_some() || self.remove_affected_items.is_some()
    }

    /// The items that the notice affects after the update, if the update names any.
    fn resolve_items(&self, page: &Page, present: &[u64]) -> Result<Option<Vec<u64>>, ApiError> {
        let resolve = |names: &Option<Vec<ItemName>>| affected::resolve(page, names.as_deref().unwrap_or_default());
        if let Some(names) = &self.affected_items {
            if self.add_affected_items.is_some() || self.remove_affected_items.is_some() {
                let message = "affected_items excludes add_affected_items and remove_affected_items";
                return Err(ApiError::invalid(message));
            }
            return affected::resolve(page, names).map(Some);
        }
        let (added, removed) = (resolve(&self.add_affected_items)?, resolve(&self.remove_affected_items)?);
        if let Some(id) = added.iter().find(|id| removed.contains(id)) {
            return Err(ApiError::invalid(format!(
                "item {id} is both in add_affected_items and in remove_affected_items"
            )));
        }
        if let Some(id) = removed.iter().find(|id| !present.contains(id)) {
            return Err(ApiError::invalid(format!("remove_affected_items names item {id}, which is not affected")));
        }
        let kept = present.iter().filter(|id| !removed.contains(id));
        let new = added.iter().filter(|id| !present.contains(id));
        Ok(self.changes_items().then(|| kept.chain(new).copied().collect()))
    }
}

/// A field that the other kind knows is unknown to this one.
fn refuse_unknown(name: &str, is_given: bool) -> Result<(), ApiError> {
    if is_given { Err(ApiError::invalid(format!("unknown field \"{name}\""))) } else { Ok(()) }
}

/// A field that a create request must have.
pub fn require<T>(name: &str, field: Option<T>) -> Result<T, ApiError> {
    field.ok_or_else(|| ApiError::invalid(format!("missing field \"{name}\"")))
}

impl Fields {
    fn check<K: NoticeKind>(&self) -> Result<(), ApiError> {
        let has_window = K::STATES.contains(&State::Upcoming);
        refuse_unknown("status", has_window && self.status.is_some())?;
        refuse_unknown("starts_at", !has_window && self.starts_at.is_some())?;
        refuse_unknown("ends_at", !has_window && self.ends_at.is_some())?;
        check_text("title", self.title.as_deref(), TITLE_MAX)?;
        check_text("description", self.description.as_deref(), DESCRIPTION_MAX)?;
        check_text("impact", self.impact.as_deref(), IMPACT_MAX)?;
        check_text("affected_items_freetext", self.affected_items_freetext.as_deref(), IMPACT_MAX)?;
        affected::check_external_id(self.external_id.as_deref())
    }
}

/// `POST incidents`, `POST maintenances`
pub fn create<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    let fields: Fields = call.json()?;
    fields.check::<K>()?;
    let created_with = serde_json::to_string(&fields).ok();
    let page = world.page(call.page_id);
    let own = K::new(&fields, &page, call.now)?;
    let title = require("title", fields.title)?;
    let description = require("description", fields.description)?;
    let affected = affected::resolve(&page, &fields.affected_items.unwrap_or_default())?;
    let existing = fields.external_id.as_deref().map(Reference::External);
    let existing = existing.and_then(|reference| notices::find_reference::<K>(world, call.page_id, reference));
    if let Some(existing) = existing {
        check_repeated(K::NOUN, existing.created_with.as_deref(), created_with.as_deref())?;
        return Ok(reply::ok(&full(world, existing)));
    }
    own.check_new(call.now)?;
    let id = world.allocate_id();
    let notice = Notice {
        id,
        page_id: call.page_id,
        external_id: fields.external_id,
        created_with,
        title,
        description,
        impact: fields.impact,
        stage_id: K::stages(&page)[0].id,
        affected,
        affected_freetext: fields.affected_items_freetext,
        author: call.caller.author(),
        updated_at: call.now,
        updates: Vec::new(),
        own,
    };
    K::all_mut(world).insert(id, notice);
    world.changed();
    world.advance(call.now);
    Ok(reply::created(&full(world, &K::all(world)[&id])))
}

/// A repeated create request gets its existing object; any other request with the same external id is a conflict.
fn check_repeated(noun: &str, known: Option<&str>, created_with: Option<&str>) -> Result<(), ApiError> {
    if known.is_some() && known == created_with {
        return Ok(());
    }
    Err(ApiError::conflict(format!("external_id is taken by another {noun}")))
}

/// `POST incidents/{id}/updates`, `POST maintenances/{id}/updates`
pub fn add_update<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    let input: NewUpdate = call.json()?;
    let has_window = K::STATES.contains(&State::Upcoming);
    refuse_unknown("status", has_window && input.status.is_some())?;
    refuse_unknown("affected_items", has_window && input.changes_items())?;
    check_text("message", Some(&input.message), MESSAGE_MAX)?;
    affected::check_external_id(input.external_id.as_deref())?;
    let page = world.page(call.page_id);
    let notice = notices::find::<K>(world, call)?;
    let (notice_id, state) = (notice.id, K::state(notice, &page));
    let created_with = serde_json::to_string(&input).ok();
    if let Some(known) = input.external_id.as_deref().and_then(|external_id| notice.find_update(external_id)) {
        check_repeated("update", known.created_with.as_deref(), created_with.as_deref())?;
        return Ok(reply::ok(&update_document::<K>(world, &page, notice_id, known)));
    }
    if let Some(status) = &input.status {
        pages::check_status(&page, status)?;
    }
    let affected = input.resolve_items(&page, &notice.affected)?;
    if let Some(stage_id) = input.lifecycle_stage_id {
        check_stage::<K>(K::stages(&page), stage_id, call)?;
    }
    if state.is_over() && (input.lifecycle_stage_id.is_some() || input.status.is_some() || affected.is_some()) {
        return Err(ApiError::conflict(K::OVER));
    }
    let update_id = world.allocate_id();
    let author = call.caller.author();
    let notice = find_mut::<K>(world, call)?;
    if let Some(status) = input.status {
        notice.own.set_status(status);
    }
    replace(&mut notice.affected, affected);
    if let Some(stage_id) = input.lifecycle_stage_id {
        notice.stage_id = stage_id;
        K::enter(notice, &page, call.now);
    }
    let origin = Origin { external_id: input.external_id, created_with };
    let update = notice.append(update_id, input.message, author, call.now, origin).clone();
    let shown = update_document::<K>(world, &page, notice_id, &update);
    world.changed();
    world.advance(call.now);
    Ok(reply::created(&shown))
}

/// Checks that the connector does not close a notice.
fn check_stage<K: NoticeKind>(stages: &[Stage], stage_id: u64, call: &PageCall) -> Result<(), ApiError> {
    let open = if call.caller.is_connector() { &stages[..stages.len() - K::CLOSING_STAGES] } else { stages };
    if open.iter().any(|stage| stage.id == stage_id) {
        return Ok(());
    }
    Err(ApiError::invalid(format!("lifecycle_stage_id must be one of: {}", pages::name_stages(open))))
}

/// `PATCH incidents/{id}`, `PATCH maintenances/{id}`
pub fn edit<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    let fields: Fields = call.json()?;
    refuse_unknown("external_id", fields.external_id.is_some())?;
    fields.check::<K>()?;
    let page = world.page(call.page_id);
    let own = notices::find::<K>(world, call)?.own.edited(&fields, &page, call.now)?;
    let affected = fields.affected_items.as_deref().map(|names| affected::resolve(&page, names)).transpose()?;
    let notice = find_mut::<K>(world, call)?;
    notice.own = own;
    replace(&mut notice.title, fields.title);
    replace(&mut notice.description, fields.description);
    replace(&mut notice.affected, affected);
    notice.impact = fields.impact.or(notice.impact.take());
    notice.affected_freetext = fields.affected_items_freetext.or(notice.affected_freetext.take());
    finish::<K>(world, call, None)
}

/// `DELETE incidents/{id}`, `DELETE maintenances/{id}`
pub fn delete<K: NoticeKind>(world: &mut World, call: &PageCall) -> Handled {
    call.no_body()?;
    let id = notices::find::<K>(world, call)?.id;
    K::all_mut(world).remove(&id);
    world.changed();
    Ok(reply::no_content())
}

/// Finishes a change: adds a timeline entry if there is a message, and returns the full document.
pub fn finish<K: NoticeKind>(world: &mut World, call: &PageCall, message: Option<String>) -> Handled {
    let update_id = message.as_ref().map(|_| world.allocate_id());
    let author = call.caller.author();
    let notice = find_mut::<K>(world, call)?;
    notice.updated_at = call.now;
    if let (Some(id), Some(message)) = (update_id, message) {
        notice.append(id, message, author, call.now, Origin::default());
    }
    world.changed();
    world.advance(call.now);
    Ok(reply::ok(&full(world, notices::find::<K>(world, call)?)))
}

/// The notice that the path names, to change it.
pub fn find_mut<'a, K: NoticeKind>(world: &'a mut World, call: &PageCall) -> Result<&'a mut Notice<K>, ApiError> {
    let id = notices::find::<K>(world, call)?.id;
    K::all_mut(world).get_mut(&id).ok_or_else(|| ApiError::not_found(K::NOUN))
}

fn replace<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// An optional message of an action.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    #[serde(default, deserialize_with = "present")]
    message: Option<String>,
}

impl Remark {
    pub fn read(call: &PageCall) -> Result<Option<String>, ApiError> {
        let Self { message } = call.optional_json()?;
        check_message("message", message.as_deref())?;
        Ok(message)
    }
}

pub fn check_message(name: &str, message: Option<&str>) -> Result<(), ApiError> {
    check_text(name, message, MESSAGE_MAX)
}

/// Checks that a given text is neither blank nor too long.
fn check_text(name: &str, text: Option<&str>, longest: usize) -> Result<(), ApiError> {
    match text {
        Some(text) if text.trim().is_empty() => Err(ApiError::invalid(format!("{name} must not be empty"))),
        Some(text) if text.chars().count() > longest => {
            Err(ApiError::invalid(format!("{name} is longer than {longest} characters")))
        }
        _ => Ok(()),
    }
}
