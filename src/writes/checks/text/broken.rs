//! Signs that a program broke a text on its way here: escapes that were never resolved, markup of tool calls and of HTML, the
//! replacement character; and stack traces, which a program wrote.

use super::words;
use std::ops::Range;

/// Escapes that end up in a text as two characters.
const ESCAPES: &[&str] = &["\\r\\n", "\\n", "\\t", "\\\"", "\\u"];
/// Elements of HTML that people and programs write into texts.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "body",
    "br",
    "button",
    "center",
    "code",
    "div",
    "em",
    "embed",
    "font",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "li",
    "link",
    "meta",
    "object",
    "ol",
    "p",
    "pre",
    "s",
    "script",
    "small",
    "span",
    "strong",
    "style",
    "sub",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "u",
    "ul",
    "video",
];
/// Elements that open in the markup of a tool call.
const CALL_ELEMENTS: &[&str] = &[
    "parameter",
    "invoke",
    "function_calls",
    "function_call",
    "function_results",
    "tool_call",
    "tool_use",
    "tool_result",
];
const ENTITIES: &[&str] = &[
    "amp", "lt", "gt", "quot", "apos", "nbsp", "copy", "reg", "trade", "hellip", "mdash", "ndash", "lsquo", "rsquo",
    "ldquo", "rdquo", "bull", "middot", "deg", "euro", "auml", "ouml", "uuml", "Auml", "Ouml", "Uuml", "szlig",
    "eacute", "egrave",
];
const SCRIPTS: &[&str] = &["javascript:", "vbscript:", "data:text/html"];
const TRACES: &[&str] = &["Traceback (most recent call last)", "panicked at ", "goroutine 1 [", "Stack trace:"];
/// Endings of files of source code.
const SOURCES: &[&str] = &[
    ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".java", ".kt", ".scala", ".py", ".rb", ".go", ".rs", ".cs", ".php",
    ".c", ".cpp",
];
/// First parts of the names of packages.
const PACKAGES: &[&str] = &["com", "org", "net", "io", "java", "javax", "dev", "de"];

/// A backslash and a letter where a line break or a quotation mark was meant. A path of Windows is none.
pub fn find_escape(text: &str) -> Option<Range<usize>> {
    let at_escape = |(at, _): (usize, &str)| {
        let rest = &text[at..];
        let escape = ESCAPES.iter().find(|escape| rest.starts_with(**escape))?;
        let code = rest.get(2..6).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let is_path = text[..at]
            .rsplit(char::is_whitespace)
            .next()
            .is_some_and(|word| word.contains(":\\") || word.ends_with(':') || word.contains("\\\\"));
        let end = at + if *escape == "\\u" { 6 } else { escape.len() };
        ((*escape != "\\u" || code) && (!is_path || *escape == "\\u")).then_some(at..end)
    };
    text.match_indices('\\').find_map(at_escape)
}

/// An element of a tool call, or the end of an element that is none of HTML.
pub fn find_tool_markup(text: &str) -> Option<Range<usize>> {
    tags(text).find(Tag::is_of_call).map(|tag| tag.range)
}

pub fn find_html_tag(text: &str) -> Option<Range<usize>> {
    tags(text).find(|tag| ELEMENTS.contains(&tag.name.as_str())).map(|tag| tag.range)
}

struct Tag {
    name: String,
    is_end: bool,
    range: Range<usize>,
}

impl Tag {
    fn is_of_call(&self) -> bool {
        let name = self.name.rsplit(':').next().unwrap_or_default();
        CALL_ELEMENTS.contains(&name) || self.is_end && !ELEMENTS.contains(&name)
    }
}

/// The part that stands between `<` and `>` and begins with a name.
fn tags(text: &str) -> impl Iterator<Item = Tag> {
    text.match_indices('<').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let (inside, _) = rest.split_once('>')?;
        let (is_end, named) = inside.strip_prefix('/').map_or((false, inside), |named| (true, named));
        let is_name = |character: char| character.is_ascii_alphanumeric() || "_:-".contains(character);
        let name: String = named.chars().take_while(|character| is_name(*character)).collect();
        let behind = &named[name.len()..];
        let is_tag = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && (behind.is_empty()
                || behind.starts_with([' ', '/']) && (is_end || behind.contains('=') || behind.trim() == "/"));
        is_tag.then(|| Tag { name: name.to_ascii_lowercase(), is_end, range: at..at + inside.len() + 2 })
    })
}

pub fn find_html_entity(text: &str) -> Option<Range<usize>> {
    text.match_indices('&').find_map(|(at, _)| {
        let (name, _) = text[at + 1..].split_once(';')?;
        let code = name.strip_prefix('#').map(|code| code.trim_start_matches(['x', 'X']));
        let is_code = code.is_some_and(|code| {
            !code.is_empty() && code.len() <= 6 && code.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        (ENTITIES.contains(&name) || is_code).then(|| at..at + name.len() + 2)
    })
}

/// A link that runs a script. "JavaScript: …" with a blank behind the colon is prose.
pub fn find_script_link(text: &str) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    SCRIPTS.iter().find_map(|scheme| {
        let start = lower.find(scheme)?;
        let rest = lower[start + scheme.len()..].split(char::is_whitespace).next().filter(|rest| !rest.is_empty())?;
        Some(start..start + scheme.len() + rest.len())
    })
}

/// The replacement character, with the word that it is in.
pub fn find_replacement(text: &str) -> Option<Range<usize>> {
    let at = text.find(char::REPLACEMENT_CHARACTER)?;
    let start = text[..at].rfind(' ').map_or(0, |blank| blank + 1);
    let end = text[at..].find(' ').map_or(text.len(), |blank| at + blank);
    Some(start..end)
}

/// A line of a stack trace, the name of an exception, or a class by its full name.
pub fn find_stack_trace(text: &str) -> Option<Range<usize>> {
    let heading = TRACES.iter().find_map(|heading| text.find(heading).map(|start| start..start + heading.len()));
    heading.or_else(|| {
        words::split(text).find(|word| is_frame(word.text) || is_program_name(word.text)).map(words::Word::range)
    })
}

/// `bar.js:1:2` or `Bar.java:17`.
fn is_frame(word: &str) -> bool {
    let mut parts = word.split(':');
    let file = parts.next().unwrap_or_default();
    let mut numbers = parts.peekable();
    let is_source = SOURCES.iter().any(|ending| file.len() > ending.len() && file.ends_with(ending));
    is_source
        && numbers.peek().is_some()
        && numbers.all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `NullPointerException`, `TypeError` or `com.foo.Bar`.
fn is_program_name(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['.', '$']).collect();
    let is_capitalized = |part: &&str| part.starts_with(|first: char| first.is_ascii_uppercase());
    let is_plain = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    let class = parts.last().copied().unwrap_or_default();
    let is_error = ["Exception", "Error"].iter().any(|ending| {
        class
            .strip_suffix(ending)
            .is_some_and(|rest| rest.len() >= 2 && rest.ends_with(|last: char| last.is_ascii_alphanumeric()))
    });
    let is_class = parts.len() >= 3
        && PACKAGES.contains(&parts[0])
        && is_capitalized(&class)
        && class.bytes().any(|byte| byte.is_ascii_lowercase());
    is_plain && is_capitalized(&class) && (is_error || is_class)
}
