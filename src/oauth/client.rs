//! Identifies clients and validates their redirect URIs (RFC 6749 2 and 3.1.2, RFC 8252 7.3).
//!
//! An https redirect URI is accepted only if the operator listed the pair of client id and URI, compared byte by byte.
//! An http loopback redirect URI is accepted from any client, on any port; its client is shown as unverified unless its
//! id proves more. Identifying a client makes no request.

pub mod allowed;
mod id;
mod preregistered;
pub mod redirect;
pub mod redirect_fault;
pub mod refused;
pub mod registration;

pub use id::ClientId;

use crate::keyring::KeyRing;
use crate::oauth::error::DirectError;
use allowed::AllowedRedirects;
use redirect::{RedirectKind, RedirectUri};
use redirect_fault::RedirectFault;
use registration::RegisteredClient;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// The trust in a client's identity, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum ClientTrust {
    /// The operator listed this client with this redirect URI.
    Listed,
    /// A preregistered public client that listens at its known path. Any program on the person's computer could claim
    /// this.
    Preregistered,
    /// A loopback client that registered here with a self-declared name.
    Registered,
    /// A loopback client with an unknown id.
    Unverified,
}

impl ClientTrust {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Returns whether the client's name is verified by the operator or by our table.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Listed | Self::Preregistered)
    }
}

/// A client of one authorization request, with its validated redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedClient {
    pub id: ClientId,
    /// Display name; self-declared unless `trust` says otherwise.
    pub name: String,
    pub trust: ClientTrust,
    pub redirect_uri: RedirectUri,
}

/// Ids of clients whose model sees tools, but neither resources nor prompts, and that use a metadata document. Claude Desktop connects through Claude's servers.
const TOOL_ONLY_IDS: [&str; 3] = [
    "https://claude.ai/oauth/mcp-oauth-client-metadata",
    "https://chatgpt.com/oauth/client.json",
    "https://github.com/copilot/cli/client-metadata.json",
];
/// Names of the same clients when they register. A self-declared name counts as well as an id: resource tools allow nothing beyond the
/// granted scopes.
const TOOL_ONLY_NAMES: [&str; 6] =
    ["Claude", "Claude Desktop", "Claude.ai", "ChatGPT", "Copilot CLI", "GitHub Copilot CLI"];

impl ResolvedClient {
    /// Returns whether the client is known to support only tools; the consent page proposes the resource tools to it.
    pub fn is_tool_only(&self) -> bool {
        TOOL_ONLY_IDS.contains(&self.id.as_str())
            || TOOL_ONLY_NAMES.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// The client's website, as its vendor's metadata document names it. Only of clients whose document was compared by hand: what a
    /// client says of itself could be anybody's site.
    pub fn site(&self) -> Option<&'static str> {
        preregistered::find(&self.id).and_then(|known| known.site)
    }
}

/// The clients that this server can identify without a request or a query.
pub struct Clients<'a> {
    pub allowed: &'a AllowedRedirects,
    /// Key ring that verifies registered ids.
    pub registrations: &'a KeyRing,
    /// True if a loopback client may come with an id that is not listed, preregistered, registered here or the URL of a client's
    /// metadata document.
    pub accepts_unverified: bool,
}

impl Clients<'_> {
    /// Validates the client id and redirect URI. Until this succeeds, nothing may redirect.
    pub fn resolve(&self, client_id: &str, redirect_uri: &str) -> Result<ResolvedClient, DirectError> {
        let id = ClientId::parse(client_id).ok_or(DirectError::ClientId)?;
        let redirect_uri = RedirectUri::parse(redirect_uri)
            .ok_or_else(|| DirectError::RedirectUri(RedirectFault::of_text(redirect_uri)))?;
        if self.allowed.contains(&id, &redirect_uri) {
            let name = verified_name(&id);
            return Ok(ResolvedClient { id, name, trust: ClientTrust::Listed, redirect_uri });
        }
        if redirect_uri.has_answer_parameter() {
            return Err(DirectError::RedirectUri(RedirectFault::AnswerParameter));
        }
        if redirect_uri.kind() == RedirectKind::Web {
            return Err(DirectError::RedirectUri(RedirectFault::of_web(
                &redirect_uri,
                RegisteredClient::looks_like_one(&id),
            )));
        }
        let (name, trust) = self.identify_on_loopback(&id, &redirect_uri)?;
        Ok(ResolvedClient { id, name, trust, redirect_uri })
    }

    fn identify_on_loopback(
        &self,
        id: &ClientId,
        redirect_uri: &RedirectUri,
    ) -> Result<(String, ClientTrust), DirectError> {
        if let Some(known) = preregistered::find(id) {
            let fits = known.listens_at(redirect_uri);
            return if fits {
                Ok((known.name.to_owned(), ClientTrust::Preregistered))
            } else {
                Err(DirectError::RedirectUri(RedirectFault::OtherLoopback))
            };
        }
        if RegisteredClient::looks_like_one(id) {
            let registered = RegisteredClient::parse(id, self.registrations).ok_or(DirectError::ClientIdForged)?;
            let fits = registered.allows(redirect_uri);
            return if fits {
                Ok((registered.name, ClientTrust::Registered))
            } else {
                Err(DirectError::RedirectUri(RedirectFault::OtherRegistration))
            };
        }
        let name = id.as_str().chars().take(LONGEST_NAME).collect();
        // Clients don't fall back to registration when the metadata says that their own document is enough, and registration
        // would prove nothing more about them.
        let is_accepted = self.accepts_unverified || id.is_metadata_document();
        if is_accepted { Ok((name, ClientTrust::Unverified)) } else { Err(DirectError::ClientUnknown) }
    }

    /// Parses a client id; `None` if it is malformed, or imitates the ids that are registered here (RFC 6749 5.2
    /// `invalid_client`).
    pub fn parse_client_id(&self, client_id: &str) -> Option<ClientId> {
        let id = ClientId::parse(client_id)?;
        let is_forged =
            RegisteredClient::looks_like_one(&id) && RegisteredClient::parse(&id, self.registrations).is_none();
        (!is_forged).then_some(id)
    }
}

/// Maximum length of a name derived from an id, in characters.
const LONGEST_NAME: usize = 60;

/// Name of a listed client: the name in our table, or the host of an https id. An unverified id is never shortened to
/// its host, because the host may not be the client's.
fn verified_name(id: &ClientId) -> String {
    if let Some(known) = preregistered::find(id) {
        return known.name.to_owned();
    }
    let host = url::Url::parse(id.as_str())
        .ok()
        .filter(|url| url.scheme() == "https")
        .and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| id.as_str().chars().take(LONGEST_NAME).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, client_id: &str, redirect_uri: &str) -> Result<ClientTrust, DirectError> {
        resolve(list, true, client_id, redirect_uri).map(|client| client.trust)
    }

    fn resolve(
        list: &str,
        accepts_unverified: bool,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<ResolvedClient, DirectError> {
        let registrations =
            KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
        let (allowed, _) = AllowedRedirects::parse(list);
        let clients = Clients { allowed: &allowed, registrations: &registrations, accepts_unverified };
        clients.resolve(client_id, redirect_uri)
    }

    const LIST: &str =
        "https://claude.ai/oauth/meta=https://claude.ai/api/mcp/auth_callback, acme?x=1=https://acme.example/cb";

    #[test]
    fn each_trust_has_its_stored_word_and_two_of_them_verify_the_name() {
        for (trust, word, is_verified) in [
            (ClientTrust::Listed, "listed", true),
            (ClientTrust::Preregistered, "preregistered", true),
            (ClientTrust::Registered, "registered", false),
            (ClientTrust::Unverified, "unverified", false),
        ] {
            assert_eq!((trust.as_str(), trust.is_verified()), (word, is_verified));
        }
    }

    #[test]
    fn site_is_that_of_the_preregistered_client_and_of_no_other() {
        let site = |client_id| resolve("", true, client_id, "http://127.0.0.1:1/callback").map(|client| client.site());
        assert_eq!(site("https://claude.ai/oauth/claude-code-client-metadata"), Ok(Some("https://claude.ai/")));
        assert_eq!(site("tool"), Ok(None));
    }

    #[test]
    fn a_listed_pair_is_configured() {
        assert_eq!(
            check(LIST, "https://claude.ai/oauth/meta", "https://claude.ai/api/mcp/auth_callback"),
            Ok(ClientTrust::Listed)
        );
        assert_eq!(check(LIST, "acme?x=1", "https://acme.example/cb"), Ok(ClientTrust::Listed));
    }

    #[test]
    fn an_https_redirect_that_is_not_listed_for_this_client_is_refused() {
        let unlisted = Err(DirectError::RedirectUri(RedirectFault::Unlisted));
        assert_eq!(check(LIST, "acme?x=1", "https://claude.ai/api/mcp/auth_callback"), unlisted);
        assert_eq!(check(LIST, "acme?x=1", "https://acme.example/cb/"), unlisted);
        assert_eq!(check(LIST, "acme?x=1", "https://acme.example/cb?a=1"), unlisted);
        assert_eq!(check("", "acme?x=1", "https://acme.example/cb"), unlisted);
    }

    #[test]
    fn loopback_works_for_any_client_on_any_port() {
        for uri in [
            "http://localhost:33418/",
            "http://127.0.0.1:1/callback",
            "http://127.9.9.9:8080/x?y=1",
            "http://[::1]:9/cb",
        ] {
            assert_eq!(check("", "some-tool", uri), Ok(ClientTrust::Unverified), "{uri}");
        }
    }

    #[test]
    fn an_id_that_only_looks_registered_is_forged() {
        assert_eq!(check("", "sbmcp_client_abc.def", "http://localhost:1/cb"), Err(DirectError::ClientIdForged));
    }

    const CODE: &str = "https://claude.ai/oauth/claude-code-client-metadata";

    #[test]
    fn a_pinned_client_is_known_where_it_listens_and_refused_elsewhere() {
        assert_eq!(check("", CODE, "http://localhost:3118/callback"), Ok(ClientTrust::Preregistered));
        assert_eq!(
            check("", CODE, "http://localhost:3118/x"),
            Err(DirectError::RedirectUri(RedirectFault::OtherLoopback))
        );
        assert_eq!(
            check("", CODE, "https://claude.ai/callback"),
            Err(DirectError::RedirectUri(RedirectFault::Unlisted))
        );
    }

    #[test]
    fn only_verified_client_is_shown_with_a_name_or_host() {
        let name = |id: &str, uri: &str| resolve(LIST, true, id, uri).expect("accepted").name;
        assert_eq!(name(CODE, "http://localhost:1/callback"), "Claude Code");
        assert_eq!(name("https://claude.ai/oauth/meta", "https://claude.ai/api/mcp/auth_callback"), "claude.ai");
        assert_eq!(name("https://claude.ai/oauth/evil", "http://localhost:1/cb"), "https://claude.ai/oauth/evil");
        assert_eq!(name(&"x".repeat(100), "http://localhost:1/cb").len(), LONGEST_NAME);
    }

    #[test]
    fn listed_client_is_named_by_its_host_only_if_its_id_is_an_https_url() {
        for (id, expected) in [
            ("https://acme.example/app", "acme.example"),
            ("http://acme.example/app", "http://acme.example/app"),
            (CODE, "Claude Code"),
            (&"x".repeat(100), &"x".repeat(LONGEST_NAME)),
        ] {
            let client = resolve(&format!("{id}=https://acme.example/cb"), true, id, "https://acme.example/cb");
            assert_eq!(client.map(|client| client.name).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn unverified_client_id_is_refused_if_the_operator_disallows_it() {
        let strict = |id: &str, uri: &str| resolve(LIST, false, id, uri).map(|client| client.trust);
        assert_eq!(strict("some-tool", "http://localhost:1/cb"), Err(DirectError::ClientUnknown));
        assert_eq!(strict("https://app.example/meta.json", "http://localhost:1/cb"), Ok(ClientTrust::Unverified));
        assert_eq!(strict("https://app.example", "http://localhost:1/cb"), Err(DirectError::ClientUnknown));
        let web = strict("https://app.example/meta.json", "https://app.example/cb");
        assert_eq!(web, Err(DirectError::RedirectUri(RedirectFault::Unlisted)));
        assert_eq!(strict(CODE, "http://localhost:1/callback"), Ok(ClientTrust::Preregistered));
        assert_eq!(strict("acme?x=1", "https://acme.example/cb"), Ok(ClientTrust::Listed));
    }
}
