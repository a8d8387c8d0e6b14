//! Checks text that customers are about to read. Pure; warns or refuses, and never edits.
//!
//! Rules see the folded text ([`crate::model::visible::Folded`]), so that no invisible character and no unusual form
//! of a letter takes
//! a word out of their sight.
//!
//! Rules look for what people regret after publishing: internals, secrets, signs that a program broke the text, blame, promises,
//! contradictions, shouting. Each has a name, by which the operator chooses what becomes of a write
//! ([`crate::model::write_policy::TextRuleAction`]), and quotes what it found. A rule that cries wolf is worse than none, so they
//! look for plain signs only.

mod broken;
mod promises;
mod secrets;
mod words;

use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::{Folded, find_hidden, quote};
use crate::model::write::TEXT_FIELDS;
use crate::model::write_policy::TextRule;
use serde_json::Value;
use std::fmt;
use std::ops::Range;
use words::WordKind;

/// Fields whose text customers read.
pub const FIELDS: [&str; 6] = TEXT_FIELDS;
/// Longest title, in characters, that shows in full where titles are shown.
const TITLE_LIMIT: usize = 100;
/// Longest text, in characters, that people read to the end.
const TEXT_LIMIT: usize = 2000;
/// Longest part of a text that a warning quotes, in characters.
const QUOTE_LIMIT: usize = 60;
/// Most characters of a secret that are quoted, enough to find it.
const SECRET_SHOWN: usize = 10;
/// Characters that are quoted before and behind one that nobody sees.
const AROUND_HIDDEN: usize = 12;

const BLAME: &[&str] = &[
    "human error",
    "to blame",
    "fault of",
    "'s fault",
    "’s fault",
    "their fault",
    "somebody forgot",
    "someone forgot",
];
const PAST: &[&str] =
    &["has been completed", "was completed", "has started", "have started", "was performed", "is complete"];

/// One thing that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextWarning {
    pub rule: TextRule,
    pub field: &'static str,
    /// The part of the text that was found, quoted.
    quoted: String,
}

impl TextRule {
    /// The fault of the part that is quoted before these words.
    const fn words(self) -> &'static str {
        match self {
            Self::HiddenCharacter => "which readers do not see; it is left out",
            Self::InternalHost => "the name of an internal host",
            Self::IpAddress => "the address of a machine",
            Self::Secret => "which looks like a secret",
            Self::Email => "an e-mail address",
            Self::PhoneNumber => "a phone number",
            Self::StackTrace => "which is part of a stack trace or the name of a program's class",
            Self::EscapedCharacter => "an escaped character that readers would see as it is; send the character itself",
            Self::ToolMarkup => "markup of a tool call, which does not belong to the text",
            Self::HtmlTag => "HTML, which is shown as typed",
            Self::HtmlEntity => "an HTML entity, which is shown as typed",
            Self::ScriptLink => "a link that runs a script",
            Self::BrokenCharacter => "with a character that was broken on the way here, such as half an emoji",
            Self::Blame => "which blames somebody",
            Self::PromisedTime => "a promise of when it will be over; a time for the next update is safe",
            Self::SaysResolved => "which says that it is over, but this call leaves it open",
            Self::WrongTense => "which speaks of planned work as if it had happened",
            Self::EmptyTitle => "which says nothing",
            Self::ShoutingTitle => "which shouts",
            Self::TooLong => "more than people read",
        }
    }

    /// The first part of a text that the rule is about, quoted.
    fn find_in(self, field: &str, text: &str, folded: &Folded, operation: Operation) -> Option<String> {
        let excerpt = |part: Range<usize>| text.chars().skip(part.start).take(part.len()).collect::<String>();
        match self {
            Self::HiddenCharacter => find_hidden(text).map(|hidden| {
                let start = hidden.position.saturating_sub(AROUND_HIDDEN);
                let around = excerpt(start..hidden.position + 1 + AROUND_HIDDEN);
                format!("U+{:04X} in {}", u32::from(hidden.character), quote(&around, QUOTE_LIMIT))
            }),
            Self::TooLong => {
                let limit = if field == "title" { TITLE_LIMIT } else { TEXT_LIMIT };
                let length = text.chars().count();
                (length > limit).then(|| format!("{length} characters, over {limit}"))
            }
            Self::Secret => secrets::find(&folded.text).map(|part| {
                let secret = excerpt(folded.origin(&part));
                let shown = SECRET_SHOWN.min(secret.chars().count() / 2);
                let start: String = secret.chars().take(shown).collect();
                quote(&format!("{start}…"), QUOTE_LIMIT)
            }),
            rule => rule
                .find_in_folded(field, &folded.text, operation)
                .map(|part| quote(&excerpt(folded.origin(&part)), QUOTE_LIMIT)),
        }
    }

    fn find_in_folded(self, field: &str, text: &str, operation: Operation) -> Option<Range<usize>> {
        let is_title = field == "title";
        let is_of_incident = operation.target_kind() == TargetKind::Incident;
        match self {
            Self::InternalHost => words::find(text, WordKind::InternalHost),
            Self::IpAddress => words::find(text, WordKind::IpAddress),
            Self::Email => words::find(text, WordKind::Email),
            Self::PhoneNumber => words::find_phone_number(text),
            Self::StackTrace => broken::find_stack_trace(text),
            Self::EscapedCharacter => broken::find_escape(text),
            Self::ToolMarkup => broken::find_tool_markup(text),
            Self::HtmlTag => broken::find_html_tag(text),
            Self::HtmlEntity => broken::find_html_entity(text),
            Self::ScriptLink => broken::find_script_link(text),
            Self::BrokenCharacter => broken::find_replacement(text),
            Self::Blame => phrase(text, BLAME),
            // A maintenance window ends at a time: that is no promise beyond it.
            Self::PromisedTime => promises::find_promise(text).filter(|_| is_of_incident),
            Self::SaysResolved if matches!(operation, Operation::AddMaintenanceUpdate { .. }) => {
                promises::find_claimed_end(text)
            }
            Self::SaysResolved => {
                let resolves = matches!(operation, Operation::ResolveIncident { .. });
                promises::find_claim(text).filter(|_| is_of_incident && !resolves)
            }
            Self::WrongTense => phrase(text, PAST).filter(|_| operation == Operation::ScheduleMaintenance),
            Self::EmptyTitle => (is_title && !text.chars().any(char::is_alphanumeric)).then_some(0..text.len()),
            Self::ShoutingTitle => (is_title && is_shouting(text)).then_some(0..text.len()),
            // These look at the text as it was given.
            Self::HiddenCharacter | Self::TooLong | Self::Secret => None,
        }
    }
}

impl fmt::Display for TextWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` has {}, {}", self.rule.name(), self.field, self.quoted, self.rule.words())
    }
}

/// Checks the texts of a write's body; each rule warns at most once per field.
pub fn check(operation: Operation, body: &Value, is_on: impl Fn(TextRule) -> bool) -> Vec<TextWarning> {
    let texts = FIELDS.into_iter().filter_map(|field| Some((field, body.get(field)?.as_str()?)));
    let warn = |(field, text): (&'static str, &str)| {
        let folded = Folded::new(text);
        let warning = |rule: TextRule| {
            let quoted = rule.find_in(field, text, &folded, operation)?;
            Some(TextWarning { rule, field, quoted })
        };
        TextRule::ALL.iter().copied().filter(|rule| is_on(*rule)).filter_map(warning).collect::<Vec<_>>()
    };
    texts.flat_map(warn).collect()
}

fn phrase(text: &str, phrases: &[&str]) -> Option<Range<usize>> {
    // ASCII only: other letters may change their length when their case changes.
    let lower = text.to_ascii_lowercase();
    let found = phrases.iter().filter_map(|phrase| Some((lower.find(phrase)?, phrase.len())));
    found.min().map(|(start, length)| start..start + length)
}

/// At least eight letters, most of them capitals; or two exclamation marks in a row.
fn is_shouting(text: &str) -> bool {
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    let capitals = text.chars().filter(|character| character.is_uppercase()).count();
    letters >= 8 && capitals * 10 > letters * 7 || text.contains("!!")
}

#[cfg(test)]
mod tests;
