//! The page of one connection: its access, what restricts it, and its actions. `chart` and `health` render the rest.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::layout::{NAMED, destination, trust_label};
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink, address, coverage, row_id};
use super::actions::done_note;
use super::diagnosis::CheckResult;
use super::effective_access::Posting;
use super::page::{admin_page, page_link, page_links};
use super::view_model::{AdminView, ConnectionDetails, ConnectionSummary, load_connection};
use super::{chart, health, narrow};
use crate::model::ids::UserId;
use crate::model::scope::Scope;
use crate::oauth::client::ClientId;
use crate::oauth::grant::PageChoice;
use crate::oauth::parameters::Parameters;
use crate::storage::connections::ConnectionKey;
use maud::{Markup, html};

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let key = parse_key(&query).ok_or(PageError::NotFound)?;
    let view = AdminView::open(ctx, None).await?;
    let found = load_connection(ctx, &view.session.viewer, &view.accessible, &key).await?;
    let title = found.connection.name();
    let body = html! {
        p { a href={ (Route::AdminPage.path()) "#" (row_id(&key)) } { "All connections" } }
        (done_note(ctx, &query))
        (narrow::done_note(ctx, &query))
        (section(&view, &found))
    };
    Ok(admin_page(&view, &title, &body))
}

pub(super) fn parse_key(query: &Parameters) -> Option<ConnectionKey> {
    Some(ConnectionKey {
        user_id: UserId::parse(query.single("user")?)?,
        client_id: ClientId::parse(query.single("client")?)?,
    })
}

/// Settings and blocks that restrict the connection.
pub(super) fn tags(connection: &ConnectionSummary) -> Markup {
    let blocked = connection.diagnosis.blocked_pages.len();
    html! {
        @if connection.are_writes_paused && connection.diagnosis.result != CheckResult::Paused { " " span.tag.calm { "Writes paused" } }
        @if connection.confirms_always { " " span.tag.calm { "Every write confirmed" } }
        @if blocked > 0 { " " span.tag { @if connection.is_blocked_everywhere() { "Blocked" } @else if blocked == 1 { "Blocked on 1 page" } @else { "Blocked on " (blocked) " pages" } } }
    }
}

fn section(view: &AdminView, found: &ConnectionDetails) -> Markup {
    let connection = &found.connection;
    html! {
        section.card aria-labelledby="connection" {
            h2 #connection tabindex="-1" {
                (connection.name())
                @if !connection.trust.is_verified() { " " span.tag.warn { (trust_label(connection.trust)) } }
                (tags(connection))
            }
            dl.details {
                @if !connection.is_own { dt { "Person" } dd { (connection.user_name) } }
                dt { "Access went to" } dd { (destination(&connection.redirect_host)) }
                dt { "Access" } dd { (access(view, connection)) }
                @if connection.is_own { dt { "Pages" } dd { (pages(view, &connection.pages)) } }
                dt { "Since" } dd { (view.clock.day(connection.connected_at)) }
                dt { "Last used" } dd { (last_used(view, connection)) }
                dt { "Ends" } dd { (end(view, connection)) }
            }
            div.actions { (buttons(view, connection)) }
            @if connection.is_own { (approvals(view, connection)) } @else { (page_blocks(view, connection)) }
            (chart::section(&found.calls, &connection.client_name))
            (health::section(view, connection))
            p { a href=(activity_address(connection)) { "Activity of this app" } }
        }
    }
}

fn activity_address(connection: &ConnectionSummary) -> String {
    Route::AdminActivity.address([("client", connection.client_id.as_str())])
}

fn buttons(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let (key, about) = ([connection.key()], format!("({})", connection.name()));
    let back = address(&key[0]);
    let link = |action| ActionLink { action, connections: &key, page: None, back: Some(&back) };
    let button = |action| action::button(&view.form_token, &link(action), &about);
    html! {
        @if !connection.is_own {
            @if !connection.is_blocked_everywhere() { (action::link(&link(Action::Block), &about)) }
        } @else {
            @if connection.are_writes_paused { (button(Action::Resume)) }
            @else if connection.may_write() { (button(Action::Pause)) }
            @if connection.confirms_always { (button(Action::ConfirmAsUsual)) }
            @else if connection.may_write() { (button(Action::ConfirmAlways)) }
            (action::link(&link(Action::Revoke), &about))
        }
    }
}

/// Each approval of the consent page that still counts, with the way to narrow it.
fn approvals(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    html! {
        h3 #approvals tabindex="-1" { "Approvals" }
        ul.plain.pages-of {
            @for approved in &connection.approvals {
                @let names: Vec<&str> = approved.scopes.iter().map(Scope::as_str).collect();
                li {
                    span {
                        (view.clock.moment(approved.created_at)) ": " code { (names.join(" ")) } br;
                        (pages(view, &approved.pages)) ". "
                        @match approved.expires_at { Some(end) => { "Until " (view.clock.moment(end)) "." } None => "Until you end it." }
                    }
                    a.button.small href=(narrow::form_address(&connection.client_id, &approved.grant_id)) { "Narrow…" span.unseen { " (" (connection.client_name) ", " (view.clock.day_words(approved.created_at)) ")" } }
                }
            }
        }
    }
}

/// The pages that the viewer administers and the connection has accessed, each with its block.
fn page_blocks(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let PageChoice::These(pages) = &connection.pages else { return html! {} };
    let key = [connection.key()];
    let back = address(&key[0]);
    html! {
        h3 #pages tabindex="-1" { "Pages you administer that it has accessed" }
        ul.plain.pages-of {
            @for page in pages {
                @let is_blocked = connection.diagnosis.blocked_pages.contains(page);
                @let about = format!("({} on {})", connection.name(), view.page_name(*page));
                @let link = ActionLink { action: if is_blocked { Action::Unblock } else { Action::Block }, connections: &key, page: Some(*page), back: Some(&back) };
                li {
                    span { (page_link(view, *page)) @if is_blocked { " " span.tag { "Blocked" } } }
                    @if is_blocked { (action::button(&view.form_token, &link, &about)) } @else { (action::link(&link, &about)) }
                }
            }
        }
        p.soft { (coverage(&connection.client_name, &connection.user_name, connection.is_loopback)) }
    }
}

/// The effective access, with all names of a long list of pages to unfold.
fn access(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    html! {
        ul.plain {
            @for group in &connection.access {
                li {
                    (group.sentence) @if group.posting == Posting::Allowed { " " span.tag.warn { "Posts publicly" } }
                    @if group.pages.len() > NAMED { details { summary { "All " (group.pages.len()) " pages" } p { (page_links(view, &group.pages)) } } }
                }
            }
            @if connection.access.is_empty() { li { (connection.access_summary) } }
            @if connection.reads_by_tools { li { "Reads through tools as well." } }
        }
    }
}

pub(super) fn last_used(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    html! {
        @match connection.last_used_at {
            Some(at) => (view.clock.ago(at)),
            None => { "Not yet" span.soft { ", connected " (view.clock.since(connection.connected_at)) } }
        }
    }
}

fn pages(view: &AdminView, choice: &PageChoice) -> String {
    match choice {
        PageChoice::All => "All pages you can see, now and later".to_owned(),
        PageChoice::These(pages) => format!("Only {}", view.page_names(pages)),
    }
}

fn end(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let by = if connection.is_own { "you end" } else { "its person ends" };
    html! {
        @if let Some(at) = connection.expires_at { (view.clock.moment(at)) }
        @else if let Some(at) = connection.unused_until { "When " (by) " it, or if unused until " (view.clock.day_words(at)) }
    }
}
