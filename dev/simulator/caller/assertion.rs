//! Verifies what on-behalf-of (`statibeat-obo+jwt`) and connector (`statibeat-connector+jwt`) assertions have in
//! common, in this order: size, header, signature, required claims, issuer, audience, id, times, request binding.
//!
//! Parses JWTs itself: if connector and simulator used the same JWT library, a mistake in using it would go unnoticed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::call::ReceivedRequest;
use crate::reply::ApiError;
use crate::secrets;
use crate::world::World;

/// Maximum length of an assertion, in characters.
const SIZE_LIMIT: usize = 4096;
/// Maximum lifetime of an assertion, in seconds.
const LIFETIME_LIMIT: i64 = 60;
/// Tolerated clock difference, in seconds.
const CLOCK_SKEW: i64 = 30;

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
    crit: Option<serde_json::Value>,
}

/// Claims that every assertion of the connector carries.
#[derive(Deserialize)]
struct CommonClaims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    htm: String,
    htu: String,
    bh: Option<String>,
}

/// An assertion whose signature, times and binding were verified. Authorization is checked by the calling function.
pub struct VerifiedAssertion<T> {
    pub claims: T,
    jti: String,
    remember_until: i64,
}

/// Returns the `kid` of the header, without verifying anything.
pub fn peek_kid(token: &str) -> Option<String> {
    let header = token.split('.').next().filter(|_| token.len() <= SIZE_LIMIT)?;
    decode::<Header>(header).map(|header| header.kid)
}

/// Verifies that a token is an assertion for this request and that its header has this `typ`.
pub fn verify<T: DeserializeOwned>(
    world: &World,
    token: &str,
    typ: &str,
    received: &ReceivedRequest,
) -> Result<VerifiedAssertion<T>, ApiError> {
    reject_if(token.len() > SIZE_LIMIT, "is larger than 4 kB")?;
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else {
        return Err(invalid_assertion("does not have three parts"));
    };
    let key = check_header(world, header, typ)?;
    check_signature(key, token, signature)?;
    let common: CommonClaims = decode(payload).ok_or_else(|| invalid_assertion("lacks a required claim"))?;
    check_issuer_audience_and_id(world, &common)?;
    check_times(&common, received.now)?;
    check_binding(world, &common, received)?;
    let claims = decode(payload).ok_or_else(|| invalid_assertion("lacks a required claim"))?;
    Ok(VerifiedAssertion { claims, jti: common.jti, remember_until: common.exp + CLOCK_SKEW })
}

/// Marks the assertion as used; fails if its `jti` was used before.
pub fn redeem<T>(world: &mut World, assertion: &VerifiedAssertion<T>, now: i64) -> Result<(), ApiError> {
    world.used_assertions.retain(|_, remember_until| *remember_until > now);
    match world.used_assertions.insert(assertion.jti.clone(), assertion.remember_until) {
        Some(_) => Err(invalid_assertion("was used before")),
        None => Ok(()),
    }
}

fn check_header<'a>(world: &'a World, header: &str, typ: &str) -> Result<&'a VerifyingKey, ApiError> {
    let header: Header = decode(header).ok_or_else(|| invalid_assertion("header is not readable"))?;
    reject_if(header.crit.is_some(), "has `crit`, which is not supported")?;
    reject_if(header.alg != "EdDSA", "must be signed with EdDSA")?;
    reject_if(header.typ != typ, &format!("must be of type {typ}"))?;
    world.connector_keys.find(&header.kid).ok_or_else(|| invalid_assertion("is signed with an unknown key"))
}

fn check_signature(key: &VerifyingKey, token: &str, signature: &str) -> Result<(), ApiError> {
    let signing_input = &token[..token.len() - signature.len() - 1];
    let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| invalid_assertion("signature is invalid"))?;
    let signature = Signature::from_slice(&bytes).map_err(|_| invalid_assertion("signature is invalid"))?;
    key.verify_strict(signing_input.as_bytes(), &signature).map_err(|_| invalid_assertion("signature is invalid"))
}

fn check_issuer_audience_and_id(world: &World, claims: &CommonClaims) -> Result<(), ApiError> {
    reject_if(claims.iss != world.settings.connector_url, "has the wrong `iss`")?;
    reject_if(claims.aud != world.settings.origin, "has the wrong `aud`")?;
    reject_if(claims.jti.len() < 16, "has a jti shorter than 16 characters")
}

fn check_times(claims: &CommonClaims, now: i64) -> Result<(), ApiError> {
    reject_if(claims.iat > now + CLOCK_SKEW, "was issued in the future")?;
    reject_if(
        claims.exp <= claims.iat || claims.exp - claims.iat > LIFETIME_LIMIT,
        "must live between 1 and 60 seconds",
    )?;
    reject_if(now >= claims.exp + CLOCK_SKEW, "has expired")
}

fn check_binding(world: &World, claims: &CommonClaims, received: &ReceivedRequest) -> Result<(), ApiError> {
    let request = &received.request;
    reject_if(claims.htm != request.method().as_str(), "is bound to another method")?;
    let url = format!("{}{}", world.settings.origin, request.uri().path());
    reject_if(claims.htu != url, "is bound to another address")?;
    let is_write = request.method() != http::Method::GET;
    match &claims.bh {
        None if is_write || !request.body().is_empty() => Err(invalid_assertion("must carry the hash of the body")),
        Some(bh) if *bh != secrets::hash(request.body()) => Err(invalid_assertion("is bound to another body")),
        _ => Ok(()),
    }
}

fn decode<T: DeserializeOwned>(segment: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn reject_if(is_wrong: bool, reason: &str) -> Result<(), ApiError> {
    if is_wrong { Err(invalid_assertion(reason)) } else { Ok(()) }
}

fn invalid_assertion(reason: &str) -> ApiError {
    ApiError::unauthorized(format!("assertion {reason}"))
}
