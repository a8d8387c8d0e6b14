//! Sealed handles: proof that this very write was shown before, to this person through this connection.
//!
//! A handle carries an expiry, a random part and the similar incidents that were shown. Everything else it stands for (who
//! asked, the tool, the page, the arguments, the key) is bound by its seal and not written in it, so a handle that is
//! tampered with, swapped or of another environment is simply not one. Single use is enforced where the write is claimed.

use crate::ids::PageId;
use crate::keyring::KeyRing;
use crate::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How long a handle works. Long enough to read a preview and ask around, short enough that the page is still as shown.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// Longest handle looked at, in bytes.
const LENGTH_LIMIT: usize = 2048;

/// What was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A preview, to the model.
    Preview,
    /// A question, to the person.
    Question,
}

impl Purpose {
    const fn usage(self) -> &'static str {
        match self {
            Self::Preview => "write preview",
            Self::Question => "write question",
        }
    }
}

/// What a handle stands for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Who asks: the person, and what they act under.
    pub asker: [&'a str; 2],
    /// The tool.
    pub tool: &'a str,
    /// The page.
    pub page_id: PageId,
    /// Of the arguments.
    pub digest: &'a str,
    /// Of the idempotency key.
    pub key_hash: &'a str,
}

/// A handle that was opened.
#[derive(Clone, Debug)]
pub struct Approval {
    /// What the claim uses up: the handle's random part.
    pub nonce: String,
    /// When the handle would have expired.
    pub expires_at: Timestamp,
    /// Similar incidents that were shown with it.
    pub seen: Vec<i64>,
}

/// Why a handle opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadHandle {
    /// Not one of ours, or not for this call.
    Foreign,
    /// Too old.
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(rename = "n")]
    nonce: String,
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<i64>,
}

/// Seals a handle for a write that is being shown.
pub fn seal(
    ring: &KeyRing,
    purpose: Purpose,
    subject: &Subject<'_>,
    seen: &[i64],
    now: Timestamp,
    random: [u8; 16],
) -> String {
    let nonce = URL_SAFE_NO_PAD.encode(random);
    let payload = Payload { nonce, expires_at: (now + LIFETIME).as_seconds(), seen: seen.to_vec() };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&payload).unwrap_or_default());
    let key = ring.newest();
    let mac = mac(ring, key.kid(), purpose, subject, &payload).unwrap_or_default();
    format!("{}.{payload}.{}", key.kid(), URL_SAFE_NO_PAD.encode(mac))
}

/// Opens a handle that a call brings.
pub fn open(
    ring: &KeyRing,
    purpose: Purpose,
    subject: &Subject<'_>,
    text: &str,
    now: Timestamp,
) -> Result<Approval, BadHandle> {
    let payload = authentic(ring, purpose, subject, text).ok_or(BadHandle::Foreign)?;
    let expires_at = Timestamp::from_seconds(payload.expires_at);
    if now >= expires_at {
        return Err(BadHandle::Expired);
    }
    Ok(Approval { nonce: payload.nonce, expires_at, seen: payload.seen })
}

fn authentic(ring: &KeyRing, purpose: Purpose, subject: &Subject<'_>, text: &str) -> Option<Payload> {
    let mut parts = text.split('.');
    let (kid, payload, given) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || text.len() > LENGTH_LIMIT {
        return None;
    }
    let given = URL_SAFE_NO_PAD.decode(given).ok()?;
    let is_ours: bool = mac(ring, kid, purpose, subject, payload)?.ct_eq(given.as_slice()).into();
    let payload = URL_SAFE_NO_PAD.decode(payload).ok().filter(|_| is_ours)?;
    serde_json::from_slice(&payload).ok()
}

fn mac(ring: &KeyRing, kid: &str, purpose: Purpose, subject: &Subject<'_>, payload: &str) -> Option<[u8; 32]> {
    let Subject { asker: [person, under], tool, page_id, digest, key_hash } = subject;
    let page_id = page_id.to_string();
    let parts = [*person, *under, *tool, &page_id, *digest, *key_hash, payload].map(str::as_bytes);
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

    fn with<T>(words: &Words, use_it: impl FnOnce(&Subject<'_>) -> T) -> T {
        let Words { user, grant, tool, page, digest, key: key_hash } = *words;
        use_it(&Subject { asker: [user, grant], tool, page_id: PageId(page), digest, key_hash })
    }

    fn sealed() -> String {
        with(&ASKED, |subject| seal(&ring("test"), Purpose::Preview, subject, &[9], NOW, [5; 16]))
    }

    fn opened(words: &Words, text: &str, now: Timestamp) -> Result<Approval, BadHandle> {
        with(words, |subject| open(&ring("test"), Purpose::Preview, subject, text, now))
    }

    #[test]
    fn a_handle_opens_for_the_write_it_was_made_for() {
        let approval = opened(&ASKED, &sealed(), NOW).expect("it opens");
        assert_eq!((approval.seen, approval.expires_at), (vec![9], NOW + LIFETIME));
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
            assert_eq!(opened(&other, &sealed(), NOW).err(), Some(BadHandle::Foreign));
        }
        with(&ASKED, |subject| {
            let question = open(&ring("test"), Purpose::Question, subject, &sealed(), NOW);
            let elsewhere = open(&ring("live"), Purpose::Preview, subject, &sealed(), NOW);
            assert_eq!((question.err(), elsewhere.err()), (Some(BadHandle::Foreign), Some(BadHandle::Foreign)));
        });
    }

    #[test]
    fn a_handle_lives_ten_minutes() {
        assert!(opened(&ASKED, &sealed(), NOW + LIFETIME - Duration::from_secs(1)).is_ok());
        assert_eq!(opened(&ASKED, &sealed(), NOW + LIFETIME).err(), Some(BadHandle::Expired));
    }

    #[test]
    fn a_changed_handle_is_none() {
        let text = sealed();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            // The last character of a part may hold bits that decode to nothing; those are refused by the decoder.
            assert_eq!(opened(&ASKED, &changed, NOW).err(), Some(BadHandle::Foreign), "{changed}");
        }
        for text in ["", ".", "..", "a..", &format!("{text}.x"), &"a.".repeat(2000)] {
            assert_eq!(opened(&ASKED, text, NOW).err(), Some(BadHandle::Foreign), "{text}");
        }
    }
}
