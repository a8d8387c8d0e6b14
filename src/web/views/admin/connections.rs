//! Connected clients: one's own, and other people's that reach pages one administers.

use super::super::super::admin::{Action, Checkup, Connection, End};
use super::{Overview, action_button, doctor, picture};
use crate::catalog::policy::Confirm;
use crate::oauth::grant::PageChoice;
use maud::{Markup, html};

/// The person's own.
pub(super) fn own(view: &Overview<'_>) -> Markup {
    html! {
        section.card aria-labelledby="connections" {
            h2 #connections { "Your connected apps" }
            @if view.connections.is_empty() {
                p.soft { "None yet. Add the Resource URL to an app; once you have allowed it, it appears here." }
            }
            @for (connection, checkup) in view.connections { (one(view, connection, checkup)) }
            @if view.connections.len() > 1 {
                div.actions { (action_button(view, Action::RevokeAll, None, "End all connections…", "")) }
            }
            (doctor::ended(view))
        }
    }
}

fn one(view: &Overview<'_>, connection: &Connection, checkup: &Checkup) -> Markup {
    let about = format!("({})", connection.client_name);
    html! {
        article.item {
            h3 {
                (connection.client_name) " "
                @if !connection.standing.is_verified() { span.tag.warn { "Unverified app" } }
                @if connection.are_writes_paused { " " span.tag { "Writes paused" } }
                @if connection.confirm == Some(Confirm::Always) { " " span.tag { "Every write confirmed" } }
            }
            dl.facts {
                dt { "Answer goes to" } dd { (super::super::destination(&connection.redirect_host)) }
                dt { "May" } dd { (scopes(connection)) }
                dt { "Pages" } dd { (pages(view, &connection.pages)) }
                dt { "Since" } dd { (view.clock.day(connection.since)) }
                dt { "Last used" } dd { @match connection.last_used_at { Some(at) => (view.clock.ago(at)), None => "Not yet" } }
                dt { "Ends" } dd { (end(view, connection.end)) }
            }
            (picture::of(view, connection))
            (doctor::of(view, connection, checkup))
            div.actions {
                @if connection.are_writes_paused {
                    (action_button(view, Action::Resume, Some(connection), "Resume writes", &about))
                } @else if connection.may_write() {
                    (action_button(view, Action::Pause, Some(connection), "Pause writes", &about))
                }
                @if connection.confirm == Some(Confirm::Always) {
                    (action_button(view, Action::ConfirmAsUsual, Some(connection), "Confirm writes as usual", &about))
                } @else if connection.may_write() {
                    (action_button(view, Action::ConfirmAlways, Some(connection), "Confirm every write", &about))
                }
                (action_button(view, Action::Revoke, Some(connection), "End connection…", &about))
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
                h2 #others { "Other people's apps on pages you administer" }
                @if view.others.is_empty() { p.soft { "Nobody else has an app connected that has reached one of your pages." } }
                @for connection in view.others { (other(view, connection)) }
            }
        }
    }
}

fn other(view: &Overview<'_>, connection: &Connection) -> Markup {
    let Some((page, is_cut)) = connection.page else { return html! {} };
    let page_name = view.page_name(page);
    let about = format!("({} of {}, {page_name})", connection.client_name, connection.user_name);
    html! {
        article.item {
            h3 {
                (connection.client_name) " of " (connection.user_name) " "
                @if is_cut { span.tag { "Cut off" } }
                @if !connection.standing.is_verified() { " " span.tag.warn { "Unverified app" } }
            }
            dl.facts {
                dt { "Your page" } dd { (page_name) }
                dt { "May" } dd { (scopes(connection)) }
                dt { "Since" } dd { (view.clock.day(connection.since)) }
                dt { "Last used" } dd { @match connection.last_used_at { Some(at) => (view.clock.ago(at)), None => "Not yet" } }
            }
            div.actions {
                @if is_cut {
                    (action_button(view, Action::Uncut, Some(connection), "Let it in again", &about))
                } @else {
                    (action_button(view, Action::Cut, Some(connection), "Cut off from this page…", &about))
                }
            }
        }
    }
}

fn scopes(connection: &Connection) -> Markup {
    html! {
        ul.plain { @for scope in connection.scopes.iter() { li { (scope.consent_sentence()) @if scope.is_write() { " " span.tag.warn { "Posts publicly" } } } }
            @if connection.has_read_bridge { li { "Read all this through tools as well" } } }
    }
}

fn pages(view: &Overview<'_>, choice: &PageChoice) -> String {
    match choice {
        PageChoice::All => "All pages you can see, now and later".to_owned(),
        PageChoice::These(pages) => {
            format!("Only {}", pages.iter().map(|page| view.page_name(*page)).collect::<Vec<_>>().join(", "))
        }
    }
}

fn end(view: &Overview<'_>, end: End) -> Markup {
    match end {
        End::At(at) => html! { (view.clock.moment(at)) },
        End::Unused(at) => html! { "When you end it, or if unused until " (view.clock.day(at)) },
    }
}
