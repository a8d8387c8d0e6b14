//! Routes: the only place a path is written.

use crate::oauth::metadata::Endpoints;
use http::Method;
use url::Url;

/// A place this server answers at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// RFC 9728, at the path of the resource and at the root.
    ProtectedResource,
    /// RFC 8414.
    AuthorizationServer,
    /// Public keys of our assertions, for StatiBeat only.
    AssertionKeys,
    /// RFC 6749 3.1.
    Authorize,
    /// Where StatiBeat's sign-in sends the browser back to. Not advertised.
    SignedIn,
    /// The consent page and its answer. Not advertised.
    Consent,
    /// RFC 6749 3.2.
    Token,
    /// RFC 7009.
    Revoke,
    /// RFC 7591.
    Register,
    Mcp,
    /// Whether the server runs; for its operators also whether it can work.
    Health,
    /// Clients that were refused; for operators only.
    RefusedClients,
    /// The Hosted MCP page, where people look after their connections.
    AdminPage,
    /// Begins a sign-in to it.
    AdminSignIn,
    /// Where StatiBeat's sign-in sends the browser back to. Not advertised.
    AdminSignedIn,
    /// Asks whether something is meant; the form does it.
    AdminAction,
    AdminSignOut,
    /// How to connect, as JSON.
    AdminApiSetup,
    /// What is connected and how it is doing, as JSON.
    AdminApiConnections,
    /// What was done, as JSON.
    AdminApiActivity,
}

/// Who calls a route; decides its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Programs, from any origin: CORS.
    Programs,
    /// A person's browser, or StatiBeat, from nowhere else: no CORS.
    Browser,
}

/// Forms and registrations. The longest legal one is a registration of ten redirect URIs, or a consent form of a person with
/// a thousand pages.
const FORM_LIMIT: usize = 16 * 1024;
/// MCP messages. A tool call whose texts have their full length, written in JSON escapes as some clients do, needs this
/// much; a test derives it from the catalogue.
const MESSAGE_LIMIT: usize = 384 * 1024;

impl Route {
    const TABLE: [(&'static str, Route); 21] = [
        ("/.well-known/oauth-protected-resource/mcp", Route::ProtectedResource),
        ("/.well-known/oauth-protected-resource", Route::ProtectedResource),
        ("/.well-known/oauth-authorization-server", Route::AuthorizationServer),
        ("/.well-known/hosted-mcp-jwks.json", Route::AssertionKeys),
        ("/mcp/oauth/authorize", Route::Authorize),
        ("/mcp/oauth/callback", Route::SignedIn),
        ("/mcp/oauth/consent", Route::Consent),
        ("/mcp/oauth/token", Route::Token),
        ("/mcp/oauth/revoke", Route::Revoke),
        ("/mcp/oauth/register", Route::Register),
        ("/mcp", Route::Mcp),
        ("/mcp/health", Route::Health),
        ("/mcp/health/clients", Route::RefusedClients),
        ("/mcp/admin", Route::AdminPage),
        ("/mcp/admin/sign-in", Route::AdminSignIn),
        ("/mcp/admin/callback", Route::AdminSignedIn),
        ("/mcp/admin/action", Route::AdminAction),
        ("/mcp/admin/sign-out", Route::AdminSignOut),
        ("/mcp/admin/api/setup", Route::AdminApiSetup),
        ("/mcp/admin/api/connections", Route::AdminApiConnections),
        ("/mcp/admin/api/activity", Route::AdminApiActivity),
    ];

    /// The route of exactly that path.
    pub fn find(path: &str) -> Option<Route> {
        Self::TABLE.iter().find(|(known, _)| *known == path).map(|(_, route)| *route)
    }

    /// The route's path; of several, the one we publish.
    pub fn path(self) -> &'static str {
        Self::TABLE.iter().find(|(_, route)| *route == self).map_or("", |(path, _)| path)
    }

    /// The route's address on this server.
    pub fn url(self, public_url: &Url) -> Url {
        let mut url = public_url.clone();
        url.set_path(self.path());
        url
    }

    /// Methods it answers, besides the preflight of programs' routes.
    pub const fn methods(self) -> &'static [Method] {
        match self {
            Route::ProtectedResource
            | Route::AuthorizationServer
            | Route::AssertionKeys
            | Route::Health
            | Route::RefusedClients
            | Route::Authorize
            | Route::AdminPage
            | Route::AdminSignIn => &[Method::GET, Method::HEAD],
            // No HEAD: looking at these has an effect.
            // Nor for what may come with an assertion: it is for one method, and for one request.
            Route::SignedIn
            | Route::AdminSignedIn
            | Route::AdminApiSetup
            | Route::AdminApiConnections
            | Route::AdminApiActivity => &[Method::GET],
            Route::Consent | Route::AdminAction => &[Method::GET, Method::POST],
            Route::Token | Route::Revoke | Route::Register | Route::Mcp | Route::AdminSignOut => &[Method::POST],
        }
    }

    /// Longest body that is read, in bytes.
    pub const fn body_limit(self) -> usize {
        match self {
            Route::Mcp => MESSAGE_LIMIT,
            Route::Consent
            | Route::Token
            | Route::Revoke
            | Route::Register
            | Route::AdminAction
            | Route::AdminSignOut => FORM_LIMIT,
            Route::ProtectedResource
            | Route::AuthorizationServer
            | Route::AssertionKeys
            | Route::Authorize
            | Route::SignedIn
            | Route::Health
            | Route::RefusedClients
            | Route::AdminPage
            | Route::AdminSignIn
            | Route::AdminSignedIn
            | Route::AdminApiSetup
            | Route::AdminApiConnections
            | Route::AdminApiActivity => 0,
        }
    }

    /// Whether a tab shows it, or is sent on by it.
    pub const fn is_page(self) -> bool {
        matches!(
            self,
            Route::Authorize
                | Route::SignedIn
                | Route::Consent
                | Route::AdminPage
                | Route::AdminSignIn
                | Route::AdminSignedIn
                | Route::AdminAction
                | Route::AdminSignOut
        )
    }

    /// The media type without which a body is not read; `None`: any.
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Route::Consent | Route::Token | Route::Revoke | Route::AdminAction | Route::AdminSignOut => {
                Some("application/x-www-form-urlencoded")
            }
            Route::Register => Some("application/json"),
            _ => None,
        }
    }

    /// The area of the product that it belongs to, for metrics.
    pub const fn area(self) -> &'static str {
        match self {
            Route::Authorize | Route::SignedIn | Route::Consent | Route::Token | Route::Revoke | Route::Register => {
                "oauth"
            }
            Route::AdminPage
            | Route::AdminSignIn
            | Route::AdminSignedIn
            | Route::AdminAction
            | Route::AdminSignOut
            | Route::AdminApiSetup
            | Route::AdminApiConnections
            | Route::AdminApiActivity => "admin",
            Route::ProtectedResource
            | Route::AuthorizationServer
            | Route::AssertionKeys
            | Route::Mcp
            | Route::Health
            | Route::RefusedClients => "other",
        }
    }

    pub const fn audience(self) -> Audience {
        match self {
            Route::Authorize
            | Route::SignedIn
            | Route::Consent
            | Route::AdminPage
            | Route::AdminSignIn
            | Route::AdminSignedIn
            | Route::AdminAction
            | Route::AdminSignOut
            | Route::AdminApiSetup
            | Route::AdminApiConnections
            | Route::AdminApiActivity => Audience::Browser,
            Route::ProtectedResource
            | Route::AuthorizationServer
            | Route::AssertionKeys
            | Route::Token
            | Route::Revoke
            | Route::Register
            | Route::Mcp
            | Route::Health
            | Route::RefusedClients => Audience::Programs,
        }
    }
}

/// The addresses that the metadata documents publish.
pub fn endpoints(public_url: &Url, issuer: &str, has_registration: bool) -> Endpoints {
    Endpoints {
        issuer: issuer.to_owned(),
        resource: Route::Mcp.url(public_url),
        authorize: Route::Authorize.url(public_url),
        token: Route::Token.url(public_url),
        revoke: Route::Revoke.url(public_url),
        register: has_registration.then(|| Route::Register.url(public_url)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tools::TOOLS;
    use serde_json::Value;

    #[test]
    fn every_path_leads_to_its_route_and_no_other() {
        for (path, route) in Route::TABLE {
            assert_eq!(Route::find(path), Some(route), "{path}");
            assert_eq!(Route::find(&format!("{path}/")), None, "{path}");
        }
        assert_eq!(Route::find("/.well-known/openid-configuration"), None);
        assert_eq!(Route::find("/MCP"), None);
    }

    /// Bytes of the longest legal JSON value of a schema: texts in characters that some clients write as two escapes of six
    /// bytes, keys and times in plain characters.
    fn longest(schema: &Value) -> usize {
        if let Some(choices) = schema["anyOf"].as_array() {
            return choices.iter().map(longest).max().unwrap_or_default();
        }
        let text = schema["maxLength"].as_u64().map_or(256, |most| 12 * usize::try_from(most).expect("small"));
        let members = schema["properties"].as_object().into_iter().flatten();
        let members: usize = members.map(|(name, member)| name.len() + 6 + longest(member)).sum();
        let items = if schema["items"].is_object() { 100 * (longest(&schema["items"]) + 2) } else { 0 };
        if members + items > 0 { members + items } else { text }
    }

    #[test]
    fn message_limit_fits_the_longest_legal_tool_call_and_little_more() {
        // The confirm token (2048), the idempotency key, and the envelope of the message.
        let around = 8 * 1024;
        let longest = TOOLS.iter().filter(|tool| tool.hosted.is_some()).map(|tool| longest(&(tool.input_schema)()));
        let longest = longest.max().expect("a tool") + around;
        let limit = Route::Mcp.body_limit();
        assert!(longest <= limit && limit < 2 * longest, "{longest} {limit}");
    }

    #[test]
    fn only_posts_have_a_body() {
        for (path, route) in Route::TABLE {
            assert_eq!(route.body_limit() > 0, route.methods().contains(&Method::POST), "{path}");
        }
    }

    #[test]
    fn addresses_stand_on_the_public_origin() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        assert_eq!(Route::Mcp.url(&public_url).as_str(), "https://mcp.example/mcp");
    }
}
