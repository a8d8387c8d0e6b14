//! A resource: where it is, what it asks for, and how its result is made of upstream answers.

use super::text;
use crate::model::scope::Requirement;
use crate::model::time_zone;
use crate::model::timestamp::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Values of a template's variables.
pub type Variables = BTreeMap<String, String>;

/// The scope of a resource: the person or one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// The signed-in person: no page.
    Session,
    Page,
}

/// Something a client can read.
pub struct Resource {
    /// Unique, `snake_case`; for logs and tests.
    pub name: &'static str,
    /// Relative to the surface's URI root (session) or to the page (page-bound), with `{variables}`; for instance
    /// `incidents/{incident_id}`.
    pub path: &'static str,
    pub title: &'static str,
    /// Content and use, for models and people.
    pub description: &'static str,
    pub binding: Binding,
    /// Scope and permissions that Hosted MCP requires; `None` if it does not offer the resource.
    pub hosted: Option<Requirement>,
    /// The upstream reads the body is made of; made in parallel.
    pub reads: &'static [Read],
    /// Further reads that the body uses, each where the person and the connection may read it. A session resource reads them on
    /// its first pages.
    pub parts: &'static [ResourcePart],
    /// Time for which a client may keep a copy.
    pub fresh_for: Duration,
    /// Makes the result from the answers to `reads`, in order. Called by [`Resource::render`].
    pub body: fn(&Subject<'_>, Vec<Value>) -> Result<Value, DocumentError>,
}

impl Resource {
    /// True if its URI has no variable besides the page.
    pub fn is_concrete(&self) -> bool {
        !self.path.split('?').next().unwrap_or_default().contains('{')
    }

    /// `true` if there is something in its URI to choose, so that clients learn of it as a template. A cursor is not
    /// chosen: results hand it out.
    pub fn is_template(&self) -> bool {
        self.path.replace("{cursor}", "").contains('{')
    }

    /// The path as templates show it: without the cursor.
    pub fn template_path(&self) -> &'static str {
        let path = self.path.strip_suffix("?cursor={cursor}").unwrap_or(self.path);
        path.strip_suffix("&cursor={cursor}").unwrap_or(path)
    }

    /// The result to show, made from the answers to `reads`, in order; `None` for an optional one that did not come.
    /// Sensitive fields and hidden characters are gone.
    pub fn render(&self, subject: &Subject<'_>, answers: Vec<Option<Value>>) -> Result<Value, DocumentError> {
        let missing: Vec<&str> =
            self.reads.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(read, _)| read.path).collect();
        let mut result = (self.body)(subject, answers.into_iter().map(Option::unwrap_or_default).collect())?;
        if !missing.is_empty() {
            result["partial"] =
                serde_json::json!({ "missing": missing, "reason": "StatiBeat did not answer this part." });
        }
        result["as_of"] = time_zone::as_of(subject.now, find_zone(&result, subject.page));
        text::sanitize(&mut result);
        Ok(result)
    }
}

/// The page's time zone: that of its settings where the result shows them, as the listed page may be older.
fn find_zone<'a>(result: &'a Value, page: Option<&'a Value>) -> Option<&'a str> {
    let settings = [&result["page"], &result["summary"]].into_iter().chain(page);
    settings.into_iter().find_map(|settings| settings["time_zone"].as_str())
}

pub struct Read {
    /// Relative to the API root (session) or to the page's admin root (page-bound), with the resource's `{variables}`
    /// for [`super::uri::expand`]; may carry a fixed query.
    pub path: &'static str,
    /// `true` if the result is worth showing without it.
    pub is_optional: bool,
}

/// An upstream read that a resource can do without, with a requirement of its own.
pub struct ResourcePart {
    pub name: &'static str,
    /// Relative to the page's admin root.
    pub path: &'static str,
    pub needs: Requirement,
}

/// The member of a part that could not be had: the reason.
pub const MISSING: &str = "missing";

/// Input of a body function besides the upstream answers.
pub struct Subject<'a> {
    /// Values of the path's variables.
    pub variables: &'a Variables,
    /// The page as the accessible-pages list showed it, at most a minute ago; `None` for session resources.
    pub page: Option<&'a Value>,
    /// The resource's URI without a cursor.
    pub uri: &'a str,
    /// The answers of the parts by name, or why there is none (`{"missing": reason}`); in a session resource such an
    /// object for each page, by its id.
    pub parts: &'a Value,
    pub now: Timestamp,
}

impl Subject<'_> {
    /// The URI of the part of a list behind a cursor.
    pub(super) fn at_cursor(&self, cursor: &str) -> String {
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}cursor={cursor}", self.uri)
    }
}

/// Why upstream answers make no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// An answer has not the promised shape.
    #[error("upstream answer: {0}")]
    Malformed(String),
    /// The entry that the cursor stands behind is no longer in the list.
    #[error("this cursor is no longer valid; read the list from its beginning")]
    Cursor,
    /// The upstream answers lack the object that the URI names.
    #[error("not in the answer")]
    Absent,
}
