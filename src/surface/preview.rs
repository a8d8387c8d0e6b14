//! What a write would do, shown before it is done: the exact public text, the components with their state before and
//! after, who would hear of it, and what looks wrong. Nothing is posted, and the limits are not touched.
//!
//! What StatiBeat does not tell this person (their role may not read subscribers) is left out, not guessed.

use super::{clock, confirmation, similar, target};
use crate::catalog::{Write, text};
use crate::mcp::ToolOutcome;
use crate::timestamp::Timestamp;
use crate::upstream::identity::AccessiblePage;
use crate::upstream::{ApiError, PageApi};
use serde_json::{Map, Value, json};

/// The texts of a write that customers read, in the order they read them.
const PUBLIC: [&str; 6] =
    ["title", "description", "message", "resolution_message", "impact", "affected_items_freetext"];

/// A preview with everything that was found out for it.
pub struct Preview {
    target: Option<Value>,
    components: Vec<Value>,
    subscribers: Option<Value>,
    warnings: Vec<String>,
    handle: String,
}

/// Finds out what there is to show, all in parallel, and has a handle sealed for it, told which similar incidents it shows.
pub async fn make(
    api: &PageApi<'_>,
    write: &Write,
    now: Timestamp,
    seal: impl FnOnce(&[i64]) -> String,
) -> Result<Preview, ApiError> {
    let place = target::place(&write.path);
    let reads = ["hierarchy/items", "subscribers/summary", similar::READ].map(str::to_owned);
    let reads: Vec<String> = reads.into_iter().chain(place).collect();
    let mut answers = api.get_all(&reads).await.into_iter().map(optional);
    let mut next = || answers.next().unwrap_or(Ok(None));
    let (items, subscribers, active, target) = (next()?, next()?, next()?, next()?);
    let target = target.and_then(|answer| target::pick(&write.path, answer));
    let subscribers = subscribers.filter(|_| target::is_announced(write));
    let similar = active.filter(|_| similar::applies_to(write));
    let similar = similar.map(|active| similar::find(&active, write, now)).unwrap_or_default();
    let (components, mut warnings) = components(items.as_ref(), target.as_ref(), write);
    warnings.extend(similar.iter().map(|similar| {
        format!("incident {} (\"{}\") affects the same components: update it instead?", similar.id, similar.title)
    }));
    let seen: Vec<i64> = similar.iter().map(|similar| similar.id).collect();
    Ok(Preview { target, components, subscribers, warnings, handle: seal(&seen) })
}

/// What a role may not read, a preview does without.
fn optional(answer: Result<Value, ApiError>) -> Result<Option<Value>, ApiError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(ApiError::Forbidden(_) | ApiError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The components that a write names, with their state before and after; and the names that nothing answers to.
fn components(items: Option<&Value>, target: Option<&Value>, write: &Write) -> (Vec<Value>, Vec<String>) {
    let list = |of: &Value| of.get("items").unwrap_or(of).as_array().cloned().unwrap_or_default();
    let Some(known) = items.map(list) else { return (Vec::new(), Vec::new()) };
    let named = write.body.get("affected_items").or_else(|| target?.get("affected_items"));
    let mut warnings = Vec::new();
    let mut shown = Vec::new();
    for name in named.and_then(Value::as_array).into_iter().flatten() {
        match known.iter().find(|item| similar::is_same_item(name, item)) {
            Some(item) => shown.push(component(item, write)),
            None => warnings.push(format!("no component of this page is {name}{}", closest(name, &known))),
        }
    }
    (shown, warnings)
}

fn component(item: &Value, write: &Write) -> Value {
    let name = text::clean(item["name"].as_str().unwrap_or_default());
    let after = match write.path.split('/').next() {
        _ if target::ends(write) => json!("no longer affected by it"),
        Some("maintenances") => json!("under maintenance"),
        _ => write.body.get("status").cloned().unwrap_or(Value::Null),
    };
    json!({ "id": item["id"], "name": name, "before": item["status"], "after": after })
}

/// A hint at what may have been meant.
pub fn closest(name: &Value, known: &[Value]) -> String {
    let wanted = name.as_object().and_then(|fields| fields.values().next());
    let wanted =
        wanted.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).unwrap_or_default();
    let spelled = known.iter().flat_map(|item| ["slug", "external_id", "name"].map(|field| item[field].as_str()));
    let best = spelled.flatten().map(|text| (distance(&wanted.to_lowercase(), &text.to_lowercase()), text)).min();
    match best {
        Some((away, text)) if away <= 2 + wanted.chars().count() / 3 => {
            format!("; did you mean \"{}\"?", text::clean(text))
        }
        _ => String::new(),
    }
}

/// Edits between two words (Levenshtein). Long texts are not compared: no name is that long.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, from) in one.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, to) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

impl Preview {
    /// Adds what a lint found.
    pub fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The handle alone.
    pub fn into_handle(self) -> String {
        self.handle
    }

    /// For people and models; `page_id` keeps it within the tool's output schema.
    pub fn into_outcome(self, page: &AccessiblePage, write: &Write, audit_id: Option<&str>) -> ToolOutcome {
        let text = format!(
            "Preview; nothing was published. {}\nTo publish exactly this, call again with the same arguments and confirm: \
             \"{}\" within {} minutes.",
            self.sentences(page, write),
            self.handle,
            confirmation::LIFETIME.as_secs() / 60,
        );
        let preview = json!({
            "public_text": self.public_text(write),
            "components": self.components,
            "subscribers": self.subscribers,
            "warnings": self.warnings,
            "confirm": self.handle,
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
        let lets_out = write.path.starts_with("beats/actions/") && write.path.ends_with("/approve");
        let texts = if lets_out { self.target.as_ref() } else { Some(&write.body) };
        let given = PUBLIC.iter().filter_map(|name| Some((*name, texts?.get(*name)?)));
        given.map(|(name, text)| (name.to_owned(), text.clone())).collect()
    }

    /// What a person must know before they agree.
    pub fn sentences(&self, page: &AccessiblePage, write: &Write) -> String {
        let mut lines = vec![format!("On {}, {}", page.name, target::sentence(write, self.target.as_ref()))];
        let texts = self.public_text(write);
        lines.extend(texts.iter().map(|(name, text)| format!("{name}: {}", text.as_str().unwrap_or_default())));
        lines.extend(clock::echo(write, &page.raw));
        lines.extend(self.components.iter().map(|item| {
            let word = |name: &str| item[name].as_str().unwrap_or("as before").to_owned();
            format!("{}: {} → {}", word("name"), word("before"), word("after"))
        }));
        lines.extend(self.subscribers.as_ref().map(heard_by));
        lines.extend(self.warnings.iter().map(|warning| format!("Warning: {warning}")));
        lines.join("\n")
    }
}

fn heard_by(subscribers: &Value) -> String {
    let channels = subscribers["channels"].as_object().into_iter().flatten();
    let channels: Vec<String> = channels.map(|(name, count)| format!("{} {count}", text::clean(name))).collect();
    let total = &subscribers["deliverable"];
    format!("{total} subscribers would hear of it ({}).", channels.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_component_is_answered_with_the_closest() {
        let known = [json!({ "slug": "public-api", "external_id": "api-gateway", "name": "Public API" })];
        assert_eq!(closest(&json!({ "slug": "publc-api" }), &known), "; did you mean \"public-api\"?");
        assert_eq!(closest(&json!({ "external_id": "api-gatway" }), &known), "; did you mean \"api-gateway\"?");
        assert_eq!(closest(&json!({ "slug": "billing" }), &known), "");
        assert_eq!(closest(&json!({ "id": 4 }), &[]), "");
    }

    #[test]
    fn components_show_before_and_after() {
        let items = json!({ "items": [{ "id": 1, "slug": "api", "name": "API", "status": "operational" }] });
        let write = |path: &str, body| Write::post(path, body);
        let body = json!({ "affected_items": [{ "slug": "api" }, { "id": 9 }], "status": "degraded" });
        let (shown, warnings) = components(Some(&items), None, &write("incidents", body));
        assert_eq!(shown, [json!({ "id": 1, "name": "API", "before": "operational", "after": "degraded" })]);
        assert_eq!(warnings, ["no component of this page is {\"id\":9}"]);
        let target = json!({ "affected_items": [{ "id": 1, "slug": "api" }] });
        let (shown, _) = components(Some(&items), Some(&target), &write("maintenances/4/updates", json!({})));
        assert_eq!(shown[0]["after"], "under maintenance");
    }
}
