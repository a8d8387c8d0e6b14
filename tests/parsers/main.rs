//! Parsers of outside text, for every small input, and held against another implementation: forms against `form_urlencoded`, redirect
//! URIs and resource URIs against `url`, the arguments of tools against the crate `jsonschema`. Cookies are in `src/web/browser.rs`.

mod redirects;
mod uris;

use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::all_tools;
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::model::scope::{Scope, ScopeSet};
use statibeat_mcp::oauth::client::redirect::{RedirectKind, RedirectUri};
use statibeat_mcp::oauth::parameters::Parameters;
use statibeat_mcp::oauth::secret::{AccessToken, RefreshToken};
use url::{Host, Url};

/// Every text over an alphabet up to a length.
fn texts(alphabet: &[u8], longest: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|text| alphabet.iter().map(move |byte| [text.as_slice(), &[*byte]].concat()))
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

#[test]
fn every_small_form_is_read_as_the_url_standard_says_or_refused_as_broken() {
    for form in texts(b"a=&%+2F", 6) {
        let shown = String::from_utf8_lossy(&form).into_owned();
        let is_hex = |at: usize| form.get(at).is_some_and(u8::is_ascii_hexdigit);
        let is_whole = (0..form.len()).all(|at| form[at] != b'%' || is_hex(at + 1) && is_hex(at + 2));
        let expected: Vec<(String, String)> = form_urlencoded::parse(&form).into_owned().collect();
        let is_text = expected.iter().all(|(name, value)| !format!("{name}{value}").contains('\u{fffd}'));
        let Ok(read) = Parameters::parse(&form) else {
            assert!(!is_whole || !is_text, "{shown} is a form");
            continue;
        };
        assert!(is_whole && is_text, "{shown} is broken");
        for name in ["", "a", "aa", "2", "+", "%", "F", "a "] {
            let values: Vec<&str> =
                expected.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
            assert_eq!(read.all(name).collect::<Vec<_>>(), values, "{shown}: {name:?}");
            assert_eq!(read.repeats_any(&[name]), values.len() > 1, "{shown}: {name:?}");
            match read.one(name) {
                Err(_) => assert!(values.len() > 1, "{shown}: {name:?}"),
                Ok(value) => {
                    assert_eq!(value, values.first().copied().filter(|value| !value.is_empty()), "{shown}: {name:?}");
                }
            }
        }
    }
}

#[test]
fn every_set_of_scopes_reads_back_and_keeps_the_laws_of_sets() {
    let set = |bits: usize| -> ScopeSet {
        Scope::ALL.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0).map(|(_, scope)| *scope).collect()
    };
    let count = 1 << Scope::ALL.len();
    for one in 0..count {
        assert_eq!(ScopeSet::parse(&set(one).to_string()), Some(set(one)));
        for other in 0..count {
            let (left, right) = (set(one), set(other));
            assert_eq!(left.union(right), set(one | other));
            assert_eq!(left.intersection(right), set(one & other));
            assert_eq!(left.without(right), set(one & !other));
            assert_eq!(left.covers(right), other & !one == 0);
        }
    }
}

#[test]
fn every_token_with_one_character_changed_missing_or_added_is_refused() {
    let ring = KeyRing::parse("key:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a key ring");
    let token = AccessToken::issue(&[7; 32], &ring);
    let text = token.expose();
    let is_token = |text: &str| AccessToken::parse(text, &ring).is_some();
    assert!(is_token(text) && RefreshToken::parse(text, &ring).is_none());
    let characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= %é";
    for at in 0..=text.len() {
        let (before, after) = text.split_at(at);
        let rest = after.get(1..).unwrap_or_default();
        assert!(after.is_empty() || !is_token(&format!("{before}{rest}")), "without the character at {at}");
        for character in characters.chars() {
            assert!(!is_token(&format!("{before}{character}{after}")), "{character} added at {at}");
            let is_changed = !after.starts_with(character) && !after.is_empty();
            assert!(!is_changed || !is_token(&format!("{before}{character}{rest}")), "{character} at {at}");
        }
    }
}

#[test]
fn every_accepted_redirect_uri_is_what_the_url_standard_reads() {
    let schemes = ["https://", "http://", "HTTPS://", "https:/", "ftp://", "javascript:", "//", ""];
    let users = ["", "user@", "localhost@", ":@", "a:b@"];
    let hosts = [
        "acme.example",
        "ACME.example",
        "localhost",
        "localhost.",
        "localhost.evil.example",
        "127.0.0.1",
        "127.1",
        "127.0.0.2",
        "0.0.0.0",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "acm\u{e9}.example",
        "a b",
        "",
    ];
    let ports = ["", ":", ":0", ":80", ":080", ":443", ":65535", ":65536", ":80:80"];
    let rests = ["", "/", "/cb", "/a/../cb", "/cb?a=1", "/cb#f", "/%2e%2e/cb", "\\@evil.example/", "?a", "/cb\t", "/|"];
    let mut accepted = 0;
    for (scheme, user) in schemes.iter().flat_map(|scheme| users.iter().map(move |user| (scheme, user))) {
        for (host, port) in hosts.iter().flat_map(|host| ports.iter().map(move |port| (host, port))) {
            for rest in rests {
                let text = format!("{scheme}{user}{host}{port}{rest}");
                let Some(uri) = RedirectUri::parse(&text) else { continue };
                accepted += 1;
                assert_eq!(uri.as_str(), text);
                check_accepted(&uri, &text);
            }
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// An accepted URI is read in one way only, has neither user nor fragment, and leads to a web server or to this computer.
fn check_accepted(uri: &RedirectUri, text: &str) {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{text}");
    let is_loopback = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => panic!("{text} has no host"),
    };
    match uri.kind() {
        RedirectKind::Web => assert_eq!(url.scheme(), "https", "{text}"),
        RedirectKind::Loopback => assert!(url.scheme() == "http" && is_loopback, "{text}"),
    }
    // The port of a loopback URI is free, and nothing else of it.
    let mut other = url.clone();
    if uri.kind() == RedirectKind::Loopback && other.set_port(Some(5)).is_ok() {
        let other = RedirectUri::parse(other.as_str()).unwrap_or_else(|| panic!("{text} on another port"));
        assert_eq!(other.without_port(), uri.without_port(), "{text}");
    }
}

/// Values of an argument: those that fit, those that are repaired, and those that are neither.
fn values() -> Vec<Value> {
    let text = "x".repeat(20_000);
    vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(42),
        json!(42.0),
        json!(42.5),
        json!(1e300),
        json!(9_007_199_254_740_993_i64),
        json!("42"),
        json!(""),
        json!(text),
        json!("2030-01-01T00:00:00Z"),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!([{ "id": 1 }]),
        json!([{ "id": 1.0, "status_definition_id": null }]),
        json!([{ "id": 1, "status_definition_id": "7" }]),
        json!({ "a": { "b": null } }),
        json!("[{\"id\": 1}]"),
    ]
}

/// Leaves out names that stand in place of an id: the page's list decides about them.
fn leave_out_names(schema: &Value, value: &mut Value) {
    let is_name = |value: &Value| value.as_str().is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_digit()));
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| schema["properties"][name]["type"] != "integer" || !is_name(value));
            fields.iter_mut().for_each(|(name, value)| leave_out_names(&schema["properties"][name], value));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| leave_out_names(&schema["items"], item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn accepted_arguments_of_every_tool_keep_to_its_json_schema() {
    let (mut accepted, mut refused) = (0, 0);
    for tool in all_tools() {
        let schema = tool.input_schema();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let names: Vec<&String> = schema["properties"].as_object().into_iter().flat_map(Map::keys).collect();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for base in values().into_iter().filter(|value| !value.is_null()) {
            // Every required argument has the same value; then every pair of the others is tried.
            let given: Map<String, Value> = required.iter().map(|name| ((*name).to_owned(), base.clone())).collect();
            for name in &names {
                for value in values() {
                    let mut given = given.clone();
                    given.insert((*name).clone(), value);
                    let shown = Value::Object(given.clone()).to_string();
                    match tool.check_arguments(Value::Object(given)) {
                        Ok(read) => {
                            accepted += 1;
                            let mut read = Value::Object(read);
                            leave_out_names(&schema, &mut read);
                            assert!(validator.is_valid(&read), "{}: {shown} is read as {read}", tool.name);
                        }
                        Err(_) => refused += 1,
                    }
                }
            }
        }
    }
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused");
}
