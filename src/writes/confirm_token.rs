//! Confirm tokens: short texts that name a kept preview ([`crate::model::write::KeptPreview`]).
//!
//! A token is a prefix, the second at which it expires, random bytes, and a checksum over both under a key that is derived for the
//! connection. So a made-up token, an expired one and one of another connection end without a query. It is short because a model
//! copies it. The preview is found by the hash of the token, and publishes only under the grant that it was made under; single use is
//! enforced where the lease of the write is acquired.

use crate::keyring::KeyRing;
use crate::model::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Lifetime of a confirm token. Long enough to read a preview and ask around, short enough that the page is still as shown.
pub const LIFETIME: Duration = Duration::from_mins(10);

const PREFIX: &str = "pv_";

/// Explains a confirm token to a model that guessed one.
pub const DESCRIPTION: &str =
    "A confirm token is text of 31 characters that begins with pv_; a call with preview: true gives one.";

/// Length in characters, the prefix included.
pub const LENGTH: usize = 31;
/// Bytes of the expiry: seconds since the Unix epoch.
const EXPIRY: usize = 5;
/// Number of random bytes in a token.
pub const RANDOM: usize = 10;
/// Bytes of the checksum; the rest of the HMAC is dropped. It guards cost, not access: a token opens only what its grant keeps.
const CHECKSUM: usize = 6;

/// The use of what confirms a write that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenPurpose {
    /// A preview, to the model: by a confirm token.
    Preview,
    /// A question, to the person: by their answer, with the request state ([`super::question_state`]).
    InputRequest,
}

/// The person, client and grant behind a call. On a page server, each is a word for its process.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    pub person: &'a str,
    pub client: &'a str,
    pub grant: &'a str,
}

/// The tokens of one connection.
#[derive(Clone, Copy)]
pub struct ConfirmTokens<'a> {
    pub keys: &'a KeyRing,
    pub asker: Asker<'a>,
}

/// A genuine token of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmToken {
    /// SHA-256 of the text that the client has.
    pub hash: String,
    pub expires_at: Timestamp,
}

/// Why a text names no preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmTokenError {
    /// It was not issued to this connection.
    Unknown,
    Expired,
}

impl ConfirmTokens<'_> {
    /// Makes a token, with the text that the client gets.
    pub fn issue(&self, now: Timestamp, random: [u8; RANDOM]) -> (ConfirmToken, String) {
        let expires_at = now + LIFETIME;
        let mut bytes = expires_at.as_seconds().to_be_bytes()[8 - EXPIRY..].to_vec();
        bytes.extend(random);
        let mac = self.keys.mac(self.keys.newest(), "confirm token", &self.parts(&bytes));
        bytes.extend(&mac[..CHECKSUM]);
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        (ConfirmToken { hash: hash(&text), expires_at }, text)
    }

    /// Takes a text from outside. Blanks and quotation marks around it are not part of it.
    pub fn parse(&self, text: &str, now: Timestamp) -> Result<ConfirmToken, ConfirmTokenError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || "\"'`".contains(c));
        let body = text.strip_prefix(PREFIX).filter(|_| text.len() == LENGTH).ok_or(ConfirmTokenError::Unknown)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| ConfirmTokenError::Unknown)?;
        let (signed, checksum) = bytes.split_at(EXPIRY + RANDOM);
        let is_ours = |key| self.keys.mac(key, "confirm token", &self.parts(signed))[..CHECKSUM].ct_eq(checksum).into();
        if !self.keys.iter().any(is_ours) {
            return Err(ConfirmTokenError::Unknown);
        }
        let seconds = signed[..EXPIRY].iter().fold(0, |seconds, byte| seconds << 8 | i64::from(*byte));
        let expires_at = Timestamp::from_seconds(seconds);
        if now < expires_at {
            Ok(ConfirmToken { hash: hash(text), expires_at })
        } else {
            Err(ConfirmTokenError::Expired)
        }
    }

    fn parts<'b>(&'b self, signed: &'b [u8]) -> [&'b [u8]; 3] {
        [self.asker.person.as_bytes(), self.asker.client.as_bytes(), signed]
    }
}

fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::testing::{NOW, SEED};

    fn ring(environment: &str) -> KeyRing {
        KeyRing::parse(&format!("a:{SEED}"), environment).expect("a ring")
    }

    fn parsed(asker: Asker<'_>, text: &str, now: Timestamp) -> Result<ConfirmToken, ConfirmTokenError> {
        ConfirmTokens { keys: &ring("test"), asker }.parse(text, now)
    }

    const ASKER: Asker<'_> = Asker { person: "42", client: "c", grant: "g" };

    fn issued() -> (ConfirmToken, String) {
        ConfirmTokens { keys: &ring("test"), asker: ASKER }.issue(NOW, [5; RANDOM])
    }

    #[test]
    fn token_is_short_and_is_parsed_for_its_connection() {
        let (token, text) = issued();
        assert_eq!((text.len(), token.expires_at), (LENGTH, NOW + LIFETIME));
        assert_eq!(parsed(ASKER, &text, NOW), Ok(token.clone()));
        assert_eq!(parsed(ASKER, &format!(" `{text}`\n"), NOW), Ok(token));
    }

    #[test]
    fn token_of_another_connection_or_environment_is_unknown() {
        let (_, text) = issued();
        for [person, client] in [["1", "c"], ["42", "d"], ["42c", ""]] {
            assert_eq!(parsed(Asker { person, client, ..ASKER }, &text, NOW), Err(ConfirmTokenError::Unknown));
        }
        let elsewhere = ConfirmTokens { keys: &ring("live"), asker: ASKER };
        assert_eq!(elsewhere.parse(&text, NOW), Err(ConfirmTokenError::Unknown));
    }

    #[test]
    fn token_of_an_earlier_key_of_the_ring_is_parsed() {
        let (_, text) = issued();
        let newer = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
        let keys = KeyRing::parse(&format!("b:{newer},a:{SEED}"), "test").expect("a ring");
        assert!(ConfirmTokens { keys: &keys, asker: ASKER }.parse(&text, NOW).is_ok());
    }

    #[test]
    fn token_expires_after_ten_minutes() {
        let (_, text) = issued();
        assert!(parsed(ASKER, &text, NOW + LIFETIME - Duration::from_secs(1)).is_ok());
        assert_eq!(parsed(ASKER, &text, NOW + LIFETIME), Err(ConfirmTokenError::Expired));
    }

    #[test]
    fn changed_or_made_up_text_is_unknown() {
        let (_, text) = issued();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(parsed(ASKER, &changed, NOW), Err(ConfirmTokenError::Unknown), "{changed}");
        }
        let long = "a.".repeat(2000);
        for text in ["", "yes", "pv_", &text[3..], &format!("{text}x"), &text[..LENGTH - 1], &"ä".repeat(LENGTH), &long]
        {
            assert_eq!(parsed(ASKER, text, NOW), Err(ConfirmTokenError::Unknown), "{text}");
        }
    }
}
