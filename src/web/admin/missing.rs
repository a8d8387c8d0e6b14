//! Describes what a connection lacked when a call was refused, from the stored value and what is true now: a scope that was granted
//! since, or a page that was unblocked since, is missing no more.

use super::advice::Remedy;
use crate::catalog::tools::TOOLS;
use crate::hosted::access::permission_words;
use crate::model::ids::PageId;
use crate::model::missing_access::MissingAccess;
use crate::model::scope::{PagePermission, ScopeSet};
use crate::storage::connections::LiveGrant;
use crate::upstream::identity::AccessiblePage;

/// The missing thing, for the connection's person.
pub(super) struct MissingThing {
    pub sentence: String,
    /// True if it is there now.
    pub is_resolved: bool,
    /// The step that helps, where it differs from the problem's own.
    pub remedy: Option<Remedy>,
    /// The page, if a block keeps the connection out.
    pub blocked_page: Option<PageId>,
}

impl MissingThing {
    fn new(sentence: String, is_resolved: bool, remedy: Option<Remedy>) -> Self {
        Self { sentence, is_resolved, remedy, blocked_page: None }
    }

    /// `pages` are those of the connection's person. `None` for another viewer, who reads of no page and no role.
    pub fn find(connection: &LiveGrant, pages: Option<&[AccessiblePage]>) -> Option<Self> {
        let stored = connection.health.failure_missing.as_deref()?;
        let page = |id: PageId| pages?.iter().find(|page| page.id == id);
        match MissingAccess::parse(stored, find_argument)? {
            MissingAccess::Scopes(needed) => Some(Self::of_scopes(needed, connection.scopes)),
            MissingAccess::Argument(name) => {
                Some(Self::new(format!("Missing or wrong: the argument {name}."), false, None))
            }
            MissingAccess::Permission { permission, page_id } => Some(Self::of_role(page(page_id)?, permission)),
            MissingAccess::Page(id) => pages.map(|_| Self::of_page(connection, id, page(id))),
        }
    }

    fn of_scopes(needed: ScopeSet, granted: ScopeSet) -> Self {
        let still = needed.without(granted);
        let named = if still.is_empty() { needed } else { still };
        let named: Vec<String> = named
            .iter()
            .map(|scope| format!("\u{201c}{}\u{201d} ({scope})", scope.consent_sentence(), scope = scope.as_str()))
            .collect();
        Self::new(format!("Missing: {}.", named.join(", ")), still.is_empty(), None)
    }

    fn of_role(page: &AccessiblePage, permission: PagePermission) -> Self {
        let role = page.role_name().map(|role| format!("; yours is {role}")).unwrap_or_default();
        let (words, key) = (permission_words(permission), permission.key());
        let sentence = format!("Missing: a role on {} that allows you to {words} ({key}){role}.", page.name);
        Self::new(sentence, page.allows(permission), None)
    }

    fn of_page(connection: &LiveGrant, id: PageId, page: Option<&AccessiblePage>) -> Self {
        let Some(page) = page else {
            return Self::new(
                format!("Missing: page {id}. It doesn't exist, or your account can't see it."),
                false,
                None,
            );
        };
        if connection.blocked.contains(&id) {
            let remedy = if page.is_administered() { Remedy::Unblock } else { Remedy::AskPageAdmin };
            let sentence = format!("Missing: {}. An admin of the page has blocked this app there.", page.name);
            return Self { blocked_page: Some(id), ..Self::new(sentence, false, Some(remedy)) };
        }
        let is_chosen = connection.pages.contains(id);
        let sentence = format!("Missing: {}. It isn't among the pages that you chose for this app.", page.name);
        Self::new(sentence, is_chosen, Some(Remedy::ConnectAgain))
    }
}

fn find_argument(name: &str) -> Option<&'static str> {
    const PAGE_ID: &str = "page_id";
    let mut names = TOOLS.iter().flat_map(|tool| tool.arguments).map(|argument| argument.name);
    names.find(|known| *known == name).or_else(|| (name == PAGE_ID).then_some(PAGE_ID))
}

#[cfg(test)]
mod tests {
    use super::super::connections::tests::connection;
    use super::*;
    use crate::model::scope::Scope;
    use crate::oauth::grant::PageChoice;
    use serde_json::json;

    fn page(id: i64, role: &str, permissions: &[&str]) -> AccessiblePage {
        let entry =
            json!({ "id": id, "organization_id": 7, "name": "North", "role_key": role, "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    fn found(
        stored: &str,
        pages: Option<&[AccessiblePage]>,
        blocked: &[PageId],
    ) -> Option<(String, bool, Option<Remedy>)> {
        let chosen = PageChoice::These([PageId::new(1).expect("an id")].into());
        let mut connection = connection(chosen, Scope::IncidentsRead);
        connection.health.failure_missing = Some(stored.to_owned());
        connection.blocked = blocked.iter().copied().collect();
        let found = MissingThing::find(&connection, pages)?;
        Some((found.sentence, found.is_resolved, found.remedy))
    }

    /// Stored text and blocked pages; then the sentence, whether it is resolved, and the remedy.
    type MissingRow<'a> = (&'a str, &'a [PageId], &'a str, bool, Option<Remedy>);

    #[test]
    fn missing_thing_is_named_with_what_helps_and_resolved_once_it_is_there() {
        let pages = [page(1, "page_viewer", &["incidents.read"]), page(2, "page_admin", &[])];
        let one = PageId::new(1).expect("an id");
        let write =
            "Missing: \u{201c}Publish new incidents and incident updates on your pages\u{201d} (mcp.incidents.write).";
        let table: [MissingRow; 8] = [
            ("scope mcp.incidents.read mcp.incidents.write", &[], write, false, None),
            (
                "scope mcp.incidents.read",
                &[],
                "Missing: \u{201c}See incidents and their updates\u{201d} (mcp.incidents.read).",
                true,
                None,
            ),
            (
                "permission incidents.manage 1",
                &[],
                "Missing: a role on North that allows you to manage incidents (incidents.manage); yours is viewer.",
                false,
                None,
            ),
            (
                "permission incidents.read 1",
                &[],
                "Missing: a role on North that allows you to see incidents (incidents.read); yours is viewer.",
                true,
                None,
            ),
            ("argument status", &[], "Missing or wrong: the argument status.", false, None),
            (
                "page 1",
                &[one],
                "Missing: North. An admin of the page has blocked this app there.",
                false,
                Some(Remedy::AskPageAdmin),
            ),
            (
                "page 2",
                &[],
                "Missing: North. It isn't among the pages that you chose for this app.",
                false,
                Some(Remedy::ConnectAgain),
            ),
            ("page 9", &[], "Missing: page 9. It doesn't exist, or your account can't see it.", false, None),
        ];
        for (stored, blocked, sentence, is_resolved, remedy) in table {
            assert_eq!(
                found(stored, Some(&pages), blocked),
                Some((sentence.to_owned(), is_resolved, remedy)),
                "{stored}"
            );
        }
    }

    #[test]
    fn another_viewer_reads_of_no_page_and_no_role() {
        for stored in ["page 1", "permission incidents.manage 1", "words of another version"] {
            assert_eq!(found(stored, None, &[]), None, "{stored}");
        }
        assert!(found("scope mcp.incidents.write", None, &[]).is_some());
    }
}
