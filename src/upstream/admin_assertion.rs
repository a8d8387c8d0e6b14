//! Admin assertions: short-lived tokens with which StatiBeat calls the admin API for a signed-in person, each for one
//! request.
//!
//! Our proposal, signed with the keys of identity tokens. It contains issuer, audience, environment, person, method and
//! URL; its `jti` is redeemed with the request.

use super::assertion::RequestBinding;
use super::client::Client;
use super::signed::{self, IdentityError, VerifiedIdentity};
use serde::Deserialize;

/// The `typ` of such a token.
pub const TYPE: &str = "statibeat-admin+jwt";

#[derive(Deserialize)]
pub struct AdminClaims {
    htm: String,
    htu: String,
}

/// Verifies an assertion; returns its person, or the reason for rejecting it.
pub async fn verify(
    client: &Client<'_>,
    token: &str,
    request: &RequestBinding<'_>,
) -> Result<VerifiedIdentity<AdminClaims>, IdentityError> {
    let check_request = |claims: &AdminClaims| {
        let is_same = claims.htm == request.method.as_str() && claims.htu == request.url;
        if is_same { Ok(()) } else { Err(IdentityError::Request) }
    };
    signed::verify(client, token, TYPE, check_request).await
}
