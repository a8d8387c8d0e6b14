//! The assertions we sign for StatiBeat: as the connector itself, and on behalf of a person.
//!
//! JSON Web Tokens (RFC 7519) with Ed25519 (RFC 8037), alive for a minute and bound to one request: method, URL, and
//! body. Which user, scope and page an assertion names is the caller's decision; here it is only written and signed.

use crate::keyring::KeyRing;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::Scope;
use crate::model::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Ed25519, SigningKey as _};
use jwt_compact::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long an assertion may be used. The contract's number; StatiBeat accepts no longer one.
pub const LIFETIME: Duration = Duration::from_mins(1);
/// Who acts for the person, in the `act` claim (RFC 8693 4.1).
const ACTOR: &str = "hosted-mcp";

/// An expanded Ed25519 key.
pub(super) type SigningKey = <Ed25519 as jwt_compact::Algorithm>::SigningKey;

/// What every assertion says: who to whom, when, once, for which request.
#[derive(Serialize)]
pub(super) struct Envelope<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    htm: &'a str,
    htu: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bh: Option<String>,
}

/// The two ends of every assertion.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
}

/// The one request that an assertion is good for.
pub(super) struct Bound<'a> {
    /// As on the request line.
    pub method: &'a http::Method,
    /// Origin and path; a query is cut off.
    pub url: &'a str,
    /// The exact bytes, if the request carries a body.
    pub body: Option<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    /// An envelope for one request, valid from the time of its sending. `nonce` must be random and fresh.
    pub fn new(parties: Parties<'a>, bound: &Bound<'a>, sent_at: Timestamp, nonce: [u8; 16]) -> Self {
        Self {
            iss: parties.issuer,
            aud: parties.audience,
            iat: sent_at.as_seconds(),
            exp: (sent_at + LIFETIME).as_seconds(),
            jti: URL_SAFE_NO_PAD.encode(nonce),
            htm: bound.method.as_str(),
            htu: bound.url.split('?').next().unwrap_or_default().to_owned(),
            bh: bound.body.map(|body| URL_SAFE_NO_PAD.encode(Sha256::digest(body))),
        }
    }
}

/// Claims of the connector speaking for itself: the sign-in exchange.
#[derive(Serialize)]
pub(super) struct ConnectorClaims<'a> {
    pub sub: &'a str,
    #[serde(flatten)]
    pub envelope: Envelope<'a>,
}

/// Claims of a call in a person's name.
#[derive(Serialize)]
pub(super) struct OnBehalfOfClaims<'a> {
    sub: &'a str,
    client_id: &'a str,
    grant_id: &'a str,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_id: Option<i64>,
    act: Actor,
    #[serde(flatten)]
    envelope: Envelope<'a>,
}

#[derive(Serialize)]
struct Actor {
    sub: &'static str,
}

/// Whose name, and how far.
pub(super) struct Mandate<'a> {
    pub user_id: &'a UserId,
    pub client_id: &'a str,
    pub grant_id: &'a GrantId,
    /// The one scope that the call needs, however many were granted.
    pub scope: Scope,
    /// The one page that the call touches.
    pub page_id: Option<PageId>,
}

impl<'a> OnBehalfOfClaims<'a> {
    /// The claims for one call.
    pub fn new(mandate: &Mandate<'a>, envelope: Envelope<'a>) -> Self {
        Self {
            sub: &mandate.user_id.0,
            client_id: mandate.client_id,
            grant_id: &mandate.grant_id.0,
            scope: mandate.scope.as_str(),
            page_id: mandate.page_id.map(|page| page.0),
            act: Actor { sub: ACTOR },
            envelope,
        }
    }
}

/// Claims with the `typ` that says what they are, so that one kind can never stand in for another.
pub(super) trait Assertion: Serialize {
    const TYPE: &'static str;
}

impl Assertion for ConnectorClaims<'_> {
    const TYPE: &'static str = "statibeat-connector+jwt";
}

impl Assertion for OnBehalfOfClaims<'_> {
    const TYPE: &'static str = "statibeat-obo+jwt";
}

/// The signing form of a ring's newest key. Costs a curve operation: keep it ([`super::memory`]).
pub(super) fn signing_key(ring: &KeyRing) -> SigningKey {
    expand(ring.newest().reveal())
}

pub(super) fn sign<A: Assertion>(assertion: A, kid: &str, key: &SigningKey) -> String {
    let header = Header::empty().with_key_id(kid).with_token_type(A::TYPE);
    // `iat` and `exp` stand among the claims themselves, as plain seconds.
    Ed25519.token(&header, &Claims::new(assertion), key).expect("claims are plain text and numbers")
}

/// The public halves of the ring as a JWK set (RFC 7517, RFC 8037 2), for StatiBeat to fetch.
pub fn jwks(ring: &KeyRing) -> Value {
    let keys: Vec<Value> = ring
        .iter()
        .map(|key| {
            let public = expand(key.reveal()).to_verifying_key();
            let x = URL_SAFE_NO_PAD.encode(public.as_bytes());
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid(), "x": x })
        })
        .collect();
    json!({ "keys": keys })
}

fn expand(seed: &[u8; 32]) -> SigningKey {
    SigningKey::from_slice(seed).expect("an Ed25519 seed is any 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key pair of RFC 8037, appendix A.1.
    const RFC_8037_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const RFC_8037_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ring() -> KeyRing {
        KeyRing::parse(&format!("a:{RFC_8037_SEED}"), "test").expect("a good ring")
    }

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    }

    fn signed(body: Option<&[u8]>) -> String {
        let ring = ring();
        let parties = Parties { issuer: "https://mcp.example", audience: "https://api.example" };
        let bound = Bound { method: &http::Method::POST, url: "https://api.example/x?limit=5", body };
        let envelope = Envelope::new(parties, &bound, Timestamp::from_seconds(1000), [7; 16]);
        let (user_id, grant_id) = (UserId("42".into()), GrantId("g".into()));
        let (client_id, scope) = ("cursor", Scope::IncidentsWrite);
        let mandate = Mandate { user_id: &user_id, client_id, grant_id: &grant_id, scope, page_id: Some(PageId(7)) };
        sign(OnBehalfOfClaims::new(&mandate, envelope), ring.newest().kid(), &signing_key(&ring))
    }

    #[test]
    fn an_on_behalf_of_assertion_says_exactly_what_the_contract_names() {
        let token = signed(Some(b"{}"));
        assert_eq!(part(&token, 0), json!({ "alg": "EdDSA", "typ": "statibeat-obo+jwt", "kid": "a" }));
        let expected = json!({
            "iss": "https://mcp.example", "aud": "https://api.example", "sub": "42", "client_id": "cursor",
            "grant_id": "g", "scope": "mcp.incidents.write", "page_id": 7, "act": { "sub": "hosted-mcp" },
            "htm": "POST", "htu": "https://api.example/x", "iat": 1000, "exp": 1060,
            "jti": "BwcHBwcHBwcHBwcHBwcHBw", "bh": "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o",
        });
        assert_eq!(part(&token, 1), expected);
    }

    #[test]
    fn a_request_without_a_body_has_no_body_hash() {
        assert_eq!(part(&signed(None), 1).get("bh"), None);
    }

    #[test]
    fn the_key_set_shows_public_keys_only() {
        let expected = json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "a", "x": RFC_8037_PUBLIC,
        }] });
        assert_eq!(jwks(&ring()), expected);
    }

    #[test]
    fn signatures_verify_with_the_published_key() {
        let token = signed(None);
        let token = UntrustedToken::new(&token).expect("a token");
        let public = signing_key(&ring()).to_verifying_key();
        assert!(Ed25519.validator::<Value>(&public).validate(&token).is_ok());
    }
}
