//! The read bridge: two tools that show what the resources show, for clients that only know tools. Off unless both the
//! operator and the person want it.
//!
//! Nothing is decided here. Both go the way of `resources/list` and `resources/read`, with their scopes and pages; what a
//! model can mend is told to it as the outcome of the call.

use super::surface::HostedSurface;
use crate::catalog::ArgumentError;
use crate::catalog::tools::reading::{LIST_RESOURCES, ListArguments, READ_RESOURCE, ReadArguments};
use crate::catalog::uri::Roots;
use crate::mcp::{Error, Handled, ServerHandler as _, ToolOutcome, paging};
use serde_json::{Map, Value, json};

/// Calls the tool, if it is one of the two.
pub async fn call(
    surface: &HostedSurface<'_>,
    name: &str,
    arguments: &Map<String, Value>,
) -> Option<Handled<ToolOutcome>> {
    let arguments = || Value::Object(arguments.clone());
    let Handled { result, facts } = match name {
        _ if !surface.has_read_bridge => return None,
        name if name == LIST_RESOURCES.name => list(surface, arguments()).await.into(),
        name if name == READ_RESOURCE.name => match ReadArguments::parse(arguments()) {
            Ok(ReadArguments { uri }) => surface.read(&uri).await.map(|contents| contents.body.to_string()),
            Err(error) => Error::from(error).into(),
        },
        _ => return None,
    };
    let result = match result {
        Ok(text) => Ok(ToolOutcome { text, ..ToolOutcome::default() }),
        Err(error @ (Error::InvalidParams(_) | Error::ResourceNotFound(_) | Error::Forbidden(_))) => {
            Ok(ToolOutcome { is_error: true, text: error.to_string(), ..ToolOutcome::default() })
        }
        Err(error) => Err(error),
    };
    Some(Handled { result, facts })
}

/// URIs and titles; the templates come with the first part.
async fn list(surface: &HostedSurface<'_>, arguments: Value) -> Result<String, Error> {
    let ListArguments { cursor } = ListArguments::parse(arguments)?;
    let page = paging::page(surface.resources().await?, cursor.as_deref())?;
    let resources = page.entries.iter().map(|listed| json!({ "uri": listed.uri, "title": listed.title() }));
    let mut shown = json!({ "resources": resources.collect::<Vec<_>>() });
    if cursor.is_none() {
        let templates = surface.granted().filter(|(entry, _)| entry.is_template());
        let templates = templates
            .map(|(entry, _)| json!({ "uriTemplate": Roots::HOSTED.listed_template(entry), "title": entry.title }));
        shown["resourceTemplates"] = templates.collect();
    }
    if let Some(next) = page.next {
        shown["nextCursor"] = json!(next);
    }
    Ok(shown.to_string())
}

impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Error::InvalidParams(error.0)
    }
}
