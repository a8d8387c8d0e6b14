//! Visible text: which characters are invisible or change how text is displayed, and how foreign text is quoted inside
//! our own.
//!
//! The only rule of the crate: for client and page names, texts to publish, and quotes. Invisible characters follow the
//! Unicode Character Database (16.0): categories Cc, Cf, Zl, Zp and Co, property `Default_Ignorable_Code_Point`,
//! noncharacters, and the braille blank. A joiner or variation selector is visible where writing needs it: inside an
//! emoji, or after a letter of a joining script.

mod fold;
mod quote;

pub use fold::{Folded, without_accents};
pub use quote::{bare_or_quoted, quote, quote_lines};

use unicode_properties::UnicodeEmoji as _;

const ZERO_WIDTH_NON_JOINER: char = '\u{200C}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';
const KEYCAP: char = '\u{20E3}';

/// An invisible character, or one that changes how the text is displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    pub position: usize,
    pub character: char,
}

/// Returns whether a text is visible ASCII, line feeds and tabs, which nothing hides in: most texts, told apart by their bytes alone.
pub fn is_visible_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~'))
}

/// The first hidden character of a text. Line feeds, tabs and a carriage return before a line feed are none.
pub fn find_hidden(text: &str) -> Option<Hidden> {
    if is_visible_ascii(text) {
        return None;
    }
    let mut marked = marked(text).enumerate();
    marked.find(|(_, (_, is_hidden))| *is_hidden).map(|(position, (character, _))| Hidden { position, character })
}

/// The first character that ends a line.
pub fn find_line_break(text: &str) -> Option<Hidden> {
    let mut characters = text.chars().enumerate();
    characters.find(|(_, character)| ends_line(*character)).map(|(position, character)| Hidden { position, character })
}

/// Removes invisible characters. Line feeds and tabs stay; other line ends become line feeds.
pub fn clean(text: &str) -> String {
    if is_visible_ascii(text) {
        return text.to_owned();
    }
    let shown = marked(text).filter_map(|(character, is_hidden)| match character {
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\r' => None,
        _ => (!is_hidden).then_some(character),
    });
    shown.collect()
}

/// Truncates to `most` characters and appends the number of characters cut.
pub fn cap(text: &str, most: usize) -> String {
    // No text has more characters than bytes.
    if text.len() <= most {
        return text.to_owned();
    }
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… [cut: {} more characters]", &text[..end], text[end..].chars().count()),
    }
}

/// The text as one visible line of at most `most` characters.
pub fn line(text: &str, most: usize) -> String {
    let has_only_single_blanks = || !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ");
    if text.len() <= most && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && has_only_single_blanks() {
        return text.to_owned();
    }
    cap(&clean(text).split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// Returns whether a character ends a line (Unicode UAX #14, classes BK, CR, LF and NL).
const fn ends_line(character: char) -> bool {
    matches!(character, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Each character, and whether it is hidden where it stands.
fn marked(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut characters = text.chars().peekable();
    let mut before = Before::default();
    std::iter::from_fn(move || {
        let character = characters.next()?;
        let after = characters.peek().copied();
        let is_hidden = is_invisible(character) && !before.needs(character, after);
        before.go_past(character, is_hidden);
        Some((character, is_hidden))
    })
}

/// The context before a character, as far as joiners and selectors depend on it.
#[derive(Default)]
struct Before {
    /// The last visible character, unless a joiner or something hidden came behind it.
    base: Option<char>,
    has_selector: bool,
}

impl Before {
    /// Returns whether an invisible character is needed here. One joiner or selector, never several in a row, which can
    /// carry a message.
    fn needs(&self, character: char, after: Option<char>) -> bool {
        let Some(base) = self.base else { return character == '\r' && after == Some('\n') };
        match character {
            '\r' => after == Some('\n'),
            ZERO_WIDTH_JOINER if is_emoji(base) => after.is_some_and(is_emoji),
            ZERO_WIDTH_JOINER | ZERO_WIDTH_NON_JOINER => joins_letters(base),
            // Text or emoji style. A digit is an emoji only as part of a keycap.
            '\u{FE0E}' | '\u{FE0F}' if !self.has_selector => {
                is_emoji(base) || base.is_emoji_char() && after == Some(KEYCAP)
            }
            '\u{180B}'..='\u{180F}' => matches!(base, '\u{1820}'..='\u{18AA}'),
            _ => false,
        }
    }

    fn go_past(&mut self, character: char, is_hidden: bool) {
        let is_selector = !is_hidden && matches!(character, '\u{FE0E}' | '\u{FE0F}');
        if !is_selector {
            self.base = (!is_invisible(character)).then_some(character);
        }
        self.has_selector = is_selector;
    }
}

/// An emoji by itself; digits, `#` and `*` are emoji only within keycaps.
fn is_emoji(character: char) -> bool {
    !character.is_ascii() && character.is_emoji_char()
}

/// Letters and marks of the scripts in which a joiner changes what is read: the Arabic family, the Indic scripts and their
/// relatives, Mongolian.
const fn joins_letters(character: char) -> bool {
    matches!(character,
        '\u{620}'..='\u{65F}' | '\u{66E}'..='\u{6D3}' | '\u{6D5}'..='\u{6ED}' | '\u{6FA}'..='\u{7BF}' | '\u{7CA}'..='\u{963}'
        | '\u{971}'..='\u{DF3}' | '\u{F40}'..='\u{FBC}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17D3}'
        | '\u{1820}'..='\u{18AA}' | '\u{1B00}'..='\u{1B4C}' | '\u{1B80}'..='\u{1BF3}' | '\u{A840}'..='\u{A8F7}'
        | '\u{A980}'..='\u{A9C0}' | '\u{11000}'..='\u{11FFF}')
}

/// Characters without a shape of their own. A line feed and a tab have one: the place after them.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{B}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{FFFE}'..='\u{FFFF}' | '\u{13430}'..='\u{1343F}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests;
