//! Everything that the admin page shows to one person, in one batch: it is looked at often, and each question more would be a
//! round trip that somebody waits for.

use super::Result;
use super::activity::{self, Shown};
use super::blocks::{self, Block};
use super::calls::{self, DayCount};
use super::connections::{self, EndedConnection, LiveGrant};
use super::health::{self, Health};
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::ports::Database;

/// Who looks, and at what.
pub struct Question<'a> {
    pub user_id: &'a UserId,
    /// Pages that they administer: there, other people's connections show.
    pub administered: &'a [PageId],
    /// What ended after that is still spoken of.
    pub ended_since: Timestamp,
    /// Calls are counted from this day on.
    pub first_day: i64,
    /// Which part of the activity; `None`: none of it.
    pub activity: Option<&'a activity::Query<'a>>,
    pub now: Timestamp,
}

pub struct Found {
    /// Their live grants, each connection's oldest first.
    pub own: Vec<LiveGrant>,
    /// How their connections are doing.
    pub health: Vec<Health>,
    /// Pages that their live connections are blocked from, with the client of each.
    pub blocked: Vec<(String, PageId)>,
    /// Connections of theirs that are no more, the latest first.
    pub ended: Vec<EndedConnection>,
    pub counts: Vec<DayCount>,
    /// Other people's live grants, page by page.
    pub others: Vec<LiveGrant>,
    /// Blocks on the pages they administer.
    pub blocks: Vec<Block>,
    /// The activity asked for, newest first, and one row more if there is one.
    pub activity: Vec<Shown>,
}

pub async fn find(db: &dyn Database, question: &Question<'_>) -> Result<Found> {
    let Question { user_id, now, .. } = *question;
    let own = connections::select(user_id, now);
    let health = health::select(user_id);
    let blocked = blocks::select_of_user(user_id);
    let ended = connections::select_ended(user_id, question.ended_since, now);
    let counts = calls::select_since(user_id, question.first_day);
    let others = connections::select_by_pages(question.administered, user_id, now);
    let blocks = blocks::select_by_pages(question.administered);
    let activity = question.activity.map(activity::select);
    let mut batch = vec![
        own.statement.clone(),
        health.statement.clone(),
        blocked.statement.clone(),
        ended.statement.clone(),
        counts.statement.clone(),
        others.statement.clone(),
        blocks.statement.clone(),
    ];
    batch.extend(activity.as_ref().map(|select| select.statement.clone()));
    let mut answers = db.batch(&batch).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    Ok(Found {
        own: own.read(&next())?,
        health: health.read(&next())?,
        blocked: blocked.read(&next())?,
        ended: ended.read(&next())?,
        counts: counts.read(&next())?,
        others: others.read(&next())?,
        blocks: blocks.read(&next())?,
        activity: activity.map_or(Ok(Vec::new()), |select| select.read(&next()))?,
    })
}
