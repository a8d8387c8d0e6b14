//! The operator's list over random lists and requests: an https address works exactly if the literal pair is an entry.

use sha2::{Digest, Sha256};
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::oauth::client::allowed::AllowedRedirects;
use statibeat_mcp::oauth::client::{ClientTrust, Clients};

const CASES: u64 = 20_000;

/// Pieces that redirect URIs and near misses are made of.
const PIECES: [&str; 24] = [
    "https://",
    "http://",
    "a.example",
    "b.example",
    "A.example",
    "/cb",
    "/",
    "?x=1",
    "&",
    "=",
    "#",
    "@",
    ":443",
    ":8443",
    "%2F",
    "..",
    "*",
    "\t",
    "localhost",
    "code=1",
    ",",
    "\u{fc}",
    "user",
    "",
];
const IDS: [&str; 4] = ["a", "https://id.example/c?x=1", "*", ""];

/// Choices that depend on the case and on nothing else.
struct Dice {
    case: u64,
    throws: u64,
}

impl Dice {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.throws += 1;
        let bytes = Sha256::digest([self.case.to_be_bytes(), self.throws.to_be_bytes()].concat());
        from[usize::from(bytes[0]) % from.len()]
    }

    /// An address that is often good, often nearly so, and sometimes nonsense.
    fn uri(&mut self) -> String {
        let mut uri = self.pick(&["https://", "https://", "https://", "http://", ""]).to_owned();
        uri += self.pick(&["a.example", "b.example", "a.example", "A.example", ""]);
        uri += self.pick(&["/cb", "/", "/cb?x=1", ""]);
        if self.pick(&["plain", "plain", "changed"]) == "changed" {
            uri += self.pick(&PIECES);
        }
        uri
    }
}

/// F7
#[test]
fn an_https_address_works_exactly_if_the_literal_pair_is_an_entry() {
    let registrations = KeyRing::parse("k:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA", "test").expect("a good ring");
    let mut accepted = 0;
    for case in 0..CASES {
        let mut dice = Dice { case, throws: 0 };
        let entries: Vec<(&str, String)> = (0..4).map(|_| (dice.pick(&IDS), dice.uri())).collect();
        let list: Vec<String> = entries.iter().map(|(id, uri)| format!("{id}={uri}")).collect();
        let (allowed, _) = AllowedRedirects::parse(&list.join("\n"));
        let clients = Clients { allowed: &allowed, registrations: &registrations, accepts_unverified: true };
        let (id, uri) = match dice.pick(&["listed", "mixed", "fresh"]) {
            "listed" => (entries[0].0, entries[0].1.clone()),
            "mixed" => (entries[0].0, entries[1].1.clone()),
            _ => (dice.pick(&IDS), dice.uri()),
        };
        // A separator inside an entry makes two of it.
        let (written, literal) = (list.join("\n"), format!("{id}={uri}"));
        let is_entry = written.split(|c: char| c == ',' || c.is_whitespace()).any(|entry| entry == literal);
        match clients.resolve(id, &uri) {
            Ok(client) if client.trust == ClientTrust::Listed => {
                accepted += 1;
                assert!(is_entry, "case {case}: {id:?} {uri:?} is in no entry of {list:?}");
            }
            Ok(client) => assert!(uri.starts_with("http://"), "case {case}: {uri:?} passes as {:?}", client.trust),
            Err(_) if is_entry => {
                let (alone, bad) = AllowedRedirects::parse(&format!("{id}={uri}"));
                assert!(!bad.is_empty(), "case {case}: {id:?} {uri:?} is good in {alone:?}");
            }
            Err(_) => {}
        }
    }
    assert!(accepted > 100, "the cases reach both sides: {accepted}");
}
