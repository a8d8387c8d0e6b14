//! Other maintenance windows and open incidents on the components of a maintenance window, during the window. They warn;
//! only a window at the very same times is a possible duplicate.

use super::{duplicate, schedule};
use crate::alternatives::entries;
use crate::catalog::Write;
use crate::model::timestamp::Timestamp;
use crate::model::visible::quote;
use crate::upstream::PageClient;
use crate::writes::effect::WriteEffect;
use crate::writes::target::TITLE_MAX;
use futures_util::future::join;
use serde_json::Value;
use std::time::Duration;

/// Open incidents are ignored for a window that begins later than this from now.
const SOON: Duration = Duration::from_hours(24);

/// Returns whether a write plans a window on components.
pub fn applies_to(write: &Write) -> bool {
    schedule::window(write).is_some() && duplicate::names_something(write)
}

/// Reads the other windows of the page, as StatiBeat lists them beside the effect of the write, and the open incidents if the window
/// begins soon. Those that can't be read are left out. `incidents` is `None` if the caller may not read incidents.
pub async fn read(
    api: &PageClient<'_>,
    incidents: Option<&PageClient<'_>>,
    write: &Write,
    now: Timestamp,
) -> (Vec<Value>, Option<Value>) {
    let (effect, active) = join(api.dry_run(write), read_open_incidents(incidents, write, now)).await;
    (effect.and_then(WriteEffect::parse).map(|effect| effect.related).unwrap_or_default(), active)
}

/// Reads the open incidents, for a window that begins within [`SOON`]. StatiBeat's dry run of a maintenance doesn't list
/// incidents. `None` if the caller may not read incidents.
pub async fn read_open_incidents(incidents: Option<&PageClient<'_>>, write: &Write, now: Timestamp) -> Option<Value> {
    let is_soon = schedule::window(write).is_some_and(|(starts_at, _)| starts_at <= now + SOON);
    if !is_soon || !applies_to(write) {
        return None;
    }
    incidents?.get(duplicate::READ).await.ok()
}

/// Something on the same components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlap {
    Window {
        id: i64,
        words: String,
    },
    /// An open incident, for people.
    Incident(String),
}

impl Overlap {
    /// Renders the warning; `None` for the window that was just published (`published_id`).
    pub fn to_warning(self, published_id: Option<i64>) -> Option<String> {
        match self {
            Self::Window { id, .. } if Some(id) == published_id => None,
            Self::Window { words, .. } | Self::Incident(words) => Some(words),
        }
    }
}

/// Those among the windows and the open incidents that touch what this window touches.
pub fn find(windows: &[Value], incidents: Option<&Value>, write: &Write, now: Timestamp) -> Vec<Overlap> {
    let Some((starts_at, ends_at)) = schedule::window(write) else { return Vec::new() };
    let named = |entry: &Value| quote(entry["title"].as_str().unwrap_or_default(), TITLE_MAX);
    let overlaps = |entry: &&Value| duplicate::overlaps(entry, &write.body);
    // A window that is being changed is no other window.
    let own = write.operation.target_id();
    let window = |entry: &Value| {
        let (from, to) = schedule::window_of(entry)?;
        let id = entry["id"].as_i64().filter(|id| Some(*id) != own && from < ends_at && starts_at < to)?;
        let words = format!("maintenance {id} ({}, {from} to {to}) is on the same components", named(entry));
        Some(Overlap::Window { id, words })
    };
    let incident = |entry: &Value| {
        Overlap::Incident(format!("incident {} ({}) is open on the same components", entry["id"], named(entry)))
    };
    let windows = windows.iter().filter(overlaps).filter_map(window);
    let incidents = incidents.filter(|_| starts_at <= now + SOON).into_iter().flat_map(entries);
    windows.chain(incidents.filter(overlaps).map(incident)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Operation;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_893_495_600);

    fn found(starts_at: &str, ends_at: &str, item: i64) -> Vec<Overlap> {
        let planned = json!({
            "starts_at": "2030-01-02T10:00:00Z", "ends_at": "2030-01-02T12:00:00Z", "affected_items": [{ "id": 1 }],
        });
        let other = json!({
            "id": 7, "title": "Move", "starts_at": starts_at, "ends_at": ends_at, "affected_items": [{ "id": item }],
        });
        find(&[other], None, &Write::new(Operation::ScheduleMaintenance, planned), NOW)
    }

    #[test]
    fn another_window_counts_while_both_last_and_where_both_are() {
        let words = "maintenance 7 (\"Move\", 2030-01-02T11:00:00Z to 2030-01-02T13:00:00Z) is on the same components";
        let overlap = found("2030-01-02T11:00:00Z", "2030-01-02T13:00:00Z", 1);
        assert_eq!(overlap, [Overlap::Window { id: 7, words: words.to_owned() }]);
        assert_eq!(overlap[0].clone().to_warning(None).as_deref(), Some(words));
        assert_eq!(overlap[0].clone().to_warning(Some(7)), None, "the window itself");
        assert_eq!(found("2030-01-02T12:00:00Z", "2030-01-02T13:00:00Z", 1), [], "one after the other");
        assert_eq!(found("2030-01-02T08:00:00Z", "2030-01-02T10:00:00Z", 1), []);
        assert_eq!(found("2030-01-02T11:00:00Z", "2030-01-02T13:00:00Z", 2), [], "another component");
    }

    #[test]
    fn an_open_incident_on_the_same_components_is_found() {
        let planned = json!({
            "starts_at": "2030-01-02T10:00:00Z", "ends_at": "2030-01-02T12:00:00Z", "affected_items_freetext": "API",
        });
        let incidents =
            json!([{ "id": 9, "title": "Slow", "affected_items_freetext": "api" }, { "id": 10, "title": "Other" }]);
        let planned = Write::new(Operation::ScheduleMaintenance, planned);
        let found = |now| find(&[], Some(&incidents), &planned, now);
        assert_eq!(found(NOW), [Overlap::Incident("incident 9 (\"Slow\") is open on the same components".to_owned())]);
        assert_eq!(found(NOW - Duration::from_hours(2)), [], "more than a day ahead");
    }
}
