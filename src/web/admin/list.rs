//! The list of connections on the Hosted MCP page: one row each, with filter, order and paging.

use super::super::layout::trust_label;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink, address, row_id};
use super::advice::Guidance;
use super::connection::{last_used, tags};
use super::connection_filter::{ConnectionFilter, parse_position};
use super::health::result_tag;
use super::view_model::{AdminView, Connected, ConnectionSummary};
use crate::oauth::grant::PageChoice;
use crate::storage::connections::{Owners, SortOrder};
use maud::{Markup, html};

/// Lists that fit on one screen have no filter.
const SMALL_LIST: usize = 5;
/// Pages whose names a row shows; the connection's own page shows all.
const NAMED_PAGES: usize = 2;

pub(super) fn section(view: &AdminView, connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let is_empty = connected.total == 0 && filter.is_open();
    html! {
        section.card aria-labelledby="connections" {
            h2 #connections tabindex="-1" { "Connected apps" }
            @if is_empty {
                p.soft { "No apps are connected yet. Add the Resource URL to an app. Once you've allowed it, it appears here." }
            } @else {
                @if connected.total > SMALL_LIST || !filter.is_open() { (filters(view, filter)) }
                p.soft { (count(connected, filter)) }
                @if !connected.connections.is_empty() { (table(view, connected, filter)) }
                (paging(connected, filter))
                (bulk_actions(connected, filter))
            }
            @if connected.blocks > 0 {
                p { a href=(Route::AdminBlocks.path()) { "Blocked apps on pages you administer (" (connected.blocks) ")" } }
            }
            (ended(view, connected))
        }
    }
}

/// Says which part of the list is shown, and of how many.
fn count(connected: &Connected, filter: &ConnectionFilter) -> String {
    let order = match filter.sort {
        SortOrder::Newest => "the last used or connected first",
        SortOrder::App => "by app",
        SortOrder::Person => "by person",
    };
    let (shown, total) = (connected.connections.len(), connected.total);
    match (shown, total) {
        (0, 0) => "No connection matches.".to_owned(),
        (0, _) => "There are no more connections.".to_owned(),
        (1, 1) => "1 connection".to_owned(),
        _ if shown == total => format!("{total} connections, {order}"),
        _ => format!("{shown} of {total} connections, {order}"),
    }
}

fn filters(view: &AdminView, filter: &ConnectionFilter) -> Markup {
    let orders = [(SortOrder::Newest, "Last used"), (SortOrder::App, "App"), (SortOrder::Person, "Person")];
    let owners = [(Owners::Everybody, "Everybody's"), (Owners::Viewer, "Mine"), (Owners::Others, "Other people's")];
    html! {
        form.filters method="get" action={ (Route::AdminPage.path()) "#connections" } {
            label { "App or person" input type="search" name="search" value=[filter.search.as_deref()] autocomplete="off"; }
            @if view.administers_pages() {
                label { "Whose" select name="owners" { @for (value, name) in owners { option value=(<&str>::from(value)) selected[filter.owners == value] { (name) } } } }
            }
            label { "Page"
                select name="page" {
                    option value="" { "All" }
                    @for page in &view.pages { option value=(page.id) selected[filter.page == Some(page.id)] { (page.name) } }
                }
            }
            label { "Order" select name="sort" { @for (value, name) in orders { option value=(<&str>::from(value)) selected[filter.sort == value] { (name) } } } }
            button.small type="submit" { "Show" }
            @if !filter.is_open() { a.button.small href=(Route::AdminPage.path()) { "Show all" } }
        }
    }
}

fn table(view: &AdminView, connected: &Connected, filter: &ConnectionFilter) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="List of connections" {
            table.rows {
                thead { tr { @for name in ["App", "Person", "Pages", "Last used", "Health", "Actions"] { th scope="col" { (name) } } } }
                tbody { @for connection in &connected.connections { (row(view, connection, filter)) } }
            }
        }
    }
}

fn row(view: &AdminView, connection: &ConnectionSummary, filter: &ConnectionFilter) -> Markup {
    let back = filter.address(filter.after.as_ref());
    html! {
        tr #(row_id(&connection.key())) tabindex="-1" {
            th scope="row" {
                a href=(address(&connection.key())) { (connection.client_name) }
                @if !connection.trust.is_verified() { " " span.tag.warn { (trust_label(connection.trust)) } }
            }
            td { @if connection.is_own { "You" } @else { (connection.user_name) } }
            td { (pages(view, connection)) span.soft.under { (connection.access_summary) } }
            td { (last_used(view, connection)) }
            td { (result_tag(connection.diagnosis.result)) (tags(connection)) }
            td.does { (row_action(connection, &back)) }
        }
    }
}

fn row_action(connection: &ConnectionSummary, back: &str) -> Markup {
    let about = if connection.is_own {
        format!("({})", connection.client_name)
    } else {
        format!("({} of {})", connection.client_name, connection.user_name)
    };
    let kind = match () {
        () if connection.is_own => Action::Revoke,
        () if connection.is_blocked_everywhere() => Action::Unblock,
        () => Action::Block,
    };
    action::link(&ActionLink { action: kind, connections: &[connection.key()], page: None, back: Some(back) }, &about)
}

fn pages(view: &AdminView, connection: &ConnectionSummary) -> String {
    match &connection.pages {
        PageChoice::All => "All pages".to_owned(),
        PageChoice::These(pages) if pages.len() <= NAMED_PAGES => view.page_names(pages),
        PageChoice::These(pages) => {
            let first = view.page_names(pages.iter().take(NAMED_PAGES - 1));
            format!("{first} and {} more", pages.len() - NAMED_PAGES + 1)
        }
    }
}

fn paging(connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let next = connected.next.as_deref().and_then(parse_position);
    html! {
        @if filter.after.is_some() || next.is_some() {
            nav.actions aria-label="Pages of the list of connections" {
                @if filter.after.is_some() { a.button.small href={ (filter.address(None)) "#connections" } { "First page" } }
                @if let Some(next) = &next { a.button.small href={ (filter.address(Some(next))) "#connections" } { "Next page" } }
            }
        }
    }
}

fn bulk_actions(connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let own = connected.connections.iter().filter(|connection| connection.is_own).count();
    let back = filter.address(filter.after.as_ref());
    let link = |action| action::link(&ActionLink { action, connections: &[], page: None, back: Some(&back) }, "");
    html! {
        @if own > 1 || own > 0 && connected.total > connected.connections.len() {
            div.item.actions { (link(Action::RevokeAll)) }
        }
    }
}

/// The connections that ended lately, each with the reason and what its person can do.
fn ended(view: &AdminView, connected: &Connected) -> Markup {
    let (shown, total) = (connected.ended.len(), connected.ended_total);
    html! {
        @if shown > 0 {
            details {
                summary { "Ended in the last 30 days (" @if shown < total { "the latest " (shown) " of " } (total) ")" }
                @for connection in &connected.ended {
                    @let Guidance { meaning, advice, .. } = connection.advice;
                    article.item {
                        h3 { (connection.client_name) }
                        p.soft { "Ended " (view.clock.since(connection.ended_at)) ", " (view.clock.here(connection.ended_at)) }
                        p { (meaning) " " (advice) }
                    }
                }
            }
        }
    }
}
