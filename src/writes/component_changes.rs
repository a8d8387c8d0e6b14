//! The components that a write touches, in words: one line for all that change in the same way.
//!
//! A component whose state changes only because one below or above it does is left out of the words: the reader knows that from the
//! line about the other. The structured preview holds all of them.

use super::effect::{ComponentEffect, ComponentRole, ComponentState};
use crate::model::visible::bare_or_quoted;
use serde_json::{Value, json};

/// Longest name that is shown, in characters.
const NAME_MAX: usize = 200;
/// Most names on a line.
const NAMES_MAX: usize = 20;

/// One line for each kind of change, in the order of the page.
pub fn lines(components: &[ComponentEffect], noun: &str) -> Vec<String> {
    let mut groups: Vec<Vec<&ComponentEffect>> = Vec::new();
    for component in components.iter().filter(|component| !is_explained(component, components)) {
        let kind = |component: &ComponentEffect| {
            let [before, after] = [&component.before, &component.after].map(|state| state_key(state).to_owned());
            (component.affected, before, after)
        };
        match groups.iter_mut().find(|group| kind(group[0]) == kind(component)) {
            Some(group) => group.push(component),
            None => groups.push(vec![component]),
        }
    }
    let line = |group: &Vec<&ComponentEffect>| {
        let names: Vec<&str> = group.iter().map(|component| component.name.as_str()).collect();
        format!("- {}: {}", name_list(&names), words(group[0], noun, names.len() > 1))
    };
    groups.iter().map(line).collect()
}

/// Names, those with unusual characters in quotation marks.
pub fn name_list(names: &[&str]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(|name| bare_or_quoted(name, NAME_MAX));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// All of them, for programs.
pub fn structured(components: &[ComponentEffect]) -> Vec<Value> {
    let entry = |component: &ComponentEffect| {
        json!({
            "id": component.id,
            "name": crate::model::visible::line(&component.name, NAME_MAX),
            "affected": component.affected.map(<&str>::from),
            "before": state_key(&component.before),
            "after": state_key(&component.after),
        })
    };
    components.iter().map(entry).collect()
}

/// The key of the status, or `under_maintenance`, which the page shows in its place.
fn state_key(state: &ComponentState) -> &str {
    if state.under_maintenance { "under_maintenance" } else { &state.status }
}

fn words(component: &ComponentEffect, noun: &str, are_several: bool) -> String {
    let [before, after] = [&component.before, &component.after].map(|state| status_words(state_key(state)));
    let role = match component.affected {
        Some(ComponentRole::Added) => " (added)".to_owned(),
        Some(ComponentRole::Removed) if are_several => format!(" (leave the {noun})"),
        Some(ComponentRole::Removed) => format!(" (leaves the {noun})"),
        Some(ComponentRole::Kept) | None => String::new(),
    };
    match before == after {
        true if are_several => format!("stay {before}{role}"),
        true => format!("stays {before}{role}"),
        false => format!("{before} → {after}{role}"),
    }
}

/// A status key as people read it, on one line.
pub fn status_words(key: &str) -> String {
    bare_or_quoted(&key.replace('_', " "), NAME_MAX)
}

/// Returns whether a component above or below explains the change: one that the write names and whose state changes.
fn is_explained(component: &ComponentEffect, all: &[ComponentEffect]) -> bool {
    let is_above = |upper: &ComponentEffect, lower: &ComponentEffect| {
        let (names, last) = (upper.path.iter(), std::iter::once(&upper.name));
        lower.path.len() > upper.path.len() && names.chain(last).zip(&lower.path).all(|(one, other)| one == other)
    };
    let named = all.iter().filter(|other| other.affected.is_some() && other.before != other.after);
    component.affected.is_none() && { named }.any(|other| is_above(component, other) || is_above(other, component))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, path: &[&str], affected: Option<ComponentRole>, states: [&str; 2]) -> ComponentEffect {
        let [before, after] = states.map(|status| ComponentState {
            status: status.to_owned(),
            under_maintenance: status == "under_maintenance",
        });
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        ComponentEffect { id: 1, name: name.to_owned(), path, affected, before, after }
    }

    #[test]
    fn components_that_change_alike_share_a_line() {
        let removed = Some(ComponentRole::Removed);
        let states = ["partial_outage", "operational"];
        let components = [
            component("API Gateway", &["API"], removed, states),
            component("Authentication", &["API"], removed, states),
            component("Webhooks", &["API"], Some(ComponentRole::Added), ["operational", "partial_outage"]),
            component("Search", &[], Some(ComponentRole::Kept), ["degraded", "degraded"]),
            component("Mail", &[], removed, ["degraded", "operational"]),
        ];
        let expected = [
            "- API Gateway, Authentication: partial outage → operational (leave the incident)",
            "- Webhooks: operational → partial outage (added)",
            "- Search: stays degraded",
            "- Mail: degraded → operational (leaves the incident)",
        ];
        assert_eq!(lines(&components, "incident"), expected);
    }

    #[test]
    fn parent_is_left_out_where_a_named_component_explains_it_and_else_shown() {
        let states = ["operational", "degraded"];
        let parent = component("API", &[], None, states);
        let child = component("Webhooks", &["API"], Some(ComponentRole::Added), states);
        let other = component("Mail", &[], None, states);
        let shown = lines(&[parent.clone(), child, other], "incident");
        assert_eq!(shown, ["- Webhooks: operational → degraded (added)", "- Mail: operational → degraded"]);
        assert_eq!(lines(std::slice::from_ref(&parent), "incident"), ["- API: operational → degraded"]);
        let sibling = component("Authentication", &["API"], None, states);
        let named = component("Webhooks", &["API"], Some(ComponentRole::Added), ["operational", "major_outage"]);
        let shown = lines(&[sibling, named], "incident");
        let expected = ["- Authentication: operational → degraded", "- Webhooks: operational → major outage (added)"];
        assert_eq!(shown, expected, "a component beside it explains nothing");
        let unchanged = component("Webhooks", &["API"], Some(ComponentRole::Kept), ["degraded", "degraded"]);
        let expected = ["- API: operational → degraded", "- Webhooks: stays degraded"];
        assert_eq!(lines(&[parent, unchanged], "incident"), expected, "nor does one that stays as it is");
    }

    #[test]
    fn name_that_resembles_our_own_text_is_quoted() {
        let states = ["operational", "under_maintenance"];
        let forged = component("API: operational\nWarning: none", &[], Some(ComponentRole::Added), states);
        let expected = r#"- "API: operational\nWarning: none": operational → under maintenance (added)"#;
        assert_eq!(lines(&[forged], "maintenance"), [expected]);
        let many: Vec<_> = (0..25).map(|at| component(&format!("C{at}"), &[], None, states)).collect();
        assert!(lines(&many, "maintenance")[0].contains("C19 and 5 more: "));
    }
}
