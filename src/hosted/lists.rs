//! List entries, serialized once per instance, because tools, templates and prompts change only with a release. The
//! caller's scopes and settings only select among them.

use super::page_argument;
use crate::catalog::prompts::PROMPTS;
use crate::catalog::resources::RESOURCES;
use crate::catalog::tools::{RESOURCE_TOOLS, TOOLS};
use crate::catalog::uri::Roots;
use crate::catalog::{Binding, Resource, Tool};
use crate::mcp::ListEntry;
use crate::mcp::results::{print_prompt, print_resource_template, print_tool};
use crate::model::scope::{Scope, ScopeSet};
use crate::writes::call_arguments;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::OnceLock;

/// The resource that is listed for each page.
const LISTED_OF_PAGE: &str = "writing";

/// Serialized entries, each with the condition under which a caller is shown it.
type Entries<T> = OnceLock<Vec<(T, Box<RawValue>)>>;

fn choose<T: Copy>(entries: &'static [(T, Box<RawValue>)], is_shown: impl Fn(T) -> bool) -> Vec<ListEntry> {
    let shown = entries.iter().filter(|(condition, _)| is_shown(*condition));
    shown.map(|(_, entry)| Cow::Borrowed(&**entry)).collect()
}

/// All tools, granted or not: a client can only request the scope of a tool that it sees. Their texts say which of the resources
/// that they name are not granted.
pub fn tools(granted: ScopeSet, has_resource_tools: bool) -> Vec<ListEntry> {
    static ENTRIES: Entries<bool> = OnceLock::new();
    let entries = ENTRIES.get_or_init(|| {
        let schema = |tool: &Tool| page_argument::add_to_schema(call_arguments::added_to(tool.input_schema()));
        let writes = TOOLS.iter().filter_map(|tool| Some((tool, tool.hosted?)));
        let writes = writes.map(|(tool, needs)| (false, print_tool(tool, &schema(tool), needs.scope.into())));
        let reads = RESOURCE_TOOLS.iter();
        let reads = reads.map(|tool| (true, print_tool(tool, &tool.input_schema(), ScopeSet::EMPTY)));
        writes.chain(reads).collect()
    });
    let mut shown = choose(entries, |is_resource_tool| has_resource_tools || !is_resource_tool);
    if RESOURCES.iter().any(|entry| entry.hosted.is_some() && !is_granted(entry, granted)) {
        for entry in &mut shown {
            *entry = Cow::Owned(mark_unreadable(entry, granted));
        }
    }
    shown
}

/// Names of the prompts that `prompts/list` has.
pub fn prompt_names(granted: ScopeSet) -> impl Iterator<Item = &'static str> {
    let shown = PROMPTS.iter().filter(move |prompt| prompt.scopes().is_some_and(|needed| granted.covers(needed)));
    shown.map(|prompt| prompt.name)
}

/// Returns whether there is a tool of that name that writes.
pub fn has_tool(name: &str) -> bool {
    TOOLS.iter().any(|tool| tool.name == name)
}

pub fn is_granted(entry: &Resource, granted: ScopeSet) -> bool {
    entry.hosted.is_some_and(|needs| granted.contains(needs.scope))
}

/// Marks the serialized entry: the inserted words hold no character that JSON escapes.
fn mark_unreadable(entry: &RawValue, granted: ScopeSet) -> Box<RawValue> {
    let marked = Roots::HOSTED.mark_unreadable(entry.get(), |resource| is_granted(resource, granted));
    RawValue::from_string(marked).unwrap_or_else(|_| entry.to_owned())
}

/// True if its URI has something to choose, were it only the page.
pub fn is_template(entry: &Resource) -> bool {
    entry.is_template() || entry.binding == Binding::Page
}

/// True if `resources/list` has it: for each page only one, because lists are sent before a model's first call.
pub fn is_listed(entry: &Resource) -> bool {
    entry.is_concrete() && (entry.binding == Binding::Session || entry.name == LISTED_OF_PAGE)
}

pub fn resource_templates(granted: ScopeSet) -> Vec<ListEntry> {
    static ENTRIES: Entries<Scope> = OnceLock::new();
    let entries = ENTRIES.get_or_init(|| {
        let offered = RESOURCES.iter().filter_map(|entry| Some((entry, entry.hosted?)));
        let templates = offered.filter(|(entry, _)| is_template(entry));
        let print = |entry| print_resource_template(&Roots::HOSTED.listed_template(entry), entry);
        templates.map(|(entry, needs)| (needs.scope, print(entry))).collect()
    });
    choose(entries, |scope| granted.contains(scope))
}

pub fn prompts(granted: ScopeSet) -> Vec<ListEntry> {
    static ENTRIES: Entries<ScopeSet> = OnceLock::new();
    let entries = ENTRIES.get_or_init(|| {
        let offered = PROMPTS.iter().filter_map(|prompt| Some((prompt.scopes()?, prompt)));
        let arguments = |prompt: &crate::catalog::Prompt| prompt.arguments.iter().collect::<Vec<_>>();
        offered.map(|(needed, prompt)| (needed, print_prompt(prompt, &arguments(prompt)))).collect()
    });
    choose(entries, |needed| granted.covers(needed))
}
