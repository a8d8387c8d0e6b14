//! Maintenances in every stage on page 42, two on page 43.

use crate::domain::maintenances::Maintenance;
use crate::domain::notices::{Author, Notice, Origin};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

pub fn maintenances(now: i64) -> Vec<Notice<Maintenance>> {
    vec![
        Notice {
            impact: Some("Short interruptions of running queries are possible.".to_owned()),
            ..planned(2001, 42, 12, "Database minor version upgrade", &[124], (now - HOUR, now + 2 * HOUR))
        }
        .with(7101, "Work has started as planned.", now - HOUR),
        Notice {
            external_id: Some("change-4711".to_owned()),
            ..planned(2002, 42, 11, "Gateway certificate rotation", &[102, 106], (now + 2 * DAY, now + 2 * DAY + HOUR))
        },
        planned(2003, 42, 11, "Object storage rebalancing", &[122, 126], (now + 9 * DAY, now + 9 * DAY + 6 * HOUR)),
        finished(planned(2004, 42, 13, "Search index rebuild", &[113], (now - 5 * DAY, now - 5 * DAY + 3 * HOUR))),
        finished(planned(2005, 42, 13, "Mail relay migration", &[132], (now - 21 * DAY, now - 21 * DAY + 2 * HOUR))),
        cancelled(
            planned(2006, 42, 14, "Carrier switch for SMS", &[133], (now - 10 * DAY, now - 10 * DAY + HOUR)),
            now - 12 * DAY,
        )
        .with(7106, "The carrier postponed the switch.", now - 12 * DAY),
        planned(2101, 43, 33, "Key store patching", &[203], (now - HOUR, now + HOUR)),
        planned(2102, 43, 31, "Paris network upgrade", &[204], (now + 4 * DAY, now + 4 * DAY + 2 * HOUR)),
    ]
}

fn planned(
    id: u64,
    page_id: u64,
    stage_id: u64,
    title: &str,
    affected: &[u64],
    (starts_at, ends_at): (i64, i64),
) -> Notice<Maintenance> {
    Notice {
        id,
        page_id,
        external_id: None,
        created_with: None,
        title: title.to_owned(),
        description: format!("{title}. We keep this page up to date while we work."),
        impact: None,
        stage_id,
        affected: affected.to_vec(),
        affected_freetext: None,
        author: Author::new("Mara Lindqvist", "dashboard"),
        updated_at: starts_at - 14 * DAY,
        updates: Vec::new(),
        own: Maintenance::new(starts_at, ends_at),
    }
}

fn finished(mut maintenance: Notice<Maintenance>) -> Notice<Maintenance> {
    let ends_at = maintenance.own.ends_at;
    maintenance.own.completed_at = Some(ends_at);
    let id = maintenance.id + 5100;
    maintenance.with(id, "Maintenance is complete.", ends_at)
}

fn cancelled(mut maintenance: Notice<Maintenance>, at: i64) -> Notice<Maintenance> {
    maintenance.own.cancelled_at = Some(at);
    maintenance
}

impl Notice<Maintenance> {
    fn with(mut self, id: u64, message: &str, at: i64) -> Self {
        self.append(id, message.to_owned(), Author::automation(), at, Origin::default());
        self
    }
}
