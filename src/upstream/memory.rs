//! State that an instance keeps between requests. It makes no access decision: an instance without it gives the same
//! responses, only slower.

use super::accessible_page::AccessiblePage;
use super::circuit_breaker::CircuitBreaker;
use crate::model::ids::{OrganizationId, PageId, UserId};
use crate::model::scope::PagePermission;
use crate::model::timestamp::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time for which a person's page list allows early reads. The calls of one conversation follow within a minute; later,
/// an early read would more often be on behalf of a person who has lost access meanwhile.
pub const LIST_LIFETIME: Duration = Duration::from_mins(1);
/// Time for which StatiBeat's health is remembered, so that readiness requests cannot become a load.
const HEALTH_LIFETIME: Duration = Duration::from_secs(5);
/// Maximum number of stored lists, one per person, so one person can't evict the others.
const PEOPLE: usize = 1_000;
/// Maximum number of pages stored of one list.
const PAGES: usize = 100;

#[derive(Default)]
pub struct Memory {
    /// Pages and people whose calls keep failing, and StatiBeat as a whole.
    pub circuit_breaker: CircuitBreaker,
    lists: RefCell<BTreeMap<UserId, PageList>>,
    health: RefCell<Option<(Timestamp, Result<(), String>)>>,
}

/// The pages that StatiBeat listed for one person.
struct PageList {
    listed_at: Timestamp,
    pages: BTreeMap<PageId, KnownPage>,
}

struct KnownPage {
    organization_id: OrganizationId,
    permissions: Permissions,
}

/// A set of permissions, one bit for each variant.
#[derive(Clone, Copy)]
struct Permissions(u16);

impl Permissions {
    fn new(page: &AccessiblePage) -> Self {
        let listed = PagePermission::ALL.iter().filter(|permission| page.allows(**permission));
        Self(listed.fold(0, |bits, permission| bits | 1 << *permission as u16))
    }

    fn allow(self, permission: PagePermission) -> bool {
        self.0 & (1 << permission as u16) != 0
    }
}

impl Memory {
    /// StatiBeat's health, if it was checked within the last five seconds.
    pub(super) fn known_health(&self, now: Timestamp) -> Option<Result<(), String>> {
        let known = self.health.borrow();
        known.as_ref().filter(|(checked_at, _)| now < *checked_at + HEALTH_LIFETIME).map(|(_, health)| health.clone())
    }

    pub(super) fn set_health(&self, now: Timestamp, health: &Result<(), String>) {
        *self.health.borrow_mut() = Some((now, health.clone()));
    }

    /// Returns the organization of a page that this person's list contained within [`LIST_LIFETIME`], with these
    /// permissions. It is part of the page's URLs, so the page can be read while the role check is in progress.
    pub(super) fn recently_listed(
        &self,
        person: &UserId,
        page: PageId,
        needed: &[PagePermission],
        now: Timestamp,
    ) -> Option<OrganizationId> {
        let lists = self.lists.borrow();
        let list = lists.get(person).filter(|list| now.since(list.listed_at) < LIST_LIFETIME)?;
        let page = list.pages.get(&page)?;
        let is_readable = page.permissions.allow(PagePermission::PageRead);
        let is_allowed = is_readable && needed.iter().all(|permission| page.permissions.allow(*permission));
        is_allowed.then_some(page.organization_id)
    }

    /// Keeps a person's list in place of the one before: what is no longer on it is no longer known.
    pub(super) fn keep_list(&self, person: &UserId, pages: &[AccessiblePage], now: Timestamp) {
        let mut lists = self.lists.borrow_mut();
        if lists.len() >= PEOPLE && !lists.contains_key(person) {
            lists.retain(|_, list| now.since(list.listed_at) < LIST_LIFETIME);
        }
        if lists.len() >= PEOPLE && !lists.contains_key(person) {
            let oldest = lists.iter().min_by_key(|(_, list)| list.listed_at).map(|(person, _)| person.clone());
            oldest.and_then(|person| lists.remove(&person));
        }
        let listed = |page: &AccessiblePage| {
            let (organization_id, permissions) = (page.organization_id, Permissions::new(page));
            (page.id, KnownPage { organization_id, permissions })
        };
        let pages = pages.iter().take(PAGES).map(listed).collect();
        lists.insert(person.clone(), PageList { listed_at: now, pages });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const READ: &[PagePermission] = &[PagePermission::IncidentsRead];

    fn page(id: i64, organization_id: i64, permissions: &[&str]) -> AccessiblePage {
        let entry = json!({ "id": id, "organization_id": organization_id, "name": "A", "permissions": permissions });
        AccessiblePage::parse(&entry).expect("a page")
    }

    fn readable(id: i64) -> AccessiblePage {
        page(id, 3, &["page.read", "incidents.read"])
    }

    /// Person number `index`, from 0.
    fn user(index: usize) -> UserId {
        UserId::parse((index + 1).to_string()).expect("an id")
    }

    #[test]
    fn listed_page_is_known_only_for_the_person_whose_list_contained_it() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7)], NOW);
        assert_eq!(
            memory.recently_listed(&user(1), PageId::new(7).expect("an id"), READ, NOW),
            Some(OrganizationId::new(3).expect("an id"))
        );
        assert_eq!(memory.recently_listed(&user(2), PageId::new(7).expect("an id"), READ, NOW), None);
        assert_eq!(memory.recently_listed(&user(1), PageId::new(8).expect("an id"), READ, NOW), None);
    }

    #[test]
    fn list_is_known_for_a_minute() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7)], NOW);
        let after = |seconds| {
            memory.recently_listed(&user(1), PageId::new(7).expect("an id"), READ, NOW + Duration::from_secs(seconds))
        };
        assert_eq!((after(59), after(60)), (Some(OrganizationId::new(3).expect("an id")), None));
    }

    #[test]
    fn page_without_the_needed_permissions_is_not_known() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[page(7, 3, &["page.read"]), page(8, 3, &["incidents.read"])], NOW);
        assert_eq!(memory.recently_listed(&user(1), PageId::new(7).expect("an id"), READ, NOW), None);
        assert_eq!(
            memory.recently_listed(&user(1), PageId::new(8).expect("an id"), READ, NOW),
            None,
            "listed, but not to be seen"
        );
        assert_eq!(
            memory.recently_listed(&user(1), PageId::new(7).expect("an id"), &[], NOW),
            Some(OrganizationId::new(3).expect("an id"))
        );
    }

    #[test]
    fn next_list_takes_the_place_of_the_one_before() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7), readable(8)], NOW);
        memory.keep_list(&user(1), &[page(8, 4, &["page.read", "incidents.read"])], NOW);
        assert_eq!(memory.recently_listed(&user(1), PageId::new(7).expect("an id"), READ, NOW), None);
        assert_eq!(
            memory.recently_listed(&user(1), PageId::new(8).expect("an id"), READ, NOW),
            Some(OrganizationId::new(4).expect("an id"))
        );
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_list_goes_first() {
        let memory = Memory::default();
        for person in 0..=PEOPLE {
            let listed_at = NOW + Duration::from_millis(u64::try_from(person).expect("small") * 10);
            memory.keep_list(&user(person), &[readable(7)], listed_at);
        }
        let now = NOW + Duration::from_secs(11);
        let is_known =
            |person| memory.recently_listed(&user(person), PageId::new(7).expect("an id"), READ, now).is_some();
        assert_eq!(memory.lists.borrow().len(), PEOPLE);
        assert!(!is_known(0) && is_known(PEOPLE));
        let long: Vec<_> = (1..=500).map(readable).collect();
        memory.keep_list(&user(PEOPLE), &long, now);
        assert_eq!(memory.lists.borrow()[&user(PEOPLE)].pages.len(), PAGES);
    }
}
