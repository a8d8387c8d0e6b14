//! RESOURCES: everything a client can read, and from which upstream answers each body is made.
//!
//! The bodies live below, by subject. A body shows the fields it knows, names its page, says of every list how long it
//! really is, and names every field that holds somebody else's words.

mod beat_detail;
mod beats;
mod body;
mod composite;
mod flat;
mod hierarchy;
mod page;
mod parts;
mod query;
mod session;
mod timeline;

use super::resource::{Binding, Read, Resource};
use super::{DocumentError, Subject};
use crate::model::scope::PagePermission::{
    AnalyticsRead, HierarchyRead, IncidentsRead, LifecycleStagesRead, MaintenanceLifecycleStagesRead, MaintenancesRead,
    PageRead, StatusDefinitionsRead, SyntheticMonitorsManage, SyntheticMonitorsRead,
};
use crate::model::scope::{PagePermission, Requirement, Scope};
use serde_json::{Value, json};
use std::time::Duration;

pub use query::check_query;

/// Every resource, in the order of lists.
pub static RESOURCES: &[Resource] = &[
    Resource {
        name: "me",
        path: "me",
        title: "Signed-in user",
        description: "The StatiBeat user this connection acts for.",
        binding: Binding::Session,
        hosted: Some(needs(Scope::PagesRead, &[])),
        reads: &[read("me")],
        parts: &[],
        fresh_for: Duration::from_mins(5),
        body: session::me,
    },
    Resource {
        name: "pages",
        path: "pages?cursor={cursor}",
        title: "Accessible pages",
        description: "The status pages this user can access, with id, role, permissions and what can be read of each.",
        binding: Binding::Session,
        hosted: Some(needs(Scope::PagesRead, &[])),
        reads: &[read("me/pages")],
        parts: &[],
        fresh_for: Duration::from_secs(15),
        body: pages_and_paths,
    },
    Resource {
        name: "overview",
        path: "overview",
        title: "Overview of all pages",
        description: "Up to 5 pages at once: open incidents, maintenance, components that are not operational, unhealthy \
                      Beats, and what waits for a person.",
        binding: Binding::Session,
        hosted: Some(needs(Scope::PagesRead, &[])),
        reads: &[read("me/pages")],
        parts: composite::OVERVIEW_PARTS,
        fresh_for: Duration::ZERO,
        body: composite::overview,
    },
    Resource {
        name: "writing",
        path: "writing",
        title: "What a write needs",
        description: "Everything a write needs in one read: time zone, visibility, recipients, settable statuses and stages \
                      by id, components as lines of id, path and status, and open incidents.",
        binding: Binding::Page,
        hosted: Some(needs(
            Scope::PagesRead,
            &[PageRead, StatusDefinitionsRead, LifecycleStagesRead, MaintenanceLifecycleStagesRead, HierarchyRead],
        )),
        // The list of pages may be a minute old.
        reads: &[
            read("summary"),
            read("status-definitions"),
            read("lifecycle-stages"),
            read("maintenance-lifecycle-stages"),
            read("hierarchy/items"),
        ],
        parts: composite::WRITING_PARTS,
        fresh_for: Duration::ZERO,
        body: composite::writing,
    },
    Resource {
        name: "summary",
        path: "summary",
        title: "Page summary",
        description: "Overall status of a page and how many incidents and maintenances are active or \
                      upcoming.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead])),
        reads: &[read("summary")],
        parts: &[],
        fresh_for: Duration::from_secs(15),
        body: page::summary,
    },
    Resource {
        name: "status_definitions",
        path: "status-definitions",
        title: "Status definitions",
        description: "The statuses of a page by key, from the least to the most severe. Incidents are \
                      created and updated with such a key.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead, StatusDefinitionsRead])),
        reads: &[read("status-definitions")],
        parts: &[],
        fresh_for: Duration::from_mins(5),
        body: page::status_definitions,
    },
    Resource {
        name: "lifecycle_stages",
        path: "lifecycle-stages",
        title: "Lifecycle stages",
        description: "The stages that an incident of a page goes through, in order; the last one means \
                      resolved.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead, LifecycleStagesRead])),
        reads: &[read("lifecycle-stages")],
        parts: &[],
        fresh_for: Duration::from_mins(5),
        body: page::lifecycle_stages,
    },
    Resource {
        name: "maintenance_lifecycle_stages",
        path: "maintenance-lifecycle-stages",
        title: "Maintenance lifecycle stages",
        description: "The stages that a maintenance of a page goes through, in order; the last two mean \
                      completed and cancelled.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead, MaintenanceLifecycleStagesRead])),
        reads: &[read("maintenance-lifecycle-stages")],
        parts: &[],
        fresh_for: Duration::from_mins(5),
        body: page::maintenance_stages,
    },
    Resource {
        name: "hierarchy",
        path: "hierarchy?under_id={under_id}&not_operational={not_operational}",
        title: "Hierarchy tree",
        description: "Components of a page as a tree, with status, id, external_id and slug. under_id: only the branch of that one; \
                      not_operational=true: only what is not operational and what is above it.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead, HierarchyRead])),
        reads: &[optional("hierarchy/levels"), read("hierarchy/items")],
        parts: &[],
        fresh_for: Duration::from_secs(30),
        body: hierarchy::tree,
    },
    Resource {
        name: "incidents_active",
        path: "incidents/active?cursor={cursor}",
        title: "Active incidents",
        description: "Incidents of a page that are not resolved, newest first, at most 50, in compact \
                      form.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::IncidentsRead, &[IncidentsRead])),
        reads: &[read("incidents?status=active&limit=50")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: timeline::active_incidents,
    },
    Resource {
        name: "incidents_resolved",
        path: "incidents/resolved?item_id={item_id}&cursor={cursor}",
        title: "Resolved incidents",
        description: "Incidents of a page that are resolved, newest first, at most 50, with their duration; with item_id, \
                      those that affected one component or one below it.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::IncidentsRead, &[IncidentsRead])),
        reads: &[read("incidents?status=resolved&limit=50&item_id={item_id}")],
        parts: &[],
        fresh_for: Duration::from_secs(30),
        body: timeline::resolved_incidents,
    },
    Resource {
        name: "incident",
        path: "incidents/{incident_id}?cursor={cursor}",
        title: "Incident detail",
        description: "One incident in full, with its 20 newest updates, the current status of its components and the Beats \
                      on them.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::IncidentsRead, &[IncidentsRead])),
        reads: &[read("incidents/{incident_id}")],
        parts: composite::INCIDENT_PARTS,
        fresh_for: Duration::ZERO,
        body: timeline::incident,
    },
    Resource {
        name: "maintenances_active",
        path: "maintenances/active?cursor={cursor}",
        title: "Active maintenance",
        description: "Maintenance windows in progress on a page, soonest first, at most 50, in compact form.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::MaintenancesRead, &[MaintenancesRead])),
        reads: &[read("maintenances?status=active&limit=50")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: |subject, answers| timeline::MAINTENANCES.render(subject, answers),
    },
    Resource {
        name: "maintenances_upcoming",
        path: "maintenances/upcoming?cursor={cursor}",
        title: "Upcoming maintenance",
        description: "Maintenance windows of a page that are planned, soonest first, at most 50, in \
                      compact form.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::MaintenancesRead, &[MaintenancesRead])),
        reads: &[read("maintenances?status=upcoming&limit=50")],
        parts: &[],
        fresh_for: Duration::from_secs(15),
        body: |subject, answers| timeline::MAINTENANCES.render(subject, answers),
    },
    Resource {
        name: "maintenance",
        path: "maintenances/{maintenance_id}?cursor={cursor}",
        title: "Maintenance detail",
        description: "One maintenance window in full, with its 20 newest updates.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::MaintenancesRead, &[MaintenancesRead])),
        reads: &[read("maintenances/{maintenance_id}")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: |subject, answers| timeline::MAINTENANCE_DOCUMENT.render(subject, answers),
    },
    Resource {
        name: "analytics_summary",
        path: "analytics/summary?window_days={window_days}",
        title: "Analytics summary",
        description: "Traffic, subscriber, activity and delivery totals of a page, and the same by day, \
                      over window_days (1 to 90, 30 if not given) up to today.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::AnalyticsRead, &[AnalyticsRead])),
        reads: &[read("analytics/summary?window_days={window_days}")],
        parts: &[],
        fresh_for: Duration::from_secs(30),
        body: page::analytics,
    },
    Resource {
        name: "beats",
        path: "beats?cursor={cursor}",
        title: "Beats",
        description: "The Beats (synthetic monitors) of a page, each with its current stage and \
                      automation state.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead])),
        reads: &[read("beats")],
        parts: &[],
        fresh_for: Duration::from_secs(15),
        body: |subject, answers| beats::BEATS.render(subject, answers),
    },
    Resource {
        name: "beat_groups",
        path: "beat-groups?cursor={cursor}",
        title: "Beat Groups",
        description: "Groups of Beats of a page, with their members and shared automation state.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead])),
        reads: &[read("beat-groups")],
        parts: &[],
        fresh_for: Duration::from_secs(15),
        body: |subject, answers| beats::GROUPS.render(subject, answers),
    },
    Resource {
        name: "beat_actions_pending",
        path: "beats/actions/pending?cursor={cursor}",
        title: "Pending Beat actions",
        description: "What Beats of a page would post and a person has yet to approve or reject, newest \
                      first, at most 50, with evidence and a link for review.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead, SyntheticMonitorsManage])),
        reads: &[read("beats/actions?status=pending&limit=50")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: |subject, answers| beats::PENDING_ACTIONS.render(subject, answers),
    },
    Resource {
        name: "beat_action",
        path: "beats/actions/{action_id}",
        title: "Pending Beat action",
        description: "One pending action with the evidence of its Beat, the incident it would update, and open incidents on \
                      the same components.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead, SyntheticMonitorsManage])),
        reads: &[read("beats/actions?status=pending&limit=50"), read("beats/failures?limit=50")],
        parts: composite::ACTION_PARTS,
        fresh_for: Duration::ZERO,
        body: composite::beat_action,
    },
    Resource {
        name: "beat_failures",
        path: "beats/failures?cursor={cursor}",
        title: "Recent Beat failures",
        description: "Evidence of warnings and critical stages over all Beats of a page, newest first, \
                      at most 50.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead])),
        reads: &[read("beats/failures?limit=50")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: |subject, answers| beats::FAILURES.render(subject, answers),
    },
    Resource {
        name: "beat",
        path: "beats/{beat_id}",
        title: "Beat detail",
        description: "One Beat: what it checks, target, interval, thresholds, components, since when in its stage, its last \
                      changes of stage with recoveries, what its post mode means, and what else failed in the same minutes.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead])),
        reads: &[read("beats/{beat_id}"), optional("beats/failures?limit=50")],
        parts: composite::BEAT_PARTS,
        fresh_for: Duration::ZERO,
        body: beat_detail::beat,
    },
    Resource {
        name: "beat_events",
        path: "beats/{beat_id}/events?from={from}&to={to}&cursor={cursor}",
        title: "Evidence of a Beat",
        description: "Evidence events of one Beat, newest first, at most 100; with from and to (RFC 3339), those between two \
                      times.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::BeatsRead, &[SyntheticMonitorsRead])),
        reads: &[read("beats/{beat_id}/events?limit=100&from={from}&to={to}")],
        parts: &[],
        fresh_for: Duration::ZERO,
        body: |subject, answers| beats::EVENTS.render(subject, answers),
    },
];

/// The pages, and the paths below each: some clients show their model no templates.
fn pages_and_paths(subject: &Subject<'_>, answers: Vec<Value>) -> Result<Value, DocumentError> {
    let mut result = session::pages(subject, answers)?;
    let of_page = RESOURCES.iter().filter(|entry| entry.binding == Binding::Page && entry.hosted.is_some());
    let paths: Vec<&str> = of_page.map(|entry| entry.path.split('?').next().unwrap_or_default()).collect();
    result["resources_of_a_page"] = json!({ "below": "statibeat://pages/{page_id}/", "paths": paths });
    Ok(result)
}

const fn needs(scope: Scope, permissions: &'static [PagePermission]) -> Requirement {
    Requirement { scope, permissions }
}

const fn read(path: &'static str) -> Read {
    Read { path, is_optional: false }
}

const fn optional(path: &'static str) -> Read {
    Read { path, is_optional: true }
}

/// Number and path of each component in StatiBeat's answer to `hierarchy/items`.
pub fn component_paths(items: &Value) -> Vec<(i64, String)> {
    let items = body::Listing::read(items.clone(), "the list of items", None).map(|listing| listing.items);
    flat::components(&items.unwrap_or_default()).into_iter().map(flat::Component::into_parts).collect()
}

pub fn find_resource(name: &str) -> Option<&'static Resource> {
    RESOURCES.iter().find(|resource| resource.name == name)
}
