//! The pages that a person and their grant can access, for errors about a page that is missing, unknown or not named by number.

use crate::model::ids::PageId;
use crate::model::visible::quote;
use crate::upstream::AccessiblePage;
use std::fmt;

/// Most pages that a message names.
const PAGES_MAX: usize = 10;
/// Longest name or slug that is quoted, in characters.
const NAME_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
struct PageName {
    id: PageId,
    name: String,
    slug: Option<String>,
}

/// Id, name and slug of each page, in StatiBeat's order. Displayed as "Your pages: 42 "Northwind" (slug "northwind")".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageNames(Vec<PageName>);

impl PageNames {
    /// Takes the pages that may be named, and no others.
    pub fn new(accessible: &[AccessiblePage]) -> Self {
        let page = |page: &AccessiblePage| PageName {
            id: page.id,
            name: page.name.clone(),
            slug: page.slug().map(str::to_owned),
        };
        Self(accessible.iter().map(page).collect())
    }

    /// The one page that has this slug or name, in any case of letters. `None` if there are several.
    pub fn find(&self, text: &str) -> Option<PageId> {
        let wanted = text.trim().to_lowercase();
        let is_named = |page: &&PageName| {
            let names = page.slug.iter().chain([&page.name]);
            !wanted.is_empty() && { names }.any(|name| name.trim().to_lowercase() == wanted)
        };
        let mut found = self.0.iter().filter(is_named);
        found.next().filter(|_| found.next().is_none()).map(|page| page.id)
    }

    pub fn contains(&self, page_id: PageId) -> bool {
        self.0.iter().any(|page| page.id == page_id)
    }

    /// The only page there is.
    pub fn only(&self) -> Option<PageId> {
        let [page] = self.0.as_slice() else { return None };
        Some(page.id)
    }

    /// The error for a page that is not among them, whether it exists or not.
    pub fn describe_unknown(&self, page_id: PageId) -> String {
        format!("There is no page {page_id} that you can access. {self}.")
    }
}

impl fmt::Display for PageNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().take(PAGES_MAX).map(|PageName { id, name, slug }| {
            let slug = slug.as_ref().map(|slug| format!(" (slug {})", quote(slug, NAME_MAX)));
            format!("{id} {}{}", quote(name, NAME_MAX), slug.unwrap_or_default())
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        match self.0.len().saturating_sub(PAGES_MAX) {
            _ if self.0.is_empty() => f.write_str("This connection can access no page"),
            0 => write!(f, "Your pages: {shown}"),
            more => write!(f, "Your pages: {shown} and {more} more, which statibeat://pages lists"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(pages: &[(i64, &str, &str)]) -> PageNames {
        let page = |(id, name, slug): &(i64, &str, &str)| {
            AccessiblePage::parse(&json!({ "id": id, "organization_id": 1, "name": name, "slug": slug }))
        };
        PageNames::new(&pages.iter().filter_map(page).collect::<Vec<_>>())
    }

    #[test]
    fn page_is_found_by_slug_or_exact_name_unless_two_have_it() {
        let pages = names(&[(42, "Acme Cloud", "acme"), (43, "Acme", "acme-eu"), (44, "Acme EU", "other")]);
        assert_eq!(pages.find(" Acme cloud "), Some(PageId::new(42).expect("an id")));
        assert_eq!(pages.find("acme-eu"), Some(PageId::new(43).expect("an id")));
        assert_eq!(pages.find("acme"), None, "the slug of one and the name of another");
        assert_eq!((pages.find("cloud"), pages.find(" ")), (None, None));
    }

    #[test]
    fn at_most_ten_pages_are_named_and_the_others_counted() {
        let one = names(&[(42, "A \"b\"\n", "a")]);
        assert_eq!(one.to_string(), r#"Your pages: 42 "A \"b\"" (slug "a")"#);
        let many: Vec<_> = (1..=13).map(|id| (id, "P", "p")).collect();
        let text = names(&many).to_string();
        assert!(text.ends_with("10 \"P\" (slug \"p\") and 3 more, which statibeat://pages lists"), "{text}");
        assert_eq!(names(&[]).to_string(), "This connection can access no page");
    }
}
