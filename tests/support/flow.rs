//! The story of a connection, step by step: authorize, sign in, consent, token, use.

use super::browser::{Browser, Shown, parameter};
use super::{PUBLIC_URL, RESOURCE, TestApp, UPSTREAM_URL, json, request};
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use statibeat_mcp::oauth::pkce::CodeVerifier;

/// A loopback client that nobody registered.
pub const CLIENT: &str = "test-client";
pub const CALLBACK: &str = "http://127.0.0.1:33418/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The revision without a handshake.
const NEWEST_VERSION: &str = "2026-07-28";

/// Demo users of the simulator.
pub mod user {
    pub const MARA_ADMIN: &str = "1";
    pub const THEO_MANAGER: &str = "2";
    pub const INES_VIEWER: &str = "3";
    pub const SAM_WITHOUT_PAGE: &str = "4";
}

/// The tokens that the token endpoint issued.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub scope: String,
}

/// A good authorization request with some parameters changed; an empty value removes one.
pub fn authorize_url(changes: &[(&str, &str)]) -> String {
    let challenge = CodeVerifier::parse(VERIFIER).expect("fits").challenge();
    let defaults = [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", CALLBACK),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("state", "xyz"),
        ("resource", RESOURCE),
    ];
    let kept = defaults.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let added = changes.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(added)).finish();
    format!("{PUBLIC_URL}/mcp/oauth/authorize?{query}")
}

impl Browser<'_> {
    /// From an authorization address over sign-in to what the connector shows then.
    pub fn sign_in(&self, authorize_url: &str, user_id: &str) -> Shown {
        let sign_in = self.open(authorize_url);
        assert!(sign_in.url.as_str().starts_with(UPSTREAM_URL), "no sign-in: {} {}", sign_in.status, sign_in.body);
        self.choose_user(&sign_in, user_id)
    }

    /// Picks a user on the sign-in page.
    pub fn choose_user(&self, sign_in: &Shown, user_id: &str) -> Shown {
        let state = sign_in.hidden("state");
        let challenge = sign_in.hidden("code_challenge");
        let connector = sign_in.hidden("connector_id");
        self.submit(
            sign_in,
            &format!("{UPSTREAM_URL}/connector/sign-in"),
            &[
                ("connector_id", &connector),
                ("state", &state),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("user_id", user_id),
            ],
        )
    }

    /// Answers the consent page with the boxes as they stand.
    pub fn answer(&self, consent: &Shown, answer: &str) -> Shown {
        self.answer_with(consent, answer, &consent.ticked())
    }

    /// Answers the consent page with these scopes ticked.
    pub fn answer_with(&self, consent: &Shown, answer: &str, scopes: &[String]) -> Shown {
        let mut fields = vec![("answer", answer), ("pages", "all"), ("lifetime", "until-revoked"), ("earlier", "keep")];
        fields.extend(scopes.iter().map(|scope| ("scope", scope.as_str())));
        self.answer_fields(consent, &fields)
    }

    /// Answers the consent page with exactly these fields and its hidden ones.
    pub fn answer_fields(&self, consent: &Shown, fields: &[(&str, &str)]) -> Shown {
        let (handle, person) = (consent.hidden("request"), consent.hidden("person"));
        let all: Vec<_> =
            [("request", handle.as_str()), ("person", &person)].into_iter().chain(fields.iter().copied()).collect();
        self.submit(consent, &format!("{PUBLIC_URL}/mcp/oauth/consent"), &all)
    }

    /// Signs in to the admin page.
    pub fn open_admin_page(&self, user_id: &str) -> Shown {
        let sign_in = self.open(&format!("{PUBLIC_URL}/mcp/admin/sign-in"));
        self.choose_user(&sign_in, user_id)
    }

    /// The page of a connection of that person, for whoever is signed in to the admin page.
    pub fn open_connection(&self, user_id: &str, client_id: &str) -> Shown {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("user", user_id), ("client", client_id)])
            .finish();
        self.open(&format!("{PUBLIC_URL}/mcp/admin/connection?{query}"))
    }

    /// Posts an action of the admin page, with the token of the page shown.
    pub fn submit_action(&self, page: &Shown, fields: &[(&str, &str)]) -> Shown {
        let token = page.hidden("token");
        let all: Vec<_> =
            [("token", token.as_str()), ("confirmed", "1")].into_iter().chain(fields.iter().copied()).collect();
        self.submit(page, &format!("{PUBLIC_URL}/mcp/admin/action"), &all)
    }
}

impl TestApp {
    /// A code for these scopes, approved by this user.
    pub fn code(&self, user_id: &str, scope: &str) -> String {
        let browser = Browser::new(self);
        let consent = browser.sign_in(&authorize_url(&[("scope", scope)]), user_id);
        // Ticks what the test names: the page also offers reads for a request of writes alone, and remembers earlier choices.
        let named: Vec<String> = scope.split(' ').filter(|name| name.starts_with("mcp.")).map(str::to_owned).collect();
        let kept = if named.is_empty() { consent.ticked() } else { named };
        let target = browser.answer_with(&consent, "approve", &kept).leaves_for();
        parameter(&target, "code").unwrap_or_else(|| panic!("no code in {target}"))
    }

    /// The whole story: a connection of this user with these scopes.
    pub fn connect(&self, user_id: &str, scope: &str) -> Tokens {
        let code = self.code(user_id, scope);
        let answer = self.redeem(&code, &[]);
        assert_eq!(answer.status(), 200, "{:?}", answer.body());
        tokens(&answer)
    }

    /// Exchanges a code, with some parameters changed.
    pub fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Response<Bytes> {
        let defaults = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("resource", RESOURCE),
        ];
        self.post_form("/mcp/oauth/token", &defaults, changes)
    }

    /// Refreshes, with some parameters changed.
    pub fn refresh(&self, refresh_token: &str, changes: &[(&str, &str)]) -> Response<Bytes> {
        let defaults = [("grant_type", "refresh_token"), ("client_id", CLIENT), ("refresh_token", refresh_token)];
        self.post_form("/mcp/oauth/token", &defaults, changes)
    }

    /// Revokes, with some parameters changed.
    pub fn revoke(&self, token: &str, changes: &[(&str, &str)]) -> Response<Bytes> {
        self.post_form("/mcp/oauth/revoke", &[("client_id", CLIENT), ("token", token)], changes)
    }

    fn post_form(&self, path: &str, defaults: &[(&str, &str)], changes: &[(&str, &str)]) -> Response<Bytes> {
        let kept = defaults.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let added = changes.iter().filter(|(_, value)| !value.is_empty());
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain(added)).finish();
        self.send(request("POST", path, &[("content-type", "application/x-www-form-urlencoded")], body))
    }

    /// Sends a message of the legacy era to `/mcp`.
    pub fn call(&self, access_token: &str, method: &str, params: Value) -> Response<Bytes> {
        self.call_in("2025-11-25", access_token, method, params)
    }

    /// Sends a message as a client of that revision that can ask its person.
    pub fn call_in(&self, revision: &str, access_token: &str, method: &str, mut params: Value) -> Response<Bytes> {
        let authorization = format!("Bearer {access_token}");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("mcp-protocol-version", revision),
        ];
        let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default().to_owned();
        if revision == NEWEST_VERSION {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
            });
            headers.push(("mcp-method", method));
            headers.extend((!name.is_empty()).then_some(("mcp-name", name.as_str())));
        }
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        self.send(request("POST", "/mcp", &headers, body))
    }

    /// The status of a harmless call: whether the token works.
    pub fn ping(&self, access_token: &str) -> u16 {
        self.call(access_token, "ping", json!({})).status().as_u16()
    }

    /// Calls a tool; its result.
    pub fn call_tool(&self, access_token: &str, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        json(&self.call(access_token, "tools/call", params))["result"].clone()
    }

    /// Returns the number of writes that reached StatiBeat since its calls were last taken. Dry runs are no writes.
    pub fn take_posts(&self) -> usize {
        let calls = self.upstream.take_calls();
        calls.iter().filter(|call| call.starts_with("POST /api/v1/orgs") && !call.ends_with("?dry_run=true")).count()
    }

    /// Reads a resource; its body.
    pub fn read(&self, access_token: &str, uri: &str) -> Value {
        let answer = json(&self.call(access_token, "resources/read", json!({"uri": uri})));
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str(text).expect("JSON")
    }
}

/// The pair in a token answer.
pub fn tokens(answer: &Response<Bytes>) -> Tokens {
    let body = json(answer);
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token"), scope: text("scope") }
}

/// The error code of a token answer, with its status.
pub fn token_error(answer: &Response<Bytes>) -> (u16, String) {
    (answer.status().as_u16(), json(answer)["error"].as_str().unwrap_or_default().to_owned())
}
