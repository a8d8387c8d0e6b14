//! Redirect URIs: https, or http on a loopback address, in normal form (RFC 6749 3.1.2, RFC 8252 7.3).

use crate::model::loopback::is_loopback;
use crate::model::serde_as_text;
use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// A redirect URI in normal form: every URL parser reads the same URL from it, so the compared text is where the
/// browser goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    kind: RedirectKind,
}

/// Where a redirect URI points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    Web,
    /// http on `localhost`, 127.0.0.0/8 or `[::1]`.
    Loopback,
}

impl RedirectUri {
    pub const MAX_LENGTH: usize = 2048;

    /// Parses an https or loopback http URI. `None` for any other spelling: refusing instead of normalizing makes
    /// look-alikes such as `http://2130706433/` harmless.
    pub fn parse(text: &str) -> Option<Self> {
        let has_plain_bytes = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte));
        if text.len() > Self::MAX_LENGTH || !has_plain_bytes {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let plain = without_default_port(text);
        let is_plain = url.as_str() == plain || url.as_str().strip_suffix('/') == Some(&plain) && url.path() == "/";
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !is_plain || has_user || url.fragment().is_some() {
            return None;
        }
        let kind = match (url.scheme(), url.host()?) {
            ("https", _) => RedirectKind::Web,
            ("http", host) if is_loopback(&host) => RedirectKind::Loopback,
            _ => return None,
        };
        Some(Self { text: text.to_owned(), kind })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn kind(&self) -> RedirectKind {
        self.kind
    }

    pub fn host(&self) -> String {
        self.url().host_str().unwrap_or_default().to_owned()
    }

    /// The origin, as a browser's `Origin` header spells it.
    pub fn origin(&self) -> String {
        self.url().origin().ascii_serialization()
    }

    /// Returns whether its query contains a parameter of the authorization response.
    pub fn has_answer_parameter(&self) -> bool {
        self.url()
            .query_pairs()
            .any(|(name, _)| ["code", "state", "iss", "error", "error_description"].contains(&&*name))
    }

    /// The URI without its port, for comparing loopback redirect URIs (RFC 8252 7.3).
    pub fn without_port(&self) -> String {
        let mut url = self.url();
        match url.set_port(None) {
            Ok(()) => url.into(),
            Err(()) => self.text.clone(),
        }
    }

    /// The URI with `parameters` appended to its query.
    pub fn with_query(&self, parameters: &[(&str, &str)]) -> Url {
        let mut url = self.url();
        url.query_pairs_mut().extend_pairs(parameters);
        url
    }

    /// The text without its port and with `localhost` in the place of 127.0.0.1 or `[::1]`; `None` for other hosts.
    pub fn at_localhost(&self) -> Option<String> {
        let mut url = self.url();
        let is_address_of_localhost = match url.host()? {
            Host::Domain(_) => false,
            Host::Ipv4(address) => address == Ipv4Addr::LOCALHOST,
            Host::Ipv6(address) => address == Ipv6Addr::LOCALHOST,
        };
        let is_replaced =
            is_address_of_localhost && url.set_port(None).is_ok() && url.set_host(Some("localhost")).is_ok();
        is_replaced.then(|| url.into())
    }

    fn url(&self) -> Url {
        Url::parse(&self.text).expect("a redirect URI was parsed when it was made")
    }
}

/// Drops `:80` behind the host of an http address. On a loopback address the port is free, so a client that listens at port
/// 80 may write it out.
fn without_default_port(text: &str) -> Cow<'_, str> {
    let Some(rest) = text.strip_prefix("http://") else { return text.into() };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    authority.strip_suffix(":80").map_or(text.into(), |host| format!("http://{host}{path}").into())
}

serde_as_text!(RedirectUri);

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<RedirectKind> {
        RedirectUri::parse(text).map(|uri| uri.kind())
    }

    #[test]
    fn https_and_loopback_http_are_accepted_as_written() {
        for text in [
            "https://acme.example/cb",
            "https://acme.example",
            "https://acme.example/cb?a=1&b=%2F",
            "https://[2001:db8::1]:8443/",
        ] {
            assert_eq!(kind(text), Some(RedirectKind::Web), "{text}");
        }
        for text in [
            "http://localhost/callback",
            "http://localhost:6274/oauth/callback",
            "http://127.0.0.1:33418",
            "http://localhost:80/cb",
            "http://localhost:80",
            "http://[::1]:80/cb?x=:80",
            "http://127.255.0.9:1/",
            "http://[::1]:5/",
        ] {
            assert_eq!(kind(text), Some(RedirectKind::Loopback), "{text}");
        }
    }

    #[test]
    fn look_alikes_of_loopback_are_refused() {
        for text in [
            "http://localhost.evil.com/",
            "http://127.0.0.1.nip.io/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://2130706433/",
            "http://127.1/",
            "http://0x7f.0.0.1/",
            "http://localhost@evil.example/",
            "http://localhost:80@evil.example/",
            "http://localhost:80:80/",
            "http://localhost:080/",
            "http://localhost.evil.com:80/",
            "http://localhost%00.evil.example/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://127.0.0.1\\@evil.example/",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn other_spellings_of_https_are_refused() {
        for text in [
            "HTTPS://acme.example/cb",
            "https://ACME.example/cb",
            "https://acme.example:443/cb",
            "https://acme.example/a/../cb",
            "https://acme.example/cb#",
            "https://acme.example/cb#x",
            "https://user@acme.example/cb",
            " https://acme.example/cb",
            "https://acme.example/cb\t",
            "https:acme.example/cb",
            "https:///acme.example/cb",
            "https://acmé.example/cb",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn characters_that_parsers_read_in_two_ways_are_refused() {
        for text in [
            "https://acme.example/a|b",
            "https://acme.example/a^b",
            "https://acme.example/cb?a={b}",
            "https://acme.example/cb?a=`b`",
            "https://acme.example/cb?a=\\b",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn a_uri_is_at_most_2048_bytes() {
        let uri = |length: usize| format!("https://acme.example/{}", "p".repeat(length - 21));
        assert_eq!((uri(2048).len(), kind(&uri(2048))), (2048, Some(RedirectKind::Web)));
        assert_eq!(kind(&uri(2049)), None);
    }

    #[test]
    fn only_127_0_0_1_and_1_are_addresses_of_localhost() {
        let at_localhost = |text: &str| RedirectUri::parse(text).expect("fits").at_localhost();
        for text in ["http://127.0.0.1:5/cb?x=1", "http://[::1]:5/cb?x=1", "http://[::1]:80/cb?x=1"] {
            assert_eq!(at_localhost(text).as_deref(), Some("http://localhost/cb?x=1"), "{text}");
        }
        for text in ["http://localhost:5/cb", "http://127.0.0.2:5/cb", "https://127.0.0.1.example/cb"] {
            assert_eq!(at_localhost(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_has_the_port_but_no_path() {
        let origin = |text: &str| RedirectUri::parse(text).expect("fits").origin();
        assert_eq!(origin("https://acme.example:8443/cb?a=1"), "https://acme.example:8443");
        assert_eq!(origin("http://localhost:5/cb"), "http://localhost:5");
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "com.example.app:/cb",
            "http://acme.example/cb",
            "",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_goes_behind_the_uris_own_query() {
        let uri = RedirectUri::parse("https://acme.example/cb?keep=1").expect("fits");
        assert_eq!(
            uri.with_query(&[("code", "a b"), ("state", "x&y=ü")]).as_str(),
            "https://acme.example/cb?keep=1&code=a+b&state=x%26y%3D%C3%BC"
        );
    }
}
