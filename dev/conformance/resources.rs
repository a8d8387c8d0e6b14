//! The resources that the suite prescribes.

use serde_json::{Value, json};
use statibeat_mcp::catalog::{Binding, DocumentError, Resource, Subject};
use statibeat_mcp::mcp::{Error, ResourceContents};
use std::time::Duration;

/// Prefix and suffix of the template.
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
        parts: &[],
        fresh_for: Duration::ZERO,
        body: no_body,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the catalog's bodies may fail")]
fn no_body(_: &Subject<'_>, _: Vec<Value>) -> Result<Value, DocumentError> {
    Ok(Value::Null)
}

/// URI and entry of each concrete resource.
pub static CONCRETE: [(&str, Resource); 3] = [
    ("test://static-text", entry("static-text", "Static text")),
    ("test://static-binary", entry("static-binary", "Static binary")),
    ("test://watched-resource", entry("watched-resource", "Watched resource")),
];

pub static DATA: Resource = entry("template", "Template");

pub const DATA_URI: &str = "test://template/{id}/data";

/// Reads one of them; what a concrete one holds is put in by `media`.
pub fn read(uri: &str) -> Result<ResourceContents, Error> {
    let id = uri.strip_prefix(TEMPLATE.0).and_then(|rest| rest.strip_suffix(TEMPLATE.1));
    let body = match id {
        Some(id) if !id.is_empty() => json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") }),
        _ if CONCRETE.iter().any(|(known, _)| *known == uri) => Value::Null,
        _ => return Err(Error::ResourceNotFound { uri: uri.to_owned(), message: "No such resource".to_owned() }),
    };
    Ok(ResourceContents { uri: uri.to_owned(), body, fresh_for: Duration::ZERO })
}
