//! Long lists in pages
//! ([pagination](https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination)). Cursors are opaque to clients; one that we never gave is refused.

use super::handler_error::Error;

/// Entries on one page. Most lists are much shorter; resources grow with the number of status pages.
const PAGE_SIZE: usize = 100;
/// Prefix of a cursor of ours.
const CURSOR: &str = "after-";

/// A part of a list.
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// The first part of a list, or the part that a cursor stands before.
pub fn page<T>(mut all: Vec<T>, cursor: Option<&str>) -> Result<Page<T>, Error> {
    let start = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, all.len()))?;
    let mut entries = all.split_off(start);
    let next = (entries.len() > PAGE_SIZE).then(|| format!("{CURSOR}{}", start + PAGE_SIZE));
    entries.truncate(PAGE_SIZE);
    Ok(Page { entries, next })
}

fn read_cursor(cursor: &str, length: usize) -> Result<usize, Error> {
    let start = cursor.strip_prefix(CURSOR).and_then(|start| start.parse::<usize>().ok());
    let given = |start: &usize| *start > 0 && *start < length && start.is_multiple_of(PAGE_SIZE);
    start.filter(given).ok_or_else(|| Error::InvalidParams("unknown cursor".to_owned()))
}
