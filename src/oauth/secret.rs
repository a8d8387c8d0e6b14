//! Opaque secrets: make, recognize, hash. Never printable (RFC 6749 10.10, RFC 6819 5.1.4.2.2).
//!
//! A code or token is its kind's prefix, 32 random bytes and a short keyed tag over both. The tag lets garbage, and
//! secrets of another kind or environment, be refused without asking the database. What is stored is the SHA-256 of the
//! whole text; the look-up is by that hash, so no comparison can leak timing.

use crate::keyring::KeyRing;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use std::marker::PhantomData;
use subtle::ConstantTimeEq;

/// Bytes of the tag that stand in a secret; the rest of the HMAC is dropped. It guards cost, not access.
const TAG_LENGTH: usize = 8;

/// A kind of secret. Kinds are told apart by prefix and by tag, so none can stand in for another.
pub trait Kind {
    /// Opens every secret of the kind; secret scanners can look for it.
    const PREFIX: &'static str;
}

/// Single use, ten minutes (RFC 6749 4.1.2).
pub enum Code {}
/// One hour, presented to `/mcp` (RFC 6750).
pub enum Access {}
/// Thirty days, single use but for a short window (RFC 9700 4.14).
pub enum Refresh {}

impl Kind for Code {
    const PREFIX: &'static str = "sbmcp_ac_";
}
impl Kind for Access {
    const PREFIX: &'static str = "sbmcp_at_";
}
impl Kind for Refresh {
    const PREFIX: &'static str = "sbmcp_rt_";
}

/// An authorization code.
pub type AuthorizationCode = Secret<Code>;
/// An access token.
pub type AccessToken = Secret<Access>;
/// A refresh token.
pub type RefreshToken = Secret<Refresh>;

/// A code or token in clear.
pub struct Secret<K> {
    text: String,
    kind: PhantomData<K>,
}

/// What is stored of a secret: base64url of its SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash(pub String);

/// As the log may show it: enough to find a row, too little to be one.
impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get(..12).unwrap_or_default())
    }
}

impl<K: Kind> Secret<K> {
    /// Makes a secret from 32 random or derived bytes.
    pub fn issue(bytes: &[u8; 32], tags: &KeyRing) -> Self {
        let body = URL_SAFE_NO_PAD.encode(bytes);
        let tag = tags.mac(tags.newest(), K::PREFIX, &[body.as_bytes()]);
        let text = format!("{}{body}.{}", K::PREFIX, URL_SAFE_NO_PAD.encode(&tag[..TAG_LENGTH]));
        Self { text, kind: PhantomData }
    }

    /// Takes text from outside: `None` unless it is a secret of this kind made with a key of this ring.
    pub fn recognize(text: &str, tags: &KeyRing) -> Option<Self> {
        let (body, tag) = text.strip_prefix(K::PREFIX)?.split_once('.')?;
        if body.len() != 43 {
            return None;
        }
        let tag: [u8; TAG_LENGTH] = URL_SAFE_NO_PAD.decode(tag).ok()?.try_into().ok()?;
        let is_ours = |key| tags.mac(key, K::PREFIX, &[body.as_bytes()])[..TAG_LENGTH].ct_eq(&tag).into();
        tags.iter().any(is_ours).then(|| Self { text: text.to_owned(), kind: PhantomData })
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.text)
    }

    /// The clear text: for the one answer that hands it over, and for deriving its successor.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl<K: Kind> fmt::Debug for Secret<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}…", K::PREFIX)
    }
}

/// A random name for something stored under its hash: a transaction, a browser, a consent form. 256 bits.
pub struct Handle(String);

impl Handle {
    /// Makes a handle from 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Takes text from outside: `None` unless it has a handle's shape.
    pub fn recognize(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// What is stored of it.
    pub fn hash(&self) -> SecretHash {
        hash(&self.0)
    }

    /// The clear text: for the cookie, link or form field that carries it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(…)")
    }
}

/// base64url(SHA-256(text)).
pub fn hash(text: &str) -> SecretHash {
    SecretHash(URL_SAFE_NO_PAD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(seed: u8, environment: &str) -> KeyRing {
        let mut key = [seed; 32];
        key[1] ^= 9;
        KeyRing::parse(&format!("k{seed}:{}", URL_SAFE_NO_PAD.encode(key)), environment).expect("a good ring")
    }

    #[test]
    fn a_secret_is_recognized_as_its_own_kind_only() {
        let tags = ring(1, "test");
        let token = AccessToken::issue(&[7; 32], &tags);
        assert!(AccessToken::recognize(token.reveal(), &tags).is_some());
        assert!(RefreshToken::recognize(token.reveal(), &tags).is_none());
        let disguised = token.reveal().replace(Access::PREFIX, Refresh::PREFIX);
        assert!(RefreshToken::recognize(&disguised, &tags).is_none(), "the prefix is inside the tag");
    }

    #[test]
    fn another_key_or_environment_does_not_recognize_it() {
        let token = AccessToken::issue(&[7; 32], &ring(1, "production"));
        assert!(AccessToken::recognize(token.reveal(), &ring(2, "production")).is_none());
        assert!(AccessToken::recognize(token.reveal(), &ring(1, "staging")).is_none());
    }

    #[test]
    fn garbage_is_not_recognized() {
        let tags = ring(1, "test");
        let good = AccessToken::issue(&[7; 32], &tags).reveal().to_owned();
        for bad in [
            "",
            "sbmcp_at_",
            "sbmcp_at_.",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}A"),
            &good.replace('.', ""),
        ] {
            assert!(AccessToken::recognize(bad, &tags).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let token = AccessToken::issue(&[7; 32], &ring(1, "test"));
        assert_eq!(format!("{token:?}"), "sbmcp_at_…");
        assert_eq!(format!("{:?}", Handle::new(&[1; 32])), "Handle(…)");
        assert_eq!(format!("{:?}", hash("x")), "LXEWQrcmsEQB");
    }

    #[test]
    fn a_handle_is_32_bytes_of_base64url() {
        let handle = Handle::new(&[1; 32]);
        assert_eq!(Handle::recognize(handle.reveal()).expect("fits").reveal(), handle.reveal());
        for bytes in [&[1; 31][..], &[1; 33], &[]] {
            assert!(Handle::recognize(&URL_SAFE_NO_PAD.encode(bytes)).is_none(), "{}", bytes.len());
        }
        assert!(Handle::recognize(&format!("{}=", handle.reveal())).is_none());
    }
}
