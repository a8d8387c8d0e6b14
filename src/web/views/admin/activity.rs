//! What was done through the connector, where pages keep audit logs.

use super::super::super::text::activity as text;
use super::{Overview, Route};
use crate::model::ids::PageId;
use crate::model::visible::line;
use crate::storage::activity::Shown;
use form_urlencoded::Serializer;
use maud::{Markup, html};

/// Titles are shown up to here, in characters.
const LONGEST_TITLE: usize = 200;

/// The list with its filters.
pub(super) fn list(view: &Overview<'_>) -> Markup {
    let activity = view.activity;
    html! {
        section.card aria-labelledby="activity" {
            h2 #activity { (text::TITLE) }
            p.soft { (text::HINT) }
            (missing(view))
            @if activity.is_bare() {
                p { (text::NONE_YET) }
            } @else if !activity.visible.is_empty() {
                (filters(view))
                @if activity.rows.is_empty() { p { (text::NONE) } } @else { (table(view)) }
                (paging(view))
            }
        }
    }
}

/// Why activity of some pages is not here.
fn missing(view: &Overview<'_>) -> Markup {
    let names = |pages: &[PageId]| view.page_names(pages);
    let activity = view.activity;
    html! {
        @if !activity.disabled.is_empty() {
            p.soft { (text::disabled(&names(&activity.disabled))) }
        }
        @if !activity.unknown.is_empty() {
            p.soft { (text::unknown(&names(&activity.unknown))) }
        }
    }
}

fn filters(view: &Overview<'_>) -> Markup {
    let filter = &view.activity.filter;
    let mut clients: Vec<(&str, &str)> = view
        .connections
        .iter()
        .map(|(connection, _)| connection)
        .chain(view.others)
        .map(|connection| (connection.client_id.as_str(), connection.client_name.as_str()))
        .chain(view.ended.iter().map(|ended| (ended.client_id.as_str(), ended.client_name.as_str())))
        .collect();
    clients.sort_unstable();
    clients.dedup();
    html! {
        form.filters method="get" action=(format!("{}#activity", Route::AdminPage.path())) {
            label { (text::PAGE)
                select name="page" {
                    option value="" { (text::ALL) }
                    @for page in view.pages { option value=(page.id) selected[filter.page == Some(page.id)] { (page.name) } }
                }
            }
            label { (text::APP)
                select name="client" {
                    option value="" { (text::ALL) }
                    @for (id, name) in clients { option value=(id) selected[filter.client_id.as_deref() == Some(id)] { (name) } }
                }
            }
            label { (text::OUTCOME)
                select name="outcome" {
                    option value="" { (text::ALL) }
                    @for (word, name) in text::OUTCOMES { option value=(word) selected[filter.outcome.as_deref() == Some(word)] { (name) } }
                }
            }
            button.small type="submit" { (text::SHOW) }
        }
    }
}

fn table(view: &Overview<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(text::LIST) {
            table.activity {
                thead { tr { @for name in text::COLUMNS { th scope="col" { (name) } } } }
                tbody { @for shown in &view.activity.rows { (row(view, shown)) } }
            }
        }
    }
}

fn row(view: &Overview<'_>, shown: &Shown) -> Markup {
    let row = &shown.row;
    html! {
        tr {
            td { (view.clock.moment(row.at)) }
            td { (row.client_name) @if shown.user_id != view.person.user_id { br; span.soft { (text::OF_SOMEBODY_ELSE) } } }
            td {
                (text::what(&row.kind, row.tool.as_deref()))
                @if let Some(title) = &row.title { br; span.soft { (text::quoted(&line(title, LONGEST_TITLE))) } }
                @if let Some(calls) = row.calls { br; span.soft { (text::calls(calls)) } }
                @if row.kind == "write" && let Some(id) = &row.target_id { br; span.soft { (text::number(id)) } }
            }
            @match row.page_id { Some(page) => td { (view.page_name(page)) }, None => td.none { "–" } }
            td {
                span.tag.(if row.outcome == "done" { "good" } else { "warn" }) { (text::outcome(&row.outcome)) }
                @if let Some(detail) = &row.detail { br; span.soft { (text::detail(detail)) } }
            }
        }
    }
}

fn paging(view: &Overview<'_>) -> Markup {
    html! {
        @if view.activity.is_later || view.activity.next.is_some() {
            nav.actions aria-label=(text::PAGING) {
                @if view.activity.is_later { a.button href=(address(view, None)) { (text::NEWEST) } }
                @if let Some(next) = &view.activity.next { a.button href=(address(view, Some(next))) { (text::OLDER) } }
            }
        }
    }
}

fn address(view: &Overview<'_>, before: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    if let Some(page) = view.activity.filter.page {
        query.append_pair("page", &page.to_string());
    }
    for (name, value) in [("client", &view.activity.filter.client_id), ("outcome", &view.activity.filter.outcome)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if let Some(before) = before {
        query.append_pair("before", before);
    }
    format!("{}?{}#activity", Route::AdminPage.path(), query.finish())
}
