//! The activity that a filter selects as one CSV file (RFC 4180), whole or not at all.

use super::super::session::{Session, visible_pages};
use super::filter::ActivityFilter;
use super::item::ActivityItem;
use super::{AuditedPages, words};
use crate::model::ids::PageId;
use crate::model::visible::line;
use crate::storage::activity::{self, Query};
use crate::upstream::identity::AccessiblePage;
use crate::web::browser;
use crate::web::context::RequestContext;
use crate::web::page_error::PageError;
use crate::web::reply::{self, Response};
use std::fmt::Write as _;

/// Rows of one database query.
const BATCH: usize = 1_000;
/// Rows of the longest file; the memory of an instance bounds it.
const ROWS_MAX: usize = 50_000;
/// Longest text of a cell, in characters.
const LONGEST_TEXT: usize = 300;
const COLUMNS: [&str; 20] = [
    "time_utc",
    "person",
    "person_id",
    "app",
    "client_id",
    "connection_of",
    "connection_of_id",
    "page",
    "page_id",
    "action",
    "title",
    "incident_or_maintenance_id",
    "outcome",
    "reason",
    "later_found",
    "calls",
    "public_url",
    "statibeat_url",
    "audit_id",
    "request_id",
];

/// Answers with the file. A filter that selects more than a file may hold is refused, not cut.
pub(in crate::web) async fn download(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let session = Session::require(ctx).await?;
    let viewer = &session.viewer;
    let pages = visible_pages(&viewer.api(ctx)).await?;
    let filter = ActivityFilter { before: None, ..ActivityFilter::parse(&query) };
    let period = filter.period().map_err(|error| PageError::BadFilter(error.to_string()))?;
    let audited = AuditedPages::new(&pages);
    // Spreadsheets take a file without this mark for one in the computer's old encoding.
    let mut file = String::from('\u{feff}');
    write_row(&mut file, &COLUMNS);
    let mut next = audited.query(&viewer.person.user_id, &filter, period);
    let mut count = 0;
    while let Some(query) = next {
        let query = Query { limit: BATCH, ..query };
        let rows = activity::list_rows(ctx.db, &query).await?;
        count += rows.len();
        if count > ROWS_MAX {
            return Err(PageError::BadFilter(format!(
                "It selects more than {ROWS_MAX} entries, and a file holds no more. Choose fewer days, one page, or one person."
            )));
        }
        let last = rows.last().map(activity::ActivityRow::position).filter(|_| rows.len() == BATCH);
        next = last.map(|position| Query { before: Some(position), ..query });
        for row in rows {
            write_item(&mut file, &ActivityItem::new(row, viewer), &pages);
        }
    }
    let day = &ctx.now.to_string()[..10];
    Ok(reply::csv(&format!("hosted-mcp-activity-{day}.csv"), file))
}

fn write_item(file: &mut String, item: &ActivityItem, pages: &[AccessiblePage]) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let page_name =
        |id: PageId| pages.iter().find(|page| page.id == id).map(|page| page.name.clone()).unwrap_or_default();
    write_row(
        file,
        &[
            item.created_at.to_string(),
            item.person(),
            item.user_id.to_string(),
            item.client_name.clone(),
            item.client_id.clone(),
            item.owner().unwrap_or_default(),
            text(&item.owner_id),
            item.page_id.map(page_name).unwrap_or_default(),
            item.page_id.map(|page| page.to_string()).unwrap_or_default(),
            words::action(item),
            text(&item.title),
            text(&item.target_id),
            words::outcome_label(&item.outcome).to_owned(),
            words::detail(item).unwrap_or_default(),
            text(&item.resolution),
            item.calls.map(|calls| calls.to_string()).unwrap_or_default(),
            text(&item.public_url),
            text(&item.admin_url),
            item.id.clone(),
            item.request_id.clone(),
        ],
    );
}

fn write_row<const N: usize>(file: &mut String, cells: &[impl AsRef<str>; N]) {
    for (at, text) in cells.iter().enumerate() {
        let separator = if at == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(file, "{separator}\"{}\"", cell(text.as_ref()).replace('"', "\"\""));
    }
    file.push_str("\r\n");
}

/// A text on one line that no spreadsheet takes for a formula
/// ([OWASP](https://owasp.org/www-community/attacks/CSV_Injection)). Names and titles are other people's.
fn cell(text: &str) -> String {
    let text = line(text, LONGEST_TEXT);
    if text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_that_looks_like_a_formula_is_prefixed() {
        for formula in ["=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r\n=1", "＝1"] {
            assert!(cell(formula).starts_with('\''), "{formula:?}");
        }
        assert_eq!((cell("a=b").as_str(), cell("2026-11-29").as_str(), cell("").as_str()), ("a=b", "2026-11-29", ""));
    }

    #[test]
    fn quotes_and_line_breaks_stay_inside_their_cell() {
        let mut file = String::new();
        write_row(&mut file, &["a \"b\", c", "d\r\ne"]);
        assert_eq!(file, "\"a \"\"b\"\", c\",\"d e\"\r\n");
    }
}
