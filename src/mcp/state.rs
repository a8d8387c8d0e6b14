//! Sealed `requestState` ([multi round-trip requests](https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr)): what we must remember between a question and its answer, in the
//! client's hands. Readable to it, not changeable: an HMAC binds the content to who asked, for what, and until when.
//! Single use, where it matters, is the business of whoever keeps a record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Why a state does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It was changed, or belongs to something else.
    Foreign,
    Expired,
}

/// What a state is sealed with, and for.
#[derive(Clone, Copy)]
pub struct Seal<'a> {
    /// A secret of ours, for this use alone.
    pub key: &'a [u8; 32],
    /// Who asked for what: person, grant, method, name, arguments. A state opens only for the same again.
    pub bound_to: &'a str,
}

impl Seal<'_> {
    /// The sealed form of a content, valid until a time (unix seconds).
    pub fn seal(&self, content: &Value, until: i64) -> String {
        let payload = URL_SAFE_NO_PAD.encode(json!({ "until": until, "content": content }).to_string());
        let tag = URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        format!("{payload}.{tag}")
    }

    /// The content, and until when it was valid.
    pub fn open(&self, sealed: &str, now: i64) -> Result<(Value, i64), Unopened> {
        let (content, until) = self.authentic(sealed).ok_or(Unopened::Foreign)?;
        if now < until { Ok((content, until)) } else { Err(Unopened::Expired) }
    }

    fn authentic(&self, sealed: &str) -> Option<(Value, i64)> {
        let (payload, tag) = sealed.split_once('.')?;
        self.mac(payload).verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let mut state: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some((state["content"].take(), state["until"].as_i64()?))
    }

    fn mac(&self, payload: &str) -> Hmac<Sha256> {
        // The length goes first, so that no other cut between the two parts gives the same bytes.
        let mac = Hmac::<Sha256>::new_from_slice(self.key).expect("HMAC takes keys of every length");
        mac.chain_update((self.bound_to.len() as u64).to_be_bytes()).chain_update(self.bound_to).chain_update(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEAL: Seal<'_> = Seal { key: &[7; 32], bound_to: "user 1, create_incident, digest" };

    #[test]
    fn a_state_opens_for_the_same_request_until_its_time() {
        let content = json!({ "step": 2, "text": "Störung" });
        let sealed = SEAL.seal(&content, 100);
        assert_eq!(SEAL.open(&sealed, 99), Ok((content, 100)));
        assert_eq!(SEAL.open(&sealed, 100), Err(Unopened::Expired));
        assert_eq!(
            Seal { bound_to: "user 2, create_incident, digest", ..SEAL }.open(&sealed, 99),
            Err(Unopened::Foreign)
        );
        assert_eq!(Seal { key: &[8; 32], ..SEAL }.open(&sealed, 99), Err(Unopened::Foreign));
    }

    #[test]
    fn any_change_closes_it() {
        let sealed = SEAL.seal(&json!({ "ok": true }), 100);
        for index in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(changed == sealed || SEAL.open(&changed, 1) == Err(Unopened::Foreign), "{index}");
        }
        for bad in ["", ".", "a.b", &format!("{sealed}-TAMPERED"), &sealed[..sealed.len() - 1]] {
            assert_eq!(SEAL.open(bad, 1), Err(Unopened::Foreign), "{bad}");
        }
    }
}
