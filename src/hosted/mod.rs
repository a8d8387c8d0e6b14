//! Hosted MCP's policy: who may do what with the catalog.
//!
//! Effective access is the granted scopes intersected with the person's role on the page, both checked on every call. A
//! read of a page costs two round trips: the person's pages, then the entry's own reads in parallel; a read without a
//! page costs one. A prompt reads its resources in the same way, all in parallel.

pub mod access;
pub mod bearer;
mod call;
pub mod call_log;
mod call_record;
mod complete;
pub mod ended_tokens;
mod handler;
mod instructions;
mod lists;
mod page_argument;
mod page_lists;
mod page_names;
mod prompt;
pub mod rate_limit;
mod read;
mod resource_tools;
mod resource_uri;
pub mod skills;
mod write_store;

pub use handler::{CallContext, HostedHandler};

use crate::catalog::uri::Roots;
use crate::catalog::{Binding, Resource, Variables};
use crate::mcp::prepared::{CallerKind, PreparedResults};
use crate::mcp::{
    Completion, Error, Handled, InputContext, ListEntry, ListedResource, PromptOutcome, ResourceContents,
    ServerHandler, ServerInfo, Skill, Suggestions, ToolOutcome,
};
use crate::upstream::identity::AccessiblePage;
use async_trait::async_trait;
use handler::PAGES;
use serde_json::{Map, Value};
use std::borrow::Cow;

#[async_trait(?Send)]
impl ServerHandler for HostedHandler<'_> {
    fn server(&self) -> ServerInfo<'_> {
        let version = env!("CARGO_PKG_VERSION");
        ServerInfo { name: "statibeat-hosted-mcp", title: "StatiBeat", version, profile: self.profile }
    }

    /// Lists depend on the scopes, and on whether the resource tools are offered.
    fn prepared(&self) -> Option<(&PreparedResults, CallerKind)> {
        let scopes = u16::from(self.context.caller.scopes.bits());
        let kind = CallerKind(scopes << 1 | u16::from(self.has_resource_tools));
        Some((self.prepared, kind))
    }

    fn instructions(&self) -> Cow<'static, str> {
        instructions::for_scopes(self.context.caller.scopes).into()
    }

    async fn resources(&self) -> Result<Vec<ListedResource>, Error> {
        let concrete = self.granted().filter(|(entry, _)| lists::is_listed(entry));
        let (of_session, of_pages): (Vec<_>, Vec<_>) = concrete.partition(|(entry, _)| is_of_session(entry));
        let mut listed: Vec<_> = of_session.into_iter().filter_map(|(entry, _)| list(entry, None)).collect();
        // Any of the scopes that the list is read for suffices.
        if let Some((_, requirement)) = of_pages.first() {
            for page in self.pages(requirement.scope).await.map_err(|error| self.read_error(PAGES, &error))? {
                let allowed = of_pages.iter().filter(|(_, requirement)| access::check_role(&page, requirement).is_ok());
                listed.extend(allowed.filter_map(|(entry, _)| list(entry, Some(&page))));
            }
        }
        Ok(listed)
    }

    fn resource_templates(&self) -> Vec<ListEntry> {
        lists::resource_templates(self.context.caller.scopes)
    }

    async fn read(&self, uri: &str) -> Handled<ResourceContents> {
        read::one(self, uri).await
    }

    fn prompts(&self) -> Vec<ListEntry> {
        lists::prompts(self.context.caller.scopes)
    }

    async fn prompt(&self, name: &str, arguments: Variables, _: &InputContext) -> Handled<PromptOutcome> {
        prompt::get(self, name, arguments).await
    }

    async fn complete(&self, sought: Completion) -> Handled<Suggestions> {
        complete::suggest(self, &sought).await
    }

    fn skills(&self) -> Vec<Skill> {
        skills::granted(self.context.caller.scopes)
    }

    fn skill(&self, uri: &str) -> Result<Skill, Error> {
        skills::find(self.context.caller.scopes, uri)
    }

    fn tools(&self) -> Vec<ListEntry> {
        lists::tools(self.context.caller.scopes, self.has_resource_tools)
    }

    async fn call(&self, name: &str, arguments: Map<String, Value>, input: &InputContext) -> Handled<ToolOutcome> {
        match resource_tools::call(self, name, &arguments).await {
            Some(outcome) => outcome,
            None => call::call(self, name, arguments, input).await,
        }
    }
}

fn is_of_session(entry: &Resource) -> bool {
    entry.binding == Binding::Session
}

/// An entry as the list shows it; `None` if its URI needs more than a page.
fn list(entry: &'static Resource, page: Option<&AccessiblePage>) -> Option<ListedResource> {
    let variables = page.map(|page| ("page_id".to_owned(), page.id.to_string()));
    let variables: Variables = variables.into_iter().collect();
    let page = page.map(|page| (page.id, page.name.clone()));
    Some(ListedResource { uri: Roots::HOSTED.expand(entry, &variables)?, entry, page })
}

#[cfg(test)]
mod outcome_table;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
