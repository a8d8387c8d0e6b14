//! Authenticated `requestState` ([multi round-trip
//! requests](https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr)): state between an input
//! request and its response, which the client carries. The client can read but not modify it: an HMAC binds it to the
//! caller, the request and an expiry. Single use is enforced by the caller's storage.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestStateError {
    /// It was changed, or belongs to something else.
    Invalid,
    Expired,
}

#[derive(Clone, Copy)]
pub struct RequestStateKey<'a> {
    /// A secret of ours, for this use alone.
    pub key: &'a [u8; 32],
    /// The binding of a request state: person, grant, method, name, arguments. A state is valid only for the same again.
    pub bound_to: &'a str,
}

impl RequestStateKey<'_> {
    /// The request state for a content, valid until a time (unix seconds).
    pub fn sign(&self, content: &Value, until: i64) -> String {
        let payload = URL_SAFE_NO_PAD.encode(json!({ "until": until, "content": content }).to_string());
        let tag = URL_SAFE_NO_PAD.encode(self.mac(&payload).finalize().into_bytes());
        format!("{payload}.{tag}")
    }

    /// The content of a request state, and when it expires.
    pub fn verify(&self, state: &str, now: i64) -> Result<(Value, i64), RequestStateError> {
        let (content, until) = self.authentic(state).ok_or(RequestStateError::Invalid)?;
        if now < until { Ok((content, until)) } else { Err(RequestStateError::Expired) }
    }

    fn authentic(&self, state: &str) -> Option<(Value, i64)> {
        let (payload, tag) = state.split_once('.')?;
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

    const KEY: RequestStateKey<'_> = RequestStateKey { key: &[7; 32], bound_to: "user 1, create_incident, digest" };

    #[test]
    fn request_state_is_valid_for_the_same_request_until_it_expires() {
        let content = json!({ "step": 2, "text": "Störung" });
        let state = KEY.sign(&content, 100);
        assert_eq!(KEY.verify(&state, 99), Ok((content, 100)));
        assert_eq!(KEY.verify(&state, 100), Err(RequestStateError::Expired));
        assert_eq!(
            RequestStateKey { bound_to: "user 2, create_incident, digest", ..KEY }.verify(&state, 99),
            Err(RequestStateError::Invalid)
        );
        assert_eq!(RequestStateKey { key: &[8; 32], ..KEY }.verify(&state, 99), Err(RequestStateError::Invalid));
    }

    #[test]
    fn tampered_request_state_is_rejected() {
        let state = KEY.sign(&json!({ "ok": true }), 100);
        for index in 0..state.len() {
            let mut changed = state.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(changed == state || KEY.verify(&changed, 1) == Err(RequestStateError::Invalid), "{index}");
        }
        for bad in ["", ".", "a.b", &format!("{state}-TAMPERED"), &state[..state.len() - 1]] {
            assert_eq!(KEY.verify(bad, 1), Err(RequestStateError::Invalid), "{bad}");
        }
    }
}
