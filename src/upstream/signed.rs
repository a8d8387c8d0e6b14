//! Tokens that StatiBeat signs: checks of size, header, signature, parties and times.
//!
//! The JWT library checks only the signature reliably: it parses claims before the signature, ignores `crit` (RFC 7515
//! 4.1.11), and accepts a token in the second of its expiry. So everything is checked here, in this order. The binding
//! to one use is checked by the modules of each token type.

use super::client::ClientSettings;
use crate::keyring::PublicKey;
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use crate::model::visible;
use jwt_compact::alg::{Ed25519, VerifyingKey as _};
use jwt_compact::prelude::*;
use jwt_compact::{Algorithm, ValidationError};
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

type VerifyingKey = <Ed25519 as Algorithm>::VerifyingKey;

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
#[derive(Clone, Deserialize)]
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
pub(super) struct VerifiedIdentity<B> {
    pub user_id: UserId,
    /// Reduced to one visible line of at most 320 characters.
    pub name: String,
    /// The claim `jti`, which is never empty.
    pub token_id: String,
    pub expires_at: Timestamp,
    pub binding: B,
}

/// Verifies a token of this `typ` that StatiBeat issued for us.
pub(super) fn verify<B: DeserializeOwned + Clone>(
    token: &str,
    kind: &str,
    settings: &ClientSettings<'_>,
    now: Timestamp,
    check_binding: impl FnOnce(&B) -> Result<(), IdentityError>,
) -> Result<VerifiedIdentity<B>, IdentityError> {
    let token = open::<IdentityClaims<B>>(token, kind, settings.identity_keys)?;
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
    let expires_at = check_times(&token, now)?;
    let IdentityClaims { name, jti, binding, .. } = token.custom;
    Ok(VerifiedIdentity { user_id, name: shown(&name), token_id: jti, expires_at, binding })
}

/// Returns the claims of a token of this `typ` with a valid signature; issuer, audience and times are not checked yet.
fn open<C>(token: &str, kind: &str, keys: &[PublicKey]) -> Result<Claims<C>, IdentityError>
where
    C: DeserializeOwned + Clone,
{
    if token.len() > SIZE_LIMIT {
        return Err(IdentityError::TooLarge);
    }
    let token = UntrustedToken::<Extensions>::try_from(token).map_err(|_| IdentityError::Malformed)?;
    let key = check_header(&token, kind, keys)?;
    match Ed25519.validator::<C>(&key).validate(&token) {
        Ok(token) => Ok(token.claims().clone()),
        Err(ValidationError::MalformedClaims(_)) => Err(IdentityError::Malformed),
        Err(_) => Err(IdentityError::Signature),
    }
}

fn check_header(
    token: &UntrustedToken<'_, Extensions>,
    kind: &str,
    keys: &[PublicKey],
) -> Result<VerifyingKey, IdentityError> {
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
    let key = keys.iter().find(is_named).ok_or(IdentityError::UnknownKey)?;
    // 32 bytes that are no point of the curve: a key that nothing can be signed with.
    VerifyingKey::from_slice(&key.key).map_err(|_| IdentityError::UnknownKey)
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
