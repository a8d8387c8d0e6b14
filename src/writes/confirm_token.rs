//! Sealed handles: proof that this very write was shown before, to this person through this connection.
//!
//! A handle is a sealed state ([`crate::mcp::state`]) under a key that is derived for what it stands for: who asked, the
//! tool, the page, the arguments, the key. None of that is written in it, so a handle that is swapped or of another
//! environment is simply not one. What is written is a random part and what was shown as similar. Single use is enforced
//! where the write is claimed.

use crate::keyring::KeyRing;
use crate::mcp::state::{Seal, Unopened};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a handle works. Long enough to read a preview and ask around, short enough that the page is still as shown.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// Longest handle looked at, in bytes.
const LENGTH_LIMIT: usize = 2048;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenPurpose {
    /// A preview, to the model.
    Preview,
    /// A question, to the person.
    Question,
}

impl ConfirmTokenPurpose {
    const fn usage(self) -> &'static str {
        match self {
            Self::Preview => "write preview",
            Self::Question => "write question",
        }
    }
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug)]
pub struct ConfirmTokenSubject<'a> {
    /// Who asks: the person, and what they act under.
    pub asker: [&'a str; 2],
    pub tool: &'a str,
    pub page_id: PageId,
    pub digest: &'a str,
    pub key_hash: &'a str,
}

/// What was shown that looked like the write: it is no reason to stop any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownDuplicates {
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub possible_duplicates: Vec<i64>,
    /// The name of the same write through another connection.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<String>,
}

/// A handle that was opened.
#[derive(Clone, Debug)]
pub struct Confirmation {
    /// What the claim uses up: the handle's random part.
    pub nonce: String,
    /// When the handle would have expired.
    pub expires_at: Timestamp,
    /// What was shown with it.
    pub shown: ShownDuplicates,
}

/// Why a handle opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenError {
    /// Not one of ours, or not for this call.
    Invalid,
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "n")]
    nonce: String,
    #[serde(flatten)]
    shown: ShownDuplicates,
}

/// Seals a handle for a write that is being shown.
pub fn seal(
    ring: &KeyRing,
    purpose: ConfirmTokenPurpose,
    subject: &ConfirmTokenSubject<'_>,
    shown: ShownDuplicates,
    now: Timestamp,
    random: [u8; 16],
) -> String {
    let payload = Payload { nonce: URL_SAFE_NO_PAD.encode(random), shown };
    let content = serde_json::to_value(payload).unwrap_or_default();
    let kid = ring.newest().kid();
    let key = key(ring, kid, purpose, subject).unwrap_or_default();
    let sealed = Seal { key: &key, bound_to: "" }.seal(&content, (now + LIFETIME).as_seconds());
    format!("{kid}.{sealed}")
}

/// Opens a handle that a call brings.
pub fn open(
    ring: &KeyRing,
    purpose: ConfirmTokenPurpose,
    subject: &ConfirmTokenSubject<'_>,
    text: &str,
    now: Timestamp,
) -> Result<Confirmation, ConfirmTokenError> {
    if text.len() > LENGTH_LIMIT {
        return Err(ConfirmTokenError::Invalid);
    }
    let (kid, sealed) = text.split_once('.').ok_or(ConfirmTokenError::Invalid)?;
    let key = key(ring, kid, purpose, subject).ok_or(ConfirmTokenError::Invalid)?;
    let opened = Seal { key: &key, bound_to: "" }.open(sealed, now.as_seconds());
    let (content, until) = opened.map_err(|reason| match reason {
        Unopened::Foreign => ConfirmTokenError::Invalid,
        Unopened::Expired => ConfirmTokenError::Expired,
    })?;
    let Payload { nonce, shown } = serde_json::from_value(content).map_err(|_| ConfirmTokenError::Invalid)?;
    Ok(Confirmation { nonce, expires_at: Timestamp::from_seconds(until), shown })
}

/// The key that seals handles for this subject alone.
fn key(ring: &KeyRing, kid: &str, purpose: ConfirmTokenPurpose, subject: &ConfirmTokenSubject<'_>) -> Option<[u8; 32]> {
    let ConfirmTokenSubject { asker: [person, under], tool, page_id, digest, key_hash } = subject;
    let page_id = page_id.to_string();
    let parts = [*person, *under, *tool, &page_id, *digest, *key_hash].map(str::as_bytes);
    Some(ring.mac(ring.find(kid)?, purpose.usage(), &parts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::testing::{NOW, SEED};

    struct Words {
        user: &'static str,
        grant: &'static str,
        tool: &'static str,
        page: i64,
        digest: &'static str,
        key: &'static str,
    }

    const ASKED: Words = Words { user: "42", grant: "g", tool: "create_incident", page: 7, digest: "d", key: "k" };

    fn ring(environment: &str) -> KeyRing {
        KeyRing::parse(&format!("a:{SEED}"), environment).expect("a ring")
    }

    fn with<T>(words: &Words, use_it: impl FnOnce(&ConfirmTokenSubject<'_>) -> T) -> T {
        let Words { user, grant, tool, page, digest, key: key_hash } = *words;
        use_it(&ConfirmTokenSubject { asker: [user, grant], tool, page_id: PageId(page), digest, key_hash })
    }

    fn shown() -> ShownDuplicates {
        ShownDuplicates { possible_duplicates: vec![9], duplicate: Some("mcp-x".into()) }
    }

    fn sealed() -> String {
        with(&ASKED, |subject| seal(&ring("test"), ConfirmTokenPurpose::Preview, subject, shown(), NOW, [5; 16]))
    }

    fn opened(words: &Words, text: &str, now: Timestamp) -> Result<Confirmation, ConfirmTokenError> {
        with(words, |subject| open(&ring("test"), ConfirmTokenPurpose::Preview, subject, text, now))
    }

    #[test]
    fn a_handle_opens_for_the_write_it_was_made_for() {
        let approval = opened(&ASKED, &sealed(), NOW).expect("it opens");
        assert_eq!((approval.shown, approval.expires_at), (shown(), NOW + LIFETIME));
    }

    #[test]
    fn a_handle_opens_for_nothing_else() {
        for other in [
            Words { user: "1", ..ASKED },
            Words { grant: "h", ..ASKED },
            Words { tool: "add_incident_update", ..ASKED },
            Words { page: 8, ..ASKED },
            Words { digest: "e", ..ASKED },
            Words { key: "l", ..ASKED },
        ] {
            assert_eq!(opened(&other, &sealed(), NOW).err(), Some(ConfirmTokenError::Invalid));
        }
        with(&ASKED, |subject| {
            let question = open(&ring("test"), ConfirmTokenPurpose::Question, subject, &sealed(), NOW);
            let elsewhere = open(&ring("live"), ConfirmTokenPurpose::Preview, subject, &sealed(), NOW);
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
