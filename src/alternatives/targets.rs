//! Incidents, maintenances, Beats, Beat actions and components that a number does not name: which there are.

use super::{NAME_MAX, PageLists, entries, join_some};
use crate::model::operation::TargetKind;
use crate::model::visible::{bare_or_quoted, quote};
use serde_json::Value;

/// A kind of thing that calls and URIs name by number.
pub struct NumberedThing {
    /// The argument, and the variable of URIs, that holds the number.
    pub argument: &'static str,
    /// In the words of sentences.
    noun: &'static str,
    /// The resource that shows one, and its path below the page's admin root.
    one: Option<(&'static str, &'static str)>,
    /// The content of its lists, as the start of a sentence.
    listed: &'static str,
    /// The resources that list what a call can name, each with its path.
    lists: &'static [(&'static str, &'static str)],
}

static THINGS: [NumberedThing; 5] = [
    NumberedThing {
        argument: "incident_id",
        noun: "incident",
        one: Some(("incident", "incidents")),
        listed: "Open incidents",
        lists: &[("incidents_active", "incidents?status=active&limit=50")],
    },
    NumberedThing {
        argument: "maintenance_id",
        noun: "maintenance",
        one: Some(("maintenance", "maintenances")),
        listed: "Maintenances in progress or planned",
        lists: &[
            ("maintenances_active", "maintenances?status=active&limit=50"),
            ("maintenances_upcoming", "maintenances?status=upcoming&limit=50"),
        ],
    },
    NumberedThing { argument: "beat_id", noun: "Beat", one: None, listed: "Beats", lists: &[("beats", "beats")] },
    NumberedThing {
        argument: "action_id",
        noun: "pending Beat action",
        one: None,
        listed: "Pending Beat actions",
        lists: &[("beat_actions_pending", "beats/actions?status=pending&limit=50")],
    },
    NumberedThing {
        argument: "under_id",
        noun: "component",
        one: None,
        listed: "Components at the top level",
        lists: &[("hierarchy", "hierarchy/items")],
    },
];

impl NumberedThing {
    pub fn find(argument: &str) -> Option<&'static NumberedThing> {
        THINGS.iter().find(|thing| thing.argument == argument)
    }

    pub fn of_target(kind: TargetKind) -> Option<&'static NumberedThing> {
        Self::find(kind.id_argument())
    }

    /// The noun with its article, as in "an incident".
    pub fn with_article(&self) -> String {
        let article = if self.noun.starts_with('i') { "an" } else { "a" };
        format!("{article} {}", self.noun)
    }

    /// Says that the page has none of that number, where it is instead, and which there are.
    pub async fn describe_unknown(&self, lists: &dyn PageLists, id: &str) -> String {
        let elsewhere = match self.one {
            Some((resource, collection)) => lists.locate(resource, &format!("{collection}/{id}")).await,
            None => None,
        };
        let elsewhere = elsewhere.map(|words| format!(" {words}")).unwrap_or_default();
        let page = lists.page_words();
        let known = self.describe_known(lists).await;
        format!("{page} has no {} {id} that you can see.{elsewhere}{known}", self.noun)
    }

    /// The things whose argument these problems name.
    pub fn in_problems(problems: &[String]) -> impl Iterator<Item = &'static NumberedThing> {
        let is_named = |thing: &&NumberedThing| {
            let name = format!("`{}`", thing.argument);
            problems.iter().any(|problem| problem.starts_with(&name) || problem.contains(&format!("; {name}")))
        };
        THINGS.iter().filter(is_named)
    }

    /// Those that a call can name, as a problem's part; `None` where the caller may not read them.
    pub async fn describe_in_place(&self, lists: &dyn PageLists) -> Option<String> {
        let known = self.describe_known(lists).await;
        Some(known.trim().trim_end_matches('.').to_owned()).filter(|known| !known.is_empty())
    }

    /// A sentence, after a blank, on those that a call can name; empty where the caller may not read them.
    pub async fn describe_known(&self, lists: &dyn PageLists) -> String {
        let (mut lines, mut total, mut uris) = (Vec::new(), 0, Vec::new());
        for (resource, path) in self.lists {
            let Some(list) = lists.read(resource, path).await else { continue };
            let shown: Vec<&Value> = entries(&list).iter().filter(|entry| self.is_listed(entry)).collect();
            let counted = list["total"].as_u64().and_then(|total| usize::try_from(total).ok());
            total += counted.filter(|_| shown.len() == entries(&list).len()).unwrap_or(shown.len());
            lines.extend(shown.into_iter().map(line));
            uris.extend(lists.uri(resource));
        }
        if uris.is_empty() {
            return String::new();
        }
        let uris = uris.join(", ");
        let shown = if lines.is_empty() { "none".to_owned() } else { join_some(lines.into_iter(), total) };
        format!(" {} ({uris}): {shown}.", self.listed)
    }

    /// Of components only the top level: all of them would be too many.
    fn is_listed(&self, entry: &Value) -> bool {
        self.argument != "under_id" || entry["parent_id"].is_null()
    }
}

/// An entry by number and title, with its stage in parentheses.
fn line(entry: &Value) -> String {
    let name = ["title", "name"].iter().find_map(|field| entry[*field].as_str()).unwrap_or_default();
    let stage = entry["lifecycle_stage"]["name"].as_str().or_else(|| entry["current_stage"].as_str());
    let stage = stage.map(|stage| format!(" ({})", bare_or_quoted(stage, NAME_MAX))).unwrap_or_default();
    format!("{} {}{stage}", entry["id"], quote(name, NAME_MAX))
}
