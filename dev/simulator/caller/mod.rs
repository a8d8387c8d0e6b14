//! Who stands behind a request: an API token of a page, or a user on whose behalf the connector calls.

pub mod access;
pub mod assertion;
pub mod connector_keys;
pub mod people;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;

use super::domain::incidents::Author;
use super::wire::reply::Refusal;
use super::world::World;
use access::Access;
use assertion::Verified;
use people::ApiToken;

/// The scopes an assertion may name.
const HOSTED_SCOPES: [&str; 7] = [
    "mcp.pages.read",
    "mcp.beats.read",
    "mcp.incidents.read",
    "mcp.incidents.write",
    "mcp.maintenances.read",
    "mcp.maintenances.write",
    "mcp.analytics.read",
];

/// An established caller.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A page-scoped API token.
    Token(ApiToken),
    /// A user, through the connector.
    OnBehalf(OnBehalf),
}

/// What an on-behalf-of assertion says beyond what all assertions say.
#[derive(Clone, Debug)]
pub struct OnBehalf {
    /// The user.
    pub user_id: u64,
    /// The user's name.
    pub user_name: &'static str,
    /// The MCP client.
    pub client_id: String,
    /// The grant.
    pub grant_id: String,
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    client_id: String,
    grant_id: String,
    scope: String,
    #[serde(default)]
    page_id: Option<u64>,
    act: Actor,
}

#[derive(Debug, Deserialize)]
struct Actor {
    sub: String,
}

impl Caller {
    /// The name that the write limiter and the logs know the caller by.
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

    /// Whether the connector calls, for the rules that hold only there.
    pub fn is_connector(&self) -> bool {
        matches!(self, Self::OnBehalf(_))
    }

    /// Whether the caller holds a permission on a page; `None` when the page does not exist for them.
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

/// The bearer value of a request.
pub fn bearer(request: &Request<Bytes>) -> Option<String> {
    let value = request.headers().get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// Establishes the caller. `page` is the page of a numeric address; `None` for an address without one.
pub fn establish(
    world: &mut World,
    request: &Request<Bytes>,
    access: &Access,
    page: Option<u64>,
    now: i64,
) -> Result<Caller, Refusal> {
    let token = bearer(request).ok_or_else(|| Refusal::unauthorized("bearer token required"))?;
    if let Some(token) = world.people.find_token(&token) {
        return Ok(Caller::Token(token.clone()));
    }
    if token.matches('.').count() != 2 {
        return Err(Refusal::unauthorized("bearer token is not valid"));
    }
    let assertion: Verified<Claims> = assertion::verify(world, &token, "statibeat-obo+jwt", request, now)?;
    let caller = check_claims(world, &assertion.claims)?;
    check_reach(&assertion.claims, access, page)?;
    if access.write {
        assertion::spend(world, &assertion, now)?;
    }
    Ok(Caller::OnBehalf(caller))
}

fn check_claims(world: &World, claims: &Claims) -> Result<OnBehalf, Refusal> {
    if claims.act.sub != "hosted-mcp" {
        return Err(Refusal::unauthorized("assertion names another actor"));
    }
    if claims.client_id.is_empty() || claims.grant_id.is_empty() {
        return Err(Refusal::unauthorized("assertion names no client or no grant"));
    }
    let decimal = claims.sub.bytes().all(|byte| byte.is_ascii_digit()) && !claims.sub.starts_with('0');
    let id = claims.sub.parse().ok().filter(|_| decimal);
    let user = id.and_then(|id: u64| world.people.users.get(&id));
    let user = user.ok_or_else(|| Refusal::unauthorized("assertion names an unknown user"))?;
    if user.disabled {
        return Err(Refusal::unauthorized("user is disabled"));
    }
    Ok(OnBehalf {
        user_id: user.id,
        user_name: user.name,
        client_id: claims.client_id.clone(),
        grant_id: claims.grant_id.clone(),
    })
}

/// The narrow part: which endpoints, which scope, which page.
fn check_reach(claims: &Claims, access: &Access, page: Option<u64>) -> Result<(), Refusal> {
    let scopes: Vec<&str> = claims.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    if scopes.is_empty() || scopes.iter().any(|scope| !HOSTED_SCOPES.contains(scope)) {
        return Err(Refusal::unauthorized("assertion names no scope or an unknown one"));
    }
    if claims.page_id != page {
        return Err(Refusal::unauthorized("assertion is bound to another page"));
    }
    match access.scopes {
        None => Err(Refusal::forbidden("this endpoint is not open to the connector")),
        Some(wanted) if !wanted.iter().any(|scope| scopes.contains(scope)) => {
            Err(Refusal::forbidden(format!("scope {} is required", wanted.join(" or "))))
        }
        Some(_) => Ok(()),
    }
}
