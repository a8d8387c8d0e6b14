//! What never leaves in a result: secret fields, and characters that a person would not see.
//!
//! Much upstream text can be written by outsiders (evidence, incident text, metadata). Control, bidirectional and
//! invisible characters can hide instructions from the person who watches the model, so all of them go. Joiners in
//! emoji and some scripts go too: the text stays readable.

use serde_json::{Map, Value};
use std::mem;

/// Fields that are dropped wherever they stand, compared without case. None of them belongs to the offered surface;
/// they are here in case an upstream answer carries them.
const SENSITIVE: &[&str] = &[
    "access_token",
    "api_key",
    "api_token",
    "authorization",
    "client_secret",
    "cookie",
    "cookies",
    "credentials",
    "headers",
    "ingest_token",
    "ip_address",
    "password",
    "password_hash",
    "private_key",
    "refresh_token",
    "request_headers",
    "response_headers",
    "secret",
    "session",
    "set_cookie",
    "signing_secret",
    "token",
    "viewer_password",
    "webhook_secret",
    "webhook_url",
];

/// Drops sensitive fields and cleans every text, keys included. Iterative: depth costs no stack.
pub fn sanitize(value: &mut Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::String(text) => *text = clean(text),
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => {
                sanitize_names(fields);
                pending.extend(fields.values_mut());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// Names are cleaned before they are compared, so that an invisible character cannot hide a sensitive one.
fn sanitize_names(fields: &mut Map<String, Value>) {
    let named = mem::take(fields).into_iter().map(|(name, value)| (clean(&name), value));
    *fields = named.filter(|(name, _)| !is_sensitive(name)).collect();
}

fn is_sensitive(name: &str) -> bool {
    SENSITIVE.iter().any(|sensitive| sensitive.eq_ignore_ascii_case(name))
}

/// The text without what cannot be seen. Line breaks and tabs stay; Unicode's own line separators become line breaks.
pub fn clean(text: &str) -> String {
    let breaks = |character| if matches!(character, '\u{2028}' | '\u{2029}' | '\u{85}') { '\n' } else { character };
    text.chars().map(breaks).filter(|character| !is_hidden(*character)).collect()
}

/// At most so many characters, and how many more there were.
pub fn cap(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… [cut: {} more characters]", &text[..end], text[end..].chars().count()),
    }
}

/// The text as one visible line of at most so many characters.
pub fn line(text: &str, most: usize) -> String {
    cap(&clean(text).split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// Words that announce a secret; the word behind them is one.
const ANNOUNCING: &[&str] = &["bearer", "basic", "authorization:", "cookie:", "set-cookie:", "x-api-key:", "password:"];
/// What stands before a secret within one word.
const NAMING: &[&str] = &["token=", "password=", "passwd=", "secret=", "api_key=", "apikey=", "key=", "session="];
/// How well-known kinds of credentials begin.
const BEGINNINGS: &[&str] = &["eyJ", "sk_", "sk-", "ghp_", "gho_", "xoxb-", "xoxp-", "AKIA"];
const REDACTED: &str = "[redacted]";

/// The text without what looks like a credential. Monitored systems print such things; nobody reading needs them.
pub fn redact(text: &str) -> String {
    let mut is_next_secret = false;
    let words = text.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        let announces = ANNOUNCING.iter().any(|name| word.to_ascii_lowercase().ends_with(name));
        let is_secret = mem::replace(&mut is_next_secret, announces) && !announces && !word.is_empty();
        let shown = if is_secret { REDACTED.to_owned() } else { redact_word(word) };
        shown + &piece[word.len()..]
    });
    words.collect()
}

fn redact_word(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let named = NAMING.iter().filter_map(|name| Some(lower.find(name)? + name.len())).min();
    if let Some(at) = named.filter(|at| *at < word.len()) {
        return format!("{}{REDACTED}", &word[..at]);
    }
    let is_credential = |beginning: &&str| word.starts_with(*beginning) && word.len() >= 16;
    if BEGINNINGS.iter().any(is_credential) { REDACTED.to_owned() } else { word.to_owned() }
}

/// Control characters, format characters (Unicode category Cf), variation selectors, blank fillers, private use and
/// noncharacters.
const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}'..='\u{891}'
        | '\u{8E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}'..='\u{FFFF}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expected: &str) {
        assert_eq!(clean(text), expected, "{text:?}");
    }

    #[test]
    fn what_a_person_sees_stays() {
        for text in
            ["Plain text.", "two\nlines\tand a tab", "Störung in Zürich, 東京 и Москва", "עברית العربية", "🔥 50 %"]
        {
            check(text, text);
        }
    }

    #[test]
    fn what_a_person_does_not_see_goes() {
        check("a\u{0}b\u{1b}[31mc\u{7f}", "ab[31mc");
        check("one\r\ntwo\u{2028}three\u{85}four", "one\ntwo\nthree\nfour");
        check("safe\u{202e}txt.exe\u{2066}x\u{2069}", "safetxt.exex");
        check("zero\u{200b}width\u{200d}\u{feff}\u{2060}", "zerowidth");
        check("tags\u{e0049}\u{e0067}\u{e006e}", "tags");
        check("selectors\u{fe0f}\u{e0100}", "selectors");
        check("soft\u{ad}hyphen\u{3164}filler\u{2800}", "softhyphenfiller");
        check("private\u{e000}\u{f0000}\u{10ffff}", "private");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(cap("ééé", 3), "ééé");
        assert_eq!(cap("éééé", 3), "ééé… [cut: 1 more characters]");
    }

    #[test]
    fn a_text_becomes_one_visible_line() {
        assert_eq!(line(" one\n\u{200b}two\t three ", 50), "one two three");
        assert_eq!(line("a\u{2028}b c", 3), "a b… [cut: 2 more characters]");
    }

    #[test]
    fn what_looks_like_a_credential_is_redacted() {
        for (given, shown) in [
            ("sent Authorization: Bearer abc.def now", "sent Authorization: Bearer [redacted] now"),
            ("GET /x?token=abc&a=b failed", "GET /x?token=[redacted] failed"),
            ("Cookie: sid=1;\nnext", "Cookie: [redacted]\nnext"),
            ("key eyJhbGciOiJIUzI1NiJ9.x.y used", "key [redacted] used"),
            ("the token expired", "the token expired"),
        ] {
            assert_eq!(redact(given), shown);
        }
    }

    #[test]
    fn sensitive_fields_go_at_every_depth_and_in_every_spelling() {
        let mut value = json!({
            "name": "API", "Token": "t", "to\u{200b}ken": "t", "token_count": 3,
            "list": [{ "request_headers": { "a": 1 }, "kept": [{ "PASSWORD": 1 }] }],
        });
        sanitize(&mut value);
        assert_eq!(value, json!({ "name": "API", "token_count": 3, "list": [{ "kept": [{}] }] }));
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut value = json!("x\u{200b}");
        for _ in 0..20_000 {
            value = Value::Array(vec![value]);
        }
        sanitize(&mut value);
        while let Value::Array(mut items) = value {
            value = items.pop().expect("each level holds one value");
        }
        assert_eq!(value, json!("x"));
    }
}
