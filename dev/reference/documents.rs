//! The documents that follow from the catalog, as texts.

#![allow(clippy::format_push_string, reason = "a document reads best as the lines it is made of")]

use serde_json::Value;
use statibeat_mcp::catalog::prompts::PROMPTS;
use statibeat_mcp::catalog::resources::RESOURCES;
use statibeat_mcp::catalog::tools::{RESOURCE_TOOLS, all_tools};
use statibeat_mcp::catalog::uri::Roots;
use statibeat_mcp::catalog::{Binding, Effect, Prompt, PromptArgument, Resource, Tool, llms};
use statibeat_mcp::hosted::skills;
use statibeat_mcp::model::scope::{PagePermission, Requirement, Scope};

/// Resources beyond the seventeen of the product's documentation.
const ADDED_RESOURCES: [&str; 4] = ["overview", "writing", "beat", "beat_action"];
/// Prompts beyond the seven of the product's documentation.
const ADDED_PROMPTS: [&str; 2] = ["draft_maintenance_update", "prepare_resolution"];

#[path = "listing.rs"]
pub mod listing;

use listing::ListedAddresses;

/// The environment that is listed in public.
const LISTED: &str = "production";

/// Path and text of each document.
pub fn all() -> Vec<(String, String)> {
    let own = [("docs/reference.md", reference()), ("llms.txt", llms::overview("docs/reference.md"))];
    let listed = listing::files(&listed_addresses(LISTED));
    own.map(|(path, text)| (path.to_owned(), text)).into_iter().chain(listed).collect()
}

/// The public addresses of an environment, from `wrangler.toml`.
pub fn listed_addresses(environment: &str) -> ListedAddresses {
    let file: toml::Table = include_str!("../../wrangler.toml").parse().expect("TOML");
    let variables = file["env"][environment]["vars"].clone();
    let variable = |name: &str| variables.get(name)?.as_str().map(str::to_owned);
    ListedAddresses::from_variables(variable).expect("every environment has a public address")
}

fn reference() -> String {
    let mut text = "# Reference of StatiBeat Hosted MCP\n\nWritten by `cargo run --example reference` from the catalog in \
        `src/catalog`; do not edit by hand.\n\nEffective access is always the scopes that were granted, intersected with what \
        the person's role allows on the page at that moment.\n\n## Scopes\n\n| Scope | Consent |\n|---|---|\n"
        .to_owned();
    for scope in Scope::ALL {
        text += &format!("| `{}` | {} |\n", scope.as_str(), scope.consent_sentence());
    }
    text += "\n## Resources\n\nThose of the person are listed, and `writing` for each page that the \
        person may use; all of a page are templates. Lists take the `cursor` that a result hands out in `next`.\n\n\
        | URI | Content | Scope | Page permissions | Fresh for |\n|---|---|---|---|---|\n";
    let (added, documented): (Vec<_>, Vec<_>) =
        RESOURCES.iter().partition(|entry| ADDED_RESOURCES.contains(&entry.name));
    documented.into_iter().filter_map(resource).for_each(|row| text += &row);
    text += "\nBeyond those that StatiBeat's product documentation names:\n\n| URI | Content | Scope | Page permissions | Fresh for |\n\
        |---|---|---|---|---|\n";
    added.into_iter().filter_map(resource).for_each(|row| text += &row);
    text +=
        "\n## Prompts\n\nEach is offered where its scopes are granted, and brings its resources along, freshly read.\n";
    let (added, documented): (Vec<_>, Vec<_>) = PROMPTS.iter().partition(|entry| ADDED_PROMPTS.contains(&entry.name));
    documented.into_iter().filter_map(prompt).for_each(|part| text += &part);
    text += "\nTwo are beyond those that StatiBeat's product documentation names:\n";
    added.into_iter().filter_map(prompt).for_each(|part| text += &part);
    text += &skills();
    text += "\n## Tools\n\nWhat a tool writes is public at once. None of them resolves, reopens, edits, deletes, completes or \
        cancels.\n";
    all_tools().filter_map(tool).for_each(|part| text += &part);
    text += "\n## Read bridge\n\nFor clients that only know tools. There once the person ticks the box on the consent page, \
        which is ticked beforehand for clients known to be of that kind; never where `HOSTED_MCP_READ_BRIDGE` is `off`. What these two show, and to whom, is what the resources show.\n";
    for entry in RESOURCE_TOOLS {
        text += &resource_tool(entry);
    }
    text + &evaluation() + &side_by_side()
}

fn skills() -> String {
    let mut text = "\n## Skills\n\nIn 2026-07-28 the server has the extension `io.modelcontextprotocol/skills` (SEP-2640): `skills/list`, \
        `skills/get`, and the files by `resources/read`. A skill says what its prompt says, with the resources to read instead of their contents, \
        and is offered where its scopes are granted. The same files are in `plugins/`.\n\n| Skill | Description | Scopes |\n|---|---|---|\n"
        .to_owned();
    for (scopes, skill) in skills::all() {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
        text += &format!("| `{}` | {} | {} |\n", skill.uri(), skill.description, scopes.join(", "));
    }
    text
}

/// The recorded sums of `tests/agents`, which that evaluation compares with what it measures.
const EVALUATION: &str = include_str!("../../tests/agents/totals.json");

fn evaluation() -> String {
    let mut text = "\n## What an assistant's work costs\n\nA scripted client plays the workflows of `tests/agents` against the built worker, without \
        mistakes and with those that models make on their first try; ids, tokens and URIs come from earlier answers. After each refused call the next \
        try, made from the error alone, works, and no refused call publishes anything. Kilobytes of answers as JSON; four bytes are about a token. \
        A measurement may differ by a tenth.\n\n"
        .to_owned();
    let totals: Value = serde_json::from_str(EVALUATION).unwrap_or_default();
    let clients: Vec<(&String, &Value)> = totals.as_object().into_iter().flatten().collect();
    let row = |name: &str, cell: &dyn Fn(&(&String, &Value)) -> String| {
        format!("| {name} | {} |\n", clients.iter().map(cell).collect::<Vec<_>>().join(" | "))
    };
    text += &row("", &|(kind, _)| format!("client with {kind}"));
    text += &format!("|---|{}\n", "---|".repeat(clients.len()));
    for (name, field) in [
        ("Sent before the first call, for three pages (kB)", "kilobytes_before_the_first_call"),
        ("Workflows finished", "finished"),
        ("Calls without mistakes", "calls"),
        ("Read in them (kB)", "kilobytes_read"),
        ("Read to tell customers about an outage (kB)", "kilobytes_of_workflow_1"),
        ("Mistakes made", "mistakes"),
        ("Mistakes refused, and mended by the next try", "refused"),
    ] {
        text += &row(name, &|(_, sums)| sums[field].to_string());
    }
    text
}

fn resource_tool(entry: &Tool) -> String {
    let schema = entry.input_schema();
    format!("\n### `{}`\n\n{}\n\n{}", entry.name, entry.description, arguments(&schema))
}

fn permissions(requirement: Requirement) -> String {
    let keys: Vec<String> =
        requirement.permissions.iter().map(|one: &PagePermission| format!("`{}`", one.key())).collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}

fn resource(entry: &Resource) -> Option<String> {
    let needs = entry.hosted?;
    let fresh = match entry.fresh_for.as_secs() {
        0 => "always read anew".to_owned(),
        seconds => format!("{seconds} s"),
    };
    let (uri, scope) = (Roots::HOSTED.listed_template(entry), needs.scope.as_str());
    let about = format!("**{}.** {}", entry.title, entry.description);
    Some(format!("| `{uri}` | {about} | `{scope}` | {} | {fresh} |\n", permissions(needs)))
}

fn prompt(entry: &Prompt) -> Option<String> {
    let scopes: Vec<String> = entry.scopes()?.iter().map(|scope| format!("`{}`", scope.as_str())).collect();
    let resources: Vec<String> = entry.resources.iter().map(|name| format!("`{name}`")).collect();
    let argument = |one: &PromptArgument| {
        let need = if one.required { "required" } else { "optional" };
        format!("| `{}` | {need} | {} |\n", one.name, one.description)
    };
    let arguments: String = entry.arguments.iter().map(argument).collect::<Vec<_>>().concat();
    Some(format!(
        "\n### `{}`\n\n{} Scopes: {}. Resources: {}.\n\n| Argument | | |\n|---|---|---|\n{arguments}",
        entry.name,
        entry.description,
        scopes.join(", "),
        resources.join(", ")
    ))
}

fn tool(entry: &Tool) -> Option<String> {
    let needs = entry.hosted?;
    let effect = effect(entry);
    let page_id = "| `page_id` | required | Id of the page, from `statibeat://pages`. |\n";
    let arguments = arguments(&entry.input_schema()).replacen(TABLE, &format!("{TABLE}{page_id}"), 1);
    let results: Vec<String> = entry
        .output_schema()
        .and_then(|schema| schema["properties"].as_object().cloned())
        .map(|fields| fields.keys().map(|name| format!("`{name}`")).collect())
        .unwrap_or_default();
    Some(format!(
        "\n### `{}`\n\n{} Scope: `{}`. Page permissions: {}. Effect: {effect}. Reports {}.\n\n{arguments}",
        entry.name,
        entry.description,
        needs.scope.as_str(),
        permissions(needs),
        results.join(", ")
    ))
}

/// The head of a table of arguments.
const TABLE: &str = "| Argument | | |\n|---|---|---|\n";

fn arguments(schema: &Value) -> String {
    let is_required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let mut table = TABLE.to_owned();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let need = if is_required(name) { "required" } else { "optional" };
        table += &format!("| `{name}` | {need} | {} |\n", property["description"].as_str().unwrap_or_default());
    }
    table
}

/// The catalog entries that each of the two servers offers.
fn side_by_side() -> String {
    let mut text = "\n## Hosted MCP and the page server, side by side\n\n[The page server](page-server.md) speaks for one page \
        with an API token, over standard input and output. What both offer is the same entry of the catalog, with the same \
        body or the same write; on the page server nothing takes a page_id.\n\n| Resource | Hosted MCP | Page server |\n\
        |---|---|---|\n"
        .to_owned();
    let uri = |roots: &Roots, entry: &Resource, is_there: bool| {
        if is_there { format!("`{}`", roots.listed_template(entry)) } else { "–".to_owned() }
    };
    for entry in RESOURCES {
        let hosted = uri(&Roots::HOSTED, entry, entry.hosted.is_some());
        let page = uri(&Roots::PAGE, entry, entry.binding == Binding::Page);
        text += &format!("| {} | {hosted} | {page} |\n", entry.title);
    }
    text += "\n| Prompt | Hosted MCP | Page server |\n|---|---|---|\n";
    for entry in PROMPTS {
        text += &format!("| `{}` | {} | yes |\n", entry.name, yes(entry.scopes().is_some()));
    }
    text += "\n| Tool | Hosted MCP | Page server | Effect |\n|---|---|---|---|\n";
    for entry in all_tools() {
        text += &format!("| `{}` | {} | yes | {} |\n", entry.name, yes(entry.hosted.is_some()), effect(entry));
    }
    text += "\n### Tools of the page server alone\n\nThose that take away are confirmed by a person or by the confirm token of a \
        preview, unless `STATIBEAT_MCP_CONFIRM` is `never`.\n";
    for entry in all_tools().filter(|entry| entry.hosted.is_none()) {
        let table = arguments(&entry.input_schema());
        text += &format!("\n#### `{}`\n\n{} Effect: {}.\n\n{table}", entry.name, entry.description, effect(entry));
    }
    text
}

const fn yes(is_there: bool) -> &'static str {
    if is_there { "yes" } else { "–" }
}

const fn effect(entry: &Tool) -> &'static str {
    match entry.effect {
        Effect::Reads => "reads",
        Effect::Adds => "adds, takes nothing away",
        Effect::Publishes => "publishes to subscribers, takes nothing away",
        Effect::Changes => "changes",
        Effect::Destroys => "takes away",
    }
}
