//! Which characters are hidden: held against the Unicode Character Database, and where joiners and selectors are needed.

use super::*;
use unicode_general_category::{GeneralCategory, get_general_category};

fn check(text: &str, expected: &str) {
    assert_eq!(clean(text), expected, "{text:?}");
    assert_eq!(find_hidden(text).is_some(), text != expected && text.replace("\r\n", "\n") != expected, "{text:?}");
}

/// `Default_Ignorable_Code_Point` beyond the categories of control and format characters (`DerivedCoreProperties.txt`, 16.0).
fn is_ignorable(character: char) -> bool {
    matches!(u32::from(character),
        0x34F | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180D | 0x180F | 0x2065 | 0x3164 | 0xFE00..=0xFE0F | 0xFFA0
        | 0xFFF0..=0xFFF8 | 0xE0000..=0xE0FFF)
}

#[test]
fn hidden_characters_are_those_of_the_unicode_character_database() {
    // Signs over or around digits are format characters that one sees (Prepended_Concatenation_Mark).
    let is_seen = |character: char| {
        matches!(u32::from(character),
            0x600..=0x605 | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x110BD | 0x110CD)
    };
    for character in '\0'..=char::MAX {
        let number = u32::from(character);
        let expected = match get_general_category(character) {
            GeneralCategory::Control => !matches!(character, '\n' | '\t'),
            GeneralCategory::Format => !is_seen(character),
            GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator | GeneralCategory::PrivateUse => true,
            // The braille blank; noncharacters of the first plane; and all of the planes that hold tags, selectors and private
            // use alone. The noncharacters at the ends of the planes between are shown as a box.
            _ => is_ignorable(character) || matches!(number, 0x2800 | 0xFDD0..=0xFDEF | 0xFFFE..=0xFFFF | 0xE0000..),
        };
        assert_eq!(is_invisible(character), expected, "U+{number:04X}");
    }
}

#[test]
fn visible_characters_are_kept() {
    for text in [
        "Plain text.",
        "two\nlines\tand a tab",
        "Störung in Zürich, 東京 и Москва",
        "עברית العربية",
        "🔥 50 %",
        "❤️ ☎︎ 1️⃣ #️⃣ 👍🏽 🇨🇭",
        "👩🏽‍💻 🏳️‍🌈 👨‍👩‍👧‍👦 ❤️‍🔥",
        "می‌خواهم",
        "क्‍ष ക്‍ ශ්‍රී",
        "ᠠ᠋",
    ] {
        check(text, text);
    }
}

#[test]
fn invisible_characters_are_removed() {
    check("a\u{0}b\u{1b}[31mc\u{7f}", "ab[31mc");
    check("one\r\ntwo\nthree", "one\ntwo\nthree");
    check("\r\none\r\n", "\none\n");
    check("\rone", "one");
    check("\u{200b}\none", "\none");
    check("one\u{2028}two\u{85}three\rfour", "one\ntwo\nthreefour");
    check("safe\u{202e}txt.exe\u{2066}x\u{2069}", "safetxt.exex");
    check("zero\u{200b}width\u{200d}\u{feff}\u{2060}", "zerowidth");
    check("tags\u{e0049}\u{e0067}\u{e006e}", "tags");
    check("selectors\u{fe0f}\u{e0100}", "selectors");
    check("soft\u{ad}hyphen\u{3164}filler\u{2800}", "softhyphenfiller");
    check("private\u{e000}\u{f0000}\u{10ffff}", "private");
    check("notes\u{fff9}x\u{fffa}y\u{fffb}", "notesxy");
}

#[test]
fn joiner_or_selector_hides_where_writing_needs_none() {
    check("hu\u{200d}man er\u{200c}ror", "human error");
    check("10\u{fe0f}.0", "10.0");
    check("a\u{180b}b", "ab");
    check("🔥\u{200d}", "🔥");
    check("🔥\u{200d}a", "🔥a");
    check("❤\u{fe0f}\u{fe0f}\u{fe0e}", "❤\u{fe0f}");
    check("👩\u{200d}\u{200d}💻", "👩💻");
    check("می\u{200c}\u{200c}خ", "می\u{200c}خ");
    check("می\u{200c}\u{200d}خ", "می\u{200c}خ");
}

#[test]
fn first_hidden_character_is_found_with_its_place() {
    assert_eq!(find_hidden("é🔥\u{200b}x\u{202e}"), Some(Hidden { position: 2, character: '\u{200b}' }));
    assert_eq!(find_hidden("two\r\nlines"), None);
    assert_eq!(find_line_break("é🔥\u{2028}"), Some(Hidden { position: 2, character: '\u{2028}' }));
    assert_eq!(find_line_break("a b\tc"), None);
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
    for (text, shown) in
        [("a b", "a b"), ("", ""), (" a", "a"), ("a ", "a"), ("a  b", "a b"), ("a\tb", "a b"), ("a\n", "a")]
    {
        assert_eq!(line(text, 4), shown, "{text:?}");
    }
}

#[test]
fn ascii_text_is_cleaned_as_it_is_before_a_letter_outside_ascii() {
    for character in '\0'..='\u{7F}' {
        for text in [format!("a{character}b"), format!("{character}\n"), format!("\r{character}")] {
            let longer = format!("{text}é");
            assert_eq!(clean(&text) + "é", clean(&longer), "{text:?}");
            assert_eq!(find_hidden(&text), find_hidden(&longer), "{text:?}");
        }
    }
}
