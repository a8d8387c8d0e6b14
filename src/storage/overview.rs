//! Everything that the Hosted MCP page shows to one person, read in one batch to save round trips.

use super::activity::{self, ActivityRow};
use super::blocks::{self, Block, BlockedPage};
use super::connections::{self, EndedConnection, LiveGrant};
use super::diagnostics::{self, Health};
use super::usage::{self, DayCount};
use super::{Result, read_all};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::ports::Database;

/// The viewer and the page that they view.
pub struct OverviewQuery<'a> {
    pub user_id: &'a UserId,
    /// Pages that they administer: there, other people's connections show.
    pub administered: &'a [PageId],
    /// Connections that ended after this time are still listed.
    pub ended_since: Timestamp,
    /// Calls are counted from this day on.
    pub first_day: i64,
    /// Requested part of the activity; `None` for none.
    pub activity: Option<&'a activity::Query<'a>>,
    pub now: Timestamp,
}

pub struct Found {
    /// Their live grants, each connection's oldest first.
    pub own: Vec<LiveGrant>,
    /// Diagnostics of their connections, by grant.
    pub health: Vec<Health>,
    /// Pages that their live connections are blocked from, with the client of each.
    pub blocked: Vec<BlockedPage>,
    /// Connections of theirs that are no more, the latest first.
    pub ended: Vec<EndedConnection>,
    pub counts: Vec<DayCount>,
    /// Other people's live grants, page by page.
    pub others: Vec<LiveGrant>,
    /// Blocks on the pages they administer.
    pub blocks: Vec<Block>,
    /// The activity asked for, newest first, and one row more if there is one.
    pub activity: Vec<ActivityRow>,
}

pub async fn find(db: &dyn Database, question: &OverviewQuery<'_>) -> Result<Found> {
    let OverviewQuery { user_id, now, .. } = *question;
    let mut batch = vec![
        connections::select(user_id, now),
        diagnostics::select(user_id),
        blocks::select_of_user(user_id),
        connections::select_ended(user_id, question.ended_since, now),
        usage::select_since(user_id, question.first_day),
        connections::select_by_pages(question.administered, user_id, now),
        blocks::select_by_pages(question.administered),
    ];
    batch.extend(question.activity.map(activity::select));
    let mut answers = db.batch(&batch).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    Ok(Found {
        own: read_all(&next())?,
        health: read_all(&next())?,
        blocked: read_all(&next())?,
        ended: read_all(&next())?,
        counts: read_all(&next())?,
        others: next().iter().map(LiveGrant::read_listed).collect::<Result<_>>()?,
        blocks: read_all(&next())?,
        activity: next().iter().map(ActivityRow::read).collect::<Result<_>>()?,
    })
}
