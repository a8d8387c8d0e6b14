//! The operator's policy for writes: when they need confirmation, and the rules for public text.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// A rule about published text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum TextRule {
    /// An invisible character, or one that changes how the text is displayed. It is removed from every published text.
    HiddenCharacter,
    /// A host name that only works inside.
    InternalHost,
    /// An address of a machine.
    IpAddress,
    /// A token, key or password.
    Secret,
    Email,
    PhoneNumber,
    /// The name of an exception, a frame of a stack trace, a class of a program.
    StackTrace,
    /// A line break or a quotation mark that was escaped once too often, so that readers see the backslash.
    EscapedCharacter,
    /// Markup of a tool call that ended up inside one of its arguments.
    ToolMarkup,
    HtmlTag,
    HtmlEntity,
    /// A link that runs a script.
    ScriptLink,
    /// The replacement character, which stands where a character was broken, such as half an emoji.
    BrokenCharacter,
    Blame,
    /// A promised time of recovery. The time of the next update is none.
    PromisedTime,
    /// Says that it is resolved, in a write that can't resolve it.
    SaysResolved,
    /// An announcement in the past tense.
    WrongTense,
    EmptyTitle,
    /// A title in capitals or with rows of exclamation marks.
    ShoutingTitle,
    TooLong,
}

/// Action for a write whose text matches a rule, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum TextRuleAction {
    /// The rule is not applied.
    Off,
    /// It is published with a warning.
    Warn,
    /// It is published only after a confirmed preview, which shows the warning.
    Confirm,
    /// It is not published, not even with a confirmed preview.
    Refuse,
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

    /// The action unless the operator names another.
    const fn default_action(self) -> TextRuleAction {
        match self {
            Self::Secret => TextRuleAction::Refuse,
            Self::HiddenCharacter | Self::InternalHost | Self::IpAddress | Self::Email => TextRuleAction::Confirm,
            _ => TextRuleAction::Warn,
        }
    }
}

/// When a write needs confirmation, strictest first.
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
    /// The operator's choices; of two for the same rule the later one counts.
    pub rule_actions: Vec<(TextRule, TextRuleAction)>,
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

    /// Parses a stored value; an unknown one counts as the strictest.
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
        Self { confirm: ConfirmMode::default(), rule_actions: Vec::new() }
    }
}

impl WritePolicy {
    /// The entries of a list of rules.
    pub fn entries(text: &str) -> impl Iterator<Item = &str> {
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty())
    }

    /// Parses `rule=off`, `rule=warn`, `rule=confirm` and `rule=refuse` entries; the error is the first invalid entry.
    pub fn with_rules(mut self, text: &str) -> Result<Self, String> {
        for entry in Self::entries(text) {
            let choice =
                entry.split_once('=').and_then(|(name, word)| Some((TextRule::find(name)?, word.parse().ok()?)));
            self.rule_actions.push(choice.ok_or_else(|| entry.to_owned())?);
        }
        Ok(self)
    }

    /// The action on a write in whose text the rule finds something.
    pub fn action(&self, rule: TextRule) -> TextRuleAction {
        let chosen = self.rule_actions.iter().rev().find(|(named, _)| *named == rule);
        chosen.map_or_else(|| rule.default_action(), |(_, action)| *action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_has_its_default_action_unless_the_operator_names_another() {
        let action = |text: &str, rule| WritePolicy::default().with_rules(text).expect("rules").action(rule);
        for (rule, by_default) in [
            (TextRule::Secret, TextRuleAction::Refuse),
            (TextRule::HiddenCharacter, TextRuleAction::Confirm),
            (TextRule::Email, TextRuleAction::Confirm),
            (TextRule::Blame, TextRuleAction::Warn),
        ] {
            assert_eq!(action("", rule), by_default);
            let name = rule.name();
            for (word, expected) in [
                ("off", TextRuleAction::Off),
                ("warn", TextRuleAction::Warn),
                ("confirm", TextRuleAction::Confirm),
                ("refuse", TextRuleAction::Refuse),
            ] {
                assert_eq!(action(&format!("too-long=off, {name}={word}"), rule), expected);
                assert_eq!(action(&format!("{name}=off {name}={word}"), rule), expected, "the later one counts");
            }
        }
    }

    #[test]
    fn entry_that_is_no_rule_and_action_is_named() {
        for bad in ["blame", "blame=on", "nothing=off", "=", "blame=Off"] {
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
