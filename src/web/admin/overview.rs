//! Everything the page shows, gathered for one person.

use super::super::views;
use super::super::views::admin::{ActivityList, Filter, Overview};
use super::super::{Context, Response, browser};
use super::act::Action;
use super::connections::{Connection, gather};
use super::doctor::Checkup;
use super::{Fault, Visitor, visible_pages};
use crate::ids::{PageId, RequestId};
use crate::oauth::parameters::Parameters;
use crate::storage::activity::{self, Position};
use crate::storage::{calls, connections, health, refusals};
use crate::timestamp::Timestamp;
use crate::upstream::audit_logs::{self, AuditLogs};
use crate::upstream::identity::AccessiblePage;
use bytes::Bytes;
use http::Request;
use std::time::Duration;

/// Days in the picture, today included.
const DAYS: i64 = 14;
/// How long an ended connection is still spoken of.
const ENDED_SHOWN: Duration = Duration::from_hours(30 * 24);
/// Pages whose audit settings are asked for: each is a call to StatiBeat.
const ASKED_PAGES: usize = 20;

/// Shows the page to whoever is signed in.
pub(super) async fn show(
    ctx: &Context<'_>,
    request: &Request<Bytes>,
    request_id: &RequestId,
) -> Result<Response, Fault> {
    let visitor = Visitor::of(ctx, request).await?;
    let query = browser::query(request).ok_or(Fault::NotThere)?;
    let connector = ctx.connector();
    let api = visitor.api(&connector, request_id);
    let pages = visible_pages(&api).await?;
    let logs = audit_logs::of_pages(&api, &pages[..pages.len().min(ASKED_PAGES)]).await;
    let person = &visitor.person.user_id;
    let own = examine(ctx, &visitor, &pages).await?;
    let ended = connections::list_ended(ctx.db, person, ctx.now - ENDED_SHOWN, ctx.now).await?;
    let administered: Vec<PageId> = pages.iter().filter(|page| page.is_administered()).map(|page| page.id).collect();
    let others = gather(connections::list_by_pages(ctx.db, &administered, person, ctx.now).await?);
    let is_admin = !administered.is_empty();
    let refusals = if is_admin { refusals::list(ctx.db).await? } else { Vec::new() };
    let first_day = calls::day_of(ctx.now) - DAYS + 1;
    let counts = calls::counts_since(ctx.db, person, first_day).await?;
    let filter = read_filter(&query);
    let activity = list_activity(ctx, &visitor, &pages, &logs, &filter, query.one("before").ok().flatten()).await?;
    Ok(views::admin::overview(&Overview {
        person: &visitor.person,
        form_token: &visitor.form_token(ctx),
        endpoints: &ctx.endpoints(),
        approved: &ctx.config.allowed_redirects,
        pages: &pages,
        connections: &own,
        ended: &ended,
        others: &others,
        activity: &activity,
        filter: &filter,
        refusals: &refusals,
        bad_entries: if is_admin { &ctx.config.bad_redirects } else { &[] },
        counts: &counts,
        first_day,
        days: DAYS,
        done: query.one("done").ok().flatten().and_then(Action::parse),
        now: ctx.now,
    }))
}

/// The person's own connections, each with what the doctor found.
async fn examine(
    ctx: &Context<'_>,
    visitor: &Visitor,
    pages: &[AccessiblePage],
) -> Result<Vec<(Connection, Checkup)>, Fault> {
    let person = &visitor.person.user_id;
    let own = gather(connections::list(ctx.db, person, ctx.now).await?);
    let known = health::list(ctx.db, person).await?;
    let cuts = connections::list_cuts(ctx.db, person).await?;
    let examined = own.into_iter().map(|connection| {
        let is_its = |client_id: &str| client_id == connection.client_id.as_str();
        let health = known.iter().find(|health| is_its(&health.client_id));
        let cut = cuts.iter().filter(|(client_id, _)| is_its(client_id)).map(|(_, page)| *page).collect();
        let checkup = Checkup::of(&connection, health, cut, pages);
        (connection, checkup)
    });
    Ok(examined.collect())
}

fn read_filter(query: &Parameters) -> Filter {
    let one = |name| query.one(name).ok().flatten();
    Filter {
        page: one("page").and_then(PageId::parse),
        client_id: one("client").map(str::to_owned),
        outcome: one("outcome").map(str::to_owned),
    }
}

async fn list_activity(
    ctx: &Context<'_>,
    visitor: &Visitor,
    pages: &[AccessiblePage],
    logs: &[(PageId, AuditLogs)],
    filter: &Filter,
    before: Option<&str>,
) -> Result<ActivityList, Fault> {
    let with = |wanted: AuditLogs| logs.iter().filter(move |(_, found)| *found == wanted).map(|(page, _)| *page);
    let visible: Vec<PageId> = with(AuditLogs::Enabled).collect();
    let is_administered = |id: &PageId| pages.iter().any(|page| page.id == *id && page.is_administered());
    let administered: Vec<PageId> = visible.iter().copied().filter(is_administered).collect();
    let mut rows = Vec::new();
    if !visible.is_empty() {
        let query = activity::Query {
            user_id: &visitor.person.user_id,
            visible: &visible,
            administered: &administered,
            page: filter.page,
            client_id: filter.client_id.as_deref(),
            outcome: filter.outcome.as_deref(),
            before: before.and_then(parse_position),
        };
        rows = activity::list(ctx.db, &query).await?;
    }
    let has_more = rows.len() > activity::PAGE_LENGTH;
    rows.truncate(activity::PAGE_LENGTH);
    let next = rows.last().filter(|_| has_more).map(|last| write_position(last.position));
    let is_later = before.is_some();
    Ok(ActivityList {
        rows,
        next,
        is_later,
        visible,
        disabled: with(AuditLogs::Disabled).collect(),
        unknown: with(AuditLogs::Unknown).collect(),
    })
}

fn parse_position(text: &str) -> Option<Position> {
    let (at, row) = text.split_once('.')?;
    Some(Position { at: Timestamp::from_seconds(at.parse().ok()?), row: row.parse().ok()? })
}

fn write_position(position: Position) -> String {
    format!("{}.{}", position.at.as_seconds(), position.row)
}
