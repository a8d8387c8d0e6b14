//! Plays one client from the first request without a token to the refusal after its connection is ended.

use super::table::{self, RealClient, ScopeSource, Step};
use crate::support::browser::{Browser, parameter};
use crate::support::flow::{Tokens, VERIFIER, token_error, tokens, user};
use crate::support::{PUBLIC_URL, RESOURCE, TestApp, header, json, request};
use serde_json::{Value, json};
use statibeat_mcp::oauth::pkce::CodeVerifier;
use std::collections::BTreeSet;
use std::time::Duration;

/// The operator's list, as in every environment of `wrangler.toml`.
const LIST: &str = "known-clients";
const WRITE: &str = "mcp.incidents.write";
const NEWEST_VERSION: &str = "2026-07-28";

/// The metadata that a client has read before it opens the browser.
struct Found {
    issuer: String,
    resource: String,
    challenge_scope: String,
    resource_scopes: String,
    server_scopes: String,
    authorize: String,
    token: String,
    register: String,
}

struct Player<'a> {
    app: &'a TestApp,
    client: &'a RealClient,
    found: &'a Found,
    client_id: String,
}

/// The whole story, once for each place where the client wants its answer.
pub fn replay(name: &str) {
    let client = table::find(name);
    let app = TestApp::with(|name| (name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").then_some(LIST));
    app.address.set(Some(client.address.clone().leak()));
    let found = discover(&app, &client);
    let client_id = client.client_id.clone().unwrap_or_else(|| register(&app, &client, &found));
    let player = Player { app: &app, client: &client, found: &found, client_id };
    for redirect_uri in &client.refused_at {
        player.is_refused(redirect_uri);
    }
    for redirect_uri in &client.works_at {
        let scope = player.first_scope();
        let first = player.connect(redirect_uri, scope);
        player.start_up(&first);
        let current = player.refresh(&first);
        if client.steps_up {
            player.step_up(redirect_uri, &current);
        }
        player.end(&current);
        // The next place is a first connection again: an earlier live grant would change the proposed choices.
        app.db.execute("UPDATE grants SET revoked_at = created_at WHERE revoked_at IS NULL");
    }
}

/// Looks around in the client's own order.
fn discover(app: &TestApp, client: &RealClient) -> Found {
    let (mut challenge, mut resource, mut server) = (String::new(), Value::Null, Value::Null);
    for (method, path, status) in &client.discovery {
        let mut headers = vec![("accept", "application/json, text/event-stream"), ("content-type", "application/json")];
        headers.extend(client.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let body = if method == "POST" { client.first_message().to_string() } else { String::new() };
        let answer = app.send(request(method, path, &headers, body));
        assert_eq!(answer.status().as_u16(), *status, "{method} {path}");
        match (path.as_str(), *status) {
            ("/mcp", 401) => header(&answer, "www-authenticate").clone_into(&mut challenge),
            (path, 200) if path.contains("protected-resource") => resource = json(&answer),
            (_, 200) => server = json(&answer),
            _ => {}
        }
    }
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {server}")).to_owned();
    let names = |value: &Value| {
        let names = value["scopes_supported"].as_array().expect("scopes");
        names.iter().map(text).collect::<Vec<_>>().join(" ")
    };
    let found = Found {
        issuer: text(&server["issuer"]),
        resource: text(&resource["resource"]),
        challenge_scope: quoted(&challenge, "scope"),
        resource_scopes: names(&resource),
        server_scopes: names(&server),
        authorize: text(&server["authorization_endpoint"]),
        token: text(&server["token_endpoint"]),
        register: text(&server["registration_endpoint"]),
    };
    // What clients insist on before they go on.
    assert_eq!(
        quoted(&challenge, "resource_metadata"),
        format!("{PUBLIC_URL}/.well-known/oauth-protected-resource/mcp")
    );
    assert_eq!((found.resource.as_str(), &resource["authorization_servers"]), (RESOURCE, &json!([found.issuer])));
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(server["client_id_metadata_document_supported"], true);
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    found
}

/// Registers and keeps the id.
fn register(app: &TestApp, client: &RealClient, found: &Found) -> String {
    let body = client.registration.as_ref().expect("a client without an id registers").to_string();
    let answer = app.send(request("POST", &found.register, &[("content-type", "application/json")], body));
    assert_eq!(answer.status(), 201, "{:?}", answer.body());
    let body = json(&answer);
    assert_eq!(body["redirect_uris"], json!(client.registered));
    assert_eq!((&body["token_endpoint_auth_method"], body.get("client_secret")), (&json!("none"), None));
    body["client_id"].as_str().expect("an id").to_owned()
}

impl Player<'_> {
    fn first_scope(&self) -> Option<&str> {
        match self.client.scope_from {
            ScopeSource::Challenge => Some(&self.found.challenge_scope),
            ScopeSource::ResourceMetadata => Some(&self.found.resource_scopes),
            ScopeSource::ServerMetadata => Some(&self.found.server_scopes),
            ScopeSource::Nowhere => None,
        }
    }

    /// Where the client sends its person's browser.
    fn authorize_url(&self, redirect_uri: &str, scope: Option<&str>) -> String {
        let challenge = CodeVerifier::parse(VERIFIER).expect("fits").challenge();
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", redirect_uri),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("state", "a state/of its own+=&"),
        ]);
        query.extend_pairs(scope.map(|scope| ("scope", scope)));
        query.extend_pairs(self.resource(Step::Authorize));
        query.extend_pairs(&self.client.authorize);
        format!("{}?{}", self.found.authorize, query.finish())
    }

    fn resource(&self, step: Step) -> Option<(&'static str, &str)> {
        self.client.has_explicit_resource.contains(&step).then_some(("resource", self.found.resource.as_str()))
    }

    fn is_refused(&self, redirect_uri: &str) {
        let before = self.app.db.dump();
        let answer = self.app.get(&self.authorize_url(redirect_uri, None));
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (400, ""), "{redirect_uri}");
        assert_eq!(self.app.db.dump(), before, "{redirect_uri}");
    }

    /// Sign-in, consent with every box ticked that was asked for, code, tokens.
    fn connect(&self, redirect_uri: &str, scope: Option<&str>) -> Tokens {
        let browser = Browser::new(self.app);
        let consent = browser.sign_in(&self.authorize_url(redirect_uri, scope), user::MARA_ADMIN);
        for text in [&self.client.shown_as, &self.client.trust_label] {
            assert!(consent.body.contains(text), "no {text:?} in {}", consent.body);
        }
        // Posting is ticked for no client that nobody vouches for: the person does it.
        let asked = scope.unwrap_or(&self.found.resource_scopes);
        let named: Vec<String> = words(asked).into_iter().map(str::to_owned).collect();
        let back = browser.answer_with(&consent, "approve", &named).leaves_for();
        let one = |name| parameter(&back, name).unwrap_or_else(|| panic!("no {name} in {back}"));
        assert!(back.as_str().starts_with(redirect_uri), "{back}");
        assert_eq!((one("state").as_str(), one("iss")), ("a state/of its own+=&", self.found.issuer.clone()));
        let mut form = vec![("grant_type", "authorization_code".to_owned()), ("code", one("code"))];
        form.extend([("redirect_uri", redirect_uri.to_owned()), ("code_verifier", VERIFIER.to_owned())]);
        let answer = self.ask_for_tokens(form, Step::Token);
        assert_eq!(answer.status(), 200, "{:?}", answer.body());
        assert_eq!((&json(&answer)["token_type"], &json(&answer)["expires_in"]), (&json!("Bearer"), &json!(3600)));
        let granted = tokens(&answer);
        assert_eq!(words(&granted.scope), words(asked), "every box that was asked for can be ticked");
        granted
    }

    fn ask_for_tokens(&self, mut form: Vec<(&str, String)>, step: Step) -> http::Response<bytes::Bytes> {
        form.push(("client_id", self.client_id.clone()));
        form.extend(self.resource(step).map(|(name, value)| (name, value.to_owned())));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")];
        self.app.send(request("POST", &self.found.token, &headers, body))
    }

    fn start_up(&self, pair: &Tokens) {
        for (method, status) in &self.client.start_up {
            let answer = self.send(&pair.access, &self.client.message(method));
            assert_eq!(answer.status().as_u16(), *status, "{method}: {:?}", answer.body());
        }
    }

    fn send(&self, access_token: &str, message: &Value) -> http::Response<bytes::Bytes> {
        let authorization = format!("Bearer {access_token}");
        let method = message["method"].as_str().expect("a method");
        let mut headers = vec![
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", self.client.speaks.as_str()),
        ];
        if self.client.speaks == NEWEST_VERSION {
            headers.push(("mcp-method", method));
            headers.extend(message["params"]["name"].as_str().map(|name| ("mcp-name", name)));
        }
        self.app.send(request("POST", "/mcp", &headers, message.to_string()))
    }

    /// As often at once as the client has processes; each of them then has the same successor.
    fn refresh(&self, first: &Tokens) -> Tokens {
        let habit = &self.client.refresh;
        self.app.advance(Duration::from_secs(habit.after_seconds));
        let ask = || {
            let mut form = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", first.refresh.clone())];
            form.extend(habit.sends_scope.then(|| ("scope", first.scope.clone())));
            let answer = self.ask_for_tokens(form, Step::Refresh);
            assert_eq!(answer.status(), 200, "{:?}", answer.body());
            tokens(&answer)
        };
        let pairs: Vec<Tokens> = (0..habit.at_once).map(|_| ask()).collect();
        for pair in &pairs {
            assert_eq!((&pair.refresh, &pair.scope), (&pairs[0].refresh, &first.scope));
            assert_ne!(pair.refresh, first.refresh, "a new one, for a client that would keep an old one");
            assert_eq!(self.send(&pair.access, &self.client.message("tools/list")).status(), 200);
        }
        pairs[0].clone()
    }

    /// A refused write names all that the next authorization needs; what was connected before goes on.
    fn step_up(&self, redirect_uri: &str, current: &Tokens) {
        let mut call = self.client.message("tools/call");
        call["params"]["name"] = json!("create_incident");
        call["params"]["arguments"] = json!({"page_id": 42, "title": "Checkout is slow", "description": "Since 9:00."});
        let refused = self.send(&current.access, &call);
        assert_eq!(refused.status(), 403);
        let needed = quoted(header(&refused, "www-authenticate"), "scope");
        assert_eq!(words(&needed), words(&format!("{} {WRITE}", current.scope)));
        let wider = self.connect(redirect_uri, Some(&needed));
        assert_ne!(self.send(&wider.access, &call).status(), 403);
        assert_eq!(self.send(&current.access, &self.client.message("tools/list")).status(), 200);
    }

    fn end(&self, current: &Tokens) {
        assert_eq!(self.app.revoke(&current.refresh, &[("client_id", &self.client_id)]).status(), 200);
        assert_eq!(self.send(&current.access, &self.client.message("tools/list")).status(), 401);
        let form = vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", current.refresh.clone())];
        assert_eq!(token_error(&self.ask_for_tokens(form, Step::Refresh)), (400, "invalid_grant".into()));
    }
}

impl RealClient {
    /// Requests that the client sends before it has a token.
    fn first_message(&self) -> Value {
        self.message(&self.start_up[0].0)
    }

    /// A message in the protocol version of the client.
    fn message(&self, method: &str) -> Value {
        let mut params = match method {
            "initialize" => {
                json!({"protocolVersion": self.speaks, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}})
            }
            "resources/subscribe" => json!({"uri": "statibeat://pages"}),
            _ => json!({}),
        };
        if self.speaks == NEWEST_VERSION {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.speaks,
                "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        if method.starts_with("notifications/") {
            return json!({"jsonrpc": "2.0", "method": method});
        }
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    }
}

/// A quoted parameter of a challenge.
fn quoted(challenge: &str, name: &str) -> String {
    let parts = challenge.split_once(&format!("{name}=\""));
    parts.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default().to_owned()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(' ').filter(|word| !word.is_empty()).collect()
}
