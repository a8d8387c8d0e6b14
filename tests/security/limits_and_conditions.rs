//! Limits to the last character, conditions one by one, and the words that only people read: what whole stories pass over.

use crate::support::flow::{tokens, user};
use crate::support::{TestApp, json as json_of, request};
use serde_json::{Value, json};
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::oauth::authorize;
use statibeat_mcp::oauth::client::allowed::AllowedRedirects;
use statibeat_mcp::oauth::client::redirect::RedirectUri;
use statibeat_mcp::oauth::client::redirect_fault::RedirectFault;
use statibeat_mcp::oauth::client::registration::{self, RegisteredClient};
use statibeat_mcp::oauth::client::{ClientId, Clients, ResolvedClient};
use statibeat_mcp::oauth::error::{DirectError, RedirectError, RegistrationError};
use statibeat_mcp::oauth::parameters::Parameters;
use statibeat_mcp::oauth::secret::{AccessToken, AuthorizationCode, RefreshToken};
use statibeat_mcp::oauth::token::{CodeRequest, RefreshRequest};
use url::Url;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn ring() -> KeyRing {
    KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring")
}

fn validate_query(rest: &str) -> Result<(), RedirectError> {
    let query = format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256&{rest}");
    let resource = Url::parse("https://mcp.example/mcp").expect("a URL");
    let parameters = Parameters::parse(query.as_bytes()).expect("well formed");
    authorize::validate(&parameters, &resource).map(drop)
}

/// A12, A24
#[test]
fn a_state_of_2048_bytes_and_twenty_scope_names_are_the_most() {
    let scopes = |count: usize| validate_query(&format!("scope={}", vec!["mcp.pages.read"; count].join("+")));
    assert_eq!((scopes(20), scopes(21)), (Ok(()), Err(RedirectError::Scope)));
    let state = |length: usize| validate_query(&format!("state={}", "s".repeat(length)));
    assert_eq!((state(2048), state(2049)), (Ok(()), Err(RedirectError::StateTooLong)));
}

#[test]
fn a_client_id_has_1_to_512_printable_ascii_characters() {
    let fits = |text: &str| ClientId::parse(text).is_some();
    assert!(fits("a") && fits(&"a".repeat(512)) && fits("~!"));
    assert!(!fits("") && !fits(&"a".repeat(513)) && !fits("a\u{7f}") && !fits("a\u{1f}") && !fits("é"));
    assert!(!fits(" ~") && !fits("~ ") && !fits(" "));
    assert_eq!(ClientId::parse("my tool").expect("fits").to_string(), "my tool");
}

#[test]
fn a_redirect_uri_has_at_most_2048_bytes_and_shows_as_it_was_sent() {
    let uri = |length: usize| RedirectUri::parse(&format!("{:p<length$}", "http://localhost/"));
    assert!(uri(2048).is_some() && uri(2049).is_none());
    assert_eq!(uri(20).expect("fits").to_string(), "http://localhost/ppp");
}

#[test]
fn a_redirect_uri_with_a_user_or_just_a_password_is_refused() {
    for text in ["https://user@acme.example/", "https://:secret@acme.example/", "https://user:secret@acme.example/"] {
        assert!(RedirectUri::parse(text).is_none(), "{text}");
    }
}

#[test]
fn bytes_that_not_every_parser_reads_alike_are_refused_in_path_and_query() {
    for bad in ["\\", "\"", "<", ">", "^", "`", "{", "|", "}", " ", "\t", "\u{7f}", "é"] {
        for text in [format!("https://acme.example/{bad}"), format!("https://acme.example/?a={bad}")] {
            assert!(RedirectUri::parse(&text).is_none(), "{text}");
        }
    }
}

#[test]
fn a_percent_encoded_host_is_refused() {
    for text in ["http://A%AD/", "https://A%C3%A9.example/", "http://%6cocalhost/", "http://localhost%2e/"] {
        assert!(RedirectUri::parse(text).is_none(), "{text}");
    }
}

#[test]
fn each_parameter_of_an_answer_is_noticed_in_a_redirect_uri() {
    let has_one =
        |query: &str| RedirectUri::parse(&format!("http://localhost/?{query}")).expect("fits").has_answer_parameter();
    for name in ["code", "state", "iss", "error"] {
        assert!(has_one(&format!("a=1&{name}=x")), "{name}");
    }
    assert!(!has_one("codes=1"));
}

fn resolved(list: &str, client_id: &str, redirect_uri: &str) -> Result<ResolvedClient, DirectError> {
    let (allowed, _) = AllowedRedirects::parse(list);
    Clients { allowed: &allowed, registrations: &ring(), accepts_unverified: true }.resolve(client_id, redirect_uri)
}

#[test]
fn a_loopback_redirect_uri_with_a_parameter_of_the_answer_is_refused() {
    let refused = resolved("", "tool", "http://localhost/cb?code=1").expect_err("refused");
    assert_eq!(refused, DirectError::RedirectUri(RedirectFault::AnswerParameter));
}

#[test]
fn only_a_listed_https_client_id_is_shown_as_its_host() {
    let name = |id: &str, uri: &str| resolved(&format!("{id}={uri}"), id, uri).expect("a client").name;
    assert_eq!(name("https://acme.example/meta", "https://acme.example/cb"), "acme.example");
    assert_eq!(name("http://acme.example/meta", "https://acme.example/cb"), "http://acme.example/meta");
    let unlisted = resolved("", "https://acme.example/meta", "http://localhost/cb").expect("a client");
    assert_eq!(unlisted.name, "https://acme.example/meta");
}

#[test]
fn only_a_listed_web_origin_may_call_from_a_browser() {
    let (allowed, bad) = AllowedRedirects::parse("a=https://acme.example/cb b=http://localhost:9/cb");
    assert!(bad.is_empty() && allowed.has_origin("https://acme.example"));
    for origin in ["http://localhost:9", "https://other.example", "https://acme.example:8443", ""] {
        assert!(!allowed.has_origin(origin), "{origin}");
    }
}

#[test]
fn broken_encodings_are_found_in_names_and_values_and_at_each_digit() {
    for bad in ["%ff=a", "a=%ff", "%g0=a", "%0g=a", "a=1%", "a=1%2", "a=%2g%20", "a=%g2%20"] {
        assert!(Parameters::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    assert!(Parameters::parse(b"%41=%42&a=%20").is_ok());
}

fn registered(body: &Value) -> Result<Value, RegistrationError> {
    registration::register(body.to_string().as_bytes(), &ring(), 1)
}

/// G4
#[test]
fn a_registration_may_go_to_each_of_its_limits() {
    let longest = format!("{:p<2048}", "http://localhost/");
    let fits = registered(&json!({"redirect_uris": vec![longest; 10], "client_name": "n".repeat(200)}));
    assert_eq!(fits.expect("accepted")["redirect_uris"].as_array().map(Vec::len), Some(10));
    let long_name = registered(&json!({"redirect_uris": ["http://localhost/"], "client_name": "n".repeat(201)}));
    assert_eq!(long_name, Err(RegistrationError::ClientName));
}

#[test]
fn a_registered_uri_with_a_parameter_of_the_answer_is_dropped() {
    let answer = registered(&json!({"redirect_uris": ["http://localhost/?state=1", "http://localhost/cb"]}));
    assert_eq!(answer.expect("accepted")["redirect_uris"], json!(["http://localhost/cb"]));
}

#[test]
fn a_dangerous_scheme_hides_behind_neither_blanks_nor_control_characters() {
    for uri in ["\u{1}javascript:1", "\u{a0}javascript:1", "java\u{0}script:1", "JAVASCRIPT:1", "data:,", "vbscript:1"]
    {
        let refused = registered(&json!({"redirect_uris": [uri, "http://localhost/"]}));
        assert_eq!(refused, Err(RegistrationError::DangerousScheme), "{uri:?}");
    }
}

#[test]
fn a_registered_name_keeps_60_bytes_and_no_half_characters() {
    let kept = |name: &str| {
        let answer =
            registered(&json!({"redirect_uris": ["http://localhost/"], "client_name": name})).expect("accepted");
        let id = ClientId::parse(answer["client_id"].as_str().expect("text")).expect("fits");
        RegisteredClient::parse(&id, &ring()).expect("ours").name
    };
    assert_eq!(kept(&"n".repeat(61)), "n".repeat(60));
    assert_eq!(kept(&"é".repeat(31)), "é".repeat(30));
    assert_eq!(kept(&format!("{}é", "n".repeat(59))), "n".repeat(59));
    assert_eq!(kept("a\tb\u{200b}c"), "a bc");
}

/// T3
#[test]
fn a_token_request_may_have_exactly_16_kilobytes() {
    let app = TestApp::new();
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let described = |length: usize| {
        let body = format!("grant_type=x&x={}", "a".repeat(length - 15));
        json_of(&app.send(request("POST", "/mcp/oauth/token", &form, body)))["error"].clone()
    };
    assert_eq!((described(16_384), described(16_385)), (json!("unsupported_grant_type"), json!("invalid_request")));
}

#[test]
fn offline_access_in_a_refresh_means_nothing() {
    let app = TestApp::new();
    let scope = "mcp.pages.read mcp.incidents.read";
    let mut pair = app.connect(user::MARA_ADMIN, scope);
    for (sent, given) in [("offline_access", scope), ("mcp.pages.read offline_access", "mcp.pages.read"), ("", scope)] {
        pair = tokens(&app.refresh(&pair.refresh, &[("scope", sent)]));
        assert_eq!(pair.scope, given, "{sent}");
    }
}

#[test]
fn request_log_contains_the_client_and_no_secret() {
    let client_id = || ClientId::parse("tool").expect("fits");
    let code = AuthorizationCode::issue(&[1; 32], &ring());
    let token = RefreshToken::issue(&[1; 32], &ring());
    let code_request = CodeRequest {
        client_id: client_id(),
        code,
        redirect_uri: None,
        verifier: None,
        resource: String::new(),
        has_explicit_resource: true,
    };
    let refresh_request = RefreshRequest {
        client_id: client_id(),
        token,
        scopes: None,
        resource: String::new(),
        has_explicit_resource: true,
    };
    assert_eq!(format!("{code_request:?} {refresh_request:?}"), "CodeRequest(tool) RefreshRequest(tool)");
}

/// Constant lengths are part of what secret scanners look for.
#[test]
fn a_secret_has_its_prefix_43_characters_and_a_tag_of_11() {
    let text = AccessToken::issue(&[1; 32], &ring()).expose().to_owned();
    let (body, tag) = text.strip_prefix("sbmcp_at_").and_then(|rest| rest.split_once('.')).expect("two parts");
    assert_eq!((body.len(), tag.len()), (43, 11));
}
