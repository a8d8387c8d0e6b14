//! Values of a write that the pipeline shares with the storage.

use super::ids::PageId;
use super::outcome::Reason;
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
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
