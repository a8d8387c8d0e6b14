//! The list of connections on the Hosted MCP page: one row each, with filter, order and paging.

use super::super::layout::trust_label;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink, address, row_id, write_key};
use super::action_plan::EVERYBODY;
use super::advice::Guidance;
use super::connection::{last_used, tags};
use super::connection_filter::{ConnectionFilter, parse_position};
use super::health::result_tag;
use super::view_model::{AdminView, Connected, ConnectionSummary};
use crate::model::ids::PageId;
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
                (bulk_actions(view, connected, filter))
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
            div.buttons {
                button.small type="submit" { "Show" }
                @if !filter.is_open() { a.button.small href=(Route::AdminPage.path()) { "Show all" } }
            }
        }
    }
}

/// The table in a form, where several rows can be ticked.
fn table(view: &AdminView, connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let listed = &connected.connections;
    if listed.len() < 2 {
        return rows(view, connected, filter);
    }
    let is_own = |own: bool| listed.iter().any(|connection| connection.is_own == own);
    let is_blocked =
        listed.iter().any(|connection| !connection.is_own && !connection.diagnosis.blocked_pages.is_empty());
    let actions = [(Action::Block, is_own(false)), (Action::Unblock, is_blocked), (Action::Revoke, is_own(true))];
    let actions: Vec<Action> =
        actions.into_iter().filter_map(|(action, is_offered)| is_offered.then_some(action)).collect();
    let back = filter.address(filter.after.as_ref());
    let page = filter.page.filter(|page| view.administers(*page));
    html! {
        form method="post" action=(Route::AdminAction.path()) {
            (action::idle_button())
            (rows(view, connected, filter))
            (action::selection_buttons(&view.form_token, &actions, page, &back))
        }
    }
}

fn rows(view: &AdminView, connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let can_tick = connected.connections.len() > 1;
    html! {
        div.scroll tabindex="0" role="region" aria-label="List of connections" {
            table.rows {
                thead { tr { @for name in ["App", "Person", "Pages", "Last used", "Health", "Actions"] { th scope="col" { (name) } } } }
                tbody { @for connection in &connected.connections { (row(view, connection, filter, can_tick)) } }
            }
        }
    }
}

fn row(view: &AdminView, connection: &ConnectionSummary, filter: &ConnectionFilter, can_tick: bool) -> Markup {
    let back = filter.address(filter.after.as_ref());
    html! {
        tr #(row_id(&connection.key())) tabindex="-1" {
            th scope="row" {
                @if can_tick { label.pick { input type="checkbox" name="connection" value=(write_key(&connection.key())); span.unseen { "Tick " (connection.name()) } } }
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
    let kind = match () {
        () if connection.is_own => Action::Revoke,
        () if connection.is_blocked_everywhere() => Action::Unblock,
        () => Action::Block,
    };
    action::link(
        &ActionLink { action: kind, connections: &[connection.key()], page: None, back: Some(back) },
        &format!("({})", connection.name()),
    )
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

/// Actions on more than the rows of this part of the list.
fn bulk_actions(view: &AdminView, connected: &Connected, filter: &ConnectionFilter) -> Markup {
    let listed = &connected.connections;
    let own = listed.iter().filter(|connection| connection.is_own).count();
    let others: Vec<_> = listed.iter().filter(|connection| !connection.is_own).collect();
    let back = filter.address(filter.after.as_ref());
    let link = |action| action::link(&ActionLink { action, connections: &[], page: None, back: Some(&back) }, "");
    let block = |label: &str, field: (&str, &str), page: Option<PageId>| {
        let page = page.map(|page| page.to_string());
        let pairs = [("action", Action::Block.into()), field, ("back", &*back)].into_iter();
        let address = Route::AdminAction.address(pairs.chain(page.as_deref().map(|page| ("page", page))));
        html! { a.button.small.ends href=(address) { (label) } }
    };
    let page = filter.page.filter(|page| view.administers(*page));
    let person = others.first().filter(|first| others.iter().all(|other| other.user_id == first.user_id));
    html! {
        div.item.actions {
            @if own > 1 || own > 0 && connected.total > listed.len() { (link(Action::RevokeAll)) }
            @if let Some(first) = person { (block(&format!("Block all apps of {}…", first.user_name), ("person", first.user_id.as_str()), page)) }
            @if let Some(page) = page.filter(|_| !others.is_empty()) { (block(&format!("Block all apps on {}…", view.page_name(page)), (EVERYBODY, "1"), Some(page))) }
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
