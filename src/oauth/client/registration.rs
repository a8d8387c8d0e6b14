//! Dynamic client registration without a store (RFC 7591): loopback clients only.
//!
//! The issued `client_id` *is* the registration: the accepted metadata with a MAC (RFC 7591 appendix A.5.2), so nothing
//! is stored and nothing has to be purged. Registration is tolerant, the authorization endpoint strict: unusable
//! redirect URIs are dropped if a usable one is left.

use super::id::ClientId;
use super::redirect::{RedirectKind, RedirectUri};
use super::redirect_fault::{RedirectFault, is_copilot_studio};
use crate::keyring::KeyRing;
use crate::model::visible::line;
use crate::oauth::error::RegistrationError;
use crate::oauth::secret::hash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

const PREFIX: &str = "sbmcp_client_";
const USAGE: &str = "client registration";
/// Length of the MAC in an id, in bytes.
const TAG_LENGTH: usize = 16;
/// Characters of a redirect URI's hash in an id: 96 bits.
const REDIRECT_HASH_LENGTH: usize = 16;
const MAX_REDIRECT_URIS: usize = 10;
const MAX_NAME_CHARACTERS: usize = 200;
/// Characters of the name that an id carries; bounds the id below [`ClientId::MAX_LENGTH`].
const KEPT_NAME_BYTES: usize = 60;
const DANGEROUS_SCHEMES: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];

/// A registration, parsed from its client id.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// Self-declared and therefore not verified.
    #[serde(rename = "n")]
    pub name: String,
    /// Hashes of the redirect URIs without their ports.
    #[serde(rename = "r")]
    redirects: Vec<String>,
}

impl RegisteredClient {
    /// Returns whether the id has the form of an id issued here.
    pub fn looks_like_one(id: &ClientId) -> bool {
        id.as_str().starts_with(PREFIX)
    }

    /// Parses an id issued here; `None` unless its MAC was made with a key of this ring.
    pub fn parse(id: &ClientId, ring: &KeyRing) -> Option<Self> {
        let (payload, tag) = id.as_str().strip_prefix(PREFIX)?.split_once('.')?;
        let tag: [u8; TAG_LENGTH] = URL_SAFE_NO_PAD.decode(tag).ok()?.try_into().ok()?;
        let is_ours = |key| ring.mac(key, USAGE, &[payload.as_bytes()])[..TAG_LENGTH].ct_eq(&tag).into();
        if !ring.iter().any(is_ours) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// Returns whether the redirect URI is a registered one, on whatever port. A registered `localhost` includes 127.0.0.1 and
    /// `[::1]`, because clients change between them: both addresses are always this computer, so the code reaches nobody whom
    /// `localhost` could not reach. Not the other way around: a name server or hosts file may lead `localhost` elsewhere
    /// (RFC 8252 8.3).
    pub fn allows(&self, redirect_uri: &RedirectUri) -> bool {
        let texts = [Some(redirect_uri.without_port()), redirect_uri.at_localhost()];
        texts.into_iter().flatten().any(|text| self.redirects.contains(&redirect_hash(&text)))
    }

    fn issue(&self, ring: &KeyRing) -> String {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("strings are JSON"));
        let tag = ring.mac(ring.newest(), USAGE, &[payload.as_bytes()]);
        format!("{PREFIX}{payload}.{}", URL_SAFE_NO_PAD.encode(&tag[..TAG_LENGTH]))
    }
}

fn redirect_hash(uri_without_port: &str) -> String {
    hash(uri_without_port).as_str().chars().take(REDIRECT_HASH_LENGTH).collect()
}

/// Handles a registration request; returns the client's metadata, including `client_id` (RFC 7591 3.2.1).
pub fn register(body: &[u8], ring: &KeyRing, issued_at: i64) -> Result<Value, RegistrationError> {
    let request: RegistrationRequest = serde_json::from_slice(body).map_err(|_| RegistrationError::Malformed)?;
    let name = request.client_name.unwrap_or_default();
    if name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(RegistrationError::ClientName);
    }
    if request.grant_types.is_some_and(|types| !types.iter().any(|kind| kind == "authorization_code")) {
        return Err(RegistrationError::GrantTypes);
    }
    let redirects = acceptable(&addresses(request.redirect_uris)?)?;
    let kept = RegisteredClient {
        name: plain_name(&name)?,
        redirects: redirects.iter().map(|uri| redirect_hash(&uri.without_port())).collect(),
    };
    Ok(json!({
        "client_id": kept.issue(ring),
        "client_id_issued_at": issued_at,
        "client_name": kept.name,
        "redirect_uris": redirects.iter().map(RedirectUri::as_str).collect::<Vec<_>>(),
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
    }))
}

/// The members that are read; all others are ignored, including `scope` (RFC 7591 2).
#[derive(Deserialize)]
struct RegistrationRequest {
    redirect_uris: Option<Value>,
    client_name: Option<String>,
    grant_types: Option<Vec<String>>,
}

/// Parsed apart from the other members, because their errors have their own code (RFC 7591 3.2.2).
fn addresses(redirect_uris: Option<Value>) -> Result<Vec<String>, RegistrationError> {
    let Some(uris) = redirect_uris else { return Ok(Vec::new()) };
    serde_json::from_value(uris).map_err(|_| RegistrationError::RedirectUris)
}

/// Keeps loopback URIs and drops all others, which could never be used with the new id.
fn acceptable(uris: &[String]) -> Result<Vec<RedirectUri>, RegistrationError> {
    if uris.is_empty() || uris.len() > MAX_REDIRECT_URIS || uris.iter().any(|uri| uri.len() > RedirectUri::MAX_LENGTH) {
        return Err(RegistrationError::RedirectUris);
    }
    if uris.iter().any(|uri| has_dangerous_scheme(uri)) {
        return Err(RegistrationError::DangerousScheme);
    }
    let parsed = uris.iter().filter_map(|uri| RedirectUri::parse(uri));
    let kept: Vec<_> =
        parsed.filter(|uri| uri.kind() == RedirectKind::Loopback && !uri.has_answer_parameter()).collect();
    if kept.is_empty() { Err(RegistrationError::NoneAcceptable(fault(&uris[0]))) } else { Ok(kept) }
}

/// Finds why a redirect URI cannot be registered.
fn fault(uri: &str) -> RedirectFault {
    match RedirectUri::parse(uri) {
        None => RedirectFault::of_text(uri),
        Some(uri) if uri.has_answer_parameter() => RedirectFault::AnswerParameter,
        Some(uri) if is_copilot_studio(&uri.host()) => RedirectFault::CopilotStudio,
        Some(_) => RedirectFault::RegisteredWeb,
    }
}

/// Reads the scheme as browsers do: they skip leading blanks and drop tabs and line breaks anywhere.
fn has_dangerous_scheme(uri: &str) -> bool {
    let visible: String = uri.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let scheme = visible.split(':').next().unwrap_or_default().to_ascii_lowercase();
    DANGEROUS_SCHEMES.contains(&scheme.as_str())
}

/// The name as one visible line, truncated to fit into an id. A name is optional (RFC 7591 2); a given one must be
/// visible.
pub(super) fn plain_name(name: &str) -> Result<String, RegistrationError> {
    if name.is_empty() {
        return Ok("An app without a name".to_owned());
    }
    let words = line(name, MAX_NAME_CHARACTERS);
    let end = (0..=words.len().min(KEPT_NAME_BYTES)).rev().find(|at| words.is_char_boundary(*at)).unwrap_or(0);
    let kept = words[..end].trim_end();
    if kept.chars().any(char::is_alphanumeric) { Ok(kept.to_owned()) } else { Err(RegistrationError::HiddenClientName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> KeyRing {
        KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring")
    }

    fn check(body: &Value) -> Result<Value, RegistrationError> {
        register(body.to_string().as_bytes(), &ring(), 7)
    }

    fn issued(body: &Value) -> (ClientId, RegisteredClient) {
        let answer = check(body).expect("accepted");
        let id = ClientId::parse(answer["client_id"].as_str().expect("text")).expect("within the length limit");
        let registered = RegisteredClient::parse(&id, &ring()).expect("ours");
        (id, registered)
    }

    #[test]
    fn a_registered_loopback_uri_works_on_any_port_and_no_other_path_or_host() {
        let (_, registered) =
            issued(&json!({"redirect_uris": ["http://localhost:3118/callback"], "client_name": "Inspector"}));
        let allows = |uri: &str| registered.allows(&RedirectUri::parse(uri).expect("fits"));
        assert!(allows("http://localhost:9999/callback"));
        assert!(allows("http://127.0.0.1:3118/callback") && allows("http://[::1]:3118/callback"));
        assert!(!allows("http://127.0.0.2:3118/callback") && !allows("http://127.0.0.1:3118/other"));
        assert!(!allows("http://localhost:3118/other"));
        assert!(!allows("http://localhost:3118/callback?x=1"));
    }

    #[test]
    fn a_registered_address_does_not_include_the_name_localhost() {
        let (_, registered) = issued(&json!({"redirect_uris": ["http://127.0.0.1:3118/callback"]}));
        let allows = |uri: &str| registered.allows(&RedirectUri::parse(uri).expect("fits"));
        assert!(allows("http://127.0.0.1:9999/callback"));
        assert!(!allows("http://localhost:3118/callback") && !allows("http://[::1]:3118/callback"));
    }

    #[test]
    fn a_mixed_list_keeps_what_can_work() {
        let answer = check(&json!({"redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback"
        ]}))
        .expect("accepted");
        assert_eq!(answer["redirect_uris"], json!(["http://localhost:8787/callback"]));
        assert_eq!(answer["token_endpoint_auth_method"], "none");
        assert!(answer.get("client_secret").is_none());
    }

    #[test]
    fn invalid_registration_is_refused_with_its_error_code() {
        let refused = |body: Value| check(&body).expect_err("refused").code();
        assert_eq!(refused(json!([])), "invalid_client_metadata");
        assert_eq!(refused(json!({"redirect_uris": "http://localhost/"})), "invalid_redirect_uri");
        assert_eq!(
            refused(json!({"redirect_uris": ["http://localhost/"], "client_name": "x".repeat(201)})),
            "invalid_client_metadata"
        );
        assert_eq!(
            refused(json!({"redirect_uris": ["http://localhost/"], "grant_types": ["client_credentials"]})),
            "invalid_client_metadata"
        );
        for uris in [
            json!([]),
            json!(["https://acme.example/cb"]),
            json!(["javascript:alert(1)", "http://localhost/"]),
            json!([" JaVa\tScript:alert(1)", "http://localhost/"]),
            json!(vec!["http://localhost/"; 11]),
            json!(["x".repeat(2049), "http://localhost/"]),
        ] {
            assert_eq!(refused(json!({"redirect_uris": uris})), "invalid_redirect_uri");
        }
        assert_eq!(refused(json!({})), "invalid_redirect_uri");
        let uri = |length: usize| json!({"redirect_uris": [format!("http://localhost/{}", "p".repeat(length - 17))]});
        assert!(check(&uri(2048)).is_ok());
        assert_eq!(refused(uri(2049)), "invalid_redirect_uri");
    }

    #[test]
    fn redirect_uri_that_cannot_be_registered_has_its_own_fault() {
        let refused = |uri: &str| check(&json!({ "redirect_uris": [uri] }));
        let fault = RegistrationError::NoneAcceptable;
        let connector = "https://global.consent.azure-apim.net/redirect/acme";
        assert_eq!(refused(connector), Err(fault(RedirectFault::CopilotStudio)));
        assert_eq!(refused("https://acme.example/cb"), Err(fault(RedirectFault::RegisteredWeb)));
        assert_eq!(refused("http://localhost/cb?code=1"), Err(fault(RedirectFault::AnswerParameter)));
    }

    #[test]
    fn modified_id_or_id_of_another_environment_is_rejected() {
        let (id, _) = issued(&json!({"redirect_uris": ["http://localhost/cb"]}));
        let elsewhere = KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "other").expect("a good ring");
        assert_eq!(RegisteredClient::parse(&id, &elsewhere), None);
        let changed = id.as_str().replacen('e', "f", 1);
        assert_eq!(RegisteredClient::parse(&ClientId::parse(&changed).expect("fits"), &ring()), None);
    }

    #[test]
    fn the_largest_registration_still_fits_an_id() {
        let uris: Vec<String> = (0..10).map(|n| format!("http://localhost/{n}/{}", "p".repeat(2000))).collect();
        let (id, registered) = issued(&json!({"redirect_uris": uris, "client_name": "é".repeat(200)}));
        assert!(id.as_str().len() <= ClientId::MAX_LENGTH);
        assert_eq!(registered.redirects.len(), 10);
    }

    #[test]
    fn a_name_cannot_disguise_itself() {
        let plain = |name: &str| plain_name(name).ok();
        assert_eq!(plain("Stati\u{202e}Beat\u{200b}\n Official ").as_deref(), Some("StatiBeat Official"));
        assert_eq!(plain("").as_deref(), Some("An app without a name"));
        for hidden in
            ["\u{7}", " ", "\u{3164}\u{3164}", "\u{2800}", "\u{200b}\u{e0041}", "\u{ad}", "\u{301}", "\u{200d}\n"]
        {
            assert_eq!(plain(hidden), None, "{hidden:?}");
        }
    }
}
