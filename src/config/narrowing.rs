//! Variables with a value that allows less than every other: it takes the place of a bad one, which is reported and switches nothing off.

use super::{ConfigProblem, VariableReader};
use crate::model::web_origin::AllowedOrigins;
use crate::model::write_policy::{ConfirmMode, TextRule, TextRuleAction, WritePolicy};
use crate::telemetry::policy::{Level, LogPolicy, Share};

impl VariableReader<'_> {
    /// Reports a bad value that another one takes the place of.
    pub(super) fn tolerate(&mut self, variable: &'static str, reason: &str, effect: &str) {
        self.tolerated
            .push(ConfigProblem { variable: variable.into(), reason: format!("{reason}; until then {effect}") });
    }

    /// A switch whose `off` allows less: anything that is not `on` is `off`.
    pub(super) fn permission(&mut self, name: &'static str) -> bool {
        match self.optional(name).trim() {
            "on" => true,
            "off" => false,
            value => {
                self.tolerate(name, &format!("is {value:?}; write on or off"), "it is off");
                false
            }
        }
    }

    /// An invalid entry allows nothing.
    pub(super) fn allowed_origins(&mut self) -> AllowedOrigins {
        const NAME: &str = "HOSTED_MCP_ALLOWED_ORIGINS";
        let mut entries = self.optional(NAME);
        loop {
            match AllowedOrigins::parse(&entries) {
                Ok(origins) => return origins,
                Err(entry) => {
                    let wanted = "write origins of websites: scheme, host and port, nothing behind";
                    self.tolerate(NAME, &format!("has {entry:?}; {wanted}"), "the entry allows nothing");
                    let is_separator = |c: char| c.is_whitespace() || c == ',';
                    entries = entries.split(is_separator).filter(|other| *other != entry).collect::<Vec<_>>().join(" ");
                }
            }
        }
    }

    pub(super) fn write_policy(&mut self) -> WritePolicy {
        let confirm = ConfirmMode::parse(self.optional("HOSTED_MCP_CONFIRM_WRITES").trim()).unwrap_or_else(|| {
            let wanted = "must be always, when-supported or never";
            self.tolerate("HOSTED_MCP_CONFIRM_WRITES", wanted, "every write needs a confirmation");
            ConfirmMode::Always
        });
        WritePolicy { confirm, rule_actions: self.text_rules() }
    }

    /// Rules keep their defaults without an entry, so an unknown name is ignored only where its action is none that is stricter than the
    /// default of some rule; an unknown action of a known rule is the strictest.
    fn text_rules(&mut self) -> Vec<(TextRule, TextRuleAction)> {
        const NAME: &str = "HOSTED_MCP_TEXT_RULES";
        let text = self.optional(NAME);
        let mut actions = Vec::new();
        for entry in WritePolicy::entries(&text) {
            let has = format!("has {entry:?}; write rule=off, rule=warn, rule=confirm or rule=refuse");
            let (name, word) = entry.split_once('=').unwrap_or((entry, ""));
            match (TextRule::find(name), word.parse::<TextRuleAction>().ok()) {
                (Some(rule), Some(action)) => actions.push((rule, action)),
                (Some(rule), None) => {
                    self.tolerate(NAME, &has, &format!("{name} refuses"));
                    actions.push((rule, TextRuleAction::Refuse));
                }
                (None, Some(TextRuleAction::Off | TextRuleAction::Warn)) => {
                    self.tolerate(NAME, &has, "every rule keeps its default");
                }
                // Whatever was to be kept back would be published.
                (None, _) => {
                    self.problem::<()>(NAME, has);
                }
            }
        }
        actions
    }

    pub(super) fn log_policy(&mut self) -> LogPolicy {
        let from = self.optional("HOSTED_MCP_LOG_LEVEL").trim().parse::<Level>().unwrap_or_else(|_| {
            self.tolerate("HOSTED_MCP_LOG_LEVEL", "must be info, warn or error", "every line is written");
            Level::Info
        });
        let share = Share::parse(self.optional("HOSTED_MCP_LOG_SHARE").trim()).unwrap_or_else(|| {
            let wanted = "must be a number from 0 to 1 with at most three decimals";
            self.tolerate("HOSTED_MCP_LOG_SHARE", wanted, "every line is written");
            Share::ALL
        });
        LogPolicy { from, share }
    }
}
