//! Effective access of a connection, page by page: granted scopes, intersected with the person's role, blocks and paused writes.
//!
//! [`access_on_page`] alone decides. The list, the connection's page and the admin API show what it says, in sentences for the
//! viewer. Where the viewer isn't told the role of the connection's person, the sentence says so instead of guessing.

use super::super::layout::first_of;
use super::wire::{optional_text, scope_names};
use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use crate::storage::connections::LiveGrant;
use crate::upstream::identity::AccessiblePage;
use serde::Serialize;

/// Permission to post on a page, or the reason why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Posting {
    Allowed,
    /// The person has paused the connection's writes.
    Paused,
    /// The person's own role on the page does not allow it.
    Role,
    /// The person did not grant it.
    NotGranted,
    /// An admin of the page has blocked the connection, which then does not read there either.
    Blocked,
}

/// The effective access on one page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PageAccess {
    /// The granted scopes that work there; of posting, also while writes are paused.
    scopes: ScopeSet,
    posting: Posting,
    /// The role that does not allow posting.
    role: Option<String>,
}

/// Pages with the same effective access.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EffectiveAccess {
    pub pages: Vec<PageId>,
    #[serde(serialize_with = "scope_names")]
    pub scopes: ScopeSet,
    pub posting: Posting,
    #[serde(serialize_with = "optional_text")]
    pub role: Option<String>,
    /// The same in words, for the viewer.
    pub sentence: String,
}

/// Decides what a connection may do on a page; `None` if no grant includes the page. `role` is its person's own entry of the page;
/// `None` if the viewer isn't told that.
fn access_on_page(connection: &LiveGrant, page: PageId, role: Option<&AccessiblePage>) -> Option<PageAccess> {
    let mut grants = connection.approvals.iter().filter(|grant| grant.pages.contains(page)).peekable();
    grants.peek()?;
    let granted = grants.fold(ScopeSet::EMPTY, |scopes, grant| scopes.union(grant.scopes));
    let is_allowed = |scope: &Scope| role.is_none_or(|page| page.allows(scope.page_permission()));
    let scopes: ScopeSet = granted.iter().filter(is_allowed).collect();
    let (posting, scopes) = match () {
        () if connection.blocked.contains(&page) => (Posting::Blocked, ScopeSet::EMPTY),
        () if granted.writes().is_empty() => (Posting::NotGranted, scopes),
        () if scopes.writes().is_empty() => (Posting::Role, scopes),
        () if connection.are_writes_paused => (Posting::Paused, scopes),
        () => (Posting::Allowed, scopes),
    };
    let role = role.filter(|_| posting == Posting::Role).and_then(AccessiblePage::role_name);
    Some(PageAccess { scopes, posting, role })
}

/// The effective access of a connection on the pages that the viewer may know of: all that an own connection reaches, and those that
/// another person's has accessed and the viewer administers. `pages` are the ones that the viewer can see.
pub(super) fn effective_access(connection: &LiveGrant, pages: &[AccessiblePage], is_own: bool) -> Vec<EffectiveAccess> {
    let mut groups: Vec<(PageAccess, Vec<&AccessiblePage>)> = Vec::new();
    for page in pages.iter().filter(|page| is_own || connection.accessed.contains(&page.id)) {
        let Some(access) = access_on_page(connection, page.id, is_own.then_some(page)) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == access) {
            Some((_, pages)) => pages.push(page),
            None => groups.push((access, vec![page])),
        }
    }
    groups.sort_by_key(|(access, _)| access.posting);
    let owner = if is_own { None } else { Some(connection.user_name.as_str()) };
    groups.into_iter().map(|(access, pages)| EffectiveAccess::new(access, &pages, owner)).collect()
}

impl EffectiveAccess {
    fn new(access: PageAccess, pages: &[&AccessiblePage], owner: Option<&str>) -> Self {
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        let sentence = access.sentence(&first_of(&names), owner);
        let PageAccess { scopes, posting, role } = access;
        Self { pages: pages.iter().map(|page| page.id).collect(), scopes, posting, role, sentence }
    }
}

impl PageAccess {
    /// `owner` is the name of another person whose connection it is.
    fn sentence(&self, pages: &str, owner: Option<&str>) -> String {
        let posts = nouns(self.scopes.writes());
        let posts = match self.posting {
            Posting::Blocked => {
                return format!("May neither read nor post on {pages}: blocked by an admin of the page.");
            }
            Posting::Allowed => match owner {
                None => format!("May post {posts} on {pages}."),
                Some(owner) => format!("May post {posts} on {pages}, as far as {owner}'s own role allows."),
            },
            Posting::Paused => format!("May not post on {pages}: its writes are paused."),
            Posting::Role => match &self.role {
                Some(role) => format!("May not post on {pages}: your role there is {role}."),
                None => format!("May not post on {pages}: your role there doesn't allow it."),
            },
            Posting::NotGranted => {
                format!("May not post on {pages}: {} didn't allow it.", owner.unwrap_or("you"))
            }
        };
        let reads = self.scopes.without(self.scopes.writes());
        if reads.is_empty() {
            format!("{posts} Reads nothing there.")
        } else {
            format!("{posts} Reads {}.", nouns(reads))
        }
    }
}

/// One short sentence for a list.
pub(super) fn summary(access: &[EffectiveAccess], is_own: bool) -> String {
    let count = |posting: Posting| -> usize {
        access.iter().filter(|group| group.posting == posting).map(|group| group.pages.len()).sum()
    };
    let total: usize = access.iter().map(|group| group.pages.len()).sum();
    let suffix = if is_own { "" } else { ", where their role allows" };
    let Some(first) = access.first() else { return "Reaches no page now".to_owned() };
    match (first.posting, count(Posting::Allowed)) {
        (Posting::Allowed, posting) if posting == total => format!("May post{suffix}"),
        (Posting::Allowed, posting) => format!("May post on {posting} of {total} pages{suffix}"),
        (Posting::Paused, _) => "May not post: paused".to_owned(),
        (Posting::Role, _) => format!("May not post: {}", first.role.as_deref().unwrap_or("your role")),
        (Posting::NotGranted, _) => "Reads only".to_owned(),
        (Posting::Blocked, _) => "May neither read nor post: blocked".to_owned(),
    }
}

/// The things that scopes are about, in a sentence.
fn nouns(scopes: ScopeSet) -> String {
    let noun = |scope| match scope {
        Scope::PagesRead => "pages",
        Scope::BeatsRead => "Beats",
        Scope::IncidentsRead | Scope::IncidentsWrite => "incidents",
        Scope::MaintenancesRead | Scope::MaintenancesWrite => "maintenance windows",
        Scope::AnalyticsRead => "analytics",
    };
    let nouns: Vec<&str> = scopes.iter().map(noun).collect();
    match nouns.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connections::merge_grants;
    use super::super::connections::tests::grant;
    use super::*;
    use crate::oauth::grant::PageChoice;
    use serde_json::json;

    fn page(id: i64, name: &str, role: &str, permissions: &[&str]) -> AccessiblePage {
        let entry =
            json!({ "id": id, "organization_id": 7, "name": name, "role_key": role, "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    fn pages() -> [AccessiblePage; 2] {
        let reads = ["page.read", "incidents.read"];
        [
            page(1, "North", "page_admin", &["page.read", "incidents.read", "incidents.manage"]),
            page(2, "South", "page_viewer", &reads),
        ]
    }

    fn these(id: i64) -> PageChoice {
        PageChoice::These([PageId::new(id).expect("an id")].into())
    }

    fn connection(grants: &[(PageChoice, Scope)]) -> LiveGrant {
        let grants = grants.iter().map(|(pages, scope)| grant("a", pages.clone(), *scope, 1, None));
        merge_grants(grants.collect()).remove(0)
    }

    fn shown(connection: &LiveGrant, is_own: bool) -> (String, Vec<String>) {
        let access = effective_access(connection, &pages(), is_own);
        (summary(&access, is_own), access.into_iter().map(|group| group.sentence).collect())
    }

    /// Grants, blocked pages, whether writes are paused; then the list's sentence and those of the pages.
    type AccessRow<'a> = (&'a [(PageChoice, Scope)], &'a [PageId], bool, &'a str, &'a [&'a str]);

    #[test]
    fn own_connection_is_shown_with_granted_access_that_role_blocks_and_pauses_leave() {
        let (all, read, write) = (PageChoice::All, Scope::IncidentsRead, Scope::IncidentsWrite);
        let both = [(all.clone(), read), (all.clone(), write)];
        let two = PageId::new(2).expect("an id");
        let one = PageId::new(1).expect("an id");
        let table: [AccessRow; 8] = [
            (
                &both,
                &[],
                false,
                "May post on 1 of 2 pages",
                &[
                    "May post incidents on North. Reads incidents.",
                    "May not post on South: your role there is viewer. Reads incidents.",
                ],
            ),
            (
                &[(these(2), read), (these(2), write)],
                &[],
                false,
                "May not post: viewer",
                &["May not post on South: your role there is viewer. Reads incidents."],
            ),
            (
                &[(all.clone(), read)],
                &[],
                false,
                "Reads only",
                &["May not post on North, South: you didn't allow it. Reads incidents."],
            ),
            (
                &[(all.clone(), write)],
                &[two],
                false,
                "May post on 1 of 2 pages",
                &[
                    "May post incidents on North. Reads nothing there.",
                    "May neither read nor post on South: blocked by an admin of the page.",
                ],
            ),
            (
                &both,
                &[one, two],
                false,
                "May neither read nor post: blocked",
                &["May neither read nor post on North, South: blocked by an admin of the page."],
            ),
            (
                &[(these(1), read), (these(1), write)],
                &[],
                true,
                "May not post: paused",
                &["May not post on North: its writes are paused. Reads incidents."],
            ),
            // Two approvals: what one allows on one page says nothing about the page of the other.
            (
                &[(these(1), read), (these(2), write)],
                &[],
                false,
                "May not post: viewer",
                &[
                    "May not post on South: your role there is viewer. Reads nothing there.",
                    "May not post on North: you didn't allow it. Reads incidents.",
                ],
            ),
            (&[(these(9), read)], &[], false, "Reaches no page now", &[]),
        ];
        for (grants, blocked, are_writes_paused, row, sentences) in table {
            let blocked = blocked.iter().copied().collect();
            let connection = LiveGrant { are_writes_paused, blocked, ..connection(grants) };
            let (summary, found) = shown(&connection, true);
            assert_eq!(
                (summary.as_str(), found),
                (row, sentences.iter().map(ToString::to_string).collect()),
                "{grants:?}"
            );
        }
    }

    #[test]
    fn role_of_another_person_is_not_guessed() {
        let mut connection = connection(&[(PageChoice::All, Scope::IncidentsWrite)]);
        connection.accessed = [PageId::new(1).expect("an id")].into();
        let sentence = "May post incidents on North, as far as Mara's own role allows. Reads nothing there.";
        assert_eq!(shown(&connection, false), ("May post, where their role allows".into(), vec![sentence.into()]));
        connection.blocked = connection.accessed.clone();
        assert_eq!(shown(&connection, false).0, "May neither read nor post: blocked");
    }
}
