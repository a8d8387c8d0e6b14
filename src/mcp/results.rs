//! Result bodies, named as in the specification, and what each era wraps around them ([server features](https://modelcontextprotocol.io/specification/2026-07-28/server)).

use super::era::Revision;
use super::message::Id;
use super::{
    Content, ListedResource, Media, MediaData, PromptContent, PromptOutcome, ResourceContents, ServerInfo, Suggestions,
    Surface, ToolOutcome,
};
use crate::catalog::{Effect, Prompt, PromptArgument, Resource, Tool};
use crate::model::scope::Scope;
use serde_json::{Value, json};
use std::time::Duration;

const JSON: &str = "application/json";
/// The protocol shows no more values than this.
const SUGGESTIONS_MAX: usize = 100;

/// How long a client may keep a result, and who may share the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// The result of an action: no hint.
    None,
    Public(Duration),
    /// Depends on the user, the grant or a page.
    Private(Duration),
}

/// A result before its era is known to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The fields that every revision has.
    pub fields: Value,
    pub caching: Caching,
}

impl Body {
    /// A result that must not be kept.
    pub fn uncached(fields: Value) -> Self {
        Body { fields, caching: Caching::None }
    }

    /// A result of this person's own.
    pub fn private(fields: Value, fresh_for: Duration) -> Self {
        Body { fields, caching: Caching::Private(fresh_for) }
    }

    /// The JSON-RPC answer: modern clients get the kind of result, who we are, and how long it keeps; legacy ones the
    /// bare result.
    pub fn dress(self, id: &Id, revision: Revision, server: &ServerInfo) -> Value {
        let mut result = self.fields;
        if revision.is_modern() {
            if result.get("resultType").is_none() {
                result["resultType"] = json!("complete");
            }
            result["_meta"] = json!({ "io.modelcontextprotocol/serverInfo": server_info(server) });
            let hint = match self.caching {
                Caching::None => None,
                Caching::Public(time) => Some((time, "public")),
                Caching::Private(time) => Some((time, "private")),
            };
            if let Some((time, scope)) = hint {
                result["ttlMs"] = json!(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
                result["cacheScope"] = json!(scope);
            }
        }
        json!({ "jsonrpc": "2.0", "id": id.as_value(), "result": result })
    }
}

pub fn initialize(server: &ServerInfo, revision: Revision) -> Value {
    json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities(),
        "serverInfo": server_info(server),
        "instructions": server.instructions,
    })
}

/// `server/discover`. Legacy revisions are not listed: those are found by `initialize`.
pub fn discover(server: &ServerInfo) -> Value {
    json!({
        "supportedVersions": [Revision::MODERN.as_str()],
        "capabilities": capabilities(),
        "instructions": server.instructions,
    })
}

fn capabilities() -> Value {
    json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {} })
}

fn server_info(server: &ServerInfo) -> Value {
    json!({ "name": server.name, "title": server.title, "version": server.version })
}

pub fn tool(surface: &dyn Surface, tool: &'static Tool, input_schema: &Value) -> Value {
    let mut entry = json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": input_schema,
        "annotations": hints(tool.effect),
    });
    // A tool whose result is only for reading says nothing about its shape.
    match (tool.output_schema)() {
        Value::Null => {}
        schema => entry["outputSchema"] = schema,
    }
    let scopes: Vec<&str> = surface.tool_scopes(tool).iter().map(Scope::as_str).collect();
    if !scopes.is_empty() {
        entry["securitySchemes"] = json!([{ "type": "oauth2", "scopes": scopes }]);
    }
    entry
}

/// All four, because the defaults of the specification say the worst. A write reaches the open world: customers read it.
fn hints(effect: Effect) -> Value {
    let (read_only, destructive, idempotent, open_world) = match effect {
        Effect::Reads => (true, false, true, false),
        Effect::Adds => (false, false, false, true),
        Effect::Changes | Effect::Destroys => (false, true, true, true),
    };
    json!({
        "readOnlyHint": read_only,
        "destructiveHint": destructive,
        "idempotentHint": idempotent,
        "openWorldHint": open_world,
    })
}

/// `tools/call`. The structured result also goes out as text, for clients that only know texts.
pub fn call(outcome: ToolOutcome, revision: Revision) -> Value {
    let mut content: Vec<Value> =
        Some(&outcome.text).filter(|words| !words.is_empty()).map(|words| text(words)).into_iter().collect();
    content.extend(outcome.content.iter().map(block));
    content.extend(outcome.structured.as_ref().map(|structured| text(&structured.to_string())));
    if revision > Revision::V2025_03_26 {
        content.extend(outcome.links.into_iter().map(|(uri, entry)| link(&uri, entry)));
    }
    let mut result = json!({ "content": content, "isError": outcome.is_error });
    if let Some(structured) = outcome.structured {
        result["structuredContent"] = structured;
    }
    result
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

fn link(uri: &str, entry: &Resource) -> Value {
    json!({
        "type": "resource_link",
        "uri": uri,
        "name": entry.name,
        "title": entry.title,
        "description": entry.description,
        "mimeType": JSON,
    })
}

pub fn resource(listed: &ListedResource) -> Value {
    let title = listed.title();
    json!({
        "uri": listed.uri,
        "name": listed.entry.name,
        "title": title,
        "description": listed.entry.description,
        "mimeType": JSON,
        "annotations": annotations(listed.entry),
    })
}

/// Results are for models; a person reads the page itself.
fn annotations(entry: &Resource) -> Value {
    json!({ "audience": ["assistant"], "priority": entry.priority })
}

pub fn resource_template(uri_template: &str, entry: &Resource) -> Value {
    json!({
        "uriTemplate": uri_template,
        "name": entry.name,
        "title": entry.title,
        "description": entry.description,
        "mimeType": JSON,
        "annotations": annotations(entry),
    })
}

pub fn read(contents: &ResourceContents) -> Value {
    json!({ "contents": [embedded(contents)] })
}

fn embedded(contents: &ResourceContents) -> Value {
    match &contents.media {
        None => json!({ "uri": contents.uri, "mimeType": JSON, "text": contents.body.to_string() }),
        Some(Media { mime_type, data: MediaData::Text(text) }) => {
            json!({ "uri": contents.uri, "mimeType": mime_type, "text": text })
        }
        Some(Media { mime_type, data: MediaData::Base64(blob) }) => {
            json!({ "uri": contents.uri, "mimeType": mime_type, "blob": blob })
        }
    }
}

fn block(content: &Content) -> Value {
    let (kind, media) = match content {
        Content::Image(media) => ("image", media),
        Content::Audio(media) => ("audio", media),
        Content::Resource(contents) => return json!({ "type": "resource", "resource": embedded(contents) }),
    };
    let (MediaData::Text(data) | MediaData::Base64(data)) = &media.data;
    json!({ "type": kind, "mimeType": media.mime_type, "data": data })
}

pub fn prompt(surface: &dyn Surface, prompt: &'static Prompt) -> Value {
    let argument = |argument: &PromptArgument| {
        json!({
            "name": argument.name,
            "title": argument.title,
            "description": argument.description,
            "required": argument.required,
        })
    };
    json!({
        "name": prompt.name,
        "title": prompt.title,
        "description": prompt.description,
        "arguments": surface.prompt_arguments(prompt).into_iter().map(argument).collect::<Vec<_>>(),
    })
}

pub fn prompt_messages(outcome: PromptOutcome) -> Value {
    let message = |content| {
        let content = match content {
            PromptContent::Text(words) => text(&words),
            PromptContent::Resource(contents) => block(&Content::Resource(contents)),
            PromptContent::Other(content) => block(&content),
        };
        json!({ "role": "user", "content": content })
    };
    json!({
        "description": outcome.description,
        "messages": outcome.messages.into_iter().map(message).collect::<Vec<_>>(),
    })
}

pub fn completion(suggestions: Suggestions) -> Value {
    let Suggestions(mut values) = suggestions;
    let total = values.len();
    values.truncate(SUGGESTIONS_MAX);
    json!({ "completion": { "values": values, "total": total, "hasMore": total > SUGGESTIONS_MAX } })
}
