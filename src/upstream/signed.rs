//! What StatiBeat signs, whatever it says: size, header, signature, times.
//!
//! The JWT library checks the signature and nothing else we can rely on: it parses claims before the signature, ignores
//! `crit` (RFC 7515 4.1.11), and lets a token live through its very second of expiry. So everything is checked here, in
//! that order. Parties and binding differ from kind to kind; those are their files' business.

use super::identity_token::BadIdentity;
use crate::keyring::PublicKey;
use crate::model::timestamp::Timestamp;
use crate::model::visible;
use jwt_compact::alg::{Ed25519, VerifyingKey as _};
use jwt_compact::prelude::*;
use jwt_compact::{Algorithm, ValidationError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

/// No token is longer, in bytes. Claims are parsed before the signature is known to hold.
pub(super) const SIZE_LIMIT: usize = 4096;
const LIFETIME_LIMIT: Duration = Duration::from_mins(1);
/// How far StatiBeat's clock may be ahead of ours. Expiry gets no such allowance.
const SKEW: Duration = Duration::from_secs(30);

type VerifyingKey = <Ed25519 as Algorithm>::VerifyingKey;

/// Header members the library does not name, `crit` among them.
type Extensions = Map<String, Value>;

/// The claims of a token of that `typ` that StatiBeat signed. Nothing is known yet of parties and times.
pub(super) fn open<C>(token: &str, kind: &str, keys: &[PublicKey]) -> Result<Claims<C>, BadIdentity>
where
    C: DeserializeOwned + Clone,
{
    if token.len() > SIZE_LIMIT {
        return Err(BadIdentity::TooLarge);
    }
    let token = UntrustedToken::<Extensions>::try_from(token).map_err(|_| BadIdentity::Malformed)?;
    let key = check_header(&token, kind, keys)?;
    match Ed25519.validator::<C>(&key).validate(&token) {
        Ok(token) => Ok(token.claims().clone()),
        Err(ValidationError::MalformedClaims(_)) => Err(BadIdentity::Malformed),
        Err(_) => Err(BadIdentity::Signature),
    }
}

fn check_header(
    token: &UntrustedToken<'_, Extensions>,
    kind: &str,
    keys: &[PublicKey],
) -> Result<VerifyingKey, BadIdentity> {
    let header = token.header();
    if header.other_fields.contains_key("crit") {
        return Err(BadIdentity::Critical);
    }
    if header.token_type.as_deref() != Some(kind) {
        return Err(BadIdentity::Type);
    }
    if token.algorithm() != "EdDSA" {
        return Err(BadIdentity::Algorithm);
    }
    let is_named = |key: &&PublicKey| header.key_id.as_ref() == Some(&key.kid);
    let key = keys.iter().find(is_named).ok_or(BadIdentity::UnknownKey)?;
    // 32 bytes that are no point of the curve: a key that nothing can be signed with.
    VerifyingKey::from_slice(&key.key).map_err(|_| BadIdentity::UnknownKey)
}

/// The token is alive; when it dies.
pub(super) fn check_times<C>(claims: &Claims<C>, now: Timestamp) -> Result<Timestamp, BadIdentity> {
    let seconds = |time: i64| Timestamp::from_seconds(time);
    let expires_at = claims.expiration.map(|at| seconds(at.timestamp())).ok_or(BadIdentity::Malformed)?;
    let issued_at = claims.issued_at.map(|at| seconds(at.timestamp())).ok_or(BadIdentity::Malformed)?;
    let not_before = claims.not_before.map(|at| seconds(at.timestamp()));
    if now >= expires_at {
        return Err(BadIdentity::Expired);
    }
    if issued_at > now + SKEW || not_before.is_some_and(|at| at > now + SKEW) {
        return Err(BadIdentity::NotYetValid);
    }
    if expires_at <= issued_at || expires_at.since(issued_at) > LIFETIME_LIMIT {
        return Err(BadIdentity::Lifetime);
    }
    Ok(expires_at)
}

/// A name or an address as people are shown it: one visible line. Whoever chose it may have hidden something in it.
pub(super) fn shown(name: &str) -> String {
    /// Longer than any e-mail address may be (RFC 5321 4.5.3.1).
    const LONGEST: usize = 320;
    visible::line(name, LONGEST)
}

/// Whether a `sub` can be a person of StatiBeat: a positive decimal number, written one way only.
pub(super) fn is_user_id(subject: &str) -> bool {
    subject.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == subject)
}
