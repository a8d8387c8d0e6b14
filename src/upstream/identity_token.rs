//! StatiBeat's identity token: who signed in, told at the end of a sign-in.
//!
//! Size, header, signature and times are checked as for everything that StatiBeat signs (`signed.rs`); here parties and
//! binding. A token is good for one sign-in because it names the hash of that sign-in's `state`, which works once.

use super::signed;
use crate::keyring::PublicKey;
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

/// What an identity token must agree with.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub environment: &'a str,
    /// The `state` we sent along with this very sign-in.
    pub state: &'a str,
}

/// Why a token does not say who signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// Larger than any honest token.
    #[error("larger than 4 kB")]
    TooLarge,
    /// Not a token, or a claim is missing or of the wrong type.
    #[error("not a readable token with every claim")]
    Malformed,
    /// Names critical extensions; we know none.
    #[error("names critical header extensions")]
    Critical,
    #[error("of another type")]
    Type,
    #[error("signed with another algorithm")]
    Algorithm,
    /// No `kid`, or none of ours.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature does not hold.
    #[error("signature does not hold")]
    Signature,
    #[error("from another issuer")]
    Issuer,
    #[error("for another audience")]
    Audience,
    #[error("from another environment")]
    Environment,
    #[error("for another request")]
    Request,
    #[error("for another sign-in")]
    State,
    #[error("subject is not a user id")]
    Subject,
    /// Cannot be told from other tokens.
    #[error("has no id")]
    Unnamed,
    #[error("expired")]
    Expired,
    /// `iat` or `nbf` is ahead of us by more than clocks may differ.
    #[error("not valid yet")]
    NotYetValid,
    /// Lives for longer than a minute, or for no time.
    #[error("lifetime is not between 1 and 60 seconds")]
    Lifetime,
}

impl BadIdentity {
    /// The reason in a fixed word, for records that must not hold text from outside.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "identity_too_large",
            Self::Malformed => "identity_malformed",
            Self::Critical => "identity_critical",
            Self::Type => "identity_type",
            Self::Algorithm => "identity_algorithm",
            Self::UnknownKey => "identity_unknown_key",
            Self::Signature => "identity_signature",
            Self::Issuer => "identity_issuer",
            Self::Audience => "identity_audience",
            Self::Environment => "identity_environment",
            Self::Request => "identity_request",
            Self::State => "identity_state",
            Self::Subject => "identity_subject",
            Self::Unnamed => "identity_unnamed",
            Self::Expired => "identity_expired",
            Self::NotYetValid => "identity_not_yet_valid",
            Self::Lifetime => "identity_lifetime",
        }
    }
}

#[derive(Clone, Deserialize)]
struct IdentityClaims {
    iss: String,
    aud: String,
    sub: String,
    name: String,
    email: String,
    sid: String,
    auth_time: i64,
    env: String,
    state_hash: String,
    jti: String,
}

/// Establishes who signed in, or says why the token does not.
pub(super) fn verify(
    token: &str,
    keys: &[PublicKey],
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<SignedInUser, BadIdentity> {
    let claims = signed::open::<IdentityClaims>(token, TYPE, keys)?;
    check_binding(&claims.custom, expected)?;
    signed::check_times(&claims, now)?;
    let IdentityClaims { sub, name, email, sid, auth_time, .. } = claims.custom;
    let authenticated_at = Timestamp::from_seconds(auth_time);
    let (name, email) = (signed::shown(&name), signed::shown(&email));
    Ok(SignedInUser { id: UserId(sub), name, email, session_id: sid, authenticated_at })
}

fn check_binding(claims: &IdentityClaims, expected: &Expected<'_>) -> Result<(), BadIdentity> {
    let state_hash = URL_SAFE_NO_PAD.encode(Sha256::digest(expected.state));
    match () {
        () if claims.iss != expected.issuer => Err(BadIdentity::Issuer),
        () if claims.aud != expected.audience => Err(BadIdentity::Audience),
        () if claims.env != expected.environment => Err(BadIdentity::Environment),
        () if !bool::from(claims.state_hash.as_bytes().ct_eq(state_hash.as_bytes())) => Err(BadIdentity::State),
        () if !signed::is_user_id(&claims.sub) => Err(BadIdentity::Subject),
        () if claims.jti.is_empty() => Err(BadIdentity::Unnamed),
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests;
