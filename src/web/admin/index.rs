//! The Hosted MCP page of a signed-in person.

use super::super::browser::{self, Cookie};
use super::super::context::RequestContext;
use super::super::layout::trust_label;
use super::super::layout::wide_page;
use super::super::page_error::PageError;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::actions::{self, Action, coverage, target_fields};
use super::activity::{self, ActivityRequest};
use super::connection::{self, last_used, scopes};
use super::session::{HOSTED_MCP, Session, account, visible_pages};
use super::setup::Setup;
use super::time::{self, ZonedClock};
use super::view_model::{AdminView, BlockCoverage, OtherConnection, PageBlock, load};
use crate::model::time_zone;
use crate::upstream::identity::AccessiblePage;
use maud::{Markup, html};
use std::time::Duration;

/// Lifetime of the cookie that keeps the chosen time zone.
const ZONE_KEPT: Duration = Duration::from_hours(365 * 24);

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let session = Session::require(ctx).await?;
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let one = |name| query.one(name).ok().flatten();
    let api = session.viewer.api(ctx);
    let pages = visible_pages(&api).await?;
    let wanted = ActivityRequest::read(&api, &pages, &query).await;
    let (connected, rows) = load(ctx, &session.viewer, &pages, wanted.query(&session.viewer.person.user_id)).await?;
    let activity = wanted.list(rows, &session.viewer);
    let zone = Cookie::of_time_zone(&ctx.app.config.public_url);
    let chosen = one("zone").filter(|name| time_zone::find(name).is_some());
    let of_page = pages.first().and_then(AccessiblePage::time_zone);
    let clock = ZonedClock::new(ctx.now, [chosen, zone.read_text(ctx.head), of_page].into_iter().flatten());
    let view = AdminView { connected, clock, form_token: session.form_token(ctx) };
    // Only our own actions redirect here with it; another site's link must not claim that something was done.
    let done = one("done").filter(|_| browser::comes_from_ourselves(ctx.head));
    let done: Option<Action> = done.and_then(|action| action.parse().ok());

    let setup = Setup::new(ctx);
    let has_connections = !view.connected.connections.is_empty();
    let body = html! {
        div.head { h1 { (HOSTED_MCP) } (account(&session.viewer, &view.form_token)) }
        (zone_choice(&view.clock))
        @if let Some(done) = done { p.note.good role="status" { (done.done()) } }
        // With connections, they come first; without, the instructions do.
        @if has_connections { (connection::section(&view)) (setup.connect_section(true)) }
        @else { (setup.connect_section(false)) (connection::section(&view)) }
        (others(&view))
        (blocks(&view))
        (activity::section(&view, &activity))
        (setup.details_section())
    };
    let mut response = wide_page(HOSTED_MCP, &body);
    reply::name_origin_to_ourselves(&mut response);
    if let Some(name) = chosen {
        zone.set(&mut response, name, ZONE_KEPT);
    }
    Ok(response)
}

/// The time zone of the page, with a form to choose another.
fn zone_choice(clock: &ZonedClock) -> Markup {
    html! {
        details.zone {
            summary { "Times in " (clock.zone_name()) }
            form.filters method="get" action=(Route::AdminPage.path()) {
                label { "Time zone"
                    select name="zone" { @for name in time::zones() { option value=(name) selected[name == clock.zone_name()] { (name.replace('_', " ")) } } }
                }
                button.small type="submit" { "Use this zone" }
            }
        }
    }
}

/// Other people's connections, on pages that the viewer administers.
fn others(view: &AdminView) -> Markup {
    let connected = &view.connected;
    html! {
        @if connected.pages.iter().any(|page| page.is_administered) {
            section.card aria-labelledby="others" {
                h2 #others { "Other people's apps on pages you administer" }
                @if connected.others.is_empty() { p.soft { "Nobody else has connected an app that has accessed one of these pages." } }
                @for other in &connected.others { (other_connection(view, other)) }
            }
        }
    }
}

fn other_connection(view: &AdminView, other: &OtherConnection) -> Markup {
    let OtherConnection { connection, user_id, user_name, page_id, is_blocked } = other;
    let (client_name, page_name) = (&connection.client_name, view.connected.page_name(*page_id));
    let target = target_fields(&connection.client_id, Some((*page_id, user_id)));
    let about = format!("({client_name} of {user_name}, {page_name})");
    html! {
        article.item {
            h3 {
                (client_name) " of " (user_name) " "
                @if *is_blocked { span.tag { "Blocked" } }
                @if !connection.trust.is_verified() { " " span.tag.warn { (trust_label(connection.trust)) } }
            }
            dl.details {
                dt { "Your page" } dd { (page_name) }
                dt { "May" } dd { (scopes(connection)) }
                dt { "Since" } dd { (view.clock.day(connection.connected_at)) }
                dt { "Last used" } dd { (last_used(view, connection)) }
            }
            @if !is_blocked {
                div.actions { (actions::button(&view.form_token, Action::Block, &target, &about)) }
            }
        }
    }
}

/// Blocks on pages that the person administers.
fn blocks(view: &AdminView) -> Markup {
    html! {
        @if !view.connected.blocks.is_empty() {
            section.card aria-labelledby="blocks" {
                h2 #blocks { "Apps blocked on pages you administer" }
                @for block in &view.connected.blocks { (blocked(view, block)) }
            }
        }
    }
}

/// One block; its connection may have ended.
fn blocked(view: &AdminView, block: &PageBlock) -> Markup {
    let PageBlock { client_name, user_name, .. } = block;
    let page_name = view.connected.page_name(block.page_id);
    let target = target_fields(&block.client_id, Some((block.page_id, &block.user_id)));
    let about = format!("({client_name} of {user_name}, {page_name})");
    html! {
        article.item {
            h3 { (client_name) " of " (user_name) }
            dl.details {
                dt { "Your page" } dd { (page_name) }
                dt { "Since" } dd { (view.clock.day(block.blocked_at)) }
            }
            p.soft { (coverage(client_name, user_name, block.covers == BlockCoverage::LocalClients)) }
            div.actions { (actions::button(&view.form_token, Action::Unblock, &target, &about)) }
        }
    }
}
