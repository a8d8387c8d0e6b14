//! Code for identity, server to server: the connector proves itself, names the code and its verifier, and gets a signed
//! identity assertion.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::json;

use super::super::caller;
use super::super::caller::assertion::{self, Verified};
use super::super::secrets;
use super::super::wire::body;
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;
use super::{Code, identity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    code: String,
    code_verifier: String,
}

#[derive(Deserialize)]
struct ConnectorClaims {
    sub: String,
}

/// `POST /api/v1/connector/sign-in/exchange`
pub fn perform(world: &mut World, request: &Request<Bytes>, now: i64) -> Handled {
    let token = caller::bearer(request).ok_or_else(|| Refusal::unauthorized("connector assertion required"))?;
    let assertion: Verified<ConnectorClaims> =
        assertion::verify(world, &token, "statibeat-connector+jwt", request, now)?;
    let connector_id = assertion.claims.sub.clone();
    if !matches!(connector_id.as_str(), "hosted-mcp" | "hosted-mcp-admin") {
        return Err(Refusal::unauthorized("assertion names an unknown connector"));
    }
    assertion::spend(world, &assertion, now)?;
    let input: Exchange = body::json(request)?;
    let code = redeem(world, &input, &connector_id, now)?;
    let user = &world.people.users[&code.session.user_id];
    if user.disabled {
        return Err(Refusal::forbidden("user is disabled"));
    }
    let claims = json!({
        "iss": world.settings.origin,
        "aud": world.settings.connector_url,
        "sub": user.id.to_string(),
        "name": user.name,
        "email": user.email,
        "sid": code.session.sid,
        "auth_time": code.session.started_at,
        "env": world.settings.environment,
        "state_hash": code.state_hash,
        "jti": world.secrets.next("identity"),
        "iat": now,
        "exp": now + identity::LIFETIME,
    });
    let identity = identity::sign(&world.settings.identity_seed, "statibeat-identity+jwt", &claims);
    Ok(reply::ok(&json!({ "identity": identity })))
}

/// Uses a code up. A failed attempt uses it up as well.
fn redeem(world: &mut World, input: &Exchange, connector_id: &str, now: i64) -> Result<Code, Refusal> {
    let code = world.sign_ins.codes.remove(&input.code);
    let code = code.ok_or_else(|| Refusal::invalid("code is unknown or was used before"))?;
    if now >= code.expires_at {
        return Err(Refusal::invalid("code has expired"));
    }
    if code.connector_id != connector_id {
        return Err(Refusal::invalid("code was issued to another connector"));
    }
    if secrets::hash(input.code_verifier.as_bytes()) != code.challenge {
        return Err(Refusal::invalid("code verifier does not match"));
    }
    Ok(code)
}
