//! StatiBeat's own signing key, and the identity assertion that a sign-in ends in.
//!
//! The seed of the key is public on purpose: whoever runs the simulator can be anybody in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The signing seed is the SHA-256 of this text. For the simulator only.
const SEED_TEXT: &str = "statibeat simulator identity key";
/// The `kid` of the simulator's key.
const KEY_ID: &str = "simulator-1";
/// Seconds an identity assertion lives.
pub const IDENTITY_LIFETIME: i64 = 60;

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(SEED_TEXT).into())
}

/// The public half of the simulator's key.
pub fn public_key() -> [u8; 32] {
    signing_key().verifying_key().to_bytes()
}

/// Signs an identity assertion over the claims.
pub fn sign(claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "statibeat-identity+jwt", "kid": KEY_ID });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(&header), encode(claims));
    let signature = signing_key().sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}
