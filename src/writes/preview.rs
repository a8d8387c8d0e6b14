//! Previews of writes: what the write is about, the components before and after, the exact public text, who would be notified, and
//! what looks wrong. Everything comes from StatiBeat's own description of the effect; nothing is posted, and the limits are not
//! touched.

use super::call_arguments::to_publish;
use super::checks::{contradiction, duplicate, schedule, text};
use super::component_changes::{self, name_list, status_words};
use super::effect::{ComponentRole, WriteEffect, stage_name};
use super::{WriteRequest, confirm_token, report, target};
use crate::mcp::ToolOutcome;
use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::{cap, line, quote, quote_lines};
use crate::model::write::KeptPreview;
use crate::model::write_policy::TextRule;
use serde_json::{Map, Value, json};

/// Longest name of a page, a channel or a time zone, in characters.
const NAME_MAX: usize = 200;
/// Longest text that is repeated to a model, which wrote it, in characters. A person is shown all of it.
const ECHO_MAX: usize = 400;

/// A preview of one write.
pub struct Preview {
    effect: WriteEffect,
    warnings: Vec<String>,
    seal: PreviewSeal,
}

/// The means to confirm a preview: a confirm token with the call that it brings back, or the state of a question.
pub struct PreviewSeal {
    pub text: String,
    pub kept: Option<KeptPreview>,
}

/// The reader of a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Knows the texts: it wrote them.
    Model,
    Person,
}

impl Preview {
    /// Makes a preview of the effect. `seal` makes what confirms it, given which possible duplicates are shown.
    pub fn new(request: &WriteRequest<'_>, effect: WriteEffect, seal: impl FnOnce(&[i64]) -> PreviewSeal) -> Self {
        let mut similar = duplicate::find(&effect, request.write, request.now);
        similar.extend(duplicate::find_windows(&effect.related, request.write));
        similar.extend(
            effect.before().into_iter().flat_map(|before| duplicate::find_updates(before, request.write, request.now)),
        );
        let similar_words = similar.iter().map(ToString::to_string);
        let warnings = effect_warnings(request, &effect).into_iter().chain(similar_words).collect();
        let shown: Vec<i64> = similar.iter().map(|similar| similar.id).collect();
        Self { effect, warnings, seal: seal(&shown) }
    }

    /// Adds what the checks found.
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    pub fn into_state(self) -> String {
        self.seal.text
    }

    /// The call that the confirm token brings back, to be kept.
    pub const fn kept(&self) -> Option<&KeptPreview> {
        self.seal.kept.as_ref()
    }

    /// For models and programs; `page_id` keeps it within the tool's output schema.
    pub fn into_outcome(self, request: &WriteRequest<'_>, audit_id: Option<&str>) -> ToolOutcome {
        let page = request.page;
        let text = format!(
            "{}\nThis is a preview: nothing was published. {}: \"{}\", within {} minutes.",
            self.sentences(request, Reader::Model),
            to_publish(request.roots),
            self.seal.text,
            confirm_token::LIFETIME.as_secs() / 60,
        );
        let mut structured = json!({
            "page_id": page.id.get(),
            "page_name": page.name,
            "replayed": false,
            "preview": self.structured(request.write.operation),
        });
        if !self.warnings.is_empty() {
            structured["warnings"] = json!(self.warnings);
        }
        if let Some(id) = audit_id {
            structured["audit_id"] = json!(id);
        }
        ToolOutcome { text, structured: Some(structured), is_text_complete: true, ..ToolOutcome::default() }
    }

    /// The facts of [`Self::sentences`] for programs. What does not apply is left out.
    fn structured(&self, operation: Operation) -> Value {
        let effect = &self.effect;
        let texts: Map<String, Value> =
            effect.new_texts().into_iter().map(|(name, text)| (name.to_owned(), cap(text, ECHO_MAX).into())).collect();
        let mut preview = json!({
            "target": self.target(operation),
            "components": component_changes::structured(&effect.components),
            "public_text": texts,
            "visibility": line(&effect.page.visibility, NAME_MAX),
            "notifies": effect.notifies,
            "confirm": self.seal.text,
        });
        if let Some(recipients) = &effect.recipients {
            preview["recipients"] = json!({ "subscribers": recipients.subscribers, "channels": recipients.channels });
        }
        if let Some(starts_at) = effect.notice().and_then(|notice| notice.get("starts_at")) {
            let ends_at = effect.notice().map(|notice| &notice["ends_at"]);
            let time_zone = line(&effect.page.time_zone, NAME_MAX);
            preview["window"] = json!({ "starts_at": starts_at, "ends_at": ends_at, "time_zone": time_zone });
        }
        preview
    }

    fn target(&self, operation: Operation) -> Value {
        let mut target = json!({ "kind": operation.target_kind().into_str() });
        if let Some(id) = operation.target_id() {
            target["id"] = json!(id);
        }
        let notice_title = || self.effect.notice()?["title"].as_str();
        if let Some(name) = self.effect.target_name.as_deref().or_else(notice_title) {
            target["title"] = json!(line(name, target::TITLE_MAX));
        }
        for (field, change) in [
            ("state", self.effect.change(|notice| notice["state"].as_str())),
            ("stage", self.effect.change(stage_name)),
            ("status", self.effect.change(|notice| notice["status"].as_str())),
        ] {
            let [before, after] = change.map(|text| text.map(|text| line(text, NAME_MAX)));
            if before.is_some() || after.is_some() {
                target[field] = json!({ "before": before, "after": after });
            }
        }
        target
    }

    /// The preview as text, one fact a line.
    pub fn sentences(&self, request: &WriteRequest<'_>, reader: Reader) -> String {
        let WriteRequest { page, write, .. } = *request;
        let effect = &self.effect;
        let headline = target::headline(write.operation, effect);
        let mut first = format!("{headline} on {}.", quote(&page.name, NAME_MAX));
        first.extend(target::state_sentence(write.operation, effect).into_iter().map(|state| format!(" {state}")));
        let mut lines = vec![first];
        lines.extend(status_line(request, effect));
        lines.extend(component_lines(write.operation, effect));
        lines.extend(effect.new_texts().into_iter().map(|(name, text)| {
            let text = if reader == Reader::Person { text.to_owned() } else { cap(text, ECHO_MAX) };
            // Not an argument, and not what the caller wrote.
            let name = if name == "next_message" { "StatiBeat then publishes by itself" } else { name };
            format!("{name}: {}", quote_lines(&text))
        }));
        lines.extend(effect.notice().and_then(|notice| schedule::describe_window(notice, &effect.page.time_zone)));
        lines.push(format!("{} {}", visibility(effect), notified(effect)));
        lines.extend(self.warnings.iter().map(|warning| report::warning_sentence(warning)));
        lines.join("\n")
    }
}

/// The severity that an incident gives its components.
fn status_line(request: &WriteRequest<'_>, effect: &WriteEffect) -> Option<String> {
    let [before, after] = effect.change(|notice| notice["status"].as_str());
    let shown = status_words(after?);
    Some(match before {
        Some(before) if Some(before) != after => format!("Status: {} → {shown}", status_words(before)),
        Some(_) => format!("Status: {shown} (unchanged)"),
        None if request.write.body.get("status").is_none() && request.write.operation == Operation::CreateIncident => {
            format!("Status: {shown} (default)")
        }
        None => format!("Status: {shown}"),
    })
}

fn component_lines(operation: Operation, effect: &WriteEffect) -> Vec<String> {
    let is_maintenance = effect.notice().is_some_and(|notice| notice.get("starts_at").is_some());
    let noun = if is_maintenance { "maintenance" } else { "incident" };
    let lines = component_changes::lines(&effect.components, noun);
    if lines.is_empty() {
        let is_about_components = matches!(operation.target_kind(), TargetKind::Incident | TargetKind::Maintenance);
        let none = "Components: none; every component stays as it is.".to_owned();
        return is_about_components.then_some(none).into_iter().collect();
    }
    let is_upcoming = effect.after().is_some_and(|notice| notice["state"] == "upcoming");
    let heading = if is_upcoming { "Components now; under maintenance during the window:" } else { "Components:" };
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

fn visibility(effect: &WriteEffect) -> String {
    match effect.page.visibility.as_str() {
        "public" => "The page is visible to everyone.".to_owned(),
        "private" => "The page is private: visible only to people who have access to it.".to_owned(),
        other => format!("The page's visibility is {}.", quote(other, NAME_MAX)),
    }
}

fn notified(effect: &WriteEffect) -> String {
    let Some(recipients) = effect.recipients.as_ref().filter(|_| effect.notifies) else {
        let words = if effect.notifies {
            "Subscribers would be notified; your role may not see how many."
        } else {
            "Nobody would be notified."
        };
        return words.to_owned();
    };
    let channels = recipients.channels.iter().filter(|(_, count)| **count > 0);
    let channels: Vec<String> = channels.map(|(name, count)| format!("{} {count}", line(name, NAME_MAX))).collect();
    let subscribers = match recipients.subscribers {
        1 => "1 subscriber".to_owned(),
        count => format!("{count} subscribers"),
    };
    let by_channel = if channels.is_empty() { String::new() } else { format!(": {}", channels.join(", ")) };
    format!("{subscribers} would be notified{by_channel}.")
}

/// Warnings about effects that are probably not meant.
pub fn effect_warnings(request: &WriteRequest<'_>, effect: &WriteEffect) -> Vec<String> {
    let operation = request.write.operation;
    let mut warnings = Vec::new();
    let is_deleted = effect.before().is_some() && effect.after().is_none();
    let removed = effect.components.iter().filter(|component| component.affected == Some(ComponentRole::Removed));
    let removed: Vec<&str> = removed.map(|component| component.name.as_str()).collect();
    if !removed.is_empty() && !is_deleted {
        let total = removed.len() + effect.count_role(ComponentRole::Kept);
        let noun = operation.target_kind().into_str();
        warnings.push(format!(
            "this call removes {} of {total} components from the {noun}: {}",
            removed.len(),
            name_list(&removed)
        ));
    }
    warnings.extend(contradiction::find(request.write, effect, request.now));
    // What a Beat wrote, and nobody here.
    if matches!(operation, Operation::ApproveBeatAction { .. }) {
        let texts: Map<String, Value> =
            effect.new_texts().into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        let found = text::check(operation, &Value::Object(texts), |rule| rule == TextRule::HiddenCharacter);
        warnings.extend(found.iter().map(ToString::to_string));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notified_subscribers_are_counted_with_the_channels_that_reach_some() {
        let of = |notifies: bool, recipients: Value| {
            let effect = WriteEffect::parse(json!({
                "already_exists": false, "target_name": null, "components": [], "notifies": notifies,
                "recipients": recipients, "page": { "visibility": "public", "time_zone": "UTC" }, "related": [],
            }));
            notified(&effect.expect("an effect"))
        };
        let counts =
            |subscribers: u64| json!({ "subscribers": subscribers, "channels": { "email": subscribers, "sms": 0 } });
        assert_eq!(of(true, counts(3)), "3 subscribers would be notified: email 3.");
        assert_eq!(of(true, counts(1)), "1 subscriber would be notified: email 1.");
        assert_eq!(of(true, counts(0)), "0 subscribers would be notified.");
        assert_eq!(of(true, Value::Null), "Subscribers would be notified; your role may not see how many.");
        assert_eq!(of(false, counts(3)), "Nobody would be notified.");
    }
}
