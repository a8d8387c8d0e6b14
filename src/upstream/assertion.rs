//! The assertions we sign for StatiBeat: as the connector itself, and on behalf of a person.
//!
//! JSON Web Tokens (RFC 7519) with Ed25519 (RFC 8037), valid for a minute and bound to one request: method, URL and
//! body. The calling function decides user, scope and page; this module only serializes. The HTTP client signs
//! ([`BearerSigningKey`]); where no runtime does it, [`sign`] does.

use crate::keyring::KeyRing;
use crate::model::timestamp::Timestamp;
use crate::ports::HttpClient;
#[cfg(not(target_arch = "wasm32"))]
use crate::ports::{BearerSigningKey, ed25519};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(not(target_arch = "wasm32"))]
use bytes::Bytes;
#[cfg(not(target_arch = "wasm32"))]
use http::{HeaderValue, header::AUTHORIZATION};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Lifetime of an assertion: the longest that StatiBeat accepts.
pub const LIFETIME: Duration = Duration::from_mins(1);

/// The request that an assertion is bound to (RFC 9449 4.2).
pub struct RequestBinding<'a> {
    /// `htm`: as on the request line.
    pub method: &'a http::Method,
    /// `htu`: origin and path; a query is cut off.
    pub url: &'a str,
}

/// Claims with their `typ`, so that no type is accepted for another.
pub(super) trait Assertion: Serialize {
    const TYPE: &'static str;
}

/// Claims of the connector speaking for itself: the sign-in exchange.
#[derive(Serialize)]
pub(super) struct ConnectorClaims<'a> {
    pub sub: &'a str,
}

impl Assertion for ConnectorClaims<'_> {
    const TYPE: &'static str = "statibeat-connector+jwt";
}

/// Claims of a call on behalf of a person.
#[derive(Serialize)]
pub(super) struct OnBehalfOfClaims<'a> {
    pub sub: &'a str,
    pub client_id: &'a str,
    pub grant_id: &'a str,
    /// The one scope that the call needs, however many were granted.
    pub scope: &'static str,
    /// The one page that the call touches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_id: Option<i64>,
    pub act: Actor,
}

impl Assertion for OnBehalfOfClaims<'_> {
    const TYPE: &'static str = "statibeat-obo+jwt";
}

/// The connector, which acts for the person (RFC 8693 4.1).
#[derive(Serialize)]
pub(super) struct Actor {
    sub: &'static str,
}

pub(super) const ACTOR: Actor = Actor { sub: "hosted-mcp" };

/// A token before it is signed. It is valid from the time it is sent.
pub(super) struct Token<'a, C> {
    pub claims: C,
    pub issuer: &'a str,
    pub audience: &'a str,
    pub binding: &'a RequestBinding<'a>,
    /// The exact bytes, if the request carries a body.
    pub body: Option<&'a [u8]>,
    pub sent_at: Timestamp,
    pub nonce: [u8; 16],
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'static str,
}

#[derive(Serialize)]
struct WireClaims<'a, C> {
    #[serde(flatten)]
    claims: C,
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    htm: &'a str,
    htu: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bh: Option<String>,
}

impl<C: Assertion> Token<'_, C> {
    /// The token without its signature and the dot in front of it.
    pub fn unsigned(self, kid: &str) -> String {
        let claims = WireClaims {
            claims: self.claims,
            iss: self.issuer,
            aud: self.audience,
            iat: self.sent_at.as_seconds(),
            exp: (self.sent_at + LIFETIME).as_seconds(),
            jti: URL_SAFE_NO_PAD.encode(self.nonce),
            htm: self.binding.method.as_str(),
            htu: self.binding.url.split('?').next().unwrap_or_default(),
            bh: self.body.map(|body| URL_SAFE_NO_PAD.encode(Sha256::digest(body))),
        };
        let header = Header { alg: "EdDSA", kid, typ: C::TYPE };
        format!("{}.{}", encode(&header), encode(&claims))
    }
}

fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("claims are plain text and numbers"))
}

/// Signs the bearer token of a request that carries a [`BearerSigningKey`]: what an HTTP client without a runtime does first.
#[cfg(not(target_arch = "wasm32"))]
pub fn sign(request: &mut http::Request<Bytes>) {
    let Some(BearerSigningKey(seed)) = request.extensions_mut().remove() else { return };
    let Some(bearer) = request.headers_mut().get_mut(AUTHORIZATION) else { return };
    let input = bearer.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
    let signature = URL_SAFE_NO_PAD.encode(ed25519::sign(&seed, input));
    let signed = [bearer.as_bytes(), b".", signature.as_bytes()].concat();
    *bearer = HeaderValue::from_bytes(&signed).expect("base64url is plain text");
}

/// The public halves of the ring as a JWK set (RFC 7517, RFC 8037 2), for StatiBeat to fetch. `None` if one cannot be computed.
pub async fn public_jwks(ring: &KeyRing, http: &dyn HttpClient) -> Option<Value> {
    let mut keys = Vec::new();
    for key in ring.iter() {
        keys.push(jwk(key.kid(), http.public_key(key.expose()).await?));
    }
    Some(json!({ "keys": keys }))
}

/// The same set where nothing is waited for.
#[cfg(not(target_arch = "wasm32"))]
pub fn jwks(ring: &KeyRing) -> Value {
    let keys: Vec<Value> = ring.iter().map(|key| jwk(key.kid(), ed25519::public_key(key.expose()))).collect();
    json!({ "keys": keys })
}

fn jwk(kid: &str, public_key: [u8; 32]) -> Value {
    let x = URL_SAFE_NO_PAD.encode(public_key);
    json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x })
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
        let claims = OnBehalfOfClaims {
            sub: "42",
            client_id: "cursor",
            grant_id: "g",
            scope: "mcp.incidents.write",
            page_id: Some(7),
            act: ACTOR,
        };
        let binding = RequestBinding { method: &http::Method::POST, url: "https://api.example/x?limit=5" };
        let (issuer, audience) = ("https://mcp.example", "https://api.example");
        let sent_at = Timestamp::from_seconds(1000);
        let token = Token { claims, issuer, audience, binding: &binding, body, sent_at, nonce: [7; 16] };
        let bearer = format!("Bearer {}", token.unsigned(ring.newest().kid()));
        let request = http::Request::post(binding.url).header(AUTHORIZATION, bearer);
        let mut request =
            request.extension(BearerSigningKey(*ring.newest().expose())).body(Bytes::new()).expect("a request");
        sign(&mut request);
        assert!(request.extensions().get::<BearerSigningKey>().is_none());
        request.headers()[AUTHORIZATION].to_str().expect("text")["Bearer ".len()..].to_owned()
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
        let (text, signature) = token.rsplit_once('.').expect("a token");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url").try_into().expect("64 bytes");
        let public = ed25519::public_key(ring().newest().expose());
        assert!(ed25519::verify(&public, &signature, text.as_bytes()));
    }
}
