//! A look at a deployed server as a client has it: can somebody find their way from `/mcp` to a sign-in?

use super::network::{self, Ask};
use super::{key_rings, secrets};
use crate::project::Project;
use crate::wrangler_config::WranglerConfig;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clap::Args;
use http::{Request, Response};
use serde_json::Value;
use statibeat_mcp::oauth::client::allowed::AllowedRedirects;
use std::time::Duration;
use url::Url;

/// Attempts to reach a server that does not answer yet: a new host name takes a while to be known.
const ATTEMPTS: u32 = 12;
const PAUSE: Duration = Duration::from_secs(5);

const KEY_SET: &str = "/.well-known/hosted-mcp-jwks.json";

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Options {
    /// The environment whose address stands in wrangler.toml; `local` for `npm start`.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Origin of the server, instead of an environment.
    #[arg(long, value_parser = parse_origin)]
    url: Option<String>,
}

fn parse_origin(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
    url.map(|url| url.origin().ascii_serialization()).ok_or("it must be an origin, such as https://mcp.example.com")
}

/// A deployed server, and what is expected of it.
struct Target {
    url: String,
    is_on: bool,
    health_token: Option<String>,
    /// Clients that must get as far as the sign-in.
    listed: AllowedRedirects,
}

/// The entry of the list that every environment starts with.
const KNOWN_CLIENTS: &str = "known-clients";

/// Checks the server at an address, or that of an environment.
pub fn smoke(project: &Project, options: &Options) -> Result<()> {
    let Some(url) = &options.url else {
        return check_environment(project, options.env.as_deref().unwrap_or_default());
    };
    let (listed, _) = AllowedRedirects::parse(KNOWN_CLIENTS);
    check(&Target { url: url.clone(), is_on: true, health_token: std::env::var(key_rings::HEALTH_TOKEN).ok(), listed })
}

/// Checks the server of an environment.
pub fn check_environment(project: &Project, name: &str) -> Result<()> {
    let file = WranglerConfig::read(project)?;
    let environment = file.environment(name)?;
    let url = environment.variable("HOSTED_MCP_PUBLIC_URL").context("HOSTED_MCP_PUBLIC_URL is missing")?;
    let is_on = environment.variable("HOSTED_MCP_ENABLED").is_some_and(|value| value == "true");
    let health_token = std::env::var(key_rings::HEALTH_TOKEN).ok().or_else(|| secrets::health_token(project, name));
    let (listed, _) =
        AllowedRedirects::parse(&environment.variable("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS").unwrap_or_default());
    check(&Target { url, is_on, health_token, listed })
}

/// Returns the key set that an environment's worker publishes to StatiBeat, or why it cannot be had.
pub fn published_keys(project: &Project, name: &str) -> Result<Value, String> {
    let file = WranglerConfig::read(project).map_err(|error| format!("{error:#}"))?;
    let environment = file.environment(name).map_err(|error| format!("{error:#}"))?;
    let url = environment.variable("HOSTED_MCP_PUBLIC_URL").ok_or("HOSTED_MCP_PUBLIC_URL is missing")?;
    json(&network::ask(get(&url, KEY_SET))?)
}

/// Prints one line for each check; a failed one is an error.
fn check(target: &Target) -> Result<()> {
    let url = &target.url;
    wait_for(url)?;
    let findings = run_checks(&network::ask, target);
    let mut failed = 0;
    for (what, outcome) in &findings {
        match outcome {
            Ok(()) => println!("  ok      {what}"),
            Err(reason) => {
                failed += 1;
                println!("  FAILED  {what}: {reason}");
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} checks of {url} failed", findings.len());
    }
    println!("{url} works: {} checks", findings.len());
    Ok(())
}

fn wait_for(url: &str) -> Result<()> {
    let mut reason = String::new();
    for attempt in 1..=ATTEMPTS {
        match network::ask(get(url, "/mcp/health")) {
            Ok(_) => return Ok(()),
            Err(error) => reason = error,
        }
        if attempt < ATTEMPTS {
            std::thread::sleep(PAUSE);
        }
    }
    bail!("no answer: {reason}")
}

type Finding = (&'static str, Result<(), String>);

fn run_checks(ask: &Ask<'_>, target: &Target) -> Vec<Finding> {
    let url = target.url.as_str();
    if !target.is_on {
        let paths = ["/.well-known/oauth-authorization-server", "/mcp", "/mcp/health"];
        let all_absent = paths.iter().try_for_each(|path| {
            let status = ask(get(url, path))?.status().as_u16();
            expect("status", &status, &404)
        });
        return vec![("it is switched off: every route answers 404", all_absent)];
    }
    let mut findings = vec![
        ("authorization server metadata names this very issuer", authorization_server(ask, url)),
        ("protected resource metadata leads to it", protected_resource(ask, url)),
        ("a call without a token is told where to sign in", challenge(ask, url)),
        ("its keys are published to StatiBeat", keys(ask, url)),
        ("every listed client gets as far as the sign-in", listed_clients(ask, url, &target.listed)),
        ("the Hosted MCP page answers", page(ask, url)),
        ("it is alive", alive(ask, url)),
    ];
    if let Some(token) = &target.health_token {
        findings.push(("database, counters and StatiBeat answer", ready(ask, url, token)));
    }
    findings
}

fn authorization_server(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    let document = json(&ask(get(url, "/.well-known/oauth-authorization-server"))?)?;
    expect("issuer", &document["issuer"], &Value::from(url))?;
    for endpoint in ["authorization_endpoint", "token_endpoint", "revocation_endpoint"] {
        let address = document[endpoint].as_str().unwrap_or_default();
        if !address.starts_with(&format!("{url}/")) {
            return Err(format!("{endpoint} is {address:?}"));
        }
    }
    expect(
        "code_challenge_methods_supported",
        &document["code_challenge_methods_supported"],
        &serde_json::json!(["S256"]),
    )
}

fn protected_resource(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    let document = json(&ask(get(url, "/.well-known/oauth-protected-resource/mcp"))?)?;
    expect("resource", &document["resource"], &Value::from(format!("{url}/mcp")))?;
    expect("authorization_servers", &document["authorization_servers"], &serde_json::json!([url]))
}

fn challenge(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let request = Request::post(format!("{url}/mcp")).header("content-type", "application/json");
    let answer = ask(request.body(Bytes::from(body)).map_err(|error| error.to_string())?)?;
    expect("status", &answer.status().as_u16(), &401)?;
    let header = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let document = format!(r#"resource_metadata="{url}/.well-known/oauth-protected-resource/mcp""#);
    if header.contains(&document) { Ok(()) } else { Err(format!("WWW-Authenticate is {header:?}")) }
}

fn keys(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    let document = json(&ask(get(url, KEY_SET))?)?;
    if document["keys"].as_array().is_none_or(Vec::is_empty) { Err("there is no key".to_owned()) } else { Ok(()) }
}

/// Begins an authorization as each listed client would; nobody signs in.
fn listed_clients(ask: &Ask<'_>, url: &str, listed: &AllowedRedirects) -> Result<(), String> {
    listed.iter().try_for_each(|(client_id, redirect_uri)| {
        let (client_id, redirect_uri) = (client_id.as_str(), redirect_uri.as_str());
        let answer = ask(authorization_request(url, client_id, redirect_uri)?)?;
        let location =
            answer.headers().get(http::header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_sign_in = answer.status().is_redirection() && !location.starts_with(redirect_uri);
        let status = answer.status().as_u16();
        if is_sign_in {
            Ok(())
        } else {
            Err(format!("{client_id} at {redirect_uri} is refused: status {status}, {location}"))
        }
    })
}

fn authorization_request(url: &str, client_id: &str, redirect_uri: &str) -> Result<Request<Bytes>, String> {
    let mut address = Url::parse(&format!("{url}/mcp/oauth/authorize")).map_err(|error| error.to_string())?;
    address.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        // Of no verifier: no code is asked for.
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("state", "smoke"),
        ("resource", &format!("{url}/mcp")),
    ]);
    Request::get(address.as_str()).body(Bytes::new()).map_err(|error| error.to_string())
}

fn page(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    expect("status", &ask(get(url, "/mcp/admin"))?.status().as_u16(), &200)
}

fn alive(ask: &Ask<'_>, url: &str) -> Result<(), String> {
    expect("status", &json(&ask(get(url, "/mcp/health"))?)?["status"], &Value::from("alive"))
}

fn ready(ask: &Ask<'_>, url: &str, token: &str) -> Result<(), String> {
    let mut request = get(url, "/mcp/health");
    let token = token.try_into().map_err(|_| "the health token cannot stand in a header".to_owned())?;
    request.headers_mut().insert("x-health-token", token);
    request.headers_mut().insert(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-cache"));
    let answer = ask(request)?;
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    if answer.status() == 200 { Ok(()) } else { Err(format!("status {}: {body}", answer.status().as_u16())) }
}

fn get(url: &str, path: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = format!("{url}{path}").parse().unwrap_or_default();
    request
}

fn json(answer: &Response<Bytes>) -> Result<Value, String> {
    expect("status", &answer.status().as_u16(), &200)?;
    serde_json::from_slice(answer.body()).map_err(|error| format!("not JSON: {error}"))
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found:?} instead of {wanted:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const URL: &str = "https://mcp.example";

    fn target(is_on: bool, health_token: Option<&str>) -> Target {
        let (listed, _) = AllowedRedirects::parse(KNOWN_CLIENTS);
        Target { url: URL.to_owned(), is_on, health_token: health_token.map(str::to_owned), listed }
    }

    /// A server that answers as a good one, but for one path.
    fn failures(health_token: Option<&str>, path: &str, instead: &(u16, Value)) -> Vec<&'static str> {
        let ask = |request: Request<Bytes>| {
            let asked = request.uri().path();
            let (status, body) = if asked == path { instead.clone() } else { good(&request) };
            let builder = Response::builder().status(status);
            let metadata = format!(r#"Bearer resource_metadata="{URL}/.well-known/oauth-protected-resource/mcp""#);
            let builder = if status == 401 { builder.header("www-authenticate", metadata) } else { builder };
            let location = body.as_str().filter(|_| status == 302);
            let builder = location.into_iter().fold(builder, |builder, to| builder.header("location", to));
            builder.body(Bytes::from(body.to_string())).map_err(|error| error.to_string())
        };
        run_checks(&ask, &target(true, health_token))
            .into_iter()
            .filter(|(_, outcome)| outcome.is_err())
            .map(|(what, _)| what)
            .collect()
    }

    fn good(request: &Request<Bytes>) -> (u16, Value) {
        match request.uri().path() {
            "/.well-known/oauth-authorization-server" => {
                let at = |path: &str| format!("{URL}{path}");
                let endpoints = json!({"issuer": URL, "authorization_endpoint": at("/a"), "token_endpoint": at("/t"),
                    "revocation_endpoint": at("/r"), "code_challenge_methods_supported": ["S256"]});
                (200, endpoints)
            }
            "/.well-known/oauth-protected-resource/mcp" => {
                (200, json!({"resource": format!("{URL}/mcp"), "authorization_servers": [URL]}))
            }
            "/.well-known/hosted-mcp-jwks.json" => (200, json!({"keys": [{}]})),
            "/mcp" => (401, json!({})),
            "/mcp/oauth/authorize" => (302, json!("https://statibeat.example/connector/sign-in")),
            "/mcp/admin" => (200, json!("page")),
            "/mcp/health" => (200, json!({"status": "alive"})),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_good_server_passes_and_every_fault_is_named() {
        assert_eq!(failures(Some("t"), "", &(0, json!(null))), [""; 0]);
        let issuer = json!({"issuer": "https://other.example"});
        for (path, instead, what) in [
            (
                "/.well-known/oauth-authorization-server",
                (200, issuer),
                "authorization server metadata names this very issuer",
            ),
            ("/.well-known/oauth-protected-resource/mcp", (200, json!({})), "protected resource metadata leads to it"),
            ("/mcp", (200, json!({})), "a call without a token is told where to sign in"),
            ("/.well-known/hosted-mcp-jwks.json", (200, json!({"keys": []})), "its keys are published to StatiBeat"),
            ("/mcp/oauth/authorize", (400, json!({})), "every listed client gets as far as the sign-in"),
            (
                "/mcp/oauth/authorize",
                (302, json!("https://claude.ai/api/mcp/auth_callback?error=invalid_request")),
                "every listed client gets as far as the sign-in",
            ),
            ("/mcp/admin", (500, json!({})), "the Hosted MCP page answers"),
            ("/mcp/health", (503, json!({})), "it is alive"),
        ] {
            assert_eq!(failures(None, path, &instead), [what]);
        }
    }

    #[test]
    fn a_switched_off_server_must_answer_404() {
        let off = |status| {
            let ask =
                |_: Request<Bytes>| Response::builder().status(status).body(Bytes::new()).map_err(|e| e.to_string());
            run_checks(&ask, &target(false, None)).into_iter().all(|(_, outcome)| outcome.is_ok())
        };
        assert!(off(404) && !off(200));
    }
}
