//! Who may use an entry: granted scopes intersected with what the person's role allows on the page, at this moment.
//!
//! Scopes come first, because they are known without asking anybody. A page that does not exist and a page that the
//! person cannot see are one and the same answer, so that nobody learns which pages exist.

use crate::catalog::scope::{PagePermission, Requirement, Scope, ScopeSet};
use crate::ids::PageId;
use crate::upstream::identity::AccessiblePage;

/// Why an entry cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The client was not granted it. More consent would help.
    Scope {
        /// Everything worth asking for.
        needed: ScopeSet,
    },
    /// No such page, or none that this person can see.
    Page,
    /// The person's role on the page does not allow it. No consent would help.
    Role {
        /// What the role would have to allow.
        missing: PagePermission,
        /// The page's name.
        page_name: String,
    },
}

/// Whether the client was granted what the entry needs. A client that must ask for a write is told to ask for the
/// matching read as well: it will want to see what it wrote.
pub fn check_scope(granted: ScopeSet, requirement: &Requirement) -> Result<(), Denied> {
    if granted.contains(requirement.scope) {
        return Ok(());
    }
    let needed = ScopeSet::from_iter([requirement.scope, matching_read(requirement.scope)]);
    Err(Denied::Scope { needed })
}

/// The page of that id among those the person can see. Being listed without being allowed to read the page is not
/// seeing it.
pub fn find_page(pages: Vec<AccessiblePage>, id: PageId) -> Result<AccessiblePage, Denied> {
    let is_seen = |page: &AccessiblePage| page.id == id && page.allows(PagePermission::PageRead);
    pages.into_iter().find(is_seen).ok_or(Denied::Page)
}

/// Whether the person's role on the page allows what the entry needs.
pub fn check_role(page: &AccessiblePage, requirement: &Requirement) -> Result<(), Denied> {
    match requirement.permissions.iter().find(|permission| !page.allows(**permission)) {
        None => Ok(()),
        Some(missing) => Err(Denied::Role { missing: *missing, page_name: page.name.clone() }),
    }
}

/// What to tell a person whose role is not enough.
pub fn role_sentence(missing: PagePermission, page_name: &str) -> String {
    format!(
        "Your role on the page \"{page_name}\" does not allow you to {} ({}). Someone who administers the page can \
         change your role; connecting again cannot.",
        words(missing),
        missing.key()
    )
}

const fn matching_read(scope: Scope) -> Scope {
    match scope {
        Scope::IncidentsWrite => Scope::IncidentsRead,
        Scope::MaintenancesWrite => Scope::MaintenancesRead,
        Scope::PagesRead
        | Scope::BeatsRead
        | Scope::IncidentsRead
        | Scope::MaintenancesRead
        | Scope::AnalyticsRead => scope,
    }
}

const fn words(permission: PagePermission) -> &'static str {
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
    use serde_json::json;

    const WRITE: Requirement =
        Requirement { scope: Scope::IncidentsWrite, permissions: &[PagePermission::IncidentsManage] };

    fn page(id: i64, permissions: &[&str]) -> AccessiblePage {
        let entry = json!({ "id": id, "organization_id": 1, "name": "Acme", "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    #[test]
    fn a_missing_write_scope_is_named_together_with_its_read_scope() {
        let needed = ScopeSet::from_iter([Scope::IncidentsWrite, Scope::IncidentsRead]);
        assert_eq!(check_scope(ScopeSet::baseline(), &WRITE), Err(Denied::Scope { needed }));
        assert_eq!(check_scope(Scope::IncidentsWrite.into(), &WRITE), Ok(()));
    }

    #[test]
    fn an_unknown_page_and_an_unreadable_page_are_denied_alike() {
        let pages = || vec![page(7, &["page.read"]), page(8, &["incidents.read"])];
        assert_eq!(find_page(pages(), PageId(7)).map(|page| page.id), Ok(PageId(7)));
        assert_eq!(find_page(pages(), PageId(8)).map(|page| page.id), Err(Denied::Page));
        assert_eq!(find_page(pages(), PageId(9)).map(|page| page.id), Err(Denied::Page));
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
            Err(Denied::Role { missing, page_name: "Acme".into() })
        );
    }

    #[test]
    fn a_missing_role_is_said_in_words() {
        let sentence = role_sentence(PagePermission::IncidentsManage, "Acme");
        assert!(sentence.contains("\"Acme\"") && sentence.contains("manage incidents (incidents.manage)"), "{sentence}");
    }
}
