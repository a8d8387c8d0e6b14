//! Tokens that StatiBeat signs: checks of size, header, signature, parties and times.
//!
//! The JWT library parses the format; the signature is verified by the HTTP client's port, before the claims are parsed. The
//! library ignores `crit` (RFC 7515 4.1.11), and accepts a token in the second of its expiry. So everything is checked here, in
//! this order. The binding to one use is checked by the modules of each token type.

use super::client::Client;
use crate::keyring::PublicKey;
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use crate::model::visible;
use jwt_compact::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;
use strum::IntoStaticStr;

/// Maximum length of a token, in bytes. Claims are parsed before the signature is verified.
pub(super) const SIZE_LIMIT: usize = 4096;
const LIFETIME_LIMIT: Duration = Duration::from_mins(1);
/// Tolerated lead of StatiBeat's clock. Expiry has no tolerance.
const SKEW: Duration = Duration::from_secs(30);

/// Header members the library does not name, `crit` among them.
type Extensions = Map<String, Value>;

/// Reason for rejecting a token of StatiBeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case", prefix = "identity_", const_into_str)]
pub enum IdentityError {
    /// Larger than any honest token.
    #[error("larger than 4 kB")]
    TooLarge,
    /// Not a token, or a claim is missing or of the wrong type.
    #[error("not a readable token with every claim")]
    Malformed,
    /// Names critical extensions; we know none.
    #[error("names critical header extensions")]
    Critical,
    #[error("of another type")]
    Type,
    #[error("signed with another algorithm")]
    Algorithm,
    /// No `kid`, or an unknown one.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature does not hold.
    #[error("signature does not hold")]
    Signature,
    #[error("from another issuer")]
    Issuer,
    #[error("for another audience")]
    Audience,
    #[error("from another environment")]
    Environment,
    #[error("for another request")]
    Request,
    #[error("for another sign-in")]
    State,
    #[error("subject is not a user id")]
    Subject,
    /// Cannot be told from other tokens.
    #[error("has no id")]
    Unnamed,
    #[error("expired")]
    Expired,
    /// `iat` or `nbf` is in the future by more than the clock tolerance.
    #[error("not valid yet")]
    NotYetValid,
    /// Lifetime longer than a minute, or not positive.
    #[error("lifetime is not between 1 and 60 seconds")]
    Lifetime,
}

impl IdentityError {
    /// The reason for logs, which must not contain foreign text.
    pub const fn reason(self) -> &'static str {
        self.into_str()
    }
}

/// The claims of every token of StatiBeat's, and those that bind it to one use.
#[derive(Deserialize)]
struct IdentityClaims<B> {
    iss: String,
    aud: String,
    env: String,
    sub: String,
    name: String,
    jti: String,
    #[serde(flatten)]
    binding: B,
}

/// The claims of a verified token that callers use.
pub struct VerifiedIdentity<B> {
    pub user_id: UserId,
    /// Reduced to one visible line of at most 320 characters.
    pub name: String,
    /// The claim `jti`, which is never empty.
    pub token_id: String,
    pub expires_at: Timestamp,
    pub binding: B,
}

/// Verifies a token of this `typ` that StatiBeat issued for us.
pub(super) async fn verify<B: DeserializeOwned>(
    client: &Client<'_>,
    token: &str,
    kind: &str,
    check_binding: impl FnOnce(&B) -> Result<(), IdentityError>,
) -> Result<VerifiedIdentity<B>, IdentityError> {
    let settings = &client.settings;
    let token = open::<IdentityClaims<B>>(client, token, kind).await?;
    let claims = &token.custom;
    match () {
        () if claims.iss != settings.origin => return Err(IdentityError::Issuer),
        () if claims.aud != settings.issuer => return Err(IdentityError::Audience),
        () if claims.env != settings.environment => return Err(IdentityError::Environment),
        () => check_binding(&claims.binding)?,
    }
    let user_id = UserId::parse(claims.sub.as_str()).ok_or(IdentityError::Subject)?;
    if claims.jti.is_empty() {
        return Err(IdentityError::Unnamed);
    }
    let expires_at = check_times(&token, client.now)?;
    let IdentityClaims { name, jti, binding, .. } = token.custom;
    Ok(VerifiedIdentity { user_id, name: shown(&name), token_id: jti, expires_at, binding })
}

/// Returns the claims of a token of this `typ` with a valid signature; issuer, audience and times are not checked yet.
async fn open<C: DeserializeOwned>(client: &Client<'_>, token: &str, kind: &str) -> Result<Claims<C>, IdentityError> {
    if token.len() > SIZE_LIMIT {
        return Err(IdentityError::TooLarge);
    }
    let parsed = UntrustedToken::<Extensions>::try_from(token).map_err(|_| IdentityError::Malformed)?;
    let key = check_header(&parsed, kind, client.settings.identity_keys)?;
    let signature: &[u8; 64] = parsed.signature_bytes().try_into().map_err(|_| IdentityError::Signature)?;
    let (signed, _) = token.rsplit_once('.').ok_or(IdentityError::Malformed)?;
    let is_weak = signature.first_chunk().is_some_and(has_small_order);
    if is_weak || !client.http.verify_signature(&key.key, signature, signed.as_bytes()).await {
        return Err(IdentityError::Signature);
    }
    parsed.deserialize_claims_unchecked().map_err(|_| IdentityError::Malformed)
}

/// The seven encodings of a point of small order, without the sign of x. Under such a key one signature holds for many messages, which
/// RFC 8032 leaves to the verifier, and runtimes differ.
const SMALL_ORDER: [[u8; 32]; 7] = {
    /// p = 2^255 − 19, with another lowest byte.
    const fn near_p(lowest: u8) -> [u8; 32] {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (lowest, 0x7f);
        bytes
    }
    let mut one = [0; 32];
    one[0] = 1;
    [
        [0; 32],
        one,
        *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
        *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
        near_p(0xec),
        near_p(0xed),
        near_p(0xee),
    ]
};

fn has_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

fn check_header<'k>(
    token: &UntrustedToken<'_, Extensions>,
    kind: &str,
    keys: &'k [PublicKey],
) -> Result<&'k PublicKey, IdentityError> {
    let header = token.header();
    if header.other_fields.contains_key("crit") {
        return Err(IdentityError::Critical);
    }
    if header.token_type.as_deref() != Some(kind) {
        return Err(IdentityError::Type);
    }
    if token.algorithm() != "EdDSA" {
        return Err(IdentityError::Algorithm);
    }
    let is_named = |key: &&PublicKey| header.key_id.as_ref() == Some(&key.kid);
    keys.iter().find(is_named).filter(|key| !has_small_order(&key.key)).ok_or(IdentityError::UnknownKey)
}

/// The token is alive; when it dies.
fn check_times<C>(claims: &Claims<C>, now: Timestamp) -> Result<Timestamp, IdentityError> {
    let seconds = |time: i64| Timestamp::from_seconds(time);
    let expires_at = claims.expiration.map(|at| seconds(at.timestamp())).ok_or(IdentityError::Malformed)?;
    let issued_at = claims.issued_at.map(|at| seconds(at.timestamp())).ok_or(IdentityError::Malformed)?;
    let not_before = claims.not_before.map(|at| seconds(at.timestamp()));
    if now >= expires_at {
        return Err(IdentityError::Expired);
    }
    if issued_at > now + SKEW || not_before.is_some_and(|at| at > now + SKEW) {
        return Err(IdentityError::NotYetValid);
    }
    if expires_at <= issued_at || expires_at.since(issued_at) > LIFETIME_LIMIT {
        return Err(IdentityError::Lifetime);
    }
    Ok(expires_at)
}

/// A name or e-mail address as one visible line, without invisible characters.
pub(super) fn shown(name: &str) -> String {
    /// Longer than any e-mail address may be (RFC 5321 4.5.3.1).
    const LONGEST: usize = 320;
    visible::line(name, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{SMALL_ORDER, has_small_order};
    use ed25519_dalek::VerifyingKey;

    #[test]
    fn every_encoding_of_a_point_of_small_order_is_found_and_no_ordinary_key() {
        for mut point in SMALL_ORDER {
            for sign in [0, 0x80] {
                point[31] = point[31] & 0x7f | sign;
                assert!(has_small_order(&point), "{point:?}");
                assert!(VerifyingKey::from_bytes(&point).is_ok_and(|key| key.is_weak()), "{point:?}");
            }
        }
        let fit = (0..=255).map(|byte| crate::ports::ed25519::public_key(&[byte; 32]));
        assert!(fit.into_iter().all(|key| !has_small_order(&key)));
    }
}
