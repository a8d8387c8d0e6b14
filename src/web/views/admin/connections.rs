//! Connected clients: one's own, and other people's that reach pages one administers.

use super::super::super::admin::{Action, Checkup, Connection, End, Target};
use super::super::super::text::{NOT_YET, client_trust, connections as text, destination};
use super::{Overview, action_button, doctor, picture};
use crate::catalog::policy::Confirm;
use crate::oauth::grant::PageChoice;
use crate::storage::blocks::Block;
use maud::{Markup, html};

pub(super) fn own(view: &Overview<'_>) -> Markup {
    html! {
        section.card aria-labelledby="connections" {
            h2 #connections { (text::OWN) }
            @if view.connections.is_empty() {
                p.soft { (text::NONE_OWN) }
            }
            @for (connection, checkup) in view.connections { (one(view, connection, checkup)) }
            @if view.connections.len() > 1 {
                div.item.actions { (action_button(view, Action::RevokeAll, None, "")) }
            }
            (doctor::ended(view))
        }
    }
}

fn one(view: &Overview<'_>, connection: &Connection, checkup: &Checkup) -> Markup {
    let about = text::about(&connection.client_name);
    let target = Some(&Target::from(connection.clone()));
    html! {
        article.item {
            h3 {
                (connection.client_name) " "
                @if !connection.trust.is_verified() { span.tag.warn { (client_trust(connection.trust)) } }
                @if connection.are_writes_paused { " " span.tag { (text::PAUSED) } }
                @if connection.confirm == Some(Confirm::Always) { " " span.tag { (text::CONFIRMED) } }
            }
            dl.facts {
                dt { (text::DESTINATION) } dd { (destination(&connection.redirect_host)) }
                dt { (text::MAY) } dd { (scopes(connection)) }
                dt { (text::PAGES) } dd { (pages(view, &connection.pages)) }
                dt { (text::SINCE) } dd { (view.clock.day(connection.since)) }
                dt { (text::LAST_USED) } dd { @match connection.last_used_at { Some(at) => (view.clock.ago(at)), None => (NOT_YET) } }
                dt { (text::ENDS) } dd { (end(view, connection.end)) }
            }
            (picture::of(view, connection))
            (doctor::of(view, connection, checkup))
            div.actions {
                @if connection.are_writes_paused {
                    (action_button(view, Action::Resume, target, &about))
                } @else if connection.may_write() {
                    (action_button(view, Action::Pause, target, &about))
                }
                @if connection.confirm == Some(Confirm::Always) {
                    (action_button(view, Action::ConfirmAsUsual, target, &about))
                } @else if connection.may_write() {
                    (action_button(view, Action::ConfirmAlways, target, &about))
                }
                (action_button(view, Action::Revoke, target, &about))
            }
        }
    }
}

/// Other people's; shown to admins of a page only.
pub(super) fn others(view: &Overview<'_>) -> Markup {
    let administers = view.pages.iter().any(crate::upstream::identity::AccessiblePage::is_administered);
    html! {
        @if administers {
            section.card aria-labelledby="others" {
                h2 #others { (text::OTHERS) }
                @if view.others.is_empty() { p.soft { (text::NONE_OTHERS) } }
                @for connection in view.others { (other(view, connection)) }
            }
        }
    }
}

fn other(view: &Overview<'_>, connection: &Connection) -> Markup {
    let Some((page, is_blocked)) = connection.page else { return html! {} };
    let page_name = view.page_name(page);
    let about = text::about_other(&connection.client_name, &connection.user_name, &page_name);
    html! {
        article.item {
            h3 {
                (text::of_person(&connection.client_name, &connection.user_name)) " "
                @if is_blocked { span.tag { (text::BLOCKED) } }
                @if !connection.trust.is_verified() { " " span.tag.warn { (client_trust(connection.trust)) } }
            }
            dl.facts {
                dt { (text::YOUR_PAGE) } dd { (page_name) }
                dt { (text::MAY) } dd { (scopes(connection)) }
                dt { (text::SINCE) } dd { (view.clock.day(connection.since)) }
                dt { (text::LAST_USED) } dd { @match connection.last_used_at { Some(at) => (view.clock.ago(at)), None => (NOT_YET) } }
            }
            @if !is_blocked {
                div.actions { (action_button(view, Action::Block, Some(&Target::from(connection.clone())), &about)) }
            }
        }
    }
}

/// Blocks on pages that the person administers.
pub(super) fn blocks(view: &Overview<'_>) -> Markup {
    html! {
        @if !view.blocks.is_empty() {
            section.card aria-labelledby="blocks" {
                h2 #blocks { (text::BLOCKS) }
                @for block in view.blocks { (blocked(view, block)) }
            }
        }
    }
}

/// One of them; its connection may be gone.
fn blocked(view: &Overview<'_>, block: &Block) -> Markup {
    let page_name = view.page_name(block.page_id);
    let about = text::about_other(&block.client_name, &block.user_name, &page_name);
    html! {
        article.item {
            h3 { (text::of_person(&block.client_name, &block.user_name)) }
            dl.facts {
                dt { (text::YOUR_PAGE) } dd { (page_name) }
                dt { (text::BLOCKED_SINCE) } dd { (view.clock.day(block.blocked_at)) }
            }
            p.soft { (text::covered(&block.client_name, &block.user_name, block.is_loopback)) }
            div.actions { (action_button(view, Action::Unblock, Some(&Target::from(block.clone())), &about)) }
        }
    }
}

fn scopes(connection: &Connection) -> Markup {
    html! {
        ul.plain { @for scope in connection.scopes.iter() { li { (scope.consent_sentence()) @if scope.is_write() { " " span.tag.warn { (text::POSTS_PUBLICLY) } } } }
            @if connection.has_read_bridge { li { (text::READ_BRIDGE) } } }
    }
}

fn pages(view: &Overview<'_>, choice: &PageChoice) -> String {
    match choice {
        PageChoice::All => text::ALL_PAGES.to_owned(),
        PageChoice::These(pages) => text::only(&view.page_names(pages)),
    }
}

fn end(view: &Overview<'_>, end: End) -> Markup {
    match end {
        End::At(at) => html! { (view.clock.moment(at)) },
        End::Unused(at) => html! { (text::unused_until(&view.clock.day_words(at))) },
    }
}
