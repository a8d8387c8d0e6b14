//! The authorization request while the person signs in: sealed in a cookie of the browser, so that nothing is stored
//! before sign-in.
//!
//! It is in the browser-binding cookie: readable by the browser, which sent all of it, but not modifiable. An HMAC
//! binds it to one `state` of the sign-in, to the environment and to an expiry. The client and redirect URI are
//! validated again when it is opened, with the allow-list at that time.

use crate::keyring::KeyRing;
use crate::model::timestamp::Timestamp;
use crate::oauth::authorize::{AuthorizationRequest, RequestedAccess};
use crate::oauth::client::Clients;
use crate::oauth::error::RedirectError;
use crate::oauth::grant::AUTHORIZATION_REQUEST_LIFETIME;
use crate::oauth::secret::SignInState;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// Maximum length of a sealed request, in bytes: with its name and attributes the cookie stays below the 4,096 bytes
/// that browsers keep (RFC 6265 6.1).
pub const MAX_LENGTH: usize = 3900;

/// Purpose of the HMAC, which separates it from the key ring's other uses.
const USAGE: &str = "sealed authorization request";

/// Reason for rejecting a sealed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealError {
    /// Modified, forged, or of another sign-in or environment.
    Foreign,
    /// More than ten minutes old.
    Expired,
    /// The operator removed the client or its redirect URI from the allow-list.
    ClientRemoved,
}

/// The request is too long for a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The sealed content, in serialization order.
#[derive(Serialize, Deserialize)]
struct Payload {
    until: Timestamp,
    binding: String,
    client_id: String,
    redirect_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    access: Result<RequestedAccess, RedirectError>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct OpenedRequest {
    /// As it was sealed; the client is resolved again.
    pub request: AuthorizationRequest,
    /// Random value that only this browser has; half of the sign-in's code verifier.
    pub binding: String,
    /// First second at which it is expired.
    pub expires_at: Timestamp,
}

/// Seals a request for the sign-in with this `state`. `binding` is a random value of this sign-in.
pub fn seal(
    request: &AuthorizationRequest,
    state: &SignInState,
    binding: &str,
    ring: &KeyRing,
    now: Timestamp,
) -> Result<String, TooLong> {
    let payload = Payload {
        until: now + AUTHORIZATION_REQUEST_LIFETIME,
        binding: binding.to_owned(),
        client_id: request.client.id.as_str().to_owned(),
        redirect_uri: request.client.redirect_uri.as_str().to_owned(),
        state: request.state.clone(),
        access: request.access.clone(),
    };
    let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&payload).expect("text and numbers can be written as JSON"));
    let mac = ring.mac(ring.newest(), USAGE, &[state.expose().as_bytes(), body.as_bytes()]);
    let sealed = format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac));
    if sealed.len() <= MAX_LENGTH { Ok(sealed) } else { Err(TooLong) }
}

/// Opens a request sealed for the same `state`, with any key of the ring.
pub fn open(
    sealed: &str,
    state: &SignInState,
    ring: &KeyRing,
    clients: &Clients<'_>,
    now: Timestamp,
) -> Result<OpenedRequest, SealError> {
    let payload = authenticate(sealed, state, ring).ok_or(SealError::Foreign)?;
    let expires_at = payload.until;
    if now >= expires_at {
        return Err(SealError::Expired);
    }
    let client = clients.resolve(&payload.client_id, &payload.redirect_uri).map_err(|_| SealError::ClientRemoved)?;
    let request = AuthorizationRequest { client, state: payload.state, access: payload.access };
    Ok(OpenedRequest { request, binding: payload.binding, expires_at })
}

fn authenticate(sealed: &str, state: &SignInState, ring: &KeyRing) -> Option<Payload> {
    if sealed.len() > MAX_LENGTH {
        return None;
    }
    let (body, mac) = sealed.split_once('.')?;
    let mac: [u8; 32] = URL_SAFE_NO_PAD.decode(mac).ok()?.try_into().ok()?;
    let is_ours = |key| ring.mac(key, USAGE, &[state.expose().as_bytes(), body.as_bytes()]).ct_eq(&mac).into();
    if !ring.iter().any(is_ours) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

#[cfg(test)]
mod tests;
