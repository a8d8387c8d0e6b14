//! Which permission and scope each operation asks for. A pair that is not in the table does not exist (405).

use super::super::routes::Endpoint;

/// What an operation asks of its caller.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The page permission.
    pub permission: &'static str,
    /// The scopes of which the connector needs one; `None` keeps the connector out.
    pub scopes: Option<&'static [&'static str]>,
    /// Whether it changes something.
    pub write: bool,
}

/// `/me` and `/me/pages`: no page, and any scope at all.
pub const SESSION: Access = Access {
    permission: "",
    scopes: Some(&[
        "mcp.pages.read",
        "mcp.beats.read",
        "mcp.incidents.read",
        "mcp.incidents.write",
        "mcp.maintenances.read",
        "mcp.maintenances.write",
        "mcp.analytics.read",
    ]),
    write: false,
};

const fn read(permission: &'static str, scopes: &'static [&'static str]) -> Access {
    Access { permission, scopes: Some(scopes), write: false }
}

/// One of the connector's four writes.
const fn hosted_write(permission: &'static str, scopes: &'static [&'static str]) -> Access {
    Access { permission, scopes: Some(scopes), write: true }
}

/// A write for API tokens alone.
const fn token_write(permission: &'static str) -> Access {
    Access { permission, scopes: None, write: true }
}

/// Looks an operation up.
pub fn find(endpoint: &Endpoint, method: &str) -> Option<Access> {
    match method {
        "GET" => reads(endpoint),
        "POST" => posts(endpoint),
        "PATCH" | "DELETE" => match endpoint {
            Endpoint::Incident(_) => Some(token_write("incidents.manage")),
            Endpoint::Maintenance(_) => Some(token_write("maintenances.manage")),
            _ => None,
        },
        _ => None,
    }
}

/// The methods an endpoint knows, for the `Allow` header.
pub fn allowed_methods(endpoint: &Endpoint) -> String {
    let known = ["GET", "POST", "PATCH", "DELETE"].into_iter().filter(|method| find(endpoint, method).is_some());
    known.collect::<Vec<_>>().join(", ")
}

fn reads(endpoint: &Endpoint) -> Option<Access> {
    let pages: &[&str] = &["mcp.pages.read"];
    // Who writes must be able to name what the page knows, to see what is going on, and to find its own write again.
    let vocabulary: &[&str] = &["mcp.pages.read", "mcp.incidents.write", "mcp.maintenances.write"];
    let incidents: &[&str] = &["mcp.incidents.read", "mcp.incidents.write"];
    let incidents_alone: &[&str] = &["mcp.incidents.read"];
    let maintenances: &[&str] = &["mcp.maintenances.read", "mcp.maintenances.write"];
    let maintenances_alone: &[&str] = &["mcp.maintenances.read"];
    let beats: &[&str] = &["mcp.beats.read"];
    Some(match endpoint {
        Endpoint::Context => Access { permission: "page.read", scopes: None, write: false },
        Endpoint::Summary | Endpoint::AuditSettings => read("page.read", pages),
        Endpoint::StatusDefinitions => read("status_definitions.read", vocabulary),
        Endpoint::LifecycleStages => read("lifecycle_stages.read", vocabulary),
        Endpoint::MaintenanceLifecycleStages => read("maintenance_lifecycle_stages.read", vocabulary),
        Endpoint::HierarchyLevels => read("hierarchy.read", pages),
        Endpoint::HierarchyItems => read("hierarchy.read", vocabulary),
        Endpoint::SubscribersSummary => {
            read("analytics.read", &["mcp.analytics.read", "mcp.incidents.write", "mcp.maintenances.write"])
        }
        Endpoint::AnalyticsSummary => read("analytics.read", &["mcp.analytics.read"]),
        Endpoint::Incidents | Endpoint::Incident(_) | Endpoint::IncidentUpdate(..) => read("incidents.read", incidents),
        Endpoint::IncidentUpdates(_) => read("incidents.read", incidents_alone),
        Endpoint::Maintenances
        | Endpoint::Maintenance(_)
        | Endpoint::MaintenanceByExternalId(_)
        | Endpoint::MaintenanceUpdate(..) => read("maintenances.read", maintenances),
        Endpoint::MaintenanceUpdates(_) => read("maintenances.read", maintenances_alone),
        Endpoint::Beats
        | Endpoint::Beat(_)
        | Endpoint::BeatEvents(_)
        | Endpoint::BeatRuns(_)
        | Endpoint::BeatFailures
        | Endpoint::BeatGroups => read("synthetic_monitors.read", beats),
        Endpoint::BeatActions => read("synthetic_monitors.manage", beats),
        Endpoint::IncidentAction(..)
        | Endpoint::MaintenanceAction(..)
        | Endpoint::BeatRun(_)
        | Endpoint::BeatDecision(..) => return None,
    })
}

fn posts(endpoint: &Endpoint) -> Option<Access> {
    Some(match endpoint {
        // The connector writes to incidents by number only, so an update cannot follow an id somebody else chose.
        Endpoint::Incidents | Endpoint::IncidentUpdates(super::super::routes::Reference::Id(_)) => {
            hosted_write("incidents.manage", &["mcp.incidents.write"])
        }
        Endpoint::IncidentUpdates(_) | Endpoint::IncidentAction(..) => token_write("incidents.manage"),
        Endpoint::Maintenances | Endpoint::MaintenanceUpdates(_) => {
            hosted_write("maintenances.manage", &["mcp.maintenances.write"])
        }
        Endpoint::MaintenanceAction(..) => token_write("maintenances.manage"),
        Endpoint::BeatRun(_) | Endpoint::BeatDecision(..) => token_write("synthetic_monitors.manage"),
        _ => return None,
    })
}
