//! The page of the apps that are blocked on pages that the viewer administers.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink};
use super::actions::done_note;
use super::connection_filter::parse_position;
use super::page::{admin_page, page_link};
use super::view_model::{AdminView, BlockCoverage, Blocked, PageBlock, load_blocks};
use crate::storage::connections::ConnectionKey;
use maud::{Markup, html};

const TITLE: &str = "Blocked apps";

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let after = query.single("after");
    let view = AdminView::open(ctx, None).await?;
    let found = load_blocks(ctx, &view.accessible, after.and_then(parse_position).as_ref()).await?;
    let body = html! {
        p { a href=(Route::AdminPage.path()) { "All connections" } }
        (done_note(ctx, &query))
        (section(&view, &found, after.is_some()))
    };
    Ok(admin_page(&view, TITLE, &body))
}

fn section(view: &AdminView, found: &Blocked, is_later: bool) -> Markup {
    let (shown, total) = (found.blocks.len(), found.total);
    html! {
        section.card aria-labelledby="blocks" {
            h2 #blocks tabindex="-1" { "Apps blocked on pages you administer" }
            @if total == 0 { p.soft { "No app is blocked." } }
            @else if shown == total { p.soft { (total) @if total == 1 { " block" } @else { " blocks" } ", the newest first" } }
            @else { p.soft { (shown) " of " (total) " blocks, the newest first" } }
            @if total > 0 { p.soft { "On a person's own computer, any app can give itself any name. A block of such an app therefore covers every app on that computer, under any client ID." } }
            @if shown > 0 {
                div.scroll tabindex="0" role="region" aria-label="List of blocks" {
                    table.rows {
                        thead { tr { @for name in ["App", "Person", "Your page", "Since", "Covers", "Actions"] { th scope="col" { (name) } } } }
                        tbody { @for block in &found.blocks { (row(view, block)) } }
                    }
                }
            }
            @if is_later || found.next.is_some() {
                nav.actions aria-label="Pages of the list of blocks" {
                    @if is_later { a.button.small href={ (Route::AdminBlocks.path()) "#blocks" } { "First page" } }
                    @if let Some(next) = &found.next { a.button.small href={ (Route::AdminBlocks.path()) "?after=" (next) "#blocks" } { "Next page" } }
                }
            }
        }
    }
}

/// One block; its connection may have ended.
fn row(view: &AdminView, block: &PageBlock) -> Markup {
    let PageBlock { client_name, user_name, .. } = block;
    let page_name = view.page_name(block.page_id);
    let key = [ConnectionKey { user_id: block.user_id.clone(), client_id: block.client_id.clone() }];
    let back = Route::AdminBlocks.path();
    let link = ActionLink { action: Action::Unblock, connections: &key, page: Some(block.page_id), back: Some(back) };
    html! {
        tr {
            th scope="row" { (client_name) }
            td { (user_name) }
            td { (page_link(view, block.page_id)) }
            td { (view.clock.day(block.blocked_at)) span.soft { ", by " (block.blocked_by) } }
            td { @if block.covers == BlockCoverage::LocalClients { "Every app on their computer" } @else { "This app" } }
            td.does { (action::button(&view.form_token, &link, &format!("({client_name} of {user_name} on {page_name})"))) }
        }
    }
}
