//! The key that checks are signed with, and the assertions made with it.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// An Ed25519 key with its name.
pub struct Signer {
    kid: String,
    key: SigningKey,
}

impl Signer {
    /// Reads the key, or makes one; says whether it is new.
    pub fn open(path: &Path) -> Result<(Self, bool)> {
        if path.exists() {
            let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
            let signer = Self::parse(ring_in(&text))
                .with_context(|| format!("{} is not kid:base64url(seed)", path.display()))?;
            return Ok((signer, false));
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let text = format!("upstream-check:{}", crate::operations::key_rings::random());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).with_context(|| format!("creating {}", path.display()))?;
        file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
        Ok((Self::parse(&text).context("a fresh key")?, true))
    }

    /// From `kid:base64url(seed)`.
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

/// The key ring in a file that holds nothing else, or in the `.dev.vars` of a local start.
fn ring_in(text: &str) -> &str {
    let line = text.lines().find_map(|line| line.strip_prefix("HOSTED_MCP_ASSERTION_KEYS="));
    line.unwrap_or(text).trim().trim_matches('"')
}

/// base64url(SHA-256(bytes)).
pub fn hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(bytes))
}
