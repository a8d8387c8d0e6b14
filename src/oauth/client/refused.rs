//! Refused clients: the data that is stored of them, and the advice for operators.
//!
//! The data comes from unauthenticated requests and is untrusted: it is truncated and stripped of what a URI can hide
//! (user, query, fragment, invisible characters). An allow-list line is offered only for a preregistered client on its
//! own host.

use super::allowed::AllowedRedirects;
use super::id::ClientId;
use super::preregistered;
use super::redirect::{RedirectKind, RedirectUri};
use super::redirect_fault::is_copilot_studio;
use super::registration::{self, RegisteredClient};
use crate::model::flag;
use serde::Deserialize;
use serde_json::Value;
use strum::IntoStaticStr;
use url::Url;

/// Maximum stored length, in characters. Real redirect URIs are shorter.
const LONGEST: usize = 300;

/// Where a client was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum RefusedStep {
    Authorization,
    Registration,
}

impl RefusedStep {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A refused client, reduced to what may be stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefusedClient {
    pub step: RefusedStep,
    /// The client id, or the name of a registration.
    pub client: String,
    /// Scheme, host and path of the redirect URI.
    pub redirect_uri: String,
    /// True if the redirect URI was truncated.
    #[serde(deserialize_with = "flag")]
    pub has_query: bool,
}

/// Advice to the operator about a refused client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Add this line: a known client on its own host.
    Add(String),
    /// Ask the vendor first: the redirect URI is not verified.
    Check,
    /// The address of one connector of Copilot Studio, which needs a fixed client id.
    CopilotStudio,
    /// It can never be accepted, for this reason.
    Unacceptable(UnacceptableReason),
}

/// Reason why a redirect URI can never be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnacceptableReason {
    /// It is neither https nor loopback http.
    NotSecure,
    /// Its scheme belongs to an app on the user's computer, and other programs can claim it.
    PrivateScheme,
    /// A loopback URI that this client isn't preregistered or registered with.
    OtherLoopback,
    /// The client registered itself, or tried to, which is for loopback only.
    Registered,
    /// The syntax of the allow-list can't express it.
    NotWritable,
}

impl RefusedClient {
    /// A refusal at the authorization endpoint. `None` if the values are too long or missing.
    pub fn at_authorization(client_id: &str, redirect_uri: &str) -> Option<Self> {
        let client_id = ClientId::parse(client_id).filter(|id| id.as_str().len() <= LONGEST)?;
        Self::new(RefusedStep::Authorization, client_id.as_str(), redirect_uri)
    }

    /// A refusal at the registration endpoint, with the first redirect URI that isn't loopback.
    pub fn at_registration(body: &[u8]) -> Option<Self> {
        let request: Value = serde_json::from_slice(body).ok()?;
        let name = registration::plain_name(request["client_name"].as_str().unwrap_or_default());
        let name = name.unwrap_or_else(|_| "A name that cannot be read".to_owned());
        let uris: Vec<&str> = request["redirect_uris"].as_array()?.iter().filter_map(Value::as_str).collect();
        let is_local = |uri: &str| RedirectUri::parse(uri).is_some_and(|uri| uri.kind() == RedirectKind::Loopback);
        let uri = uris.iter().find(|uri| !is_local(uri)).or(uris.first())?;
        Self::new(RefusedStep::Registration, &name, uri)
    }

    fn new(step: RefusedStep, client: &str, redirect_uri: &str) -> Option<Self> {
        let url = Url::parse(redirect_uri).ok()?;
        let bare = format!("{}://{}{}", url.scheme(), authority(&url), url.path());
        let fits = bare.len() <= LONGEST && bare.bytes().all(|byte| byte.is_ascii_graphic());
        let has_query = bare != redirect_uri && format!("{redirect_uri}/") != bare;
        fits.then(|| Self { step, client: client.to_owned(), redirect_uri: bare, has_query })
    }

    /// The host that the answer was to go to.
    pub fn host(&self) -> String {
        host_of(&self.redirect_uri).unwrap_or_default()
    }

    /// Advice to the operator about a refused client.
    pub fn advice(&self) -> Advice {
        let Some(redirect_uri) = RedirectUri::parse(&self.redirect_uri) else {
            let is_web = self.redirect_uri.starts_with("http:") || self.redirect_uri.starts_with("https:");
            let reason = if is_web { UnacceptableReason::NotSecure } else { UnacceptableReason::PrivateScheme };
            return Advice::Unacceptable(reason);
        };
        if is_copilot_studio(&self.host()) {
            return Advice::CopilotStudio;
        }
        let is_registered = self.step == RefusedStep::Registration
            || ClientId::parse(&self.client).is_some_and(|id| RegisteredClient::looks_like_one(&id));
        match redirect_uri.kind() {
            RedirectKind::Loopback => Advice::Unacceptable(UnacceptableReason::OtherLoopback),
            RedirectKind::Web if is_registered => Advice::Unacceptable(UnacceptableReason::Registered),
            RedirectKind::Web => self.line(),
        }
    }

    /// The allow-list line for a preregistered client on the host of its id. Another host may be a look-alike, and an
    /// unverified id proves nothing.
    fn line(&self) -> Advice {
        let line = format!("{}={}", self.client, self.redirect_uri);
        let (allowed, bad) = AllowedRedirects::parse(&line);
        if !bad.is_empty() || allowed.iter().count() != 1 {
            return Advice::Unacceptable(UnacceptableReason::NotWritable);
        }
        let is_known = ClientId::parse(&self.client).is_some_and(|id| preregistered::find(&id).is_some());
        let is_its_own = host_of(&self.client).is_some_and(|host| host == self.host());
        if is_known && is_its_own && !self.has_query { Advice::Add(line) } else { Advice::Check }
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn host_of(text: &str) -> Option<String> {
    Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHATGPT: &str = "https://chatgpt.com/oauth/client.json";

    fn advice(client_id: &str, redirect_uri: &str) -> Option<Advice> {
        RefusedClient::at_authorization(client_id, redirect_uri).map(|refused| refused.advice())
    }

    #[test]
    fn known_client_on_its_own_host_gets_the_line_that_would_admit_it() {
        let line = format!("{CHATGPT}=https://chatgpt.com/connector/oauth/abc");
        assert_eq!(advice(CHATGPT, "https://chatgpt.com/connector/oauth/abc"), Some(Advice::Add(line.clone())));
        assert_eq!(AllowedRedirects::parse(&line).1, []);
    }

    #[test]
    fn look_alike_host_unknown_client_or_hidden_query_gets_no_line() {
        for (client, uri) in [
            (CHATGPT, "https://chatgpt.evil.example/connector/oauth/abc"),
            (CHATGPT, "https://evil-chatgpt.com/cb"),
            (CHATGPT, "https://chatgpt.com/cb?next=evil"),
            ("https://a.example/id", "https://a.example/cb"),
        ] {
            assert_eq!(advice(client, uri), Some(Advice::Check), "{uri}");
        }
    }

    #[test]
    fn redirect_uri_that_can_never_be_listed_gets_no_allow_list_line() {
        for (client, uri) in [
            ("cursor", "cursor://anysphere.cursor-mcp/oauth/callback"),
            ("x", "http://evil.example/cb"),
            ("x", "http://localhost:1/cb"),
            ("sbmcp_client_abc.def", "https://a.example/cb"),
            ("with space", "https://a.example/cb"),
            ("a,b", "https://a.example/cb"),
            ("x=https://y.example", "https://a.example/cb"),
        ] {
            assert!(matches!(advice(client, uri), Some(Advice::Unacceptable(_))), "{client} {uri}");
        }
        for (uri, reason) in [
            ("cursor://anysphere.cursor-mcp/oauth/callback", UnacceptableReason::PrivateScheme),
            ("http://evil.example/cb", UnacceptableReason::NotSecure),
        ] {
            assert_eq!(advice("x", uri), Some(Advice::Unacceptable(reason)), "{uri}");
        }
    }

    #[test]
    fn connector_of_copilot_studio_gets_advice_of_its_own_at_both_steps() {
        let uri = "https://global.consent.azure-apim.net/redirect/mvp-5fstatibeat-5fdfde809e1caf448f";
        assert_eq!(advice("copilot", uri), Some(Advice::CopilotStudio));
        let body = serde_json::json!({"client_name": "StatiBeat", "redirect_uris": [uri]}).to_string();
        let refused = RefusedClient::at_registration(body.as_bytes()).expect("kept");
        assert_eq!((refused.redirect_uri.as_str(), refused.advice()), (uri, Advice::CopilotStudio));
        let claude = advice("x", "claude://claude.ai/mcp-auth-callback/sdk");
        assert_eq!(claude, Some(Advice::Unacceptable(UnacceptableReason::PrivateScheme)));
    }

    #[test]
    fn secrets_and_oversized_texts_are_not_kept() {
        let kept = |uri: &str| RefusedClient::at_authorization("x", uri).map(|refused| refused.redirect_uri);
        assert_eq!(kept("https://me:secret@a.example/cb?token=secret#secret").as_deref(), Some("https://a.example/cb"));
        assert_eq!(kept("https://a.example/cb?token=secret").as_deref(), Some("https://a.example/cb"));
        assert_eq!(kept(&format!("https://a.example/{}", "x".repeat(300))), None);
        assert_eq!(kept("not an address"), None);
        assert_eq!(RefusedClient::at_authorization(&"x".repeat(301), "https://a.example/cb"), None);
    }

    #[test]
    fn refused_registration_is_kept_by_its_name_and_its_first_web_address() {
        let body = br#"{"client_name": "My \u200b Platform", "redirect_uris": ["http://localhost/cb", "https://p.example/c/1?x=y"]}"#;
        let refused = RefusedClient::at_registration(body).expect("kept");
        assert_eq!((refused.client.as_str(), refused.redirect_uri.as_str()), ("My Platform", "https://p.example/c/1"));
        assert_eq!(refused.advice(), Advice::Unacceptable(UnacceptableReason::Registered));
        assert_eq!(RefusedClient::at_registration(b"[]"), None);
    }
}
