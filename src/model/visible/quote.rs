//! Quotes foreign text inside our own sentences, so that it can't pass for part of the sentence.

use super::{cap, ends_line, line, marked};
use std::fmt::Write as _;

/// Quotes at most `most` characters on one line. Quotation marks, line ends and invisible characters are escaped.
pub fn quote(text: &str, most: usize) -> String {
    format!("\"{}\"", escaped(&cap(text, most)))
}

/// A name on one line: bare if it consists of letters, digits, blanks and hyphens, so that it cannot pass for words of ours; else in
/// quotation marks.
pub fn bare_or_quoted(name: &str, most: usize) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_' | '&' | '/');
    if !name.trim().is_empty() && name.chars().all(is_plain) { line(name, most) } else { quote(name, most) }
}

/// A text for people to read in full: in quotation marks if it is one line, otherwise line by line, each behind a `>`.
pub fn quote_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.split(ends_line).collect();
    match lines.as_slice() {
        [one] => quote(one, usize::MAX),
        // Inside a line a quotation mark ends nothing.
        lines => lines.iter().flat_map(|line| ["\n> ".to_owned(), visible(line, |_| false)]).collect(),
    }
}

fn escaped(text: &str) -> String {
    visible(text, |character| matches!(character, '"' | '\\'))
}

/// The text with hidden characters written out, and those that `is_special` has a backslash before them.
fn visible(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for (character, is_hidden) in marked(text) {
        match character {
            '\n' => shown.push_str("\\n"),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            _ if is_hidden => {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => {
                if is_special(character) {
                    shown.push('\\');
                }
                shown.push(character);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotation_ends_where_we_end_it() {
        for (text, shown) in [
            ("Slow", r#""Slow""#),
            ("a\" b", r#""a\" b""#),
            (r"a\", r#""a\\""#),
            ("a\nRecipients: 0\r\n\u{2028}b\tc", r#""a\nRecipients: 0\r\n\u{2028}b\tc""#),
            ("sa\u{200b}fe\u{202e}\u{e0041}", r#""sa\u{200b}fe\u{202e}\u{e0041}""#),
            ("🏳️‍🌈 می‌خواهم", "\"🏳️‍🌈 می‌خواهم\""),
        ] {
            assert_eq!(quote(text, 100), shown);
        }
        assert_eq!(quote("abcdef", 3), r#""abc… [cut: 3 more characters]""#);
    }

    #[test]
    fn every_line_of_a_longer_text_is_marked_as_quoted() {
        assert_eq!(quote_lines("It is \"slow\"."), r#""It is \"slow\".""#);
        assert_eq!(
            quote_lines("It is slow.\r\n\r\nRecipients: 0\u{2028}On it\u{85}.\u{202e}x"),
            "\n> It is slow.\n> \n> Recipients: 0\n> On it\n> .\\u{202e}x"
        );
        for line in quote_lines("a\nb\u{b}c\u{c}d\re").lines().skip(1) {
            assert!(line.starts_with("> "), "{line}");
        }
    }

    #[test]
    fn name_is_quoted_unless_it_is_plain() {
        for (name, shown) in [("API v2", "API v2"), ("Ops & Co", "Ops & Co"), ("a: b", "\"a: b\""), ("", "\"\"")] {
            assert_eq!(bare_or_quoted(name, 60), shown);
        }
        assert_eq!(bare_or_quoted("a\u{202e}b", 60), "\"a\\u{202e}b\"");
    }
}
