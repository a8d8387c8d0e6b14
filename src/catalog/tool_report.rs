//! The report of a write: a table of fields, from which come the output schema, the structured result and the sentence. The
//! page comes first and whether it was a repeat last, so a report only says what is between.
//!
//! The schema carries no descriptions, and types only for what programs compute with (ids, truth values, warnings, the confirm token): a model pays for every word of the list. A field that upstream or the program does not say is left out; required are
//! those that every result has, also a preview.

use super::resource::{Resource, Variables};
use super::resources::find_resource;
use super::uri::Roots;
use crate::model::operation::TargetKind;
use crate::model::visible::{line, quote};
use serde_json::{Map, Value, json};

/// Longest text of a field, in characters.
const TEXT_MAX: usize = 300;

/// A write that StatiBeat carried out.
pub struct CompletedWrite<'a> {
    /// The answer to the write: the document that was made.
    pub answer: &'a Value,
    /// The page, with `id` and `name`, as the accessible-pages list shows it.
    pub page: &'a Value,
    /// The server's form of resource URIs; `None` if the caller may not read what was written.
    pub roots: Option<&'a Roots>,
    /// Names the audit entry, where there is one.
    pub audit_id: Option<&'a str>,
    /// The number of writes that the rate limit still allows, if there is one.
    pub remaining_writes: Option<u32>,
    /// A repeat of an earlier call: nothing was written now.
    pub replayed: bool,
}

/// The result of a call, before the protocol wraps it.
#[derive(Default)]
pub struct ToolResult {
    pub text: String,
    /// Conforms to the tool's output schema.
    pub structured: Value,
    /// Resources worth reading next: URI and entry.
    pub links: Vec<(String, &'static Resource)>,
}

/// One field of StatiBeat's answer.
#[derive(Clone, Copy)]
pub enum ReportField {
    /// The answer's own id, under the name of what it is.
    Id(&'static str),
    Number(&'static str),
    Text(&'static str),
    /// The name of the lifecycle stage, as `stage`.
    Stage,
}

pub struct ToolReport {
    /// Beginning of the sentence, as in `Created incident`.
    pub done: &'static str,
    /// Named in the sentence as what was added to.
    pub to: Option<TargetKind>,
    /// In the order of the schema.
    pub fields: &'static [ReportField],
    /// The kind of resource that shows what was written; `None`: nothing does.
    pub resource: Option<TargetKind>,
}

impl ToolReport {
    /// `is_hosted`: with what only Hosted MCP has, an audit log and rate limits.
    pub(super) fn schema(&self, is_hosted: bool) -> Value {
        let (number, any) = (|| json!({ "type": "integer" }), || json!({}));
        let own = self.fields.iter().map(|field| match field {
            ReportField::Id(name) | ReportField::Number(name) => (*name, number()),
            ReportField::Text(_) | ReportField::Stage => (field.name(), any()),
        });
        let uri = self.resource.map(|_| ("resource_uri", any()));
        let hosted = [("audit_id", any()), ("remaining_writes", any())].into_iter().filter(|_| is_hosted);
        let all = [("page_id", number()), ("page_name", any())].into_iter().chain(own).chain(uri).chain(hosted);
        let all = all.chain([
            ("replayed", json!({ "type": "boolean" })),
            ("warnings", json!({ "type": "array", "items": { "type": "string" } })),
            ("preview", preview_schema()),
        ]);
        let properties: Map<String, Value> = all.map(|(name, schema)| (name.to_owned(), schema)).collect();
        json!({ "type": "object", "required": ["page_id", "replayed"], "properties": properties })
    }

    pub(super) fn render(&self, completed: &CompletedWrite<'_>) -> ToolResult {
        let link = self.link(completed);
        let own = self.fields.iter().map(|field| (field.name(), field.read(completed.answer)));
        let page = completed.page;
        let all = [("page_id", number(&page["id"])), ("page_name", text(&page["name"]))].into_iter();
        let all = all.chain(own).chain([
            ("resource_uri", link.as_ref().map(|(uri, _)| uri.as_str().into())),
            ("audit_id", completed.audit_id.map(Value::from)),
            ("remaining_writes", completed.remaining_writes.map(Value::from)),
            ("replayed", Some(completed.replayed.into())),
        ]);
        let structured = Value::Object(all.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect());
        let text = self.sentence(&structured, completed.replayed);
        ToolResult { text, structured, links: link.into_iter().collect() }
    }

    fn link(&self, completed: &CompletedWrite<'_>) -> Option<(String, &'static Resource)> {
        let kind = self.resource?;
        let resource = find_resource(kind.into())?;
        let id = self.fields.iter().find(|field| field.name() == kind.id_argument())?.read(completed.answer)?;
        let page_id = completed.page["id"].as_i64()?;
        let variables: Variables = [("page_id", page_id.to_string()), (kind.id_argument(), id.to_string())]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
        Some((completed.roots?.expand(resource, &variables)?, resource))
    }

    fn sentence(&self, structured: &Value, replayed: bool) -> String {
        let number = |field: &str| structured[field].as_i64().map_or_else(String::new, |id| format!(" {id}"));
        let id = self.fields.iter().find(|field| matches!(field, ReportField::Id(_)));
        let id = id.map_or_else(String::new, |field| number(field.name()));
        let to = self.to.map(|kind| format!(" to {}{}", <&str>::from(kind), number(kind.id_argument())));
        let to = to.unwrap_or_default();
        let page = structured["page_name"].as_str().map_or_else(|| "the page".to_owned(), |name| quote(name, TEXT_MAX));
        let public = structured["public_url"].as_str();
        let public = public.map_or_else(String::new, |url| format!(" Customers see it at {url}"));
        let earlier = if replayed { "Already published by an earlier call: " } else { "" };
        format!("{earlier}{}{id}{to} on {page}.{public}", self.done)
    }
}

impl ReportField {
    const fn name(self) -> &'static str {
        match self {
            Self::Id(name) | Self::Number(name) | Self::Text(name) => name,
            Self::Stage => "stage",
        }
    }

    fn read(self, answer: &Value) -> Option<Value> {
        match self {
            Self::Id(_) => number(&answer["id"]),
            Self::Number(name) => number(&answer[name]),
            Self::Text(name) => text(&answer[name]),
            Self::Stage => text(&answer["lifecycle_stage"]["name"]),
        }
    }
}

/// The schema of a preview, as short as can be: a model pays for every word of the list.
fn preview_schema() -> Value {
    json!({ "required": ["confirm"], "properties": { "confirm": { "type": "string" } } })
}

fn number(value: &Value) -> Option<Value> {
    value.as_i64().map(Value::from)
}

fn text(value: &Value) -> Option<Value> {
    value.as_str().map(|text| line(text, TEXT_MAX).into())
}
