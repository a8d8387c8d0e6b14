//! One-time values: a hash over the seed, a purpose and a counter. Unguessable exactly as far as the seed is.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A deterministic source of codes, session ids and assertion ids.
pub struct Secrets {
    seed: String,
    counter: u64,
}

impl Secrets {
    /// A source that starts at zero.
    pub fn new(seed: &str) -> Self {
        Self { seed: seed.to_owned(), counter: 0 }
    }

    /// The next value for a purpose: 43 characters of base64url.
    pub fn next(&mut self, purpose: &str) -> String {
        self.counter += 1;
        hash(format!("{}|{purpose}|{}", self.seed, self.counter).as_bytes())
    }
}

/// base64url(SHA-256(bytes)), without padding: the form every hash of the contract has.
pub fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// The same hash in standard base64, as content security policies want it.
pub fn standard_base64_hash(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
