//! Skills: each prompt as instructions to follow step by step, and one about the server as a whole.
//!
//! A skill says the same as its prompt, from the same entry of the catalog. A prompt brings its resources along, freshly read; a skill
//! names them, because its file must not change with a page.

use super::prompts::{EVIDENCE, PromptServer, describe_calls, describe_next_step};
use crate::catalog::tools::{READ_RESOURCE, TOOLS};
use crate::catalog::uri::split_query;
use crate::catalog::{Prompt, PromptArgument, PromptArgumentKind, Resource, Variables, find_resource};
use crate::mcp::Skill;

/// Name of the skill about the server as a whole.
const GUIDE: &str = "use-status-pages";

/// The workflow of a prompt.
pub fn of_prompt(prompt: &Prompt, server: PromptServer<'_>) -> Skill {
    let description = format!("{} Use when {}.", prompt.description, prompt.used_when);
    let task = server.roots.localize(&(prompt.task)(&Variables::new()));
    let parts = [
        format!("# {}", prompt.title),
        task,
        describe_needs(prompt, server),
        describe_sources(prompt, server),
        format!("## Evidence\n\n{EVIDENCE}"),
        format!("## Afterwards\n\n{}", describe_next_step(prompt.next_step, server)),
    ];
    Skill::new(prompt.skill_name(), description, &parts.join("\n\n"))
}

/// The server's own instructions, and what holds for every workflow.
pub fn guide(instructions: &str, server: PromptServer<'_>) -> Skill {
    let description = "Explains how to read StatiBeat status pages and how to post to them safely. Use when a question or a task is about \
        a status page, an incident, a maintenance window or a Beat and no other skill fits.";
    let has_tools = TOOLS.iter().any(|tool| (server.has_tool)(tool.name));
    let publish = if has_tools {
        format!(
            "## Posting\n\n{} A call that may not have arrived is repeated with the same idempotency_key, never without. A call that is \
             refused says what would work: correct what it names and call again.",
            describe_calls(server.roots).replacen("two calls of it", "two calls of a tool", 1)
        )
    } else {
        String::new()
    };
    let parts = ["# Use status pages".to_owned(), instructions.to_owned(), describe_reading(server), publish]
        .into_iter()
        .chain([format!("## Evidence\n\n{EVIDENCE}")]);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    Skill::new(GUIDE.to_owned(), description.to_owned(), &parts.join("\n\n"))
}

/// Lists the facts that the work begins with.
fn describe_needs(prompt: &Prompt, server: PromptServer<'_>) -> String {
    let is_taken = |argument: &&PromptArgument| server.roots.has_page_id() || argument.kind != PromptArgumentKind::Page;
    let line = |argument: &PromptArgument| {
        let need = if argument.required { "required" } else { "optional" };
        let about = if argument.description.is_empty() { String::new() } else { format!(": {}", argument.description) };
        format!("\n- {} ({need}){about}", argument.name)
    };
    let lines: String = prompt.arguments.iter().filter(is_taken).map(line).collect();
    if lines.is_empty() {
        return lines;
    }
    format!("## What it takes\n{lines}\n\nLook up what can be looked up; ask the person for the rest, in one question.")
}

fn describe_sources(prompt: &Prompt, server: PromptServer<'_>) -> String {
    let list = |names: &[&str]| -> String {
        let entries = names.iter().filter_map(|name| find_resource(name));
        let lines = entries.map(|entry| format!("\n- {} ({})", template(entry, server), entry.title));
        lines.collect::<Vec<_>>().concat()
    };
    let extras = list(prompt.extras);
    let extras =
        if extras.is_empty() { extras } else { format!("\n\nAnd where this connection may read it:\n{extras}") };
    format!(
        "## Sources\n\nRead these resources now, each with its as_of:\n{}{extras}\n\n{}",
        list(prompt.resources),
        by_tool(server)
    )
    .trim_end()
    .to_owned()
}

fn template(entry: &Resource, server: PromptServer<'_>) -> String {
    split_query(&server.roots.template(entry)).0.to_owned()
}

fn describe_reading(server: PromptServer<'_>) -> String {
    let text = by_tool(server);
    if text.is_empty() { text } else { format!("## Reading\n\n{text}") }
}

/// Only the server of many pages has tools that read.
fn by_tool(server: PromptServer<'_>) -> String {
    if server.roots.has_page_id() {
        format!(
            "An app that cannot read resources reads the same URIs with the tool {READ_RESOURCE}, where the person allowed that."
        )
    } else {
        String::new()
    }
}
