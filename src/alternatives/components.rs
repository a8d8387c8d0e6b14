//! Components of a page that a call may have meant: those whose name is near, else the top level.

use super::{ENTRIES_MAX, NAME_MAX, PageLists, entries, join_some};
use crate::model::visible::quote;
use serde_json::{Map, Value};
use strsim::damerau_levenshtein;

/// Longest name that is compared, in characters: no name is that long.
const COMPARED: usize = 64;
/// Most components that are suggested for one name.
const SUGGESTED_MAX: usize = 3;
/// Shortest word that counts as a match, in characters.
const WORD_MIN: usize = 3;
/// The arguments that name components.
const ARGUMENTS: [&str; 3] = ["affected_items", "add_affected_items", "remove_affected_items"];
/// The kinds of names that a component is known by, besides its id.
const NAMES: [&str; 4] = ["slug", "external_id", "name", "abbreviated_name"];

/// The components that a write or the arguments of a call name.
pub fn find_named(body: &Value) -> impl Iterator<Item = &Value> {
    ARGUMENTS.into_iter().filter_map(|name| body.get(name)?.as_array()).flatten()
}

/// Reads the page's components, where the caller may.
pub async fn read(lists: &dyn PageLists) -> Option<Value> {
    lists.read("hierarchy", "hierarchy/items").await
}

/// Returns whether a call names components by texts without saying whether those are slugs or external ids.
pub fn has_bare_names(arguments: &Map<String, Value>) -> bool {
    bare_names(arguments).next().is_some()
}

fn bare_names(arguments: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let lists = ARGUMENTS.into_iter().filter_map(|name| arguments.get(name)?.as_array()).flatten();
    let names =
        lists.filter_map(|item| item.as_str().or_else(|| item["name"].as_str()).or_else(|| item["id"].as_str()));
    names.filter(|name| !name.trim().is_empty() && name.trim().parse::<i64>().is_err())
}

/// Says which ids such texts mean, or come near to.
pub async fn describe_bare_names(lists: &dyn PageLists, arguments: &Map<String, Value>) -> Vec<String> {
    let names: Vec<&str> = bare_names(arguments).take(ENTRIES_MAX).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let Some(items) = read(lists).await else { return Vec::new() };
    let known = entries(&items);
    let describe = |name: &&str| match rank(name, known).as_slice() {
        [(Closeness::Same, item)] | [(Closeness::Same, item), (Closeness::Near(_) | Closeness::SharesWord, _), ..] => {
            format!("{} is {}", quote(name, COMPARED), reference(item))
        }
        _ => format!("no component of this page is called {}{}", quote(name, COMPARED), suggest(Some(name), known)),
    };
    names.iter().map(describe).collect()
}

/// The components that a write names and the page has not, each with the closest that it has, else with the top level.
pub fn describe_unknown(items: &Value, body: &Value) -> Vec<String> {
    let known = entries(items);
    let unknown = find_named(body).filter(|name| !known.iter().any(|item| is_same(name, item)));
    let describe = |name: &Value| {
        let text = name.as_object().and_then(|fields| fields.values().next()?.as_str());
        format!("no component of this page has {}{}", given(name), suggest(text, known))
    };
    unknown.take(ENTRIES_MAX).map(describe).collect()
}

/// Returns whether a name of a write is the component's: an id, an external id or a slug.
pub fn is_same(named: &Value, known: &Value) -> bool {
    ["id", "external_id", "slug"].iter().any(|name| named.get(name).is_some_and(|value| known.get(name) == Some(value)))
}

/// A name as the write gave it.
fn given(name: &Value) -> String {
    let fields = name.as_object().into_iter().flatten();
    let field = |(kind, value): (&String, &Value)| match value.as_str() {
        Some(text) => format!("{kind} {}", quote(text, COMPARED)),
        None => format!("{kind} {value}"),
    };
    fields.map(field).collect::<Vec<_>>().join(", ")
}

/// A component as a call names it, with its name for people.
fn reference(item: &Value) -> String {
    let name = item["name"].as_str().unwrap_or_default();
    format!("{{\"id\": {}}} ({})", item["id"], quote(name, NAME_MAX))
}

fn suggest(text: Option<&str>, known: &[Value]) -> String {
    let near: Vec<String> = text
        .map(|text| rank(text, known))
        .unwrap_or_default()
        .into_iter()
        .take(SUGGESTED_MAX)
        .map(|(_, item)| reference(item))
        .collect();
    if !near.is_empty() {
        return format!("; did you mean {}?", near.join(" or "));
    }
    let top = known.iter().filter(|item| item["parent_id"].is_null());
    match top.clone().count() {
        0 => String::new(),
        count => format!("; the top level has {}", join_some(top.map(reference), count)),
    }
}

/// Distance of a text from the names of a component, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Same,
    /// Insertions, deletions, substitutions and transpositions between the two.
    Near(usize),
    SharesWord,
}

/// The components that come near, the nearest first.
fn rank<'a>(text: &str, known: &'a [Value]) -> Vec<(Closeness, &'a Value)> {
    let wanted = comparable(text);
    let mut ranked: Vec<(Closeness, &Value)> =
        known.iter().filter_map(|item| Some((closeness(&wanted, item)?, item))).collect();
    // Stable: of two that are as near, the one higher in the page.
    ranked.sort_by_key(|(closeness, _)| *closeness);
    ranked
}

fn closeness(wanted: &str, item: &Value) -> Option<Closeness> {
    let names: Vec<String> = NAMES.iter().filter_map(|name| item[*name].as_str()).map(comparable).collect();
    let edits = names.iter().map(|name| damerau_levenshtein(wanted, name)).min()?;
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|character: char| !character.is_alphanumeric());
        words.filter(|word| word.chars().count() >= WORD_MIN).map(str::to_owned).collect()
    };
    match edits {
        0 => Some(Closeness::Same),
        edits if edits <= 1 + wanted.chars().count() / 4 => Some(Closeness::Near(edits)),
        _ => {
            let known: Vec<String> = names.iter().flat_map(|name| words(name)).collect();
            words(wanted).iter().any(|word| known.contains(word)).then_some(Closeness::SharesWord)
        }
    }
}

fn comparable(name: &str) -> String {
    name.trim().to_lowercase().chars().take(COMPARED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items() -> Value {
        json!({ "items": [
            { "id": 1, "slug": "platform", "external_id": "top", "name": "Platform", "parent_id": null },
            { "id": 2, "slug": "public-api", "external_id": "api-gateway", "name": "Public API", "parent_id": 1 },
            { "id": 3, "slug": "search", "external_id": "cmp-search", "name": "Search", "parent_id": 1 },
        ] })
    }

    #[test]
    fn misspelled_component_is_answered_with_the_closest_and_its_id() {
        for (named, answer) in [
            (json!({ "slug": "serach" }), r#"has slug "serach"; did you mean {"id": 3} ("Search")?"#),
            (json!({ "slug": "Public API" }), r#"has slug "Public API"; did you mean {"id": 2} ("Public API")?"#),
            (
                json!({ "external_id": "api-gatway" }),
                r#"has external_id "api-gatway"; did you mean {"id": 2} ("Public API")?"#,
            ),
            (json!({ "slug": "search cluster" }), r#"has slug "search cluster"; did you mean {"id": 3} ("Search")?"#),
            (json!({ "slug": "checkout" }), r#"has slug "checkout"; the top level has {"id": 1} ("Platform")"#),
            (json!({ "id": 4 }), r#"has id 4; the top level has {"id": 1} ("Platform")"#),
        ] {
            let described = describe_unknown(&items(), &json!({ "affected_items": [named] }));
            assert_eq!(described, [format!("no component of this page {answer}")]);
        }
        assert!(
            describe_unknown(&items(), &json!({ "affected_items": [{ "slug": "search" }, { "id": 1 }] })).is_empty()
        );
    }
}
