//! Confirm tokens: proof that this very write was shown before, to this person through this connection.
//!
//! A token is a sealed state ([`crate::mcp::request_state`]) under a key that is derived for what it stands for: who asked, the
//! tool, the page, the arguments, the idempotency key. None of that is written in it, so a token that is swapped or of another
//! environment is simply not one. What is written is a nonce and what was shown as a duplicate. Single use is enforced
//! where the lease of the write is acquired.

use crate::keyring::{Key, KeyRing};
use crate::mcp::request_state::{RequestStateError, RequestStateKey};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::write::{Confirmation, ShownDuplicates, WriteFingerprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Lifetime of a confirm token. Long enough to read a preview and ask around, short enough that the page is still as shown.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// Longest token that is opened, in bytes.
const LENGTH_LIMIT: usize = 2048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenPurpose {
    /// A preview, to the model.
    Preview,
    /// A question, to the person.
    InputRequest,
}

impl ConfirmTokenPurpose {
    const fn usage(self) -> &'static str {
        match self {
            Self::Preview => "write preview",
            Self::InputRequest => "write question",
        }
    }
}

/// The write that a token confirms, and the keys that seal it.
#[derive(Clone, Copy)]
pub struct ConfirmTokens<'a> {
    pub keys: &'a KeyRing,
    pub purpose: ConfirmTokenPurpose,
    /// The person, and the grant or credential that they act under.
    pub asker: [&'a str; 2],
    pub tool: &'a str,
    pub page_id: PageId,
    pub fingerprint: &'a WriteFingerprint,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenError {
    /// Not one of ours, or not for this call.
    Invalid,
    Expired,
}

#[derive(Serialize, Deserialize)]
struct TokenContent {
    #[serde(rename = "n")]
    nonce: String,
    #[serde(flatten)]
    shown: ShownDuplicates,
}

impl ConfirmTokens<'_> {
    /// Seals a token for a write that is being shown. It always has a key: the ring's newest, not one that is looked up.
    pub fn issue(&self, shown: ShownDuplicates, now: Timestamp, random: [u8; 16]) -> String {
        let payload = TokenContent { nonce: URL_SAFE_NO_PAD.encode(random), shown };
        let content = serde_json::to_value(payload).expect("texts and numbers have a JSON form");
        let newest = self.keys.newest();
        let sealed =
            RequestStateKey { key: &self.secret(newest), bound_to: "" }.sign(&content, (now + LIFETIME).as_seconds());
        format!("{}.{sealed}", newest.kid())
    }

    /// Opens a token that a call brings.
    pub fn open(&self, text: &str, now: Timestamp) -> Result<Confirmation, ConfirmTokenError> {
        if text.len() > LENGTH_LIMIT {
            return Err(ConfirmTokenError::Invalid);
        }
        let (kid, sealed) = text.split_once('.').ok_or(ConfirmTokenError::Invalid)?;
        let key = self.keys.find(kid).ok_or(ConfirmTokenError::Invalid)?;
        let opened = RequestStateKey { key: &self.secret(key), bound_to: "" }.verify(sealed, now.as_seconds());
        let (content, until) = opened.map_err(|reason| match reason {
            RequestStateError::Invalid => ConfirmTokenError::Invalid,
            RequestStateError::Expired => ConfirmTokenError::Expired,
        })?;
        let TokenContent { nonce, shown } = serde_json::from_value(content).map_err(|_| ConfirmTokenError::Invalid)?;
        Ok(Confirmation { nonce, expires_at: Timestamp::from_seconds(until), shown })
    }

    /// The secret that seals tokens for this subject alone.
    fn secret(&self, key: &Key) -> [u8; 32] {
        let [person, under] = self.asker;
        let WriteFingerprint { digest, key_hash, .. } = self.fingerprint;
        let page_id = self.page_id.to_string();
        let parts = [person, under, self.tool, &page_id, digest, key_hash].map(str::as_bytes);
        self.keys.mac(key, self.purpose.usage(), &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::testing::{NOW, SEED};

    struct TokenSubject {
        user: &'static str,
        grant: &'static str,
        tool: &'static str,
        page: i64,
        digest: &'static str,
        key: &'static str,
    }

    const ASKED: TokenSubject =
        TokenSubject { user: "42", grant: "g", tool: "create_incident", page: 7, digest: "d", key: "k" };

    fn ring(environment: &str) -> KeyRing {
        KeyRing::parse(&format!("a:{SEED}"), environment).expect("a ring")
    }

    fn with<T>(words: &TokenSubject, use_it: impl FnOnce(&ConfirmTokens<'_>) -> T) -> T {
        let TokenSubject { user, grant, tool, page, digest, key } = *words;
        let (digest, key_hash) = (digest.to_owned(), key.to_owned());
        let fingerprint = WriteFingerprint { key_hash, digest, ..WriteFingerprint::default() };
        use_it(&ConfirmTokens {
            keys: &ring("test"),
            purpose: ConfirmTokenPurpose::Preview,
            asker: [user, grant],
            tool,
            page_id: PageId(page),
            fingerprint: &fingerprint,
        })
    }

    fn shown() -> ShownDuplicates {
        ShownDuplicates { possible_duplicates: vec![9], duplicate: Some("mcp-x".into()) }
    }

    fn sealed() -> String {
        with(&ASKED, |tokens| tokens.issue(shown(), NOW, [5; 16]))
    }

    fn opened(words: &TokenSubject, text: &str, now: Timestamp) -> Result<Confirmation, ConfirmTokenError> {
        with(words, |tokens| tokens.open(text, now))
    }

    #[test]
    fn a_handle_opens_for_the_write_it_was_made_for() {
        let approval = opened(&ASKED, &sealed(), NOW).expect("it opens");
        assert_eq!((approval.shown, approval.expires_at), (shown(), NOW + LIFETIME));
    }

    #[test]
    fn a_handle_opens_for_nothing_else() {
        for other in [
            TokenSubject { user: "1", ..ASKED },
            TokenSubject { grant: "h", ..ASKED },
            TokenSubject { tool: "add_incident_update", ..ASKED },
            TokenSubject { page: 8, ..ASKED },
            TokenSubject { digest: "e", ..ASKED },
            TokenSubject { key: "l", ..ASKED },
        ] {
            assert_eq!(opened(&other, &sealed(), NOW).err(), Some(ConfirmTokenError::Invalid));
        }
        with(&ASKED, |tokens| {
            let question = ConfirmTokens { purpose: ConfirmTokenPurpose::InputRequest, ..*tokens }.open(&sealed(), NOW);
            let elsewhere = ConfirmTokens { keys: &ring("live"), ..*tokens }.open(&sealed(), NOW);
            assert_eq!(
                (question.err(), elsewhere.err()),
                (Some(ConfirmTokenError::Invalid), Some(ConfirmTokenError::Invalid))
            );
        });
    }

    #[test]
    fn a_handle_lives_ten_minutes() {
        assert!(opened(&ASKED, &sealed(), NOW + LIFETIME - Duration::from_secs(1)).is_ok());
        assert_eq!(opened(&ASKED, &sealed(), NOW + LIFETIME).err(), Some(ConfirmTokenError::Expired));
    }

    #[test]
    fn a_changed_handle_is_none() {
        let text = sealed();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            // The last character of a part may hold bits that decode to nothing; those are refused by the decoder.
            assert_eq!(opened(&ASKED, &changed, NOW).err(), Some(ConfirmTokenError::Invalid), "{changed}");
        }
        for text in ["", ".", "..", "a..", &format!("{text}.x"), &"a.".repeat(2000)] {
            assert_eq!(opened(&ASKED, text, NOW).err(), Some(ConfirmTokenError::Invalid), "{text}");
        }
    }
}
