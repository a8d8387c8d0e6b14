//! Fields and actions of maintenances: a window, and stages that change with time.
//!
//! A stage's position defines its meaning: the first is scheduled, the second in progress, the last but one completed,
//! the last cancelled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::{Fields, Remark, find_mut, finish, require};
use super::notices::{self, Author, Notice, NoticeKind, Origin, State};
use super::pages::{Page, Stage};
use crate::call::PageCall;
use crate::reply::{ApiError, Handled, time, time_or_null};
use crate::world::World;

#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the contract's names")]
pub struct Maintenance {
    pub starts_at: i64,
    pub ends_at: i64,
    pub completed_at: Option<i64>,
    pub cancelled_at: Option<i64>,
}

impl Maintenance {
    pub fn new(starts_at: i64, ends_at: i64) -> Self {
        Self { starts_at, ends_at, completed_at: None, cancelled_at: None }
    }
}

impl NoticeKind for Maintenance {
    const NOUN: &'static str = "maintenance";
    const OVER: &'static str = "maintenance is over; only a message can be added";
    const STATES: &'static [State] = &[State::Active, State::Upcoming, State::Completed, State::Cancelled];
    const CLOSING_STAGES: usize = 2;

    fn all(world: &World) -> &BTreeMap<u64, Notice<Self>> {
        &world.maintenances
    }

    fn all_mut(world: &mut World) -> &mut BTreeMap<u64, Notice<Self>> {
        &mut world.maintenances
    }

    fn stages(page: &Page) -> &[Stage] {
        &page.maintenance_stages
    }

    fn state(notice: &Notice<Self>, page: &Page) -> State {
        let count = page.maintenance_stages.len();
        match page.maintenance_stages.iter().position(|stage| stage.id == notice.stage_id) {
            Some(0) => State::Upcoming,
            Some(position) if position + 1 == count => State::Cancelled,
            Some(position) if position + 2 == count => State::Completed,
            _ => State::Active,
        }
    }

    fn begins_at(&self) -> i64 {
        self.starts_at
    }

    fn show(&self) -> Value {
        json!({
            "starts_at": time(self.starts_at),
            "ends_at": time(self.ends_at),
            "completed_at": time_or_null(self.completed_at),
            "cancelled_at": time_or_null(self.cancelled_at),
        })
    }

    fn new(fields: &Fields, _: &Page, _: i64) -> Result<Self, ApiError> {
        let moment = |name, text: &Option<String>| parse_moment(name, require(name, text.as_deref())?);
        Ok(Self::new(moment("starts_at", &fields.starts_at)?, moment("ends_at", &fields.ends_at)?))
    }

    fn edited(&self, fields: &Fields, _: &Page, now: i64) -> Result<Self, ApiError> {
        let moment = |name, text: &Option<String>, old| text.as_ref().map_or(Ok(old), |text| parse_moment(name, text));
        let starts_at = moment("starts_at", &fields.starts_at, self.starts_at)?;
        let ends_at = moment("ends_at", &fields.ends_at, self.ends_at)?;
        let edited = Self { starts_at, ends_at, ..self.clone() };
        if (starts_at, ends_at) != (self.starts_at, self.ends_at) {
            edited.check_new(now)?;
        }
        Ok(edited)
    }

    fn enter(notice: &mut Notice<Self>, page: &Page, now: i64) {
        match Self::state(notice, page) {
            State::Completed => notice.own.completed_at = Some(now),
            State::Cancelled => notice.own.cancelled_at = Some(now),
            _ => {}
        }
    }

    fn check_new(&self, now: i64) -> Result<(), ApiError> {
        if self.ends_at <= self.starts_at {
            return Err(ApiError::invalid("ends_at must be after starts_at"));
        }
        if self.ends_at <= now {
            return Err(ApiError::invalid("ends_at must be in the future"));
        }
        Ok(())
    }
}

fn parse_moment(name: &str, text: &str) -> Result<i64, ApiError> {
    let parsed = text.parse::<jiff::Timestamp>();
    parsed.map(jiff::Timestamp::as_second).map_err(|_| ApiError::invalid(format!("{name} must be an RFC 3339 time")))
}

impl Notice<Maintenance> {
    /// Starts and completes the window when its time has come.
    pub fn advance(&mut self, page: &Page, now: i64, next_id: &mut u64) {
        let stages = &page.maintenance_stages;
        let (starts_at, ends_at) = (self.own.starts_at, self.own.ends_at);
        if Maintenance::state(self, page) == State::Upcoming && now >= starts_at {
            self.move_to(&stages[1], "Maintenance has started.", starts_at, next_id);
        }
        if Maintenance::state(self, page) == State::Active && now >= ends_at {
            self.own.completed_at = Some(ends_at);
            self.move_to(&stages[stages.len() - 2], "Maintenance is complete.", ends_at, next_id);
        }
    }

    fn move_to(&mut self, stage: &Stage, message: &str, at: i64, next_id: &mut u64) {
        self.stage_id = stage.id;
        self.append(*next_id, message.to_owned(), Author::automation(), at, Origin::default());
        *next_id += 1;
    }
}

/// `POST maintenances/{id}/complete`
pub fn complete(world: &mut World, call: &PageCall) -> Handled {
    close(world, call, State::Completed, "Maintenance is complete.")
}

/// `POST maintenances/{id}/cancel`
pub fn cancel(world: &mut World, call: &PageCall) -> Handled {
    close(world, call, State::Cancelled, "Maintenance has been cancelled.")
}

fn close(world: &mut World, call: &PageCall, wanted: State, usual_message: &str) -> Handled {
    let message = Remark::read(call)?.unwrap_or_else(|| usual_message.to_owned());
    let page = world.page(call.page_id);
    match (wanted, Maintenance::state(notices::find(world, call)?, &page)) {
        (_, State::Completed | State::Cancelled) => return Err(ApiError::conflict("maintenance is over already")),
        (State::Completed, State::Upcoming) => return Err(ApiError::conflict("maintenance has not started")),
        _ => {}
    }
    let from_the_end = if wanted == State::Cancelled { 1 } else { 2 };
    let stages = &page.maintenance_stages;
    let maintenance = find_mut::<Maintenance>(world, call)?;
    maintenance.stage_id = stages[stages.len() - from_the_end].id;
    Maintenance::enter(maintenance, &page, call.now);
    finish::<Maintenance>(world, call, Some(message))
}
