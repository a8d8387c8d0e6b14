//! StatiBeat speaking for a signed-in person to the admin API: a short-lived token of StatiBeat's, good for one request.
//!
//! Proposed by us, like the hand-over of sign-ins, and signed with the same keys. It names us, this environment, the
//! person, and the one method and address it is for; its id is spent with the request.

use super::{BadIdentity, Connector, Settings, signed};
use crate::model::ids::UserId;
use crate::model::timestamp::Timestamp;
use serde::Deserialize;

/// The `typ` of such a token.
pub const TYPE: &str = "statibeat-admin+jwt";

/// The request that it came with.
pub struct Bound<'a> {
    pub method: &'a str,
    /// Origin and path, without query.
    pub url: &'a str,
}

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
pub fn verify(connector: &Connector<'_>, token: &str, bound: &Bound<'_>) -> Result<Asserted, BadIdentity> {
    let settings = &connector.settings;
    let claims = signed::open::<AdminClaims>(token, TYPE, settings.identity_keys)?;
    check_binding(&claims.custom, settings, bound)?;
    let expires_at = signed::check_times(&claims, connector.now)?;
    let AdminClaims { sub, name, jti, .. } = claims.custom;
    Ok(Asserted { user_id: UserId(sub), name: signed::shown(&name), token_id: jti, expires_at })
}

fn check_binding(claims: &AdminClaims, settings: &Settings<'_>, bound: &Bound<'_>) -> Result<(), BadIdentity> {
    match () {
        () if claims.iss != settings.origin => Err(BadIdentity::Issuer),
        () if claims.aud != settings.issuer => Err(BadIdentity::Audience),
        () if claims.env != settings.environment => Err(BadIdentity::Environment),
        () if claims.htm != bound.method || claims.htu != bound.url => Err(BadIdentity::Request),
        () if !signed::is_user_id(&claims.sub) => Err(BadIdentity::Subject),
        () if claims.jti.is_empty() => Err(BadIdentity::Unnamed),
        () => Ok(()),
    }
}
