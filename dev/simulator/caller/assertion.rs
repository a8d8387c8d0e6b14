//! The connector's signed assertions: what both kinds have in common is checked here, in this order: size, header,
//! signature, issuer, audience, times, and the binding to this very request.
//!
//! Written against the bare signature primitive, so that a misreading of a JWT library cannot cancel itself out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::call::Arrival;
use crate::reply::ApiError;
use crate::secrets;
use crate::world::World;

/// No assertion is longer than this many characters.
const SIZE_LIMIT: usize = 4096;
/// No assertion lives longer than this many seconds.
const LIFETIME_LIMIT: i64 = 60;
/// Clocks may differ by this many seconds.
const SKEW: i64 = 30;

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

/// An assertion whose signature, times and binding hold. What it allows is for the caller to judge.
pub struct Verified<T> {
    pub claims: T,
    jti: String,
    forget_at: i64,
}

/// The `kid` an assertion names, unverified.
pub fn peek_kid(token: &str) -> Option<String> {
    let header = token.split('.').next().filter(|_| token.len() <= SIZE_LIMIT)?;
    decode::<Header>(header).map(|header| header.kid)
}

/// Verifies an assertion of a type for this request.
pub fn verify<T: DeserializeOwned>(
    world: &World,
    token: &str,
    typ: &str,
    arrival: &Arrival,
) -> Result<Verified<T>, ApiError> {
    refuse_if(token.len() > SIZE_LIMIT, "is larger than 4 kB")?;
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(refuse("does not have three parts"));
    };
    let key = check_header(world, header, typ)?;
    check_signature(key, token, signature)?;
    let common: CommonClaims = decode(payload).ok_or_else(|| refuse("lacks a required claim"))?;
    check_parties(world, &common)?;
    check_times(&common, arrival.now)?;
    check_binding(world, &common, arrival)?;
    let claims = decode(payload).ok_or_else(|| refuse("lacks a required claim"))?;
    Ok(Verified { claims, jti: common.jti, forget_at: common.exp + SKEW })
}

/// Uses an assertion up: it may not come a second time.
pub fn redeem<T>(world: &mut World, assertion: &Verified<T>, now: i64) -> Result<(), ApiError> {
    world.used_assertions.retain(|_, forget_at| *forget_at > now);
    match world.used_assertions.insert(assertion.jti.clone(), assertion.forget_at) {
        Some(_) => Err(refuse("was used before")),
        None => Ok(()),
    }
}

fn check_header<'a>(world: &'a World, header: &str, typ: &str) -> Result<&'a VerifyingKey, ApiError> {
    let header: Header = decode(header).ok_or_else(|| refuse("header is not readable"))?;
    refuse_if(header.crit.is_some(), "names critical extensions, and none is known here")?;
    refuse_if(header.alg != "EdDSA", "must be signed with EdDSA")?;
    refuse_if(header.typ != typ, &format!("must be of type {typ}"))?;
    world.connector_keys.find(&header.kid).ok_or_else(|| refuse("is signed with an unknown key"))
}

fn check_signature(key: &VerifyingKey, token: &str, signature: &str) -> Result<(), ApiError> {
    let signed = &token[..token.len() - signature.len() - 1];
    let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| refuse("signature does not hold"))?;
    let signature = Signature::from_slice(&bytes).map_err(|_| refuse("signature does not hold"))?;
    key.verify_strict(signed.as_bytes(), &signature).map_err(|_| refuse("signature does not hold"))
}

fn check_parties(world: &World, claims: &CommonClaims) -> Result<(), ApiError> {
    refuse_if(claims.iss != world.settings.connector_url, "comes from another issuer")?;
    refuse_if(claims.aud != world.settings.origin, "is meant for another audience")?;
    refuse_if(claims.jti.len() < 16, "has a jti shorter than 16 characters")
}

fn check_times(claims: &CommonClaims, now: i64) -> Result<(), ApiError> {
    refuse_if(claims.iat > now + SKEW, "was issued in the future")?;
    refuse_if(
        claims.exp <= claims.iat || claims.exp - claims.iat > LIFETIME_LIMIT,
        "must live between 1 and 60 seconds",
    )?;
    refuse_if(now >= claims.exp + SKEW, "has expired")
}

fn check_binding(world: &World, claims: &CommonClaims, arrival: &Arrival) -> Result<(), ApiError> {
    let request = &arrival.request;
    refuse_if(claims.htm != request.method().as_str(), "is bound to another method")?;
    let address = format!("{}{}", world.settings.origin, request.uri().path());
    refuse_if(claims.htu != address, "is bound to another address")?;
    let write = request.method() != http::Method::GET;
    match &claims.bh {
        None if write || !request.body().is_empty() => Err(refuse("must carry the hash of the body")),
        Some(bh) if *bh != secrets::hash(request.body()) => Err(refuse("is bound to another body")),
        _ => Ok(()),
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refuse_if(is_wrong: bool, reason: &str) -> Result<(), ApiError> {
    if is_wrong { Err(refuse(reason)) } else { Ok(()) }
}

fn refuse(reason: &str) -> ApiError {
    ApiError::unauthorized(format!("assertion {reason}"))
}
