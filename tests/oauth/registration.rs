//! Dynamic client registration: RFC 7591, stateless, loopback only.

use crate::support::browser::Browser;
use crate::support::flow::{authorize_url, user};
use crate::support::{TestApp, header, json, request};
use http::Response;
use serde_json::{Value, json};
use std::time::Duration;

fn register(app: &TestApp, body: &Value) -> Response<bytes::Bytes> {
    app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], body.to_string()))
}

/// G1, G2, G5, G6, G8
#[test]
fn usable_redirect_uris_are_registered_and_others_are_omitted() {
    let app = TestApp::new();
    let answer = register(
        &app,
        &json!({
            "client_name": "Cursor",
            "redirect_uris": [
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "https://www.cursor.com/agents/mcp/oauth/callback",
                "http://localhost:8787/callback"
            ],
            "token_endpoint_auth_method": "client_secret_basic",
            "logo_uri": "https://evil.example/x.png",
            "software_statement": "x.y.z",
            "jwks": {"keys": "none"},
            "scope": "claudeai",
        }),
    );
    let body = json(&answer);
    assert_eq!((answer.status().as_u16(), header(&answer, "cache-control")), (201, "no-store"));
    assert!(body["client_id"].is_string() && body["client_id_issued_at"].is_number());
    assert_eq!(body["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(body["response_types"], json!(["code"]));
    assert_eq!(body["redirect_uris"], json!(["http://localhost:8787/callback"]));
    assert_eq!(body["token_endpoint_auth_method"], "none");
    for absent in [
        "client_secret",
        "client_secret_expires_at",
        "registration_client_uri",
        "registration_access_token",
        "logo_uri",
        "software_statement",
        "jwks",
    ] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

/// A10
#[test]
fn registered_localhost_includes_its_addresses_and_an_address_does_not_include_localhost() {
    let app = TestApp::new();
    let sign_in = |registered: &str, used: &str| {
        let id =
            json(&register(&app, &json!({"client_name": "Claude Code", "redirect_uris": [registered]})))["client_id"]
                .as_str()
                .expect("an id")
                .to_owned();
        app.get(&authorize_url(&[("client_id", &id), ("redirect_uri", used)])).status().as_u16()
    };
    for used in ["http://localhost:50001/callback", "http://127.0.0.1:50001/callback", "http://[::1]:50001/callback"] {
        assert_eq!(sign_in("http://localhost:3118/callback", used), 302, "{used}");
    }
    assert_eq!(sign_in("http://localhost:3118/callback", "http://127.0.0.2:3118/callback"), 400);
    assert_eq!(sign_in("http://127.0.0.1:3118/callback", "http://localhost:3118/callback"), 400);
    let id = json(&register(&app, &json!({"redirect_uris": ["http://127.0.0.1:3118/callback"]})))["client_id"].clone();
    let id = id.as_str().expect("an id");
    let url = authorize_url(&[("client_id", id), ("redirect_uri", "http://localhost:3118/callback")]);
    let page = String::from_utf8_lossy(app.get(&url).body()).into_owned();
    assert!(page.contains("Remove StatiBeat in the app and add it again"), "{page}");
}

/// G3
#[test]
fn invisible_client_name_is_refused() {
    let app = TestApp::new();
    for name in ["\u{3164}", "\u{2800}\u{2800}", "\u{200b}", " ", "\u{e0041}\u{e0042}", "\u{ad}\u{2060}", "\u{301}"] {
        let answer = register(&app, &json!({"redirect_uris": ["http://localhost/"], "client_name": name}));
        assert_eq!((answer.status().as_u16(), json(&answer)["error"].as_str()), (400, Some("invalid_client_metadata")));
        let says = json(&answer)["error_description"].as_str().unwrap_or_default().to_owned();
        assert!(says.contains("client_name"), "{name:?}: {says}");
    }
    let answer =
        register(&app, &json!({"redirect_uris": ["http://localhost/"], "client_name": "Cur\u{202e}sor\n\u{e0041}"}));
    assert_eq!(json(&answer)["client_name"], "Cursor");
}

/// G3, G4, G7
#[test]
fn invalid_registration_gets_a_json_error() {
    let app = TestApp::new();
    for (body, code) in [
        (json!({"redirect_uris": []}), "invalid_redirect_uri"),
        (json!({}), "invalid_redirect_uri"),
        (json!({"redirect_uris": vec!["http://localhost/"; 11]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [format!("http://localhost/{}", "x".repeat(2048))]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://localhost/", "DATA:text/html,x"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://localhost/"], "client_name": 7}), "invalid_client_metadata"),
        (
            json!({"redirect_uris": ["http://localhost/"], "grant_types": ["client_credentials"]}),
            "invalid_client_metadata",
        ),
        (json!({"redirect_uris": ["https://acme.example/cb"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["javascript:alert(1)", "http://localhost/"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": "http://localhost/"}), "invalid_redirect_uri"),
        (json!({"redirect_uris": {"0": "http://localhost/"}}), "invalid_redirect_uri"),
        (json!({"redirect_uris": [7]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": null}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://localhost/"], "client_name": "x".repeat(201)}), "invalid_client_metadata"),
        (json!("text"), "invalid_client_metadata"),
        (
            json!({"redirect_uris": ["http://localhost/"], "client_name": "x".repeat(16 * 1024)}),
            "invalid_client_metadata",
        ),
    ] {
        let answer = register(&app, &body);
        assert_eq!((answer.status().as_u16(), json(&answer)["error"].as_str()), (400, Some(code)), "{body}");
        assert_eq!(header(&answer, "cache-control"), "no-store");
    }
    for text in ["", "redirect_uris=http%3A%2F%2Flocalhost%2F", r#"{"redirect_uris":["http://localhost/"]"#] {
        let answer = app.send(request("POST", "/mcp/oauth/register", &[("content-type", "application/json")], text));
        assert_eq!((answer.status().as_u16(), json(&answer)["error"].as_str()), (400, Some("invalid_client_metadata")));
    }
}

/// G9, A10
#[test]
fn a_registered_client_may_change_its_port_and_nothing_else() {
    let app = TestApp::new();
    let registered =
        json(&register(&app, &json!({"redirect_uris": ["http://localhost:3118/callback"], "client_name": "Tool"})));
    let id = registered["client_id"].as_str().expect("an id");
    let status = |id: &str, uri: &str| {
        let answer = app.get(&authorize_url(&[("client_id", id), ("redirect_uri", uri)]));
        assert_eq!(header(&answer, "location").is_empty(), answer.status() == 400, "{id} {uri}");
        answer.status().as_u16()
    };
    assert_eq!(status(id, "http://localhost:49152/callback"), 302);
    let before = app.db.dump();
    assert_eq!(status(id, "http://localhost:3118/other"), 400);
    assert_eq!(status(id, "http://127.0.0.2:3118/callback"), 400);
    assert_eq!(status(&format!("{id}x"), "http://localhost:3118/callback"), 400);
    assert_eq!(status(&format!("{id}{}", "x".repeat(512)), "http://localhost:3118/callback"), 400);
    assert_eq!(app.db.dump(), before);
}

/// G10, G13
#[test]
fn registration_stores_nothing_and_calls_nothing() {
    let app = TestApp::new();
    let (before, batches) = (app.db.dump(), app.db.batches.get());
    for count in 0..10_000 {
        if count % 20 == 0 {
            app.advance(Duration::from_hours(1));
        }
        let body = json!({"redirect_uris": [format!("http://localhost:{}/cb", 10_000 + count)]});
        assert_eq!(register(&app, &body).status(), 201);
    }
    assert_eq!((app.db.dump(), app.db.batches.get()), (before, batches));
    assert!(app.upstream.take_calls().is_empty());
}

#[test]
fn a_registered_client_connects_under_the_name_it_chose() {
    let app = TestApp::new();
    let registered = json(&register(
        &app,
        &json!({"redirect_uris": ["http://127.0.0.1:1/callback"], "client_name": "MCP Inspector"}),
    ));
    let id = registered["client_id"].as_str().expect("an id");
    let page = Browser::new(&app).sign_in(&authorize_url(&[("client_id", id)]), user::THEO_MANAGER).body;
    assert!(page.contains("Connect MCP Inspector to StatiBeat?") && page.contains("Unverified app"));
}

/// A client with optional fields writes `null` or an empty text for those it leaves out; Turnstone (1082) also sends `resource`, and
/// VS Code leaves the authentication method out.
#[test]
fn null_empty_and_unknown_metadata_are_ignored() {
    let app = TestApp::new();
    let body = json!({
        "client_name": "Quiet", "redirect_uris": ["http://127.0.0.1:33418"], "client_uri": "", "logo_uri": null,
        "scope": "", "contacts": null, "grant_types": null, "response_types": null,
        "token_endpoint_auth_method": null, "tos_uri": "", "resource": "https://mcp.example/mcp",
    });
    let answer = register(&app, &body);
    assert_eq!(answer.status(), 201, "{:?}", json(&answer));
    assert_eq!(json(&answer)["token_endpoint_auth_method"], "none");
}

#[test]
fn website_that_a_client_claims_when_it_registers_is_not_shown() {
    let app = TestApp::new();
    let claims = json!({
        "client_name": "Claude", "redirect_uris": ["http://127.0.0.1:1/callback"], "client_uri": "https://claude.ai/",
        "logo_uri": "https://claude.ai/logo.png", "policy_uri": "https://claude.ai/p", "tos_uri": "https://claude.ai/t",
    });
    let id = json(&register(&app, &claims))["client_id"].as_str().expect("an id").to_owned();
    let page = Browser::new(&app).sign_in(&authorize_url(&[("client_id", &id)]), user::MARA_ADMIN).body;
    assert!(page.contains("The app chose its name itself") && !page.contains("claude.ai"), "{page}");
}
