//! An action with its targets: what a form or address asks for, limited to what this person is allowed to act on.

use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::action::{Action, write_key};
use super::connections::merge_grants;
use super::session::{Session, visible_pages};
use crate::model::ids::{PageId, UserId};
use crate::oauth::client::ClientId;
use crate::oauth::parameters::Parameters;
use crate::storage::audit::ChangeTarget;
use crate::storage::blocks::{self, Block};
use crate::storage::connections::{self, ConnectionKey, ConnectionQuery, LiveGrant, Owners};
use crate::upstream::identity::AccessiblePage;
use std::collections::BTreeSet;

/// Field of a form whose connections were ticked in a list: those that the action does not fit are left out.
pub(super) const SELECTED: &str = "selected";
/// Field that asks for a block of every app on one page.
pub(super) const EVERYBODY: &str = "everybody";

/// A connection that an action is about, alive or not.
#[derive(Clone, Debug)]
pub(super) struct ActionTarget {
    pub key: ConnectionKey,
    pub user_name: String,
    pub client_name: String,
    /// True for a loopback client, whose client id any program on the person's computer can claim.
    pub is_loopback: bool,
    /// The pages of a block; none for an action on the connection itself.
    pages: BTreeSet<PageId>,
}

impl ActionTarget {
    fn new(connection: LiveGrant, pages: BTreeSet<PageId>) -> Self {
        Self {
            key: connection.key(),
            user_name: connection.user_name,
            client_name: connection.client_name,
            is_loopback: connection.is_loopback,
            pages,
        }
    }

    /// One change for the connection, or one for each page.
    pub fn changes(&self) -> Vec<ChangeTarget> {
        let change = |page_id| ChangeTarget {
            user_id: self.key.user_id.clone(),
            user_name: self.user_name.clone(),
            client_id: self.key.client_id.to_string(),
            client_name: self.client_name.clone(),
            page_id,
        };
        if self.pages.is_empty() {
            vec![change(None)]
        } else {
            self.pages.iter().map(|page| change(Some(*page))).collect()
        }
    }

    pub fn name(&self) -> String {
        format!("{} of {}", self.client_name, self.user_name)
    }
}

/// An action and its targets, of which there is at least one.
pub(super) struct ActionPlan {
    pub action: Action,
    pub targets: Vec<ActionTarget>,
    /// The request's own words for the targets: fields of the confirmation's form.
    selection: Vec<(&'static str, String)>,
    /// The pages of the targets that the person administers.
    pub pages: Vec<AccessiblePage>,
}

impl ActionPlan {
    pub async fn read(ctx: &RequestContext<'_>, session: &Session, parameters: &Parameters) -> Result<Self, PageError> {
        let action: Action =
            parameters.single("action").and_then(|name| name.parse().ok()).ok_or(PageError::NotFound)?;
        let viewer = &session.viewer.person.user_id;
        let keys: Vec<ConnectionKey> =
            parameters.all("connection").map(parse_key).collect::<Option<_>>().ok_or(PageError::NotFound)?;
        let mut plan = match action {
            Action::Block | Action::Unblock => {
                let pages = administered_pages(ctx, session, parameters).await?;
                let targets = match action {
                    Action::Block => {
                        let scope = BlockScope::read(parameters, &keys).ok_or(PageError::NotFound)?;
                        to_block(ctx, viewer, &pages, scope).await?
                    }
                    _ => to_unblock(ctx, viewer, &pages, &keys).await?,
                };
                Self { action, targets, selection: Vec::new(), pages }
            }
            _ => {
                if keys.is_empty() != (action == Action::RevokeAll) {
                    return Err(PageError::NotFound);
                }
                let only = Some(&keys[..]).filter(|keys| !keys.is_empty());
                let query =
                    ConnectionQuery { owners: Owners::Viewer, only, ..ConnectionQuery::all(viewer, &[], ctx.now) };
                let own = merge_grants(connections::list(ctx.db, &query).await?.grants);
                let targets = own.into_iter().map(|grant| ActionTarget::new(grant, BTreeSet::new())).collect();
                Self { action, targets, selection: Vec::new(), pages: Vec::new() }
            }
        };
        if plan.targets.is_empty() {
            return Err(PageError::NotFound);
        }
        plan.pages.retain(|page| plan.targets.iter().any(|target| target.pages.contains(&page.id)));
        plan.selection.extend(keys.iter().map(|key| ("connection", write_key(key))));
        for name in ["person", SELECTED, EVERYBODY] {
            plan.selection.extend(parameters.single(name).map(|value| (name, value.to_owned())));
        }
        Ok(plan)
    }

    /// The fields that name the action and its targets, in a form that posts it.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![("action", <&str>::from(self.action).to_owned())];
        fields.extend(self.selection.iter().cloned());
        match &self.pages[..] {
            [] => {}
            [only] => fields.push(("page", only.id.to_string())),
            _ => fields.push(("chooses_pages", "1".to_owned())),
        }
        fields
    }

    /// True if its form must say that the person confirmed it: what takes access away, and what concerns several.
    pub fn needs_confirmation(&self) -> bool {
        self.action.takes_access() || self.targets.len() > 1
    }
}

fn parse_key(text: &str) -> Option<ConnectionKey> {
    let (user_id, client_id) = text.split_once(' ')?;
    Some(ConnectionKey { user_id: UserId::parse(user_id)?, client_id: ClientId::parse(client_id)? })
}

/// The named pages, or all of the person's, if StatiBeat says at this moment that the person administers them.
async fn administered_pages(
    ctx: &RequestContext<'_>,
    session: &Session,
    parameters: &Parameters,
) -> Result<Vec<AccessiblePage>, PageError> {
    let named: BTreeSet<PageId> =
        parameters.all("page").map(PageId::parse).collect::<Option<_>>().ok_or(PageError::NotFound)?;
    let mut pages = visible_pages(&session.viewer.api(ctx)).await?;
    pages.retain(|page| page.is_administered() && (named.is_empty() || named.contains(&page.id)));
    if pages.is_empty() || pages.len() < named.len() {
        return Err(PageError::NotFound);
    }
    Ok(pages)
}

/// The apps that a block is about.
enum BlockScope<'a> {
    /// Connections that a person named one by one; each must be there.
    Named(&'a [ConnectionKey]),
    /// Rows that a person ticked; own ones are left out.
    Selected(&'a [ConnectionKey]),
    /// Every app of one person.
    Person(&'a str),
    /// Every other person's app on one page.
    Everybody,
}

impl<'a> BlockScope<'a> {
    /// `None` for a form that lost its fields: it must not block everybody.
    fn read(parameters: &'a Parameters, keys: &'a [ConnectionKey]) -> Option<Self> {
        match (keys, parameters.single("person")) {
            ([], Some(person)) => Some(Self::Person(person)),
            ([], None) => (parameters.single(EVERYBODY).is_some() && parameters.single("page").is_some())
                .then_some(Self::Everybody),
            (keys, _) if parameters.names(SELECTED) => Some(Self::Selected(keys)),
            (keys, _) => Some(Self::Named(keys)),
        }
    }
}

/// Other people's connections of the scope that have accessed the pages.
async fn to_block(
    ctx: &RequestContext<'_>,
    viewer: &UserId,
    pages: &[AccessiblePage],
    scope: BlockScope<'_>,
) -> Result<Vec<ActionTarget>, PageError> {
    let administered: Vec<PageId> = pages.iter().map(|page| page.id).collect();
    let (only, person) = match scope {
        BlockScope::Named(keys) | BlockScope::Selected(keys) => (Some(keys), None),
        BlockScope::Person(person) => (None, Some(person)),
        BlockScope::Everybody => (None, None),
    };
    let query =
        ConnectionQuery { owners: Owners::Others, only, ..ConnectionQuery::all(viewer, &administered, ctx.now) };
    let found = merge_grants(connections::list(ctx.db, &query).await?.grants);
    let of_person = found.into_iter().filter(|grant| person.is_none_or(|person| grant.user_id.as_str() == person));
    // A named connection is blocked again, which changes nothing; a block of many counts only those that it changes.
    let is_named = matches!(scope, BlockScope::Named(_));
    let targets = of_person.map(|mut grant| {
        let blocked = std::mem::take(&mut grant.blocked);
        let accessed = std::mem::take(&mut grant.accessed);
        let pages = if is_named { accessed } else { accessed.difference(&blocked).copied().collect() };
        ActionTarget::new(grant, pages)
    });
    let targets: Vec<ActionTarget> = targets.filter(|target| !target.pages.is_empty()).collect();
    match scope {
        BlockScope::Named(keys) if targets.len() < keys.len() => Err(PageError::NotFound),
        _ => Ok(targets),
    }
}

/// The blocks on the pages that cover the named connections, which may have ended.
async fn to_unblock(
    ctx: &RequestContext<'_>,
    viewer: &UserId,
    pages: &[AccessiblePage],
    keys: &[ConnectionKey],
) -> Result<Vec<ActionTarget>, PageError> {
    let administered: Vec<PageId> = pages.iter().map(|page| page.id).collect();
    let found = blocks::list_of_connections(ctx.db, &administered, keys).await?;
    let named: Vec<ActionTarget> = merge_blocks(&found, |key, _| keys.contains(key));
    if !named.is_empty() {
        return Ok(named);
    }
    // A block of one app on a computer covers the others there, which have no block of their own.
    let query = ConnectionQuery { only: Some(keys), ..ConnectionQuery::all(viewer, &administered, ctx.now) };
    let covered = connections::list(ctx.db, &query).await?.grants;
    let is_covered = |key: &ConnectionKey, is_loopback: bool| {
        is_loopback && covered.iter().any(|grant| grant.is_loopback && grant.user_id == key.user_id)
    };
    Ok(merge_blocks(&found, is_covered))
}

/// The matching blocks, one target for each connection with all its pages.
fn merge_blocks(found: &[Block], is_meant: impl Fn(&ConnectionKey, bool) -> bool) -> Vec<ActionTarget> {
    let mut targets: Vec<ActionTarget> = Vec::new();
    for block in found {
        let key = ConnectionKey { user_id: block.user_id.clone(), client_id: block.client_id.clone() };
        if !is_meant(&key, block.is_loopback) {
            continue;
        }
        match targets.iter_mut().find(|target| target.key == key) {
            Some(target) => {
                target.pages.insert(block.page_id);
            }
            None => targets.push(ActionTarget {
                key,
                user_name: block.user_name.clone(),
                client_name: block.client_name.clone(),
                is_loopback: block.is_loopback,
                pages: [block.page_id].into(),
            }),
        }
    }
    targets
}
