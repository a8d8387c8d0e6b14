//! The Hosted MCP page of a signed-in person.

use super::super::browser::{self, Cookie};
use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::super::time::{self, ZonedClock};
use super::actions::done_note;
use super::activity::filter::ActivityFilter;
use super::activity::{self, AuditedPages};
use super::connection_filter::ConnectionFilter;
use super::list;
use super::page::admin_page;
use super::session::HOSTED_MCP;
use super::setup::Setup;
use super::view_model::{AdminView, load};
use crate::model::time_zone;
use maud::{Markup, html};
use std::time::Duration;

/// Lifetime of the cookie that keeps the chosen time zone.
const ZONE_KEPT: Duration = Duration::from_hours(365 * 24);

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let chosen = query.single("zone").filter(|name| time_zone::find(name).is_some());
    let view = AdminView::open(ctx, chosen).await?;
    let viewer = &view.session.viewer;
    let filter = ConnectionFilter::parse(&query);
    let (audited, any) = (AuditedPages::new(&view.accessible), ActivityFilter::default());
    let newest = audited.newest(&viewer.person.user_id, &any);
    let (connected, rows) = load(ctx, viewer, &view.accessible, &filter, newest).await?;

    let setup = Setup::new(ctx);
    let has_connections = connected.total > 0 || !filter.is_open();
    let body = html! {
        (zone_choice(&view.clock))
        (done_note(ctx, &query))
        // With connections, they come first; without, the instructions do.
        @if has_connections { (list::section(&view, &connected, &filter)) (setup.connect_section(true)) }
        @else { (setup.connect_section(false)) (list::section(&view, &connected, &filter)) }
        (activity::newest(&view, &audited, rows))
        (setup.details_section())
    };
    let mut response = admin_page(&view, HOSTED_MCP, &body);
    if let Some(name) = chosen {
        Cookie::of_time_zone(&ctx.app.config.public_url).set(&mut response, name, ZONE_KEPT);
    }
    Ok(response)
}

/// The time zone of the page, with a form to choose another.
fn zone_choice(clock: &ZonedClock) -> Markup {
    html! {
        details.zone {
            summary { "Times in " (clock.zone_label()) }
            form.filters method="get" action=(Route::AdminPage.path()) {
                label { "Time zone"
                    select name="zone" data-zone[!clock.is_chosen()] { @for name in time::zones() { option value=(name) selected[name == clock.zone_name()] { (name.replace('_', " ")) } } }
                }
                div.buttons { button.small type="submit" { "Use this zone" } }
            }
        }
    }
}
