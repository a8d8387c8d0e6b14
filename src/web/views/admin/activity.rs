//! What was done through the connector, where pages keep audit logs.

use super::{Overview, Route};
use crate::ids::PageId;
use crate::storage::activity::Shown;
use form_urlencoded::Serializer;
use maud::{Markup, html};

const OUTCOMES: [(&str, &str); 8] = [
    ("done", "Done"),
    ("replayed", "Done before"),
    ("previewed", "Previewed"),
    ("declined", "Declined"),
    ("refused", "Refused"),
    ("limited", "Too many"),
    ("failed", "Failed"),
    ("unknown", "Unknown"),
];

/// The list with its filters.
pub(super) fn list(view: &Overview<'_>) -> Markup {
    let activity = view.activity;
    html! {
        section.card aria-labelledby="activity" {
            h2 #activity { "Recent activity" }
            p.soft { "Posts and ended connections. Reading is counted, not listed." }
            (missing(view))
            @if !activity.visible.is_empty() {
                (filters(view))
                @if activity.rows.is_empty() { p { "Nothing to show." } } @else { (table(view)) }
                (paging(view))
            }
        }
    }
}

/// Why activity of some pages is not here.
fn missing(view: &Overview<'_>) -> Markup {
    let names = |pages: &[PageId]| pages.iter().map(|page| view.page_name(*page)).collect::<Vec<_>>().join(", ");
    let activity = view.activity;
    html! {
        @if !activity.disabled.is_empty() {
            p.note { "Audit logs are off for " (names(&activity.disabled)) ", so what happened there is not shown. An admin of the page can switch them on in StatiBeat." }
        }
        @if !activity.unknown.is_empty() {
            p.note { "StatiBeat does not say at the moment whether audit logs are on for " (names(&activity.unknown)) ". Load this page again later." }
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
        .collect();
    clients.sort_unstable();
    clients.dedup();
    html! {
        form.filters method="get" action=(format!("{}#activity", Route::AdminPage.path())) {
            label { "Page"
                select name="page" {
                    option value="" { "All" }
                    @for page in view.pages { option value=(page.id) selected[filter.page == Some(page.id)] { (page.name) } }
                }
            }
            label { "App"
                select name="client" {
                    option value="" { "All" }
                    @for (id, name) in clients { option value=(id) selected[filter.client_id.as_deref() == Some(id)] { (name) } }
                }
            }
            label { "Outcome"
                select name="outcome" {
                    option value="" { "All" }
                    @for (word, name) in OUTCOMES { option value=(word) selected[filter.outcome.as_deref() == Some(word)] { (name) } }
                }
            }
            button.small type="submit" { "Show" }
        }
    }
}

fn table(view: &Overview<'_>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="List of activity" {
            table.activity {
                thead { tr { @for name in ["When", "App", "What", "Page", "Outcome"] { th scope="col" { (name) } } } }
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
            td { (row.client_name) @if shown.user_id != view.person.user_id { br; span.soft { "of somebody else" } } }
            td {
                (what(&row.kind, row.tool.as_deref()))
                @if let Some(title) = &row.title { br; span.soft { "“" (title) "”" } }
                @if row.kind == "write" && let Some(id) = &row.target_id { br; span.soft { "No. " (id) } }
            }
            td { @match row.page_id { Some(page) => (view.page_name(page)), None => "–" } }
            td {
                span.tag.(if row.outcome == "done" { "good" } else { "warn" }) { (outcome_words(&row.outcome)) }
                @if let Some(detail) = &row.detail { br; span.soft { (detail_words(detail)) } }
            }
        }
    }
}

/// A kind of row in words; one that this program does not know stands for itself.
fn what(kind: &str, tool: Option<&str>) -> String {
    match (kind, tool) {
        ("write", Some(tool)) => capitalized(&tool.replace('_', " ")),
        ("revoke", _) => "Connection ended".to_owned(),
        ("pause", _) => "Writes paused".to_owned(),
        ("resume", _) => "Writes resumed".to_owned(),
        ("confirm", _) => "Confirmation of writes changed".to_owned(),
        ("page_cut", _) => "Cut off from the page".to_owned(),
        ("page_uncut", _) => "Let in to the page again".to_owned(),
        (other, _) => other.to_owned(),
    }
}

fn outcome_words(outcome: &str) -> &str {
    OUTCOMES.iter().find(|(word, _)| *word == outcome).map_or(outcome, |(_, name)| *name)
}

/// A fixed word of the record in words; one that needs none stands for itself.
fn detail_words(detail: &str) -> String {
    match detail {
        "user" => "by its user".to_owned(),
        "client" => "by the app itself".to_owned(),
        "scope" => "not allowed to this app".to_owned(),
        "role" => "not allowed by the role on the page".to_owned(),
        "user_disabled" => "account disabled".to_owned(),
        "code_replay" => "sign-in answer used twice".to_owned(),
        "refresh_reuse" => "refresh token used twice".to_owned(),
        other => other.replace('_', " "),
    }
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn paging(view: &Overview<'_>) -> Markup {
    html! {
        @if view.activity.is_later || view.activity.next.is_some() {
            nav.actions aria-label="Pages of the list" {
                @if view.activity.is_later { a.button href=(address(view, None)) { "Newest" } }
                @if let Some(next) = &view.activity.next { a.button href=(address(view, Some(next))) { "Older" } }
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
