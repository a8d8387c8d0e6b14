//! What a tool tells its client after a write: a table of fields, from which come the output schema, the structured
//! result and the sentence. The page comes first and whether it was a repeat last, so a report only says what is between.
//!
//! The schema carries no descriptions: the names speak, and a model pays for every word of the list. A field that
//! upstream or the program does not say is left out.

use crate::catalog::tool::{Done, Written};
use crate::catalog::{Resource, Variables};
use crate::model::visible::{line, quote};
use serde_json::{Map, Value, json};

/// Longest text of a field, in characters.
const TEXT_MAX: usize = 300;

/// Where in StatiBeat's answer a field's value stands.
#[derive(Clone, Copy)]
pub enum FieldSource {
    Number(&'static str),
    Text(&'static str),
    /// A text one level down.
    Nested(&'static str, &'static str),
}

pub struct ToolReport {
    /// How the sentence begins, as in `Created incident`.
    pub done: &'static str,
    /// The field whose number follows.
    pub id: &'static str,
    /// What the update was added to: a word and a field.
    pub to: Option<(&'static str, &'static str)>,
    /// What the answer says, in the order of the schema.
    pub fields: &'static [(&'static str, FieldSource)],
    /// The resource that shows what was written, and the field that names it; `None`: nothing does.
    pub resource: Option<(&'static Resource, &'static str)>,
}

impl ToolReport {
    /// `is_hosted`: with what only Hosted MCP has, an audit log and rate limits.
    pub fn schema(&self, is_hosted: bool) -> Value {
        let own = self.fields.iter().map(|(name, source)| (*name, source.json_type()));
        let uri = self.resource.map(|_| ("resource_uri", "string"));
        let hosted = [("audit_id", "string"), ("remaining_writes", "integer")].into_iter().filter(|_| is_hosted);
        let all = [("page_id", "integer"), ("page_name", "string")].into_iter().chain(own).chain(uri).chain(hosted);
        let properties = all.chain([("replayed", "boolean")]);
        let properties: Map<String, Value> =
            properties.map(|(name, kind)| (name.to_owned(), json!({ "type": kind }))).collect();
        json!({ "type": "object", "properties": properties })
    }

    /// The report of one write.
    pub fn of(&self, written: &Written<'_>) -> Done {
        let uri = self.uri(written);
        let own = self.fields.iter().map(|(name, source)| (*name, source.read(written.answer)));
        let all = [("page_id", number(&written.page["id"])), ("page_name", words(&written.page["name"]))].into_iter();
        let all = all.chain(own).chain([
            ("resource_uri", uri.as_deref().map(Value::from)),
            ("audit_id", written.audit_id.map(Value::from)),
            ("remaining_writes", written.remaining_writes.map(Value::from)),
            ("replayed", Some(written.replayed.into())),
        ]);
        let structured = Value::Object(all.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect());
        let links = uri.into_iter().zip(self.resource).map(|(uri, (entry, _))| (uri, entry)).collect();
        Done { text: self.sentence(&structured, written.replayed), structured, links }
    }

    fn uri(&self, written: &Written<'_>) -> Option<String> {
        let (resource, field) = self.resource?;
        let id = self.fields.iter().find(|(name, _)| *name == field)?.1.read(written.answer)?;
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

impl FieldSource {
    const fn json_type(self) -> &'static str {
        match self {
            FieldSource::Number(_) => "integer",
            FieldSource::Text(_) | FieldSource::Nested(..) => "string",
        }
    }

    fn read(self, answer: &Value) -> Option<Value> {
        match self {
            FieldSource::Number(field) => number(&answer[field]),
            FieldSource::Text(field) => words(&answer[field]),
            FieldSource::Nested(outer, field) => words(&answer[outer][field]),
        }
    }
}

fn number(value: &Value) -> Option<Value> {
    value.as_i64().map(Value::from)
}

fn words(value: &Value) -> Option<Value> {
    value.as_str().map(|words| line(words, TEXT_MAX).into())
}
