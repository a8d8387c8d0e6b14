//! StatiBeat's description of what a write would do: the answer to a dry run (`DryRun` in the contract). A preview, a question to
//! the person and the refusal of an impossible call are all made from it.

use crate::upstream::ApiError;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// States of an incident or a maintenance that is over.
const OVER: [&str; 3] = ["resolved", "completed", "cancelled"];
/// Fields of an incident or a maintenance whose text customers read.
const TEXTS: [&str; 4] = ["title", "description", "impact", "affected_items_freetext"];

/// The effect that a write would have now.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct WriteEffect {
    /// The write would only return what is there.
    pub already_exists: bool,
    /// The title or name of what the write changes, acts on or adds to.
    pub target_name: Option<String>,
    /// The incident or maintenance before the write.
    before: Option<Value>,
    after: Option<Value>,
    pub components: Vec<ComponentEffect>,
    /// The place in the hierarchy of every component that the write's own object or one of `related` affects. Without it, possible
    /// duplicates are found on the very same components only.
    #[serde(default)]
    ancestors: Vec<ComponentAncestors>,
    /// True if the page's subscribers are notified.
    pub notifies: bool,
    /// `None` if nobody is notified or the person may not know.
    pub recipients: Option<Recipients>,
    pub page: PageEffect,
    /// The other incidents (newest first) or maintenances (soonest first) that are not over; none if the person may not read them.
    /// StatiBeat sends at most 50; whatever it sends is compared.
    pub related: Vec<Value>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ComponentEffect {
    pub id: i64,
    pub name: String,
    /// The names of the components above it, top level first.
    pub path: Vec<String>,
    /// Its part in the incident or maintenance; `None` if only its state changes.
    pub affected: Option<ComponentRole>,
    pub before: ComponentState,
    pub after: ComponentState,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct ComponentAncestors {
    id: i64,
    /// The components above it, top level first.
    ancestor_ids: Vec<i64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ComponentRole {
    Added,
    Removed,
    Kept,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ComponentState {
    /// The key of a status definition.
    pub status: String,
    pub under_maintenance: bool,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Recipients {
    /// Distinct subscribers, each counted once.
    pub subscribers: u64,
    /// Messages by channel; their sum may exceed `subscribers`.
    pub channels: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct PageEffect {
    pub visibility: String,
    pub time_zone: String,
}

impl WriteEffect {
    pub fn parse(answer: Value) -> Result<Self, ApiError> {
        serde_json::from_value(answer).map_err(|error| ApiError::malformed(&error))
    }

    pub fn before(&self) -> Option<&Value> {
        self.before.as_ref()
    }

    pub fn after(&self) -> Option<&Value> {
        self.after.as_ref()
    }

    /// The incident or maintenance; after the write unless that deletes it.
    pub fn notice(&self) -> Option<&Value> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// A text of the notice before and after, such as `state`.
    pub fn change(&self, read: impl Fn(&Value) -> Option<&str>) -> [Option<&str>; 2] {
        [self.before.as_ref().and_then(&read), self.after.as_ref().and_then(&read)]
    }

    /// Returns whether the write ends an incident or a maintenance that is not over.
    pub fn closes(&self) -> bool {
        let [before, after] = self.change(|notice| notice["state"].as_str());
        let is_over = |state: Option<&str>| state.is_some_and(|state| OVER.contains(&state));
        before.is_some() && !is_over(before) && is_over(after)
    }

    /// The texts that customers would newly read, by field. `message` is that of the new update; `next_message` that of the update
    /// which StatiBeat then adds by itself, as when it starts a window.
    pub fn new_texts(&self) -> Vec<(&'static str, &str)> {
        let Some(after) = &self.after else { return Vec::new() };
        let before = self.before.as_ref().unwrap_or(&Value::Null);
        let changed = |name: &'static str| Some((name, after[name].as_str()?)).filter(|_| before[name] != after[name]);
        let count = |notice: &Value| notice["updates_total"].as_u64().unwrap_or_default();
        let added = usize::try_from(count(after).saturating_sub(count(before))).unwrap_or_default();
        let updates = after["updates"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Newest first.
        let messages = updates.iter().take(added).rev().filter_map(|update| update["message"].as_str());
        let names = if self.before.is_some() { ["message", "next_message"].as_slice() } else { &["next_message"] };
        TEXTS.into_iter().filter_map(changed).chain(names.iter().copied().zip(messages)).collect()
    }

    /// The components that the incident or maintenance affects after the write.
    pub fn affected(&self) -> impl Iterator<Item = &ComponentEffect> {
        let is_affected = |role| matches!(role, Some(ComponentRole::Added | ComponentRole::Kept));
        self.components.iter().filter(move |component| is_affected(component.affected))
    }

    /// Returns whether a component is below another one in the hierarchy.
    pub fn is_below(&self, id: i64, above_id: i64) -> bool {
        self.ancestors.iter().any(|component| component.id == id && component.ancestor_ids.contains(&above_id))
    }

    pub fn count_role(&self, role: ComponentRole) -> usize {
        self.components.iter().filter(|component| component.affected == Some(role)).count()
    }
}

pub fn stage_name(notice: &Value) -> Option<&str> {
    notice["lifecycle_stage"]["name"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn effect(before: Value, after: Value) -> WriteEffect {
        let mut effect = json!({
            "already_exists": false, "target_name": null, "components": [], "ancestors": [],
            "notifies": true, "recipients": null, "page": { "visibility": "public", "time_zone": "UTC" }, "related": [],
        });
        effect["before"] = before;
        effect["after"] = after;
        WriteEffect::parse(effect).expect("an effect")
    }

    #[test]
    fn new_texts_are_those_that_change_and_the_message_of_a_new_update() {
        let update = |message: &str| json!({ "message": message });
        let updates = |messages: &[&str]| messages.iter().map(|message| update(message)).collect::<Value>();
        let before = json!({
            "title": "Slow", "description": "It is slow.", "updates": updates(&["Known."]), "updates_total": 1,
        });
        let mut after = before.clone();
        assert_eq!(effect(before.clone(), after.clone()).new_texts(), []);
        after["updates"] = updates(&["Started.", "On it.", "Known."]);
        after["updates_total"] = json!(3);
        after["impact"] = json!("Searches take a minute.");
        let texts = [("impact", "Searches take a minute."), ("message", "On it."), ("next_message", "Started.")];
        assert_eq!(effect(before.clone(), after).new_texts(), texts);
        assert_eq!(effect(Value::Null, before.clone()).new_texts().len(), 3);
        assert_eq!(effect(before, Value::Null).new_texts(), []);
    }

    #[test]
    fn write_closes_what_was_open_before_and_is_over_after() {
        let closes = |before: &str, after: &str| effect(json!({ "state": before }), json!({ "state": after })).closes();
        assert!(closes("active", "resolved") && closes("upcoming", "cancelled") && closes("active", "completed"));
        assert!(!closes("upcoming", "active") && !closes("resolved", "resolved") && !closes("resolved", "active"));
        assert!(!effect(Value::Null, json!({ "state": "active" })).closes());
    }

    #[test]
    fn effect_without_ancestors_is_read_and_nothing_is_below_anything() {
        let mut answer = json!({
            "already_exists": false, "target_name": null, "before": null, "after": null, "components": [],
            "notifies": true, "recipients": null, "page": { "visibility": "public", "time_zone": "UTC" }, "related": [],
        });
        assert!(!WriteEffect::parse(answer.clone()).expect("an effect").is_below(2, 1));
        answer["ancestors"] = json!([{ "id": 2, "ancestor_ids": [1] }]);
        assert!(WriteEffect::parse(answer).expect("an effect").is_below(2, 1));
    }

    #[test]
    fn answer_that_is_no_effect_is_malformed() {
        let error = WriteEffect::parse(json!({ "id": 9 })).expect_err("no effect");
        assert_eq!(error.kind, crate::upstream::ApiErrorKind::Malformed);
    }
}
