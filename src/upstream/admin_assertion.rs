//! StatiBeat speaking for a signed-in person to the admin API: a short-lived token of StatiBeat's, good for one request.
//!
//! Proposed by us, like the hand-over of sign-ins, and signed with the same keys. It names us, this environment, the
//! person, and the one method and address it is for; its id is spent with the request.

use super::assertion::RequestBinding;
use super::client::Client;
use super::signed::{self, IdentityError};
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use serde::Deserialize;

/// The `typ` of such a token.
pub const TYPE: &str = "statibeat-admin+jwt";

/// Whom a token speaks for, and what makes it work once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssertedUser {
    pub user_id: UserId,
    pub name: String,
    pub token_id: String,
    /// From then on nobody needs to remember that it was spent.
    pub expires_at: Timestamp,
}

#[derive(Clone, Deserialize)]
struct AdminClaims {
    htm: String,
    htu: String,
}

/// Establishes whom a token speaks for, or says why it speaks for nobody.
pub fn verify(client: &Client<'_>, token: &str, request: &RequestBinding<'_>) -> Result<AssertedUser, IdentityError> {
    let check_request = |claims: &AdminClaims| {
        let is_same = claims.htm == request.method.as_str() && claims.htu == request.url;
        if is_same { Ok(()) } else { Err(IdentityError::Request) }
    };
    let (claims, expires_at) = signed::verify(token, TYPE, &client.settings, client.now, check_request)?;
    let (user_id, name) = (UserId(claims.sub), signed::shown(&claims.name));
    Ok(AssertedUser { user_id, name, token_id: claims.jti, expires_at })
}
