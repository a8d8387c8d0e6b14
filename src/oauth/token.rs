//! The token endpoint's rules (RFC 6749 4.1.3, 5, 6; OAuth 2.1 4.1.3, 4.3; RFC 9700 4.14).
//!
//! Everything is checked before anything is written, and nothing changes state until the secret itself matched: a
//! request that is wrong in any way leaves the code or token as it was.

use crate::keyring::{Key, KeyRing};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::authorize::{self, NotServed};
use crate::oauth::client::{ClientId, Clients};
use crate::oauth::error::{InvalidGrantReason, TokenError};
use crate::oauth::grant::{
    CODE_REPEAT_GRACE_PERIOD, CodeRecord, CodeState, MAX_FAILED_ATTEMPTS, MAX_REUSES, REUSE_GRACE_PERIOD,
    ROTATION_LIMIT_WINDOW, RefreshRecord, RefreshState, Rotation,
};
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::{AccessToken, AuthorizationCode, RefreshToken};
use serde::Serialize;
use std::time::Duration;
use url::Url;

/// A well-formed token request of an acceptable client.
#[derive(Debug)]
pub enum TokenRequest {
    Code(CodeRequest),
    Refresh(RefreshRequest),
}

pub struct CodeRequest {
    pub client_id: ClientId,
    /// A code of ours, by its tag.
    pub code: AuthorizationCode,
    /// When sent, it must be the one of the authorization request.
    pub redirect_uri: Option<String>,
    /// The resource that the tokens are for (RFC 8707); the one served here.
    pub resource: String,
    /// True if the client named it. One that did not cannot mend it by naming another, only by authorizing again.
    pub names_resource: bool,
    /// Proof that the asker started the flow; a missing one fails like a wrong one.
    pub verifier: Option<CodeVerifier>,
}

pub struct RefreshRequest {
    pub client_id: ClientId,
    /// A refresh token of ours, by its tag.
    pub token: RefreshToken,
    /// The resource that the tokens are for (RFC 8707); the one served here.
    pub resource: String,
    /// True if the client named it. One that did not cannot mend it by naming another, only by authorizing again.
    pub names_resource: bool,
    /// A narrower scope for the access token; `None`: all that was granted.
    pub scopes: Option<ScopeSet>,
}

impl std::fmt::Debug for CodeRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CodeRequest({})", self.client_id)
    }
}

impl std::fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefreshRequest({})", self.client_id)
    }
}

/// The configuration of the token endpoint.
pub struct Endpoint<'a> {
    pub clients: Clients<'a>,
    pub checksum_keys: &'a KeyRing,
    pub resource: &'a Url,
}

/// Reads the form of a token or revocation request. `authorization` is the `Authorization` header, `content_types` all
/// `Content-Type` headers.
pub fn parse_form(content_types: &[&str], authorization: Option<&str>, body: &[u8]) -> Result<Parameters, TokenError> {
    let [content_type] = content_types else { return Err(TokenError::MalformedBody) };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(TokenError::MalformedBody);
    }
    let parameters = Parameters::parse(body).map_err(|_| TokenError::MalformedBody)?;
    let has_secret =
        ["client_secret", "client_assertion"].iter().any(|name| parameters.all(name).any(|v| !v.is_empty()));
    let is_basic = authorization
        .and_then(|header| header.split(' ').next())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    match (is_basic, has_secret) {
        (true, true) => Err(TokenError::TwoAuthentications),
        (true, false) => Err(TokenError::BasicAuthentication),
        (false, true) => Err(TokenError::ClientSecret),
        (false, false) => Ok(parameters),
    }
}

impl Endpoint<'_> {
    pub fn parse(&self, form: &Parameters) -> Result<TokenRequest, TokenError> {
        const KNOWN: [&str; 7] =
            ["grant_type", "client_id", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"];
        if form.repeats_any(&KNOWN) {
            return Err(TokenError::RepeatedParameter);
        }
        let one = |name: &'static str| form.one(name).ok().flatten();
        let required = |name| one(name).ok_or(TokenError::Missing(name));
        let grant_type = required("grant_type")?;
        if grant_type != "authorization_code" && grant_type != "refresh_token" {
            return Err(TokenError::GrantType);
        }
        let client_id = self.client(form)?;
        authorize::check_resource(form, self.resource).map_err(|NotServed| TokenError::Resource)?;
        if grant_type == "refresh_token" {
            return self.parse_refresh(client_id, required("refresh_token")?, form);
        }
        let code = required("code")?;
        let verifier =
            one("code_verifier").map(|v| CodeVerifier::parse(v).ok_or(TokenError::VerifierShape)).transpose()?;
        Ok(TokenRequest::Code(CodeRequest {
            client_id,
            code: AuthorizationCode::parse(code, self.checksum_keys)
                .ok_or(TokenError::Grant(InvalidGrantReason::NotOurs))?,
            redirect_uri: one("redirect_uri").map(str::to_owned),
            resource: self.resource.as_str().to_owned(),
            names_resource: form.names("resource"),
            verifier,
        }))
    }

    fn parse_refresh(&self, client_id: ClientId, token: &str, form: &Parameters) -> Result<TokenRequest, TokenError> {
        let scope = form.one("scope").ok().flatten();
        let token =
            RefreshToken::parse(token, self.checksum_keys).ok_or(TokenError::Grant(InvalidGrantReason::NotOurs))?;
        let asked =
            scope.map(|scope| scope.split(' ').filter(|name| *name != "offline_access").collect::<Vec<_>>().join(" "));
        let scopes = asked.map(|scope| ScopeSet::parse(&scope).ok_or(TokenError::Scope)).transpose()?;
        let scopes = scopes.filter(|scopes| !scopes.is_empty());
        let resource = self.resource.as_str().to_owned();
        Ok(TokenRequest::Refresh(RefreshRequest {
            client_id,
            token,
            resource,
            names_resource: form.names("resource"),
            scopes,
        }))
    }

    /// The client that a token or revocation request names, if it could be ours.
    pub fn client(&self, form: &Parameters) -> Result<ClientId, TokenError> {
        let client_id = form.one("client_id").map_err(|_| TokenError::RepeatedParameter)?;
        let client_id = client_id.ok_or(TokenError::Missing("client_id"))?;
        self.clients.could_be_ours(client_id).ok_or(TokenError::ClientId)
    }
}

/// The decision about a code request.
#[derive(Debug, PartialEq, Eq)]
pub enum CodeDecision {
    /// All is right: redeem, if nobody was faster.
    Redeem,
    /// The grant is for another resource; change nothing.
    WrongResource,
    /// Count a failed attempt and refuse.
    WrongVerifier,
    Refuse(InvalidGrantReason),
    /// A fully valid request for a code that was redeemed before, and not just now: somebody has a copy.
    /// Revoke the grant and refuse.
    Replay,
}

/// Decides a code request. Whoever has the code but not the verifier can never end the grant.
pub fn decide_code(request: &CodeRequest, record: &CodeRecord, now: Timestamp) -> CodeDecision {
    if request.client_id != record.grant.client_id {
        return CodeDecision::Refuse(InvalidGrantReason::OtherClient);
    }
    if request.redirect_uri.as_ref().is_some_and(|uri| *uri != record.redirect_uri) {
        return CodeDecision::Refuse(InvalidGrantReason::OtherRedirectUri);
    }
    if request.resource != record.grant.resource {
        return if request.names_resource {
            CodeDecision::WrongResource
        } else {
            CodeDecision::Refuse(InvalidGrantReason::OtherResource)
        };
    }
    let is_proven = request.verifier.as_ref().is_some_and(|verifier| record.challenge.is_met_by(verifier));
    match (is_proven, &record.state) {
        (false, CodeState::Pending { .. }) => CodeDecision::WrongVerifier,
        (false, CodeState::Redeemed { .. }) => CodeDecision::Refuse(InvalidGrantReason::Verifier),
        (true, CodeState::Redeemed { redeemed_at }) if now < *redeemed_at + CODE_REPEAT_GRACE_PERIOD => {
            CodeDecision::Refuse(InvalidGrantReason::Redeemed)
        }
        (true, CodeState::Redeemed { .. }) => CodeDecision::Replay,
        (true, CodeState::Pending { .. }) if record.grant.is_revoked => {
            CodeDecision::Refuse(InvalidGrantReason::Revoked)
        }
        (true, CodeState::Pending { failed_attempts, .. }) if *failed_attempts >= MAX_FAILED_ATTEMPTS => {
            CodeDecision::Refuse(InvalidGrantReason::Verifier)
        }
        (true, CodeState::Pending { expires_at, .. }) if now >= *expires_at => {
            CodeDecision::Refuse(InvalidGrantReason::Expired)
        }
        (true, CodeState::Pending { .. }) => CodeDecision::Redeem,
    }
}

/// The decision about a refresh request.
#[derive(Debug)]
pub enum RefreshDecision {
    /// First use: rotate, if nobody was faster. The access token gets these scopes.
    Rotate(ScopeSet),
    /// Used a moment ago, by a sibling or before a lost answer: hand out the same successor again.
    Repeat(ScopeSet, Rotation),
    /// Used before, and not just now: somebody has a copy. Revoke the grant and refuse.
    Reused,
}

pub fn decide_refresh(
    request: &RefreshRequest,
    record: &RefreshRecord,
    now: Timestamp,
) -> Result<RefreshDecision, TokenError> {
    if request.client_id != record.grant.client_id {
        return Err(TokenError::Grant(InvalidGrantReason::OtherClient));
    }
    if record.grant.is_revoked {
        return Err(TokenError::Grant(InvalidGrantReason::Revoked));
    }
    if now >= record.expires_at {
        return Err(TokenError::Grant(InvalidGrantReason::Expired));
    }
    if request.resource != record.grant.resource {
        let moved = TokenError::Grant(InvalidGrantReason::OtherResource);
        return Err(if request.names_resource { TokenError::Resource } else { moved });
    }
    let scopes = request.scopes.unwrap_or(record.grant.scopes);
    if !record.grant.scopes.covers(scopes) {
        return Err(TokenError::Scope);
    }
    Ok(match &record.state {
        RefreshState::Active => {
            check_pace(record, now)?;
            RefreshDecision::Rotate(scopes)
        }
        RefreshState::Rotated(rotation) if is_in_grace_period(rotation, now) => {
            RefreshDecision::Repeat(scopes, rotation.clone())
        }
        RefreshState::Rotated(_) => RefreshDecision::Reused,
    })
}

/// A family that moves on too fast waits; nothing happens to it. Counted in its own rows: siblings that ask at the same
/// moment cannot use up each other's share.
fn check_pace(record: &RefreshRecord, now: Timestamp) -> Result<(), TokenError> {
    match record.tenth_last_rotation_at.map(|at| at + ROTATION_LIMIT_WINDOW) {
        Some(free_at) if now < free_at => Err(TokenError::Limited(free_at.since(now).as_secs())),
        _ => Ok(()),
    }
}

fn is_in_grace_period(rotation: &Rotation, now: Timestamp) -> bool {
    now < rotation.rotated_at + REUSE_GRACE_PERIOD
        && rotation.reuse_count < MAX_REUSES
        && rotation.unused_successor.is_some()
}

/// Derives the successor of a refresh token. Neither the key alone, nor the database alone, nor an old token found in a
/// log is enough to do it.
pub fn successor(
    token: &RefreshToken,
    record: &RefreshRecord,
    salt: &str,
    ring: &KeyRing,
    key: &Key,
    checksum_keys: &KeyRing,
) -> RefreshToken {
    let generation = (record.generation + 1).to_string();
    let parts = [record.grant.id.0.as_bytes(), generation.as_bytes(), salt.as_bytes(), token.expose().as_bytes()];
    RefreshToken::issue(&ring.mac(key, "refresh successor", &parts), checksum_keys)
}

/// The successor that was handed out before: derived anew, and proven to be the stored one. `None` when the key that
/// made it has left the ring.
pub fn same_successor(
    token: &RefreshToken,
    record: &RefreshRecord,
    rotation: &Rotation,
    ring: &KeyRing,
    checksum_keys: &KeyRing,
) -> Option<RefreshToken> {
    let key = ring.find(&rotation.kid)?;
    let stored = rotation.unused_successor.as_ref()?;
    checksum_keys
        .each_as_newest()
        .map(|checksum_keys| successor(token, record, &rotation.salt, ring, key, &checksum_keys))
        .find(|token| token.hash() == *stored)
}

/// The success answer (RFC 6749 5.1). `scope` always stands in it: clients compare it with what they asked for.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    scope: String,
}

impl TokenResponse {
    /// Hands over a pair of tokens, the access token with how long it works.
    pub fn new(access: &AccessToken, works_for: Duration, refresh: &RefreshToken, scopes: ScopeSet) -> Self {
        Self {
            access_token: access.expose().to_owned(),
            token_type: "Bearer",
            expires_in: works_for.as_secs(),
            refresh_token: refresh.expose().to_owned(),
            scope: scopes.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
