//! Access to an entry: granted scopes intersected with the permissions of the person's role on the page, at this moment.
//!
//! Scopes are checked first, because that needs no I/O. A missing page and a page that the person cannot see get the
//! same response, so that it doesn't reveal which pages exist.

use super::page_names::PageNames;
use crate::mcp;
use crate::model::ids::PageId;
use crate::model::missing_access::MissingAccess;
use crate::model::scope::{PagePermission, Requirement, Scope, ScopeSet};
use crate::model::visible::quote;
use crate::upstream::identity::AccessiblePage;
use crate::writes::report;
use serde_json::{Value, json};

/// Longest name of a page that is quoted, in characters.
const PAGE_NAME_MAX: usize = 200;

/// The client lacks a scope that the entry needs; contains the scopes to request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingScope(pub ScopeSet);

/// Reason why the page cannot be used. Another consent would not help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessDenied {
    /// No such page, or none that this person can see; the pages that they can see.
    Page(PageNames),
    /// The person's role on the page does not allow it.
    Role {
        /// The permission that the role lacks.
        missing: PagePermission,
        page_name: String,
    },
}

impl AccessDenied {
    /// The thing that the page's refusal lacks, for diagnostics.
    pub const fn missing(&self, page_id: PageId) -> MissingAccess {
        match self {
            Self::Page(_) => MissingAccess::Page(page_id),
            Self::Role { missing, .. } => MissingAccess::Permission { permission: *missing, page_id },
        }
    }
}

/// Checks the client's scopes. A client that lacks a write scope is told to request the matching read scope too, so
/// that it can read its writes.
pub fn check_scope(granted: ScopeSet, requirement: &Requirement) -> Result<(), MissingScope> {
    if granted.contains(requirement.scope) {
        return Ok(());
    }
    Err(MissingScope(ScopeSet::from_iter([requirement.scope, matching_read(requirement.scope)])))
}

/// Returns the requirement of a preview: the page permissions of the write, and either its scope or that of the matching read. A
/// preview publishes nothing, and shows nothing that the read does not.
pub fn preview_requirement(granted: ScopeSet, requirement: Requirement) -> Requirement {
    let read = matching_read(requirement.scope);
    let may_only_read = !granted.contains(requirement.scope) && granted.contains(read);
    if may_only_read { Requirement { scope: read, ..requirement } } else { requirement }
}

/// Returns whether the person can see a listed page: StatiBeat may list pages that the role cannot read.
pub fn is_visible(page: &AccessiblePage) -> bool {
    page.allows(PagePermission::PageRead)
}

/// The page of that id among those the person can see.
pub fn find_page(pages: Vec<AccessiblePage>, id: PageId) -> Result<AccessiblePage, AccessDenied> {
    let mut visible: Vec<AccessiblePage> = pages.into_iter().filter(is_visible).collect();
    match visible.iter().position(|page| page.id == id) {
        Some(index) => Ok(visible.swap_remove(index)),
        None => Err(AccessDenied::Page(PageNames::new(&visible))),
    }
}

/// Removes inaccessible pages from StatiBeat's list and its count, and entries without a valid id.
pub fn keep_pages(list: &mut Value, reaches: impl Fn(PageId) -> bool) {
    let entries = match &mut *list {
        Value::Object(members) => members.get_mut("items"),
        whole => Some(whole),
    };
    let Some(Value::Array(entries)) = entries else { return };
    let before = entries.len();
    entries.retain(|entry| entry.get("id").and_then(Value::as_i64).and_then(PageId::new).is_some_and(&reaches));
    let removed = before - entries.len();
    if let Some(total) = list.get("total").and_then(Value::as_u64) {
        list["total"] = json!(total.saturating_sub(removed as u64));
    }
}

/// Returns whether the person's role on the page allows what the entry needs.
pub fn check_role(page: &AccessiblePage, requirement: &Requirement) -> Result<(), AccessDenied> {
    match requirement.permissions.iter().find(|permission| !page.allows(**permission)) {
        None => Ok(()),
        Some(missing) => Err(AccessDenied::Role { missing: *missing, page_name: page.name.clone() }),
    }
}

/// The message to a person whose role lacks a permission.
pub fn role_sentence(missing: PagePermission, page_name: &str) -> String {
    format!(
        "Your role on the page {} does not allow you to {} ({}). Someone who administers the page can \
         change your role; connecting again cannot.",
        quote(page_name, PAGE_NAME_MAX),
        permission_words(missing),
        missing.key()
    )
}

/// A page that cannot be written to.
pub fn denied_write(reason: &AccessDenied, page_id: PageId) -> mcp::ToolOutcome {
    report::error(match reason {
        AccessDenied::Page(names) => format!("{} Nothing was published.", names.describe_unknown(page_id)),
        AccessDenied::Role { missing, page_name } => {
            format!("{} Nothing was published.", role_sentence(*missing, page_name))
        }
    })
}

impl From<MissingScope> for mcp::Error {
    fn from(missing: MissingScope) -> Self {
        Self::InsufficientScope { needed: missing.0 }
    }
}

const fn matching_read(scope: Scope) -> Scope {
    match scope {
        Scope::IncidentsWrite => Scope::IncidentsRead,
        Scope::MaintenancesWrite => Scope::MaintenancesRead,
        Scope::PagesRead | Scope::BeatsRead | Scope::IncidentsRead | Scope::MaintenancesRead | Scope::AnalyticsRead => {
            scope
        }
    }
}

/// The words for a permission, after "allows you to".
pub const fn permission_words(permission: PagePermission) -> &'static str {
    match permission {
        PagePermission::PageRead => "see the page",
        PagePermission::StatusDefinitionsRead => "see status definitions",
        PagePermission::LifecycleStagesRead => "see lifecycle stages",
        PagePermission::MaintenanceLifecycleStagesRead => "see maintenance lifecycle stages",
        PagePermission::HierarchyRead => "see the hierarchy",
        PagePermission::IncidentsRead => "see incidents",
        PagePermission::IncidentsManage => "manage incidents",
        PagePermission::MaintenancesRead => "see maintenances",
        PagePermission::MaintenancesManage => "manage maintenances",
        PagePermission::AnalyticsRead => "see analytics",
        PagePermission::SyntheticMonitorsRead => "see Beats",
        PagePermission::SyntheticMonitorsManage => "manage Beats",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Requirement =
        Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] };

    fn page(id: i64, permissions: &[&str]) -> AccessiblePage {
        let entry = json!({ "id": id, "organization_id": 1, "name": "Acme", "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    #[test]
    fn a_missing_write_scope_is_named_together_with_its_read_scope() {
        let needed = ScopeSet::from_iter([Scope::IncidentsWrite, Scope::IncidentsRead]);
        assert_eq!(check_scope(ScopeSet::baseline(), &WRITE), Err(MissingScope(needed)));
        assert_eq!(check_scope(Scope::IncidentsWrite.into(), &WRITE), Ok(()));
    }

    #[test]
    fn an_unknown_page_and_an_unreadable_page_are_denied_alike() {
        let pages = || vec![page(7, &["page.read"]), page(8, &["incidents.read"])];
        assert_eq!(
            find_page(pages(), PageId::new(7).expect("an id")).map(|page| page.id),
            Ok(PageId::new(7).expect("an id"))
        );
        let denied = AccessDenied::Page(PageNames::new(&[page(7, &["page.read"])]));
        assert_eq!(find_page(pages(), PageId::new(8).expect("an id")).map(|page| page.id), Err(denied.clone()));
        assert_eq!(find_page(pages(), PageId::new(9).expect("an id")).map(|page| page.id), Err(denied));
    }

    #[test]
    fn pages_out_of_reach_leave_the_list_and_its_count() {
        let kept = |mut list: Value| {
            keep_pages(&mut list, |id| id == PageId::new(7).expect("an id"));
            list
        };
        assert_eq!(
            kept(json!({ "items": [{ "id": 7 }, { "id": 8 }, {}], "total": 5 })),
            json!({ "items": [{ "id": 7 }], "total": 3 })
        );
        assert_eq!(kept(json!([{ "id": 8 }, { "id": 7 }])), json!([{ "id": 7 }]));
        assert_eq!(kept(json!("?")), json!("?"));
    }

    #[test]
    fn every_permission_of_an_entry_is_needed() {
        let both = Requirement {
            scope: Scope::PagesRead,
            permissions: &[PagePermission::PageRead, PagePermission::HierarchyRead],
        };
        let missing = PagePermission::HierarchyRead;
        assert_eq!(check_role(&page(7, &["page.read", "hierarchy.read"]), &both), Ok(()));
        assert_eq!(
            check_role(&page(7, &["page.read", "hierarchy"]), &both),
            Err(AccessDenied::Role { missing, page_name: "Acme".into() })
        );
    }

    #[test]
    fn missing_role_gets_a_readable_message() {
        let sentence = role_sentence(PagePermission::IncidentsManage, "Acme");
        assert!(
            sentence.contains("\"Acme\"") && sentence.contains("manage incidents (incidents.manage)"),
            "{sentence}"
        );
    }
}
