//! Writing once, as far as StatiBeat can tell: look around, post under a name, look again where the answer was lost.
//!
//! Whether an earlier call did it already, and what is kept of this one, is each surface's own.

use super::checks::duplicate::{self, PossibleDuplicate};
use super::checks::references;
use crate::catalog::Write;
use crate::model::timestamp::Timestamp;
use crate::upstream::{ApiError, ApiErrorKind, PageClient, WriteAnswer};
use serde_json::Value;
use std::time::Duration;

/// A write that was carried out.
#[derive(Clone, Debug)]
pub struct WriteReport {
    /// What StatiBeat made of it.
    pub document: Value,
    pub made: WriteOrigin,
    /// Writes that are left in this window, if a limiter says.
    pub remaining: Option<u32>,
}

/// Who made a write that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOrigin {
    /// This attempt, and StatiBeat said so.
    Posted,
    /// This attempt; the answer was lost and a look afterwards found it.
    PostedVerified,
    /// An earlier attempt that had finished.
    Earlier,
    /// An earlier attempt that had not finished; a look found it.
    EarlierVerified,
    /// Somebody with the same `external_id` and content.
    Existing,
}

impl WriteOrigin {
    /// Whether this call published it.
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Posted | Self::PostedVerified)
    }
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// Another attempt with the same key is at it.
    Running {
        /// When it can be taken over at the latest.
        retry_after: Duration,
    },
    /// The key stands for other arguments.
    KeyConflict { fields: Vec<String> },
    /// The preview or confirmation was used before, for another write.
    TokenRedeemed,
    /// It looks like something that is there already.
    PossibleDuplicates(Vec<PossibleDuplicate>),
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
    pub api: &'a PageClient<'a>,
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
        let Write { operation, body } = self.write;
        match self.api.get(&operation.lookup_path(self.external_id)).await {
            Ok(document) if self.write.external_id().is_some() && !reads_like(&document, body) => Ok(None),
            Ok(document) => Ok(Some(document)),
            Err(error) if error.kind == ApiErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whoever may write but not read cannot be told what is there already; StatiBeat lets them write all the same.
    pub async fn check_similar(&self) -> Result<(), WriteError> {
        if !duplicate::applies_to(self.write) {
            return Ok(());
        }
        let active = match self.api.get(duplicate::READ).await {
            Err(error) if error.kind == ApiErrorKind::Forbidden => return Ok(()),
            answer => answer.map_err(WriteError::Unchecked)?,
        };
        let mut found = duplicate::find(&active, self.write, self.now);
        let is_own = |similar: &PossibleDuplicate| similar.external_id.as_deref() == Some(self.external_id);
        found.retain(|similar| !self.seen.contains(&similar.id) && !is_own(similar));
        if found.is_empty() { Ok(()) } else { Err(WriteError::PossibleDuplicates(found)) }
    }

    /// Posts it, once. Where the answer was lost, looks before saying anything.
    pub async fn post(&self) -> Result<(Value, WriteOrigin), WriteError> {
        match self.api.write(&self.named()).await {
            Ok(WriteAnswer { document, is_new }) if is_new || !self.write.operation.takes_external_id() => {
                Ok((document, WriteOrigin::Posted))
            }
            // What StatiBeat knew already was made by the attempt that was taken over, or under a name that the client gave.
            Ok(WriteAnswer { document, .. }) => {
                Ok((document, if self.is_taken_over { WriteOrigin::EarlierVerified } else { WriteOrigin::Existing }))
            }
            Err(error) => match error.kind {
                ApiErrorKind::OutcomeUnknown if !self.write.operation.takes_external_id() => {
                    Err(WriteError::Unconfirmed(error))
                }
                ApiErrorKind::OutcomeUnknown => match self.look_up().await {
                    Ok(Some(document)) => Ok((document, WriteOrigin::PostedVerified)),
                    Ok(None) | Err(_) => Err(WriteError::Upstream(error)),
                },
                ApiErrorKind::Invalid => {
                    let unknown = references::unknown(self.api, self.write).await;
                    Err(WriteError::Invalid { text: error.detail, unknown })
                }
                _ => Err(WriteError::Upstream(error)),
            },
        }
    }

    fn named(&self) -> Write {
        let mut write = self.write.clone();
        if self.write.operation.takes_external_id()
            && let Some(body) = write.body.as_object_mut()
        {
            body.insert("external_id".to_owned(), self.external_id.into());
        }
        write
    }
}

/// Whether a document holds the texts of a write.
fn reads_like(document: &Value, body: &Value) -> bool {
    ["title", "description", "message"]
        .iter()
        .all(|name| body.get(name).is_none_or(|text| document.get(name) == Some(text)))
}
