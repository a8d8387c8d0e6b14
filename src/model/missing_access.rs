//! The thing whose lack refused a call: a scope, a permission of the role, a page, an argument. Stored in a connection's diagnostics,
//! so that its person reads what helps. Holds no text of the request.

use super::ids::PageId;
use super::scope::{PagePermission, ScopeSet};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingAccess {
    /// The scopes that the client has to request, granted ones among them.
    Scopes(ScopeSet),
    /// A permission that the person's role on the page lacks.
    Permission { permission: PagePermission, page_id: PageId },
    /// A page that the connection cannot access, whether it exists or not.
    Page(PageId),
    /// An argument of a tool, by its name in the catalog.
    Argument(&'static str),
}

impl MissingAccess {
    /// Parses the output of [`fmt::Display`]; `None` for anything else. `find_argument` returns an argument's name in the catalog.
    pub fn parse(text: &str, find_argument: impl Fn(&str) -> Option<&'static str>) -> Option<Self> {
        let (kind, rest) = text.split_once(' ')?;
        match kind {
            "scope" => ScopeSet::parse(rest).map(Self::Scopes),
            "permission" => {
                let (key, page) = rest.split_once(' ')?;
                let permission = PagePermission::ALL.iter().copied().find(|permission| permission.key() == key)?;
                Some(Self::Permission { permission, page_id: PageId::parse(page)? })
            }
            "page" => PageId::parse(rest).map(Self::Page),
            "argument" => find_argument(rest).map(Self::Argument),
            _ => None,
        }
    }
}

/// As it is stored.
impl fmt::Display for MissingAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scopes(scopes) => write!(f, "scope {scopes}"),
            Self::Permission { permission, page_id } => write!(f, "permission {} {page_id}", permission.key()),
            Self::Page(page_id) => write!(f, "page {page_id}"),
            Self::Argument(name) => write!(f, "argument {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::Scope;

    fn parse(text: &str) -> Option<MissingAccess> {
        MissingAccess::parse(text, |name| (name == "status").then_some("status"))
    }

    #[test]
    fn stored_text_parses_to_the_same_value() {
        let page_id = PageId::new(42).expect("an id");
        for missing in [
            MissingAccess::Scopes(ScopeSet::from_iter([Scope::IncidentsRead, Scope::IncidentsWrite])),
            MissingAccess::Permission { permission: PagePermission::IncidentsManage, page_id },
            MissingAccess::Page(page_id),
            MissingAccess::Argument("status"),
        ] {
            assert_eq!(parse(&missing.to_string()), Some(missing));
        }
    }

    #[test]
    fn text_of_another_version_is_not_parsed() {
        for text in
            ["", "scope x", "permission incidents.manage", "permission x 42", "page x", "argument <b>", "status"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
