//! Words of a text, and the hosts, addresses and phone numbers among them.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// A word without the punctuation around it, and the byte it begins at.
#[derive(Clone, Copy, Debug)]
pub struct Word<'a> {
    pub text: &'a str,
    start: usize,
}

/// The kinds of words that a rule looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    InternalHost,
    IpAddress,
    Email,
}

const INTERNAL_ENDINGS: &[&str] =
    &[".internal", ".local", ".localdomain", ".corp", ".lan", ".intranet", ".svc", ".home.arpa"];
/// Before a number with four parts, these say that it is no address.
const VERSION_WORDS: &[&str] = &["version", "versions", "release", "build", "v", "firmware"];
/// Before digits, these say that they are a phone number.
const PHONE_WORDS: &[&str] = &["tel", "telephone", "phone", "hotline", "mobile", "dial", "call us at", "call us on"];

/// The first word of a kind.
pub fn find(text: &str, kind: WordKind) -> Option<Range<usize>> {
    let mut before = "";
    split(text).find_map(|word| {
        let is_found = match kind {
            WordKind::InternalHost => word.is_internal_host(),
            WordKind::IpAddress => word.is_ip_address() && !VERSION_WORDS.contains(&before),
            WordKind::Email => word.is_email(),
        };
        before = VERSION_WORDS.iter().find(|name| name.eq_ignore_ascii_case(word.text)).copied().unwrap_or("");
        is_found.then(|| word.range())
    })
}

/// Words without the punctuation around them.
pub fn split(text: &str) -> impl Iterator<Item = Word<'_>> {
    let is_break = |character: char| character.is_whitespace() || "\"'`()[]{}<>,;|".contains(character);
    let mut at = 0;
    text.split_inclusive(is_break).filter_map(move |piece| {
        let start = at;
        at += piece.len();
        let text = piece.trim_end_matches(is_break).trim_end_matches(['.', ':', '!', '?']);
        (!text.is_empty()).then_some(Word { text, start })
    })
}

impl Word<'_> {
    pub fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn is_internal_host(self) -> bool {
        let host = host(self.text).to_ascii_lowercase();
        host == "localhost" || INTERNAL_ENDINGS.iter().any(|ending| host.len() > ending.len() && host.ends_with(ending))
    }

    fn is_ip_address(self) -> bool {
        let host = host(self.text);
        let has_colons = self.text.len() > 3 && self.text.matches(':').count() >= 2;
        host.parse::<Ipv4Addr>().is_ok() || has_colons && self.text.parse::<Ipv6Addr>().is_ok()
    }

    fn is_email(self) -> bool {
        let Some((name, domain)) = self.text.split_once('@') else { return false };
        let is_address = !name.contains("://") && !domain.contains(['@', '/']);
        is_address && !name.is_empty() && domain.contains('.') && !domain.starts_with('.')
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

/// The first phone number: in international form, in the form 555-123-4567, or behind a word that announces one.
pub fn find_phone_number(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let starts = (0..bytes.len()).filter(|at| {
        let is_first = *at == 0 || !bytes[at - 1].is_ascii_alphanumeric() && !b"+-./:_=#".contains(&bytes[at - 1]);
        is_first && (bytes[*at].is_ascii_digit() || b"+(".contains(&bytes[*at]))
    });
    starts.filter_map(|start| digits_from(text, start)).find(|number| is_phone_number(text, number))
}

/// Digits in groups that blanks, hyphens, dots, slashes or parentheses part.
fn digits_from(text: &str, start: usize) -> Option<Range<usize>> {
    let is_part =
        |(at, byte): (usize, &u8)| byte.is_ascii_digit() || b" -./()".contains(byte) || at == 0 && *byte == b'+';
    let length = text.as_bytes()[start..].iter().enumerate().take_while(|(at, byte)| is_part((*at, *byte))).count();
    let found = text.get(start..start + length)?.trim_end_matches(|last: char| !last.is_ascii_digit());
    let is_cut = text[start + found.len()..].starts_with(|next: char| next.is_alphanumeric() || ":_%".contains(next));
    (!found.is_empty() && !is_cut).then(|| start..start + found.len())
}

fn is_phone_number(text: &str, at: &Range<usize>) -> bool {
    let number = &text[at.clone()];
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    if number.starts_with('+') {
        return (9..=15).contains(&digits) && !number.starts_with("+0");
    }
    let groups: Vec<&str> =
        number.split(|part: char| !part.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let is_north_american = groups.iter().map(|group| group.len()).eq([3, 3, 4])
        && (number.starts_with('(') || number.matches('-').count() == 2 || number.matches('.').count() == 2);
    let before = text[..at.start].trim_end_matches([' ', ':', '.', '(']).to_ascii_lowercase();
    let is_announced = || {
        PHONE_WORDS.iter().any(|word| {
            before.strip_suffix(word).is_some_and(|rest| !rest.ends_with(|last: char| last.is_alphanumeric()))
        })
    };
    is_north_american || (6..=15).contains(&digits) && is_announced()
}
