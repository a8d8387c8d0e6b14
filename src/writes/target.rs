//! What a write is about: where to read it, and how to say to a person what would become of it.

use crate::catalog::{Write, WriteMethod};
use crate::model::visible::quote;
use serde_json::Value;

/// Pending actions are read as a list: StatiBeat shows none of them alone.
const PENDING: &str = "beats/actions?status=pending&limit=200";

/// Longest title that is quoted, in characters.
pub const TITLE_MAX: usize = 200;

/// Where to read what a write is about; `None` for one that adds something new.
pub fn place(path: &str) -> Option<String> {
    match path.split('/').collect::<Vec<_>>()[..] {
        ["beats", "actions", ..] => Some(PENDING.to_owned()),
        [list, id, ..] => Some(format!("{list}/{id}")),
        _ => None,
    }
}

/// What the write is about, out of the answer to reading its [`place`].
pub fn pick(path: &str, mut answer: Value) -> Option<Value> {
    let ["beats", "actions", id, ..] = path.split('/').collect::<Vec<_>>()[..] else { return Some(answer) };
    let items = answer.get_mut("items")?.as_array_mut()?;
    let id: i64 = id.parse().ok()?;
    let at = items.iter().position(|item| item["id"].as_i64() == Some(id))?;
    Some(items.swap_remove(at))
}

/// Whether a write takes its target out of customers' sight, or ends it.
pub fn ends(write: &Write) -> bool {
    write.method == WriteMethod::Delete || matches!(last(write), "resolve" | "complete" | "cancel")
}

/// Whether subscribers hear of it.
pub fn is_announced(write: &Write) -> bool {
    write.method == WriteMethod::Post && !matches!(last(write), "acknowledge" | "run" | "reject")
}

/// How the sentence "On Acme, …" goes on.
pub fn sentence(write: &Write, target: Option<&Value>) -> String {
    let what = || name(&write.path, target);
    let becomes = match (write.method, last(write)) {
        (WriteMethod::Delete, _) => "deleted for good",
        (WriteMethod::Patch, _) => return format!("{} would change; customers would read:", what()),
        (_, "acknowledge") => "acknowledged; customers would read nothing new",
        (_, "resolve") => "resolved",
        (_, "reopen") => "reopened",
        (_, "complete") => "completed",
        (_, "cancel") => "cancelled",
        (_, "run") => "run now",
        (_, "approve") => "approved; customers would read:",
        (_, "reject") => "rejected for good; customers would read nothing",
        _ => return "customers would read:".to_owned(),
    };
    let stop = if becomes.ends_with(':') { "" } else { "." };
    format!("{} would be {becomes}{stop}", what())
}

fn last(write: &Write) -> &str {
    write.path.rsplit('/').next().unwrap_or_default()
}

fn name(path: &str, target: Option<&Value>) -> String {
    let (noun, id) = match path.split('/').collect::<Vec<_>>()[..] {
        ["beats", "actions", id, ..] => ("Beat action", id),
        ["beats", id, ..] => ("Beat", id),
        ["maintenances", id, ..] => ("maintenance", id),
        [_, id, ..] => ("incident", id),
        _ => ("it", ""),
    };
    let title = target.and_then(|target| ["title", "name"].iter().find_map(|field| target[*field].as_str()));
    title.map_or_else(|| format!("{noun} {id}"), |title| format!("{noun} {id} ({})", quote(title, TITLE_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_write_is_said_in_words() {
        let check = |write: &Write, says: &str| {
            let target = json!({ "title": "Slow", "name": "Slow" });
            assert_eq!(sentence(write, Some(&target)), says);
        };
        check(&Write::post("incidents", json!({})), "customers would read:");
        check(&Write::post("incidents/9/updates", json!({})), "customers would read:");
        check(&Write::patch("incidents/9", json!({})), "incident 9 (\"Slow\") would change; customers would read:");
        check(&Write::delete("maintenances/9"), "maintenance 9 (\"Slow\") would be deleted for good.");
        check(&Write::post("incidents/9/resolve", json!({})), "incident 9 (\"Slow\") would be resolved.");
        check(&Write::post("beats/5/run", json!({})), "Beat 5 (\"Slow\") would be run now.");
        let approved = "Beat action 7 (\"Slow\") would be approved; customers would read:";
        check(&Write::post("beats/actions/7/approve", json!({})), approved);
    }

    #[test]
    fn what_a_write_is_about_is_read_where_statibeat_shows_it() {
        assert_eq!(place("incidents"), None);
        for path in ["incidents/9", "incidents/9/updates", "incidents/9/resolve"] {
            assert_eq!(place(path).as_deref(), Some("incidents/9"));
        }
        assert_eq!(place("beats/5/run").as_deref(), Some("beats/5"));
        let list = json!({ "items": [{ "id": 6 }, { "id": 7 }], "total": 2 });
        assert_eq!(place("beats/actions/7/approve").as_deref(), Some(PENDING));
        assert_eq!(pick("beats/actions/7/approve", list.clone()), Some(json!({ "id": 7 })));
        assert_eq!(pick("beats/actions/8/approve", list), None);
    }
}
