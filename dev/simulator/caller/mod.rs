//! The caller of a request: an API token of a page, or a user on whose behalf the connector calls.

pub mod assertion;
pub mod connector_keys;
pub mod people;

use http::HeaderMap;
use serde::Deserialize;

use crate::call::Arrival;
use crate::domain::notices::Author;
use crate::reply::ApiError;
use crate::world::World;
use assertion::Verified;
use people::ApiToken;

/// Lists of scopes of which the connector needs one.
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
    /// A writer must be able to name what the page knows, to see what is going on, and to find its own write again.
    pub const VOCABULARY: &[&str] = &["mcp.pages.read", "mcp.incidents.write", "mcp.maintenances.write"];
    pub const SUBSCRIBERS: &[&str] = &["mcp.analytics.read", "mcp.incidents.write", "mcp.maintenances.write"];
}

/// Permission and scopes that an operation requires.
#[derive(Clone, Copy)]
pub struct Access {
    /// The page permission; empty where there is no page.
    pub permission: &'static str,
    /// The scopes of which the connector needs one; `None` keeps the connector out.
    pub scopes: Option<&'static [&'static str]>,
    pub write: bool,
}

/// `/me` and `/me/pages`: no page, and any scope at all.
pub const SESSION: Access = Access { permission: "", scopes: Some(scopes::ALL), write: false };

pub enum Caller {
    Token(ApiToken),
    /// A user, through the connector.
    OnBehalf(OnBehalf),
}

/// The claims of an on-behalf-of assertion beyond those that every assertion has.
pub struct OnBehalf {
    pub user_id: u64,
    pub user_name: &'static str,
    pub client_id: String,
    pub grant_id: String,
}

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
    /// The name that the write limiter knows the caller by.
    pub fn principal(&self) -> String {
        match self {
            Self::Token(token) => format!("token {}", token.name),
            Self::OnBehalf(person) => format!("user {}", person.user_id),
        }
    }

    /// The author of what the caller writes.
    pub fn author(&self) -> Author {
        match self {
            Self::Token(token) => Author::new(token.name, "api_token"),
            Self::OnBehalf(person) => Author::new(person.user_name, "hosted_mcp"),
        }
    }

    /// `true` for the connector, for the rules that apply only to it.
    pub fn is_connector(&self) -> bool {
        matches!(self, Self::OnBehalf(_))
    }

    /// Looks up a permission on a page; `None` when the page does not exist for them.
    pub fn holds(&self, world: &World, page_id: u64, permission: &str) -> Option<bool> {
        match self {
            Self::Token(token) => (token.page_id == page_id).then(|| token.allows(permission)),
            Self::OnBehalf(person) => {
                let role = world.people.users.get(&person.user_id)?.roles.get(&page_id)?;
                Some(people::role_permissions(role).contains(&permission))
            }
        }
    }
}

/// The bearer token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Establishes the caller. `page` is the page of a numeric address; `None` for an address without one.
pub fn establish(world: &mut World, arrival: &Arrival, access: &Access, page: Option<u64>) -> Result<Caller, ApiError> {
    let token = bearer(arrival.request.headers()).ok_or_else(|| ApiError::unauthorized("bearer token required"))?;
    if let Some(token) = world.people.find_token(&token) {
        return Ok(Caller::Token(token.clone()));
    }
    if token.matches('.').count() != 2 {
        return Err(ApiError::unauthorized("bearer token is not valid"));
    }
    let assertion: Verified<Claims> = assertion::verify(world, &token, "statibeat-obo+jwt", arrival)?;
    let caller = check_claims(world, &assertion.claims)?;
    check_reach(&assertion.claims, access, page)?;
    if access.write {
        assertion::redeem(world, &assertion, arrival.now)?;
    }
    Ok(Caller::OnBehalf(caller))
}

fn check_claims(world: &World, claims: &Claims) -> Result<OnBehalf, ApiError> {
    if claims.act.sub != "hosted-mcp" {
        return Err(ApiError::unauthorized("assertion names another actor"));
    }
    if claims.client_id.is_empty() || claims.grant_id.is_empty() {
        return Err(ApiError::unauthorized("assertion names no client or no grant"));
    }
    let decimal = claims.sub.bytes().all(|byte| byte.is_ascii_digit()) && !claims.sub.starts_with('0');
    let id = claims.sub.parse().ok().filter(|_| decimal);
    let user = id.and_then(|id: u64| world.people.users.get(&id));
    let user = user.ok_or_else(|| ApiError::unauthorized("assertion names an unknown user"))?;
    if user.disabled {
        return Err(ApiError::unauthorized("user is disabled"));
    }
    Ok(OnBehalf {
        user_id: user.id,
        user_name: user.name,
        client_id: claims.client_id.clone(),
        grant_id: claims.grant_id.clone(),
    })
}

/// The narrow part: which endpoints, which scope, which page.
fn check_reach(claims: &Claims, access: &Access, page: Option<u64>) -> Result<(), ApiError> {
    let scopes: Vec<&str> = claims.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !scopes::ALL.contains(scope)) {
        return Err(ApiError::unauthorized("assertion names no scope or an unknown one"));
    }
    if claims.page_id != page {
        return Err(ApiError::unauthorized("assertion is bound to another page"));
    }
    match access.scopes {
        None => Err(ApiError::forbidden("this endpoint is not open to the connector")),
        Some(wanted) if !wanted.iter().any(|scope| scopes.contains(scope)) => {
            Err(ApiError::forbidden(format!("scope {} is required", wanted.join(" or "))))
        }
        Some(_) => Ok(()),
    }
}
