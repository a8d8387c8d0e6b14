//! Actions on a connection: end it, end all, pause and resume its writes, require confirmation, block it on a page.
//! Renders their buttons and confirmation pages, and executes them.
//!
//! Irreversible actions ask for confirmation on a page of their own. Every action takes effect on the next call,
//! because each call reads the same database rows.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::layout::page;
use super::super::page_error::PageError;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::connections::merge_grants;
use super::session::{Session, token_field, visible_pages};
use crate::model::ids::{PageId, UserId};
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::ClientId;
use crate::oauth::parameters::Parameters;
use crate::storage::audit::{AuditId, AuditKind, Change};
use crate::storage::blocks::{self, Block};
use crate::storage::connections::LiveGrant;
use crate::storage::{connections, grants};
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};
use strum::{EnumString, IntoStaticStr};

/// Named in forms and addresses in kebab case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub(super) enum Action {
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
    const fn is_confirmed(self) -> bool {
        matches!(self, Self::Revoke | Self::RevokeAll | Self::Block)
    }

    /// Three dots announce a confirmation page.
    const fn button_label(self) -> &'static str {
        match self {
            Self::Revoke => "End connection…",
            Self::RevokeAll => "End all connections…",
            Self::Pause => "Pause writes",
            Self::Resume => "Resume writes",
            Self::ConfirmAlways => "Confirm every write",
            Self::ConfirmAsUsual => "Confirm writes as usual",
            Self::Block => "Block on this page…",
            Self::Unblock => "Unblock",
        }
    }

    pub const fn done(self) -> &'static str {
        match self {
            Self::Revoke => "The connection is ended. Its tokens stopped working at once.",
            Self::RevokeAll => "All your connections are ended. Their tokens stopped working at once.",
            Self::Pause => "Writes are paused. The app can still read.",
            Self::Resume => "The app may post again.",
            Self::ConfirmAlways => "Every write of the app must be confirmed from now on.",
            Self::ConfirmAsUsual => "The app's writes follow the usual confirmation rules again.",
            Self::Block => "The app is blocked on your page. For it, the page no longer exists.",
            Self::Unblock => {
                "The block is lifted. The app can access your page again, as far as its user's role allows."
            }
        }
    }
}

/// A connection that an action is about, alive or not.
#[derive(Clone, Debug)]
struct ActionTarget {
    user_id: UserId,
    user_name: String,
    client_id: ClientId,
    client_name: String,
    /// True for a loopback client, whose client id any program on the person's computer can claim.
    is_loopback: bool,
    /// The page of a block.
    page_id: Option<PageId>,
}

impl From<LiveGrant> for ActionTarget {
    fn from(connection: LiveGrant) -> Self {
        Self {
            user_id: connection.user_id,
            user_name: connection.user_name,
            client_id: connection.client_id,
            client_name: connection.client_name,
            is_loopback: connection.is_loopback,
            page_id: connection.page.map(|page| page.page_id),
        }
    }
}

impl From<Block> for ActionTarget {
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

/// An action with its targets, which this person is allowed to act on.
struct ActionPlan {
    action: Action,
    targets: Vec<ActionTarget>,
    /// The name of the page of a block.
    page_name: Option<String>,
}

impl ActionPlan {
    async fn read(ctx: &RequestContext<'_>, session: &Session, parameters: &Parameters) -> Result<Self, PageError> {
        let one = |name| parameters.one(name).ok().flatten();
        let action: Action = one("action").and_then(|name| name.parse().ok()).ok_or(PageError::NotFound)?;
        let client_id = one("client").and_then(ClientId::parse);
        match action {
            Action::Block | Action::Unblock => {
                let page = administered_page(ctx, session, one("page")).await?;
                let user_id = one("user").map(|id| UserId(id.to_owned())).ok_or(PageError::NotFound)?;
                let is_meant =
                    |found: &ActionTarget| Some(&found.client_id) == client_id.as_ref() && found.user_id == user_id;
                let found = targets_on_page(ctx, session, action, page.id).await?;
                let target = found.into_iter().find(is_meant).ok_or(PageError::NotFound)?;
                Ok(Self { action, targets: vec![target], page_name: Some(page.name) })
            }
            Action::Revoke
            | Action::RevokeAll
            | Action::Pause
            | Action::Resume
            | Action::ConfirmAlways
            | Action::ConfirmAsUsual => {
                let own = merge_grants(connections::list(ctx.db, &session.viewer.person.user_id, ctx.now).await?);
                let is_meant =
                    |found: &ActionTarget| action == Action::RevokeAll || Some(&found.client_id) == client_id.as_ref();
                let targets: Vec<ActionTarget> = own.into_iter().map(ActionTarget::from).filter(is_meant).collect();
                if targets.is_empty() {
                    return Err(PageError::NotFound);
                }
                Ok(Self { action, targets, page_name: None })
            }
        }
    }

    /// Title, effect and button of the confirmation page.
    fn question(&self) -> (String, String, &'static str) {
        let ActionTarget { client_name: client, user_name: person, is_loopback, .. } = &self.targets[0];
        let page_name = self.page_name.as_deref().unwrap_or("this page");
        match self.action {
            Action::Revoke => (
                format!("End the connection to {client}?"),
                "Its access ends at once, on every page and every computer. To use it again, connect it again.".into(),
                "End the connection",
            ),
            Action::RevokeAll => (
                "End all your connections?".into(),
                "Access ends at once for all of these apps. To use one again, connect it again.".into(),
                "End all connections",
            ),
            Action::Block => (
                format!("Block {client} of {person} on {page_name}?"),
                format!(
                    "It can then neither read nor post on {page_name}, at once and also after connecting again, until an admin of the page lifts the block. {} {person} keeps their own role on the page.",
                    coverage(client, person, *is_loopback)
                ),
                "Block",
            ),
            Action::Unblock => (
                format!("Unblock {client} of {person} on {page_name}?"),
                "It can then do there what its user's role and consent allow.".into(),
                "Unblock",
            ),
            Action::Pause => (
                format!("Pause what {client} posts?"),
                "It can still read. Attempts to post are refused until you resume writes.".into(),
                "Pause writes",
            ),
            Action::ConfirmAlways => (
                format!("Confirm everything that {client} posts?"),
                "Each write must then be confirmed: by you where the app can ask you, otherwise by the app after a preview.".into(),
                "Confirm every write",
            ),
            Action::ConfirmAsUsual => (
                format!("Confirm what {client} posts as usual?"),
                "Its writes then follow the usual confirmation rules.".into(),
                "Confirm as usual",
            ),
            Action::Resume => (
                format!("Let {client} post again?"),
                "It can then post where your role and your consent allow.".into(),
                "Resume writes",
            ),
        }
    }

    fn page(&self, form_token: &str) -> Response {
        let (title, effect, button) = self.question();
        let target = &self.targets[0];
        let is_about_all = self.action == Action::RevokeAll;
        let block = target.page_id.map(|page| (page, &target.user_id));
        let body = html! {
            h1 { (title) }
            p { (effect) }
            @if is_about_all {
                ul { @for target in &self.targets { li { (target.client_name) } } }
            }
            form method="post" action=(Route::AdminAction.path()) {
                (token_field(form_token))
                (action_field(self.action))
                @if !is_about_all { (target_fields(&target.client_id, block)) }
                div.actions {
                    button.danger type="submit" { (button) }
                    a.button href=(Route::AdminPage.path()) { "Cancel" }
                }
            }
        };
        let mut response = page(StatusCode::OK, &title, &body);
        reply::name_origin_to_ourselves(&mut response);
        response
    }
}

/// Finds the page, if StatiBeat says at this moment that the person administers it.
async fn administered_page(
    ctx: &RequestContext<'_>,
    session: &Session,
    page_id: Option<&str>,
) -> Result<AccessiblePage, PageError> {
    let page_id = page_id.and_then(PageId::parse).ok_or(PageError::NotFound)?;
    let pages = visible_pages(&session.viewer.api(ctx)).await?;
    pages.into_iter().find(|page| page.id == page_id && page.is_administered()).ok_or(PageError::NotFound)
}

/// Lists what the action can be about on a page. Blocking: other people's connections that have accessed it. Unblocking: its
/// blocks, whose connections may have ended.
async fn targets_on_page(
    ctx: &RequestContext<'_>,
    session: &Session,
    action: Action,
    page_id: PageId,
) -> Result<Vec<ActionTarget>, PageError> {
    if action == Action::Unblock {
        let found = blocks::list_by_pages(ctx.db, &[page_id]).await?;
        return Ok(found.into_iter().map(ActionTarget::from).collect());
    }
    let person = &session.viewer.person.user_id;
    let grants = connections::list_by_pages(ctx.db, &[page_id], person, ctx.now).await?;
    Ok(merge_grants(grants).into_iter().map(ActionTarget::from).collect())
}

/// Shows the page that asks to confirm an action.
pub(in crate::web) async fn confirm(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let session = Session::require(ctx).await?;
    let parameters = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let plan = ActionPlan::read(ctx, &session, &parameters).await?;
    Ok(plan.page(&session.form_token(ctx)))
}

pub(in crate::web) async fn perform(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    let (session, form) = Session::of_form(ctx, body).await?;
    let plan = ActionPlan::read(ctx, &session, &form).await?;
    for target in &plan.targets {
        apply(ctx, &session, plan.action, target).await?;
    }
    let mut location = Route::AdminPage.url(&ctx.app.config.public_url);
    location.query_pairs_mut().append_pair("done", plan.action.into());
    Ok(reply::redirect(StatusCode::SEE_OTHER, location.as_str()))
}

async fn apply(
    ctx: &RequestContext<'_>,
    session: &Session,
    action: Action,
    target: &ActionTarget,
) -> Result<(), PageError> {
    let db = ctx.db;
    let change = |kind| Change {
        id: AuditId::new(ctx.random_bytes()),
        created_at: ctx.now,
        kind,
        actor: &session.viewer.person.user_id,
        owner: &target.user_id,
        client_id: &target.client_id,
        client_name: &target.client_name,
        page_id: target.page_id,
        request_id: ctx.request_id,
    };
    let page = || target.page_id.ok_or(PageError::NotFound);
    match action {
        Action::Revoke | Action::RevokeAll => {
            grants::revoke_connection(db, &target.user_id, &target.client_id, ctx.request_id, ctx.now).await?;
        }
        Action::Pause => connections::pause_writes(db, &change(AuditKind::Pause)).await?,
        Action::Resume => connections::resume_writes(db, &change(AuditKind::Resume)).await?,
        Action::ConfirmAlways => {
            connections::set_confirm(db, &change(AuditKind::Confirm), ConfirmMode::Always.as_str()).await?;
        }
        // A person cannot go below what the environment demands, so `never` means the environment's own rule.
        Action::ConfirmAsUsual => {
            connections::set_confirm(db, &change(AuditKind::Confirm), ConfirmMode::Never.as_str()).await?;
        }
        Action::Block => blocks::block(db, &change(AuditKind::PageBlock), page()?).await?,
        Action::Unblock => blocks::unblock(db, &change(AuditKind::PageUnblock), page()?).await?,
    }
    Ok(())
}

fn action_field(action: Action) -> Markup {
    html! { input type="hidden" name="action" value=(<&str>::from(action)); }
}

/// Hidden fields that name a connection; for a block also the page and the connection's person.
pub(super) fn target_fields(client_id: &ClientId, block: Option<(PageId, &UserId)>) -> Markup {
    html! {
        input type="hidden" name="client" value=(client_id);
        @if let Some((page, user)) = block {
            input type="hidden" name="page" value=(page);
            input type="hidden" name="user" value=(user);
        }
    }
}

/// A button that acts at once or leads to the confirmation page. `about` is read by screen readers only.
pub(super) fn button(form_token: &str, action: Action, target: &Markup, about: &str) -> Markup {
    let is_confirmed = action.is_confirmed();
    let method = if is_confirmed { "get" } else { "post" };
    html! {
        form method=(method) action=(Route::AdminAction.path()) {
            @if !is_confirmed { (token_field(form_token)) }
            (action_field(action))
            (target)
            button.small.ends[is_confirmed] type="submit" { (action.button_label()) span.unseen { " " (about) } }
        }
    }
}

/// Says which connections a block covers.
pub(super) fn coverage(client: &str, person: &str, is_loopback: bool) -> String {
    if is_loopback {
        format!(
            "{client} runs on {person}'s computer, where any app can give itself any name. The block therefore covers every app on {person}'s computer, under any client ID. Their web apps are not affected."
        )
    } else {
        format!("The block covers {client} of {person} only. No other app can pass for it.")
    }
}
