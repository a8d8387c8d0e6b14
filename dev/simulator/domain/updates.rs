//! The timeline of incidents and maintenances.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::wire::reply::{self, Handled, Refusal};

/// Full documents carry this many updates; the rest is behind `…/updates`.
pub const UPDATES_IN_DOCUMENT: usize = 20;
/// The longest message, in characters.
pub const MESSAGE_MAX: usize = 20_000;

/// Who wrote something.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Author {
    /// A person's or token's name.
    pub name: String,
    /// `dashboard`, `api_token`, `hosted_mcp` or `automation`.
    pub source: String,
}

impl Author {
    /// An author.
    pub fn new(name: &str, source: &str) -> Self {
        Self { name: name.to_owned(), source: source.to_owned() }
    }
}

/// One entry of a timeline.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Update {
    /// Numeric id.
    pub id: u64,
    /// What customers read.
    pub message: String,
    /// The stage it was written in or moved to.
    pub stage_id: u64,
    /// The incident's status after it; none for maintenances.
    pub status: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// When, in unix seconds.
    pub created_at: i64,
    /// The creator's id for it.
    #[serde(default)]
    pub external_id: Option<String>,
    /// The create request, to recognize its repetition.
    #[serde(default)]
    pub created_with: Option<String>,
}

/// The creator's name for an update, and the request it came with.
#[derive(Debug, Default)]
pub struct Origin {
    /// The creator's id for it.
    pub external_id: Option<String>,
    /// The create request.
    pub created_with: Option<String>,
}

/// The update of that external id, if the timeline has it.
pub fn find_external<'a>(updates: &'a [Update], external_id: Option<&str>) -> Option<&'a Update> {
    let external_id = external_id?;
    updates.iter().find(|update| update.external_id.as_deref() == Some(external_id))
}

/// What the repetition of a create is answered with: the update that is there, if it was created with the same request.
pub fn repeated(update: &Update, created_with: Option<&str>, shown: &Value) -> Handled {
    if update.created_with.is_some() && update.created_with.as_deref() == created_with {
        return Ok(reply::ok(shown));
    }
    Err(Refusal::conflict("external_id is taken by another update"))
}

impl Update {
    /// The update on the wire.
    pub fn show(&self, stage: impl Fn(u64) -> Value) -> Value {
        json!({
            "id": self.id,
            "external_id": self.external_id,
            "message": self.message,
            "lifecycle_stage": stage(self.stage_id),
            "status": self.status,
            "author": { "name": self.author.name, "source": self.author.source },
            "created_at": reply::time(self.created_at),
        })
    }
}

/// The newest updates first, at most `limit`.
pub fn newest(updates: &[Update], limit: usize, stage: impl Fn(u64) -> Value) -> Vec<Value> {
    updates.iter().rev().take(limit).map(|update| update.show(&stage)).collect()
}

/// The newest update, or `null`.
pub fn latest(updates: &[Update], stage: impl Fn(u64) -> Value) -> Value {
    updates.last().map_or(Value::Null, |update| update.show(stage))
}
