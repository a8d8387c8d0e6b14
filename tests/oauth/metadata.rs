//! Discovery: RFC 8414, RFC 9728; which routes exist and who may call them.

use crate::support::surface::{EVERYTHING, READS};
use crate::support::{PUBLIC_URL, RESOURCE, TestApp, header, json, request};
use serde_json::json;

const SERVER: &str = "/.well-known/oauth-authorization-server";

/// D1
#[test]
fn authorization_server_metadata_answers_get_and_head_and_nothing_else() {
    let app = TestApp::new();
    let get = app.get(SERVER);
    assert_eq!((get.status().as_u16(), header(&get, "content-type")), (200, "application/json"));
    let head = app.send(request("HEAD", SERVER, &[], ""));
    assert_eq!((head.status().as_u16(), head.body().len()), (200, 0));
    let post = app.send(request("POST", SERVER, &[], ""));
    assert_eq!((post.status().as_u16(), header(&post, "allow")), (405, "GET, HEAD, OPTIONS"));
}

/// D2, D3, D4
#[test]
fn authorization_server_metadata_is_complete_and_promises_nothing_more() {
    let metadata = json(&TestApp::new().get(SERVER));
    assert_eq!(
        metadata,
        json!({
            "issuer": PUBLIC_URL,
            "authorization_endpoint": "https://mcp.example/mcp/oauth/authorize",
            "token_endpoint": "https://mcp.example/mcp/oauth/token",
            "revocation_endpoint": "https://mcp.example/mcp/oauth/revoke",
            "registration_endpoint": "https://mcp.example/mcp/oauth/register",
            "scopes_supported": EVERYTHING.split_whitespace().collect::<Vec<_>>(),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "client_id_metadata_document_supported": true,
            "protected_resources": [RESOURCE],
        })
    );
}

/// D3
#[test]
fn the_registration_endpoint_is_published_only_while_it_is_on() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_REGISTRATION").then_some("off"));
    assert!(json(&app.get(SERVER)).get("registration_endpoint").is_none());
    assert_eq!(app.send(request("POST", "/mcp/oauth/register", &[], "{}")).status(), 404);
}

/// D7
#[test]
fn protected_resource_metadata_is_served_at_both_paths_and_lists_read_scopes() {
    let app = TestApp::new();
    let expected = json!({
        "resource": RESOURCE,
        "authorization_servers": [PUBLIC_URL],
        "bearer_methods_supported": ["header"],
        "scopes_supported": READS,
        "resource_name": "StatiBeat",
    });
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        assert_eq!(json(&app.get(path)), expected, "{path}");
    }
}

/// D5
#[test]
fn there_is_no_openid_configuration() {
    let app = TestApp::new();
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/mcp",
    ] {
        assert_eq!(app.get(path).status(), 404, "{path}");
    }
}

#[test]
fn unsupported_endpoint_gets_404() {
    let app = TestApp::new();
    for name in ["introspect", "introspection", "par", "userinfo", "device_authorization", "jwks"] {
        for method in ["GET", "POST"] {
            assert_eq!(
                app.send(request(method, &format!("/mcp/oauth/{name}"), &[], "")).status(),
                404,
                "{method} {name}"
            );
        }
    }
}

/// D8
#[test]
fn another_host_header_changes_no_address() {
    let app = TestApp::new();
    for path in [SERVER, "/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        for name in ["host", "x-forwarded-host"] {
            let asked = app.send(request("GET", path, &[(name, "evil.example")], ""));
            assert_eq!(json(&asked), json(&app.get(path)), "{path}");
        }
    }
    let challenged = app.send(request("POST", "/mcp", &[("host", "evil.example")], "{}"));
    assert!(header(&challenged, "www-authenticate").contains("https://mcp.example/"));
}

/// D9
#[test]
fn a_switched_off_connector_answers_404_everywhere() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_ENABLED").then_some("false"));
    for (method, path) in [
        ("GET", SERVER),
        ("GET", "/.well-known/oauth-protected-resource/mcp"),
        ("GET", "/.well-known/oauth-protected-resource"),
        ("GET", "/.well-known/hosted-mcp-jwks.json"),
        ("GET", "/mcp/oauth/authorize"),
        ("GET", "/mcp/oauth/callback"),
        ("POST", "/mcp/oauth/consent"),
        ("POST", "/mcp/oauth/token"),
        ("OPTIONS", "/mcp/oauth/token"),
        ("POST", "/mcp/oauth/revoke"),
        ("POST", "/mcp/oauth/register"),
        ("POST", "/mcp"),
        ("GET", "/mcp"),
        ("OPTIONS", "/mcp"),
    ] {
        assert_eq!(app.send(request(method, path, &[], "")).status(), 404, "{method} {path}");
    }
}

/// D10, A29, V8
#[test]
fn programs_may_call_from_any_origin_and_pages_may_not() {
    let app = TestApp::new();
    for path in [
        SERVER,
        "/.well-known/oauth-protected-resource",
        "/mcp/oauth/token",
        "/mcp/oauth/revoke",
        "/mcp/oauth/register",
        "/mcp",
    ] {
        let preflight = app.send(request("OPTIONS", path, &[("origin", "https://web.example")], ""));
        assert_eq!(
            (preflight.status().as_u16(), header(&preflight, "access-control-allow-origin")),
            (204, "*"),
            "{path}"
        );
        let allowed = header(&preflight, "access-control-allow-headers").to_ascii_lowercase();
        for name in ["authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"] {
            assert!(allowed.contains(name), "{path} lets no one send {name}");
        }
    }
    for path in ["/mcp/oauth/token", "/mcp/oauth/revoke", "/mcp/oauth/register"] {
        let answer = app.send(request("POST", path, &[("origin", "https://web.example")], ""));
        assert_eq!((answer.status().as_u16(), header(&answer, "access-control-allow-origin")), (400, "*"), "{path}");
        assert!(answer.headers().get("www-authenticate").is_none(), "{path}");
    }
    for path in ["/mcp/oauth/authorize", "/mcp/oauth/callback", "/mcp/oauth/consent"] {
        let page = app.send(request("GET", path, &[("origin", "https://web.example")], ""));
        assert!(page.headers().keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}");
        assert!(page.headers().get("www-authenticate").is_none(), "{path}");
        assert_eq!(app.send(request("OPTIONS", path, &[], "")).status(), 405, "{path}");
    }
}

#[test]
fn the_published_assertion_keys_are_public_ones() {
    let keys = json(&TestApp::new().get("/.well-known/hosted-mcp-jwks.json"));
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["kid"]), (&json!("OKP"), &json!("Ed25519"), &json!("assertion")));
    assert!(key.get("d").is_none(), "no private part");
}
