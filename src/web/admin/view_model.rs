//! View model of the Hosted MCP page for one person: the API serializes these values, the page renders them. Fields that only the
//! page needs are skipped by serde.

use super::super::browser::Cookie;
use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::super::time::ZonedClock;
use super::advice::{self, Guidance};
use super::connection_filter::{ConnectionFilter, cut, write_position};
use super::connections::merge_grants;
use super::diagnosis::Diagnosis;
use super::effective_access::{EffectiveAccess, Posting, effective_access, summary};
use super::session::{Session, Viewer, visible_pages};
use super::wire::{approvals, chosen_pages, date, is_verified, optional_text, scope_names, text};
use crate::model::ids::{PageId, UserId};
use crate::model::links::Links;
use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::{ClientId, ClientTrust};
use crate::oauth::grant::PageChoice;
use crate::storage::activity::{self, ActivityRow};
use crate::storage::blocks::{self, Block};
use crate::storage::connections::{
    self, ApprovedAccess, ConnectionKey, ConnectionQuery, EndedConnection, ListPosition, LiveGrant,
};
use crate::storage::overview::{self, OverviewQuery};
use crate::storage::usage::{self, CallOutcome, DayCount};
use crate::upstream::identity::AccessiblePage;
use serde::Serialize;
use std::time::Duration;

/// Days of the usage chart, today included.
pub(super) const DAYS: i64 = 14;
/// Ended connections are listed for this long.
const ENDED_SHOWN: Duration = Duration::from_hours(30 * 24);

/// One page of the list of connections.
#[derive(Serialize)]
pub(super) struct Connected {
    pub pages: Vec<VisiblePage>,
    /// The viewer's own connections, and other people's on pages that the viewer administers.
    pub connections: Vec<ConnectionSummary>,
    /// Connections that match the filter, those of other pages of the list included.
    pub total: usize,
    /// Position of the rest of the list; `None` on its last page.
    pub next: Option<String>,
    /// Blocks on pages that the viewer administers.
    pub blocks: usize,
    /// The viewer's own connections that ended recently, the latest first.
    pub ended: Vec<PastConnection>,
    /// All that ended recently, listed or not.
    pub ended_total: usize,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct VisiblePage {
    pub id: PageId,
    pub name: String,
    pub is_administered: bool,
}

/// All live grants of one person to one client.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the admin API or a label of its own")]
pub(super) struct ConnectionSummary {
    pub user_id: UserId,
    pub user_name: String,
    pub is_own: bool,
    #[serde(serialize_with = "text")]
    pub client_id: ClientId,
    /// As the newest consent page showed it.
    pub client_name: String,
    #[serde(rename = "is_verified", serialize_with = "is_verified")]
    pub trust: ClientTrust,
    pub redirect_host: String,
    #[serde(serialize_with = "scope_names")]
    pub scopes: ScopeSet,
    /// Of another person's connection, the pages that it has accessed and the viewer administers.
    #[serde(serialize_with = "chosen_pages")]
    pub pages: PageChoice,
    #[serde(serialize_with = "text")]
    pub connected_at: Timestamp,
    #[serde(serialize_with = "optional_text")]
    pub last_used_at: Option<Timestamp>,
    #[serde(serialize_with = "optional_text")]
    pub expires_at: Option<Timestamp>,
    #[serde(serialize_with = "optional_text")]
    pub unused_until: Option<Timestamp>,
    pub reads_by_tools: bool,
    pub are_writes_paused: bool,
    /// Its live approvals, the oldest first; none of another person's.
    #[serde(serialize_with = "approvals")]
    pub approvals: Vec<ApprovedAccess>,
    /// Its effective access; a page is in at most one entry.
    pub access: Vec<EffectiveAccess>,
    /// The same in one short sentence.
    pub access_summary: String,
    /// Its owner confirms every write.
    #[serde(skip)]
    pub confirms_always: bool,
    pub diagnosis: Diagnosis,
    #[serde(skip)]
    pub is_loopback: bool,
}

/// One connection with its usage.
#[derive(Serialize)]
pub(super) struct ConnectionDetails {
    #[serde(flatten)]
    pub connection: ConnectionSummary,
    /// One entry for each of the last [`DAYS`].
    pub calls: Vec<DayCalls>,
}

/// One page of the list of blocks.
#[derive(Serialize)]
pub(super) struct Blocked {
    pub blocks: Vec<PageBlock>,
    pub total: usize,
    pub next: Option<String>,
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
    pub blocked_by: String,
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

/// The signed-in person of a page, with what every page of theirs needs.
pub(super) struct AdminView {
    pub session: Session,
    /// Pages that they can see now, with their roles.
    pub accessible: Vec<AccessiblePage>,
    pub pages: Vec<VisiblePage>,
    pub clock: ZonedClock,
    pub links: Links,
    pub form_token: String,
}

impl AdminView {
    pub async fn open(ctx: &RequestContext<'_>, zone: Option<&str>) -> Result<Self, PageError> {
        Self::of_session(ctx, Session::require(ctx).await?, zone).await
    }

    pub async fn of_session(ctx: &RequestContext<'_>, session: Session, zone: Option<&str>) -> Result<Self, PageError> {
        let accessible = visible_pages(&session.viewer.api(ctx)).await?;
        let kept = Cookie::of_time_zone(&ctx.app.config.public_url).read_text(ctx.head);
        let of_page = accessible.first().and_then(AccessiblePage::time_zone);
        let clock = ZonedClock::new(ctx.now, [zone, kept].into_iter().flatten(), of_page);
        let pages = accessible.iter().map(VisiblePage::from).collect();
        let form_token = session.form_token(ctx);
        let links = ctx.app.config.links.clone();
        Ok(Self { session, accessible, pages, clock, links, form_token })
    }

    /// A page's name, or its number if the person can no longer see it.
    pub fn page_name(&self, id: PageId) -> String {
        let page = self.pages.iter().find(|page| page.id == id);
        page.map_or_else(|| format!("Page {id}"), |page| page.name.clone())
    }

    pub fn page_names<'a>(&self, ids: impl IntoIterator<Item = &'a PageId>) -> String {
        ids.into_iter().map(|id| self.page_name(*id)).collect::<Vec<_>>().join(", ")
    }

    pub fn administers(&self, id: PageId) -> bool {
        self.pages.iter().any(|page| page.id == id && page.is_administered)
    }

    pub fn administers_pages(&self) -> bool {
        self.pages.iter().any(|page| page.is_administered)
    }
}

/// The pages that the person administers.
pub(super) fn administered(pages: &[AccessiblePage]) -> Vec<PageId> {
    pages.iter().filter(|page| page.is_administered()).map(|page| page.id).collect()
}

/// Loads one page of the list of connections and the requested rows of the activity in one batch. `pages` are the ones that the
/// person can see now.
pub(super) async fn load(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
    filter: &ConnectionFilter,
    activity: Option<activity::Query<'_>>,
) -> Result<(Connected, Vec<ActivityRow>), PageError> {
    let administered = administered(pages);
    let narrowed = filter.narrow(&administered);
    let user_id = &viewer.person.user_id;
    let query = ConnectionQuery {
        owners: filter.owners,
        page: filter.page,
        search: filter.search.as_deref(),
        sort: filter.sort,
        after: filter.after.as_ref(),
        limit: Some(connections::PAGE_LENGTH + 1),
        ..ConnectionQuery::all(user_id, &narrowed, ctx.now)
    };
    let overview = OverviewQuery {
        connections: &query,
        administered: &administered,
        ended_since: ctx.now - ENDED_SHOWN,
        activity: activity.as_ref(),
    };
    let found = overview::find(ctx.db, &overview).await?;
    let mut merged = merge_grants(found.connections.grants);
    let next = cut(&mut merged, connections::PAGE_LENGTH).map(|last| write_position(&last.position));
    let connected = Connected {
        next,
        connections: merged.into_iter().map(|grant| ConnectionSummary::new(ctx, viewer, pages, grant)).collect(),
        total: found.connections.total,
        pages: pages.iter().map(VisiblePage::from).collect(),
        blocks: found.block_count,
        ended_total: found.ended.first().map_or(0, |ended| ended.total),
        ended: found.ended.into_iter().map(PastConnection::from).collect(),
    };
    Ok((connected, found.activity))
}

/// Loads one connection that the viewer may see.
pub(super) async fn load_connection(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
    key: &ConnectionKey,
) -> Result<ConnectionDetails, PageError> {
    let administered = administered(pages);
    let query = ConnectionQuery::all(&viewer.person.user_id, &administered, ctx.now);
    let first_day = usage::day_of(ctx.now) - DAYS + 1;
    let (found, counts) = overview::find_connection(ctx.db, &query, key, first_day).await?;
    let grant = merge_grants(found.grants).pop().ok_or(PageError::NotFound)?;
    Ok(ConnectionDetails {
        connection: ConnectionSummary::new(ctx, viewer, pages, grant),
        calls: calls_by_day(&counts, first_day),
    })
}

/// Loads one page of the blocks on pages that the viewer administers.
pub(super) async fn load_blocks(
    ctx: &RequestContext<'_>,
    pages: &[AccessiblePage],
    after: Option<&ListPosition>,
) -> Result<Blocked, PageError> {
    let administered = administered(pages);
    let limit = connections::PAGE_LENGTH + 1;
    let (mut blocks, total) = blocks::list(ctx.db, &administered, after, limit).await?;
    let next = cut(&mut blocks, connections::PAGE_LENGTH).map(|last| write_position(&last.position));
    Ok(Blocked { blocks: blocks.into_iter().map(PageBlock::from).collect(), total, next })
}

fn calls_by_day(counts: &[DayCount], first_day: i64) -> Vec<DayCalls> {
    let of_day = |day: i64| {
        let of = |outcome: CallOutcome| {
            let counts = counts.iter().filter(|count| count.day == day && count.outcome == outcome);
            counts.map(|count| count.calls).sum()
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

impl ConnectionSummary {
    /// `pages` are the ones that the viewer can see now.
    fn new(ctx: &RequestContext<'_>, viewer: &Viewer, pages: &[AccessiblePage], grant: LiveGrant) -> Self {
        let is_own = grant.user_id == viewer.person.user_id;
        let mut diagnosis = Diagnosis::new(&grant, is_own.then_some(pages));
        // The grant's own is written only every few minutes; the last call may be that of an earlier grant.
        let last_used_at = grant.last_used_at.max(grant.health.called_at.filter(|at| *at >= grant.created_at));
        if !is_own {
            diagnosis.blocked_pages.retain(|page| grant.accessed.contains(page));
        }
        let access = effective_access(&grant, pages, is_own);
        Self {
            is_own,
            diagnosis,
            access_summary: summary(&access, is_own),
            access,
            approvals: if is_own { grant.approvals } else { Vec::new() },
            pages: if is_own { grant.pages } else { PageChoice::These(grant.accessed) },
            expires_at: grant.expires_at,
            unused_until: grant.expires_at.is_none().then_some(grant.unused_until),
            user_id: grant.user_id,
            user_name: grant.user_name,
            client_id: grant.client_id,
            client_name: grant.client_name,
            trust: grant.trust,
            redirect_host: grant.redirect_host,
            is_loopback: grant.is_loopback,
            scopes: grant.scopes,
            connected_at: grant.created_at,
            last_used_at,
            // An environment that switched resource tools off has none, whatever was granted before.
            reads_by_tools: grant.has_resource_tools && ctx.app.config.has_resource_tools,
            are_writes_paused: grant.are_writes_paused,
            confirms_always: grant.confirm.as_deref().map(ConfirmMode::from_stored) == Some(ConfirmMode::Always),
        }
    }

    /// The app, and whose it is.
    pub fn name(&self) -> String {
        if self.is_own { self.client_name.clone() } else { format!("{} of {}", self.client_name, self.user_name) }
    }

    pub fn key(&self) -> ConnectionKey {
        ConnectionKey { user_id: self.user_id.clone(), client_id: self.client_id.clone() }
    }

    /// True if every page that it could access and the viewer may know of is blocked.
    pub fn is_blocked_everywhere(&self) -> bool {
        !self.access.is_empty() && self.access.iter().all(|group| group.posting == Posting::Blocked)
    }

    /// True with a write scope, even while writes are paused.
    pub fn may_write(&self) -> bool {
        self.scopes.iter().any(Scope::is_write)
    }
}

impl From<Block> for PageBlock {
    fn from(block: Block) -> Self {
        Self {
            user_id: block.user_id,
            user_name: block.user_name,
            client_id: block.client_id,
            client_name: block.client_name,
            page_id: block.page_id,
            covers: if block.is_loopback { BlockCoverage::LocalClients } else { BlockCoverage::Client },
            blocked_at: block.blocked_at,
            blocked_by: block.blocked_by_name,
        }
    }
}

impl From<EndedConnection> for PastConnection {
    fn from(ended: EndedConnection) -> Self {
        let advice = advice::of_end(ended.reason.as_deref());
        Self { client_id: ended.client_id, client_name: ended.client_name, ended_at: ended.ended_at, advice }
    }
}
