//! StatiBeat's own signing key, and what it signs: the identity that a sign-in ends in, and who looks at the connector's facts.
//!
//! The seed of the key is public on purpose: whoever runs the simulator can be anybody in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The signing seed of a development machine is the SHA-256 of this text. For the simulator only.
pub const SEED_TEXT: &str = "statibeat simulator identity key";
/// The `kid` of the simulator's key.
const KEY_ID: &str = "simulator-1";
/// Seconds that anything lives that is signed here.
pub const LIFETIME: i64 = 60;

fn signing_key(seed_text: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(seed_text).into())
}

/// The public half of a simulator's key.
pub fn public_key(seed_text: &str) -> [u8; 32] {
    signing_key(seed_text).verifying_key().to_bytes()
}

/// Signs the claims as a token of that `typ`.
pub fn sign(seed_text: &str, kind: &str, claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": kind, "kid": KEY_ID });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let signature = signing_key(seed_text).sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}
