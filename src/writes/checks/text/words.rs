//! Words of a text, and what a single word gives away.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A word and the character it begins at.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    pub text: &'a str,
    pub at: usize,
}

/// The kinds of words that a rule looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    InternalHost,
    IpAddress,
    Secret,
    Email,
}

const INTERNAL_ENDINGS: &[&str] =
    &[".internal", ".local", ".localdomain", ".corp", ".lan", ".intranet", ".svc", ".home.arpa"];
const SECRET_BEGINNINGS: &[&str] = &[
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "ASIA",
    "AIza",
    "eyJ",
    "npm_",
    "sbp_",
    "-----BEGIN",
];
/// From this length on, a mix of letters and digits is not a word of any language.
const SECRET_LENGTH: usize = 32;
/// Units that make a number a deadline.
const UNITS: &[&str] = &["minute", "minutes", "min", "mins", "hour", "hours", "day", "days"];

/// Where the first word of a kind begins.
pub fn find(text: &str, kind: WordKind) -> Option<usize> {
    split(text).find(|word| word.is(kind)).map(|word| word.at)
}

/// Where `within 30 minutes` or `in two hours` begins.
pub fn find_deadline(text: &str) -> Option<usize> {
    let words: Vec<Word<'_>> = split(text).collect();
    let is_deadline = |three: &&[Word<'_>]| {
        let [first, number, unit] = three else { return false };
        ["within", "in"].contains(&first.text.to_ascii_lowercase().as_str())
            && number.text.parse::<u32>().is_ok()
            && UNITS.contains(&unit.text.to_ascii_lowercase().as_str())
    };
    words.windows(3).find(is_deadline).map(|three| three[0].at)
}

/// Words without the punctuation around them.
pub fn split(text: &str) -> impl Iterator<Item = Word<'_>> {
    let is_break = |character: char| character.is_whitespace() || "\"'`()[]{}<>,;|".contains(character);
    let mut at = 0;
    text.split_inclusive(is_break).filter_map(move |piece| {
        let begins = at;
        at += piece.chars().count();
        let text = piece.trim_end_matches(is_break).trim_end_matches(['.', ':', '!', '?']);
        (!text.is_empty()).then_some(Word { text, at: begins })
    })
}

impl Word<'_> {
    fn is(self, kind: WordKind) -> bool {
        match kind {
            WordKind::InternalHost => self.is_internal_host(),
            WordKind::IpAddress => self.is_ip_address(),
            WordKind::Secret => self.is_secret(),
            WordKind::Email => self.is_email(),
        }
    }

    fn is_internal_host(self) -> bool {
        let host = host(self.text).to_ascii_lowercase();
        host == "localhost" || INTERNAL_ENDINGS.iter().any(|ending| host.len() > ending.len() && host.ends_with(ending))
    }

    fn is_ip_address(self) -> bool {
        let host = host(self.text);
        let has_colons = self.text.matches(':').count() >= 2;
        host.parse::<Ipv4Addr>().is_ok() || has_colons && self.text.parse::<Ipv6Addr>().is_ok()
    }

    fn is_secret(self) -> bool {
        let value = self.text.rsplit(['=', ':']).next().unwrap_or_default();
        let begins =
            |text: &str| SECRET_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning) && text.len() >= 16);
        let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/_-".contains(&byte));
        let has = |test: fn(&u8) -> bool| value.as_bytes().iter().any(test);
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase)
            || has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase);
        begins(self.text)
            || begins(value)
            || value.len() >= SECRET_LENGTH && is_plain && is_mixed && !value.contains("//")
    }

    fn is_email(self) -> bool {
        let Some((name, domain)) = self.text.split_once('@') else { return false };
        !name.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.contains('@')
    }
}

/// The host in `https://host:8080/path` or `host:8080`, or the text itself.
fn host(text: &str) -> &str {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split(['/', '?', '#']).next().unwrap_or_default();
    match text.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}
