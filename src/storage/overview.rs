//! The parts of the Hosted MCP page of one person, read in one batch to save round trips.

use super::activity::{self, ActivityRow};
use super::connections::{self, ConnectionKey, ConnectionPage, ConnectionQuery, EndedConnection};
use super::usage::{self, DayCount};
use super::{Counted, Result, blocks, read, read_all};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::ports::Database;

/// The viewer and what of their page they view.
pub struct OverviewQuery<'a> {
    pub connections: &'a ConnectionQuery<'a>,
    /// Pages whose blocks are counted.
    pub administered: &'a [PageId],
    /// Connections that ended after this time are still listed.
    pub ended_since: Timestamp,
    /// Requested part of the activity; `None` for none.
    pub activity: Option<&'a activity::Query<'a>>,
}

pub struct Found {
    pub connections: ConnectionPage,
    /// Connections of theirs that are no more, the latest first.
    pub ended: Vec<EndedConnection>,
    /// The number of blocks on the pages they administer.
    pub block_count: usize,
    /// The activity asked for, newest first, and one row more if there is one.
    pub activity: Vec<ActivityRow>,
}

pub async fn find(db: &dyn Database, query: &OverviewQuery<'_>) -> Result<Found> {
    let ConnectionQuery { viewer, now, .. } = *query.connections;
    let mut batch = vec![
        connections::select(query.connections),
        connections::select_ended(viewer, query.ended_since, now),
        blocks::select_count(query.administered),
    ];
    batch.extend(query.activity.map(activity::select));
    let mut answers = db.batch(&batch).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    Ok(Found {
        connections: ConnectionPage::read(&next())?,
        ended: read_all(&next())?,
        block_count: next().first().map(read::<Counted>).transpose()?.map_or(0, |row| row.total),
        activity: read_all(&next())?,
    })
}

/// The live grants of one connection that the query admits, none if it does not, and its calls from a day on.
pub async fn find_connection(
    db: &dyn Database,
    query: &ConnectionQuery<'_>,
    connection: &ConnectionKey,
    first_day: i64,
) -> Result<(ConnectionPage, Vec<DayCount>)> {
    let only = std::slice::from_ref(connection);
    let query = ConnectionQuery { only: Some(only), ..query.clone() };
    let batch = [connections::select(&query), usage::select_since(connection, first_day)];
    let mut answers = db.batch(&batch).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    Ok((ConnectionPage::read(&next())?, read_all(&next())?))
}
