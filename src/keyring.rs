//! Named key rings and their rotation (one ring per use; see `config`).
//!
//! A ring is written `kid:base64url(32 bytes)`, newest first, separated by white space or commas. The newest key signs,
//! all of them verify. The environment's name is part of every use, so that a secret of one environment proves nothing
//! in another. Keys never show in `Debug`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Length of every key, in bytes.
pub const KEY_LENGTH: usize = 32;

/// Keys of one use, newest first. Never empty.
#[derive(Clone)]
pub struct KeyRing {
    environment: String,
    keys: Vec<Key>,
}

/// One key with its name.
#[derive(Clone)]
pub struct Key {
    kid: String,
    secret: [u8; KEY_LENGTH],
}

/// Somebody else's public key, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    pub kid: String,
    pub key: [u8; KEY_LENGTH],
}

/// Why a ring cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    #[error("has no key; write kid:base64url(32 random bytes)")]
    Empty,
    /// An entry is not `kid:key`.
    #[error("entry {0} is not kid:key with a kid of 1 to 32 letters, digits, '-' or '_'")]
    Shape(usize),
    /// A key is not 32 bytes of base64url.
    #[error("key {0} is not 32 bytes in base64url without padding")]
    Length(String),
    /// A key is a placeholder: one byte value over and over.
    #[error("key {0} is a placeholder, not random bytes")]
    Placeholder(String),
    /// Two names for one key: taking one of them out would not retire it.
    #[error("key {0} is the same as another key of this ring")]
    Same(String),
    /// Two keys have one name.
    #[error("kid {0} stands twice")]
    Repeated(String),
}

impl KeyRing {
    /// Reads a ring for one environment.
    pub fn parse(text: &str, environment: &str) -> Result<Self, KeyRingError> {
        let mut keys: Vec<Key> = Vec::new();
        let entries = text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            let key = Key::parse(entry, index + 1)?;
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyRingError::Repeated(key.kid));
            }
            if keys.iter().any(|other| other.secret == key.secret) {
                return Err(KeyRingError::Same(key.kid));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(KeyRingError::Empty);
        }
        Ok(Self { environment: environment.to_owned(), keys })
    }

    pub fn newest(&self) -> &Key {
        &self.keys[0]
    }

    /// The key of that name, if the ring still has it.
    pub fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// This ring once for each of its keys, with that key in the newest place: to find out which of them was used.
    pub fn each_as_newest(&self) -> impl Iterator<Item = KeyRing> {
        (0..self.keys.len()).map(|at| {
            let mut ring = self.clone();
            ring.keys.swap(0, at);
            ring
        })
    }

    /// HMAC-SHA256 (RFC 2104) over the environment, the use and the parts, each with its length in front so that no
    /// two different inputs give the same bytes.
    pub fn mac(&self, key: &Key, usage: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key.secret).expect("HMAC takes a key of any length");
        for part in [self.environment.as_bytes(), usage.as_bytes()].iter().chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Returns whether the two rings share a key.
    pub fn shares_a_key_with(&self, other: &KeyRing) -> bool {
        self.keys.iter().any(|key| other.keys.iter().any(|theirs| theirs.secret == key.secret))
    }
}

impl Key {
    fn parse(entry: &str, position: usize) -> Result<Self, KeyRingError> {
        let (kid, encoded) = entry.split_once(':').ok_or(KeyRingError::Shape(position))?;
        let kid_is_fit = (1..=32).contains(&kid.len())
            && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !kid_is_fit {
            return Err(KeyRingError::Shape(position));
        }
        let secret: [u8; KEY_LENGTH] = URL_SAFE_NO_PAD
            .decode(encoded)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(|| KeyRingError::Length(kid.to_owned()))?;
        if secret.iter().all(|byte| *byte == secret[0]) {
            return Err(KeyRingError::Placeholder(kid.to_owned()));
        }
        Ok(Self { kid: kid.to_owned(), secret })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key itself, for signing. Never to be logged, stored or sent.
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.secret
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(Key::kid)).finish()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(byte: u8) -> String {
        let mut key = [byte; KEY_LENGTH];
        key[0] ^= 1;
        URL_SAFE_NO_PAD.encode(key)
    }

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text, "test").expect("a good ring")
    }

    #[test]
    fn the_first_key_signs_and_every_key_is_found() {
        let ring = ring(&format!("new:{}\n old:{}", encoded(1), encoded(2)));
        assert_eq!(ring.newest().kid(), "new");
        assert!(ring.find("old").is_some());
        assert!(ring.find("gone").is_none());
    }

    #[test]
    fn bad_rings_are_refused_with_their_reason() {
        let bad = |text: &str| KeyRing::parse(text, "test").expect_err("a bad ring");
        assert_eq!(bad("  "), KeyRingError::Empty);
        assert_eq!(bad("nokey"), KeyRingError::Shape(1));
        assert_eq!(bad(&format!("sp ace:{}", encoded(1))), KeyRingError::Shape(1));
        assert_eq!(bad("a:c2hvcnQ"), KeyRingError::Length("a".into()));
        assert_eq!(bad(&format!("a:{}", URL_SAFE_NO_PAD.encode([7; 32]))), KeyRingError::Placeholder("a".into()));
        assert_eq!(bad(&format!("a:{0} a:{0}", encoded(1))), KeyRingError::Repeated("a".into()));
        assert_eq!(bad(&format!("a:{0} b:{0}", encoded(1))), KeyRingError::Same("b".into()));
    }

    #[test]
    fn a_mac_depends_on_environment_use_and_where_parts_end() {
        let text = format!("a:{}", encoded(1));
        let (here, there) = (ring(&text), KeyRing::parse(&text, "other").expect("a good ring"));
        let mac = |ring: &KeyRing, usage: &str, parts: &[&[u8]]| ring.mac(ring.newest(), usage, parts);
        assert_ne!(mac(&here, "x", &[b"ab"]), mac(&there, "x", &[b"ab"]));
        assert_ne!(mac(&here, "x", &[b"ab"]), mac(&here, "y", &[b"ab"]));
        assert_ne!(mac(&here, "x", &[b"a", b"b"]), mac(&here, "x", &[b"ab"]));
    }

    #[test]
    fn debug_shows_names_only() {
        let shown = format!("{:?}", ring(&format!("a:{}", encoded(1))));
        assert_eq!(shown, r#"["a"]"#);
    }
}
