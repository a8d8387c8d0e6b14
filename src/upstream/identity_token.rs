//! StatiBeat's identity token: who signed in, told at the end of a sign-in.
//!
//! The JWT library checks the signature and nothing else we can rely on: it parses claims before the signature, ignores
//! `crit` (RFC 7515 4.1.11), and lets a token live through its very second of expiry. So everything is checked here, in
//! this order: size, header, signature, parties, binding to this sign-in, times. A token is good for one sign-in
//! because it names the hash of that sign-in's `state`, which works once.

use crate::ids::UserId;
use crate::keyring::PublicKey;
use crate::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Ed25519, VerifyingKey as _};
use jwt_compact::prelude::*;
use jwt_compact::{Algorithm, ValidationError};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// The `typ` of an identity token.
const TYPE: &str = "statibeat-identity+jwt";
/// No token is longer, in bytes. Claims are parsed before the signature is known to hold.
const SIZE_LIMIT: usize = 4096;
/// No token lives longer.
const LIFETIME_LIMIT: Duration = Duration::from_mins(1);
/// How far StatiBeat's clock may be ahead of ours. Expiry gets no such allowance.
const SKEW: Duration = Duration::from_secs(30);

type VerifyingKey = <Ed25519 as Algorithm>::VerifyingKey;

/// A person who signed in at StatiBeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInUser {
    /// StatiBeat's number for them.
    pub id: UserId,
    /// For the consent page.
    pub name: String,
    /// For the consent page.
    pub email: String,
    /// Their session at StatiBeat.
    pub session_id: String,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
}

/// What an identity token must agree with.
pub(super) struct Expected<'a> {
    /// StatiBeat's API origin.
    pub issuer: &'a str,
    /// Our issuer URL.
    pub audience: &'a str,
    /// This environment's name.
    pub environment: &'a str,
    /// The `state` we sent along with this very sign-in.
    pub state: &'a str,
}

/// Why a token does not say who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// Larger than any honest token.
    #[error("larger than 4 kB")]
    TooLarge,
    /// Not a token, or a claim is missing or of the wrong type.
    #[error("not a readable token with every claim")]
    Malformed,
    /// Names critical extensions; we know none.
    #[error("names critical header extensions")]
    Critical,
    /// Another kind of token.
    #[error("of another type")]
    Type,
    /// Not `EdDSA`.
    #[error("signed with another algorithm")]
    Algorithm,
    /// No `kid`, or none of ours.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature does not hold.
    #[error("signature does not hold")]
    Signature,
    /// Somebody else made it.
    #[error("from another issuer")]
    Issuer,
    /// Made for somebody else.
    #[error("for another audience")]
    Audience,
    /// From another environment.
    #[error("from another environment")]
    Environment,
    /// From another sign-in.
    #[error("for another sign-in")]
    State,
    /// Nobody's user id.
    #[error("subject is not a user id")]
    Subject,
    /// Cannot be told from other tokens.
    #[error("has no id")]
    Unnamed,
    /// At or after `exp`.
    #[error("expired")]
    Expired,
    /// `iat` or `nbf` is ahead of us by more than clocks may differ.
    #[error("not valid yet")]
    NotYetValid,
    /// Lives for longer than a minute, or for no time.
    #[error("lifetime is not between 1 and 60 seconds")]
    Lifetime,
}

impl BadIdentity {
    /// The reason in a fixed word, for records that must not hold text from outside.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "identity_too_large",
            Self::Malformed => "identity_malformed",
            Self::Critical => "identity_critical",
            Self::Type => "identity_type",
            Self::Algorithm => "identity_algorithm",
            Self::UnknownKey => "identity_unknown_key",
            Self::Signature => "identity_signature",
            Self::Issuer => "identity_issuer",
            Self::Audience => "identity_audience",
            Self::Environment => "identity_environment",
            Self::State => "identity_state",
            Self::Subject => "identity_subject",
            Self::Unnamed => "identity_unnamed",
            Self::Expired => "identity_expired",
            Self::NotYetValid => "identity_not_yet_valid",
            Self::Lifetime => "identity_lifetime",
        }
    }
}

#[derive(Clone, Deserialize)]
struct IdentityClaims {
    iss: String,
    aud: String,
    sub: String,
    name: String,
    email: String,
    sid: String,
    auth_time: i64,
    env: String,
    state_hash: String,
    jti: String,
}

/// Header members the library does not name, `crit` among them.
type Extensions = Map<String, Value>;

/// Establishes who signed in, or says why the token does not.
pub(super) fn verify(
    token: &str,
    keys: &[PublicKey],
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<SignedInUser, BadIdentity> {
    if token.len() > SIZE_LIMIT {
        return Err(BadIdentity::TooLarge);
    }
    let token = UntrustedToken::<Extensions>::try_from(token).map_err(|_| BadIdentity::Malformed)?;
    let key = check_header(&token, keys)?;
    let claims = check_signature(&token, &key)?;
    check_binding(&claims.custom, expected)?;
    check_times(&claims, now)?;
    let IdentityClaims { sub, name, email, sid, auth_time, .. } = claims.custom;
    let authenticated_at = Timestamp::from_seconds(auth_time);
    Ok(SignedInUser { id: UserId(sub), name, email, session_id: sid, authenticated_at })
}

fn check_header(token: &UntrustedToken<'_, Extensions>, keys: &[PublicKey]) -> Result<VerifyingKey, BadIdentity> {
    let header = token.header();
    if header.other_fields.contains_key("crit") {
        return Err(BadIdentity::Critical);
    }
    if header.token_type.as_deref() != Some(TYPE) {
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

fn check_signature(
    token: &UntrustedToken<'_, Extensions>,
    key: &VerifyingKey,
) -> Result<Claims<IdentityClaims>, BadIdentity> {
    match Ed25519.validator::<IdentityClaims>(key).validate(token) {
        Ok(token) => Ok(token.claims().clone()),
        Err(ValidationError::MalformedClaims(_)) => Err(BadIdentity::Malformed),
        Err(_) => Err(BadIdentity::Signature),
    }
}

fn check_binding(claims: &IdentityClaims, expected: &Expected<'_>) -> Result<(), BadIdentity> {
    let state_hash = URL_SAFE_NO_PAD.encode(Sha256::digest(expected.state));
    let is_user_id = claims.sub.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == claims.sub);
    match () {
        () if claims.iss != expected.issuer => Err(BadIdentity::Issuer),
        () if claims.aud != expected.audience => Err(BadIdentity::Audience),
        () if claims.env != expected.environment => Err(BadIdentity::Environment),
        () if !bool::from(claims.state_hash.as_bytes().ct_eq(state_hash.as_bytes())) => Err(BadIdentity::State),
        () if !is_user_id => Err(BadIdentity::Subject),
        () if claims.jti.is_empty() => Err(BadIdentity::Unnamed),
        () => Ok(()),
    }
}

fn check_times(claims: &Claims<IdentityClaims>, now: Timestamp) -> Result<(), BadIdentity> {
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
    Ok(())
}

#[cfg(test)]
mod tests;
