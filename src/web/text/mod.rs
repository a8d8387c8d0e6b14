//! Every word that a page shows to people, in English: one place to edit, and to translate.
//!
//! Each text is a whole sentence or label. What varies is handed in, so that a translation may put it where its grammar wants
//! it; no view glues sentences together, and `tests/layering.rs` finds words in a view. Texts know nothing of HTML.
//!
//! Elsewhere stand only words that programs and operators are told as well: the sentences of scopes (`catalog/scope.rs`) and
//! what is wrong with an entry of the operator's list (`oauth/client/allowed.rs`).

pub mod actions;
pub mod activity;
pub mod advice;
pub mod connections;
pub mod consent;
pub mod doctor;
pub mod pages;
pub mod problem;
pub mod setup;
pub mod time;

use crate::model::loopback::is_loopback;
use crate::oauth::client::ClientTrust;
use url::Host;

/// The name above every page.
pub const PRODUCT: &str = "StatiBeat Hosted MCP";
/// The page where connections are looked after.
pub const HOSTED_MCP: &str = "Hosted MCP";
/// That nothing has happened yet.
pub const NOT_YET: &str = "Not yet";
/// An answer to a yes-or-no question.
pub const YES: &str = "Yes";
/// An answer to a yes-or-no question.
pub const NO: &str = "No";

/// A text with a link in it: before, inside and after.
pub type WithLink = [&'static str; 3];

pub fn window_title(of: &str) -> String {
    format!("{of} – StatiBeat")
}

/// Where an answer goes, in words where the host alone would not say it.
pub fn destination(host: &str) -> String {
    if Host::parse(host).is_ok_and(|host| is_loopback(&host)) {
        format!("This computer ({host})")
    } else {
        host.to_owned()
    }
}

/// How much is known of a client.
pub const fn client_trust(trust: ClientTrust) -> &'static str {
    match trust {
        ClientTrust::Listed => "Listed by your operator",
        ClientTrust::Preregistered => "Known app",
        ClientTrust::Registered | ClientTrust::Unverified => "Unverified app",
    }
}

pub fn list(names: &[&str]) -> String {
    names.join(", ")
}

/// The first few names, and how many more.
pub fn first_of(names: &[&str]) -> String {
    const NAMED: usize = 5;
    match names.len().saturating_sub(NAMED) {
        0 => list(names),
        more => format!("{} and {more} more", list(&names[..NAMED])),
    }
}

/// With a capital at the beginning, where the words come from a program's name.
pub fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_the_first_few_are_said() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        assert_eq!(first_of(&names[..2]), "a, b");
        assert_eq!(first_of(&names[..5]), "a, b, c, d, e");
        assert_eq!(first_of(&names), "a, b, c, d, e and 2 more");
    }

    #[test]
    fn an_address_of_this_computer_is_said_to_be_one() {
        assert_eq!(destination("127.0.0.1"), "This computer (127.0.0.1)");
        assert_eq!(destination("[::1]"), "This computer ([::1])");
        assert_eq!(destination("claude.ai"), "claude.ai");
    }

    #[test]
    fn public_host_that_looks_like_loopback_is_named_as_it_is() {
        for host in
            ["127.0.0.1.attacker.example", "127.attacker.example", "localhost.attacker.example", "127.0.0.1.nip.io"]
        {
            assert_eq!(destination(host), host);
        }
    }
}
