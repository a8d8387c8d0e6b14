//! A person's choice on the consent page: scopes, pages, lifetime, and resource tools.

use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::oauth::parameters::Parameters;
use crate::upstream::identity::AccessiblePage;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    pub lifetime: GrantLifetime,
    pub has_resource_tools: bool,
}

impl Choice {
    /// The choice that the page shows first. Resource tools are preselected for tool-only clients.
    pub fn proposed(requested: ScopeSet, is_tool_only: bool) -> Self {
        Self {
            scopes: requested,
            pages: PageChoice::All,
            lifetime: GrantLifetime::UntilRevoked,
            has_resource_tools: is_tool_only,
        }
    }

    /// Reads the form. Values that the page did not offer are ignored. A missing or unknown radio button narrows the choice: no
    /// page, the shortest lifetime.
    pub fn read(form: &Parameters, requested: ScopeSet) -> Self {
        let ticked: ScopeSet = form.all("scope").filter_map(Scope::parse).collect();
        let pages = match form.one("pages") {
            Ok(Some("all")) => PageChoice::All,
            _ => PageChoice::These(form.all("page").filter_map(PageId::parse).collect()),
        };
        let lifetime = form.one("lifetime").ok().flatten().and_then(GrantLifetime::parse);
        Self {
            scopes: ticked.intersection(offered(requested)),
            pages,
            lifetime: lifetime.unwrap_or(GrantLifetime::Days(1)),
            has_resource_tools: form.one("read_bridge") == Ok(Some("on")),
        }
    }

    /// Keeps the pages that the person can see; `None` if no page is left.
    pub fn restricted_to(&self, visible: &[AccessiblePage]) -> Option<Self> {
        let pages = match &self.pages {
            PageChoice::All => PageChoice::All,
            PageChoice::These(chosen) => {
                let kept: BTreeSet<PageId> =
                    visible.iter().map(|page| page.id).filter(|id| chosen.contains(id)).collect();
                if kept.is_empty() {
                    return None;
                }
                PageChoice::These(kept)
            }
        };
        Some(Self { pages, ..self.clone() })
    }
}

/// Scopes that a person can tick: the requested ones, and all write scopes, so that nobody has to connect twice.
fn offered(requested: ScopeSet) -> ScopeSet {
    requested.union(Scope::ALL.iter().copied().filter(|scope| scope.is_write()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(form: &str) -> Choice {
        let form = Parameters::parse(form.as_bytes()).unwrap_or_else(|_| panic!("a form"));
        Choice::read(&form, Scope::PagesRead.into())
    }

    #[test]
    fn untouched_form_parses_as_the_proposed_choice() {
        let form = "scope=mcp.pages.read&pages=all&lifetime=until-revoked";
        assert_eq!(read(form), Choice::proposed(Scope::PagesRead.into(), false));
        assert_eq!(read(&format!("{form}&read_bridge=on")), Choice::proposed(Scope::PagesRead.into(), true));
    }

    #[test]
    fn missing_or_unknown_values_narrow_the_choice() {
        let narrow = Choice {
            scopes: ScopeSet::EMPTY,
            pages: PageChoice::These(BTreeSet::new()),
            lifetime: GrantLifetime::Days(1),
            has_resource_tools: false,
        };
        assert_eq!(read(""), narrow);
        assert_eq!(read("scope=mcp.analytics.read&pages=every&lifetime=365d&lifetime=30d"), narrow);
        assert_eq!(read("pages=all&pages=all").pages, narrow.pages);
        assert!(
            !read("read_bridge=off").has_resource_tools && !read("read_bridge=on&read_bridge=on").has_resource_tools
        );
    }

    #[test]
    fn page_that_the_person_cannot_see_cannot_be_chosen() {
        let visible = json!({ "id": 42, "organization_id": 7, "name": "Northwind", "permissions": [] });
        let visible = [AccessiblePage::parse(&visible).expect("a page")];
        let restricted_to = |form: &str| read(form).restricted_to(&visible).map(|choice| choice.pages);
        assert_eq!(restricted_to("pages=these&page=42&page=77"), Some(PageChoice::These([PageId(42)].into())));
        assert_eq!(restricted_to("pages=these&page=77"), None);
        assert_eq!(restricted_to("pages=these"), None);
        assert_eq!(restricted_to("pages=all"), Some(PageChoice::All));
    }
}
