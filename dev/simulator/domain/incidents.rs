//! Fields and actions that only incidents have: a status, and the actions acknowledge, resolve and reopen, which are for page tokens alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::{Fields, Remark, check_message, find_mut, finish};
use super::notices::{Notice, NoticeKind, State};
use super::pages::{self, Page, Stage};
use crate::call::{PageCall, present};
use crate::reply::{ApiError, Handled, time, time_or_null};
use crate::world::World;

/// The status of an incident whose creator names none.
const STATUS_DEFAULT: &str = "degraded";

#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
pub struct Incident {
    /// Key of a status definition.
    pub status: String,
    pub started_at: i64,
    pub acknowledged_at: Option<i64>,
    pub resolved_at: Option<i64>,
}

impl Incident {
    pub fn new(status: &str, started_at: i64) -> Self {
        Self { status: status.to_owned(), started_at, acknowledged_at: None, resolved_at: None }
    }

    pub fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }
}

impl NoticeKind for Incident {
    const NOUN: &'static str = "incident";
    const OVER: &'static str = "incident is resolved; only a message can be added";
    const STATES: &'static [State] = &[State::Active, State::Resolved];
    const CLOSING_STAGES: usize = 1;

    fn all(world: &World) -> &BTreeMap<u64, Notice<Self>> {
        &world.incidents
    }

    fn all_mut(world: &mut World) -> &mut BTreeMap<u64, Notice<Self>> {
        &mut world.incidents
    }

    fn stages(page: &Page) -> &[Stage] {
        &page.stages
    }

    fn state(notice: &Notice<Self>, _: &Page) -> State {
        if notice.own.is_open() { State::Active } else { State::Resolved }
    }

    fn begins_at(&self) -> i64 {
        self.started_at
    }

    fn show(&self) -> Value {
        json!({
            "status": self.status,
            "started_at": time(self.started_at),
            "acknowledged_at": time_or_null(self.acknowledged_at),
            "resolved_at": time_or_null(self.resolved_at),
        })
    }

    /// The operational status means that there is no incident, so none is opened with it.
    fn new(fields: &Fields, page: &Page, now: i64) -> Result<Self, ApiError> {
        let status = fields.status.as_deref().unwrap_or(STATUS_DEFAULT);
        pages::check_status(page, status)?;
        if page.find_status(status).is_some_and(|(_, status)| status.operational) {
            let message = format!("an incident cannot be opened with the operational status \"{status}\"");
            return Err(ApiError::invalid(message));
        }
        Ok(Self::new(status, now))
    }

    fn edited(&self, fields: &Fields, page: &Page, _: i64) -> Result<Self, ApiError> {
        let Some(status) = fields.status.clone() else { return Ok(self.clone()) };
        pages::check_status(page, &status)?;
        Ok(Self { status, ..self.clone() })
    }

    fn enter(notice: &mut Notice<Self>, page: &Page, now: i64) {
        if page.stages.last().is_some_and(|last| last.id == notice.stage_id) {
            notice.own.resolved_at.get_or_insert(now);
        }
    }

    fn status(&self) -> Option<&str> {
        Some(&self.status)
    }

    fn set_status(&mut self, status: String) {
        self.status = status;
    }
}

/// `POST incidents/{id}/acknowledge`
pub fn acknowledge(world: &mut World, call: &PageCall) -> Handled {
    call.no_body()?;
    find_mut::<Incident>(world, call)?.own.acknowledged_at.get_or_insert(call.now);
    finish::<Incident>(world, call, None)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    #[serde(default, deserialize_with = "present")]
    resolution_message: Option<String>,
}

/// `POST incidents/{id}/resolve`
pub fn resolve(world: &mut World, call: &PageCall) -> Handled {
    let Resolution { resolution_message: message } = call.optional_json()?;
    check_message("resolution_message", message.as_deref())?;
    let page = world.page(call.page_id);
    let incident = find_mut::<Incident>(world, call)?;
    if !incident.own.is_open() {
        return Err(ApiError::conflict("incident is already resolved"));
    }
    incident.stage_id = page.stages[page.stages.len() - 1].id;
    incident.own.resolved_at = Some(call.now);
    finish::<Incident>(world, call, Some(message.unwrap_or_else(|| "This incident has been resolved.".to_owned())))
}

/// `POST incidents/{id}/reopen`
pub fn reopen(world: &mut World, call: &PageCall) -> Handled {
    let message = Remark::read(call)?;
    let page = world.page(call.page_id);
    let incident = find_mut::<Incident>(world, call)?;
    if incident.own.is_open() {
        return Err(ApiError::conflict("incident is not resolved"));
    }
    incident.stage_id = page.stages[0].id;
    incident.own.resolved_at = None;
    finish::<Incident>(world, call, Some(message.unwrap_or_else(|| "This incident has been reopened.".to_owned())))
}
