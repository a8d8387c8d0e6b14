//! Clients: who they say they are and where answers may go (RFC 6749 2 and 3.1.2, RFC 8252 7.3).
//!
//! An https redirect URI works only for a pair that the operator listed, compared byte by byte. An http loopback
//! redirect URI works for any client, on any port; its client is shown as unverified unless the pair proves more.
//! Nothing is ever fetched to learn about a client.

use crate::keyring::KeyRing;
use crate::oauth::error::ShownToPerson;
use crate::oauth::redirect::{RedirectKind, RedirectUri};
use crate::oauth::registration::Registered;
use std::fmt;

/// The `client_id` of an MCP application: 1 to 512 printable ASCII characters (RFC 6749 appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Longest accepted, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// Checks the shape only; whether such a client is acceptable is another question.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// As sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much is known of a client, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The operator listed this client with this redirect URI.
    Configured,
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
            Self::Registered => "registered",
            Self::Unverified => "unverified",
        }
    }

    /// Reads the stored word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Configured, Self::Registered, Self::Unverified].into_iter().find(|standing| standing.as_str() == text)
    }

    /// Whether somebody other than the client vouches for it.
    pub const fn is_verified(self) -> bool {
        matches!(self, Self::Configured)
    }
}

/// A client of one authorization request, with a redirect URI proven to be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Who.
    pub id: ClientId,
    /// For people; self-declared unless the standing says otherwise.
    pub name: String,
    /// How much is known of it.
    pub standing: Standing,
    /// Where its answer goes.
    pub redirect_uri: RedirectUri,
}

/// The operator's list: exact pairs.
#[derive(Clone, Debug, Default)]
pub struct AllowedRedirects(Vec<(ClientId, RedirectUri)>);

/// An entry of the operator's list that cannot work, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    /// As written.
    pub entry: String,
    /// What is wrong with it and how to mend it.
    pub reason: &'static str,
}

impl AllowedRedirects {
    /// Reads `client_id=redirect_uri` entries separated by commas or white space. A bad entry is left out and reported;
    /// it never widens anything.
    pub fn parse(text: &str) -> (Self, Vec<BadEntry>) {
        let (mut pairs, mut bad) = (Vec::new(), Vec::new());
        for entry in text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty()) {
            match parse_entry(entry) {
                Ok(pair) => pairs.push(pair),
                Err(reason) => bad.push(BadEntry { entry: entry.to_owned(), reason }),
            }
        }
        (Self(pairs), bad)
    }

    /// Whether the operator listed exactly this pair.
    pub fn contains(&self, client_id: &ClientId, redirect_uri: &RedirectUri) -> bool {
        self.0.iter().any(|(id, uri)| id == client_id && uri == redirect_uri)
    }

    /// The pairs, in the operator's order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClientId, &RedirectUri)> {
        self.0.iter().map(|(client_id, redirect_uri)| (client_id, redirect_uri))
    }

    /// Whether a listed redirect URI lies on that web origin: then the operator means that site to connect.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.0.iter().any(|(_, uri)| uri.kind() == RedirectKind::Web && uri.origin() == origin)
    }
}

/// A client id may be a URL with a query, so the `=` that counts is the one in front of the redirect URI.
fn parse_entry(entry: &str) -> Result<(ClientId, RedirectUri), &'static str> {
    let mut splits = entry
        .match_indices('=')
        .filter(|(at, _)| entry[at + 1..].starts_with("https://") || entry[at + 1..].starts_with("http://"));
    let (Some((at, _)), None) = (splits.next(), splits.next()) else {
        return Err("is not client_id=redirect_uri with exactly one '=' before https:// or http://");
    };
    let client_id = ClientId::parse(&entry[..at]).ok_or("has no client_id of 1 to 512 printable characters")?;
    let redirect_uri = RedirectUri::parse(&entry[at + 1..])
        .ok_or("has a redirect URI that is not https, or is not written in its plain form: lower-case host, no default port, no '..', no user, no fragment")?;
    if redirect_uri.has_answer_parameter() {
        return Err("has a redirect URI whose query already has code, state, iss or error");
    }
    Ok((client_id, redirect_uri))
}

/// What is known about clients without asking anybody.
pub struct Clients<'a> {
    /// The operator's list.
    pub allowed: &'a AllowedRedirects,
    /// Proves ids that were registered here.
    pub registrations: &'a KeyRing,
}

impl Clients<'_> {
    /// Proves that the redirect URI is the client's own. Order matters: nothing before this may redirect.
    pub fn resolve(&self, client_id: &str, redirect_uri: &str) -> Result<Client, ShownToPerson> {
        let id = ClientId::parse(client_id).ok_or(ShownToPerson::ClientId)?;
        let redirect_uri = RedirectUri::parse(redirect_uri).ok_or(ShownToPerson::RedirectUriShape)?;
        if self.allowed.contains(&id, &redirect_uri) {
            let name = display_name(&id);
            return Ok(Client { id, name, standing: Standing::Configured, redirect_uri });
        }
        if redirect_uri.kind() == RedirectKind::Web || redirect_uri.has_answer_parameter() {
            return Err(ShownToPerson::RedirectUriUnlisted);
        }
        if !Registered::looks_like_one(&id) {
            let name = display_name(&id);
            return Ok(Client { id, name, standing: Standing::Unverified, redirect_uri });
        }
        let registered = Registered::recognize(&id, self.registrations).ok_or(ShownToPerson::ClientIdForged)?;
        if !registered.allows(&redirect_uri) {
            return Err(ShownToPerson::RedirectUriUnlisted);
        }
        Ok(Client { name: registered.name, id, standing: Standing::Registered, redirect_uri })
    }

    /// Whether a client of that id could hold a code or token of ours at all (RFC 6749 5.2 `invalid_client`).
    pub fn could_be_ours(&self, client_id: &str) -> Option<ClientId> {
        let id = ClientId::parse(client_id)?;
        let is_forged = Registered::looks_like_one(&id) && Registered::recognize(&id, self.registrations).is_none();
        (!is_forged).then_some(id)
    }
}

/// A URL client id is best known by its host; any other stands for itself, shortened.
fn display_name(id: &ClientId) -> String {
    let host = url::Url::parse(id.as_str())
        .ok()
        .filter(|url| url.scheme() == "https")
        .and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| id.as_str().chars().take(60).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, client_id: &str, redirect_uri: &str) -> Result<Standing, ShownToPerson> {
        let registrations =
            KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
        let (allowed, _) = AllowedRedirects::parse(list);
        let clients = Clients { allowed: &allowed, registrations: &registrations };
        clients.resolve(client_id, redirect_uri).map(|client| client.standing)
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

    #[test]
    fn bad_entries_are_left_out_and_reported_and_the_others_work() {
        let (allowed, bad) = AllowedRedirects::parse(
            "a=http://evil.example/cb b c=https://c.example/#x,, d=https://d.example/cb\te=https://e.example/?code=1 f=https://x=https://y",
        );
        let entries: Vec<&str> = bad.iter().map(|entry| entry.entry.as_str()).collect();
        assert_eq!(
            entries,
            [
                "a=http://evil.example/cb",
                "b",
                "c=https://c.example/#x",
                "e=https://e.example/?code=1",
                "f=https://x=https://y"
            ]
        );
        let d = (ClientId::parse("d").expect("fits"), RedirectUri::parse("https://d.example/cb").expect("fits"));
        assert!(allowed.contains(&d.0, &d.1));
    }

    #[test]
    fn a_url_client_id_is_known_by_its_host() {
        let name = |id: &str| display_name(&ClientId::parse(id).expect("fits"));
        assert_eq!(name("https://claude.ai/oauth/meta"), "claude.ai");
        assert_eq!(name("my-agent"), "my-agent");
        assert_eq!(name(&"x".repeat(100)).len(), 60);
    }
}
