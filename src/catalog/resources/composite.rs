//! Bodies that answer a job in one read: all pages at a glance, what a write needs, a pending Beat action with its evidence.
//!
//! They are made of parts, each with a requirement of its own; a part that cannot be had is named under `missing`.

use super::beats::{ACTION, EVENT};
use super::body::{self, JsonObject, LIST_BYTES, Listing};
use super::flat;
use super::parts::{BEAT, ids, part, show_all};
use super::timeline::INCIDENT;
use crate::catalog::resource::{MISSING, ResourcePart};
use crate::catalog::shown::Origin::People;
use crate::catalog::shown::Shown::{self, Object, Plain, Text};
use crate::catalog::{DocumentError, Subject, shown};
use crate::model::scope::PagePermission as P;
use crate::model::scope::{PagePermission, Requirement, Scope};
use crate::model::time_zone;
use serde_json::{Map, Value, json};

/// Most entries of each list.
const LIST_ENTRIES: usize = 20;
/// Most evidence events of a pending action.
const EVIDENCE_ENTRIES: usize = 10;
/// Length that the components of a page leave to its open incidents, in bytes.
const INCIDENT_BYTES: usize = 4_000;

const INCIDENTS: ResourcePart = ResourcePart {
    name: "incidents",
    path: "incidents?status=active&limit=50",
    needs: needs(Scope::IncidentsRead, &[P::IncidentsRead]),
};
const COMPONENTS: ResourcePart = ResourcePart {
    name: "components",
    path: "hierarchy/items",
    needs: needs(Scope::PagesRead, &[P::PageRead, P::HierarchyRead]),
};
const RUNNING: ResourcePart = ResourcePart {
    name: "maintenances_running",
    path: "maintenances?status=active&limit=50",
    needs: needs(Scope::MaintenancesRead, &[P::MaintenancesRead]),
};
const UPCOMING: ResourcePart = ResourcePart {
    name: "maintenances_upcoming",
    path: "maintenances?status=upcoming&limit=50",
    needs: needs(Scope::MaintenancesRead, &[P::MaintenancesRead]),
};
const BEATS: ResourcePart =
    ResourcePart { name: "beats", path: "beats", needs: needs(Scope::BeatsRead, &[P::SyntheticMonitorsRead]) };
const ACTIONS: ResourcePart = ResourcePart {
    name: "pending_actions",
    path: "beats/actions?status=pending&limit=50",
    needs: needs(Scope::BeatsRead, &[P::SyntheticMonitorsRead, P::SyntheticMonitorsManage]),
};
const SUBSCRIBERS: ResourcePart = ResourcePart {
    name: "recipients",
    path: "subscribers/summary",
    needs: needs(Scope::AnalyticsRead, &[P::AnalyticsRead]),
};

pub const OVERVIEW_PARTS: &[ResourcePart] = &[INCIDENTS, COMPONENTS, RUNNING, UPCOMING, BEATS, ACTIONS];
pub const WRITING_PARTS: &[ResourcePart] = &[INCIDENTS, SUBSCRIBERS];
pub const ACTION_PARTS: &[ResourcePart] = &[INCIDENTS];
pub const BEAT_PARTS: &[ResourcePart] = &[INCIDENTS, COMPONENTS];
pub const INCIDENT_PARTS: &[ResourcePart] = &[BEATS];

const fn needs(scope: Scope, permissions: &'static [PagePermission]) -> Requirement {
    Requirement { scope, permissions }
}

pub const OPEN_INCIDENT: &[Shown] = &[
    Plain("id"),
    Text("title", 200, People),
    Plain("status"),
    Object("lifecycle_stage", &[Plain("id"), Text("name", 100, People)]),
    Plain("started_at"),
];
const WINDOW: &[Shown] = &[Plain("id"), Text("title", 200, People), Plain("starts_at"), Plain("ends_at")];
const WAITING: &[Shown] =
    &[Plain("id"), Text("beat_name", 100, People), Plain("kind"), Plain("review_url"), Plain("created_at")];
const PAGE: &[Shown] = &[Plain("id"), Text("name", 200, People), Plain("visibility"), Plain("time_zone")];
/// Lines that hold names of components.
const LINES: &[Shown] = &[Text("components", 0, People), Text("not_operational", 0, People)];
const RECIPIENTS: &[Shown] = &[Plain("deliverable"), Shown::Counts("channels")];
const STATUS: &[Shown] = &[Plain("key"), Text("name", 100, People)];
const STAGE: &[Shown] = &[Plain("id"), Text("name", 100, People)];

/// The bytes that a result or a page of it may still take.
struct Budget(usize);

impl Budget {
    /// Puts a list into the result as far as it fits, how many entries are not shown, or the reason under `missing`.
    fn put(&mut self, result: &mut Value, name: &str, entries: Result<Vec<Value>, String>, most: usize) {
        let entries = match entries {
            Ok(entries) => entries,
            Err(reason) => {
                result[MISSING][name] = json!(reason);
                return;
            }
        };
        let count = entries.len();
        let mut shown = Vec::new();
        for entry in entries.into_iter().take(most) {
            let length = body::length_of(&entry) + 1;
            if length > self.0 {
                break;
            }
            self.0 -= length;
            shown.push(entry);
        }
        if shown.len() < count {
            result["not_shown"][name] = json!(count - shown.len());
        }
        result[name] = Value::Array(shown);
    }
}

/// Every page: what is open, running, next, not operational, unhealthy, waiting.
pub fn overview(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [pages] = body::answers(answers)?;
    let pages = Listing::read(pages, "the list of pages", None)?;
    let (mut shown_pages, mut left_out) = (Vec::new(), Vec::new());
    let count = subject.parts.as_object().map_or(1, Map::len).max(1);
    for page in pages.items.iter().filter(|page| super::session::is_visible(page)) {
        let id = page.get("id").map(Value::to_string).unwrap_or_default();
        match subject.parts.get(&id) {
            Some(parts) => shown_pages.push(page_overview(subject, page, parts, Budget(LIST_BYTES / count))),
            None => left_out.push(shown::show(PAGE, page)),
        }
    }
    let mut result = json!({ "pages": shown_pages });
    if !left_out.is_empty() {
        result["pages_not_read"] = json!(left_out);
    }
    body::label(&mut result, &[PAGE, OPEN_INCIDENT, WINDOW, BEAT, WAITING, LINES]);
    Ok(result)
}

fn page_overview(subject: &Subject<'_>, page: &JsonObject, parts: &Value, mut budget: Budget) -> Value {
    let mut result = shown::show(PAGE, page);
    let local_time = result["time_zone"].as_str().and_then(|zone| time_zone::local_time(subject.now, zone));
    result["local_time"] = json!(local_time);
    let mut put = |result: &mut Value, name: &str, entries| budget.put(result, name, entries, LIST_ENTRIES);
    let incidents = part(parts, "incidents");
    put(&mut result, "open_incidents", incidents.map(|items| items.iter().map(|one| open(subject, one)).collect()));
    for name in ["maintenances_running", "maintenances_upcoming"] {
        put(&mut result, name, part(parts, name).map(|items| show_all(WINDOW, &items)));
    }
    let not_operational = part(parts, "components")
        .map(|items| flat::broken(&items).iter().map(|component| json!(component.line())).collect());
    put(&mut result, "not_operational", not_operational);
    let unhealthy = part(parts, "beats").map(|mut beats| {
        let is_healthy = |beat: &JsonObject| beat.get("current_stage").is_some_and(|stage| stage == "healthy");
        beats.retain(|beat| !is_healthy(beat) && beat.get("enabled") != Some(&json!(false)));
        show_all(BEAT, &beats)
    });
    put(&mut result, "unhealthy_beats", unhealthy);
    put(&mut result, "waiting_for_a_person", part(parts, "pending_actions").map(|items| show_all(WAITING, &items)));
    result
}

/// An open incident on one line of a list.
pub fn open(subject: &Subject<'_>, incident: &JsonObject) -> Value {
    let mut shown = shown::show(OPEN_INCIDENT, incident);
    shown["minutes_since_update"] = json!(body::minutes_since_update(subject.now, incident));
    shown["affected_item_ids"] = ids(incident).into();
    shown
}

/// Everything that a write needs: zone, visibility, recipients, settable statuses and stages, components, open incidents.
pub fn writing(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [summary, statuses, stages, maintenance_stages, items] = body::answers(answers)?;
    let list = |answer, what| Listing::read(answer, what, None).map(|listing| listing.items);
    let mut statuses = list(statuses, "the list of status definitions")?;
    statuses.retain(|status| status.get("archived") != Some(&json!(true)));
    let stages = settable(list(stages, "the list of stages")?, 1);
    let maintenance_stages = settable(list(maintenance_stages, "the list of stages")?, 2);
    let components = flat::components(&list(items, "the list of items")?);
    let mut result = json!({ "page": shown::show(PAGE, &body::object(summary, "the page summary")?) });
    let mut budget = Budget(LIST_BYTES - INCIDENT_BYTES);
    let mut put = |result: &mut Value, name: &str, entries, most| budget.put(result, name, Ok(entries), most);
    put(&mut result, "statuses", show_all(STATUS, &statuses), LIST_ENTRIES);
    put(&mut result, "incident_stages", show_all(STAGE, &stages), LIST_ENTRIES);
    put(&mut result, "maintenance_stages", show_all(STAGE, &maintenance_stages), LIST_ENTRIES);
    let lines = components.iter().map(|component| json!(component.line())).collect();
    put(&mut result, "components", lines, usize::MAX);
    result["component_lines"] = json!("id path status");
    let recipients = &subject.parts["recipients"];
    if let Some(reason) = recipients[MISSING].as_str() {
        result[MISSING]["recipients"] = json!(reason);
    } else {
        let counts = recipients.as_object().map(|counts| shown::show(RECIPIENTS, counts));
        result["recipients"] = json!(counts);
    }
    let incidents = part(subject.parts, "incidents");
    let incidents = incidents.map(|items| items.iter().map(|one| open(subject, one)).collect());
    Budget(INCIDENT_BYTES).put(&mut result, "open_incidents", incidents, LIST_ENTRIES);
    body::label(&mut result, &[PAGE, STATUS, STAGE, OPEN_INCIDENT, LINES]);
    Ok(result)
}

/// The stages without the last ones, which only a person can set.
fn settable(mut stages: Vec<JsonObject>, last: usize) -> Vec<JsonObject> {
    stages.sort_by_key(body::position);
    stages.truncate(stages.len().saturating_sub(last));
    stages
}

/// One pending action with the evidence of its own Beat, the incident it would update, and open incidents on its components.
pub fn beat_action(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let [actions, failures] = body::answers(answers)?;
    let wanted = subject.variables.get("action_id").and_then(|id| id.parse::<i64>().ok());
    let number = |item: &JsonObject, name: &str| item.get(name).and_then(Value::as_i64);
    let actions = Listing::read(actions, "the list of Beat actions", None)?.items;
    let action = actions.into_iter().find(|action| wanted.is_some() && number(action, "id") == wanted);
    let action = action.ok_or(DocumentError::Absent)?;
    let beat = number(&action, "beat_id");
    let mut evidence = Listing::read(failures, "the list of Beat failures", None)?.items;
    evidence.retain(|event| beat.is_some() && number(event, "beat_id") == beat);
    let more = evidence.len().saturating_sub(EVIDENCE_ENTRIES);
    evidence.truncate(EVIDENCE_ENTRIES);
    let mut result = json!({
        "page": body::page(subject)?, "action": shown::show(ACTION, &action), "evidence": show_all(EVENT, &evidence),
    });
    if more > 0 {
        result["not_shown"]["evidence"] = json!(more);
    }
    match part(subject.parts, "incidents") {
        Err(reason) => result[MISSING]["open_incidents"] = json!(reason),
        Ok(incidents) => {
            let (target, affected) = (number(&action, "incident_id"), ids(&action));
            let is_target = |incident: &&JsonObject| target.is_some() && number(incident, "id") == target;
            if let Some(incident) = incidents.iter().find(is_target) {
                result["incident_to_update"] = shown::show(INCIDENT, incident);
            }
            let overlaps = |incident: &&JsonObject| ids(incident).iter().any(|id| affected.contains(id));
            let others = incidents.iter().filter(|one| !is_target(one)).filter(overlaps);
            let others = Ok(others.map(|one| open(subject, one)).collect());
            Budget(INCIDENT_BYTES).put(&mut result, "open_incidents_on_same_components", others, LIST_ENTRIES);
        }
    }
    body::label(&mut result, &[ACTION, EVENT, INCIDENT, OPEN_INCIDENT]);
    Ok(result)
}
