//! Writing once, as far as StatiBeat can tell: look around, post under a name, look again where the answer was lost.
//!
//! Whether an earlier call did it already, and what is kept of this one, is each surface's own.

use super::names;
use super::similar::{self, Similar};
use crate::catalog::Write;
use crate::model::timestamp::Timestamp;
use crate::upstream::{ApiError, PageApi, WriteAnswer};
use serde_json::Value;
use std::time::Duration;

/// A write that was carried out.
#[derive(Clone, Debug)]
pub struct Posted {
    /// What StatiBeat made of it.
    pub document: Value,
    pub made: Made,
    /// Writes that are left in this window, if a limiter says.
    pub remaining: Option<u32>,
}

/// Who made a write that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// This attempt, and StatiBeat said so.
    Now,
    /// This attempt; the answer was lost and a look afterwards found it.
    NowFound,
    /// An earlier attempt that had finished.
    Before,
    /// An earlier attempt that had not finished; a look found it.
    BeforeFound,
    /// Somebody with the same `external_id` and content.
    Elsewhere,
}

impl Made {
    /// Whether this call published it.
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Now | Self::NowFound)
    }
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// Another attempt with the same key is at it.
    Running {
        /// When it can be taken over at the latest.
        retry_after: Duration,
    },
    /// The key stands for other arguments.
    KeyConflict { fields: Vec<String> },
    /// The preview or confirmation was used before, for another write.
    HandleSpent,
    /// It looks like something that is there already.
    Similar(Vec<Similar>),
    /// A look around before posting failed.
    Unchecked(ApiError),
    /// An earlier attempt may have done it, and StatiBeat does not say.
    Unresolved(ApiError),
    /// StatiBeat finds the write wrong.
    Invalid {
        text: String,
        /// What in it the page does not know, and what it does.
        unknown: Vec<String>,
    },
    /// StatiBeat's answer, or the lack of it.
    Upstream(ApiError),
    /// No answer, to something that has no name to look for.
    Unconfirmed(ApiError),
}

/// A write on its way to a page, under the name that StatiBeat shall know it by.
pub struct Sending<'a> {
    pub api: &'a PageApi<'a>,
    pub write: &'a Write,
    pub external_id: &'a str,
    /// Similar incidents that were shown before and are no reason to stop.
    pub seen: &'a [i64],
    /// Whether an attempt of the same name came before and got lost.
    pub is_taken_over: bool,
    pub now: Timestamp,
}

impl Sending<'_> {
    /// What StatiBeat has under this name. A name that the client chose may be somebody else's: then what it names must
    /// read like this write, and if it does not, posting will tell.
    pub async fn look_up(&self) -> Result<Option<Value>, ApiError> {
        let Write { path, body, .. } = self.write;
        match self.api.get(&format!("{path}/external/{}", self.external_id)).await {
            Ok(document) if given_external_id(self.write).is_some() && !reads_like(&document, body) => Ok(None),
            Ok(document) => Ok(Some(document)),
            Err(ApiError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whoever may write but not read cannot be told what is there already; StatiBeat lets them write all the same.
    pub async fn check_similar(&self) -> Result<(), NotWritten> {
        if !similar::applies_to(self.write) {
            return Ok(());
        }
        let active = match self.api.get(similar::READ).await {
            Err(ApiError::Forbidden(_)) => return Ok(()),
            answer => answer.map_err(NotWritten::Unchecked)?,
        };
        let mut found = similar::find(&active, self.write, self.now);
        let is_own = |similar: &Similar| similar.external_id.as_deref() == Some(self.external_id);
        found.retain(|similar| !self.seen.contains(&similar.id) && !is_own(similar));
        if found.is_empty() { Ok(()) } else { Err(NotWritten::Similar(found)) }
    }

    /// Posts it, once. Where the answer was lost, looks before saying anything.
    pub async fn post(&self) -> Result<(Value, Made), NotWritten> {
        match self.api.write(&self.named()).await {
            Ok(WriteAnswer { document, is_new }) if is_new || !self.write.takes_external_id() => {
                Ok((document, Made::Now))
            }
            // What StatiBeat knew already was made by the attempt that was taken over, or under a name that the client gave.
            Ok(WriteAnswer { document, .. }) => {
                Ok((document, if self.is_taken_over { Made::BeforeFound } else { Made::Elsewhere }))
            }
            Err(lost @ ApiError::OutcomeUnknown(_)) if !self.write.takes_external_id() => {
                Err(NotWritten::Unconfirmed(lost))
            }
            Err(lost @ ApiError::OutcomeUnknown(_)) => match self.look_up().await {
                Ok(Some(document)) => Ok((document, Made::NowFound)),
                Ok(None) | Err(_) => Err(NotWritten::Upstream(lost)),
            },
            Err(ApiError::Invalid(text)) => {
                Err(NotWritten::Invalid { text, unknown: names::unknown(self.api, self.write).await })
            }
            Err(refused) => Err(NotWritten::Upstream(refused)),
        }
    }

    fn named(&self) -> Write {
        let mut write = self.write.clone();
        if self.write.takes_external_id()
            && let Some(body) = write.body.as_object_mut()
        {
            body.insert("external_id".to_owned(), self.external_id.into());
        }
        write
    }
}

/// The client's own name for a write.
pub fn given_external_id(write: &Write) -> Option<&str> {
    write.body.get("external_id").and_then(Value::as_str)
}

/// Whether a document holds the texts of a write.
fn reads_like(document: &Value, body: &Value) -> bool {
    ["title", "description", "message"]
        .iter()
        .all(|name| body.get(name).is_none_or(|text| document.get(name) == Some(text)))
}
