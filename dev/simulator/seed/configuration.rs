//! The three pages and their vocabularies.

use super::hierarchy;
use crate::domain::pages::{Page, Stage, StatusDefinition};

const DAY: i64 = 86_400;

pub fn pages(now: i64) -> Vec<Page> {
    vec![
        Page {
            id: 42,
            organization_id: 7,
            organization_name: "Northwind Cloud",
            name: "Northwind Cloud Status",
            slug: "northwind",
            public_url: "https://status.northwind.example",
            time_zone: "Europe/Stockholm",
            visibility: "public",
            audit_logs_enabled: true,
            configured_at: now - 40 * DAY,
            statuses: statuses(),
            stages: stages(1),
            maintenance_stages: maintenance_stages(11, false),
            levels: hierarchy::levels(1),
            items: hierarchy::northwind(),
            daily_views: 4200,
        },
        Page {
            id: 43,
            organization_id: 7,
            organization_name: "Northwind Cloud",
            name: "Northwind EU Status",
            slug: "northwind-eu",
            public_url: "https://eu.status.northwind.example",
            time_zone: "Europe/Berlin",
            visibility: "private",
            audit_logs_enabled: false,
            configured_at: now - 35 * DAY,
            statuses: statuses(),
            stages: stages(21),
            maintenance_stages: maintenance_stages(31, true),
            levels: hierarchy::levels(11),
            items: hierarchy::northwind_eu(),
            daily_views: 800,
        },
        Page {
            id: 77,
            organization_id: 9,
            organization_name: "Globex",
            name: "Globex Status",
            slug: "globex",
            public_url: "https://status.globex.example",
            ..small_page(now)
        },
    ]
}

/// A private page with few components.
pub fn small_page(now: i64) -> Page {
    Page {
        id: 0,
        organization_id: 0,
        organization_name: "",
        name: "",
        slug: "",
        public_url: "",
        time_zone: "America/New_York",
        visibility: "private",
        audit_logs_enabled: true,
        configured_at: now - 200 * DAY,
        statuses: statuses(),
        stages: stages(41),
        maintenance_stages: maintenance_stages(51, false),
        levels: hierarchy::levels(21),
        items: hierarchy::globex(),
        daily_views: 900,
    }
}

fn statuses() -> Vec<StatusDefinition> {
    let status = |key, name, description, icon, color| StatusDefinition {
        key,
        name,
        description,
        icon,
        color,
        operational: key == "operational",
        archived: key == "intermittent",
    };
    vec![
        status("operational", "Operational", "Works as it should.", "check", "#16a34a"),
        status("intermittent", "Intermittent", "Comes and goes. No longer used.", "pulse", "#a3a3a3"),
        status("degraded", "Degraded", "Works, and slower or with errors.", "alert", "#ca8a04"),
        status("partial_outage", "Partial outage", "Parts of it do not work.", "half", "#ea580c"),
        status("major_outage", "Major outage", "Does not work for most customers.", "cross", "#dc2626"),
    ]
}

fn stages(first: u64) -> Vec<Stage> {
    let named = [
        ("Investigating", "The cause is being looked for.", "#dc2626"),
        ("Identified", "The cause is known.", "#ea580c"),
        ("Monitoring", "A fix is in place and being watched.", "#ca8a04"),
        ("Resolved", "The incident is over.", "#16a34a"),
    ];
    number(first, &named)
}

/// Page 43 has a stage of its own between the automatic ones.
fn maintenance_stages(first: u64, own_stage: bool) -> Vec<Stage> {
    let mut named = vec![
        ("Scheduled", "The window is announced.", "#2563eb"),
        ("In Progress", "Work is going on.", "#7c3aed"),
        ("Completed", "Work is done.", "#16a34a"),
        ("Cancelled", "The window does not take place.", "#737373"),
    ];
    if own_stage {
        named.insert(2, ("Verifying", "Work is done and being checked.", "#0891b2"));
    }
    number(first, &named)
}

fn number(first: u64, named: &[(&'static str, &'static str, &'static str)]) -> Vec<Stage> {
    let stages = (first..).zip(named);
    stages.map(|(id, (name, description, color))| Stage { id, name, description, color }).collect()
}
