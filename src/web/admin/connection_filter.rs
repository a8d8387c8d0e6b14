//! The query of the list of connections: filter, order and position, as an address carries them.

use super::super::routes::Route;
use crate::model::ids::PageId;
use crate::oauth::parameters::Parameters;
use crate::storage::connections::{ListPosition, Owners, SortOrder};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A value that cannot be parsed counts as absent: the list then shows more, never less.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionFilter {
    pub search: Option<String>,
    pub owners: Owners,
    pub page: Option<PageId>,
    pub sort: SortOrder,
    pub after: Option<ListPosition>,
}

impl ConnectionFilter {
    pub fn parse(query: &Parameters) -> Self {
        let search = query.single("search").map(str::trim).filter(|text| !text.is_empty());
        Self {
            search: search.map(str::to_owned),
            owners: query.single("owners").and_then(|word| word.parse().ok()).unwrap_or_default(),
            page: query.single("page").and_then(PageId::parse),
            sort: query.single("sort").and_then(|word| word.parse().ok()).unwrap_or_default(),
            after: query.single("after").and_then(parse_position),
        }
    }

    /// True if every connection matches.
    pub fn is_open(&self) -> bool {
        self.search.is_none() && self.owners == Owners::Everybody && self.page.is_none()
    }

    /// The address of the part of the list after that position, or of its beginning.
    pub fn address(&self, after: Option<&ListPosition>) -> String {
        let owners = Some(self.owners).filter(|owners| *owners != Owners::default());
        let sort = Some(self.sort).filter(|sort| *sort != SortOrder::default());
        let pairs = [
            ("search", self.search.clone()),
            ("owners", owners.map(|owners| <&str>::from(owners).to_owned())),
            ("page", self.page.map(|page| page.to_string())),
            ("sort", sort.map(|sort| <&str>::from(sort).to_owned())),
            ("after", after.map(write_position)),
        ];
        Route::AdminPage.address(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    /// The pages of other people's connections to list, of those that the viewer administers.
    pub fn narrow(&self, administered: &[PageId]) -> Vec<PageId> {
        administered.iter().copied().filter(|id| self.page.is_none_or(|page| page == *id)).collect()
    }
}

/// Cuts a list that was read with one entry more than is shown; returns the last entry kept if others follow.
pub(super) fn cut<T>(entries: &mut Vec<T>, length: usize) -> Option<&T> {
    let has_more = entries.len() > length;
    entries.truncate(length);
    entries.last().filter(|_| has_more)
}

pub(super) fn parse_position(text: &str) -> Option<ListPosition> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

pub(super) fn write_position(position: &ListPosition) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(position).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> ConnectionFilter {
        ConnectionFilter::parse(&Parameters::parse(query.as_bytes()).expect("a query"))
    }

    #[test]
    fn address_of_a_filter_parses_to_the_same_filter() {
        let position =
            ListPosition { sort_key: "0/ä?".into(), user_id: "1".into(), client_id: "https://a.example/?b".into() };
        let written = filter("search=cur%26sor&owners=others&page=42&sort=app").address(Some(&position));
        let read = filter(written.split_once('?').expect("a query").1);
        assert_eq!(
            (read.search.as_deref(), read.owners, read.page),
            (Some("cur&sor"), Owners::Others, Some(PageId::new(42).expect("an id")))
        );
        assert_eq!((read.sort, read.after), (SortOrder::App, Some(position)));
    }

    #[test]
    fn malformed_filter_shows_the_whole_list() {
        let read = filter("search=+&owners=me&page=x&sort=up&after=%2B%2B");
        assert!(read.is_open() && read.sort == SortOrder::Newest && read.after.is_none());
        assert_eq!(read.address(None), Route::AdminPage.path());
    }
}
