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
use crate::reply::Refusal;
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
) -> Result<Verified<T>, Refusal> {
    if token.len() > SIZE_LIMIT {
        return Err(refuse("is larger than 4 kB"));
    }
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
pub fn redeem<T>(world: &mut World, assertion: &Verified<T>, now: i64) -> Result<(), Refusal> {
    world.used_assertions.retain(|_, forget_at| *forget_at > now);
    match world.used_assertions.insert(assertion.jti.clone(), assertion.forget_at) {
        Some(_) => Err(refuse("was used before")),
        None => Ok(()),
    }
}

fn check_header<'a>(world: &'a World, header: &str, typ: &str) -> Result<&'a VerifyingKey, Refusal> {
    let header: Header = decode(header).ok_or_else(|| refuse("header is not readable"))?;
    if header.crit.is_some() {
        return Err(refuse("names critical extensions, and none is known here"));
    }
    if header.alg != "EdDSA" {
        return Err(refuse("must be signed with EdDSA"));
    }
    if header.typ != typ {
        return Err(refuse(&format!("must be of type {typ}")));
    }
    world.connector_keys.find(&header.kid).ok_or_else(|| refuse("is signed with an unknown key"))
}

fn check_signature(key: &VerifyingKey, token: &str, signature: &str) -> Result<(), Refusal> {
    let signed = &token[..token.len() - signature.len() - 1];
    let bytes = URL_SAFE_NO_PAD.decode(signature).map_err(|_| refuse("signature does not hold"))?;
    let signature = Signature::from_slice(&bytes).map_err(|_| refuse("signature does not hold"))?;
    key.verify_strict(signed.as_bytes(), &signature).map_err(|_| refuse("signature does not hold"))
}

fn check_parties(world: &World, claims: &CommonClaims) -> Result<(), Refusal> {
    if claims.iss != world.settings.connector_url {
        return Err(refuse("comes from another issuer"));
    }
    if claims.aud != world.settings.origin {
        return Err(refuse("is meant for another audience"));
    }
    if claims.jti.len() < 16 {
        return Err(refuse("has a jti shorter than 16 characters"));
    }
    Ok(())
}

fn check_times(claims: &CommonClaims, now: i64) -> Result<(), Refusal> {
    if claims.iat > now + SKEW {
        return Err(refuse("was issued in the future"));
    }
    if claims.exp <= claims.iat || claims.exp - claims.iat > LIFETIME_LIMIT {
        return Err(refuse("must live between 1 and 60 seconds"));
    }
    if now >= claims.exp + SKEW {
        return Err(refuse("has expired"));
    }
    Ok(())
}

fn check_binding(world: &World, claims: &CommonClaims, arrival: &Arrival) -> Result<(), Refusal> {
    let request = &arrival.request;
    if claims.htm != request.method().as_str() {
        return Err(refuse("is bound to another method"));
    }
    if claims.htu != format!("{}{}", world.settings.origin, request.uri().path()) {
        return Err(refuse("is bound to another address"));
    }
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

fn refuse(reason: &str) -> Refusal {
    Refusal::unauthorized(format!("assertion {reason}"))
}
