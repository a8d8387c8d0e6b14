//! The token endpoint's rules (RFC 6749 4.1.3, 5, 6; OAuth 2.1 4.1.3, 4.3; RFC 9700 4.14).
//!
//! Checks everything before writing anything. A rejected request changes nothing, with two exceptions: a wrong code
//! verifier counts a failed attempt, and a replay revokes the grant.

use crate::keyring::{Key, KeyRing};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::authorize::{self, ResourceNotServed};
use crate::oauth::client::{ClientId, Clients};
use crate::oauth::error::{InvalidGrantReason, TokenError};
use crate::oauth::grant::{
    CODE_REPEAT_GRACE_PERIOD, CodeRecord, CodeState, MAX_FAILED_ATTEMPTS, ROTATION_LIMIT_WINDOW, RefreshRecord,
    RefreshState, Rotation,
};
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeVerifier;
use crate::oauth::secret::{AccessToken, AuthorizationCode, RefreshToken};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    /// Parsed only if its checksum is valid.
    pub code: AuthorizationCode,
    /// Must equal that of the authorization request, if sent.
    pub redirect_uri: Option<String>,
    /// Resource of the tokens (RFC 8707). Always the resource served here.
    pub resource: String,
    /// True if the client sent `resource`. Without an explicit `resource` the client can only re-authorize.
    pub has_explicit_resource: bool,
    /// PKCE code verifier; a missing one is treated as wrong.
    pub verifier: Option<CodeVerifier>,
}

pub struct RefreshRequest {
    pub client_id: ClientId,
    /// Parsed only if its checksum is valid.
    pub token: RefreshToken,
    /// Resource of the tokens (RFC 8707). Always the resource served here.
    pub resource: String,
    /// True if the client sent `resource`. Without an explicit `resource` the client can only re-authorize.
    pub has_explicit_resource: bool,
    /// The known scopes that it names; `None`: all granted scopes.
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
pub struct TokenEndpoint<'a> {
    pub clients: Clients<'a>,
    pub checksum_keys: &'a KeyRing,
    pub resource: &'a Url,
}

/// Reads the form of a token or revocation request. `authorization` is the `Authorization` header, `content_types` all
/// `Content-Type` headers. HTTP Basic with an empty secret is how some libraries send the `client_id` of a public client
/// (RFC 6749 2.3.1): it counts as that parameter.
pub fn parse_form(content_types: &[&str], authorization: Option<&str>, body: &[u8]) -> Result<Parameters, TokenError> {
    let [content_type] = content_types else { return Err(TokenError::MalformedBody) };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(TokenError::MalformedBody);
    }
    let mut parameters = Parameters::parse(body).map_err(|_| TokenError::MalformedBody)?;
    let has_secret =
        ["client_secret", "client_assertion"].iter().any(|name| parameters.all(name).any(|v| !v.is_empty()));
    let basic = authorization
        .map(|header| header.split_once(' ').unwrap_or((header, "")))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    match (basic, has_secret) {
        (Some(_), true) => return Err(TokenError::MultipleAuthenticationMethods),
        (None, true) => return Err(TokenError::ClientSecret),
        (Some((_, credentials)), false) => {
            let client_id = public_client_id(credentials).ok_or(TokenError::BasicAuthentication)?;
            if !parameters.add_or_equals("client_id", client_id) {
                return Err(TokenError::MultipleAuthenticationMethods);
            }
        }
        (None, false) => {}
    }
    Ok(parameters)
}

/// The client id of Basic credentials whose secret is empty. Libraries should form-encode the id, and many don't: an id with
/// a colon, such as a URL, is one that was not encoded.
fn public_client_id(credentials: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let id = text.strip_suffix(':')?;
    if id.contains(':') {
        return Some(id.to_owned());
    }
    let decoded = Parameters::parse(format!("id={id}").as_bytes()).ok()?;
    decoded.single("id").map(str::to_owned)
}

impl TokenEndpoint<'_> {
    pub fn parse(&self, form: &Parameters) -> Result<TokenRequest, TokenError> {
        const SINGLE_VALUE_PARAMETERS: [&str; 7] =
            ["grant_type", "client_id", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"];
        if form.repeats_any(&SINGLE_VALUE_PARAMETERS) {
            return Err(TokenError::RepeatedParameter);
        }
        let required = |name| form.single(name).ok_or(TokenError::Missing(name));
        let grant_type = required("grant_type")?;
        if grant_type != "authorization_code" && grant_type != "refresh_token" {
            return Err(TokenError::UnsupportedGrantType);
        }
        let client_id = self.parse_client_id(form)?;
        authorize::check_resource(form, self.resource)
            .map_err(|ResourceNotServed| TokenError::ResourceNotServed(self.resource.to_string()))?;
        if grant_type == "refresh_token" {
            return self.parse_refresh(client_id, required("refresh_token")?, form);
        }
        let code = required("code")?;
        let verifier = form
            .single("code_verifier")
            .map(|v| CodeVerifier::parse(v).ok_or(TokenError::MalformedVerifier))
            .transpose()?;
        Ok(TokenRequest::Code(CodeRequest {
            client_id,
            code: AuthorizationCode::parse(code, self.checksum_keys)
                .ok_or(TokenError::InvalidGrant(InvalidGrantReason::NotOurs))?,
            redirect_uri: form.single("redirect_uri").map(str::to_owned),
            resource: self.resource.as_str().to_owned(),
            has_explicit_resource: form.names("resource"),
            verifier,
        }))
    }

    fn parse_refresh(&self, client_id: ClientId, token: &str, form: &Parameters) -> Result<TokenRequest, TokenError> {
        let scope = form.single("scope");
        let token = RefreshToken::parse(token, self.checksum_keys)
            .ok_or(TokenError::InvalidGrant(InvalidGrantReason::NotOurs))?;
        let scopes = scope.map(ScopeSet::parse_known).filter(|scopes| !scopes.is_empty());
        let resource = self.resource.as_str().to_owned();
        Ok(TokenRequest::Refresh(RefreshRequest {
            client_id,
            token,
            resource,
            has_explicit_resource: form.names("resource"),
            scopes,
        }))
    }

    /// Parses `client_id`; rejects ids that imitate our registered ids.
    pub fn parse_client_id(&self, form: &Parameters) -> Result<ClientId, TokenError> {
        let client_id = form.one("client_id").map_err(|_| TokenError::RepeatedParameter)?;
        let client_id = client_id.ok_or(TokenError::Missing("client_id"))?;
        self.clients.parse_client_id(client_id).ok_or(TokenError::ClientId)
    }
}

/// The decision about a code request.
#[derive(Debug, PartialEq, Eq)]
pub enum CodeDecision {
    /// Valid: redeem, unless a concurrent request redeems it first.
    Redeem,
    /// The grant is for another resource; change nothing.
    WrongResource,
    /// Count a failed attempt and refuse.
    WrongVerifier,
    Refuse(InvalidGrantReason),
    /// A valid request for a code redeemed longer ago than `CODE_REPEAT_GRACE_PERIOD`: the code was copied. Revoke the
    /// grant and refuse.
    Replay,
}

/// Decides a code request. A request without the right verifier never revokes the grant.
pub fn decide_code(request: &CodeRequest, record: &CodeRecord, now: Timestamp) -> CodeDecision {
    if request.client_id != record.grant.client_id {
        return CodeDecision::Refuse(InvalidGrantReason::OtherClient);
    }
    if request.redirect_uri.as_ref().is_some_and(|uri| *uri != record.redirect_uri) {
        return CodeDecision::Refuse(InvalidGrantReason::OtherRedirectUri);
    }
    if request.resource != record.grant.resource {
        return if request.has_explicit_resource {
            CodeDecision::WrongResource
        } else {
            CodeDecision::Refuse(InvalidGrantReason::OtherResource)
        };
    }
    let is_proven = request.verifier.as_ref().is_some_and(|verifier| record.challenge.is_satisfied_by(verifier));
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
    /// Valid: rotate, unless a concurrent request rotates it first. The access token gets these scopes.
    Rotate(ScopeSet),
    /// Used again while nothing of the answer to its first use was: that answer was lost, or concurrent requests of the client sent
    /// it. Return the same successor.
    Repeat(ScopeSet, Rotation),
    /// Used again though the answer arrived: the successor, or an access token that came with it, was used. The token was copied.
    /// Revoke the grant and refuse.
    Reused,
}

pub fn decide_refresh(
    request: &RefreshRequest,
    record: &RefreshRecord,
    now: Timestamp,
) -> Result<RefreshDecision, TokenError> {
    if request.client_id != record.grant.client_id {
        return Err(TokenError::InvalidGrant(InvalidGrantReason::OtherClient));
    }
    if record.grant.is_revoked {
        return Err(TokenError::InvalidGrant(InvalidGrantReason::Revoked));
    }
    if now >= record.expires_at {
        return Err(TokenError::InvalidGrant(InvalidGrantReason::Expired));
    }
    if request.resource != record.grant.resource {
        let other_resource = TokenError::InvalidGrant(InvalidGrantReason::OtherResource);
        return Err(if request.has_explicit_resource { TokenError::Resource } else { other_resource });
    }
    let scopes = refreshed_scopes(request.scopes, record.grant.scopes);
    Ok(match &record.state {
        RefreshState::Active => {
            check_rotation_limit(record, now)?;
            RefreshDecision::Rotate(scopes)
        }
        RefreshState::Rotated(rotation) if rotation.unused_successor.is_none() => RefreshDecision::Reused,
        RefreshState::Rotated(rotation) => {
            check_free(rotation.free_at, now)?;
            RefreshDecision::Repeat(scopes, rotation.clone())
        }
    })
}

/// The requested scopes that are granted, or all granted ones if that is none of them: a client that repeats its first request gets
/// what the person left ticked, and reads where it asked for a permission to post alone. The answer's `scope` says so (RFC 6749 3.3, 6).
fn refreshed_scopes(requested: Option<ScopeSet>, granted: ScopeSet) -> ScopeSet {
    let scopes = requested.map(|requested| requested.intersection(granted));
    scopes.filter(|scopes| !scopes.is_empty()).unwrap_or(granted)
}

/// Limits a grant to [`MAX_ROTATIONS`](crate::oauth::grant::MAX_ROTATIONS) per [`ROTATION_LIMIT_WINDOW`]; over the
/// limit it answers 429 and changes nothing. Uses the time of the tenth-last rotation, so concurrent repeats of one
/// token don't count.
fn check_rotation_limit(record: &RefreshRecord, now: Timestamp) -> Result<(), TokenError> {
    check_free(record.tenth_last_rotation_at.map(|at| at + ROTATION_LIMIT_WINDOW), now)
}

fn check_free(free_at: Option<Timestamp>, now: Timestamp) -> Result<(), TokenError> {
    match free_at {
        Some(free_at) if now < free_at => Err(TokenError::RateLimited(free_at.since(now).as_secs())),
        _ => Ok(()),
    }
}

/// Derives the successor of a refresh token. Deriving it takes the key, the database row and the old token together.
pub fn derive_successor(
    token: &RefreshToken,
    record: &RefreshRecord,
    salt: &str,
    ring: &KeyRing,
    key: &Key,
    checksum_keys: &KeyRing,
) -> RefreshToken {
    let generation = (record.generation + 1).to_string();
    let parts =
        [record.grant.id.as_str().as_bytes(), generation.as_bytes(), salt.as_bytes(), token.expose().as_bytes()];
    RefreshToken::issue(&ring.mac(key, "refresh successor", &parts), checksum_keys)
}

/// Derives the stored successor again and checks its hash. `None` if its key was removed from the key ring.
pub fn rederive_successor(
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
        .map(|checksum_keys| derive_successor(token, record, &rotation.salt, ring, key, &checksum_keys))
        .find(|token| token.hash() == *stored)
}

/// The success response (RFC 6749 5.1). `scope` is always present, because clients compare it with their request.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: String,
    scope: String,
}

impl TokenResponse {
    pub fn new(access: &AccessToken, access_lifetime: Duration, refresh: &RefreshToken, scopes: ScopeSet) -> Self {
        Self {
            access_token: access.expose().to_owned(),
            token_type: "Bearer",
            expires_in: access_lifetime.as_secs(),
            refresh_token: refresh.expose().to_owned(),
            scope: scopes.to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
