//! StatiBeat's response to the code exchange: an HTTP response with the identity token of the person who signed in.

use super::world::{IDENTITY_SEED, NOW, ORIGIN, UPSTREAM, World, request, with};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use statibeat_mcp::oauth::secret::SignInState;

const STATE: [u8; 32] = [9; 32];

/// Checks that only a token signed by StatiBeat's key signs a person in. The first byte selects the meaning of the rest:
/// claims to sign, header and claims to sign, a token, or a whole response body.
pub fn identity(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let is_signed = *kind == b'c' || *kind == b'h';
    let answer = match *kind {
        b'c' => json!({"identity": signed(r#"{"alg":"EdDSA","typ":"statibeat-identity+jwt","kid":"one"}"#, &text)}),
        b'h' => {
            let (header, claims) = text.split_once('\n').unwrap_or((&text, "{}"));
            json!({"identity": signed(header, claims)})
        }
        b't' => json!({"identity": text}),
        _ => serde_json::Value::Null,
    };
    let body = if answer.is_null() { Bytes::copy_from_slice(rest) } else { Bytes::from(answer.to_string()) };
    assert!(!comes_back(body) || is_signed, "signed in by {text}");
}

/// Returns `true` if a browser that returns from sign-in is redirected to the consent page.
fn comes_back(answer: Bytes) -> bool {
    let (state, sealed) = with(|world| (state(world), world.sealed_request(&state(world))));
    let short: String = state.hash().as_str().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let cookie = format!("__Host-sbmcp_in_{short}={sealed}");
    let target = format!("/mcp/oauth/callback?code=x&state={}", state.expose());
    let request = request("GET", &target, &[("cookie", cookie.as_bytes())], b"").expect("a request");
    let response = with(|world| {
        world.answer_upstream(answer);
        world.send(request)
    });
    response.headers().get("location").is_some()
}

fn state(world: &World) -> SignInState {
    SignInState::issue(&STATE, &world.config.checksum_keys)
}

fn signed(header: &str, claims: &str) -> String {
    let seed = URL_SAFE_NO_PAD.decode(IDENTITY_SEED).expect("base64url").try_into().expect("32 bytes");
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = SigningKey::from_bytes(&seed).sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// Valid claims of an identity token.
fn claims() -> String {
    let state = URL_SAFE_NO_PAD.encode(Sha256::digest(with(|world| state(world).expose().to_owned())));
    json!({
        "iss": UPSTREAM, "aud": ORIGIN, "env": "test", "sub": "1", "jti": "j", "iat": NOW, "nbf": NOW, "exp": NOW + 60,
        "state_hash": state, "name": "Mara", "email": "mara@northwind.example", "sid": "s",
        "auth_time": NOW,
    })
    .to_string()
}

pub fn identity_seeds() -> Vec<Vec<u8>> {
    let header = r#"{"alg":"EdDSA","typ":"statibeat-identity+jwt","kid":"one"}"#;
    let token = signed(r#"{"alg":"none","typ":"statibeat-identity+jwt","kid":"one"}"#, &claims());
    vec![
        format!("c{}", claims()).into_bytes(),
        format!("h{header}\n{}", claims()).into_bytes(),
        format!("t{token}").into_bytes(),
        br#"a{"identity":"x.y.z"}"#.to_vec(),
    ]
}

/// Returns `true` if the first seed signs a person in. Otherwise the target would test only refusals.
pub fn good_claims_sign_in() -> bool {
    let header = r#"{"alg":"EdDSA","typ":"statibeat-identity+jwt","kid":"one"}"#;
    comes_back(Bytes::from(json!({"identity": signed(header, &claims())}).to_string()))
}
