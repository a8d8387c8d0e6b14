//! StatiBeat's identity token, which identifies the person at the end of a sign-in.
//!
//! A token is valid for one sign-in, because it contains the hash of that sign-in's `state`, which is single-use. The
//! other checks are those of every token that StatiBeat signs (`signed.rs`).

use super::client::Client;
use super::signed::{self, IdentityError};
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

/// The `typ` of an identity token.
const TYPE: &str = "statibeat-identity+jwt";

/// A person who signed in at StatiBeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInUser {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub session_id: String,
    /// When they proved who they are.
    pub authenticated_at: Timestamp,
}

#[derive(Deserialize)]
struct SignInClaims {
    email: String,
    sid: String,
    auth_time: i64,
    state_hash: String,
}

/// Returns the person who signed in. `state` is that of this sign-in.
pub(super) async fn verify(client: &Client<'_>, token: &str, state: &str) -> Result<SignedInUser, IdentityError> {
    let state_hash = URL_SAFE_NO_PAD.encode(Sha256::digest(state));
    let check_state = |claims: &SignInClaims| {
        let is_same = claims.state_hash.as_bytes().ct_eq(state_hash.as_bytes());
        if is_same.into() { Ok(()) } else { Err(IdentityError::State) }
    };
    let identity = signed::verify(client, token, TYPE, check_state).await?;
    let SignInClaims { email, sid, auth_time, .. } = identity.binding;
    Ok(SignedInUser {
        id: identity.user_id,
        name: identity.name,
        email: signed::shown(&email),
        session_id: sid,
        authenticated_at: Timestamp::from_seconds(auth_time),
    })
}

#[cfg(test)]
mod tests;
