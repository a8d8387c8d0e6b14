//! What an operator decides about writes: when a person is asked first, and which rules watch the text.

use super::lint::Rule;

/// When a write needs to be confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confirm {
    /// Every time: by the person where the client can ask, otherwise by the handle of a preview.
    Always,
    /// By the person, wherever the client can ask.
    #[default]
    WhenSupported,
    /// Never.
    Never,
}

/// How writes are watched over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WritePolicy {
    /// When they need to be confirmed.
    pub confirm: Confirm,
    /// Rules that are switched off.
    pub rules_off: Vec<Rule>,
    /// Rules that refuse what they see instead of warning.
    pub rules_that_refuse: Vec<Rule>,
}

impl Confirm {
    /// Reads the switch.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "always" => Self::Always,
            "when-supported" => Self::WhenSupported,
            "never" => Self::Never,
            _ => return None,
        })
    }
}

impl WritePolicy {
    /// Reads `rule=off` and `rule=refuse` entries; the error names the one that is neither.
    pub fn with_rules(mut self, text: &str) -> Result<Self, String> {
        for entry in text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty()) {
            match entry.split_once('=').map(|(name, word)| (Rule::find(name), word)) {
                Some((Some(rule), "off")) => self.rules_off.push(rule),
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
        assert_eq!((policy.rules_off, policy.rules_that_refuse), (vec![Rule::Blame], vec![Rule::Secret]));
        for bad in ["blame", "blame=on", "nothing=off", "="] {
            assert_eq!(WritePolicy::default().with_rules(bad), Err(bad.to_owned()));
        }
    }

    #[test]
    fn the_switch_has_three_positions() {
        assert_eq!(Confirm::parse("when-supported"), Some(Confirm::default()));
        assert!(Confirm::parse("always").is_some() && Confirm::parse("never").is_some());
        assert_eq!(Confirm::parse("sometimes"), None);
    }
}
