//! The limits that a person sets for a grant, and the rule for changing them later: they may narrow, never widen.

use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::grant::PageChoice;

/// The access of one grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessLimits {
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    /// `None`: until it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// The reason why limits cannot replace those of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NarrowingError {
    /// They allow something that the grant does not.
    Wider,
    /// They allow nothing: that is the end of the connection.
    Nothing,
}

impl AccessLimits {
    /// Checks limits that are to replace these.
    pub fn check_narrower(&self, other: &Self) -> Result<(), NarrowingError> {
        let has_page = |pages: &PageChoice| !matches!(pages, PageChoice::These(pages) if pages.is_empty());
        if other.scopes.is_empty() || !has_page(&other.pages) {
            return Err(NarrowingError::Nothing);
        }
        let covers_pages = match (&self.pages, &other.pages) {
            (PageChoice::All, _) => true,
            (PageChoice::These(_), PageChoice::All) => false,
            (PageChoice::These(pages), PageChoice::These(chosen)) => pages.is_superset(chosen),
        };
        let covers_end = match (self.expires_at, other.expires_at) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(end), Some(chosen)) => chosen <= end,
        };
        let is_covered = self.scopes.covers(other.scopes) && covers_pages && covers_end;
        if is_covered { Ok(()) } else { Err(NarrowingError::Wider) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::PageId;

    fn limits(scopes: &str, pages: Option<&[i64]>, expires_at: Option<i64>) -> AccessLimits {
        let ids = |ids: &[i64]| ids.iter().map(|id| PageId::new(*id).expect("an id")).collect();
        AccessLimits {
            scopes: ScopeSet::parse(scopes).expect("scopes"),
            pages: pages.map_or(PageChoice::All, |pages| PageChoice::These(ids(pages))),
            expires_at: expires_at.map(Timestamp::from_seconds),
        }
    }

    const READ: &str = "mcp.incidents.read";
    const BOTH: &str = "mcp.incidents.read mcp.incidents.write";

    #[test]
    fn limits_may_narrow_in_every_direction() {
        let unlimited = limits(BOTH, None, None);
        for narrower in [
            limits(BOTH, None, None),
            limits(READ, None, None),
            limits(BOTH, Some(&[1]), None),
            limits(READ, Some(&[1]), Some(9)),
        ] {
            assert_eq!(unlimited.check_narrower(&narrower), Ok(()), "{narrower:?}");
        }
        assert_eq!(limits(BOTH, Some(&[1, 2]), Some(9)).check_narrower(&limits(READ, Some(&[2]), Some(8))), Ok(()));
    }

    #[test]
    fn limits_that_widen_in_any_direction_are_refused() {
        let limited = limits(READ, Some(&[1, 2]), Some(9));
        for wider in [
            limits(BOTH, Some(&[1]), Some(9)),
            limits("mcp.incidents.write", Some(&[1]), Some(9)),
            limits(READ, None, Some(9)),
            limits(READ, Some(&[1, 3]), Some(9)),
            limits(READ, Some(&[1]), None),
            limits(READ, Some(&[1]), Some(10)),
        ] {
            assert_eq!(limited.check_narrower(&wider), Err(NarrowingError::Wider), "{wider:?}");
        }
    }

    #[test]
    fn limits_without_scope_or_page_are_refused() {
        let unlimited = limits(BOTH, None, None);
        for nothing in [limits("", None, None), limits(READ, Some(&[]), None)] {
            assert_eq!(unlimited.check_narrower(&nothing), Err(NarrowingError::Nothing), "{nothing:?}");
        }
    }
}
