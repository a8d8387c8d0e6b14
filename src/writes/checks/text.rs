//! Checks text that customers are about to read. Pure; warns or refuses, and never edits.
//!
//! Rules see the folded text ([`crate::model::visible::Folded`]), so that no invisible character and no unusual form
//! of a letter takes
//! a word out of their sight.
//!
//! Rules look for what people regret after publishing: internals, secrets, blame, promises, contradictions, shouting. Each
//! has a name to switch it off by, and says where in which field it saw what. A rule that cries wolf is worse than none,
//! so they look for plain signs only.

mod words;

use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::{Folded, find_hidden};
use crate::model::write_policy::TextRule;
use serde_json::Value;
use std::fmt;
use words::WordKind;

/// Fields whose text customers read.
pub const FIELDS: [&str; 6] =
    ["title", "description", "message", "resolution_message", "impact", "affected_items_freetext"];
/// Longest title, in characters, that shows in full where titles are shown.
const TITLE_LIMIT: usize = 100;
/// Longest text, in characters, that people read to the end.
const TEXT_LIMIT: usize = 2000;

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
const RESOLVED: &[&str] =
    &["has been resolved", "is resolved", "is fixed", "has been fixed", "fully operational", "back to normal"];
const PAST: &[&str] =
    &["has been completed", "was completed", "has started", "have started", "was performed", "is complete"];
const PROMISES: &[&str] =
    &["will be fixed by", "will be resolved by", "will be back by", "fixed within", "resolved within"];

/// One thing that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextWarning {
    pub rule: TextRule,
    pub field: &'static str,
    pub at: usize,
    /// The hidden character that was found.
    pub hidden: Option<char>,
}

impl TextRule {
    const fn words(self) -> &'static str {
        match self {
            Self::HiddenCharacter => "is a character that readers do not see: leave it out",
            Self::InternalHost => "names an internal host",
            Self::IpAddress => "shows the address of a machine",
            Self::Secret => "looks like a secret",
            Self::Email => "shows an e-mail address",
            Self::Blame => "blames somebody",
            Self::PromisedTime => "promises a time",
            Self::SaysResolved => "says that it is over, and this call does not end it",
            Self::WrongTense => "speaks of planned work as if it had happened",
            Self::EmptyTitle => "says nothing",
            Self::ShoutingTitle => "shouts",
            Self::TooLong => "is longer than people read",
        }
    }

    /// Returns the position, in characters, of the first match of the rule.
    fn find_in(self, field: &str, text: &str, folded: &Folded, operation: Operation) -> Option<usize> {
        match self {
            Self::HiddenCharacter => find_hidden(text).map(|hidden| hidden.at),
            Self::TooLong => {
                let limit = if field == "title" { TITLE_LIMIT } else { TEXT_LIMIT };
                (text.chars().count() > limit).then_some(limit)
            }
            rule => rule.find_in_folded(field, &folded.text, operation).map(|at| folded.origin(at)),
        }
    }

    fn find_in_folded(self, field: &str, text: &str, operation: Operation) -> Option<usize> {
        let is_title = field == "title";
        match self {
            Self::InternalHost => words::find(text, WordKind::InternalHost),
            Self::IpAddress => words::find(text, WordKind::IpAddress),
            Self::Secret => words::find(text, WordKind::Secret),
            Self::Email => words::find(text, WordKind::Email),
            Self::Blame => phrase(text, BLAME),
            Self::PromisedTime => phrase(text, PROMISES).or_else(|| words::find_deadline(text)),
            Self::SaysResolved => {
                let resolves = matches!(operation, Operation::ResolveIncident { .. });
                phrase(text, RESOLVED).filter(|_| operation.target_kind() == TargetKind::Incident && !resolves)
            }
            Self::WrongTense => phrase(text, PAST).filter(|_| operation == Operation::ScheduleMaintenance),
            Self::EmptyTitle => (is_title && !text.chars().any(char::is_alphanumeric)).then_some(0),
            Self::ShoutingTitle => is_title.then(|| shouting(text)).flatten(),
            // These two look at the text as it was given.
            Self::HiddenCharacter | Self::TooLong => None,
        }
    }
}

impl fmt::Display for TextWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` at character {} ", self.rule.name(), self.field, self.at + 1)?;
        if let Some(hidden) = self.hidden {
            write!(f, "(U+{:04X}) ", u32::from(hidden))?;
        }
        f.write_str(self.rule.words())
    }
}

/// Checks the texts of a write's body; each rule warns at most once per field.
pub fn check(operation: Operation, body: &Value, is_on: impl Fn(TextRule) -> bool) -> Vec<TextWarning> {
    let texts = FIELDS.into_iter().filter_map(|field| Some((field, body.get(field)?.as_str()?)));
    let warn = |(field, text): (&'static str, &str)| {
        let folded = Folded::new(text);
        let warning = |rule: TextRule| {
            let at = rule.find_in(field, text, &folded, operation)?;
            let hidden = text.chars().nth(at).filter(|_| rule == TextRule::HiddenCharacter);
            Some(TextWarning { rule, field, at, hidden })
        };
        TextRule::ALL.iter().copied().filter(|rule| is_on(*rule)).filter_map(warning).collect::<Vec<_>>()
    };
    texts.flat_map(warn).collect()
}

fn phrase(text: &str, phrases: &[&str]) -> Option<usize> {
    // ASCII only: other letters may change their length when their case changes.
    let lower = text.to_ascii_lowercase();
    let found = phrases.iter().filter_map(|phrase| lower.find(phrase)).min()?;
    Some(text.get(..found).map_or(0, |before| before.chars().count()))
}

/// At least eight letters, most of them capitals; or two exclamation marks in a row.
fn shouting(text: &str) -> Option<usize> {
    let letters = text.chars().filter(|character| character.is_alphabetic()).count();
    let capitals = text.chars().filter(|character| character.is_uppercase()).count();
    let is_loud = letters >= 8 && capitals * 10 > letters * 7;
    if is_loud { Some(0) } else { text.find("!!").map(|at| text[..at].chars().count()) }
}

#[cfg(test)]
mod tests;
