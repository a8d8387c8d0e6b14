//! StatiBeat speaking for a signed-in person to the admin API: a short-lived token of StatiBeat's, good for one request.
//!
//! Proposed by us, like the hand-over of sign-ins, and signed with the same keys. It names us, this environment, the
//! person, and the one method and address it is for; its id is spent with the request.

use super::assertion::RequestBinding;
use super::client::{Client, ClientSettings};
use super::identity_token::BadIdentity;
use super::signed;
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use serde::Deserialize;

/// The `typ` of such a token.
pub const TYPE: &str = "statibeat-admin+jwt";

/// Whom a token speaks for, and what makes it work once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asserted {
    pub user_id: UserId,
    pub name: String,
    pub token_id: String,
    /// From then on nobody needs to remember that it was spent.
    pub expires_at: Timestamp,
}

#[derive(Clone, Deserialize)]
struct AdminClaims {
    iss: String,
    aud: String,
    sub: String,
    name: String,
    env: String,
    htm: String,
    htu: String,
    jti: String,
}

/// Establishes whom a token speaks for, or says why it speaks for nobody.
pub fn verify(client: &Client<'_>, token: &str, request: &RequestBinding<'_>) -> Result<Asserted, BadIdentity> {
    let settings = &client.settings;
    let claims = signed::open::<AdminClaims>(token, TYPE, settings.identity_keys)?;
    check_binding(&claims.custom, settings, request)?;
    let expires_at = signed::check_times(&claims, client.now)?;
    let AdminClaims { sub, name, jti, .. } = claims.custom;
    Ok(Asserted { user_id: UserId(sub), name: signed::shown(&name), token_id: jti, expires_at })
}

fn check_binding(
    claims: &AdminClaims,
    settings: &ClientSettings<'_>,
    request: &RequestBinding<'_>,
) -> Result<(), BadIdentity> {
    match () {
        () if claims.iss != settings.origin => Err(BadIdentity::Issuer),
        () if claims.aud != settings.issuer => Err(BadIdentity::Audience),
        () if claims.env != settings.environment => Err(BadIdentity::Environment),
        () if claims.htm != request.method.as_str() || claims.htu != request.url => Err(BadIdentity::Request),
        () if !signed::is_user_id(&claims.sub) => Err(BadIdentity::Subject),
        () if claims.jti.is_empty() => Err(BadIdentity::Unnamed),
        () => Ok(()),
    }
}
