//! Halves of surrogate pairs in a message, such as `"\ud83d"`, half an emoji that a client cut in two. They are no text
//! ([RFC 8259, section 8.2](https://www.rfc-editor.org/rfc/rfc8259#section-8.2)) and make the whole message no JSON for a strict
//! parser; the sender learns which argument they are in.

use crate::model::visible::quote;
use serde_json::Value;
use std::fmt;

/// A noncharacter in the place of the half; its escape is as long.
const MARK: char = '\u{fdd0}';
const MARK_ESCAPE: &[u8; 6] = b"\\ufdd0";
/// Longest name that is quoted, in characters.
const NAME_MAX: usize = 100;

/// The first half of a surrogate pair that stands alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoneSurrogate {
    /// The argument or field, as in `title` or `affected_items[0].slug`.
    field: String,
    /// Position in its text, in characters, from 1.
    position: usize,
    code: u16,
}

impl fmt::Display for LoneSurrogate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, position, code } = self;
        let field = quote(field, NAME_MAX);
        write!(
            f,
            "Invalid arguments: {field} has \\u{code:04x} at character {position}, half of a surrogate pair, such as half an emoji. \
             Nothing was published. Send the whole character, or leave it out."
        )
    }
}

/// Finds the first half in a body that is JSON but for it; returns it with the body's content around it.
pub fn find(body: &[u8]) -> Option<(LoneSurrogate, Value)> {
    let (start, code) = find_escape(body, 0)?;
    let mut marked = body.to_vec();
    marked[start..start + MARK_ESCAPE.len()].copy_from_slice(MARK_ESCAPE);
    let mut next = start;
    while let Some((other, _)) = find_escape(&marked, next) {
        marked[other..other + MARK_ESCAPE.len()].copy_from_slice(b"\\ufffd");
        next = other;
    }
    let content: Value = serde_json::from_slice(&marked).ok()?;
    let (path, position) = find_mark(&content, "")?;
    let field = ["params.arguments.", "params."].iter().find_map(|root| path.strip_prefix(root)).unwrap_or(&path);
    Some((LoneSurrogate { field: field.to_owned(), position, code }, content))
}

/// The place of the first escape from `from` on that is half of a pair without the other half, and its code.
fn find_escape(body: &[u8], from: usize) -> Option<(usize, u16)> {
    let mut index = from;
    while index + 1 < body.len() {
        if body[index] != b'\\' {
            index += 1;
            continue;
        }
        match code_of(body, index) {
            None => index += 2,
            Some(0xd800..=0xdbff) if code_of(body, index + 6).is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) => {
                index += 12;
            }
            Some(code @ 0xd800..=0xdfff) => return Some((index, code)),
            Some(_) => index += 6,
        }
    }
    None
}

/// The code of an escape such as `\u00e9` at that index.
fn code_of(body: &[u8], index: usize) -> Option<u16> {
    let digits = body.get(index..index + 6)?.strip_prefix(b"\\u")?;
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_hex)?, 16).ok()
}

fn find_mark(value: &Value, path: &str) -> Option<(String, usize)> {
    let find_in = |text: &str| Some(text.chars().position(|character| character == MARK)? + 1);
    match value {
        Value::String(text) => Some((path.to_owned(), find_in(text)?)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| find_mark(item, &format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let in_name = find_in(name).map(|position| (inner.replace(MARK, "\u{fffd}"), position));
            in_name.or_else(|| find_mark(value, &inner))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Option<(&str, usize, u16)>) {
        let found = find(body.as_bytes()).map(|(found, _)| (found.field, found.position, found.code));
        let expected = expected.map(|(field, position, code)| (field.to_owned(), position, code));
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn half_of_a_pair_is_found_with_its_argument_and_position() {
        check(r#"{"params":{"arguments":{"title":"Slow \ud83d"}}}"#, Some(("title", 6, 0xd83d)));
        check(r#"{"params":{"arguments":{"a":"\ud83d\ude00 \ude00\ud83d"}}}"#, Some(("a", 3, 0xde00)));
        check(r#"{"params":{"arguments":{"items":[{"slug":"é\udc00"}]}}}"#, Some(("items[0].slug", 2, 0xdc00)));
        check(r#"{"params":{"uri":"\uD83Dx"}}"#, Some(("uri", 1, 0xd83d)));
        check(r#"{"params":{"arguments":{"na\ud83dme":1}}}"#, Some(("na\u{fffd}me", 3, 0xd83d)));
    }

    #[test]
    fn whole_pairs_escaped_backslashes_and_broken_json_have_none() {
        for body in
            [r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"C:\\ud83d"}"#, r#"{"a":"\ud83d""#, r#"{"a":"\u00e9"}"#, "", "\\"]
        {
            check(body, None);
        }
    }
}
