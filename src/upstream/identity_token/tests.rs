//! One test per way in which a token could pass for more than it is.

use super::super::signed::SIZE_LIMIT;
use super::*;
use crate::keyring::PublicKey;
use crate::ports::ed25519;
use crate::upstream::testing::{ClientFixture, FakeHttp, public_key};
use serde_json::{Value, json};

/// The key pair of RFC 8037, appendix A.1.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const NOW: i64 = 1_000_000;

fn seed() -> [u8; 32] {
    URL_SAFE_NO_PAD.decode(SEED).expect("base64url").try_into().expect("32 bytes")
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": TYPE, "kid": "k1" })
}

fn claims() -> Value {
    json!({
        "iss": "https://api.example", "aud": "https://mcp.example", "sub": "42", "name": "Mara", "email": "m@a.example",
        "sid": "s1", "auth_time": NOW - 500, "env": "test", "jti": "j1", "iat": NOW, "exp": NOW + 60,
        "state_hash": URL_SAFE_NO_PAD.encode(Sha256::digest("the state")),
    })
}

/// A token by a signer who follows no rule but the signature's.
fn signed(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(ed25519::sign(&seed(), input.as_bytes())))
}

fn verified(token: &str) -> Result<SignedInUser, IdentityError> {
    verified_at(token, NOW)
}

fn verified_at(token: &str, now: i64) -> Result<SignedInUser, IdentityError> {
    verified_with(token, now, public_key("k1").key)
}

fn verified_with(token: &str, now: i64, key: [u8; 32]) -> Result<SignedInUser, IdentityError> {
    let (fixture, http) = (ClientFixture::new(), FakeHttp::answering([]));
    let mut client = fixture.client(&http);
    let keys = [PublicKey { kid: "k1".to_owned(), key }];
    client.settings.identity_keys = &keys;
    client.now = Timestamp::from_seconds(now);
    futures_executor::block_on(verify(&client, token, "the state"))
}

/// Verifies a good token with one member set to another value; `null` removes it.
fn with(name: &str, value: Value) -> Result<SignedInUser, IdentityError> {
    verified(&signed(&header(), &changed(claims(), name, value)))
}

fn with_header(name: &str, value: Value) -> Result<SignedInUser, IdentityError> {
    verified(&signed(&changed(header(), name, value), &claims()))
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    object
}

#[test]
fn a_good_token_names_the_person() {
    let user = verified(&signed(&header(), &claims())).expect("a good token");
    assert_eq!((user.id.as_str(), user.name.as_str(), user.email.as_str()), ("42", "Mara", "m@a.example"));
    assert_eq!(user.authenticated_at, Timestamp::from_seconds(NOW - 500));
}

#[test]
fn an_oversized_token_is_refused_before_it_is_parsed() {
    assert_eq!(with("name", json!("x".repeat(4000))), Err(IdentityError::TooLarge));
    assert_eq!(verified(&"x".repeat(SIZE_LIMIT + 1)), Err(IdentityError::TooLarge));
    assert_eq!(verified(&"x".repeat(SIZE_LIMIT)), Err(IdentityError::Malformed));
}

#[test]
fn critical_extensions_are_refused() {
    assert_eq!(with_header("crit", json!(["b64"])), Err(IdentityError::Critical));
    assert_eq!(with_header("crit", json!([])), Err(IdentityError::Critical));
}

#[test]
fn another_type_is_refused() {
    assert_eq!(with_header("typ", Value::Null), Err(IdentityError::Type));
    assert_eq!(with_header("typ", json!("statibeat-obo+jwt")), Err(IdentityError::Type));
}

#[test]
fn another_algorithm_is_refused() {
    for name in ["none", "None", "HS256", "ES256", "eddsa"] {
        assert_eq!(with_header("alg", json!(name)), Err(IdentityError::Algorithm), "{name}");
    }
}

#[test]
fn an_unknown_key_is_refused() {
    assert_eq!(with_header("kid", json!("k2")), Err(IdentityError::UnknownKey));
    assert_eq!(with_header("kid", Value::Null), Err(IdentityError::UnknownKey));
}

#[test]
fn a_changed_claim_breaks_the_signature() {
    let (good, other) = (signed(&header(), &claims()), signed(&header(), &changed(claims(), "sub", json!("1"))));
    let payload = other.split('.').nth(1).expect("a payload");
    let parts: Vec<&str> = good.split('.').collect();
    assert_eq!(verified(&format!("{}.{payload}.{}", parts[0], parts[2])), Err(IdentityError::Signature));
    assert_eq!(verified(&format!("{}.{}.", parts[0], parts[1])), Err(IdentityError::Signature));
}

#[test]
fn another_issuer_is_refused() {
    assert_eq!(with("iss", json!("https://api.example.evil")), Err(IdentityError::Issuer));
}

#[test]
fn another_audience_is_refused() {
    assert_eq!(with("aud", json!("https://other.example")), Err(IdentityError::Audience));
    assert_eq!(with("aud", json!(["https://mcp.example"])), Err(IdentityError::Malformed));
}

#[test]
fn another_environment_is_refused() {
    assert_eq!(with("env", json!("production")), Err(IdentityError::Environment));
}

#[test]
fn another_sign_in_is_refused() {
    let other = URL_SAFE_NO_PAD.encode(Sha256::digest("another state"));
    assert_eq!(with("state_hash", json!(other)), Err(IdentityError::State));
}

#[test]
fn a_missing_claim_is_refused() {
    for name in claims().as_object().expect("an object").keys() {
        assert_eq!(with(name, Value::Null), Err(IdentityError::Malformed), "without {name}");
    }
}

#[test]
fn a_token_without_an_id_is_refused() {
    assert_eq!(with("jti", json!("")), Err(IdentityError::Unnamed));
}

#[test]
fn a_subject_that_is_no_user_id_is_refused() {
    for subject in ["", "0", "007", "-1", "+1", " 1", "mara"] {
        assert_eq!(with("sub", json!(subject)), Err(IdentityError::Subject), "{subject:?}");
    }
}

#[test]
fn a_token_ends_at_its_second_of_expiry() {
    let token = signed(&header(), &claims());
    assert!(verified_at(&token, NOW + 59).is_ok());
    assert_eq!(verified_at(&token, NOW + 60), Err(IdentityError::Expired));
}

#[test]
fn a_clock_may_be_ahead_by_thirty_seconds_and_no_more() {
    let ahead = |seconds: i64| {
        let claims = changed(claims(), "iat", json!(NOW + seconds));
        verified(&signed(&header(), &changed(claims, "exp", json!(NOW + seconds + 60))))
    };
    assert!(ahead(30).is_ok());
    assert_eq!(ahead(31), Err(IdentityError::NotYetValid));
    assert_eq!(with("nbf", json!(NOW + 31)), Err(IdentityError::NotYetValid));
}

#[test]
fn a_token_that_lives_for_more_than_a_minute_is_refused() {
    assert_eq!(with("exp", json!(NOW + 61)), Err(IdentityError::Lifetime));
    assert_eq!(with("iat", json!(NOW - 1)), Err(IdentityError::Lifetime));
}

#[test]
fn a_token_that_ends_before_it_begins_is_refused() {
    let claims = changed(changed(claims(), "iat", json!(NOW + 20)), "exp", json!(NOW + 10));
    assert_eq!(verified(&signed(&header(), &claims)), Err(IdentityError::Lifetime));
}

#[test]
fn a_second_expiry_in_one_token_is_refused() {
    let doubled = claims().to_string().replacen('{', r#"{"exp":9999999999,"#, 1);
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header().to_string()), URL_SAFE_NO_PAD.encode(doubled));
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(ed25519::sign(&seed(), input.as_bytes())));
    assert_eq!(verified(&token), Err(IdentityError::Malformed));
}

#[test]
fn the_test_key_pair_belongs_together() {
    assert_eq!(ed25519::public_key(&seed()), public_key("k1").key);
}

#[test]
fn key_of_small_order_is_unknown_and_one_that_is_no_point_verifies_nothing() {
    let token = signed(&header(), &claims());
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(verified_with(&token, NOW, identity), Err(IdentityError::UnknownKey));
    // A signature that holds for every message under the neutral element: R is neutral too, S is 0.
    let text = token.rsplit_once('.').expect("a token").0;
    let universal = format!("{text}.{}", URL_SAFE_NO_PAD.encode([identity, [0; 32]].concat()));
    assert_eq!(verified_with(&universal, NOW, identity), Err(IdentityError::UnknownKey));
    assert_eq!(verified(&universal), Err(IdentityError::Signature));
    let mut no_point = [0; 32];
    no_point[0] = 2;
    assert_eq!(verified_with(&token, NOW, no_point), Err(IdentityError::Signature));
}

#[test]
fn signature_of_another_length_is_refused() {
    let token = signed(&header(), &claims());
    let (text, signature) = token.rsplit_once('.').expect("a token");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    for bad in [&bytes[..63], &[bytes.as_slice(), &[0]].concat(), &[]] {
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(bad));
        assert_eq!(verified(&token), Err(IdentityError::Signature), "{} bytes", bad.len());
    }
}
