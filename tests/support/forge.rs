//! Identity tokens that StatiBeat never meant, for telling good ones from bad.

use super::{PUBLIC_URL, TestApp, UPSTREAM_URL};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use http::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A token by someone who holds StatiBeat's key, or another.
pub struct Forged {
    pub header: Value,
    pub claims: Value,
    seed: &'static str,
}

impl Forged {
    /// The claims that StatiBeat itself would issue for the sign-in with that `state`.
    pub fn good(app: &TestApp, state: &str) -> Self {
        let now = app.now().as_seconds();
        Self {
            header: json!({ "alg": "EdDSA", "typ": "statibeat-identity+jwt", "kid": "simulator-1" }),
            claims: json!({
                "iss": UPSTREAM_URL, "aud": PUBLIC_URL, "sub": "1", "name": "Mara", "email": "mara@northwind.example",
                "sid": "s", "auth_time": now, "env": "test", "jti": "j", "iat": now, "exp": now + 60,
                "state_hash": URL_SAFE_NO_PAD.encode(Sha256::digest(state)),
            }),
            seed: super::IDENTITY_SEED,
        }
    }

    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub fn by_another_key(mut self) -> Self {
        self.seed = "somebody else's key";
        self
    }

    /// Signs claims without a check.
    pub fn token(&self) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(&self.header), encode(&self.claims));
        let signature = SigningKey::from_bytes(&Sha256::digest(self.seed).into()).sign(input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// The answer of the exchange with another identity in it.
pub fn identity_answer(token: &str) -> Response<Bytes> {
    let body = Bytes::from(json!({ "identity": token }).to_string());
    Response::builder().header("content-type", "application/json").body(body).expect("a response")
}
