//! The connector's public keys, as its published JWK set gives them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

#[derive(Default)]
pub struct ConnectorKeys {
    keys: HashMap<String, VerifyingKey>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    kid: String,
    x: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    /// A private key has no business in a published set.
    d: Option<serde_json::Value>,
}

impl ConnectorKeys {
    /// Takes over a JWK set; on any fault the old keys stay.
    pub fn replace(&mut self, jwks_json: &str) -> Result<(), String> {
        let set: JwkSet = serde_json::from_str(jwks_json).map_err(|error| format!("not a JWK set: {error}"))?;
        let mut keys = HashMap::new();
        for jwk in set.keys {
            let key = public_key(&jwk).map_err(|fault| format!("key \"{}\": {fault}", jwk.kid))?;
            if keys.insert(jwk.kid.clone(), key).is_some() {
                return Err(format!("key \"{}\" is there twice", jwk.kid));
            }
        }
        if keys.is_empty() {
            return Err("the JWK set is empty".to_owned());
        }
        self.keys = keys;
        Ok(())
    }

    pub fn find(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.get(kid)
    }
}

fn public_key(jwk: &Jwk) -> Result<VerifyingKey, String> {
    if jwk.d.is_some() {
        return Err("the set publishes a private key".to_owned());
    }
    if (jwk.kty.as_str(), jwk.crv.as_str(), jwk.usage.as_str(), jwk.alg.as_str()) != ("OKP", "Ed25519", "sig", "EdDSA")
    {
        return Err("only OKP keys on Ed25519 for EdDSA signatures are taken".to_owned());
    }
    let bytes = URL_SAFE_NO_PAD.decode(&jwk.x).map_err(|error| error.to_string())?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| "x is not 32 bytes".to_owned())?;
    VerifyingKey::from_bytes(&bytes).map_err(|error| error.to_string())
}
