//! Previews of writes: the exact public text, the components with their state before and
//! after, who would be notified, and what looks wrong. Nothing is posted, and the limits are not touched.
//!
//! What StatiBeat does not tell this person (their role may not read subscribers) is left out, not guessed.

use super::checks::references::optional;
use super::checks::{duplicate, overlap, references, schedule, text};
use super::{WriteRequest, confirm_token, target};
use crate::catalog::Write;
use crate::mcp::ToolOutcome;
use crate::model::operation::{Operation, TargetKind};
use crate::model::visible::{line, quote, quote_lines};
use crate::model::write_policy::TextRule;
use crate::upstream::ApiError;
use futures_util::future::{join, join3, join4};
use serde_json::{Map, Value, json};

/// Longest name of a page, a component or a status that is quoted, in characters.
const NAME_MAX: usize = 200;

/// A preview with everything that was found out for it.
pub struct Preview {
    target: Option<Value>,
    components: Vec<Value>,
    subscribers: Option<Value>,
    warnings: Vec<String>,
    confirm_token: String,
}

/// Finds out what there is to show, all in parallel, and has a confirm token sealed for it, told which possible duplicates it
/// shows.
pub async fn make(request: &WriteRequest<'_>, seal: impl FnOnce(&[i64]) -> String) -> Result<Preview, ApiError> {
    let WriteRequest { api, incidents, write, now, .. } = *request;
    let read = async |path: Option<String>| match path {
        Some(path) => optional(api.get(&path).await),
        None => Ok(None),
    };
    let (of_incident, of_window) = (duplicate::applies_to(write), overlap::applies_to(write));
    let read_active = async || match if of_incident { Some(api) } else { incidents.filter(|_| of_window) } {
        Some(api) => optional(api.get(duplicate::READ).await),
        None => Ok(None),
    };
    let window = |path: &str| read(of_window.then(|| path.to_owned()));
    let around = join3(read_active(), window(overlap::WINDOWS[0]), window(overlap::WINDOWS[1]));
    let of_write = join4(
        read(Some(references::ITEMS.to_owned())),
        read(write.body.get("status").map(|_| references::STATUSES.to_owned())),
        read(Some("subscribers/summary".to_owned())),
        read(write.operation.target_path()),
    );
    let ((items, statuses, subscribers, target), (active, running, upcoming)) = join(of_write, around).await;
    let (items, target, active) = (items?, target?, active?);
    let target = target.and_then(|answer| target::pick(write.operation, answer));
    let subscribers = subscribers?.filter(|_| target::is_announced(write.operation));
    let similar = active.as_ref().filter(|_| of_incident);
    let similar = similar.map(|active| duplicate::find(active, write, now)).unwrap_or_default();
    let windows: Vec<Value> = [running?, upcoming?].into_iter().flatten().collect();
    let overlaps =
        overlap::find(&windows, active.as_ref(), write, now).into_iter().filter_map(|overlap| overlap.remark(None));
    let unknown = items.as_ref().map(|items| references::unknown_items(items, write)).unwrap_or_default();
    let unknown_status = statuses?.and_then(|statuses| references::unknown_status(&statuses, write));
    let similar_words = similar.iter().map(|similar| {
        let title = quote(&similar.title, target::TITLE_MAX);
        format!("incident {} ({title}) affects the same components: update it instead?", similar.id)
    });
    let hidden = target.as_ref().filter(|_| lets_out(write)).map(|draft| hidden_in(draft, write)).unwrap_or_default();
    let warnings =
        hidden.into_iter().chain(unknown).chain(unknown_status).chain(similar_words).chain(overlaps).collect();
    let seen: Vec<i64> = similar.iter().map(|similar| similar.id).collect();
    let components = components(items.as_ref(), target.as_ref(), write);
    Ok(Preview { target, components, subscribers, warnings, confirm_token: seal(&seen) })
}

/// The components that a write names, with their state before and after.
fn components(items: Option<&Value>, target: Option<&Value>, write: &Write) -> Vec<Value> {
    let Some(known) = items.map(references::entries) else { return Vec::new() };
    let named = write.body.get("affected_items").or_else(|| target?.get("affected_items"));
    let named = named.and_then(Value::as_array).into_iter().flatten();
    let shown = named.filter_map(|name| known.iter().find(|item| duplicate::is_same_item(name, item)));
    shown.map(|item| component(item, write)).collect()
}

fn component(item: &Value, write: &Write) -> Value {
    let name = line(item["name"].as_str().unwrap_or_default(), NAME_MAX);
    let after = match write.operation.target_kind() {
        _ if target::ends(write.operation) => json!("no longer affected by it"),
        TargetKind::Maintenance => json!("under maintenance"),
        _ => write.body.get("status").cloned().unwrap_or(Value::Null),
    };
    json!({ "id": item["id"], "name": name, "before": item["status"], "after": after })
}

impl Preview {
    /// Adds what a lint found.
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    pub fn into_token(self) -> String {
        self.confirm_token
    }

    /// For people and models; `page_id` keeps it within the tool's output schema.
    pub fn into_outcome(self, request: &WriteRequest<'_>, audit_id: Option<&str>) -> ToolOutcome {
        let WriteRequest { page, write, .. } = *request;
        let text = format!(
            "Preview; nothing was published. {}\nTo publish exactly this, call again with the same arguments and confirm: \
             \"{}\" within {} minutes.",
            self.sentences(request),
            self.confirm_token,
            confirm_token::LIFETIME.as_secs() / 60,
        );
        let preview = json!({
            "public_text": self.public_text(write),
            "components": self.components,
            "subscribers": self.subscribers,
            "warnings": self.warnings,
            "confirm": self.confirm_token,
        });
        let mut structured =
            json!({ "page_id": page.id.0, "page_name": page.name, "replayed": false, "preview": preview });
        if let Some(id) = audit_id {
            structured["audit_id"] = json!(id);
        }
        ToolOutcome { is_error: false, text, structured: Some(structured), ..ToolOutcome::default() }
    }

    /// The texts that customers would read: those of the write, or those of what it lets out.
    fn public_text(&self, write: &Write) -> Map<String, Value> {
        let texts = if lets_out(write) { self.target.as_ref() } else { Some(&write.body) };
        let given = text::FIELDS.iter().filter_map(|name| Some((*name, texts?.get(*name)?)));
        given.map(|(name, text)| (name.to_owned(), text.clone())).collect()
    }

    /// The preview as text, for the person who confirms.
    pub fn sentences(&self, request: &WriteRequest<'_>) -> String {
        let WriteRequest { page, write, .. } = *request;
        let mut lines = vec![format!(
            "On {}, {}",
            quote(&page.name, NAME_MAX),
            target::sentence(write.operation, self.target.as_ref())
        )];
        let texts = self.public_text(write);
        lines.extend(
            texts.iter().map(|(name, text)| format!("{name}: {}", quote_lines(text.as_str().unwrap_or_default()))),
        );
        lines.extend(schedule::echo(write, &page.raw));
        lines.extend(self.components.iter().map(|item| {
            let word = |name: &str| quote(item[name].as_str().unwrap_or("as before"), NAME_MAX);
            format!("{}: {} → {}", word("name"), word("before"), word("after"))
        }));
        lines.extend(self.subscribers.as_ref().map(notified));
        lines.extend(self.warnings.iter().map(|warning| format!("Warning: {warning}")));
        lines.join("\n")
    }
}

/// Returns whether a write lets out what somebody else wrote.
fn lets_out(write: &Write) -> bool {
    matches!(write.operation, Operation::ApproveBeatAction { .. })
}

/// Characters that nobody sees in a draft that a write lets out.
fn hidden_in(draft: &Value, write: &Write) -> Vec<String> {
    let found = text::check(write.operation, draft, |rule| rule == TextRule::HiddenCharacter);
    found.iter().map(ToString::to_string).collect()
}

fn notified(subscribers: &Value) -> String {
    let channels = subscribers["channels"].as_object().into_iter().flatten();
    let channels: Vec<String> = channels.map(|(name, count)| format!("{} {count}", line(name, NAME_MAX))).collect();
    let total = &subscribers["deliverable"];
    format!("{total} subscribers would be notified ({}).", channels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_show_before_and_after() {
        let items = json!({ "items": [{ "id": 1, "slug": "api", "name": "API", "status": "operational" }] });
        let write = |operation, body| Write::new(operation, body);
        let body = json!({ "affected_items": [{ "slug": "api" }, { "id": 9 }], "status": "degraded" });
        let shown = components(Some(&items), None, &write(Operation::CreateIncident, body));
        assert_eq!(shown, [json!({ "id": 1, "name": "API", "before": "operational", "after": "degraded" })]);
        let target = json!({ "affected_items": [{ "id": 1, "slug": "api" }] });
        let shown = components(
            Some(&items),
            Some(&target),
            &write(Operation::AddMaintenanceUpdate { maintenance_id: 4 }, json!({})),
        );
        assert_eq!(shown[0]["after"], "under maintenance");
    }
}
