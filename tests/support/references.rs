//! References in texts that a model is shown: URIs, and names of tools and prompts. Each must be one that this reader can follow.

use serde_json::Value;
use statibeat_mcp::catalog::prompts::PROMPTS;
use statibeat_mcp::catalog::tools::{RESOURCE_TOOLS, all_tools};
use std::collections::BTreeSet;

const SCHEME: &str = "statibeat://";
/// Words behind a URI that say who may read it where this reader may not.
const NOT_READABLE: &str = " (this connection may not read it)";
/// Words behind the name of a tool that this server's operator switched off.
const SWITCHED_OFF: &str = " (switched off here)";

/// References that one reader has from its lists.
pub struct KnownNames {
    pub uris: Vec<String>,
    pub names: BTreeSet<String>,
}

impl KnownNames {
    /// From the results of the four lists, in any order.
    pub fn new(lists: &[Value]) -> Self {
        let entries = lists.iter().flat_map(|list| {
            ["tools", "prompts", "resources", "resourceTemplates"].into_iter().filter_map(|name| list[name].as_array())
        });
        let entries: Vec<&Value> = entries.flatten().collect();
        let of = |field: &str| entries.iter().filter_map(|entry| entry[field].as_str()).map(str::to_owned).collect();
        let uris: Vec<String> = ["uri", "uriTemplate"].iter().flat_map(|field| -> Vec<String> { of(field) }).collect();
        let named = entries.iter().filter(|entry| entry["uri"].is_null() && entry["uriTemplate"].is_null());
        Self { uris, names: named.filter_map(|entry| entry["name"].as_str()).map(str::to_owned).collect() }
    }

    /// The references of a text that this reader cannot follow. `given` are the words of the reader that the text repeats.
    pub fn find_dead(&self, text: &str, given: &[&str]) -> Vec<String> {
        let text =
            given.iter().filter(|word| !word.is_empty()).fold(text.to_owned(), |text, word| text.replace(word, "…"));
        let uris = find_uris(&text).into_iter().filter(|uri| !self.has_uri(uri)).map(str::to_owned);
        // A name and the words that say that it is off are one word that names nothing.
        let joined = text.replace(SWITCHED_OFF, "_off");
        let words = joined.split(|letter: char| !letter.is_ascii_lowercase() && letter != '_');
        let names = words.filter(|word| is_name(word) && !self.names.contains(*word)).map(str::to_owned);
        let nameless = Self::is_writing_unnamed(&text).then(|| "writing".to_owned());
        uris.chain(names).chain(nameless).collect()
    }

    /// True for a URI, a template or the beginning of some.
    pub fn has_uri(&self, uri: &str) -> bool {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        self.uris.iter().any(|known| {
            let (template, parameters) = known.split_once('?').unwrap_or((known, ""));
            let is_beginning = path.ends_with('/') && is_same(path.trim_end_matches('/'), template, false);
            let has_parameters = query.split('&').filter(|pair| !pair.is_empty()).all(|pair| {
                let name = pair.split('=').next().unwrap_or_default();
                name == "cursor" || parameters.contains(&format!("{name}="))
            });
            is_beginning || (is_same(path, template, true) && has_parameters)
        })
    }

    /// A reader knows "writing" from a URI in the same text.
    fn is_writing_unnamed(text: &str) -> bool {
        let is_spoken_of = ["from writing", "in writing", "resource writing"].iter().any(|words| text.contains(words));
        is_spoken_of && !text.contains("/writing")
    }
}

/// Every text of a document, keys left out.
pub fn texts(document: &Value) -> Vec<&str> {
    match document {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => vec![],
    }
}

fn is_name(word: &str) -> bool {
    let tools = all_tools().chain(RESOURCE_TOOLS).map(|tool| tool.name);
    tools.chain(PROMPTS.iter().map(|prompt| prompt.name)).any(|name| name == word)
}

fn is_same(path: &str, template: &str, is_whole: bool) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    let is_variable = |segment: &str| segment.starts_with('{');
    let fits = |(given, known): (&&str, &&str)| given == known || is_variable(known) || is_variable(given);
    let lengths = if is_whole { path.len() == template.len() } else { path.len() <= template.len() };
    lengths && path.iter().zip(&template).all(fits)
}

/// The URIs of a text, without the punctuation behind them. One of which the text itself says that it may not be read is left out.
pub fn find_uris(text: &str) -> Vec<&str> {
    text.match_indices(SCHEME)
        .filter_map(|(start, _)| {
            let rest = &text[start..];
            let end = rest.find(|c: char| c.is_whitespace() || "\"'),;<>`…\\".contains(c)).unwrap_or(rest.len());
            let uri = rest[..end].trim_end_matches(['.', ':', '?']);
            (!rest[uri.len()..].starts_with(NOT_READABLE)).then_some(uri)
        })
        .collect()
}
