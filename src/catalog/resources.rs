//! RESOURCES: everything a client can read, and from which upstream answers each body is made.
//!
//! The bodies live below, by subject. A body keeps fields it does not know, names its page, and says of every list
//! how long it really is.

mod body;
mod hierarchy;
mod incidents;
mod page;
mod session;

use super::scope::PagePermission::{HierarchyRead, IncidentsRead, PageRead};
use super::scope::{PagePermission, Requirement, Scope};
use super::{Binding, Read, Resource};
use std::time::Duration;

/// Every resource, in the order of lists.
pub static RESOURCES: &[Resource] = &[
    Resource {
        name: "me",
        path: "me",
        title: "Signed-in user",
        description: "The StatiBeat user this connection acts for.",
        binding: Binding::Session,
        hosted: Some(needs(Scope::PagesRead, &[])),
        reads: &[Read { path: "me" }],
        fresh_for: Duration::from_secs(30),
        body: session::me,
    },
    Resource {
        name: "pages",
        path: "pages",
        title: "Accessible pages",
        description: "The status pages this user can access, with id, role and permissions. The id of a page stands in \
                      every other URI and in the page_id argument of every tool.",
        binding: Binding::Session,
        hosted: Some(needs(Scope::PagesRead, &[])),
        reads: &[Read { path: "me/pages" }],
        fresh_for: Duration::from_secs(15),
        body: session::pages,
    },
    Resource {
        name: "summary",
        path: "summary",
        title: "Page summary",
        description: "Overall status of a page and how many incidents and maintenances are active or upcoming.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead])),
        reads: &[Read { path: "summary" }],
        fresh_for: Duration::from_secs(15),
        body: page::summary,
    },
    Resource {
        name: "hierarchy",
        path: "hierarchy",
        title: "Hierarchy tree",
        description: "The services and components of a page as a tree, each with its current status and the id, \
                      external_id and slug by which an incident can name it.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::PagesRead, &[PageRead, HierarchyRead])),
        reads: &[Read { path: "hierarchy/levels" }, Read { path: "hierarchy/items" }],
        fresh_for: Duration::from_secs(30),
        body: hierarchy::tree,
    },
    Resource {
        name: "incidents_active",
        path: "incidents/active",
        title: "Active incidents",
        description: "Incidents of a page that are not resolved, newest first, at most 50, in compact form.",
        binding: Binding::Page,
        hosted: Some(needs(Scope::IncidentsRead, &[IncidentsRead])),
        reads: &[Read { path: "incidents?status=active&limit=50" }],
        fresh_for: Duration::ZERO,
        body: incidents::list,
    },
    INCIDENT,
];

/// One incident; what a write of an incident links to.
pub static INCIDENT_DETAIL: &Resource = &INCIDENT;

const INCIDENT: Resource = Resource {
    name: "incident",
    path: "incidents/{incident_id}",
    title: "Incident detail",
    description: "One incident in full, with its 20 newest updates.",
    binding: Binding::Page,
    hosted: Some(needs(Scope::IncidentsRead, &[IncidentsRead])),
    reads: &[Read { path: "incidents/{incident_id}" }],
    fresh_for: Duration::ZERO,
    body: incidents::detail,
};

const fn needs(scope: Scope, permissions: &'static [PagePermission]) -> Requirement {
    Requirement { scope, permissions }
}
