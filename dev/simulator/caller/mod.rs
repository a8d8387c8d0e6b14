//! The caller of a request: an API token of a page, or a user on whose behalf the connector calls.

pub mod assertion;
pub mod connector_keys;
pub mod people;

use http::HeaderMap;
use serde::Deserialize;

use crate::call::ReceivedRequest;
use crate::domain::notices::Author;
use crate::reply::ApiError;
use crate::world::World;
use assertion::VerifiedAssertion;
use people::ApiToken;

/// Scope lists. An assertion needs at least one scope of the endpoint's list.
pub mod scopes {
    /// Every scope an assertion may name.
    pub const ALL: &[&str] = &[
        "mcp.pages.read",
        "mcp.beats.read",
        "mcp.incidents.read",
        "mcp.incidents.write",
        "mcp.maintenances.read",
        "mcp.maintenances.write",
        "mcp.analytics.read",
    ];
    /// Read access to status definitions, stages and components. Write scopes are included because a write refers to
    /// them by id.
    pub const PAGE_METADATA: &[&str] = &["mcp.pages.read", "mcp.incidents.write", "mcp.maintenances.write"];
    pub const SUBSCRIBERS: &[&str] = &["mcp.analytics.read", "mcp.incidents.write", "mcp.maintenances.write"];
}

/// Permission and scopes that an operation requires.
#[derive(Clone, Copy)]
pub struct AccessRequirement {
    /// The page permission; empty where there is no page.
    pub permission: &'static str,
    /// `None`: not open to the connector.
    pub scopes: Option<&'static [&'static str]>,
    /// Further scopes, one of which suffices for a `dry_run`.
    pub dry_run_scopes: &'static [&'static str],
    pub write: bool,
}

/// `/me` and `/me/pages`: no page; any scope suffices.
pub const NO_PAGE_ACCESS: AccessRequirement =
    AccessRequirement { permission: "", scopes: Some(scopes::ALL), dry_run_scopes: &[], write: false };

pub enum Caller {
    Token(ApiToken),
    OnBehalfOf(OnBehalfOfUser),
}

/// A user on whose behalf the connector calls, after verification.
pub struct OnBehalfOfUser {
    pub user_id: u64,
    pub user_name: &'static str,
    pub client_id: String,
    pub grant_id: String,
}

/// The claims of an on-behalf-of assertion beyond those that every assertion has.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    client_id: String,
    grant_id: String,
    scope: String,
    #[serde(default)]
    page_id: Option<u64>,
    act: Actor,
}

#[derive(Deserialize)]
struct Actor {
    sub: String,
}

impl Caller {
    /// Key of the caller in the write rate limiter.
    pub fn principal(&self) -> String {
        match self {
            Self::Token(token) => format!("token {}", token.name),
            Self::OnBehalfOf(person) => format!("user {}", person.user_id),
        }
    }

    pub fn author(&self) -> Author {
        match self {
            Self::Token(token) => Author::new(token.name, "api_token"),
            Self::OnBehalfOf(person) => Author::new(person.user_name, "hosted_mcp"),
        }
    }

    pub fn is_connector(&self) -> bool {
        matches!(self, Self::OnBehalfOf(_))
    }

    /// Returns whether the caller has the permission; `None` if the caller has no access to the page.
    pub fn has_permission(&self, world: &World, page_id: u64, permission: &str) -> Option<bool> {
        match self {
            Self::Token(token) => (token.page_id == page_id).then(|| token.allows(permission)),
            Self::OnBehalfOf(person) => {
                let role = world.people.users.get(&person.user_id)?.roles.get(&page_id)?;
                Some(people::role_permissions(role).contains(&permission))
            }
        }
    }
}

/// The bearer token of a request.
pub fn bearer_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Authenticates a request. `page` is the page id in the request path, if there is one.
pub fn authenticate(
    world: &mut World,
    received: &ReceivedRequest,
    access: &AccessRequirement,
    page: Option<u64>,
) -> Result<Caller, ApiError> {
    let token =
        bearer_token(received.request.headers()).ok_or_else(|| ApiError::unauthorized("bearer token required"))?;
    if let Some(token) = world.people.find_token(&token) {
        return Ok(Caller::Token(token.clone()));
    }
    if token.matches('.').count() != 2 {
        return Err(ApiError::unauthorized("bearer token is not valid"));
    }
    let assertion: VerifiedAssertion<Claims> = assertion::verify(world, &token, "statibeat-obo+jwt", received)?;
    let caller = find_user(world, &assertion.claims)?;
    let is_dry_run = received.request.uri().query() == Some("dry_run=true");
    check_scope_and_page(&assertion.claims, access, page, is_dry_run)?;
    if access.write {
        assertion::redeem(world, &assertion, received.now)?;
    }
    Ok(Caller::OnBehalfOf(caller))
}

fn find_user(world: &World, claims: &Claims) -> Result<OnBehalfOfUser, ApiError> {
    if claims.act.sub != "hosted-mcp" {
        return Err(ApiError::unauthorized("assertion names another actor"));
    }
    if claims.client_id.is_empty() || claims.grant_id.is_empty() {
        return Err(ApiError::unauthorized("assertion names no client or no grant"));
    }
    let is_decimal = claims.sub.bytes().all(|byte| byte.is_ascii_digit()) && !claims.sub.starts_with('0');
    let id = claims.sub.parse().ok().filter(|_| is_decimal);
    let user = id.and_then(|id: u64| world.people.users.get(&id));
    let user = user.ok_or_else(|| ApiError::unauthorized("assertion names an unknown user"))?;
    if user.disabled {
        return Err(ApiError::unauthorized("user is disabled"));
    }
    Ok(OnBehalfOfUser {
        user_id: user.id,
        user_name: user.name,
        client_id: claims.client_id.clone(),
        grant_id: claims.grant_id.clone(),
    })
}

/// Checks scope, page and endpoint.
fn check_scope_and_page(
    claims: &Claims,
    access: &AccessRequirement,
    page: Option<u64>,
    is_dry_run: bool,
) -> Result<(), ApiError> {
    let scopes: Vec<&str> = claims.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !scopes::ALL.contains(scope)) {
        return Err(ApiError::unauthorized("assertion names no scope or an unknown one"));
    }
    if claims.page_id != page {
        return Err(ApiError::unauthorized("assertion is bound to another page"));
    }
    match access.scopes {
        None => Err(ApiError::forbidden("this endpoint is not open to the connector")),
        Some(_) if is_dry_run && access.dry_run_scopes.iter().any(|scope| scopes.contains(scope)) => Ok(()),
        Some(required) if !required.iter().any(|scope| scopes.contains(scope)) => {
            Err(ApiError::forbidden(format!("scope {} is required", required.join(" or "))))
        }
        Some(_) => Ok(()),
    }
}
