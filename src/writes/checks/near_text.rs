//! Texts that say nearly the same: as titles of two incidents, as updates within minutes.
//!
//! Compared word by word, without case, accents, punctuation and filler words; `50 %`, `50%` and `50 percent` are the same. A typo in a long
//! word makes no difference. A number, or a short word such as the name of a region, does.

use crate::model::visible::{Folded, without_accents};
use strsim::damerau_levenshtein;

/// Longest text that is compared, in characters.
const COMPARED: usize = 2000;
/// Shortest word in which a typo is overlooked, in characters.
const LONG_WORD: usize = 5;
/// Share of the words of both texts that must be the same, in percent.
const SHARE: usize = 85;
/// Words that change nothing about what a title says.
const FILLERS: &[&str] = &["a", "an", "the", "in", "of", "on", "for", "at", "to", "is", "are", "and", "we", "with"];

/// Returns whether two texts say nearly the same.
pub fn is_near(one: &str, other: &str) -> bool {
    let (one, mut rest) = (words(one), words(other));
    let total = one.len() + rest.len();
    let mut unmatched = Vec::new();
    for word in one {
        match rest.iter().position(|candidate| is_same_word(&word, candidate)) {
            Some(at) => drop(rest.remove(at)),
            None => unmatched.push(word),
        }
    }
    let differing = unmatched.len() + rest.len();
    let is_telling = |word: &String| word.chars().count() <= 3 || word.chars().any(char::is_numeric);
    total > 0 && (total - differing) * 100 >= total * SHARE && !unmatched.iter().chain(&rest).any(is_telling)
}

/// The words of a text that are compared.
pub fn words(text: &str) -> Vec<String> {
    let start: String = text.chars().take(COMPARED).collect();
    let plain = without_accents(&Folded::new(&start).text)
        .to_lowercase()
        .replace('%', " percent ")
        .replace("per cent", "percent");
    let words = plain.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    words.filter(|word| !FILLERS.contains(word)).map(str::to_owned).collect()
}

fn is_same_word(one: &str, other: &str) -> bool {
    let is_long = |word: &str| word.chars().count() >= LONG_WORD && !word.chars().any(char::is_numeric);
    one == other || is_long(one) && is_long(other) && damerau_levenshtein(one, other) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_case_percent_signs_and_typos_make_no_difference() {
        for (one, other) in [
            ("A fix is out.", "A fix is out. "),
            ("About 50 % of requests fail.", "about 50 percent of requests fail"),
            ("About 50% of requests fail.", "About 50 per cent of requests fail."),
            ("API gateway errors in Europe", "Errors in the API gateway, Europe"),
            ("Checkout errors", "Chekcout errors"),
            ("ＡＰＩ down", "API  DOWN"),
            ("Café down", "Cafe\u{301} down"),
            ("Störung in Zürich", "STORUNG IN ZURICH"),
            ("Gdańsk: DNS down", "Gdansk: DNS down"),
        ] {
            assert!(is_near(one, other) && is_near(other, one), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn number_region_or_another_word_makes_a_difference() {
        for (one, other) in [
            ("Checkout errors in the EU", "Checkout errors in the US"),
            ("About 50 % of requests fail.", "About 20 % of requests fail."),
            ("Errors in API v1", "Errors in API v2"),
            ("Search is slow", "Reports are slow"),
            ("API down", "API gone"),
            ("API down", "API slow"),
            ("We are investigating.", "We are monitoring."),
            ("Mail down", "Main down"),
            ("Node12345 fails", "Node12346 fails"),
            (
                "Cluster12345 fails for many customers in most regions since this morning",
                "Cluster12346 fails for many customers in most regions since this morning",
            ),
            (
                "Checkout fails for many customers in the EU, in most regions since this morning",
                "Checkout fails for many customers in the US, in most regions since this morning",
            ),
            ("", ""),
            ("…", "!"),
        ] {
            assert!(!is_near(one, other) && !is_near(other, one), "{one:?} and {other:?}");
        }
    }
}
