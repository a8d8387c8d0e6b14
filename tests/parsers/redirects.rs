//! Which redirect URIs a client may use: every pair of a registered or listed URI and a presented one, decided again on what the crate
//! `url` reads (RFC 6749 3.1.2.3, RFC 8252 7.3).

use serde_json::json;
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::oauth::client::allowed::AllowedRedirects;
use statibeat_mcp::oauth::client::{ClientTrust, Clients, registration};
use url::Url;

fn ring() -> KeyRing {
    KeyRing::parse("key:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a key ring")
}

/// Every combination of a host, a port and a rest.
fn loopback_uris() -> Vec<String> {
    let rests = ["", "/", "/cb", "/cb/", "/CB", "/cb?a=1", "/cb?a=2", "/cb?", "/%63b"];
    let hosts = ["localhost", "127.0.0.1", "127.0.0.2", "[::1]"];
    let places = hosts.iter().flat_map(|host| ["", ":80", ":1", ":65535"].map(|port| format!("http://{host}{port}")));
    places.flat_map(|place| rests.map(|rest| format!("{place}{rest}"))).collect()
}

/// The port is free, and the two addresses of this computer stand for its name; everything else is compared.
fn is_same_on_loopback(registered: &Url, presented: &Url) -> bool {
    let is_address = ["127.0.0.1", "[::1]"].contains(&presented.host_str().unwrap_or_default());
    let is_host =
        registered.host_str() == presented.host_str() || registered.host_str() == Some("localhost") && is_address;
    is_host && registered.path() == presented.path() && registered.query() == presented.query()
}

#[test]
fn registered_loopback_uri_is_matched_but_for_its_port_and_nothing_else_is() {
    let (ring, allowed) = (ring(), AllowedRedirects::default());
    let clients = Clients { allowed: &allowed, registrations: &ring, accepts_unverified: true };
    let read = |text: &String| Url::parse(text).expect("a URL");
    let (mut accepted, uris) = (0, loopback_uris());
    for registered in &uris {
        let body = json!({ "redirect_uris": [registered] }).to_string();
        let client = registration::register(body.as_bytes(), &ring, 1).unwrap_or_else(|_| panic!("{registered}"));
        let id = client["client_id"].as_str().expect("an id");
        for presented in &uris {
            let found = clients.resolve(id, presented);
            let is_expected = is_same_on_loopback(&read(registered), &read(presented));
            assert_eq!(found.is_ok(), is_expected, "{registered} is registered, {presented} is presented");
            assert!(found.is_err() || found.is_ok_and(|client| client.trust == ClientTrust::Registered));
            accepted += usize::from(is_expected);
        }
    }
    assert!(accepted > uris.len(), "{accepted}");
}

#[test]
fn listed_pair_is_matched_byte_by_byte_and_nothing_else_is() {
    let ring = ring();
    let ids =
        ["one", "One", "one ", "two", "https://one.example/x", "https://one.example/x/", "https://one.example/x?a=b"];
    let uris = [
        "https://a.example/cb",
        "https://a.example/cb/",
        "https://a.example/CB",
        "https://a.example/%63b",
        "https://a.example/cb?a=1",
        "https://a.example/cb?",
        "https://a.example:8443/cb",
        "https://a.example:443/cb",
        "https://A.example/cb",
        "https://a.example./cb",
        "https://b.example/cb",
        "https://a.example",
        "https://a.example/",
        "http://a.example/cb",
    ];
    let pairs = || ids.iter().flat_map(|id| uris.iter().map(move |uri| (*id, *uri)));
    let mut accepted = 0;
    for (listed_id, listed_uri) in pairs() {
        let (allowed, _) = AllowedRedirects::parse(&format!("{listed_id}={listed_uri}"));
        let clients = Clients { allowed: &allowed, registrations: &ring, accepts_unverified: true };
        for (id, uri) in pairs() {
            let Ok(client) = clients.resolve(id, uri) else { continue };
            assert_eq!((client.trust, id, uri), (ClientTrust::Listed, listed_id, listed_uri));
            accepted += 1;
        }
    }
    // Those whose URI is in its plain form, each by itself.
    assert_eq!(accepted, 6 * 11);
}
