//! What an instance of the server keeps from one request to the next. Nothing here decides about anybody's access: an instance
//! that knows nothing gives the same answers, later.

use super::assertion::{self, SigningKey};
use super::breaker::Breaker;
use crate::ids::{OrganizationId, PageId};
use crate::keyring::KeyRing;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The organizations of so many pages are remembered.
const REMEMBERED: usize = 10_000;

/// Everything kept.
#[derive(Default)]
pub struct Memory {
    /// Hosts that are left alone for a while.
    pub breaker: Breaker,
    organizations: RefCell<BTreeMap<PageId, OrganizationId>>,
    signing_key: RefCell<Option<(String, Rc<SigningKey>)>>,
}

impl Memory {
    /// Whose page it was when StatiBeat listed it last. It stands in the address of everything below the page, so knowing it lets
    /// the page be read while StatiBeat is still asked whether the person may.
    pub fn organization_of(&self, page: PageId) -> Option<OrganizationId> {
        self.organizations.borrow().get(&page).copied()
    }

    pub(super) fn saw(&self, page: PageId, organization: OrganizationId) {
        let mut organizations = self.organizations.borrow_mut();
        if organizations.len() >= REMEMBERED {
            organizations.clear();
        }
        organizations.insert(page, organization);
    }

    /// The signing form of a ring's newest key; making it costs a curve operation.
    pub(super) fn signing_key(&self, ring: &KeyRing) -> Rc<SigningKey> {
        let kid = ring.newest().kid();
        let mut kept = self.signing_key.borrow_mut();
        match &*kept {
            Some((name, key)) if name == kid => Rc::clone(key),
            _ => {
                let key = Rc::new(assertion::signing_key(ring));
                *kept = Some((kid.to_owned(), Rc::clone(&key)));
                key
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwt_compact::alg::SigningKey as _;

    #[test]
    fn the_last_organization_of_a_page_counts_and_the_memory_is_bounded() {
        let memory = Memory::default();
        assert_eq!(memory.organization_of(PageId(7)), None);
        memory.saw(PageId(7), OrganizationId(1));
        memory.saw(PageId(7), OrganizationId(2));
        assert_eq!(memory.organization_of(PageId(7)), Some(OrganizationId(2)));
        for page in 0..=REMEMBERED {
            memory.saw(PageId(i64::try_from(page).expect("small")), OrganizationId(1));
        }
        assert!(memory.organizations.borrow().len() <= REMEMBERED);
    }

    #[test]
    fn another_newest_key_is_signed_with_at_once() {
        let ring = |text: &str| KeyRing::parse(text, "test").expect("a ring");
        let (one, other) =
            ("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs");
        let (old, new) = (ring(&format!("a:{one}")), ring(&format!("b:{other} a:{one}")));
        let memory = Memory::default();
        let public = |ring: &KeyRing| memory.signing_key(ring).to_verifying_key();
        assert_eq!(public(&old), assertion::signing_key(&old).to_verifying_key());
        assert_eq!(public(&new), assertion::signing_key(&new).to_verifying_key());
    }
}
