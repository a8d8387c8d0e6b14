//! The surface of one process: its page, asked for once, and what is read through the page's API token.

use super::settings::Settings;
use super::write_store::WriteMemory;
use crate::catalog::resources::RESOURCES;
use crate::catalog::{Binding, Prompt, PromptArgument, Resource};
use crate::features;
use crate::features::resources::RequestedResource;
use crate::keyring::KeyRing;
use crate::mcp::{Error, ResourceContents};
use crate::model::timestamp::Timestamp;
use crate::ports::HttpClient;
use crate::upstream::api_token::ApiTokenTransport;
use crate::upstream::identity::AccessiblePage;
use crate::upstream::{ApiError, ApiErrorKind, PageClient};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::cell::OnceCell;

/// The resource that says which page this is; named where the page itself cannot be had.
pub(super) const SUMMARY: &str = "statibeat://page/summary";
/// A host or numbers that lead to no page of the token's.
const NO_PAGE: &str = "StatiBeat shows this token no page here. Whoever set the server up can look at STATIBEAT_BASE_URL, \
    STATIBEAT_ORGANIZATION_ID and STATIBEAT_PAGE_ID.";
/// The first argument of prompts on a server with many pages.
const PAGE_ARGUMENT: &str = "page_id";

/// Dependencies that the program passes in.
#[derive(Clone, Copy)]
pub struct Outside<'a> {
    pub http: &'a dyn HttpClient,
    /// The time, read anew for each call.
    pub now: &'a dyn Fn() -> Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// A line for those who run the server; never with secrets or customer text.
    pub log: &'a dyn Fn(&str),
}

/// Page MCP, for the life of the process.
pub struct PageSurface<'a> {
    pub(super) settings: &'a Settings,
    pub(super) outside: Outside<'a>,
    access: ApiTokenTransport<'a>,
    page: OnceCell<AccessiblePage>,
    pub(super) writes: WriteMemory,
    /// Seals the confirm tokens of previews; another one in every process.
    pub(super) seals: KeyRing,
}

impl<'a> PageSurface<'a> {
    /// The surface of one process.
    pub fn new(settings: &'a Settings, outside: Outside<'a>) -> Self {
        let access = ApiTokenTransport {
            http: outside.http,
            origin: &settings.origin,
            token: &settings.token,
            address: settings.address,
            slack_actor: settings.slack_actor.as_deref(),
            random: outside.random,
        };
        let (mut key, mut process) = ([0; 32], [0; 16]);
        (outside.random)(&mut key);
        (outside.random)(&mut process);
        let ring = KeyRing::parse(&format!("process:{}", URL_SAFE_NO_PAD.encode(key)), "page");
        Self {
            settings,
            outside,
            access,
            page: OnceCell::new(),
            writes: WriteMemory::new(URL_SAFE_NO_PAD.encode(process)),
            seals: ring.expect("32 random bytes are a key"),
        }
    }

    pub(super) fn api(&self) -> PageClient<'_> {
        PageClient::new(self.access)
    }

    /// The page, asked for once.
    pub(super) async fn page(&self) -> Result<&AccessiblePage, ApiError> {
        if let Some(page) = self.page.get() {
            return Ok(page);
        }
        let page = AccessiblePage::parse(&self.access.page().await?);
        let page =
            page.ok_or_else(|| ApiError::new(ApiErrorKind::Malformed, "the page has no id or no organization"))?;
        Ok(self.page.get_or_init(|| page))
    }

    pub(super) async fn page_or_trouble(&self) -> Result<&AccessiblePage, Error> {
        self.page().await.map_err(|error| match error.kind {
            ApiErrorKind::NotFound => Error::Forbidden(NO_PAGE.to_owned()),
            _ => self.trouble(SUMMARY, &error),
        })
    }

    /// The client's error for a failed read. A token that is not accepted is for the person who set this server up.
    pub(super) fn trouble(&self, uri: &str, error: &ApiError) -> Error {
        told(features::read_error(uri, error, self.outside.log))
    }

    pub(super) async fn contents(&self, wanted: &RequestedResource) -> Result<ResourceContents, Error> {
        let page = self.page_or_trouble().await?;
        let answers = self.api().get_all(&wanted.paths()?).await;
        wanted.contents(Some(&page.raw), answers, self.outside.log).map_err(told)
    }

    /// The arguments that a prompt takes here: there is one page.
    pub(super) fn prompt_arguments(prompt: &'static Prompt) -> Vec<&'static PromptArgument> {
        prompt.arguments.iter().filter(|argument| argument.name != PAGE_ARGUMENT).collect()
    }
}

/// Everything bound to a page; this server knows of no person.
pub(super) fn offered() -> impl Iterator<Item = &'static Resource> {
    RESOURCES.iter().filter(|entry| is_offered(entry))
}

pub(super) fn is_offered(entry: &Resource) -> bool {
    entry.binding == Binding::Page
}

/// A refused credential, said so that it can be mended.
pub(super) fn told(error: Error) -> Error {
    match error {
        Error::Untrusted(_) => {
            let words = "StatiBeat does not accept the API token of this server: it may have been revoked or rotated. Whoever \
                set the server up can put another one into STATIBEAT_API_TOKEN.";
            Error::Forbidden(words.to_owned())
        }
        other => other,
    }
}
