//! Layout of every page, and labels that several pages use. Server-rendered, one inline style sheet, no foreign resource; `maud`
//! escapes every value. Everything works without scripts; one inline script adds the buttons that copy, and times in the browser's
//! zone. It is a constant, allowed by its hash, and makes no markup from text.

use super::reply::{self, InlineHashes, Response};
use crate::model::links::Links;
use crate::model::loopback::is_loopback;
use crate::oauth::client::ClientTrust;
use crate::oauth::grant::GrantLifetime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use url::Host;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A page with one card.
pub(super) fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    page_with_head(status, title, &html! {}, body)
}

pub(super) fn page_with_head(status: StatusCode, title: &str, head: &Markup, body: &Markup) -> Response {
    frame(status, title, head, &html! { main { (brand()) section.card { (body) } } })
}

/// A page with one card, wide enough for two columns.
pub(super) fn wide_card(status: StatusCode, title: &str, body: &Markup) -> Response {
    frame(status, title, &html! {}, &html! { main.wide.dense { (brand()) section.card { (body) } } })
}

/// A page whose body brings its own cards.
pub(super) fn wide_page(title: &str, body: &Markup) -> Response {
    frame(StatusCode::OK, title, &html! {}, &html! { main.wide { (brand()) (body) } })
}

fn frame(status: StatusCode, title: &str, head: &Markup, body: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " – StatiBeat" }
                style { (PreEscaped(STYLE)) }
                (head)
            }
            body { (body) script { (PreEscaped(SCRIPT)) } }
        }
    };
    let allowed = InlineHashes { style: source_hash(STYLE), script: source_hash(SCRIPT) };
    reply::html(status, &allowed, markup.into_string())
}

/// The hash of an inline element's text as a source of a policy
/// ([CSP 3, 2.3.1](https://www.w3.org/TR/CSP3/#framework-directive-source-list)).
fn source_hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

fn brand() -> Markup {
    html! {
        p.brand {
            svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
                path d="M2 13h4l3-8 5 14 3-9 2 3h3" {}
            }
            "StatiBeat Hosted MCP"
        }
    }
}

/// The link to the people who help; nothing where the operator has set none.
pub(super) fn support_link(links: &Links) -> Markup {
    html! { @if let Some(support) = &links.support { p.soft { "If you don't know whom to ask, " a href=(support) { "contact support" } "." } } }
}

/// Host of a redirect URI; a loopback host is explained.
pub(super) fn destination(host: &str) -> String {
    if Host::parse(host).is_ok_and(|host| is_loopback(&host)) {
        format!("This computer ({host})")
    } else {
        host.to_owned()
    }
}

pub(super) const fn trust_label(trust: ClientTrust) -> &'static str {
    match trust {
        ClientTrust::Listed => "Listed by your operator",
        ClientTrust::Preregistered => "Known app",
        ClientTrust::Registered | ClientTrust::Unverified => "Unverified app",
    }
}

/// The words for a lifetime that is chosen.
pub(super) fn lifetime_label(lifetime: GrantLifetime) -> String {
    match lifetime {
        GrantLifetime::UntilRevoked => "Until I end it".to_owned(),
        GrantLifetime::Days(1) => "1 day".to_owned(),
        GrantLifetime::Days(days) => format!("{days} days"),
        GrantLifetime::Until(end) => format!("As before, until {end}"),
    }
}

/// Names that a sentence has in full.
pub(super) const NAMED: usize = 5;

/// The first names, [`NAMED`] of them, and how many more there are.
pub(super) fn first_of(names: &[&str]) -> String {
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_host_is_shown_as_this_computer() {
        assert_eq!(destination("127.0.0.1"), "This computer (127.0.0.1)");
        assert_eq!(destination("[::1]"), "This computer ([::1])");
        assert_eq!(destination("claude.ai"), "claude.ai");
    }

    #[test]
    fn public_host_that_looks_like_loopback_is_shown_unchanged() {
        for host in
            ["127.0.0.1.attacker.example", "127.attacker.example", "localhost.attacker.example", "127.0.0.1.nip.io"]
        {
            assert_eq!(destination(host), host);
        }
    }

    #[test]
    fn script_is_small_and_ends_neither_its_element_nor_escapes_the_policy() {
        assert!(SCRIPT.len() <= 1_700, "{} bytes", SCRIPT.len());
        for forbidden in ["</", "<!--", "innerHTML", "eval", "Function", "fetch", "cookie", "location"] {
            assert!(!SCRIPT.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn long_list_of_names_is_shortened_to_five() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(first_of(&names[..2]), "a, b");
        assert_eq!(first_of(&names[..5]), "a, b, c, d, e");
        assert_eq!(first_of(&names), "a, b, c, d, e and 2 more");
    }
}
