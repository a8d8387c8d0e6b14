//! Everything the page shows, gathered for one person.

use super::super::browser::{self, Cookie};
use super::super::context::RequestContext;
use super::super::reply::Response;
use super::super::views;
use super::super::views::admin::Overview;
use super::super::views::time::{Clock, is_zone};
use super::act::Action;
use super::facts::{self, Wanted};
use super::{Fault, Visitor, visible_pages};
use crate::upstream::identity::AccessiblePage;
use std::time::Duration;

/// How long a browser keeps the chosen time zone.
const ZONE_KEPT: Duration = Duration::from_hours(365 * 24);

/// Shows the page to whoever is signed in.
pub(super) async fn show(ctx: &RequestContext<'_>) -> Result<Response, Fault> {
    let visitor = Visitor::of(ctx).await?;
    let query = browser::query(ctx.head).ok_or(Fault::NotThere)?;
    let api = visitor.viewer.api(ctx);
    let pages = visible_pages(&api).await?;
    let wanted = Wanted::read(&api, &pages, &query).await;
    let (connected, rows) = facts::look(ctx, &visitor.viewer, &pages, Some(&wanted)).await?;
    let zone = Cookie::of_time_zone(&ctx.app.config.public_url);
    let chosen = query.one("zone").ok().flatten().filter(|name| is_zone(name));
    let of_page = pages.first().and_then(AccessiblePage::time_zone);
    let clock = Clock::new(ctx.now, [chosen, zone.read_text(ctx.head), of_page].into_iter().flatten());
    let mut response = views::admin::overview(&Overview {
        person: &visitor.viewer.person,
        form_token: &visitor.form_token(ctx),
        endpoints: &ctx.endpoints(),
        approved: &ctx.app.config.allowed_redirects,
        pages: &pages,
        connections: &connected.own,
        ended: &connected.ended,
        others: &connected.others,
        blocks: &connected.blocks,
        activity: &wanted.list(rows),
        counts: &connected.counts,
        first_day: connected.first_day,
        days: facts::DAYS,
        // Only an action of ours leads here with it; a link of somebody else's must not claim that something was done.
        done: query
            .one("done")
            .ok()
            .flatten()
            .and_then(Action::parse)
            .filter(|_| browser::comes_from_ourselves(ctx.head)),
        clock: &clock,
    });
    if let Some(name) = chosen {
        zone.put_text(&mut response, name, ZONE_KEPT.as_secs());
    }
    Ok(response)
}
