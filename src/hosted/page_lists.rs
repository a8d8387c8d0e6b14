//! Lists of a page for error messages: read where the client's scopes and the person's role allow it.

use super::access;
use super::handler::HostedHandler;
use super::lists;
use crate::alternatives::PageLists;
use crate::catalog::uri::Roots;
use crate::catalog::{Variables, find_resource};
use crate::model::scope::Requirement;
use crate::model::visible::quote;
use crate::upstream::AccessiblePage;
use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::Value;

/// Most other pages that are searched for an incident or a maintenance.
const PAGES_SEARCHED_MAX: usize = 10;
/// Longest name of a page that is quoted, in characters.
const NAME_MAX: usize = 100;

/// A page that the caller can access.
pub struct HostedPageLists<'a> {
    pub handler: &'a HostedHandler<'a>,
    pub page: &'a AccessiblePage,
}

impl HostedPageLists<'_> {
    /// The requirement of a resource, if its scope was granted.
    fn granted(&self, resource: &str) -> Option<Requirement> {
        let needs = find_resource(resource)?.hosted?;
        self.handler.context.caller.scopes.contains(needs.scope).then_some(needs)
    }

    async fn read_of(&self, page: &AccessiblePage, needs: &Requirement, path: &str) -> Option<Value> {
        access::check_role(page, needs).ok()?;
        self.handler.api().page(page, needs.scope).get(path).await.ok()
    }
}

#[async_trait(?Send)]
impl PageLists for HostedPageLists<'_> {
    async fn read(&self, resource: &str, path: &str) -> Option<Value> {
        self.read_of(self.page, &self.granted(resource)?, path).await
    }

    fn uri(&self, resource: &str) -> Option<String> {
        let variables = Variables::from([("page_id".to_owned(), self.page.id.to_string())]);
        Roots::HOSTED.expand(find_resource(resource)?, &variables)
    }

    fn can_read(&self, resource: &str) -> bool {
        self.granted(resource).is_some_and(|needs| access::check_role(self.page, &needs).is_ok())
    }

    fn page_words(&self) -> String {
        format!("Page {}", self.page.id)
    }

    fn has_tool(&self, name: &str) -> bool {
        lists::has_tool(name)
    }

    async fn locate(&self, resource: &str, path: &str) -> Option<String> {
        let needs = self.granted(resource)?;
        let mut others = self.handler.pages(needs.scope).await.ok()?;
        others.retain(|page| page.id != self.page.id && access::check_role(page, &needs).is_ok());
        let is_complete = others.len() <= PAGES_SEARCHED_MAX;
        others.truncate(PAGES_SEARCHED_MAX);
        let found = join_all(others.iter().map(|page| self.read_of(page, &needs, path))).await;
        let place = others.iter().zip(found).find_map(|(page, found)| found.map(|_| page));
        match place {
            Some(page) => Some(format!("It is on page {} ({}).", page.id, quote(&page.name, NAME_MAX))),
            None => is_complete.then(|| "No page that you can see has it.".to_owned()),
        }
    }
}
