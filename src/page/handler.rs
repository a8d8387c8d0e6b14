//! The handler of one process: its page, requested again after a minute, and reads through the page's API token.

use super::settings::Settings;
use super::write_store::WriteMemory;
use crate::alternatives::PageLists;
use crate::catalog::resources::RESOURCES;
use crate::catalog::uri::Roots;
use crate::catalog::{Binding, Prompt, PromptArgument, PromptArgumentKind, Resource, Variables, find_resource};
use crate::features;
use crate::features::resources::{RequestedResource, UpstreamAnswers, part_answer};
use crate::keyring::KeyRing;
use crate::mcp::{Error, ResourceContents};
use crate::model::timestamp::Timestamp;
use crate::ports::HttpClient;
use crate::upstream::api_token::ApiTokenTransport;
use crate::upstream::identity::AccessiblePage;
use crate::upstream::memory::LIST_LIFETIME;
use crate::upstream::{ApiError, ApiErrorKind, PageClient};
use crate::writes::confirm_token::Asker;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{join, join_all};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;

/// The resource about the page itself, for errors about a page that cannot be read.
pub(super) const SUMMARY: &str = "statibeat://page/summary";
/// The error for a host or ids that lead to no page of the token's.
const NO_PAGE: &str = "StatiBeat shows this token no page here. Whoever set the server up can look at STATIBEAT_BASE_URL, \
    STATIBEAT_ORGANIZATION_ID and STATIBEAT_PAGE_ID.";

/// Dependencies that the program passes in.
#[derive(Clone, Copy)]
pub struct PageInputs<'a> {
    pub http: &'a dyn HttpClient,
    /// The time, read anew for each call.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// A line for those who run the server; never with secrets or customer text.
    pub log: &'a dyn Fn(&str),
}

/// Page MCP, for the life of the process.
pub struct PageHandler<'a> {
    pub(super) settings: &'a Settings,
    pub(super) inputs: PageInputs<'a>,
    access: ApiTokenTransport<'a>,
    /// The page, and when it was requested.
    page: RefCell<Option<(Timestamp, Rc<AccessiblePage>)>>,
    pub(super) writes: WriteMemory,
    /// Signs confirm tokens and the states of questions; another one in every process.
    pub(super) confirm_keys: KeyRing,
}

impl<'a> PageHandler<'a> {
    pub fn new(settings: &'a Settings, inputs: PageInputs<'a>) -> Self {
        let access = ApiTokenTransport {
            http: inputs.http,
            origin: &settings.origin,
            token: &settings.token,
            address: settings.address,
            slack_actor: settings.slack_actor.as_deref(),
            random: inputs.random,
        };
        let (mut key, mut process) = ([0; 32], [0; 16]);
        (inputs.random)(&mut key);
        (inputs.random)(&mut process);
        let ring = KeyRing::parse(&format!("process:{}", URL_SAFE_NO_PAD.encode(key)), "page");
        Self {
            settings,
            inputs,
            access,
            page: RefCell::default(),
            writes: WriteMemory::new(URL_SAFE_NO_PAD.encode(process)),
            confirm_keys: ring.expect("32 random bytes are a key"),
        }
    }

    /// Whom confirm tokens are issued to: this process.
    pub(super) fn asker(&self) -> Asker<'_> {
        let process = self.writes.process();
        Asker { person: "page", client: process, grant: process }
    }

    pub(super) fn api(&self) -> PageClient<'_> {
        PageClient::new(self.access)
    }

    /// The page, as it was within the last minute.
    pub(super) async fn page(&self) -> Result<Rc<AccessiblePage>, ApiError> {
        let now = (self.inputs.now)();
        let is_recent = |(requested_at, _): &&(Timestamp, _)| now.since(*requested_at) < LIST_LIFETIME;
        if let Some((_, page)) = self.page.borrow().as_ref().filter(is_recent) {
            return Ok(Rc::clone(page));
        }
        let page = AccessiblePage::parse(&self.access.page().await?);
        let page =
            page.ok_or_else(|| ApiError::new(ApiErrorKind::Malformed, "the page has no id or no organization"))?;
        let page = Rc::new(page);
        *self.page.borrow_mut() = Some((now, Rc::clone(&page)));
        Ok(page)
    }

    pub(super) async fn require_page(&self) -> Result<Rc<AccessiblePage>, Error> {
        self.page().await.map_err(|error| match error.kind {
            ApiErrorKind::NotFound => Error::Forbidden(NO_PAGE.to_owned()),
            _ => self.read_error(SUMMARY, &error),
        })
    }

    /// The client's error for a failed read. A token that is not accepted is for the person who set this server up.
    pub(super) fn read_error(&self, uri: &str, error: &ApiError) -> Error {
        explain_refused_token(features::read_error(uri, error, self.inputs.log))
    }

    pub(super) async fn contents(&self, wanted: &RequestedResource) -> Result<ResourceContents, Error> {
        let page = self.require_page().await?;
        let (api, paths) = (self.api(), wanted.paths()?);
        let parts = wanted.found.resource.parts.iter();
        let parts = parts.map(|part| async { part_answer(part, api.get(part.path).await, self.inputs.log) });
        let (answers, parts) = join(api.get_all(&paths), join_all(parts)).await;
        let parts = Value::Object(parts.into_iter().collect());
        let upstream = UpstreamAnswers { page: Some(&page.raw), answers, parts };
        wanted.contents(upstream, (self.inputs.now)(), self.inputs.log).map_err(explain_refused_token)
    }

    /// The arguments that a prompt takes here: there is one page.
    pub(super) fn prompt_arguments(prompt: &'static Prompt) -> Vec<&'static PromptArgument> {
        prompt.arguments.iter().filter(|argument| argument.kind != PromptArgumentKind::Page).collect()
    }
}

#[async_trait(?Send)]
impl PageLists for PageHandler<'_> {
    /// StatiBeat decides what the token may read.
    async fn read(&self, _: &str, path: &str) -> Option<Value> {
        self.api().get(path).await.ok()
    }

    fn uri(&self, resource: &str) -> Option<String> {
        Roots::PAGE.expand(find_resource(resource)?, &Variables::new())
    }

    /// An API token has no scopes: StatiBeat decides when the resource is read.
    fn can_read(&self, _: &str) -> bool {
        true
    }

    fn page_words(&self) -> String {
        "This page".to_owned()
    }

    async fn locate(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn has_tool(&self, name: &str) -> bool {
        self.settings.tools.has(name)
    }
}

/// Everything bound to a page; this server knows of no person.
pub(super) fn offered() -> impl Iterator<Item = &'static Resource> {
    RESOURCES.iter().filter(|entry| is_offered(entry))
}

pub(super) fn is_offered(entry: &Resource) -> bool {
    entry.binding == Binding::Page
}

/// Turns a refused credential into an error that names the setting to correct.
pub(super) fn explain_refused_token(error: Error) -> Error {
    match error {
        Error::Untrusted(_) => {
            let words = "StatiBeat does not accept the API token of this server: it may have been revoked or rotated. Whoever \
                set the server up can put another one into STATIBEAT_API_TOKEN.";
            Error::Forbidden(words.to_owned())
        }
        other => other,
    }
}
