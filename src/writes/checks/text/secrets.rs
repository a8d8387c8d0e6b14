//! Secrets in a text: tokens, keys and passwords.
//!
//! What is found is never published, so a find must be nearly certain. Ids that are no secrets (a UUID, the hash of a commit, a
//! long slug) are left alone.

use super::words::{Word, split};
use std::ops::Range;

/// Prefixes of well-known kinds of credentials; a digit and at least ten characters follow.
const BEGINNINGS: &[&str] = &[
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "AIza",
    "npm_",
    "sbp_",
    "hf_",
    "dop_v1_",
    "whsec_",
    "shpat_",
    "SG.",
    "eyJ",
];
/// Prefixes of the ids of access keys: 16 capitals and digits follow.
const KEY_IDS: &[&str] = &["AKIA", "ASIA"];
/// Names before `=` or `:` and a password, which may be a plain word.
const PASSWORDS: &[&str] = &["password", "passwd", "passphrase", "pwd", "secret", "client_secret"];
/// Names before `=` or `:` and a key, which has a digit.
const KEYS: &[&str] = &["token", "access_token", "api_key", "apikey", "api-key", "x-api-key", "secret_key"];
/// Schemes of the Authorization header (RFC 9110 section 11).
const SCHEMES: &[&str] = &["bearer", "basic"];
/// Shortest word that is a secret because of the name before it.
const VALUE_LENGTH: usize = 7;
/// Shortest part of a word that is random by its look alone.
const RANDOM_LENGTH: usize = 24;
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Finds the first secret in a text.
pub fn find(text: &str) -> Option<Range<usize>> {
    if let Some(start) = text.find("-----BEGIN").filter(|_| text.contains(PRIVATE_KEY)) {
        return Some(start..start + "-----BEGIN".len());
    }
    let words: Vec<Word<'_>> = split(text).collect();
    let secret = |(at, word): (usize, &Word<'_>)| {
        let range = word.range();
        // Punctuation is no part of a word, but it says whether a value follows.
        let names_next = text[range.end..].starts_with([':', '=']);
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        let is_announced = before.is_some_and(|before| announces(before, text));
        let has_user_info = word.text.split_once("://").and_then(|(_, rest)| rest.split('/').next());
        let has_password =
            has_user_info.and_then(|authority| authority.split_once('@')).is_some_and(|(user, _)| user.contains(':'));
        let value = word.text.rsplit(['=', ':']).next().unwrap_or_default();
        let is_secret = is_credential(word.text)
            || is_credential(value)
            || has_password
            || is_named_secret(word.text)
            || is_announced && !names_next && is_value(word.text)
            || !word.text.contains("//") && value.split(['-', '_', '.', '/']).any(looks_random);
        is_secret.then_some(range)
    };
    words.iter().enumerate().find_map(secret)
}

fn is_credential(word: &str) -> bool {
    let follows = |beginning: &&str| {
        word.strip_prefix(*beginning).is_some_and(|rest| {
            let is_plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            rest.len() >= 10 && is_plain && rest.bytes().any(|byte| byte.is_ascii_digit())
        })
    };
    let is_key_id = |beginning: &&str| {
        let is_capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        word.strip_prefix(*beginning).is_some_and(|rest| rest.len() == 16 && rest.bytes().all(is_capital))
    };
    BEGINNINGS.iter().any(follows) || KEY_IDS.iter().any(is_key_id)
}

/// `password=…` or `?token=…` in one word.
fn is_named_secret(word: &str) -> bool {
    let mut parts = word.split(['?', '&']);
    parts.any(|part| {
        let Some((name, value)) = part.split_once(['=', ':']) else { return false };
        let name = name.to_ascii_lowercase();
        let is_password = PASSWORDS.contains(&name.as_str()) && value.len() >= VALUE_LENGTH;
        is_password || KEYS.contains(&name.as_str()) && is_value(value)
    })
}

/// Returns whether the word behind this one is a secret if it looks like a value: `password: …`, `Bearer …`.
fn announces(word: &Word<'_>, text: &str) -> bool {
    let name = word.text.to_ascii_lowercase();
    let has_colon = text[word.range().end..].starts_with([':', '=']);
    let is_name = PASSWORDS.contains(&name.as_str()) || KEYS.contains(&name.as_str());
    SCHEMES.contains(&name.as_str()) || has_colon && is_name
}

/// Letters and digits together: `hunter2` and not `expired` or `401`.
fn is_value(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    word.len() >= VALUE_LENGTH && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !word.contains("//")
}

/// Capitals, small letters and digits in disorder.
fn looks_random(part: &str) -> bool {
    let count = |test: fn(&u8) -> bool| part.as_bytes().iter().filter(|byte| test(byte)).count();
    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    part.len() >= RANDOM_LENGTH
        && is_plain
        && count(u8::is_ascii_digit) >= 3
        && count(u8::is_ascii_uppercase) >= 3
        && count(u8::is_ascii_lowercase) >= 3
}
