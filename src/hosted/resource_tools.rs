//! The read bridge: two tools that show what the resources show, for clients that only know tools. Off unless both the
//! operator and the person want it.
//!
//! Nothing is decided here. Both go the way of `resources/list` and `resources/read`, with their scopes and pages; what a
//! model can mend is told to it as the outcome of the call.

use super::handler::HostedHandler;
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
    let arguments = tool.check_arguments(Value::Object(arguments.clone()));
    let text = |name| arguments.as_ref().ok().and_then(|arguments| arguments.get(name)?.as_str());
    let Handled { result, details } = match (&arguments, name) {
        (Err(error), _) => Error::InvalidParams(error.0.clone()).into(),
        (Ok(_), LIST_RESOURCES) => list(handler, text("cursor")).await.into(),
        (Ok(_), READ_RESOURCE) => {
            handler.read(text("uri").unwrap_or_default()).await.map(|contents| contents.body.to_string())
        }
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
        let templates = handler.granted().filter(|(entry, _)| entry.is_template());
        let templates = templates
            .map(|(entry, _)| json!({ "uriTemplate": Roots::HOSTED.listed_template(entry), "title": entry.title }));
        shown["resourceTemplates"] = templates.collect();
    }
    if let Some(next) = page.next {
        shown["nextCursor"] = json!(next);
    }
    Ok(shown.to_string())
}
