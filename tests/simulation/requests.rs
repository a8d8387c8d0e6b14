//! Requests of a story's connections, and the replies to them.

use crate::base::BaseConnection;
use crate::support::PUBLIC_URL;
use crate::support::browser::parameter;
use crate::support::flow::{CALLBACK, VERIFIER};
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use url::Url;

/// The tokens that an answer gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

/// The duty of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Redeems a code; without the right verifier only if somebody has copied it.
    Redeem {
        has_verifier: bool,
    },
    Refresh,
    /// Refreshes for reads of pages alone.
    RefreshForPages,
    /// Presents a code or token as another client, or a code with another redirect URI.
    Misuse(Misuse),
    /// Revokes a refresh token, and with it the grant.
    Revoke,
    RevokeAccess,
    /// A step of a browser through authorization and consent; its secret is the consent form.
    Browse,
    Ping,
    /// Reads the active incidents of a page.
    Read {
        page: i64,
    },
    ListPages,
    CallTool {
        write: usize,
        is_preview: bool,
    },
}

impl RequestKind {
    pub fn is_refresh(self) -> bool {
        matches!(self, Self::Refresh | Self::RefreshForPages)
    }
}

/// A request that is wrong in one respect, and must change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    RedemptionByOtherClient,
    RedemptionWithOtherRedirectUri,
    RefreshByOtherClient,
    RevocationByOtherClient,
}

/// The scope that a refresh for reads of pages asks for.
const PAGES_SCOPE: &str = "mcp.pages.read";
/// A client that has no connection in any story.
const OTHER_CLIENT: &str = "delta";
const OTHER_CALLBACK: &str = "http://127.0.0.1:33418/elsewhere";

/// A request as it is sent, by whoever holds the credentials of a connection.
#[derive(Clone)]
pub struct SentRequest {
    pub connection_index: usize,
    pub kind: RequestKind,
    /// The code or token that it presents.
    pub secret: String,
    method: &'static str,
    path: String,
    cookies: String,
    pub body: String,
}

impl std::fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of connection {} with {}", self.kind, self.connection_index, short(&self.secret))
    }
}

/// The end of a secret, which tells it from others.
pub fn short(secret: &str) -> &str {
    &secret[secret.len().saturating_sub(6)..]
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    /// The address that it redirects to.
    pub location: Option<String>,
    /// The values of its `Set-Cookie` headers.
    pub cookies: Vec<String>,
}

impl Reply {
    pub fn of_response(response: &http::Response<Bytes>) -> Self {
        let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
        Self {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
            location: response.headers().get("location").map(text),
            cookies: response.headers().get_all("set-cookie").iter().map(text).collect(),
        }
    }

    /// The code on the page that leads back to the client.
    pub fn code(&self) -> Option<String> {
        let target = self.body.split("content=\"0;url=").nth(1)?.split('"').next()?.replace("&amp;", "&");
        parameter(&Url::parse(&target).ok()?, "code")
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The tokens in the reply, if it has some.
    pub fn pair(&self) -> Option<Pair> {
        let body = self.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Pair { access: text("access_token")?, refresh: text("refresh_token")? }).filter(|_| self.status == 200)
    }

    /// Returns whether the tokens in the reply read pages and nothing else.
    pub fn is_for_pages(&self) -> bool {
        self.json()["scope"] == PAGES_SCOPE
    }

    pub fn is_invalid_grant(&self) -> bool {
        self.status == 400 && self.json()["error"] == "invalid_grant"
    }

    /// The first words, for readers.
    pub fn summary(&self) -> String {
        if let Some(pair) = self.pair() {
            return format!("tokens {} and {}", short(&pair.access), short(&pair.refresh));
        }
        self.body.chars().take(260).collect()
    }
}

impl SentRequest {
    fn form(
        connection_index: usize,
        kind: RequestKind,
        secret: &str,
        path: &'static str,
        fields: &[(&str, &str)],
    ) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let (path, cookies) = (path.to_owned(), String::new());
        Self { connection_index, kind, secret: secret.to_owned(), method: "POST", path, cookies, body }
    }

    pub fn redeem(connection_index: usize, base_connection: &BaseConnection, code: &str, has_verifier: bool) -> Self {
        let verifier = if has_verifier { VERIFIER } else { "a-verifier-that-belongs-to-no-request-of-this-story" };
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", base_connection.client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", verifier),
        ];
        Self::form(connection_index, RequestKind::Redeem { has_verifier }, code, "/mcp/oauth/token", &fields)
    }

    pub fn refresh(connection_index: usize, base_connection: &BaseConnection, token: &str) -> Self {
        let fields = [("grant_type", "refresh_token"), ("client_id", base_connection.client), ("refresh_token", token)];
        Self::form(connection_index, RequestKind::Refresh, token, "/mcp/oauth/token", &fields)
    }

    pub fn refresh_for_pages(connection_index: usize, base_connection: &BaseConnection, token: &str) -> Self {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", base_connection.client),
            ("refresh_token", token),
            ("scope", PAGES_SCOPE),
        ];
        Self::form(connection_index, RequestKind::RefreshForPages, token, "/mcp/oauth/token", &fields)
    }

    pub fn misuse(connection_index: usize, client: &str, misuse: Misuse, secret: &str) -> Self {
        let code = |client, callback| {
            [
                ("grant_type", "authorization_code"),
                ("client_id", client),
                ("code", secret),
                ("redirect_uri", callback),
                ("code_verifier", VERIFIER),
            ]
        };
        let kind = RequestKind::Misuse(misuse);
        let form = |path, fields: &[(&str, &str)]| Self::form(connection_index, kind, secret, path, fields);
        match misuse {
            Misuse::RedemptionByOtherClient => form("/mcp/oauth/token", &code(OTHER_CLIENT, CALLBACK)),
            Misuse::RedemptionWithOtherRedirectUri => form("/mcp/oauth/token", &code(client, OTHER_CALLBACK)),
            Misuse::RefreshByOtherClient => form(
                "/mcp/oauth/token",
                &[("grant_type", "refresh_token"), ("client_id", OTHER_CLIENT), ("refresh_token", secret)],
            ),
            Misuse::RevocationByOtherClient => {
                form("/mcp/oauth/revoke", &[("client_id", OTHER_CLIENT), ("token", secret)])
            }
        }
    }

    pub fn revoke(connection_index: usize, base_connection: &BaseConnection, kind: RequestKind, token: &str) -> Self {
        Self::form(
            connection_index,
            kind,
            token,
            "/mcp/oauth/revoke",
            &[("client_id", base_connection.client), ("token", token)],
        )
    }

    fn message(connection_index: usize, kind: RequestKind, access: &str, method: &str, params: &Value) -> Self {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let (path, cookies) = ("/mcp".to_owned(), String::new());
        Self { connection_index, kind, secret: access.to_owned(), method: "POST", path, cookies, body }
    }

    /// A step of a browser: a page, or a form of one.
    pub fn browse(connection_index: usize, path: String, cookies: String, form: Option<(&str, String)>) -> Self {
        let method = if form.is_some() { "POST" } else { "GET" };
        let (secret, body) = form.unwrap_or_default();
        let (kind, secret) = (RequestKind::Browse, secret.to_owned());
        Self { connection_index, kind, secret, method, path, cookies, body }
    }

    pub fn ping(connection_index: usize, access: &str) -> Self {
        Self::message(connection_index, RequestKind::Ping, access, "ping", &json!({}))
    }

    pub fn read(connection_index: usize, access: &str, page: i64) -> Self {
        let uri = format!("statibeat://pages/{page}/incidents/active");
        Self::message(connection_index, RequestKind::Read { page }, access, "resources/read", &json!({ "uri": uri }))
    }

    pub fn list_pages(connection_index: usize, access: &str) -> Self {
        Self::message(
            connection_index,
            RequestKind::ListPages,
            access,
            "resources/read",
            &json!({ "uri": "statibeat://pages" }),
        )
    }

    pub fn call(connection_index: usize, kind: RequestKind, access: &str, tool: &str, arguments: &Value) -> Self {
        Self::message(connection_index, kind, access, "tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    pub fn head(&self) -> Request<()> {
        let head = Request::builder().method(self.method).uri(&self.path);
        let head = if self.path == "/mcp" {
            head.header("authorization", format!("Bearer {}", self.secret))
                .header("content-type", "application/json")
                .header("mcp-protocol-version", "2025-11-25")
        } else if self.method == "GET" {
            head.header("cookie", &self.cookies)
        } else if self.cookies.is_empty() {
            head.header("content-type", "application/x-www-form-urlencoded")
        } else {
            head.header("content-type", "application/x-www-form-urlencoded")
                .header("origin", PUBLIC_URL)
                .header("cookie", &self.cookies)
        };
        head.body(()).expect("a request")
    }
}
