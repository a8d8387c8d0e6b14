//! Clients: who they say they are and where answers may go (RFC 6749 2 and 3.1.2, RFC 8252 7.3).
//!
//! An https redirect URI works only for a pair that the operator listed, compared byte by byte. An http loopback
//! redirect URI works for any client, on any port; its client is shown as unverified unless the pair proves more.
//! Nothing is ever fetched to learn about a client.

pub mod allowed;
pub mod diagnosis;

use crate::keyring::KeyRing;
use crate::model::serde_as_text;
use crate::oauth::error::ShownToPerson;
use crate::oauth::known_clients;
use crate::oauth::redirect::{RedirectKind, RedirectUri};
use crate::oauth::registration::Registered;
use allowed::AllowedRedirects;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The `client_id` of an MCP application: 1 to 512 printable ASCII characters (RFC 6749 appendix A.1), no blank at either
/// end. StatiBeat reads the id in a header, and HTTP drops the blanks around a header's value (RFC 9110 5.5): another id
/// would arrive there as this one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Longest accepted, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// Checks the shape only; whether such a client is acceptable is another question.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        (fits && text.trim() == text).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

serde_as_text!(ClientId);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much is known of a client, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// The operator listed this client with this redirect URI.
    Configured,
    /// It is in our table of public clients and listens where that client listens. On this computer any program could
    /// say so.
    Known,
    /// It named itself here and comes from this computer; nobody vouches for it.
    Registered,
    /// It comes from this computer; nothing else is known.
    Unverified,
}

impl Standing {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Known => "known",
            Self::Registered => "registered",
            Self::Unverified => "unverified",
        }
    }

    /// Reads the stored word back.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Configured, Self::Known, Self::Registered, Self::Unverified];
        all.into_iter().find(|standing| standing.as_str() == text)
    }

    /// Whether somebody other than the client vouches for its name.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Configured | Self::Known)
    }
}

/// A client of one authorization request, with a redirect URI proven to be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    /// For people; self-declared unless the standing says otherwise.
    pub name: String,
    /// How much is known of it.
    pub standing: Standing,
    pub redirect_uri: RedirectUri,
}

/// What is known about clients without asking anybody.
pub struct Clients<'a> {
    pub allowed: &'a AllowedRedirects,
    /// Proves ids that were registered here.
    pub registrations: &'a KeyRing,
    /// Whether a loopback client may come with an id that is not listed, pinned or registered here.
    pub accepts_unverified: bool,
}

impl Clients<'_> {
    /// Proves that the redirect URI is the client's own. Order matters: nothing before this may redirect.
    pub fn resolve(&self, client_id: &str, redirect_uri: &str) -> Result<Client, ShownToPerson> {
        let id = ClientId::parse(client_id).ok_or(ShownToPerson::ClientId)?;
        let redirect_uri = RedirectUri::parse(redirect_uri).ok_or(ShownToPerson::RedirectUriShape)?;
        if self.allowed.contains(&id, &redirect_uri) {
            let name = verified_name(&id);
            return Ok(Client { id, name, standing: Standing::Configured, redirect_uri });
        }
        if redirect_uri.kind() == RedirectKind::Web || redirect_uri.has_answer_parameter() {
            return Err(ShownToPerson::RedirectUriUnlisted);
        }
        let (name, standing) = self.recognize_on_loopback(&id, &redirect_uri)?;
        Ok(Client { id, name, standing, redirect_uri })
    }

    fn recognize_on_loopback(
        &self,
        id: &ClientId,
        redirect_uri: &RedirectUri,
    ) -> Result<(String, Standing), ShownToPerson> {
        let unlisted = ShownToPerson::RedirectUriUnlisted;
        if let Some(known) = known_clients::find(id) {
            let fits = known.listens_at(redirect_uri);
            return if fits { Ok((known.name.to_owned(), Standing::Known)) } else { Err(unlisted) };
        }
        if Registered::looks_like_one(id) {
            let registered = Registered::recognize(id, self.registrations).ok_or(ShownToPerson::ClientIdForged)?;
            let fits = registered.allows(redirect_uri);
            return if fits { Ok((registered.name, Standing::Registered)) } else { Err(unlisted) };
        }
        let name = id.as_str().chars().take(LONGEST_NAME).collect();
        if self.accepts_unverified { Ok((name, Standing::Unverified)) } else { Err(ShownToPerson::ClientUnknown) }
    }

    /// Whether a client of that id could hold a code or token of ours at all (RFC 6749 5.2 `invalid_client`).
    pub fn could_be_ours(&self, client_id: &str) -> Option<ClientId> {
        let id = ClientId::parse(client_id)?;
        let is_forged = Registered::looks_like_one(&id) && Registered::recognize(&id, self.registrations).is_none();
        (!is_forged).then_some(id)
    }
}

/// Longest name made from an id, in characters.
const LONGEST_NAME: usize = 60;

/// The name of a client that the operator vouches for: our table's, or the host of a URL id. An id that nobody vouches for
/// is never shortened to a host that it may have no right to.
fn verified_name(id: &ClientId) -> String {
    if let Some(known) = known_clients::find(id) {
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

    fn check(list: &str, client_id: &str, redirect_uri: &str) -> Result<Standing, ShownToPerson> {
        resolve(list, true, client_id, redirect_uri).map(|client| client.standing)
    }

    fn resolve(
        list: &str,
        accepts_unverified: bool,
        client_id: &str,
        redirect_uri: &str,
    ) -> Result<Client, ShownToPerson> {
        let registrations =
            KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
        let (allowed, _) = AllowedRedirects::parse(list);
        let clients = Clients { allowed: &allowed, registrations: &registrations, accepts_unverified };
        clients.resolve(client_id, redirect_uri)
    }

    #[test]
    fn client_id_is_1_to_512_printable_characters_without_a_blank_at_either_end() {
        for good in ["a", "a b", &"x".repeat(512), "~!"] {
            assert_eq!(ClientId::parse(good).expect("fits").to_string(), good);
        }
        for bad in ["", " ", "   ", &"x".repeat(513), "a\tb", "a\u{7f}", "é", " a", "a ", "\ta", "a\u{a0}", "\u{200b}a"]
        {
            assert_eq!(ClientId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_standing_reads_back_and_only_two_of_them_vouch_for_a_name() {
        let all = [Standing::Configured, Standing::Known, Standing::Registered, Standing::Unverified];
        assert_eq!(all.map(Standing::as_str), ["configured", "known", "registered", "unverified"]);
        assert_eq!(all.map(|standing| Standing::parse(standing.as_str())), all.map(Some));
        assert_eq!(Standing::parse("trusted"), None);
        assert_eq!(all.map(Standing::is_verified), [true, true, false, false]);
    }

    const LIST: &str =
        "https://claude.ai/oauth/meta=https://claude.ai/api/mcp/auth_callback, acme?x=1=https://acme.example/cb";

    #[test]
    fn a_listed_pair_is_configured() {
        assert_eq!(
            check(LIST, "https://claude.ai/oauth/meta", "https://claude.ai/api/mcp/auth_callback"),
            Ok(Standing::Configured)
        );
        assert_eq!(check(LIST, "acme?x=1", "https://acme.example/cb"), Ok(Standing::Configured));
    }

    #[test]
    fn an_https_redirect_that_is_not_listed_for_this_client_is_refused() {
        let unlisted = Err(ShownToPerson::RedirectUriUnlisted);
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
            assert_eq!(check("", "some-tool", uri), Ok(Standing::Unverified), "{uri}");
        }
    }

    #[test]
    fn an_id_that_only_looks_registered_is_forged() {
        assert_eq!(check("", "sbmcp_client_abc.def", "http://localhost:1/cb"), Err(ShownToPerson::ClientIdForged));
    }

    const CODE: &str = "https://claude.ai/oauth/claude-code-client-metadata";

    #[test]
    fn a_pinned_client_is_known_where_it_listens_and_refused_elsewhere() {
        assert_eq!(check("", CODE, "http://localhost:3118/callback"), Ok(Standing::Known));
        assert_eq!(check("", CODE, "http://localhost:3118/x"), Err(ShownToPerson::RedirectUriUnlisted));
        assert_eq!(check("", CODE, "https://claude.ai/callback"), Err(ShownToPerson::RedirectUriUnlisted));
    }

    #[test]
    fn only_somebody_who_is_vouched_for_is_shown_under_a_name_or_a_host() {
        let name = |id: &str, uri: &str| resolve(LIST, true, id, uri).expect("accepted").name;
        assert_eq!(name(CODE, "http://localhost:1/callback"), "Claude Code");
        assert_eq!(name("https://claude.ai/oauth/meta", "https://claude.ai/api/mcp/auth_callback"), "claude.ai");
        assert_eq!(name("https://claude.ai/oauth/evil", "http://localhost:1/cb"), "https://claude.ai/oauth/evil");
        assert_eq!(name(&"x".repeat(100), "http://localhost:1/cb").len(), LONGEST_NAME);
    }

    #[test]
    fn an_operator_may_refuse_ids_that_nobody_knows() {
        let strict = |id: &str, uri: &str| resolve(LIST, false, id, uri).map(|client| client.standing);
        assert_eq!(strict("some-tool", "http://localhost:1/cb"), Err(ShownToPerson::ClientUnknown));
        assert_eq!(strict(CODE, "http://localhost:1/callback"), Ok(Standing::Known));
        assert_eq!(strict("acme?x=1", "https://acme.example/cb"), Ok(Standing::Configured));
    }
}
