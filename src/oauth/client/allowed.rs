//! The operator's allow-list of clients with https redirect URIs: exact pairs `client_id=redirect_uri`.
//!
//! The entry `known-clients` stands for the pairs of today's clients, so that every environment has the same ones without repeating them;
//! docs/clients.md says why each pair is among them and which are not.
//!
//! An invalid entry is reported with its reason and, if there is one, the corrected entry. It is ignored; the other
//! entries stay in effect.

use super::id::ClientId;
use super::redirect::{RedirectKind, RedirectUri};
use std::fmt;
use url::Url;

/// Stands for [`KNOWN_CLIENTS`] in a list.
const KNOWN_CLIENTS_ENTRY: &str = "known-clients";
/// The pairs of clients that run on their vendors' servers, each at the address that its vendor publishes.
const KNOWN_CLIENTS: &str = include_str!("known_clients.txt");

/// The valid entries of the allow-list.
#[derive(Clone, Debug, Default)]
pub struct AllowedRedirects(Vec<(ClientId, RedirectUri)>);

/// An entry that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    pub entry: String,
    pub reason: BadEntryReason,
    /// The corrected entry, if it is clear. Never applied automatically: the operator decides.
    pub correction: Option<String>,
}

/// The reason why an entry cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEntryReason {
    /// The `=` in front of the redirect URI is missing, or there are several.
    #[error("is neither known-clients nor client_id=redirect_uri with exactly one '=' before https:// or http://")]
    Shape,
    #[error("has no client_id of 1 to 512 printable characters")]
    ClientId,
    /// Plain http to a host that isn't loopback.
    #[error("has an http redirect URI that is not on a loopback address")]
    NotSecure,
    /// A fragment (`#…`), even an empty one.
    #[error("has a redirect URI with a fragment")]
    Fragment,
    #[error("has a redirect URI with a user name")]
    User,
    /// Not in the normal form that browsers use.
    #[error("has a redirect URI that is not written in its plain form: lower-case host, no default port, no '..'")]
    NotPlain,
    /// Not an address at all.
    #[error("has a redirect URI that is not an address")]
    NotAUri,
    /// Its query contains a parameter of the authorization response.
    #[error("has a redirect URI whose query already has code, state, iss or error")]
    AnswerParameter,
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the entry {:?} {}", self.entry, self.reason)?;
        match &self.correction {
            Some(correction) => write!(f, "; write {correction}"),
            None => Ok(()),
        }
    }
}

impl AllowedRedirects {
    /// Parses entries separated by commas or white space.
    pub fn parse(text: &str) -> (Self, Vec<BadEntry>) {
        let (mut pairs, mut bad) = (Vec::new(), Vec::new());
        let entries =
            split(text).flat_map(|entry| split(if entry == KNOWN_CLIENTS_ENTRY { KNOWN_CLIENTS } else { entry }));
        for entry in entries {
            match parse_entry(entry) {
                Ok(pair) => pairs.push(pair),
                Err((reason, correction)) => bad.push(BadEntry { entry: entry.to_owned(), reason, correction }),
            }
        }
        (Self(pairs), bad)
    }

    /// Returns whether the operator listed exactly this pair.
    pub fn contains(&self, client_id: &ClientId, redirect_uri: &RedirectUri) -> bool {
        self.0.iter().any(|(id, uri)| id == client_id && uri == redirect_uri)
    }

    /// The pairs, in the operator's order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClientId, &RedirectUri)> {
        self.0.iter().map(|(client_id, redirect_uri)| (client_id, redirect_uri))
    }

    /// Returns whether a listed redirect URI has this web origin, so that the site may call from a browser.
    pub fn has_origin(&self, origin: &str) -> bool {
        self.0.iter().any(|(_, uri)| uri.kind() == RedirectKind::Web && uri.origin() == origin)
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty())
}

type Wrong = (BadEntryReason, Option<String>);

/// Splits an entry at the `=` before the redirect URI: a client id may be a URL that contains `=`.
fn parse_entry(entry: &str) -> Result<(ClientId, RedirectUri), Wrong> {
    let mut splits = entry
        .match_indices('=')
        .filter(|(at, _)| entry[at + 1..].starts_with("https://") || entry[at + 1..].starts_with("http://"));
    let (Some((at, _)), None) = (splits.next(), splits.next()) else { return Err((BadEntryReason::Shape, None)) };
    let (client_id, uri) = (&entry[..at], &entry[at + 1..]);
    let id = ClientId::parse(client_id).ok_or((BadEntryReason::ClientId, None))?;
    let Some(redirect_uri) = RedirectUri::parse(uri) else {
        let (reason, corrected) = diagnose(uri);
        return Err((reason, corrected.map(|uri| format!("{client_id}={uri}"))));
    };
    if redirect_uri.has_answer_parameter() {
        return Err((BadEntryReason::AnswerParameter, None));
    }
    Ok((id, redirect_uri))
}

/// Returns the reason for refusing a redirect URI, and its normal form if that would be accepted.
fn diagnose(uri: &str) -> (BadEntryReason, Option<RedirectUri>) {
    let Ok(mut url) = Url::parse(uri) else { return (BadEntryReason::NotAUri, None) };
    let reason = match () {
        () if url.scheme() == "http" => BadEntryReason::NotSecure,
        () if uri.contains('#') => BadEntryReason::Fragment,
        () if !url.username().is_empty() || url.password().is_some() => BadEntryReason::User,
        () => BadEntryReason::NotPlain,
    };
    url.set_fragment(None);
    let is_mended = url.set_username("").and_then(|()| url.set_password(None)).is_ok();
    // Suggests https for a public http URI, but not for a look-alike of loopback.
    let is_public = url.domain().is_some_and(|name| name.contains('.'));
    let is_secure = url.scheme() == "https" || is_public && url.set_scheme("https").is_ok();
    let plain = if is_mended && is_secure { RedirectUri::parse(url.as_str()) } else { None };
    (reason, plain.filter(|uri| !uri.has_answer_parameter()))
}

#[cfg(test)]
mod tests;
