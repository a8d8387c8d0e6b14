//! Routes: paths, methods and limits. No other file contains a path of ours.

use crate::catalog::llms;
use crate::config::Config;
use crate::mcp::{Icon, ServerProfile};
use crate::oauth::metadata::Endpoints;
use form_urlencoded::Serializer;
use http::Method;
use strum::VariantArray;
use url::Url;

#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Route {
    /// The page about this host and how to connect to it.
    Home,
    Favicon,
    /// The icon for light grounds.
    LightIcon,
    /// The icon for dark grounds.
    DarkIcon,
    /// Rules for crawlers (RFC 9309).
    Robots,
    /// Overview of the connector, for models.
    Llms,
    /// Contact for security researchers (RFC 9116).
    SecurityText,
    /// Proof of the domain for the directory of `OpenAI`.
    OpenaiChallenge,
    /// Protected resource metadata (RFC 9728), at the path of the resource and at the root.
    ProtectedResource,
    /// Authorization server metadata (RFC 8414).
    AuthorizationServer,
    /// Public keys of our assertions, for StatiBeat only.
    AssertionKeys,
    /// Authorization endpoint (RFC 6749 3.1).
    Authorize,
    /// Callback of StatiBeat's sign-in. Not advertised.
    SignedIn,
    /// The consent page, and the POST of its form. Not advertised.
    Consent,
    /// Token endpoint (RFC 6749 3.2).
    Token,
    /// Token revocation endpoint (RFC 7009).
    Revoke,
    /// Dynamic client registration endpoint (RFC 7591).
    Register,
    Mcp,
    /// Liveness for everybody, readiness for operators.
    Health,
    /// Clients that were refused, for operators only.
    RefusedClients,
    /// The Hosted MCP page, where people manage their connections.
    AdminPage,
    /// One connection: its access, usage and health.
    AdminConnection,
    /// Apps that are blocked on the pages of their admin.
    AdminBlocks,
    /// All activity of the person and their pages, with filters.
    AdminActivity,
    /// The activity that a filter selects, as a CSV file.
    AdminActivityExport,
    /// Starts a sign-in to the Hosted MCP page.
    AdminSignIn,
    /// Callback of StatiBeat's sign-in. Not advertised.
    AdminSignedIn,
    /// GET asks to confirm an action, POST carries it out.
    AdminAction,
    AdminSignOut,
    /// GET shows the form that narrows an approval, POST narrows it.
    AdminNarrow,
    /// Connection instructions and addresses, as JSON.
    AdminApiSetup,
    /// Connections with their diagnoses, as JSON.
    AdminApiConnections,
    /// One connection with its calls, as JSON.
    AdminApiConnection,
    /// Blocks on administered pages, as JSON.
    AdminApiBlocks,
    /// Recent activity of connections, as JSON.
    AdminApiActivity,
}

/// Kind of caller of a route; decides its headers.
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
/// An action on every row of a page of the list of connections, each named by its client id.
const ACTION_FORM_LIMIT: usize = 64 * 1024;
/// MCP messages. A tool call whose texts have their full length, written in JSON escapes as some clients do, needs this
/// much; a test derives it from the catalog.
const MESSAGE_LIMIT: usize = 448 * 1024;

/// Paths besides a route's own, none of them published.
const ALIASES: [(&str, Route); 6] = [
    ("/.well-known/oauth-protected-resource", Route::ProtectedResource),
    // The resource as some clients write it, and the metadata path that they derive from it.
    ("/mcp/", Route::Mcp),
    ("/.well-known/oauth-protected-resource/mcp/", Route::ProtectedResource),
    // Default endpoints of MCP 2025-03-26. The Python SDK, which doesn't store metadata, uses them after a restart.
    ("/authorize", Route::Authorize),
    ("/token", Route::Token),
    ("/register", Route::Register),
];

const LOOK: &[Method] = &[Method::GET, Method::HEAD];
/// No HEAD for a GET that has an effect, nor for one that may carry an assertion, which is for one method and one request.
const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_AND_POST: &[Method] = &[Method::GET, Method::POST];

impl Route {
    /// Path, methods besides the preflight of programs' routes, and who calls it.
    const fn row(self) -> (&'static str, &'static [Method], Audience) {
        use Audience::{Browser, Programs};
        match self {
            Route::Home => ("/", LOOK, Browser),
            Route::Favicon => ("/favicon.ico", LOOK, Programs),
            Route::LightIcon => ("/icon-light.png", LOOK, Programs),
            Route::DarkIcon => ("/icon-dark.png", LOOK, Programs),
            Route::Robots => ("/robots.txt", LOOK, Programs),
            Route::Llms => ("/llms.txt", LOOK, Programs),
            Route::SecurityText => ("/.well-known/security.txt", LOOK, Programs),
            Route::OpenaiChallenge => ("/.well-known/openai-apps-challenge", LOOK, Programs),
            Route::ProtectedResource => ("/.well-known/oauth-protected-resource/mcp", LOOK, Programs),
            Route::AuthorizationServer => ("/.well-known/oauth-authorization-server", LOOK, Programs),
            Route::AssertionKeys => ("/.well-known/hosted-mcp-jwks.json", LOOK, Programs),
            Route::Authorize => ("/mcp/oauth/authorize", LOOK, Browser),
            Route::SignedIn => ("/mcp/oauth/callback", GET, Browser),
            Route::Consent => ("/mcp/oauth/consent", GET_AND_POST, Browser),
            Route::Token => ("/mcp/oauth/token", POST, Programs),
            Route::Revoke => ("/mcp/oauth/revoke", POST, Programs),
            Route::Register => ("/mcp/oauth/register", POST, Programs),
            Route::Mcp => ("/mcp", POST, Programs),
            Route::Health => ("/mcp/health", LOOK, Programs),
            Route::RefusedClients => ("/mcp/health/clients", LOOK, Programs),
            Route::AdminPage => ("/mcp/admin", LOOK, Browser),
            Route::AdminConnection => ("/mcp/admin/connection", LOOK, Browser),
            Route::AdminBlocks => ("/mcp/admin/blocks", LOOK, Browser),
            Route::AdminActivity => ("/mcp/admin/activity", LOOK, Browser),
            Route::AdminActivityExport => ("/mcp/admin/activity.csv", GET, Browser),
            Route::AdminSignIn => ("/mcp/admin/sign-in", LOOK, Browser),
            Route::AdminSignedIn => ("/mcp/admin/callback", GET, Browser),
            Route::AdminAction => ("/mcp/admin/action", GET_AND_POST, Browser),
            Route::AdminSignOut => ("/mcp/admin/sign-out", POST, Browser),
            Route::AdminNarrow => ("/mcp/admin/narrow", GET_AND_POST, Browser),
            Route::AdminApiSetup => ("/mcp/admin/api/setup", GET, Browser),
            Route::AdminApiConnections => ("/mcp/admin/api/connections", GET, Browser),
            Route::AdminApiConnection => ("/mcp/admin/api/connection", GET, Browser),
            Route::AdminApiBlocks => ("/mcp/admin/api/blocks", GET, Browser),
            Route::AdminApiActivity => ("/mcp/admin/api/activity", GET, Browser),
        }
    }

    /// The route of exactly that path or alias.
    pub fn find(path: &str) -> Option<Route> {
        let alias = || ALIASES.iter().find(|(alias, _)| *alias == path).map(|(_, route)| *route);
        Self::VARIANTS.iter().copied().find(|route| route.path() == path).or_else(alias)
    }

    /// The route's path; of several, the published one.
    pub const fn path(self) -> &'static str {
        self.row().0
    }

    /// The path with a query, or alone where there are no pairs.
    pub fn address<N: AsRef<str>, V: AsRef<str>>(self, pairs: impl IntoIterator<Item = (N, V)>) -> String {
        let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.is_empty() { self.path().to_owned() } else { format!("{}?{query}", self.path()) }
    }

    pub fn url(self, public_url: &Url) -> Url {
        let mut url = public_url.clone();
        url.set_path(self.path());
        url
    }

    pub const fn methods(self) -> &'static [Method] {
        self.row().1
    }

    pub const fn audience(self) -> Audience {
        self.row().2
    }

    /// Longest body that is read, in bytes.
    pub fn body_limit(self) -> usize {
        match self {
            Route::Mcp => MESSAGE_LIMIT,
            Route::AdminAction => ACTION_FORM_LIMIT,
            _ if self.methods().contains(&Method::POST) => FORM_LIMIT,
            _ => 0,
        }
    }

    /// The media type without which a body is not read; `None`: any.
    pub fn content_type(self) -> Option<&'static str> {
        match self {
            Route::Mcp => None,
            Route::Register => Some("application/json"),
            _ => (self.body_limit() > 0).then_some("application/x-www-form-urlencoded"),
        }
    }

    /// True for a route that a browser tab shows or is redirected by.
    pub fn is_page(self) -> bool {
        let is_api = matches!(
            self,
            Route::AdminApiSetup
                | Route::AdminApiConnections
                | Route::AdminApiConnection
                | Route::AdminApiBlocks
                | Route::AdminApiActivity
        );
        self.audience() == Audience::Browser && !is_api
    }

    /// The area of the product, for metrics.
    pub fn area(self) -> &'static str {
        let is_below = |parent: &str| self.path().starts_with(parent);
        match () {
            () if is_below("/mcp/oauth/") => "oauth",
            () if is_below(Route::AdminPage.path()) => "admin",
            () if is_below("/.well-known/") => "document",
            () => "other",
        }
    }
}

/// The URLs that the metadata documents publish.
pub fn endpoints(config: &Config) -> Endpoints<'_> {
    let public_url = &config.public_url;
    Endpoints {
        issuer: &config.issuer,
        links: &config.links,
        resource: Route::Mcp.url(public_url),
        authorize: Route::Authorize.url(public_url),
        token: Route::Token.url(public_url),
        revoke: Route::Revoke.url(public_url),
        register: config.has_registration.then(|| Route::Register.url(public_url)),
    }
}

/// The profile of the server, where the operator has set its website.
pub fn profile(config: &Config) -> Option<ServerProfile> {
    let website = config.links.website.as_ref()?;
    let icon = |route: Route, theme| Icon {
        mime_type: "image/png",
        sizes: ["128x128"],
        src: route.url(&config.public_url).into(),
        theme,
    };
    Some(ServerProfile {
        description: llms::SUMMARY,
        icons: vec![icon(Route::LightIcon, "light"), icon(Route::DarkIcon, "dark")],
        website_url: website.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::tools::TOOLS;
    use serde_json::Value;

    #[test]
    fn every_path_leads_to_its_route_and_no_other() {
        let paths = Route::VARIANTS.iter().map(|route| (route.path(), *route));
        for (path, route) in paths.chain(ALIASES) {
            assert_eq!(Route::find(path), Some(route), "{path}");
            let with_slash = format!("{path}/");
            let is_alias = ALIASES.iter().any(|(alias, _)| *alias == with_slash);
            assert_eq!(Route::find(&with_slash), is_alias.then_some(route), "{path}");
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
        let members = members.map(|(name, member)| name.len() + 6 + longest(member));
        let members: usize = if schema["maxProperties"] == 1 { members.max().unwrap_or(0) } else { members.sum() };
        let items = if schema["items"].is_object() { 100 * (longest(&schema["items"]) + 2) } else { 0 };
        if members + items > 0 { members + items } else { text }
    }

    #[test]
    fn message_limit_fits_the_longest_legal_tool_call_and_little_more() {
        // The confirm token (2048), the idempotency key, and the envelope of the message.
        let around = 8 * 1024;
        let longest = TOOLS.iter().filter(|tool| tool.hosted.is_some()).map(|tool| longest(&tool.input_schema()));
        let longest = longest.max().expect("a tool") + around;
        let limit = Route::Mcp.body_limit();
        assert!(longest <= limit && limit < 2 * longest, "{longest} {limit}");
    }

    #[test]
    fn only_posts_have_a_body() {
        for route in Route::VARIANTS {
            assert_eq!(route.body_limit() > 0, route.methods().contains(&Method::POST), "{route:?}");
        }
    }

    #[test]
    fn route_urls_use_the_public_origin() {
        let public_url = Url::parse("https://mcp.example").expect("a URL");
        assert_eq!(Route::Mcp.url(&public_url).as_str(), "https://mcp.example/mcp");
    }
}
