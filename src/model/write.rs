//! Values of a write that the pipeline shares with the storage.

use super::ids::PageId;
use super::outcome::Reason;
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use strum::IntoStaticStr;

/// Fields of a write whose text customers read.
pub const TEXT_FIELDS: [&str; 6] =
    ["title", "description", "message", "resolution_message", "impact", "affected_items_freetext"];

/// A digest for each argument, to say which of them differ.
pub type FieldDigests = BTreeMap<String, String>;

/// Digests of a write's key and arguments, by which two calls are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteFingerprint {
    /// Of the client's idempotency key, or of the arguments where it gave none.
    pub key_hash: String,
    /// True if the client gave the key.
    pub has_own_key: bool,
    /// Of all arguments, page and tool included.
    pub digest: String,
    /// The same, one by one.
    pub fields: FieldDigests,
}

impl WriteFingerprint {
    /// The names of the arguments that are not as they were.
    pub fn differing_fields(&self, known: &FieldDigests) -> Vec<String> {
        let names = known.keys().chain(self.fields.keys().filter(|name| !known.contains_key(*name)));
        names.filter(|name| known.get(*name) != self.fields.get(*name)).cloned().collect()
    }
}

/// Duplicates that a preview has shown: they no longer stop the write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDuplicates {
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub possible_duplicates: Vec<i64>,
    /// The external id of the same write through another connection.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<String>,
}

/// A call that was previewed, kept until its confirm token brings it back.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptPreview {
    /// SHA-256 of the confirm token.
    pub token_hash: String,
    pub tool: String,
    pub page_id: PageId,
    /// The arguments as the client gave them, `idempotency_key` included, without `page_id`, `preview` and `confirm`.
    pub arguments: Map<String, Value>,
    /// [`WriteFingerprint::key_hash`] of the previewed write.
    pub key_hash: String,
    /// [`WriteFingerprint::digest`] of the previewed write.
    pub digest: String,
    pub shown: ShownDuplicates,
    pub expires_at: Timestamp,
}

/// A preview that a confirm token brings back.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPreview {
    pub preview: KeptPreview,
    /// True if it was made under another grant of the connection: it publishes nothing here.
    pub is_of_other_grant: bool,
    /// True if its very write was requested before.
    pub is_known: bool,
    /// True if a client of the connection closed the question about this write without an answer, a short while ago.
    pub is_question_cancelled: bool,
}

/// The confirmation of one write, by the confirm token of its preview or by the person. Acquiring the lease redeems it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Works once: the hash of the confirm token, or the nonce of a request state.
    pub nonce: String,
    /// When it would have expired.
    pub expires_at: Timestamp,
    pub shown: ShownDuplicates,
}

/// Why a write may not be sent. The words are those of the SQL that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum WriteDenial {
    /// The grant was revoked or has expired.
    GrantEnded,
    /// The person has paused the connection's writes.
    WritesPaused,
    /// An admin has blocked the connection from the page.
    PageBlocked,
}

impl WriteDenial {
    /// The word of the SQL, which is also the detail of the audit row.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    pub const fn reason(self) -> Reason {
        match self {
            Self::GrantEnded => Reason::GrantEnded,
            Self::WritesPaused => Reason::WritesPaused,
            Self::PageBlocked => Reason::PageBlocked,
        }
    }
}

/// The result of a request for the lease of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquisition {
    Lease(Lease),
    /// The write is finished; StatiBeat returned this document.
    Completed(Value),
    Refused(LeaseRefusal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The external id of the write: new, or that of the attempt that was taken over.
    pub external_id: String,
    pub taken_over: Option<Takeover>,
}

/// The lease was taken over from an attempt that did not finish and whose outcome is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takeover {
    /// Reason why this attempt must not post, even if the lookup shows that the earlier attempt posted nothing.
    pub refusal: Option<LeaseRefusal>,
}

/// Reason why an attempt does not get the lease of a write, or no longer has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseRefusal {
    /// The connection may not, or no longer, write to the page.
    Denied(WriteDenial),
    /// Another attempt holds the lease.
    Running {
        /// When it can be taken over at the latest.
        retry_after: Duration,
    },
    /// The key stands for other arguments.
    KeyConflict { fields: Vec<String> },
    /// The confirm token was redeemed for another write.
    TokenRedeemed,
    /// Another connection asked for the same a moment ago.
    Duplicate(Duplicate),
}

impl LeaseRefusal {
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Denied(denial) => denial.reason(),
            Self::Running { .. } => Reason::StillRunning,
            Self::KeyConflict { .. } => Reason::KeyConflict,
            Self::TokenRedeemed => Reason::TokenRedeemed,
            Self::Duplicate(_) => Reason::Duplicate,
        }
    }
}

/// The same write through another connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    pub external_id: String,
    /// The id of what it published; `None` while its outcome is not known.
    pub published_id: Option<i64>,
    /// Time since it was published, or begun.
    pub age: Duration,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.age.as_secs() / 60;
        match self.published_id {
            Some(id) => {
                write!(f, "the very same was published {minutes} minutes ago through another connection (id {id})")
            }
            None => write!(
                f,
                "the very same was begun {minutes} minutes ago through another connection and may be published"
            ),
        }
    }
}

/// The calls before a write that matter to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierCalls {
    /// Of this connection, under the same key.
    pub same_key: Option<EarlierCall>,
    /// The same write through another connection, if one finished within the last 30 minutes or has no known outcome.
    pub duplicate: Option<Duplicate>,
}

/// A call with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EarlierCall {
    /// It had other arguments, in these fields.
    Conflict(Vec<String>),
    /// It is running, or its outcome is unknown.
    Unfinished,
    /// It is finished; StatiBeat returned this document.
    Completed(Value),
}
