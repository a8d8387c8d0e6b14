//! Folded text: the same words however they are written, for rules that look for words.

use super::marked;
use std::ops::Range;

/// Compatibility forms in order, and what each is in plain characters, a line for each: those that hide a character of ASCII or
/// a word. `build.rs` cuts them out of Unicode's.
static PLAIN_FORMS: (&[char], &str) = include!(concat!(env!("OUT_DIR"), "/plain_forms.rs"));

/// Letters that Unicode decomposes into one of ASCII and accents, in order, and that letter of each.
static BASE_LETTERS: (&[char], &str) = include!(concat!(env!("OUT_DIR"), "/base_letters.rs"));

/// A text without hidden characters, with compatibility forms (full width, circled, mathematical and the like) as plain
/// characters (Unicode UAX #15, NFKC of each character) and every run of blanks as one; it knows where each character came from.
pub struct Folded {
    pub text: String,
    /// For each of its characters, how many characters stand before the original.
    origins: Vec<usize>,
}

impl Folded {
    pub fn new(text: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(text.len()), origins: Vec::new() };
        for (at, (character, is_hidden)) in marked(text).enumerate() {
            // What joins letters or selects a style is no letter, either.
            if !is_hidden && !super::is_invisible(character) {
                match plain_form(character) {
                    Some(plain) => plain.chars().for_each(|plain| folded.push(plain, at)),
                    None => folded.push(character, at),
                }
            }
        }
        folded
    }

    fn push(&mut self, character: char, at: usize) {
        let is_blank = character.is_whitespace();
        if !(is_blank && self.text.ends_with(' ')) {
            self.text.push(if is_blank { ' ' } else { character });
            self.origins.push(at);
        }
    }

    /// The part of the original that a part of the folded text came from. The first range counts bytes, the second one
    /// characters.
    pub fn origin(&self, part: &Range<usize>) -> Range<usize> {
        let character_at = |byte: usize| self.text.get(..byte).map_or(0, |before| before.chars().count());
        let from = |at: usize| self.origins.get(at).copied();
        let start = from(character_at(part.start)).unwrap_or_default();
        let last = character_at(part.end).checked_sub(1).and_then(from).unwrap_or(start);
        start..last + 1
    }
}

/// A text with letters of the Latin script without their accents, however those are encoded: `é` and `e` with U+0301 are `e`.
pub fn without_accents(text: &str) -> String {
    let (letters, bases) = BASE_LETTERS;
    let base = |letter: char| {
        let at = letters.binary_search(&letter).ok()?;
        bases.as_bytes().get(at).map(|base| char::from(*base))
    };
    let is_accent = |character: &char| ('\u{300}'..='\u{36f}').contains(character);
    text.chars().filter(|character| !is_accent(character)).map(|letter| base(letter).unwrap_or(letter)).collect()
}

fn plain_form(character: char) -> Option<&'static str> {
    let (forms, plain) = PLAIN_FORMS;
    forms.binary_search(&character).ok().and_then(|at| plain.split('\n').nth(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization as _;

    #[test]
    fn words_are_the_same_however_they_are_written() {
        for (text, plain) in [
            ("hu\u{200b}man  \n error", "human error"),
            ("ｈｕｍａｎ\u{3000}error", "human error"),
            ("𝗵𝘂𝗺𝗮𝗻 ⓔⓡⓡⓞⓡ", "human error"),
            ("10．0。4．17", "10.0。4.17"),
            ("❤\u{fe0f}🔥 می\u{200c}خ", "❤🔥 میخ"),
            ("Störung in Zürich, 東京", "Störung in Zürich, 東京"),
        ] {
            assert_eq!(Folded::new(text).text, plain);
        }
    }

    #[test]
    fn characters_that_hide_ascii_or_words_are_folded_per_unicode() {
        for form in '\u{80}'..=char::MAX {
            let plain: String = std::iter::once(form).nfkc().collect();
            if let Some(ours) = plain_form(form) {
                assert_eq!(ours, plain);
            } else {
                assert!(plain.starts_with(form) || !plain.contains(|c: char| c.is_ascii()), "{form}");
                assert_eq!(plain.contains(char::is_alphanumeric), form.is_alphanumeric(), "{form}");
            }
        }
    }

    #[test]
    fn accents_are_left_out_per_unicode() {
        assert_eq!(without_accents("Zürich, Cafe\u{301}, Łódź, ΆΉ, が"), "Zurich, Cafe, Łodz, ΆΉ, が");
        for letter in '\u{80}'..=char::MAX {
            let decomposed: String = std::iter::once(letter).nfd().collect();
            if decomposed.starts_with(|base: char| base.is_ascii_alphabetic()) {
                assert_eq!(without_accents(&letter.to_string()), decomposed[..1], "{letter}");
                assert_eq!(without_accents(&decomposed), decomposed[..1], "{letter}");
            }
        }
    }

    #[test]
    fn every_part_knows_where_it_came_from() {
        let folded = Folded::new("a\u{200b}ﬁ  xé");
        assert_eq!(folded.text, "afi xé");
        let parts = [0..1, 1..2, 1..3, 3..4, 4..5, 4..7, 0..7];
        assert_eq!(parts.map(|part| folded.origin(&part)), [0..1, 2..3, 2..3, 3..4, 5..6, 5..7, 0..7]);
    }
}
