//! The resources that the suite prescribes.

use serde_json::{Value, json};
use statibeat_mcp::catalog::{Binding, BodyError, Resource, Subject};
use statibeat_mcp::mcp::{Error, Media, MediaData, ResourceContents};
use std::time::Duration;

/// A PNG of one red pixel.
pub const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV file without samples.
pub const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
/// What the template begins and ends with.
const TEMPLATE: (&str, &str) = ("test://template/", "/data");

const fn entry(name: &'static str, title: &'static str) -> Resource {
    Resource {
        name,
        path: name,
        title,
        description: "A fixture of the conformance suite.",
        binding: Binding::Session,
        hosted: None,
        reads: &[],
        priority: 0.5,
        fresh_for: Duration::ZERO,
        body: no_body,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the catalogue's bodies may fail")]
fn no_body(_: &Subject<'_>, _: Vec<Value>) -> Result<Value, BodyError> {
    Ok(Value::Null)
}

/// URI and entry of each concrete resource.
pub static CONCRETE: [(&str, Resource); 3] = [
    ("test://static-text", entry("static-text", "Static text")),
    ("test://static-binary", entry("static-binary", "Static binary")),
    ("test://watched-resource", entry("watched-resource", "Watched resource")),
];

/// The template.
pub static DATA: Resource = entry("template", "Template");

/// Its `uriTemplate`.
pub const DATA_URI: &str = "test://template/{id}/data";

/// Reads one of them.
pub fn read(uri: &str) -> Result<ResourceContents, Error> {
    let text = |words: &str| Some(media("text/plain", MediaData::Text(words.to_owned())));
    let id = uri.strip_prefix(TEMPLATE.0).and_then(|rest| rest.strip_suffix(TEMPLATE.1));
    let (body, media) = match (uri, id) {
        ("test://static-text", _) => (Value::Null, text("This is the content of the static text resource.")),
        ("test://watched-resource", _) => (Value::Null, text("Watched resource content")),
        ("test://static-binary", _) => (Value::Null, Some(media("image/png", MediaData::Base64(PNG.to_owned())))),
        (_, Some(id)) if !id.is_empty() => {
            (json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }), None)
        }
        _ => return Err(Error::ResourceNotFound(uri.to_owned())),
    };
    Ok(ResourceContents { uri: uri.to_owned(), body, fresh_for: Duration::ZERO, media })
}

/// A text resource that stands in a tool's result or a prompt.
pub fn embedded(uri: &str, mime_type: &'static str, words: &str) -> ResourceContents {
    let media = Some(media(mime_type, MediaData::Text(words.to_owned())));
    ResourceContents { uri: uri.to_owned(), body: Value::Null, fresh_for: Duration::ZERO, media }
}

/// Media of a type.
pub fn media(mime_type: &'static str, data: MediaData) -> Media {
    Media { mime_type, data }
}
