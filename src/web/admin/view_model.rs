//! View model of the Hosted MCP page for one person: the API serializes these values, the page renders them. Fields that only the
//! page needs are skipped by serde.

use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::advice::{self, Guidance};
use super::connections::merge_grants;
use super::diagnosis::Diagnosis;
use super::session::Viewer;
use super::time::ZonedClock;
use super::wire::{chosen_pages, date, is_verified, optional_text, scope_names, text};
use crate::model::ids::{PageId, UserId};
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::{ClientId, ClientTrust};
use crate::oauth::grant::PageChoice;
use crate::storage::activity::{self, ActivityRow};
use crate::storage::blocks::Block;
use crate::storage::connections::{EndedConnection, ListedPage, LiveGrant};
use crate::storage::overview::{self, OverviewQuery};
use crate::storage::usage::{self, CallOutcome, DayCount};
use crate::upstream::identity::AccessiblePage;
use serde::Serialize;
use std::time::Duration;

/// Days of the usage chart, today included.
pub(super) const DAYS: i64 = 14;
/// Ended connections are listed for this long.
const ENDED_SHOWN: Duration = Duration::from_hours(30 * 24);

#[derive(Serialize)]
pub(super) struct Connected {
    pub pages: Vec<VisiblePage>,
    pub connections: Vec<OwnConnection>,
    /// Other people's connections, one entry per page that the person administers.
    pub others: Vec<OtherConnection>,
    /// Blocks on pages the person administers.
    pub blocks: Vec<PageBlock>,
    /// The person's own connections that ended recently.
    pub ended: Vec<PastConnection>,
}

#[derive(Serialize)]
pub(super) struct VisiblePage {
    pub id: PageId,
    pub name: String,
    pub is_administered: bool,
}

/// All live grants of one person to one client; in a listing by page, the grants that can access the page.
#[derive(Serialize)]
pub(super) struct ConnectionSummary {
    #[serde(serialize_with = "text")]
    pub client_id: ClientId,
    /// As the newest consent page showed it.
    pub client_name: String,
    #[serde(rename = "is_verified", serialize_with = "is_verified")]
    pub trust: ClientTrust,
    pub redirect_host: String,
    #[serde(serialize_with = "scope_names")]
    pub scopes: ScopeSet,
    #[serde(serialize_with = "text")]
    pub connected_at: Timestamp,
    #[serde(serialize_with = "optional_text")]
    pub last_used_at: Option<Timestamp>,
    pub reads_by_tools: bool,
    pub are_writes_paused: bool,
    /// Its owner confirms every write.
    #[serde(skip)]
    pub confirms_always: bool,
}

#[derive(Serialize)]
pub(super) struct OwnConnection {
    #[serde(flatten)]
    pub connection: ConnectionSummary,
    #[serde(serialize_with = "chosen_pages")]
    pub pages: PageChoice,
    #[serde(serialize_with = "optional_text")]
    pub expires_at: Option<Timestamp>,
    #[serde(serialize_with = "optional_text")]
    pub unused_until: Option<Timestamp>,
    /// One entry for each of the last [`DAYS`].
    pub calls: Vec<DayCalls>,
    pub diagnosis: Diagnosis,
}

#[derive(Serialize)]
pub(super) struct OtherConnection {
    #[serde(flatten)]
    pub connection: ConnectionSummary,
    pub user_id: UserId,
    pub user_name: String,
    pub page_id: PageId,
    pub is_blocked: bool,
}

#[derive(Serialize)]
pub(super) struct PageBlock {
    pub user_id: UserId,
    pub user_name: String,
    #[serde(serialize_with = "text")]
    pub client_id: ClientId,
    pub client_name: String,
    pub page_id: PageId,
    pub covers: BlockCoverage,
    #[serde(serialize_with = "text")]
    pub blocked_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BlockCoverage {
    Client,
    /// Every loopback client of the person: any program on their computer can claim any client id.
    LocalClients,
}

#[derive(Serialize)]
pub(super) struct PastConnection {
    pub client_id: String,
    pub client_name: String,
    #[serde(serialize_with = "text")]
    pub ended_at: Timestamp,
    #[serde(flatten)]
    pub advice: Guidance,
}

/// Calls of one connection on one day.
#[derive(Serialize)]
pub(super) struct DayCalls {
    /// Days since the Unix epoch, in UTC.
    #[serde(serialize_with = "date")]
    pub day: i64,
    pub answered: i64,
    pub refused: i64,
    pub failed: i64,
}

impl DayCalls {
    pub fn count(&self, outcome: CallOutcome) -> i64 {
        match outcome {
            CallOutcome::Answered => self.answered,
            CallOutcome::Refused => self.refused,
            CallOutcome::Failed => self.failed,
        }
    }

    pub fn total(&self) -> i64 {
        self.answered + self.refused + self.failed
    }
}

pub(super) struct AdminView {
    pub connected: Connected,
    pub clock: ZonedClock,
    pub form_token: String,
}

impl Connected {
    /// A page's name, or its number if the person can no longer see it.
    pub fn page_name(&self, id: PageId) -> String {
        let page = self.pages.iter().find(|page| page.id == id);
        page.map_or_else(|| format!("Page {id}"), |page| page.name.clone())
    }

    pub fn page_names<'a>(&self, ids: impl IntoIterator<Item = &'a PageId>) -> String {
        ids.into_iter().map(|id| self.page_name(*id)).collect::<Vec<_>>().join(", ")
    }
}

/// Loads the connections and the requested rows of the activity in one batch. `pages` are the ones that the person can see now.
pub(super) async fn load(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
    activity: Option<activity::Query<'_>>,
) -> Result<(Connected, Vec<ActivityRow>), PageError> {
    let administered: Vec<PageId> = pages.iter().filter(|page| page.is_administered()).map(|page| page.id).collect();
    let first_day = usage::day_of(ctx.now) - DAYS + 1;
    let question = OverviewQuery {
        user_id: &viewer.person.user_id,
        administered: &administered,
        ended_since: ctx.now - ENDED_SHOWN,
        first_day,
        activity: activity.as_ref(),
        now: ctx.now,
    };
    let found = overview::find(ctx.db, &question).await?;
    let summarize = |grant| {
        let mut summary = ConnectionSummary::from(grant);
        // An environment that switched resource tools off has none, whatever was granted before.
        summary.reads_by_tools &= ctx.app.config.has_resource_tools;
        summary
    };
    let own = merge_grants(found.own).into_iter().map(|grant| {
        let is_its = |client_id: &str| client_id == grant.client_id.as_str();
        let health = found.health.iter().find(|health| is_its(&health.client_id));
        let blocked = found.blocked.iter().filter(|blocked| is_its(&blocked.client_id)).map(|blocked| blocked.page_id);
        OwnConnection {
            pages: grant.pages.clone(),
            expires_at: grant.expires_at,
            unused_until: grant.expires_at.is_none().then_some(grant.unused_until),
            calls: calls_by_day(&found.counts, grant.client_id.as_str(), first_day),
            diagnosis: Diagnosis::new(&grant, health, blocked.collect(), pages),
            connection: summarize(grant),
        }
    });
    let others = merge_grants(found.others).into_iter().filter_map(|grant| {
        let ListedPage { page_id, is_blocked } = grant.page?;
        let (user_id, user_name) = (grant.user_id.clone(), grant.user_name.clone());
        Some(OtherConnection { connection: summarize(grant), user_id, user_name, page_id, is_blocked })
    });
    let connected = Connected {
        connections: own.collect(),
        others: others.collect(),
        pages: pages.iter().map(VisiblePage::from).collect(),
        blocks: found.blocks.into_iter().map(PageBlock::from).collect(),
        ended: found.ended.into_iter().map(PastConnection::from).collect(),
    };
    Ok((connected, found.activity))
}

fn calls_by_day(counts: &[DayCount], client_id: &str, first_day: i64) -> Vec<DayCalls> {
    let of_day = |day: i64| {
        let of = |outcome: CallOutcome| {
            let counts = counts.iter().filter(|count| count.day == day && count.outcome == outcome);
            counts.filter(|count| count.client_id == client_id).map(|count| count.calls).sum()
        };
        let [answered, refused, failed] = CallOutcome::ALL.map(of);
        DayCalls { day, answered, refused, failed }
    };
    (first_day..first_day + DAYS).map(of_day).collect()
}

impl From<&AccessiblePage> for VisiblePage {
    fn from(page: &AccessiblePage) -> Self {
        Self { id: page.id, name: page.name.clone(), is_administered: page.is_administered() }
    }
}

impl From<LiveGrant> for ConnectionSummary {
    fn from(grant: LiveGrant) -> Self {
        Self {
            client_id: grant.client_id,
            client_name: grant.client_name,
            trust: grant.trust,
            redirect_host: grant.redirect_host,
            scopes: grant.scopes,
            connected_at: grant.created_at,
            last_used_at: grant.last_used_at,
            reads_by_tools: grant.has_resource_tools,
            are_writes_paused: grant.are_writes_paused,
            confirms_always: grant.confirm.as_deref().map(ConfirmMode::from_stored) == Some(ConfirmMode::Always),
        }
    }
}

impl ConnectionSummary {
    /// True with a write scope, even while writes are paused.
    pub fn may_write(&self) -> bool {
        self.scopes.iter().any(Scope::is_write)
    }
}

impl From<Block> for PageBlock {
    fn from(block: Block) -> Self {
        let Block { user_id, user_name, client_id, client_name, page_id, is_loopback, blocked_at } = block;
        let covers = if is_loopback { BlockCoverage::LocalClients } else { BlockCoverage::Client };
        Self { user_id, user_name, client_id, client_name, page_id, covers, blocked_at }
    }
}

impl From<EndedConnection> for PastConnection {
    fn from(ended: EndedConnection) -> Self {
        let advice = advice::of_end(ended.reason.as_deref());
        Self { client_id: ended.client_id, client_name: ended.client_name, ended_at: ended.ended_at, advice }
    }
}
