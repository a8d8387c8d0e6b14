//! The secret that opens the readiness answer of the health route.

use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// Fewer characters could be guessed.
const SHORTEST: usize = 32;

/// Kept as a hash: a comparison of hashes takes the same time for every guess of any length.
#[derive(Clone)]
pub struct HealthToken([u8; 32]);

impl HealthToken {
    /// Takes the secret, or says what is wrong with it without showing it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!("must be at least {SHORTEST} printable characters without white space"));
        }
        Ok(Self(Sha256::digest(text).into()))
    }

    /// Returns whether somebody brought the secret.
    pub fn is(&self, presented: &[u8]) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        self.0.ct_eq(&presented).into()
    }
}

impl fmt::Debug for HealthToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HealthToken")
    }
}
