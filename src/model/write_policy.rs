//! The operator's policy for writes: when a person is asked first, and which rules watch the text.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// A rule about published text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum TextRule {
    /// A character that nobody sees, or that steers how the text is shown. Refuses unless the operator says otherwise.
    HiddenCharacter,
    /// A host name that only works inside.
    InternalHost,
    /// An address of a machine.
    IpAddress,
    /// A token, key or password.
    Secret,
    Email,
    Blame,
    /// A time by which it will be over.
    PromisedTime,
    /// Says that it is over, in a write that cannot end it.
    SaysResolved,
    /// A notice of what is to come that speaks as if it had happened.
    WrongTense,
    EmptyTitle,
    /// A title in capitals or with rows of exclamation marks.
    ShoutingTitle,
    TooLong,
}

impl TextRule {
    /// All of them, in the order they are applied.
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// Its name, for switches and messages.
    pub const fn name(self) -> &'static str {
        self.into_str()
    }

    /// The rule of that name.
    pub fn find(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// When a write needs to be confirmed, the strictest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ConfirmMode {
    /// Every time: by the person where the client can ask, otherwise by the confirm token of a preview.
    Always,
    /// By the person, wherever the client can ask.
    #[default]
    WhenSupported,
    Never,
}

/// Confirmation and text rules for writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WritePolicy {
    /// When they need to be confirmed.
    pub confirm: ConfirmMode,
    /// Rules that are switched off.
    pub rules_off: Vec<TextRule>,
    /// Rules that refuse what they see instead of warning.
    pub rules_that_refuse: Vec<TextRule>,
}

impl ConfirmMode {
    /// As it is written and stored.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// Whichever of the two asks more often.
    pub fn stricter(self, other: Self) -> Self {
        self.min(other)
    }

    /// Reads a stored word; one that nobody can read counts as the strictest.
    pub fn from_stored(word: &str) -> Self {
        Self::parse(word).unwrap_or(Self::Always)
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Default for WritePolicy {
    /// Invisible characters are never published on purpose.
    fn default() -> Self {
        Self {
            confirm: ConfirmMode::default(),
            rules_off: Vec::new(),
            rules_that_refuse: vec![TextRule::HiddenCharacter],
        }
    }
}

impl WritePolicy {
    /// Reads `rule=off`, `rule=warn` and `rule=refuse` entries; the error names the one that is neither.
    pub fn with_rules(mut self, text: &str) -> Result<Self, String> {
        for entry in text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty()) {
            match entry.split_once('=').map(|(name, word)| (TextRule::find(name), word)) {
                Some((Some(rule), "off")) => self.rules_off.push(rule),
                Some((Some(rule), "warn")) => self.rules_that_refuse.retain(|refusing| *refusing != rule),
                Some((Some(rule), "refuse")) => self.rules_that_refuse.push(rule),
                _ => return Err(entry.to_owned()),
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_one_by_one() {
        let policy = WritePolicy::default().with_rules("blame=off, secret=refuse").expect("two rules");
        assert_eq!(
            (policy.rules_off, policy.rules_that_refuse),
            (vec![TextRule::Blame], vec![TextRule::HiddenCharacter, TextRule::Secret])
        );
        let policy = WritePolicy::default().with_rules("hidden-character=warn").expect("a rule");
        assert_eq!(policy, WritePolicy { rules_that_refuse: vec![], ..WritePolicy::default() });
        for bad in ["blame", "blame=on", "nothing=off", "="] {
            assert_eq!(WritePolicy::default().with_rules(bad), Err(bad.to_owned()));
        }
    }

    #[test]
    fn the_stricter_of_two_asks_more_often() {
        let stricter = |one: &str, other: &str| {
            ConfirmMode::parse(one).expect("one").stricter(ConfirmMode::parse(other).expect("another")).as_str()
        };
        assert_eq!((stricter("never", "always"), stricter("always", "never")), ("always", "always"));
        assert_eq!(stricter("never", "when-supported"), "when-supported");
        assert_eq!(stricter("never", "never"), "never");
    }

    #[test]
    fn the_switch_has_three_positions() {
        assert_eq!(ConfirmMode::parse("when-supported"), Some(ConfirmMode::default()));
        assert!(ConfirmMode::parse("always").is_some() && ConfirmMode::parse("never").is_some());
        assert_eq!(ConfirmMode::parse("sometimes"), None);
        assert_eq!(ConfirmMode::from_stored("sometimes"), ConfirmMode::Always);
        assert_eq!(ConfirmMode::from_stored("never"), ConfirmMode::Never);
    }
}
