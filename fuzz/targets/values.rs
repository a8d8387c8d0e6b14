//! Fuzz targets for single values: redirect URIs, the allow-list, opaque tokens, resource URIs.

use super::world::{self, VERIFIER, with};
use statibeat_mcp::catalog::resources::RESOURCES;
use statibeat_mcp::catalog::uri::{Roots, match_template, normalize};
use statibeat_mcp::config::Config;
use statibeat_mcp::oauth::client::allowed::AllowedRedirects;
use statibeat_mcp::oauth::client::redirect::{RedirectKind, RedirectUri};
use statibeat_mcp::oauth::client::{ClientId, Clients};
use statibeat_mcp::oauth::pkce::{CodeChallenge, CodeVerifier};
use statibeat_mcp::oauth::secret::{AccessToken, AuthorizationCode, RefreshToken};
use std::net::IpAddr;
use url::{Host, Url};

/// Checks that an accepted redirect URI is https or loopback, and that adding response parameters keeps its origin and path.
pub fn redirect_uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(uri) = RedirectUri::parse(text) else { return };
    let url = Url::parse(text).expect("a URL");
    let is_plain = |text: &str| url.as_str().trim_end_matches('/') == text.trim_end_matches('/');
    let is_plain = is_plain(text) || uri.kind() == RedirectKind::Loopback && is_plain(&text.replacen(":80", "", 1));
    assert!(text.is_ascii() && is_plain, "{text}");
    assert!(url.fragment().is_none() && url.username().is_empty() && url.password().is_none(), "{text}");
    match uri.kind() {
        RedirectKind::Web => assert_eq!(url.scheme(), "https", "{text}"),
        RedirectKind::Loopback => assert!(url.scheme() == "http" && is_this_computer(&url), "{text}"),
    }
    let answer = uri.with_query(&[("code", "a&b=c#d"), ("state", text)]);
    assert_eq!((answer.origin(), answer.path()), (url.origin(), url.path()), "{text}");
    assert_eq!(answer.query_pairs().last().expect("the state").1, text);
    drop((uri.host(), uri.origin(), uri.without_port(), uri.at_localhost(), uri.has_answer_parameter()));
}

fn is_this_computer(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

pub fn redirect_uri_seeds() -> Vec<Vec<u8>> {
    [
        "http://127.0.0.1:33418/callback",
        "http://localhost:80/cb",
        "https://acme.example/cb?a=1",
        "http://[::1]:5/",
        "http://localhost",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Checks that an https redirect URI is accepted only if it is in an entry of the list, and that no configuration value panics.
pub fn config_list(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (allowed, _) = AllowedRedirects::parse(text);
    for name in statibeat_mcp::config::VARIABLES.iter().map(|variable| variable.name) {
        let lookup = |asked: &str| if asked == name { Some(text.to_owned()) } else { world::variable(asked) };
        drop(Config::from_lookup(lookup));
    }
    let entries = text.split(|c: char| c.is_whitespace() || c == ',');
    for (client_id, uri) in entries.flat_map(|entry| entry.match_indices('=').map(|(at, _)| entry.split_at(at))) {
        let uri = &uri[1..];
        let is_listed = with(|world| {
            let clients =
                Clients { allowed: &allowed, registrations: &world.config.client_keys, accepts_unverified: true };
            clients.resolve(client_id, uri).is_ok_and(|client| client.redirect_uri.kind() == RedirectKind::Web)
        });
        let is_plain = RedirectUri::parse(uri).is_some_and(|uri| uri.kind() == RedirectKind::Web);
        assert!(!is_listed || is_plain && ClientId::parse(client_id).is_some(), "{client_id}={uri}");
        let clients = Clients {
            allowed: &AllowedRedirects::default(),
            registrations: &with(|w| w.config.client_keys.clone()),
            accepts_unverified: true,
        };
        assert!(!is_plain || clients.resolve(client_id, uri).is_err(), "{uri} without a list");
    }
}

pub fn config_list_seeds() -> Vec<Vec<u8>> {
    let list =
        "https://claude.ai/oauth/meta=https://claude.ai/api/mcp/auth_callback, acme?x=1=https://acme.example/cb\n";
    let ring = "new:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8 old:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
    [list, ring, "https://mcp.example", "off"].map(|text| text.as_bytes().to_vec()).to_vec()
}

/// Checks that only tokens that the connector issued are accepted, each only as its own kind.
pub fn secret(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    with(|world| {
        let tags = &world.config.checksum_keys;
        let found = [
            AuthorizationCode::parse(text, tags).map(|code| code.hash()),
            AccessToken::parse(text, tags).map(|token| token.hash()),
            RefreshToken::parse(text, tags).map(|token| token.hash()),
        ];
        let is_one_of_ours = [world.code(), world.access_token(), world.refresh_token()].map(|ours| ours == text);
        assert_eq!(found.map(|hash| hash.is_some()), is_one_of_ours, "{text}");
        assert!(!world.opens_as_request(text), "{text}");
    });
    assert!(CodeChallenge::parse(text).is_none_or(|challenge| challenge.as_str() == text && text.len() == 43));
    if let Some(verifier) = CodeVerifier::parse(text) {
        assert!((43..=128).contains(&text.len()) && verifier.expose() == text);
        assert!(verifier.challenge().is_satisfied_by(&verifier));
    }
}

pub fn secret_seeds() -> Vec<Vec<u8>> {
    let secrets = with(|world| [world.code(), world.access_token(), world.refresh_token()]);
    secrets.into_iter().chain([VERIFIER.to_owned()]).map(String::into_bytes).collect()
}

/// Checks that a resource is found again by the URI that it has, and that a normal form is its own.
pub fn resource_uri(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(found) = Roots::HOSTED.find(text, RESOURCES) {
        let uri = Roots::HOSTED.expand(found.resource, &found.variables).expect("every variable has a value");
        let again = Roots::HOSTED.find(&uri, RESOURCES).expect("the resource has this URI");
        assert_eq!((again.resource.name, again.variables), (found.resource.name, found.variables.clone()));
        let _ = found.page_id();
    }
    let normal = normalize(text);
    assert_eq!(normalize(&normal), normal);
    if let Some((template, uri)) = text.split_once('\n') {
        drop(match_template(template, uri));
    }
}

pub fn resource_uri_seeds() -> Vec<Vec<u8>> {
    [
        "statibeat://pages",
        "statibeat://pages/42/incidents/active",
        "statibeat://pages/42/incidents/9",
        "STATIBEAT://pages/%34%32/./incidents/../summary?",
        "a/{b}?c={c}\na/%20?c=1",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
