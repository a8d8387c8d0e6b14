//! Ed25519 (RFC 8032) where no runtime computes it: in native builds. The worker's runtime has it (`src/cloudflare/fetch.rs`), so curve
//! and SHA-512 stay out of the wasm.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::cell::RefCell;

thread_local! {
    /// The key of the last signature: to expand a seed takes as long as to sign.
    static LAST_KEY: RefCell<Option<SigningKey>> = const { RefCell::new(None) };
}

pub fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    LAST_KEY.with_borrow_mut(|last| {
        last.take_if(|key| key.as_bytes() != seed);
        last.get_or_insert_with(|| SigningKey::from_bytes(seed)).sign(message).to_bytes()
    })
}

/// Returns whether the signature holds. False also for a key that is no point of the curve.
pub fn verify(key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

/// The public key of a seed.
pub fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// The vectors that the Cloudflare runtime passes too (`tests/worker/ed25519.test.mjs`).
    fn vectors(part: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(include_str!("../../tests/tables/ed25519.json")).expect("JSON");
        all[part].as_array().expect("a list").clone()
    }

    fn bytes(hex: &Value) -> Vec<u8> {
        let digit = |character: &u8| char::from(*character).to_digit(16).expect("a digit");
        let hex = hex.as_str().expect("text").as_bytes();
        hex.as_chunks::<2>()
            .0
            .iter()
            .map(|[high, low]| u8::try_from(digit(high) << 4 | digit(low)).expect("a byte"))
            .collect()
    }

    fn exact<const N: usize>(hex: &Value) -> [u8; N] {
        bytes(hex).try_into().expect("the length")
    }

    #[test]
    fn seed_has_the_public_key_of_the_specification() {
        for vector in vectors("keys") {
            assert_eq!(public_key(&exact(&vector["seed"])), exact(&vector["key"]), "{}", vector["name"]);
        }
    }

    #[test]
    fn signature_is_that_of_its_seed_whichever_seed_was_used_before() {
        for seed in [[1; 32], [1; 32], [2; 32], [1; 32]] {
            let holds = |owner: [u8; 32]| verify(&public_key(&owner), &sign(&seed, b"message"), b"message");
            assert_eq!([[1; 32], [2; 32]].map(holds), [seed == [1; 32], seed == [2; 32]]);
        }
    }

    #[test]
    fn signature_holds_where_the_specification_says_so_and_not_where_anything_is_changed() {
        for vector in vectors("signatures") {
            let holds = verify(&exact(&vector["key"]), &exact(&vector["signature"]), &bytes(&vector["message"]));
            assert_eq!(Some(holds), vector["holds"].as_bool(), "{}", vector["name"]);
        }
    }
}
