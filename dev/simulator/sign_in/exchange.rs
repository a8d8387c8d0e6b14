//! Token exchange, server to server: the connector authenticates with an assertion, sends the code and its verifier,
//! and gets a signed identity assertion.

use serde::Deserialize;
use serde_json::json;

use super::{Code, ConnectorId, signing};
use crate::call::ReceivedRequest;
use crate::caller;
use crate::caller::assertion::{self, VerifiedAssertion};
use crate::reply::{self, ApiError, Handled};
use crate::secrets;
use crate::world::World;

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
pub fn perform(world: &mut World, received: &ReceivedRequest) -> Handled {
    let now = received.now;
    let token = caller::bearer_token(received.request.headers());
    let token = token.ok_or_else(|| ApiError::unauthorized("connector assertion required"))?;
    let assertion: VerifiedAssertion<ConnectorClaims> =
        assertion::verify(world, &token, "statibeat-connector+jwt", received)?;
    let connector_id = ConnectorId::parse(&assertion.claims.sub);
    let connector_id = connector_id.ok_or_else(|| ApiError::unauthorized("assertion names an unknown connector"))?;
    assertion::redeem(world, &assertion, now)?;
    let code = redeem(world, &received.json()?, connector_id, now)?;
    let jti = world.secrets.next("identity");
    let user = &world.people.users[&code.session.user_id];
    if user.disabled {
        return Err(ApiError::forbidden("user is disabled"));
    }
    let claims = json!({
        "email": user.email,
        "sid": code.session.sid,
        "auth_time": code.session.started_at,
        "state_hash": code.state_hash,
    });
    let identity = signing::sign(world, "statibeat-identity+jwt", user, &jti, now, claims);
    Ok(reply::ok(&json!({ "identity": identity })))
}

/// Redeems a code. A failed attempt invalidates it too.
fn redeem(world: &mut World, input: &Exchange, connector_id: ConnectorId, now: i64) -> Result<Code, ApiError> {
    let code = world.sign_ins.codes.remove(&input.code);
    let code = code.ok_or_else(|| ApiError::invalid("code is unknown or was used before"))?;
    if now >= code.expires_at {
        return Err(ApiError::invalid("code has expired"));
    }
    if code.connector_id != connector_id {
        return Err(ApiError::invalid("code was issued to another connector"));
    }
    if secrets::hash(input.code_verifier.as_bytes()) != code.challenge {
        return Err(ApiError::invalid("code verifier does not match"));
    }
    Ok(code)
}
