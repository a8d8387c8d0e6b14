//! The handler of one caller: the accessible pages and resources, and the StatiBeat clients for them.

use super::access::{self, AccessDenied};
use super::bearer::Caller;
use crate::catalog::Resource;
use crate::catalog::find_resource;
use crate::catalog::resources::RESOURCES;
use crate::features;
use crate::keyring::KeyRing;
use crate::mcp::prepared::PreparedResults;
use crate::mcp::{Error, ServerProfile};
use crate::model::ids::{PageId, RequestId};
use crate::model::scope::{PagePermission, Requirement, Scope};
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::WritePolicy;
use crate::ports::{Database, RateLimiter};
use crate::upstream::identity::{AccessiblePage, accessible_pages};
use crate::upstream::{ApiError, Client, PageClient, Principal, UserClient};
use crate::writes::confirm_token::Asker;
use std::rc::Rc;

/// Resource that lists the pages, named in errors when the list can't be read.
pub(super) const PAGES: &str = "statibeat://pages";

/// The ports, keys and policy that the writes of one request use.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    pub caller: &'a Caller,
    pub request_id: &'a RequestId,
    pub limiter: &'a dyn RateLimiter,
    /// Keeps the leases and the audit rows.
    pub db: &'a dyn Database,
    /// Signs confirm tokens and the states of questions.
    pub seals: &'a KeyRing,
    /// The operator's policy for writes.
    pub policy: &'a WritePolicy,
    pub now: Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// A line for those who run the server; never with secrets or customer text.
    pub log: &'a dyn Fn(&str),
}

impl<'a> CallContext<'a> {
    pub fn asker(&self) -> Asker<'a> {
        let Caller { user_id, client_id, grant_id, .. } = self.caller;
        Asker { person: user_id.as_str(), client: client_id.as_str(), grant: grant_id.as_str() }
    }
}

/// A read on a page, before it is known whether the person may make it.
pub(super) struct PageRead {
    pub id: PageId,
    /// The requirement of the read itself, without its optional parts.
    pub needs: Requirement,
    /// All permissions that the read makes use of, those of its optional parts too.
    pub permissions: Vec<PagePermission>,
}

/// Hosted MCP for one caller, during one request.
pub struct HostedHandler<'a> {
    /// The caller, and what stands around their writes.
    pub context: CallContext<'a>,
    pub upstream: &'a Client<'a>,
    /// Website, icons and description of the server; `None` without a website.
    pub profile: Option<&'a ServerProfile>,
    /// True if resources can be read by tools: the operator and the person both want it.
    pub has_resource_tools: bool,
    /// Lists that this instance has serialized before.
    pub prepared: &'a PreparedResults,
}

impl HostedHandler<'_> {
    pub(super) fn api(&self) -> UserClient<'_> {
        let CallContext { caller, request_id, .. } = self.context;
        let principal = Principal {
            user_id: &caller.user_id,
            client_id: caller.client_id.as_str(),
            grant_id: &caller.grant_id,
            request_id,
        };
        UserClient { client: self.upstream, principal }
    }

    /// Client for a page's incidents, if the connection and the person may read them.
    pub(super) fn incidents(&self, page: &AccessiblePage) -> Option<PageClient<'_>> {
        let needs = find_resource("incident")?.hosted?;
        let may = self.context.caller.scopes.contains(needs.scope) && access::check_role(page, &needs).is_ok();
        may.then(|| self.api().page(page, needs.scope))
    }

    /// The resources whose scope was granted, with what else they need.
    pub(super) fn granted(&self) -> impl Iterator<Item = (&'static Resource, Requirement)> {
        let scopes = self.context.caller.scopes;
        let offered = RESOURCES.iter().filter_map(|entry| Some((entry, entry.hosted?)));
        offered.filter(move |(_, requirement)| scopes.contains(requirement.scope))
    }

    /// Pages that the person can see now and chose for this client.
    pub(super) async fn pages(&self, scope: Scope) -> Result<Vec<AccessiblePage>, ApiError> {
        let pages = accessible_pages(&self.api(), scope).await?;
        let caller = self.context.caller;
        Ok(pages.into_iter().filter(|page| access::is_visible(page) && caller.reaches(page.id)).collect())
    }

    /// The same pages for an error about anything else. `None` if StatiBeat does not list them.
    pub(super) async fn visible_pages(&self) -> Option<Vec<AccessiblePage>> {
        // Any scope suffices for the list.
        let scope = self.context.caller.scopes.iter().next()?;
        self.pages(scope).await.ok()
    }

    /// The page of that id, if the person can see it and may do there what the entry needs.
    pub(super) async fn page(
        &self,
        id: PageId,
        needs: &Requirement,
    ) -> Result<Result<AccessiblePage, AccessDenied>, ApiError> {
        let pages = self.pages(needs.scope).await?;
        Ok(access::find_page(pages, id).and_then(|page| access::check_role(&page, needs).map(|()| page)))
    }

    /// A page and what was read on it, if the person may do there what the entry needs.
    ///
    /// A page that their own list had within the last minute, with every permission of the read, is read at once: StatiBeat checks
    /// their role on each read. A denial never rests on a remembered list. Where StatiBeat refuses a read, a permission was
    /// missing, or the page is not remembered, the list of pages is read, which also says what is missing.
    pub(super) async fn read_on_page<T>(
        &self,
        wanted: PageRead,
        read: impl AsyncFn(&AccessiblePage) -> T,
        is_refused: impl Fn(&T) -> bool,
    ) -> Result<Result<(Rc<AccessiblePage>, T), AccessDenied>, ApiError> {
        let PageRead { id, needs, permissions } = wanted;
        let remembered = self.api().remembered_page(id, &permissions).filter(|_| self.context.caller.reaches(id));
        let mut early = None;
        if let Some(page) = remembered {
            let found = read(&page).await;
            if !is_refused(&found) {
                return Ok(Ok((page, found)));
            }
            early = Some((page.organization_id, found));
        }
        let page = match self.page(id, &needs).await? {
            Ok(page) => Rc::new(page),
            Err(denied) => return Ok(Err(denied)),
        };
        let found = match early {
            Some((organization_id, found)) if organization_id == page.organization_id => found,
            _ => read(&page).await,
        };
        Ok(Ok((page, found)))
    }

    /// The error that a client gets for a failed read. Details that it must not see go to the log.
    pub(super) fn read_error(&self, uri: &str, error: &ApiError) -> Error {
        features::read_error(uri, error, self.context.log)
    }
}
