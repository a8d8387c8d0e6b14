//! What the page and its JSON both tell, gathered for one person.

use super::super::Context;
use super::super::views::admin::{ActivityList, Filter};
use super::connections::{Connection, gather};
use super::doctor::Checkup;
use super::{Fault, Viewer};
use crate::ids::PageId;
use crate::oauth::parameters::Parameters;
use crate::storage::activity::{self, Position};
use crate::storage::calls::{self, DayCount};
use crate::storage::connections::{self, EndedConnection};
use crate::storage::health;
use crate::timestamp::Timestamp;
use crate::upstream::Api;
use crate::upstream::audit_logs::{self, AuditLogs};
use crate::upstream::identity::AccessiblePage;
use std::time::Duration;

/// Days in the picture, today included.
pub(super) const DAYS: i64 = 14;
/// How long an ended connection is still spoken of.
const ENDED_SHOWN: Duration = Duration::from_hours(30 * 24);
/// Pages whose audit settings are asked for: each is a call to StatiBeat.
const ASKED_PAGES: usize = 20;

/// What is connected, and how it is doing.
pub(super) struct Connected {
    /// The person's own, each with what the doctor found.
    pub own: Vec<(Connection, Checkup)>,
    /// Those that ended of late.
    pub ended: Vec<EndedConnection>,
    /// Other people's that reach pages the person administers, page by page.
    pub others: Vec<Connection>,
    /// Calls of the own connections.
    pub counts: Vec<DayCount>,
    /// The first day that they are counted from.
    pub first_day: i64,
}

impl Connected {
    /// Gathers it. `pages` are those that the person can see now.
    pub(super) async fn of(ctx: &Context<'_>, viewer: &Viewer, pages: &[AccessiblePage]) -> Result<Self, Fault> {
        let person = &viewer.person.user_id;
        let administered: Vec<PageId> =
            pages.iter().filter(|page| page.is_administered()).map(|page| page.id).collect();
        let first_day = calls::day_of(ctx.now) - DAYS + 1;
        Ok(Self {
            own: examine(ctx, viewer, pages).await?,
            ended: connections::list_ended(ctx.db, person, ctx.now - ENDED_SHOWN, ctx.now).await?,
            others: gather(connections::list_by_pages(ctx.db, &administered, person, ctx.now).await?),
            counts: calls::counts_since(ctx.db, person, first_day).await?,
            first_day,
        })
    }
}

/// The person's own connections, each with what the doctor found.
async fn examine(
    ctx: &Context<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
) -> Result<Vec<(Connection, Checkup)>, Fault> {
    let person = &viewer.person.user_id;
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

/// What was done, as narrowly as the query wants it, where pages keep audit logs.
pub(super) async fn activity(
    ctx: &Context<'_>,
    viewer: &Viewer,
    api: &Api<'_>,
    pages: &[AccessiblePage],
    query: &Parameters,
) -> Result<(Filter, ActivityList), Fault> {
    let logs = audit_logs::of_pages(api, &pages[..pages.len().min(ASKED_PAGES)]).await;
    let (filter, before) = (read_filter(query), query.one("before").ok().flatten());
    let list = list_activity(ctx, viewer, pages, &logs, &filter, before).await?;
    Ok((filter, list))
}

async fn list_activity(
    ctx: &Context<'_>,
    viewer: &Viewer,
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
            user_id: &viewer.person.user_id,
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
