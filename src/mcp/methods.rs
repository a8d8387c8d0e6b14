//! What each method asks of the surface ([server features](https://modelcontextprotocol.io/specification/2026-07-28/server)).

use super::era::Revision;
use super::error::{Failure, ProtocolError};
use super::message::Request;
use super::report::{self, CallFacts, End, Handled};
use super::results::{self, Body, Caching};
use super::{Completion, CompletionTarget, Dialogue, Error, Surface, ToolOutcome, paging};
use crate::catalog::Variables;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// The same for everybody, and changes only with a release.
const DISCOVERY_FRESH_FOR: Duration = Duration::from_hours(1);
/// Change with a release, or with the grant.
const LISTS_FRESH_FOR: Duration = Duration::from_mins(5);
/// Changes with the pages that the user can see.
const RESOURCES_FRESH_FOR: Duration = Duration::from_mins(1);

type Params = Map<String, Value>;

#[derive(Clone, Copy)]
enum Method {
    Initialize,
    Discover,
    Ping,
    ListTools,
    CallTool,
    ListResources,
    ListResourceTemplates,
    ReadResource,
    ListPrompts,
    GetPrompt,
    Complete,
}

const NAMES: [(&str, Method); 11] = [
    ("initialize", Method::Initialize),
    ("server/discover", Method::Discover),
    ("ping", Method::Ping),
    ("tools/list", Method::ListTools),
    ("tools/call", Method::CallTool),
    ("resources/list", Method::ListResources),
    ("resources/templates/list", Method::ListResourceTemplates),
    ("resources/read", Method::ReadResource),
    ("prompts/list", Method::ListPrompts),
    ("prompts/get", Method::GetPrompt),
    ("completion/complete", Method::Complete),
];

impl Method {
    fn parse(name: &str, revision: Revision) -> Option<Method> {
        let method = NAMES.into_iter().find(|(known, _)| *known == name)?.1;
        let is_there = match method {
            Method::Initialize | Method::Ping => !revision.is_modern(),
            Method::Discover => revision.is_modern(),
            Method::ListTools
            | Method::CallTool
            | Method::ListResources
            | Method::ListResourceTemplates
            | Method::ReadResource
            | Method::ListPrompts
            | Method::GetPrompt
            | Method::Complete => true,
        };
        is_there.then_some(method)
    }
}

/// The method's name in words of ours; `other` for one that nobody knows.
pub fn known_name(name: &str) -> &'static str {
    NAMES.into_iter().find(|(known, _)| *known == name).map_or("other", |(known, _)| known)
}

/// A request's result, and how it ended.
pub struct Performed {
    pub result: Result<Body, Failure>,
    pub facts: CallFacts,
    pub end: End,
}

/// Performs a request in the revision it speaks.
pub async fn perform(surface: &dyn Surface, request: &Request, revision: Revision) -> Performed {
    let dialogue = Dialogue::of(request, revision);
    let unknown = || ProtocolError::UnknownMethod(request.method.clone());
    let dispatched = match Method::parse(&request.method, revision).ok_or_else(unknown) {
        Ok(method) => dispatch(surface, method, &request.params, revision, &dialogue).await.map_err(Failure::from),
        Err(error) => Err(error.into()),
    };
    let (result, mut facts) = match dispatched {
        Ok(Handled { result, facts }) => (result, facts),
        Err(failure) => return Performed::failed(failure, CallFacts::default()),
    };
    match result {
        Ok((body, end)) => Performed { result: Ok(body), facts, end },
        Err(Error::InputRequired(questions)) => match questions.missing(&dialogue) {
            Some(missing) => {
                facts.outcome = None;
                Performed::failed(Error::MissingCapability(missing).into(), facts)
            }
            None => Performed { result: Ok(Body::uncached(questions.fields())), facts, end: report::ANSWERED },
        },
        Err(error) => Performed::failed(error.into(), facts),
    }
}

impl Performed {
    fn failed(failure: Failure, facts: CallFacts) -> Self {
        Self { end: report::end_of_failure(&failure), result: Err(failure), facts }
    }
}

async fn dispatch(
    surface: &dyn Surface,
    method: Method,
    params: &Params,
    revision: Revision,
    dialogue: &Dialogue,
) -> Result<Handled<(Body, End)>, Error> {
    let body = match method {
        Method::CallTool => return call_tool(surface, params, revision, dialogue).await,
        Method::ReadResource => {
            let read = surface.read(text(params, "uri")?).await;
            read.map(|contents| Body::private(results::read(&contents), contents.fresh_for))
        }
        Method::GetPrompt => {
            let prompt = surface.prompt(text(params, "name")?, texts(params, "arguments")?, dialogue).await;
            prompt.map(|outcome| Body::uncached(results::prompt_messages(outcome)))
        }
        Method::Complete => {
            let suggestions = surface.complete(completion(params)?).await;
            suggestions.map(|suggestions| Body::uncached(results::completion(suggestions)))
        }
        Method::Initialize => initialize(surface, params).into(),
        Method::Ping => Ok(Body::uncached(json!({}))).into(),
        Method::Discover => {
            let fields = results::discover(&surface.server());
            Ok(Body { fields, caching: Caching::Public(DISCOVERY_FRESH_FOR) }).into()
        }
        Method::ListTools => {
            let entries = surface.tools().into_iter().map(|(tool, schema)| results::tool(surface, tool, &schema));
            list("tools", entries.collect(), params, LISTS_FRESH_FOR).into()
        }
        Method::ListResources => {
            let entries = surface.resources().await?;
            let entries = entries.iter().map(results::resource);
            list("resources", entries.collect(), params, RESOURCES_FRESH_FOR).into()
        }
        Method::ListResourceTemplates => {
            let templates = surface.resource_templates();
            let entries = templates.iter().map(|(uri, entry)| results::resource_template(uri, entry));
            list("resourceTemplates", entries.collect(), params, LISTS_FRESH_FOR).into()
        }
        Method::ListPrompts => {
            let entries = surface.prompts().into_iter().map(|prompt| results::prompt(surface, prompt));
            list("prompts", entries.collect(), params, LISTS_FRESH_FOR).into()
        }
    };
    Ok(body.map(|body| (body, report::ANSWERED)))
}

/// Echoes the revision asked for if we speak it, or offers the newest with a handshake.
fn initialize(surface: &dyn Surface, params: &Params) -> Result<Body, Error> {
    let asked = text(params, "protocolVersion")?;
    let revision = Revision::parse_legacy(asked).unwrap_or(Revision::NEWEST_LEGACY);
    Ok(Body::uncached(results::initialize(&surface.server(), revision)))
}

/// A page or a role that does not allow the call is told to the model, which can choose another page; as a protocol
/// error it would only reach the client.
async fn call_tool(
    surface: &dyn Surface,
    params: &Params,
    revision: Revision,
    dialogue: &Dialogue,
) -> Result<Handled<(Body, End)>, Error> {
    let Handled { result, facts } = surface.call(text(params, "name")?, object(params, "arguments")?, dialogue).await;
    let outcome = match result {
        Err(error @ (Error::Forbidden(_) | Error::ResourceNotFound(_))) => {
            Ok(ToolOutcome { is_error: true, text: error.to_string(), ..ToolOutcome::default() })
        }
        result => result,
    };
    let called = Handled { result: outcome, facts };
    Ok(called.map(|outcome| {
        let end = report::end_of_tool(&outcome);
        (Body::uncached(results::call(outcome, revision)), end)
    }))
}

fn completion(params: &Params) -> Result<Completion, Error> {
    let reference = object(params, "ref")?;
    let of = match reference.get("type").and_then(Value::as_str) {
        Some("ref/prompt") => CompletionTarget::Prompt(text(&reference, "name")?.to_owned()),
        Some("ref/resource") => CompletionTarget::Resource(text(&reference, "uri")?.to_owned()),
        _ => return Err(Error::InvalidParams("ref.type must be ref/prompt or ref/resource".to_owned())),
    };
    let argument = object(params, "argument")?;
    Ok(Completion {
        of,
        argument: text(&argument, "name")?.to_owned(),
        typed: text(&argument, "value")?.to_owned(),
        chosen: texts(&object(params, "context")?, "arguments")?,
    })
}

/// One page of a list.
fn list(name: &str, entries: Vec<Value>, params: &Params, fresh_for: Duration) -> Result<Body, Error> {
    let cursor = match params.get("cursor") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(params, "cursor")?),
    };
    let page = paging::page(entries, cursor)?;
    let mut fields = json!({ name: page.entries });
    if let Some(next) = page.next {
        fields["nextCursor"] = json!(next);
    }
    Ok(Body::private(fields, fresh_for))
}

fn text<'a>(params: &'a Params, name: &str) -> Result<&'a str, Error> {
    params.get(name).and_then(Value::as_str).ok_or_else(|| Error::InvalidParams(format!("{name} must be a string")))
}

/// Absent and `null` are the same as empty.
fn object(params: &Params, name: &str) -> Result<Params, Error> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(Params::new()),
        Some(Value::Object(fields)) => Ok(fields.clone()),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(Error::InvalidParams(format!("{name} must be an object")))
        }
    }
}

fn texts(params: &Params, name: &str) -> Result<Variables, Error> {
    let fields = object(params, name)?.into_iter();
    let texts: Option<Variables> = fields.map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect();
    texts.ok_or_else(|| Error::InvalidParams(format!("{name} must be an object of strings")))
}
