//! The resource tools: two tools that return the content of resources, for tool-only clients. Off unless both operator
//! and person enable them.
//!
//! Both use the implementation of `resources/list` and `resources/read`, with the same scopes and pages. Errors that a
//! model can fix are tool errors.

use super::handler::HostedHandler;
use super::lists;
use super::resource_uri;
use crate::catalog::Variables;
use crate::catalog::tools::{LIST_RESOURCES, READ_RESOURCE, RESOURCE_TOOLS};
use crate::catalog::uri::Roots;
use crate::mcp::{Error, Handled, ServerHandler as _, ToolOutcome, paging};
use serde_json::{Map, Value, json};

/// Calls the tool, if it is one of the two.
pub async fn call(
    handler: &HostedHandler<'_>,
    name: &str,
    arguments: &Map<String, Value>,
) -> Option<Handled<ToolOutcome>> {
    let tool = RESOURCE_TOOLS.iter().find(|tool| handler.has_resource_tools && tool.name == name)?;
    let mut arguments = arguments.clone();
    let variables = if name == READ_RESOURCE { resource_uri::take_variables(&mut arguments) } else { Variables::new() };
    let arguments = tool.check_arguments(Value::Object(arguments));
    let Handled { result, details } = match (arguments, name) {
        (Err(error), _) => Error::InvalidParams(format!("Invalid arguments: {}.", error.0)).into(),
        (Ok(arguments), LIST_RESOURCES) => list(handler, arguments.get("cursor").and_then(Value::as_str)).await.into(),
        (Ok(arguments), READ_RESOURCE) => match resource_uri::compose(&arguments, variables) {
            Ok(uri) => handler.read(&uri).await.map(|contents| contents.body.to_string()),
            Err(problem) => Error::InvalidParams(format!("Invalid arguments: {problem}.")).into(),
        },
        _ => return None,
    };
    let result = match result {
        Ok(text) => Ok(ToolOutcome { text, ..ToolOutcome::default() }),
        Err(error @ (Error::InvalidParams(_) | Error::ResourceNotFound { .. } | Error::Forbidden(_))) => {
            Ok(ToolOutcome { is_error: true, text: error.to_string(), ..ToolOutcome::default() })
        }
        Err(error) => Err(error),
    };
    Some(Handled { result, details })
}

/// URIs and titles; the templates come with the first part.
async fn list(handler: &HostedHandler<'_>, cursor: Option<&str>) -> Result<String, Error> {
    let page = paging::page(handler.resources().await?, cursor)?;
    let resources = page.entries.iter().map(|listed| json!({ "uri": listed.uri, "title": listed.title() }));
    let mut shown = json!({ "resources": resources.collect::<Vec<_>>() });
    if cursor.is_none() {
        let templates = handler.granted().filter(|(entry, _)| lists::is_template(entry));
        let templates = templates
            .map(|(entry, _)| json!({ "uriTemplate": Roots::HOSTED.listed_template(entry), "title": entry.title }));
        shown["resourceTemplates"] = templates.collect();
    }
    if let Some(next) = page.next {
        shown["nextCursor"] = json!(next);
    }
    Ok(shown.to_string())
}
