//! What a person can do to a connection: end it, end all, pause and resume its writes, block it from a page.
//!
//! What cannot be undone by one click is confirmed on a page of its own first. Everything takes effect with the very next
//! call, because each call looks at what is decided here.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::reply;
use super::super::reply::Response;
use super::super::routes::Route;
use super::super::views;
use super::connections::{Connection, gather};
use super::{Fault, Visitor, visible_pages};
use crate::catalog::policy::Confirm;
use crate::model::ids::{PageId, UserId};
use crate::oauth::client::ClientId;
use crate::oauth::parameters::Parameters;
use crate::storage::audit::{AuditId, Change, Kind};
use crate::storage::blocks::{self, Block};
use crate::storage::{connections, grants};
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Action {
    /// End one connection of one's own.
    Revoke,
    /// End every connection of one's own.
    RevokeAll,
    /// Pause the writes of one's own connection.
    Pause,
    Resume,
    /// Be asked about each of them.
    ConfirmAlways,
    /// Be asked about them as the environment says.
    ConfirmAsUsual,
    /// Block somebody's client from a page that one administers.
    Block,
    Unblock,
}

impl Action {
    const ALL: [Self; 8] = [
        Self::Revoke,
        Self::RevokeAll,
        Self::Pause,
        Self::Resume,
        Self::ConfirmAlways,
        Self::ConfirmAsUsual,
        Self::Block,
        Self::Unblock,
    ];

    /// As forms and addresses carry it.
    pub(in crate::web) const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::RevokeAll => "revoke-all",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::ConfirmAlways => "confirm-always",
            Self::ConfirmAsUsual => "confirm-as-usual",
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }

    pub(in crate::web) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// A connection that an action is about, alive or not.
#[derive(Clone, Debug)]
pub(in crate::web) struct Target {
    pub user_id: UserId,
    pub user_name: String,
    pub client_id: ClientId,
    pub client_name: String,
    /// Whether any program on the person's computer can claim the client id.
    pub is_loopback: bool,
    /// The page of a block.
    pub page_id: Option<PageId>,
}

impl From<Connection> for Target {
    fn from(connection: Connection) -> Self {
        Self {
            user_id: connection.user_id,
            user_name: connection.user_name,
            client_id: connection.client_id,
            client_name: connection.client_name,
            is_loopback: connection.is_loopback,
            page_id: connection.page.map(|(page, _)| page),
        }
    }
}

impl From<Block> for Target {
    fn from(block: Block) -> Self {
        Self {
            user_id: block.user_id,
            user_name: block.user_name,
            client_id: block.client_id,
            client_name: block.client_name,
            is_loopback: block.is_loopback,
            page_id: Some(block.page_id),
        }
    }
}

/// An action and everything it is about, checked to be this person's business.
pub(in crate::web) struct Plan {
    pub action: Action,
    pub targets: Vec<Target>,
    /// The name of the page of a block.
    pub page_name: Option<String>,
}

impl Plan {
    async fn read(ctx: &RequestContext<'_>, visitor: &Visitor, parameters: &Parameters) -> Result<Self, Fault> {
        let one = |name| parameters.one(name).ok().flatten();
        let action = one("action").and_then(Action::parse).ok_or(Fault::NotThere)?;
        let client_id = one("client").and_then(ClientId::parse);
        match action {
            Action::Block | Action::Unblock => {
                let page = administered_page(ctx, visitor, one("page")).await?;
                let user_id = one("user").map(|id| UserId(id.to_owned())).ok_or(Fault::NotThere)?;
                let is_meant =
                    |found: &Target| Some(&found.client_id) == client_id.as_ref() && found.user_id == user_id;
                let found = targets_on_page(ctx, visitor, action, page.id).await?;
                let target = found.into_iter().find(is_meant).ok_or(Fault::NotThere)?;
                Ok(Self { action, targets: vec![target], page_name: Some(page.name) })
            }
            Action::Revoke
            | Action::RevokeAll
            | Action::Pause
            | Action::Resume
            | Action::ConfirmAlways
            | Action::ConfirmAsUsual => {
                let own = gather(connections::list(ctx.db, &visitor.viewer.person.user_id, ctx.now).await?);
                let is_meant =
                    |found: &Target| action == Action::RevokeAll || Some(&found.client_id) == client_id.as_ref();
                let targets: Vec<Target> = own.into_iter().map(Target::from).filter(is_meant).collect();
                if targets.is_empty() {
                    return Err(Fault::NotThere);
                }
                Ok(Self { action, targets, page_name: None })
            }
        }
    }
}

/// The page of that id, if StatiBeat says at this moment that the visitor administers it.
async fn administered_page(
    ctx: &RequestContext<'_>,
    visitor: &Visitor,
    page_id: Option<&str>,
) -> Result<AccessiblePage, Fault> {
    let page_id = page_id.and_then(PageId::parse).ok_or(Fault::NotThere)?;
    let pages = visible_pages(&visitor.viewer.api(ctx)).await?;
    pages.into_iter().find(|page| page.id == page_id && page.is_administered()).ok_or(Fault::NotThere)
}

/// What can be blocked on a page: other people's connections that reach it. What can be unblocked: the blocks, whose
/// connections may be gone.
async fn targets_on_page(
    ctx: &RequestContext<'_>,
    visitor: &Visitor,
    action: Action,
    page_id: PageId,
) -> Result<Vec<Target>, Fault> {
    if action == Action::Unblock {
        let found = blocks::list_by_pages(ctx.db, &[page_id]).await?;
        return Ok(found.into_iter().map(Target::from).collect());
    }
    let person = &visitor.viewer.person.user_id;
    let grants = connections::list_by_pages(ctx.db, &[page_id], person, ctx.now).await?;
    Ok(gather(grants).into_iter().map(Target::from).collect())
}

/// Asks whether it is really meant.
pub(in crate::web) async fn confirm(ctx: &RequestContext<'_>) -> Response {
    match ask(ctx).await {
        Ok(response) => response,
        Err(fault) => super::refuse(ctx, &fault).await,
    }
}

async fn ask(ctx: &RequestContext<'_>) -> Result<Response, Fault> {
    let visitor = Visitor::of(ctx).await?;
    let parameters = browser::query(ctx.head).ok_or(Fault::NotThere)?;
    let plan = Plan::read(ctx, &visitor, &parameters).await?;
    Ok(views::admin::confirm(&plan, &visitor.form_token(ctx)))
}

pub(in crate::web) async fn perform(ctx: &RequestContext<'_>, body: &[u8]) -> Response {
    match carry_out(ctx, body).await {
        Ok(response) => response,
        Err(fault) => super::refuse(ctx, &fault).await,
    }
}

async fn carry_out(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, Fault> {
    let (visitor, form) = Visitor::of_form(ctx, body).await?;
    let plan = Plan::read(ctx, &visitor, &form).await?;
    for target in &plan.targets {
        apply(ctx, &visitor, plan.action, target).await?;
    }
    let mut location = Route::AdminPage.url(&ctx.app.config.public_url);
    location.query_pairs_mut().append_pair("done", plan.action.as_str());
    Ok(reply::redirect(StatusCode::SEE_OTHER, location.as_str()))
}

async fn apply(ctx: &RequestContext<'_>, visitor: &Visitor, action: Action, target: &Target) -> Result<(), Fault> {
    let kind = match action {
        Action::Revoke | Action::RevokeAll => {
            grants::revoke_connection(ctx.db, &target.user_id, &target.client_id, ctx.request_id, ctx.now).await?;
            return Ok(());
        }
        Action::Pause => Kind::Pause,
        Action::Resume => Kind::Resume,
        Action::ConfirmAlways | Action::ConfirmAsUsual => Kind::Confirm,
        Action::Block => Kind::PageBlock,
        Action::Unblock => Kind::PageUnblock,
    };
    let page_id = target.page_id;
    let change = Change {
        id: AuditId::new(ctx.random_bytes()),
        at: ctx.now,
        kind,
        actor: &visitor.viewer.person.user_id,
        owner: &target.user_id,
        client_id: &target.client_id,
        client_name: &target.client_name,
        page_id,
        request_id: ctx.request_id,
    };
    match (action, page_id) {
        (Action::Pause, _) => connections::pause_writes(ctx.db, &change).await?,
        (Action::Resume, _) => connections::resume_writes(ctx.db, &change).await?,
        (Action::ConfirmAlways, _) => connections::set_confirm(ctx.db, &change, Confirm::Always.as_str()).await?,
        // The loosest word of a person leaves it to the environment.
        (Action::ConfirmAsUsual, _) => connections::set_confirm(ctx.db, &change, Confirm::Never.as_str()).await?,
        (Action::Block, Some(page)) => blocks::block(ctx.db, &change, page).await?,
        (Action::Unblock, Some(page)) => blocks::unblock(ctx.db, &change, page).await?,
        (Action::Revoke | Action::RevokeAll | Action::Block | Action::Unblock, _) => return Err(Fault::NotThere),
    }
    Ok(())
}
