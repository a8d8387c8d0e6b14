//! Why a client's redirect URI was refused, and whether a line in the operator's list would be right.
//!
//! What is refused comes from anybody, so nothing of it is trusted: it is kept short, without what a URI can hide (user,
//! query, fragment, invisible characters) where it is not in its plain form, and a line to add is offered only when the list
//! would take it.

use super::ClientId;
use super::allowed::AllowedRedirects;
use crate::oauth::redirect::{RedirectKind, RedirectUri};
use crate::oauth::registration::Registered;
use url::Url;

/// Longest kept, in characters. Real redirect URIs are shorter.
const LONGEST: usize = 300;

/// A redirect URI that was refused, as far as it may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRedirect {
    /// Who asked.
    pub client_id: String,
    /// Where the answer was to go.
    pub redirect_uri: String,
}

/// What an operator can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Add this line, if the client is one to trust.
    Add(String),
    /// Nothing will make it work, and why.
    Never(Never),
}

/// Why nothing will make a redirect URI work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    /// It is neither https nor http on the user's own computer.
    NotSecure,
    /// It is on the user's own computer, but not one that this client is known or registered with.
    OtherLoopback,
    /// The client registered itself, which is for loopback only.
    Registered,
    /// The list cannot hold it.
    NotWritable,
}

impl RefusedRedirect {
    /// `None` when there is too much of it, or nothing to say about it.
    pub fn of(client_id: &str, redirect_uri: &str) -> Option<Self> {
        let client_id = ClientId::parse(client_id).filter(|id| id.as_str().len() <= LONGEST)?;
        let redirect_uri = match RedirectUri::parse(redirect_uri) {
            Some(plain) => plain.as_str().to_owned(),
            None => bare(redirect_uri)?,
        };
        let fits = redirect_uri.len() <= LONGEST;
        fits.then(|| Self { client_id: client_id.as_str().to_owned(), redirect_uri })
    }

    /// What an operator can do about it.
    pub fn advice(&self) -> Advice {
        let Some(redirect_uri) = RedirectUri::parse(&self.redirect_uri) else {
            return Advice::Never(Never::NotSecure);
        };
        let is_registered = ClientId::parse(&self.client_id).is_some_and(|id| Registered::looks_like_one(&id));
        match redirect_uri.kind() {
            RedirectKind::Loopback => Advice::Never(Never::OtherLoopback),
            RedirectKind::Web if is_registered => Advice::Never(Never::Registered),
            RedirectKind::Web => self.line(),
        }
    }

    /// The line, if the list takes it as it stands.
    fn line(&self) -> Advice {
        let line = format!("{}={}", self.client_id, self.redirect_uri);
        let (allowed, bad) = AllowedRedirects::parse(&line);
        if bad.is_empty() && allowed.iter().count() == 1 {
            Advice::Add(line)
        } else {
            Advice::Never(Never::NotWritable)
        }
    }
}

/// Scheme, host and path of an address that is not in its plain form.
fn bare(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let bare = format!("{}://{}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path());
    bare.bytes().all(|byte| byte.is_ascii_graphic()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(client_id: &str, redirect_uri: &str) -> Option<Advice> {
        RefusedRedirect::of(client_id, redirect_uri).map(|refused| refused.advice())
    }

    fn can_never_be(client_id: &str, redirect_uri: &str) -> bool {
        matches!(advice(client_id, redirect_uri), Some(Advice::Never(_)))
    }

    #[test]
    fn an_unlisted_web_client_gets_the_exact_line_that_would_admit_it() {
        let line = "https://a.example/id?x=1=https://a.example/cb?y=2";
        assert_eq!(advice("https://a.example/id?x=1", "https://a.example/cb?y=2"), Some(Advice::Add(line.into())));
        assert_eq!(AllowedRedirects::parse(line).1, []);
    }

    #[test]
    fn what_can_never_work_gets_no_line() {
        assert!(can_never_be("cursor", "cursor://anysphere.cursor-mcp/oauth/callback"));
        assert!(can_never_be("x", "http://evil.example/cb"));
        assert!(can_never_be("x", "http://localhost:1/cb"));
        assert!(can_never_be("sbmcp_client_abc.def", "https://a.example/cb"));
        assert!(can_never_be("with space", "https://a.example/cb"));
        assert!(can_never_be("a,b", "https://a.example/cb"));
        assert!(can_never_be("x=https://y.example", "https://a.example/cb"));
        assert!(can_never_be("x", "https://a.example/cb?code=1"));
    }

    #[test]
    fn secrets_and_oversized_texts_are_not_kept() {
        let kept = |uri: &str| RefusedRedirect::of("x", uri).map(|refused| refused.redirect_uri);
        assert_eq!(kept("https://me:secret@a.example/cb?token=secret#secret").as_deref(), Some("https://a.example/cb"));
        assert_eq!(kept(&format!("https://a.example/{}", "x".repeat(300))), None);
        assert_eq!(kept("not an address"), None);
        assert_eq!(RefusedRedirect::of(&"x".repeat(301), "https://a.example/cb"), None);
    }
}
