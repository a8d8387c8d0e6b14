//! The handler's part in each method ([server features](https://modelcontextprotocol.io/specification/2026-07-28/server)).

use super::discovery::{DiscoverResult, InitializeResult};
use super::error::Failure;
use super::handler::ServerHandler;
use super::handler_error::Error;
use super::handler_values::{Completion, CompletionTarget, ToolOutcome};
use super::input_request::InputContext;
use super::message::Request;
use super::paging;
use super::prepared::PreparedKey;
use super::protocol_error::ProtocolError;
use super::protocol_version::ProtocolVersion;
use super::report::{self, CallDetails, CallEnd, Handled};
use super::results::{
    self, CallToolResult, CompleteResult, EmptyResult, GetPromptResult, ListEntries, ListEntry, ListResult,
    ReadResourceResult, Responder,
};
use super::skill::{self, GetSkillResult};
use crate::catalog::Variables;
use crate::catalog::argument::describe;
use crate::model::missing_access::MissingAccess;
use crate::model::visible::quote;
use serde_json::{Map, Value};
use std::rc::Rc;
use std::time::Duration;
use strum::{EnumString, IntoStaticStr};

/// The same for everybody, and changes only with a release.
const DISCOVERY_FRESH_FOR: Duration = Duration::from_hours(1);
/// Change with a release, or with the grant.
const LISTS_FRESH_FOR: Duration = Duration::from_mins(5);
/// Changes with the pages that the user can see.
const RESOURCES_FRESH_FOR: Duration = Duration::from_mins(1);

type Params = Map<String, Value>;

#[derive(Clone, Copy, EnumString, IntoStaticStr)]
enum Method {
    #[strum(serialize = "initialize")]
    Initialize,
    #[strum(serialize = "server/discover")]
    Discover,
    #[strum(serialize = "ping")]
    Ping,
    #[strum(serialize = "tools/list")]
    ListTools,
    #[strum(serialize = "tools/call")]
    CallTool,
    #[strum(serialize = "resources/list")]
    ListResources,
    #[strum(serialize = "resources/templates/list")]
    ListResourceTemplates,
    #[strum(serialize = "resources/read")]
    ReadResource,
    #[strum(serialize = "prompts/list")]
    ListPrompts,
    #[strum(serialize = "prompts/get")]
    GetPrompt,
    #[strum(serialize = "skills/list")]
    ListSkills,
    #[strum(serialize = "skills/get")]
    GetSkill,
    #[strum(serialize = "completion/complete")]
    Complete,
}

impl Method {
    fn parse(name: &str, version: ProtocolVersion) -> Option<Method> {
        let method: Method = name.parse().ok()?;
        let exists = match method {
            Method::Initialize | Method::Ping => version.has_handshake(),
            Method::Discover | Method::ListSkills | Method::GetSkill => !version.has_handshake(),
            Method::ListTools
            | Method::CallTool
            | Method::ListResources
            | Method::ListResourceTemplates
            | Method::ReadResource
            | Method::ListPrompts
            | Method::GetPrompt
            | Method::Complete => true,
        };
        exists.then_some(method)
    }
}

/// The method's name in words of ours; `other` for one that nobody knows.
pub fn known_name(name: &str) -> &'static str {
    name.parse::<Method>().map_or("other", <&str>::from)
}

/// A response, or why there is none, and how the request ended.
pub struct Performed {
    pub result: Result<Vec<u8>, Failure>,
    pub details: CallDetails,
    pub end: CallEnd,
}

/// Performs a request in the protocol version it speaks.
pub async fn perform(handler: &dyn ServerHandler, request: &Request, version: ProtocolVersion) -> Performed {
    let exchange = Exchange {
        handler,
        params: &request.params,
        responder: Responder { id: &request.id, version, server: handler.server().in_short() },
        input: InputContext::new(request, version),
    };
    let unknown = || ProtocolError::UnknownMethod(request.method.clone());
    let dispatched = match Method::parse(&request.method, version).ok_or_else(unknown) {
        Ok(method) => exchange.dispatch(method).await.map_err(Failure::from),
        Err(error) => Err(error.into()),
    };
    let (result, mut details) = match dispatched {
        Ok(Handled { result, details }) => (result, details),
        Err(failure) => return Performed::failed(failure, CallDetails::default()),
    };
    match result {
        Ok((response, end)) => Performed { result: Ok(response), details, end },
        Err(Error::InputRequired(required)) => {
            if let Some(missing) = required.missing_capabilities(&exchange.input) {
                details.outcome = None;
                Performed::failed(Error::MissingCapability(missing).into(), details)
            } else {
                let response = exchange.responder.input_required(required);
                Performed { result: Ok(response), details, end: report::ANSWERED }
            }
        }
        Err(error) => Performed::failed(error.into(), details),
    }
}

impl Performed {
    fn failed(failure: Failure, mut details: CallDetails) -> Self {
        if let Failure::Handler(Error::InsufficientScope { needed }) = &failure {
            details.missing = Some(MissingAccess::Scopes(*needed));
        }
        Self { end: report::end_of_failure(&failure), result: Err(failure), details }
    }
}

/// One request, and what answers it.
struct Exchange<'a> {
    handler: &'a dyn ServerHandler,
    params: &'a Params,
    responder: Responder<'a>,
    input: InputContext,
}

impl Exchange<'_> {
    async fn dispatch(&self, method: Method) -> Result<Handled<(Vec<u8>, CallEnd)>, Error> {
        let Self { handler, params, responder, input } = self;
        let response = match method {
            Method::CallTool => return self.call_tool().await,
            Method::ReadResource if self.reads_skill() => {
                let skill = handler.skill(text(params, "uri")?)?;
                Ok(responder.into_response(ReadResourceResult::from(skill), Some(LISTS_FRESH_FOR))).into()
            }
            Method::ReadResource => handler.read(text(params, "uri")?).await.map(|contents| {
                let fresh_for = Some(contents.fresh_for);
                responder.into_response(ReadResourceResult::from(contents), fresh_for)
            }),
            Method::GetPrompt => {
                let prompt = handler.prompt(text(params, "name")?, texts(params, "arguments")?, input).await;
                prompt.map(|outcome| responder.into_response(GetPromptResult::from(outcome), None))
            }
            Method::GetSkill => {
                let skill = handler.skill(text(params, "uri")?)?;
                let result = GetSkillResult { skill: skill.entry() };
                Ok(responder.into_response(result, Some(LISTS_FRESH_FOR))).into()
            }
            Method::Complete => {
                let values = handler.complete(completion(params)?).await;
                values.map(|values| responder.into_response(CompleteResult::from(values), None))
            }
            Method::Initialize => {
                // Echoes the version asked for if we speak it, or offers the newest with a handshake.
                let version = ProtocolVersion::parse_with_handshake(text(params, "protocolVersion")?);
                let version = version.unwrap_or(ProtocolVersion::LATEST_WITH_HANDSHAKE);
                let result = InitializeResult::new(handler.server(), handler.instructions(), version);
                Ok(responder.into_response(result, None)).into()
            }
            Method::Ping => Ok(responder.into_response(EmptyResult {}, None)).into(),
            Method::ListResources => {
                let listed = handler.resources().await?;
                let entries = listed.iter().map(|listed| ListEntry::Owned(results::print_resource(listed)));
                let listed = self.list(entries.collect(), ListEntries::Resources, RESOURCES_FRESH_FOR);
                listed.map(|result| responder.wrap(&result)).into()
            }
            Method::Discover
            | Method::ListTools
            | Method::ListResourceTemplates
            | Method::ListPrompts
            | Method::ListSkills => self.find_prepared(method).map(|result| responder.wrap(&result)).into(),
        };
        Ok(response.map(|response| (response, report::ANSWERED)))
    }

    /// True where the URI can only be a skill's file; versions with a handshake have none.
    fn reads_skill(&self) -> bool {
        let uri = self.params.get("uri").and_then(Value::as_str);
        !self.responder.version.has_handshake() && uri.is_some_and(skill::is_skill_uri)
    }

    /// The result of a method that reads nothing, serialized before for callers of this kind if it is the first page.
    fn find_prepared(&self, method: Method) -> Result<Rc<[u8]>, Error> {
        let Self { handler, params, responder, .. } = self;
        let print = || match method {
            Method::ListTools => self.list(handler.tools(), ListEntries::Tools, LISTS_FRESH_FOR),
            Method::ListPrompts => self.list(handler.prompts(), ListEntries::Prompts, LISTS_FRESH_FOR),
            Method::ListResourceTemplates => {
                self.list(handler.resource_templates(), ListEntries::ResourceTemplates, LISTS_FRESH_FOR)
            }
            Method::ListSkills => {
                let entries =
                    handler.skills().iter().map(|skill| ListEntry::Owned(results::print(&skill.entry()))).collect();
                self.list(entries, ListEntries::Skills, LISTS_FRESH_FOR)
            }
            _ => {
                let result = DiscoverResult::new(handler.instructions());
                let responder = Responder { server: handler.server(), ..*responder };
                Ok(responder.print(result, DISCOVERY_FRESH_FOR))
            }
        };
        match handler.prepared().filter(|_| params.get("cursor").is_none_or(Value::is_null)) {
            Some((results, caller_kind)) => {
                let key = PreparedKey { method: method.into(), version: responder.version, caller_kind };
                results.find_or_print(key, print)
            }
            None => print().map(Rc::from),
        }
    }

    /// A page or a role that does not allow the call is told to the model, which can choose another page; as a protocol
    /// error it would only reach the client.
    async fn call_tool(&self) -> Result<Handled<(Vec<u8>, CallEnd)>, Error> {
        let (name, arguments) = (text(self.params, "name")?, object(self.params, "arguments")?);
        let Handled { result, details } = self.handler.call(name, arguments, &self.input).await;
        let result = match result {
            Err(error @ (Error::Forbidden(_) | Error::ResourceNotFound { .. })) => {
                Ok(ToolOutcome { is_error: true, text: error.to_string(), ..ToolOutcome::default() })
            }
            result => result,
        };
        Ok(Handled { result, details }.map(|outcome| {
            let end = report::end_of_tool(&outcome);
            let result = CallToolResult::new(outcome, self.responder.version);
            (self.responder.into_response(result, None), end)
        }))
    }

    /// The page of a list that the cursor of the request names, serialized.
    fn list(
        &self,
        entries: Vec<ListEntry>,
        wrap: fn(Vec<ListEntry>) -> ListEntries,
        fresh_for: Duration,
    ) -> Result<Vec<u8>, Error> {
        let cursor = match self.params.get("cursor") {
            None | Some(Value::Null) => None,
            Some(_) => Some(text(self.params, "cursor")?),
        };
        let page = paging::page(entries, cursor)?;
        let result = ListResult { next_cursor: page.next, entries: wrap(page.entries) };
        Ok(self.responder.print(result, fresh_for))
    }
}

fn completion(params: &Params) -> Result<Completion, Error> {
    let reference = object(params, "ref")?;
    let target = match reference.get("type").and_then(Value::as_str) {
        Some("ref/prompt") => CompletionTarget::Prompt(text(&reference, "name")?.to_owned()),
        Some("ref/resource") => CompletionTarget::Resource(text(&reference, "uri")?.to_owned()),
        _ => {
            let came = describe(reference.get("type").unwrap_or(&Value::Null));
            return Err(Error::InvalidParams(format!("`ref.type` must be ref/prompt or ref/resource (got {came})")));
        }
    };
    let argument = object(params, "argument")?;
    Ok(Completion {
        target,
        argument: text(&argument, "name")?.to_owned(),
        typed: text(&argument, "value")?.to_owned(),
        chosen: texts(&object(params, "context")?, "arguments")?,
    })
}

fn text<'a>(params: &'a Params, name: &str) -> Result<&'a str, Error> {
    let value = params.get(name).unwrap_or(&Value::Null);
    value.as_str().ok_or_else(|| Error::InvalidParams(format!("`{name}` must be text (got {})", describe(value))))
}

/// Absent, `null` and an empty list, which is how PHP writes an object without members, are the same as empty. An object as JSON
/// text is taken for itself: Claude Code and others send arguments so.
fn object(params: &Params, name: &str) -> Result<Params, Error> {
    let value = params.get(name).unwrap_or(&Value::Null);
    let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    match parsed.as_ref().unwrap_or(value) {
        Value::Null if parsed.is_none() => Ok(Params::new()),
        Value::Array(items) if items.is_empty() && parsed.is_none() => Ok(Params::new()),
        Value::Object(fields) => Ok(fields.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Error::InvalidParams(format!("`{name}` must be an object (got {})", describe(value))))
        }
    }
}

/// A `null` is left out, and a number or a truth value is taken as its text.
fn texts(params: &Params, name: &str) -> Result<Variables, Error> {
    let text = |(key, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(Ok((key, text))),
        Value::Bool(_) | Value::Number(_) => Some(Ok((key, value.to_string()))),
        Value::Array(_) | Value::Object(_) => {
            let problem = format!("{name}.{} must be text (got {})", quote(&key, 64), describe(&value));
            Some(Err(Error::InvalidParams(problem)))
        }
    };
    object(params, name)?.into_iter().filter_map(text).collect()
}
