//! The connector's side of an assertion, written against the bare signature primitive: a check of StatiBeat must not share
//! the connector's mistakes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An Ed25519 key with its name.
pub struct Signer {
    kid: String,
    key: SigningKey,
}

impl Signer {
    /// Reads a key written as `kid:base64url(seed)`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kid, seed) = text.split_whitespace().next()?.split_once(':')?;
        let seed: [u8; 32] = URL_SAFE_NO_PAD.decode(seed).ok()?.try_into().ok()?;
        Some(Self { kid: kid.to_owned(), key: SigningKey::from_bytes(&seed) })
    }

    /// As `/.well-known/hosted-mcp-jwks.json` would publish it (RFC 7517).
    pub fn key_set(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.key.verifying_key().to_bytes());
        let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x, "use": "sig", "alg": "EdDSA"});
        json!({ "keys": [key] }).to_string()
    }

    /// The header of an assertion of that type.
    pub fn header(&self, typ: &str) -> Value {
        json!({"alg": "EdDSA", "typ": typ, "kid": self.kid})
    }

    /// Signs (RFC 7515 compact form).
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// `base64url(SHA-256(bytes))`, without padding.
pub fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}

/// A value that nobody has used before.
#[expect(clippy::disallowed_methods, reason = "a check of a real server is an edge")]
pub fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}
