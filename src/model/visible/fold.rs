//! Folded text: the same words however they are written, for rules that look for words.

use super::marked;

/// Compatibility forms in order, and what each is in plain characters, a line for each: those that hide a character of ASCII or
/// a word. `build.rs` cuts them out of Unicode's.
static PLAIN_FORMS: (&[char], &str) = include!(concat!(env!("OUT_DIR"), "/plain_forms.rs"));

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

    /// Where in the original the character of that index stands.
    pub fn origin(&self, at: usize) -> usize {
        self.origins.get(at).copied().unwrap_or_default()
    }
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
    fn whatever_hides_ascii_or_a_word_is_folded_as_unicode_says() {
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
    fn every_character_knows_where_it_came_from() {
        let folded = Folded::new("a\u{200b}ﬁ  x");
        assert_eq!(folded.text, "afi x");
        assert_eq!([0, 1, 2, 3, 4].map(|at| folded.origin(at)), [0, 2, 2, 3, 5]);
    }
}
