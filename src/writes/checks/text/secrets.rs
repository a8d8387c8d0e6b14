//! Secrets in a text: tokens, keys and passwords.
//!
//! By default a match blocks publication, so false positives must be rare. Ids that aren't secrets (UUIDs, commit
//! hashes, long slugs) don't match.

use super::words::{Word, split};
use std::ops::Range;

/// Prefixes of credentials. At least ten characters follow, one of them a digit.
const TOKEN_PREFIXES: &[&str] = &[
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
/// Prefixes of AWS access key ids; followed by 16 capitals or digits.
const ACCESS_KEY_PREFIXES: &[&str] = &["AKIA", "ASIA"];
/// Names that announce a password: any value of `MIN_VALUE_LENGTH` counts within one word (`password=…`).
const PASSWORD_NAMES: &[&str] = &["password", "passwd", "passphrase", "pwd", "secret", "client_secret"];
/// Names that announce a key: the value must contain a letter and a digit.
const KEY_NAMES: &[&str] = &["token", "access_token", "api_key", "apikey", "api-key", "x-api-key", "secret_key"];
/// Schemes of the Authorization header (RFC 9110 section 11).
const SCHEMES: &[&str] = &["bearer", "basic"];
/// Minimum length of a value after such a name.
const MIN_VALUE_LENGTH: usize = 7;
/// Minimum length of a part that counts as a secret because it looks random.
const MIN_RANDOM_LENGTH: usize = 24;
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Finds the first secret in a text.
pub fn find(text: &str) -> Option<Range<usize>> {
    if let Some(start) = text.find("-----BEGIN").filter(|_| text.contains(PRIVATE_KEY)) {
        return Some(start..start + "-----BEGIN".len());
    }
    let words: Vec<Word<'_>> = split(text).collect();
    let secret = |(index, word): (usize, &Word<'_>)| {
        let range = word.range();
        // A `:` or `=` after the word means that it names the next word, so the word itself isn't the value.
        let is_followed_by_separator = text[range.end..].starts_with([':', '=']);
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        let follows_secret_name = before.is_some_and(|before| is_secret_name(before, text));
        let authority = word.text.split_once("://").and_then(|(_, rest)| rest.split('/').next());
        let has_password =
            authority.and_then(|authority| authority.split_once('@')).is_some_and(|(user, _)| user.contains(':'));
        let value = word.text.rsplit(['=', ':']).next().unwrap_or_default();
        let is_secret = is_credential(word.text)
            || is_credential(value)
            || has_password
            || is_named_secret(word.text)
            || follows_secret_name && !is_followed_by_separator && is_value(word.text)
            || !word.text.contains("//") && value.split(['-', '_', '.', '/']).any(looks_random);
        is_secret.then_some(range)
    };
    words.iter().enumerate().find_map(secret)
}

fn is_credential(word: &str) -> bool {
    let matches_prefix = |beginning: &&str| {
        word.strip_prefix(*beginning).is_some_and(|rest| {
            let is_plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            rest.len() >= 10 && is_plain && rest.bytes().any(|byte| byte.is_ascii_digit())
        })
    };
    let is_key_id = |beginning: &&str| {
        let is_capital_or_digit = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        word.strip_prefix(*beginning).is_some_and(|rest| rest.len() == 16 && rest.bytes().all(is_capital_or_digit))
    };
    TOKEN_PREFIXES.iter().any(matches_prefix) || ACCESS_KEY_PREFIXES.iter().any(is_key_id)
}

/// `password=…` or `?token=…` in one word.
fn is_named_secret(word: &str) -> bool {
    let mut parts = word.split(['?', '&']);
    parts.any(|part| {
        let Some((name, value)) = part.split_once(['=', ':']) else { return false };
        let name = name.to_ascii_lowercase();
        let is_password = PASSWORD_NAMES.contains(&name.as_str()) && value.len() >= MIN_VALUE_LENGTH;
        is_password || KEY_NAMES.contains(&name.as_str()) && is_value(value)
    })
}

/// Returns whether the next word is a secret if it looks like a value: `password: …`, `Bearer …`.
fn is_secret_name(word: &Word<'_>, text: &str) -> bool {
    let name = word.text.to_ascii_lowercase();
    let is_followed_by_separator = text[word.range().end..].starts_with([':', '=']);
    let is_name = PASSWORD_NAMES.contains(&name.as_str()) || KEY_NAMES.contains(&name.as_str());
    SCHEMES.contains(&name.as_str()) || is_followed_by_separator && is_name
}

/// Letters and digits together: `hunter2` and not `expired` or `401`.
fn is_value(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    word.len() >= MIN_VALUE_LENGTH && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !word.contains("//")
}

/// At least three each of capitals, lowercase letters and digits.
fn looks_random(part: &str) -> bool {
    let count = |test: fn(&u8) -> bool| part.as_bytes().iter().filter(|byte| test(byte)).count();
    let is_plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+');
    part.len() >= MIN_RANDOM_LENGTH
        && is_plain
        && count(u8::is_ascii_digit) >= 3
        && count(u8::is_ascii_uppercase) >= 3
        && count(u8::is_ascii_lowercase) >= 3
}
