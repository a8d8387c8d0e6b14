//! What the page and its JSON both tell, gathered for one person.

use super::super::context::RequestContext;
use super::super::views::admin::{ActivityList, Filter};
use super::connections::{Connection, gather};
use super::doctor::Checkup;
use super::{Fault, Viewer};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::parameters::Parameters;
use crate::storage::activity::{self, Position, Shown};
use crate::storage::blocks::{Block, BlockedPage};
use crate::storage::calls::{self, DayCount};
use crate::storage::connections::EndedConnection;
use crate::storage::health::Health;
use crate::storage::overview::{self, Question};
use crate::upstream::UserClient;
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
    /// Blocks on pages the person administers.
    pub blocks: Vec<Block>,
    /// Calls of the own connections.
    pub counts: Vec<DayCount>,
    /// The first day that they are counted from.
    pub first_day: i64,
}

/// Gathers what is connected, and the activity that is wanted. `pages` are those that the person can see now.
pub(super) async fn look(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
    wanted: Option<&Wanted>,
) -> Result<(Connected, Vec<Shown>), Fault> {
    let person = &viewer.person.user_id;
    let administered: Vec<PageId> = pages.iter().filter(|page| page.is_administered()).map(|page| page.id).collect();
    let first_day = calls::day_of(ctx.now) - DAYS + 1;
    let activity = wanted.and_then(|wanted| wanted.query(person));
    let question = Question {
        user_id: person,
        administered: &administered,
        ended_since: ctx.now - ENDED_SHOWN,
        first_day,
        activity: activity.as_ref(),
        now: ctx.now,
    };
    let found = overview::find(ctx.db, &question).await?;
    let gather = |grants| {
        let mut connections = gather(grants);
        // Where the environment has no such tools, nobody has them, whatever was ticked once.
        for connection in &mut connections {
            connection.has_read_bridge &= ctx.app.config.has_read_bridge;
        }
        connections
    };
    let connected = Connected {
        own: examine(gather(found.own), &found.health, &found.blocked, pages),
        ended: found.ended,
        others: gather(found.others),
        blocks: found.blocks,
        counts: found.counts,
        first_day,
    };
    Ok((connected, found.activity))
}

/// The person's own connections, each with what the doctor found.
fn examine(
    own: Vec<Connection>,
    known: &[Health],
    blocked: &[BlockedPage],
    pages: &[AccessiblePage],
) -> Vec<(Connection, Checkup)> {
    let examined = own.into_iter().map(|connection| {
        let is_its = |client_id: &str| client_id == connection.client_id.as_str();
        let health = known.iter().find(|health| is_its(&health.client_id));
        let blocked = blocked.iter().filter(|blocked| is_its(&blocked.client_id)).map(|blocked| blocked.page_id);
        let checkup = Checkup::of(&connection, health, blocked.collect(), pages);
        (connection, checkup)
    });
    examined.collect()
}

/// Which part of the activity is wanted, and where there is any: on pages that keep audit logs.
pub(super) struct Wanted {
    /// As narrowly as the query wants it.
    pub filter: Filter,
    before: Option<String>,
    visible: Vec<PageId>,
    administered: Vec<PageId>,
    disabled: Vec<PageId>,
    unknown: Vec<PageId>,
}

impl Wanted {
    /// Reads the query, and asks StatiBeat which pages keep audit logs.
    pub(super) async fn read(api: &UserClient<'_>, pages: &[AccessiblePage], query: &Parameters) -> Self {
        let logs = audit_logs::of_pages(api, &pages[..pages.len().min(ASKED_PAGES)]).await;
        let with = |wanted: AuditLogs| logs.iter().filter(move |(_, found)| *found == wanted).map(|(page, _)| *page);
        let is_administered = |id: &PageId| pages.iter().any(|page| page.id == *id && page.is_administered());
        let one = |name| query.one(name).ok().flatten();
        Self {
            filter: Filter {
                page: one("page").and_then(PageId::parse),
                client_id: one("client").map(str::to_owned),
                outcome: one("outcome").map(str::to_owned),
            },
            before: one("before").map(str::to_owned),
            visible: with(AuditLogs::Enabled).collect(),
            administered: with(AuditLogs::Enabled).filter(is_administered).collect(),
            disabled: with(AuditLogs::Disabled).collect(),
            unknown: with(AuditLogs::Unknown).collect(),
        }
    }

    /// What to ask the database; nothing where no page keeps audit logs.
    pub(super) fn query<'a>(&'a self, user_id: &'a UserId) -> Option<activity::Query<'a>> {
        let query = || activity::Query {
            user_id,
            visible: &self.visible,
            administered: &self.administered,
            page: self.filter.page,
            client_id: self.filter.client_id.as_deref(),
            outcome: self.filter.outcome.as_deref(),
            before: self.before.as_deref().and_then(parse_position),
        };
        (!self.visible.is_empty()).then(query)
    }

    /// The list of what the database answered.
    pub(super) fn list(self, mut rows: Vec<Shown>) -> ActivityList {
        let has_more = rows.len() > activity::PAGE_LENGTH;
        rows.truncate(activity::PAGE_LENGTH);
        let next = rows.last().filter(|_| has_more).map(|last| write_position(last.position()));
        ActivityList {
            rows,
            next,
            is_later: self.before.is_some(),
            visible: self.visible,
            disabled: self.disabled,
            unknown: self.unknown,
            filter: self.filter,
        }
    }
}

fn parse_position(text: &str) -> Option<Position> {
    let (at, row) = text.split_once('.')?;
    Some(Position { at: Timestamp::from_seconds(at.parse().ok()?), row: row.parse().ok()? })
}

fn write_position(position: Position) -> String {
    format!("{}.{}", position.at.as_seconds(), position.row)
}
