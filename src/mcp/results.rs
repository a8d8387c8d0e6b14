//! Results as the specification names them, and what each protocol version wraps around them ([server
//! features](https://modelcontextprotocol.io/specification/2026-07-28/server)).
//!
//! A result is serialized once, straight into the response. What a list shows of an entry depends on the release alone, so
//! whoever lists it prints it once ([`print`]) and hands out copies. Members stand in alphabetical order, like in schemas.

use super::handler_values::{ListedResource, PromptOutcome, ResourceContents, ServerInfo, Suggestions, ToolOutcome};
use super::message::{Id, JSON_RPC};
use super::protocol_version::ProtocolVersion;
use super::skill::{MARKDOWN, Skill};
use crate::catalog::{Effect, Prompt, PromptArgument, Resource, Tool};
use crate::model::scope::{Scope, ScopeSet};
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use std::borrow::Cow;
use std::time::Duration;

const JSON: &str = "application/json";
/// The protocol shows no more values than this.
const SUGGESTIONS_MAX: usize = 100;

/// An entry of a list, serialized.
pub type ListEntry = Cow<'static, RawValue>;

/// Context that turns a result into the response to one request.
#[derive(Clone, Copy)]
pub struct Responder<'a> {
    pub id: &'a Id,
    pub version: ProtocolVersion,
    pub server: ServerInfo<'a>,
}

#[derive(Serialize)]
struct JsonRpcResponse<'a, T> {
    id: &'a Value,
    jsonrpc: &'static str,
    result: VersionedResult<'a, T>,
}

/// Versions without a handshake get the kind of result, who we are, and how long it keeps; the others the bare result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionedResult<'a, T> {
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ResultMeta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(flatten)]
    result: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
}

#[derive(Serialize)]
struct ResultMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server: &'a ServerInfo<'a>,
}

impl Responder<'_> {
    /// The response with a complete result, which a client may keep for its user for the time of `fresh_for`: it depends on the user, the
    /// grant or a page. `None` for the result of an action.
    pub fn into_response(self, result: impl Serialize, fresh_for: Option<Duration>) -> Vec<u8> {
        self.respond(result, "complete", fresh_for)
    }

    /// The response that asks for input first.
    pub fn input_required(self, result: impl Serialize) -> Vec<u8> {
        self.respond(result, "input_required", None)
    }

    /// A complete result without the response around it.
    pub fn print(&self, result: impl Serialize, fresh_for: Duration) -> Vec<u8> {
        to_bytes(&self.versioned(result, "complete", Some(fresh_for)))
    }

    /// The response with a result from [`Self::print`]; the same bytes as [`Self::into_response`].
    pub fn wrap(&self, result: &[u8]) -> Vec<u8> {
        let id = to_bytes(self.id.as_value());
        [b"{\"id\":", id.as_slice(), b",\"jsonrpc\":\"", JSON_RPC.as_bytes(), b"\",\"result\":", result, b"}"].concat()
    }

    fn respond(&self, result: impl Serialize, result_type: &'static str, fresh_for: Option<Duration>) -> Vec<u8> {
        let result = self.versioned(result, result_type, fresh_for);
        to_bytes(&JsonRpcResponse { id: self.id.as_value(), jsonrpc: JSON_RPC, result })
    }

    fn versioned<T>(
        &self,
        result: T,
        result_type: &'static str,
        fresh_for: Option<Duration>,
    ) -> VersionedResult<'_, T> {
        let is_bare = self.version.has_handshake();
        let fresh_for = fresh_for.filter(|_| !is_bare);
        VersionedResult {
            meta: (!is_bare).then_some(ResultMeta { server: &self.server }),
            cache_scope: fresh_for.map(|_| "private"),
            result_type: (!is_bare).then_some(result_type),
            ttl_ms: fresh_for.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            result,
        }
    }
}

pub(super) fn to_bytes(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("keys of messages are text")
}

/// Serializes an entry of a list.
pub fn print(entry: &impl Serialize) -> Box<RawValue> {
    to_raw_value(entry).expect("keys of entries are text")
}

#[derive(Serialize)]
pub struct EmptyResult {}

/// One page of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    #[serde(flatten)]
    pub entries: ListEntries,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ListEntries {
    Prompts(Vec<ListEntry>),
    ResourceTemplates(Vec<ListEntry>),
    Resources(Vec<ListEntry>),
    Skills(Vec<ListEntry>),
    Tools(Vec<ListEntry>),
}

/// A tool in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolEntry<'a> {
    annotations: ToolAnnotations<'a>,
    description: &'a str,
    input_schema: &'a Value,
    name: &'a str,
    /// A tool whose result is only for reading says nothing about its shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_schemes: Option<[SecurityScheme; 1]>,
}

#[derive(Serialize)]
struct SecurityScheme {
    scopes: Vec<&'static str>,
    r#type: &'static str,
}

/// All of them, because the defaults of the specification say the worst.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the specification's four hints")]
struct ToolAnnotations<'a> {
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
    read_only_hint: bool,
    /// Given only here, where clients of every protocol version look for it.
    title: &'a str,
}

impl<'a> ToolAnnotations<'a> {
    /// A write reaches the open world: customers read it.
    ///
    /// A write that subscribers are notified of is destructive, also one that only adds: what was sent cannot be taken back.
    /// `OpenAI`'s submission guidelines for apps count irreversible messages among the destructive actions, and clients that
    /// read the hint then ask the person before they call, which is what a public message deserves.
    const fn for_effect(effect: Effect, title: &'a str) -> Self {
        let (read_only_hint, destructive_hint, idempotent_hint) = match effect {
            Effect::Reads => (true, false, true),
            Effect::Adds => (false, false, false),
            Effect::Publishes => (false, true, false),
            Effect::Changes | Effect::Destroys => (false, true, true),
        };
        Self { read_only_hint, destructive_hint, idempotent_hint, open_world_hint: !read_only_hint, title }
    }
}

/// A tool as a list shows it, with the scopes that it needs; a server without OAuth names none.
pub fn print_tool(tool: &Tool, input_schema: &Value, scopes: ScopeSet) -> Box<RawValue> {
    let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    print(&ToolEntry {
        name: tool.name,
        description: tool.description,
        input_schema,
        annotations: ToolAnnotations::for_effect(tool.effect, tool.title),
        output_schema: tool.output_schema(),
        security_schemes: (!scopes.is_empty()).then_some([SecurityScheme { r#type: "oauth2", scopes }]),
    })
}

/// A resource or resource template in a list, with what a model chooses by. All are JSON, which each read says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
}

/// A resource in full. One of a page comes once for each page, so there only its title says what it is.
pub fn print_resource(listed: &ListedResource) -> Box<RawValue> {
    print(&ResourceEntry {
        description: listed.page.is_none().then_some(listed.entry.description),
        name: &listed.name(),
        title: Some(&listed.title()),
        uri: Some(&listed.uri),
        uri_template: None,
    })
}

/// A template by its name, with a description where its query has something to choose. All of them are sent before a model's first
/// call, and the text of each is paid for there.
pub fn print_resource_template(uri_template: &str, entry: &Resource) -> Box<RawValue> {
    print(&ResourceEntry {
        description: uri_template.contains('?').then_some(entry.description),
        name: entry.name,
        title: None,
        uri: None,
        uri_template: Some(uri_template),
    })
}

/// A prompt in a list.
#[derive(Serialize)]
struct PromptEntry<'a> {
    arguments: &'a [&'a PromptArgument],
    description: &'a str,
    name: &'a str,
    title: &'a str,
}

/// A prompt as a list shows it, with the arguments that it takes on this server.
pub fn print_prompt(prompt: &Prompt, arguments: &[&PromptArgument]) -> Box<RawValue> {
    print(&PromptEntry { name: prompt.name, title: prompt.title, description: prompt.description, arguments })
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentBlock {
    Text {
        text: String,
    },
    #[serde(rename_all = "camelCase")]
    ResourceLink {
        mime_type: &'static str,
        name: &'static str,
        title: &'static str,
        uri: String,
    },
}

/// A resource's contents, as text: JSON, or a skill's Markdown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextResourceContents {
    mime_type: &'static str,
    text: ResourceText,
    uri: String,
}

enum ResourceText {
    Json(Value),
    Markdown(String),
}

impl Serialize for ResourceText {
    /// Writes JSON as text inside of JSON at once, without that text in between.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(body) => serializer.collect_str(body),
            Self::Markdown(text) => serializer.serialize_str(text),
        }
    }
}

impl From<ResourceContents> for TextResourceContents {
    fn from(contents: ResourceContents) -> Self {
        Self { uri: contents.uri, mime_type: JSON, text: ResourceText::Json(contents.body) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolResult {
    content: Vec<ContentBlock>,
    is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Value>,
}

impl CallToolResult {
    /// The structured result also goes out as text, for clients that only know texts, unless the text says it all.
    pub fn new(outcome: ToolOutcome, version: ProtocolVersion) -> Self {
        let structured = outcome.structured.as_ref().filter(|_| !outcome.is_text_complete).map(Value::to_string);
        let texts = Some(outcome.text).filter(|text| !text.is_empty()).into_iter().chain(structured);
        let mut content: Vec<_> = texts.map(|text| ContentBlock::Text { text }).collect();
        if version.has_resource_links() {
            content.extend(outcome.links.into_iter().map(|(uri, entry)| ContentBlock::ResourceLink {
                uri,
                name: entry.name,
                title: entry.title,
                mime_type: JSON,
            }));
        }
        Self { content, is_error: outcome.is_error, structured_content: outcome.structured }
    }
}

#[derive(Serialize)]
pub struct ReadResourceResult {
    contents: [TextResourceContents; 1],
}

impl From<ResourceContents> for ReadResourceResult {
    fn from(contents: ResourceContents) -> Self {
        Self { contents: [contents.into()] }
    }
}

impl From<Skill> for ReadResourceResult {
    fn from(skill: Skill) -> Self {
        let (uri, text) = (skill.uri(), ResourceText::Markdown(skill.file));
        Self { contents: [TextResourceContents { uri, mime_type: MARKDOWN, text }] }
    }
}

#[derive(Serialize)]
pub struct GetPromptResult {
    description: &'static str,
    messages: Vec<UserMessage>,
}

#[derive(Serialize)]
struct UserMessage {
    content: ContentBlock,
    role: &'static str,
}

impl From<PromptOutcome> for GetPromptResult {
    fn from(outcome: PromptOutcome) -> Self {
        let message = |text| UserMessage { role: "user", content: ContentBlock::Text { text } };
        Self { description: outcome.description, messages: outcome.messages.into_iter().map(message).collect() }
    }
}

#[derive(Serialize)]
pub struct CompleteResult {
    completion: CompletionValues,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CompletionValues {
    has_more: bool,
    total: usize,
    values: Vec<String>,
}

impl From<Suggestions> for CompleteResult {
    fn from(Suggestions(mut values): Suggestions) -> Self {
        let total = values.len();
        values.truncate(SUGGESTIONS_MAX);
        Self { completion: CompletionValues { values, total, has_more: total > SUGGESTIONS_MAX } }
    }
}
