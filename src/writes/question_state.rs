//! The request state of a question to the person: proof that this very write was shown to them, through this connection.
//!
//! A signed state ([`crate::mcp::request_state`]) under a key that is derived for what it stands for: who asked, the
//! tool, the page, the arguments, the idempotency key. None of that is written in it, so a state that is swapped or of another
//! environment is simply not one. What is written is a nonce and what was shown as a duplicate. The client's program sends the call and
//! the state again by itself, so nothing needs to be kept; a confirm token is copied by a model, so its preview is.

use super::confirm_token::{Asker, LIFETIME};
use crate::keyring::{Key, KeyRing};
use crate::mcp::request_state::{RequestStateError, RequestStateKey};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::write::{Confirmation, ShownDuplicates, WriteFingerprint};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Longest state that is opened, in bytes.
const LENGTH_LIMIT: usize = 2048;

/// The write that a question is about, and the keys that sign its state.
#[derive(Clone, Copy)]
pub struct QuestionState<'a> {
    pub keys: &'a KeyRing,
    pub asker: Asker<'a>,
    pub tool: &'a str,
    pub page_id: PageId,
    pub fingerprint: &'a WriteFingerprint,
}

#[derive(Serialize, Deserialize)]
struct QuestionContent {
    #[serde(rename = "n")]
    nonce: String,
    #[serde(flatten)]
    shown: ShownDuplicates,
}

impl QuestionState<'_> {
    /// Signs a state for a write that is being shown. It always has a key: the ring's newest, not one that is looked up.
    pub fn sign(&self, shown: ShownDuplicates, now: Timestamp, random: [u8; 16]) -> String {
        let payload = QuestionContent { nonce: URL_SAFE_NO_PAD.encode(random), shown };
        let content = serde_json::to_value(payload).expect("texts and numbers have a JSON form");
        let newest = self.keys.newest();
        let signed =
            RequestStateKey { key: &self.secret(newest), bound_to: "" }.sign(&content, (now + LIFETIME).as_seconds());
        format!("{}.{signed}", newest.kid())
    }

    /// Opens a state that a call brings.
    pub fn open(&self, text: &str, now: Timestamp) -> Result<Confirmation, RequestStateError> {
        if text.len() > LENGTH_LIMIT {
            return Err(RequestStateError::Invalid);
        }
        let (kid, signed) = text.split_once('.').ok_or(RequestStateError::Invalid)?;
        let key = self.keys.find(kid).ok_or(RequestStateError::Invalid)?;
        let opened = RequestStateKey { key: &self.secret(key), bound_to: "" }.verify(signed, now.as_seconds());
        let (content, until) = opened?;
        let QuestionContent { nonce, shown } =
            serde_json::from_value(content).map_err(|_| RequestStateError::Invalid)?;
        Ok(Confirmation { nonce, expires_at: Timestamp::from_seconds(until), shown })
    }

    /// The secret that signs states for this subject alone.
    fn secret(&self, key: &Key) -> [u8; 32] {
        let Asker { person, grant, .. } = self.asker;
        let WriteFingerprint { digest, key_hash, .. } = self.fingerprint;
        let page_id = self.page_id.to_string();
        let parts = [person, grant, self.tool, &page_id, digest, key_hash].map(str::as_bytes);
        self.keys.mac(key, "write question", &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::testing::{NOW, SEED};
    use std::time::Duration;

    struct StateSubject {
        user: &'static str,
        grant: &'static str,
        tool: &'static str,
        page: i64,
        digest: &'static str,
        key: &'static str,
    }

    const ASKED: StateSubject =
        StateSubject { user: "42", grant: "g", tool: "create_incident", page: 7, digest: "d", key: "k" };

    fn ring(environment: &str) -> KeyRing {
        KeyRing::parse(&format!("a:{SEED}"), environment).expect("a ring")
    }

    fn with<T>(words: &StateSubject, use_it: impl FnOnce(&QuestionState<'_>) -> T) -> T {
        let StateSubject { user, grant, tool, page, digest, key } = *words;
        let (digest, key_hash) = (digest.to_owned(), key.to_owned());
        let fingerprint = WriteFingerprint { key_hash, digest, ..WriteFingerprint::default() };
        use_it(&QuestionState {
            keys: &ring("test"),
            asker: Asker { person: user, client: "c", grant },
            tool,
            page_id: PageId::new(page).expect("an id"),
            fingerprint: &fingerprint,
        })
    }

    fn shown() -> ShownDuplicates {
        ShownDuplicates { possible_duplicates: vec![9], duplicate: Some("mcp-x".into()) }
    }

    fn signed() -> String {
        with(&ASKED, |state| state.sign(shown(), NOW, [5; 16]))
    }

    fn opened(words: &StateSubject, text: &str, now: Timestamp) -> Result<Confirmation, RequestStateError> {
        with(words, |state| state.open(text, now))
    }

    #[test]
    fn state_opens_for_the_write_that_was_shown() {
        let approval = opened(&ASKED, &signed(), NOW).expect("it opens");
        assert_eq!((approval.shown, approval.expires_at), (shown(), NOW + LIFETIME));
    }

    #[test]
    fn state_of_one_write_opens_for_no_other() {
        for other in [
            StateSubject { user: "1", ..ASKED },
            StateSubject { grant: "h", ..ASKED },
            StateSubject { tool: "add_incident_update", ..ASKED },
            StateSubject { page: 8, ..ASKED },
            StateSubject { digest: "e", ..ASKED },
            StateSubject { key: "l", ..ASKED },
        ] {
            assert_eq!(opened(&other, &signed(), NOW).err(), Some(RequestStateError::Invalid));
        }
        with(&ASKED, |state| {
            let elsewhere = QuestionState { keys: &ring("live"), ..*state }.open(&signed(), NOW);
            assert_eq!(elsewhere.err(), Some(RequestStateError::Invalid));
        });
    }

    #[test]
    fn state_expires_after_ten_minutes() {
        assert!(opened(&ASKED, &signed(), NOW + LIFETIME - Duration::from_secs(1)).is_ok());
        assert_eq!(opened(&ASKED, &signed(), NOW + LIFETIME).err(), Some(RequestStateError::Expired));
    }

    #[test]
    fn changed_state_is_invalid() {
        let text = signed();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            // The last character of a part may hold bits that decode to nothing; those are refused by the decoder.
            assert_eq!(opened(&ASKED, &changed, NOW).err(), Some(RequestStateError::Invalid), "{changed}");
        }
        for text in ["", ".", "..", "a..", &format!("{text}.x"), &"a.".repeat(2000)] {
            assert_eq!(opened(&ASKED, text, NOW).err(), Some(RequestStateError::Invalid), "{text}");
        }
    }
}
