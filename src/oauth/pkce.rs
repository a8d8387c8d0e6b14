//! Proof Key for Code Exchange, method S256 only (RFC 7636).

use crate::model::serde_as_text;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The `code_challenge` of an authorization request: base64url of a SHA-256, 43 characters (RFC 7636 4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

serde_as_text!(CodeChallenge);

impl fmt::Display for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `code_verifier` of a token request: 43 to 128 unreserved characters (RFC 7636 4.1).
pub struct CodeVerifier(String);

impl CodeChallenge {
    /// Accepts exactly what S256 produces.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the verifier matches the challenge (RFC 7636 4.6), in constant time.
    pub fn is_satisfied_by(&self, verifier: &CodeVerifier) -> bool {
        verifier.challenge().0.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl CodeVerifier {
    /// Accepts what RFC 7636 4.1 allows.
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        ((43..=128).contains(&text.len()) && text.bytes().all(unreserved)).then(|| Self(text.to_owned()))
    }

    /// Derives the code verifier of our own sign-in from two secrets that only one browser has together. It uses no
    /// key, so a key rotation can't break a sign-in in progress.
    pub fn from_secrets(first: &str, second: &str) -> Self {
        let mut hash = Sha256::new();
        for part in ["sign-in verifier", first, second] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(URL_SAFE_NO_PAD.encode(hash.finalize()))
    }

    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(&self.0)))
    }

    /// The clear text, for the token request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// K10
    #[test]
    fn the_example_of_rfc_7636_appendix_b_holds() {
        let verifier = CodeVerifier::parse(VERIFIER).expect("fits");
        let challenge = CodeChallenge::parse(CHALLENGE).expect("fits");
        assert!(challenge.is_satisfied_by(&verifier));
        assert_eq!(challenge.as_str(), CHALLENGE);
    }

    #[test]
    fn our_own_verifier_takes_both_secrets_in_their_order() {
        let (a, b) = ("state", "binding");
        let made = CodeVerifier::from_secrets(a, b);
        assert!(CodeVerifier::parse(made.expose()).is_some());
        for (first, second) in [(b, a), (a, a), (b, b)] {
            assert_ne!(CodeVerifier::from_secrets(first, second).expose(), made.expose());
        }
    }

    #[test]
    fn a_challenge_used_as_verifier_does_not_meet_itself() {
        let challenge = CodeChallenge::parse(CHALLENGE).expect("fits");
        assert!(!challenge.is_satisfied_by(&CodeVerifier::parse(CHALLENGE).expect("fits")));
    }

    #[test]
    fn challenges_that_s256_cannot_produce_are_refused() {
        for bad in [
            "",
            "short",
            &CHALLENGE[1..],
            &format!("{CHALLENGE}="),
            &format!("{CHALLENGE}A"),
            &CHALLENGE.replace('-', "+"),
        ] {
            assert_eq!(CodeChallenge::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn verifiers_are_43_to_128_unreserved_characters() {
        let accepts = |text: &str| CodeVerifier::parse(text).is_some();
        assert!(!accepts(&"a".repeat(42)));
        assert!(accepts(&"a".repeat(43)));
        assert!(accepts(&"~".repeat(128)));
        assert!(!accepts(&"a".repeat(129)));
        assert!(!accepts(&format!("{VERIFIER}=")));
        assert!(!accepts(&format!("{VERIFIER}é")));
    }
}
