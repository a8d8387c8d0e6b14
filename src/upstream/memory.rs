//! State that an instance keeps between requests. It makes no access decision: an instance without it gives the same
//! responses, only slower.

use super::accessible_page::AccessiblePage;
use super::circuit_breaker::CircuitBreaker;
use crate::model::ids::{PageId, UserId};
use crate::model::scope::PagePermission;
use crate::model::timestamp::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Time for which what a person's list said of a page is remembered. The calls of one conversation follow within a minute.
pub const LIST_LIFETIME: Duration = Duration::from_mins(1);
/// Time for which StatiBeat's health is remembered, so that readiness requests cannot become a load.
const HEALTH_LIFETIME: Duration = Duration::from_secs(5);
/// Maximum number of stored lists, one per person, so one person can't evict the others.
const PEOPLE: usize = 1_000;
/// Maximum number of pages stored of one list.
const PAGES: usize = 100;
/// Maximum number of pages stored of all lists, each with about 2 kB.
const ALL_PAGES: usize = 4_000;

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
    pages: BTreeMap<PageId, Rc<AccessiblePage>>,
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

    /// Returns a page as this person's list had it within [`LIST_LIFETIME`], if they could see it and had these permissions. That is
    /// enough to read it on behalf of the same person: StatiBeat checks their role again on each read.
    pub(super) fn remembered_page(
        &self,
        person: &UserId,
        page: PageId,
        needed: &[PagePermission],
        now: Timestamp,
    ) -> Option<Rc<AccessiblePage>> {
        let lists = self.lists.borrow();
        let list = lists.get(person).filter(|list| now.since(list.listed_at) < LIST_LIFETIME)?;
        let page = list.pages.get(&page)?;
        let is_allowed =
            page.allows(PagePermission::PageRead) && needed.iter().all(|permission| page.allows(*permission));
        is_allowed.then(|| Rc::clone(page))
    }

    /// Keeps a person's list in place of the one before: what is no longer on it is no longer known.
    pub(super) fn keep_list(&self, person: &UserId, pages: &[AccessiblePage], now: Timestamp) {
        let pages: BTreeMap<_, _> = pages.iter().take(PAGES).map(|page| (page.id, Rc::new(page.clone()))).collect();
        let mut lists = self.lists.borrow_mut();
        lists.remove(person);
        let is_full = |lists: &BTreeMap<UserId, PageList>| {
            let stored: usize = lists.values().map(|list| list.pages.len()).sum();
            lists.len() >= PEOPLE || stored + pages.len() > ALL_PAGES
        };
        if is_full(&lists) {
            lists.retain(|_, list| now.since(list.listed_at) < LIST_LIFETIME);
        }
        while is_full(&lists) {
            let oldest = lists.iter().min_by_key(|(_, list)| list.listed_at).map(|(person, _)| person.clone());
            oldest.and_then(|person| lists.remove(&person));
        }
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

    fn known(memory: &Memory, person: usize, id: i64, needed: &[PagePermission], now: Timestamp) -> Option<i64> {
        let page = memory.remembered_page(&user(person), PageId::new(id).expect("an id"), needed, now)?;
        Some(page.organization_id.get())
    }

    #[test]
    fn listed_page_is_known_only_for_the_person_whose_list_contained_it() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7)], NOW);
        assert_eq!(known(&memory, 1, 7, READ, NOW), Some(3));
        assert_eq!(known(&memory, 2, 7, READ, NOW), None);
        assert_eq!(known(&memory, 1, 8, READ, NOW), None);
    }

    #[test]
    fn list_is_known_for_a_minute() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7)], NOW);
        let after = |seconds| known(&memory, 1, 7, READ, NOW + Duration::from_secs(seconds));
        assert_eq!((after(59), after(60)), (Some(3), None));
    }

    #[test]
    fn page_without_the_needed_permissions_is_not_known() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[page(7, 3, &["page.read"]), page(8, 3, &["incidents.read"])], NOW);
        assert_eq!(known(&memory, 1, 7, READ, NOW), None);
        assert_eq!(known(&memory, 1, 8, READ, NOW), None, "listed, but not to be seen");
        assert_eq!(known(&memory, 1, 7, &[], NOW), Some(3));
    }

    #[test]
    fn next_list_takes_the_place_of_the_one_before() {
        let memory = Memory::default();
        memory.keep_list(&user(1), &[readable(7), readable(8)], NOW);
        memory.keep_list(&user(1), &[page(8, 4, &["page.read", "incidents.read"])], NOW);
        assert_eq!(known(&memory, 1, 7, READ, NOW), None);
        assert_eq!(known(&memory, 1, 8, READ, NOW), Some(4));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_list_goes_first() {
        let memory = Memory::default();
        for person in 0..=PEOPLE {
            let listed_at = NOW + Duration::from_millis(u64::try_from(person).expect("small") * 10);
            memory.keep_list(&user(person), &[readable(7)], listed_at);
        }
        let now = NOW + Duration::from_secs(11);
        assert_eq!(memory.lists.borrow().len(), PEOPLE);
        assert!(known(&memory, 0, 7, READ, now).is_none() && known(&memory, PEOPLE, 7, READ, now).is_some());
        let long: Vec<_> = (1..=500).map(readable).collect();
        for person in 0..100 {
            memory.keep_list(&user(person), &long, now);
        }
        let lists = memory.lists.borrow();
        assert_eq!(lists[&user(99)].pages.len(), PAGES);
        assert!(lists.values().map(|list| list.pages.len()).sum::<usize>() <= ALL_PAGES);
    }
}
