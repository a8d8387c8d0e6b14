//! Admin assertions: short-lived tokens with which StatiBeat calls the admin API for a signed-in person, each for one
//! request.
//!
//! Our proposal, signed with the keys of identity tokens. It contains issuer, audience, environment, person, method and
//! URL; its `jti` is redeemed with the request.

use super::assertion::RequestBinding;
use super::client::Client;
use super::signed::{self, IdentityError, VerifiedIdentity};
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use serde::Deserialize;

/// The `typ` of such a token.
pub const TYPE: &str = "statibeat-admin+jwt";

/// Person of an assertion, and the values that make it single-use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertedUser {
    pub user_id: UserId,
    pub name: String,
    pub token_id: String,
    /// Time after which its `jti` can be forgotten.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct AdminClaims {
    htm: String,
    htu: String,
}

/// Verifies an assertion; returns its person, or the reason for rejecting it.
pub async fn verify(
    client: &Client<'_>,
    token: &str,
    request: &RequestBinding<'_>,
) -> Result<AssertedUser, IdentityError> {
    let check_request = |claims: &AdminClaims| {
        let is_same = claims.htm == request.method.as_str() && claims.htu == request.url;
        if is_same { Ok(()) } else { Err(IdentityError::Request) }
    };
    let VerifiedIdentity { user_id, name, token_id, expires_at, .. } =
        signed::verify(client, token, TYPE, check_request).await?;
    Ok(AssertedUser { user_id, name, token_id, expires_at })
}
