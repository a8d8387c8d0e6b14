//! What a tool tells its client after a write: a table of fields, from which come the output schema, the structured
//! result and the sentence.
//!
//! The schema carries no descriptions: the names speak, and a model pays for every word of the list. A field that
//! upstream or the surface does not say is left out.

use super::{Done, Written};
use crate::catalog::{Resource, Variables};
use crate::model::visible::{line, quote};
use serde_json::{Map, Value, json};

/// Longest text of a field, in characters.
const TEXT_MAX: usize = 300;

/// Where a field's value comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// A number of the page.
    PageId,
    PageName,
    /// A number of the answer.
    Number(&'static str),
    /// A text of the answer.
    Text(&'static str),
    /// A text one level down in the answer.
    Nested(&'static str, &'static str),
    /// The URI of the resource that shows what was written.
    ResourceUri,
    AuditId,
    RemainingWrites,
    /// Whether nothing was written now.
    Replayed,
}

pub struct Report {
    /// How the sentence begins, as in `Created incident`.
    pub done: &'static str,
    /// The field whose number follows.
    pub id: &'static str,
    /// What the update was added to: a word and a field.
    pub to: Option<(&'static str, &'static str)>,
    /// The fields, in the order of the schema.
    pub fields: &'static [(&'static str, Source)],
    /// The resource that shows what was written, and the field that names it; `None`: nothing does.
    pub resource: Option<(&'static Resource, &'static str)>,
}

impl Report {
    pub fn schema(&self) -> Value {
        let property = |(name, source): &(&str, Source)| ((*name).to_owned(), json!({ "type": source.json_type() }));
        let properties: Map<String, Value> = self.fields.iter().map(property).collect();
        json!({ "type": "object", "properties": properties })
    }

    /// The report of one write.
    pub fn of(&self, written: &Written<'_>) -> Done {
        let uri = self.uri(written);
        let value = |(name, source): &(&str, Source)| Some(((*name).to_owned(), source.read(written, uri.as_deref())?));
        let structured = Value::Object(self.fields.iter().filter_map(value).collect());
        let links = uri.iter().zip(self.resource).map(|(uri, (entry, _))| (uri.clone(), entry)).collect();
        Done { text: self.sentence(&structured, written.replayed), structured, links }
    }

    fn uri(&self, written: &Written<'_>) -> Option<String> {
        let (resource, field) = self.resource?;
        let id = self.fields.iter().find(|(name, _)| *name == field)?.1.read(written, None)?;
        let page_id = written.page["id"].as_i64()?;
        let variables: Variables = [("page_id", page_id.to_string()), (field, id.to_string())]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        written.roots.expand(resource, &variables)
    }

    fn sentence(&self, structured: &Value, replayed: bool) -> String {
        let number = |field: &str| structured[field].as_i64().map_or_else(String::new, |id| format!(" {id}"));
        let what = format!("{}{}", self.done, number(self.id));
        let to = self.to.map_or_else(String::new, |(word, field)| format!(" to {word}{}", number(field)));
        let page = structured["page_name"].as_str().map_or_else(|| "the page".to_owned(), |name| quote(name, TEXT_MAX));
        let public = structured["public_url"].as_str();
        let public = public.map_or_else(String::new, |url| format!(" Customers see it at {url}"));
        let earlier = if replayed { "Nothing new was published; an earlier call did this: " } else { "" };
        format!("{earlier}{what}{to} on {page}.{public}")
    }
}

impl Source {
    const fn json_type(self) -> &'static str {
        match self {
            Source::PageId | Source::Number(_) | Source::RemainingWrites => "integer",
            Source::Replayed => "boolean",
            Source::PageName | Source::Text(_) | Source::Nested(..) | Source::ResourceUri | Source::AuditId => "string",
        }
    }

    fn read(self, written: &Written<'_>, uri: Option<&str>) -> Option<Value> {
        match self {
            Source::PageId => written.page["id"].as_i64().map(Value::from),
            Source::PageName => words(&written.page["name"]),
            Source::Number(field) => written.answer[field].as_i64().map(Value::from),
            Source::Text(field) => words(&written.answer[field]),
            Source::Nested(outer, field) => words(&written.answer[outer][field]),
            Source::ResourceUri => uri.map(Value::from),
            Source::AuditId => written.audit_id.map(Value::from),
            Source::RemainingWrites => written.remaining_writes.map(Value::from),
            Source::Replayed => Some(written.replayed.into()),
        }
    }
}

fn words(value: &Value) -> Option<Value> {
    value.as_str().map(|words| line(words, TEXT_MAX).into())
}
