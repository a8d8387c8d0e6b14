//! An action with its targets: what a form or address asks for, limited to what this person is allowed to act on.

use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::action::{Action, coverage, write_key};
use super::connections::merge_grants;
use super::session::{Session, visible_pages};
use crate::model::ids::{PageId, UserId};
use crate::oauth::client::ClientId;
use crate::oauth::parameters::Parameters;
use crate::storage::audit::ChangeTarget;
use crate::storage::blocks::{self, Block, BlockQuery};
use crate::storage::connections::{self, ConnectionKey, ConnectionQuery, LiveGrant, Owners};
use crate::upstream::identity::AccessiblePage;
use maud::{Markup, html};
use std::collections::BTreeSet;

/// A connection that an action is about, alive or not.
#[derive(Clone, Debug)]
pub(super) struct ActionTarget {
    pub key: ConnectionKey,
    user_name: String,
    client_name: String,
    /// True for a loopback client, whose client id any program on the person's computer can claim.
    is_loopback: bool,
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

    fn name(&self) -> String {
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
    pages: Vec<AccessiblePage>,
}

impl ActionPlan {
    pub async fn read(ctx: &RequestContext<'_>, session: &Session, parameters: &Parameters) -> Result<Self, PageError> {
        let one = |name| parameters.one(name).ok().flatten();
        let action: Action = one("action").and_then(|name| name.parse().ok()).ok_or(PageError::NotFound)?;
        let viewer = &session.viewer.person.user_id;
        let keys: Vec<ConnectionKey> =
            parameters.all("connection").map(parse_key).collect::<Option<_>>().ok_or(PageError::NotFound)?;
        let mut plan = match action {
            Action::Block | Action::Unblock => {
                let pages = administered_pages(ctx, session, parameters).await?;
                let targets = match action {
                    Action::Block => to_block(ctx, viewer, &pages, &keys, one("person")).await?,
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
        plan.selection.extend(one("person").map(|person| ("person", person.to_owned())));
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

    /// The apps in a sentence: their name, or their number.
    pub fn apps(&self) -> String {
        match &self.targets[..] {
            [only] if self.pages.is_empty() => only.client_name.clone(),
            [only] => only.name(),
            targets => format!("{} apps", targets.len()),
        }
    }

    /// The pages in a sentence: the page's name, or their number.
    pub fn page_names(&self) -> String {
        match &self.pages[..] {
            [only] => only.name.clone(),
            pages => format!("{} pages", pages.len()),
        }
    }

    fn subject(&self) -> String {
        let people: BTreeSet<&UserId> = self.targets.iter().map(|target| &target.key.user_id).collect();
        match (&self.targets[..], people.len()) {
            ([only], _) => only.name(),
            (targets, 1) => format!("{} apps of {}", targets.len(), targets[0].user_name),
            (targets, people) => format!("{} apps of {people} people", targets.len()),
        }
    }

    /// Title, effect and button of the confirmation page.
    pub fn question(&self) -> (String, String, &'static str) {
        let (client, count) = (&self.targets[0].client_name, self.targets.len());
        let (subject, pages) = (self.subject(), self.page_names());
        match self.action {
            Action::Revoke if count > 1 => (
                format!("End {count} of your connections?"),
                "Access ends at once for these apps. To use one again, connect it again.".into(),
                "End these connections",
            ),
            Action::Revoke => (
                format!("End the connection to {client}?"),
                "Its access ends at once, on every page and every computer. To use it again, connect it again.".into(),
                "End the connection",
            ),
            Action::RevokeAll => (
                "End all your connections?".into(),
                format!("Access ends at once for all of these apps ({count}). To use one again, connect it again."),
                "End all connections",
            ),
            Action::Block => (format!("Block {subject} on {pages}?"), self.block_effect(), "Block"),
            Action::Unblock => (
                format!("Unblock {subject} on {pages}?"),
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

    fn block_effect(&self) -> String {
        let pages = if self.pages.len() == 1 { self.page_names() } else { "these pages".to_owned() };
        let until = "at once and also after connecting again, until an admin of the page lifts the block";
        if let [only] = &self.targets[..] {
            let covers = coverage(&only.client_name, &only.user_name, only.is_loopback);
            return format!(
                "It can then neither read nor post on {pages}, {until}. {covers} {} keeps their own role on the page.",
                only.user_name
            );
        }
        let local = self.targets.iter().filter(|target| target.is_loopback).count();
        let covers = if local > 0 {
            format!(
                " {local} of them run on people's own computers: a block of such an app covers every app on that computer."
            )
        } else {
            String::new()
        };
        format!("They can then neither read nor post on {pages}, {until}.{covers} The people keep their own roles.")
    }

    /// The pages to choose among, and the apps where they are several.
    pub fn choices(&self) -> Markup {
        html! {
            @if self.pages.len() > 1 {
                fieldset {
                    legend { "Pages" }
                    div {
                        @for page in &self.pages {
                            label.choice { input type="checkbox" name="page" value=(page.id) checked; span { (page.name) } }
                        }
                    }
                }
            }
            @if self.targets.len() > 1 {
                details open[self.targets.len() <= 10] {
                    summary { "These apps (" (self.targets.len()) ")" }
                    ul { @for target in &self.targets { li { @if self.pages.is_empty() { (target.client_name) } @else { (target.name()) } } } }
                }
            }
        }
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

/// Other people's connections that have accessed the pages: the named ones, those of a person, or all of one page.
async fn to_block(
    ctx: &RequestContext<'_>,
    viewer: &UserId,
    pages: &[AccessiblePage],
    keys: &[ConnectionKey],
    person: Option<&str>,
) -> Result<Vec<ActionTarget>, PageError> {
    let is_named = !keys.is_empty();
    // A form that lost its fields must not block everybody.
    if !is_named && person.is_none() {
        return Err(PageError::NotFound);
    }
    let administered: Vec<PageId> = pages.iter().map(|page| page.id).collect();
    let only = Some(keys).filter(|_| is_named);
    let query =
        ConnectionQuery { owners: Owners::Others, only, ..ConnectionQuery::all(viewer, &administered, ctx.now) };
    let found = merge_grants(connections::list(ctx.db, &query).await?.grants);
    let of_person = found.into_iter().filter(|grant| person.is_none_or(|person| grant.user_id.as_str() == person));
    // A named connection is blocked again, which changes nothing; a block of many counts only those that it changes.
    let targets = of_person.map(|mut grant| {
        let blocked = std::mem::take(&mut grant.blocked);
        let accessed = std::mem::take(&mut grant.accessed);
        let pages = if is_named { accessed } else { accessed.difference(&blocked).copied().collect() };
        ActionTarget::new(grant, pages)
    });
    let targets: Vec<ActionTarget> = targets.filter(|target| !target.pages.is_empty()).collect();
    if is_named && targets.len() < keys.len() {
        return Err(PageError::NotFound);
    }
    Ok(targets)
}

/// The blocks on the pages that cover the named connections, which may have ended.
async fn to_unblock(
    ctx: &RequestContext<'_>,
    viewer: &UserId,
    pages: &[AccessiblePage],
    keys: &[ConnectionKey],
) -> Result<Vec<ActionTarget>, PageError> {
    let administered: Vec<PageId> = pages.iter().map(|page| page.id).collect();
    let query = BlockQuery { pages: &administered, after: None, limit: None };
    let found = blocks::list(ctx.db, &query).await?.blocks;
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
