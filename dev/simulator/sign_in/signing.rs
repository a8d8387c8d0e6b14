//! StatiBeat's own signing key, and what it signs: the identity that a sign-in ends in, and the assertion with which its own
//! admin interface reads the connector's admin API (`docs/admin-api.yaml`).
//!
//! The seed of the key is public on purpose: anyone who runs the simulator can sign in as any user.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::caller::people::User;
use crate::reply::with;
use crate::world::World;

/// The signing seed of a development machine is the SHA-256 of this text. For the simulator only.
pub const SEED_TEXT: &str = "statibeat simulator identity key";
const KEY_ID: &str = "simulator-1";
/// Seconds that an assertion lives.
const LIFETIME: i64 = 60;
/// The requests that the connector's admin API answers.
const ADMIN_PATHS: [&str; 5] = [
    "/mcp/admin/api/setup",
    "/mcp/admin/api/connections",
    "/mcp/admin/api/activity",
    "/mcp/admin/api/connection",
    "/mcp/admin/api/blocks",
];

fn signing_key(seed_text: &str) -> SigningKey {
    SigningKey::from_bytes(&Sha256::digest(seed_text).into())
}

pub fn public_key(seed_text: &str) -> [u8; 32] {
    signing_key(seed_text).verifying_key().to_bytes()
}

/// Signs an assertion about a user for the connector; `claims` come on top of those that all have.
pub fn sign(world: &World, typ: &str, user: &User, jti: &str, now: i64, claims: Value) -> String {
    let common = json!({
        "iss": world.settings.origin,
        "aud": world.settings.connector_url,
        "env": world.settings.environment,
        "sub": user.id.to_string(),
        "name": user.name,
        "jti": jti,
        "iat": now,
        "exp": now + LIFETIME,
    });
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": "EdDSA", "typ": typ, "kid": KEY_ID });
    let input = format!("{}.{}", encode(&header), encode(&with(common, claims)));
    let signature = signing_key(&world.settings.identity_seed).sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// Signs an assertion for one GET of the connector's admin API. A disabled person is not signed in, so nothing speaks for
/// them.
pub fn admin_assertion(world: &mut World, user_id: u64, path: &str, now: i64) -> Result<String, String> {
    let jti = world.secrets.next("admin assertion");
    let user = world.people.users.get(&user_id).filter(|user| !user.disabled);
    let user = user.ok_or_else(|| format!("user {user_id} is not signed in"))?;
    if !ADMIN_PATHS.contains(&path) {
        return Err(format!("the admin API has no path {path}"));
    }
    let claims = json!({ "htm": "GET", "htu": format!("{}{path}", world.settings.connector_url) });
    Ok(sign(world, "statibeat-admin+jwt", user, &jti, now, claims))
}
