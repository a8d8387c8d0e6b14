//! One call of a tool: read, checked, and carried out once.

use super::handler::{PageHandler, SUMMARY};
use super::write_store::MemoryWriteStore;
use crate::alternatives::components;
use crate::alternatives::targets::NumberedThing;
use crate::catalog::tools::all_tools;
use crate::catalog::uri::Roots;
use crate::catalog::{Effect, Tool};
use crate::mcp::{Error, InputContext, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::write_policy::{ConfirmMode, WritePolicy};
use crate::writes::WriteRequest;
use crate::writes::checks::names;
use crate::writes::confirm_token::ConfirmTokens;
use crate::writes::confirmed_call::{self, ConfirmationError, ConfirmingCall, ParsedCall, ToolCallWrite};
use crate::writes::fingerprint::fingerprint;
use crate::writes::report;
use serde_json::{Map, Value};

/// Calls the tool of that name.
pub async fn call(
    handler: &PageHandler<'_>,
    name: &str,
    arguments: Map<String, Value>,
    input: &InputContext,
) -> Result<ToolOutcome, Error> {
    let tool = all_tools().find(|tool| tool.name == name).ok_or_else(|| unknown_tool(handler, name))?;
    if let Some(reason) = handler.settings.tools.off(tool) {
        return Ok(report::error(format!("{name} is switched off on this server: {reason}. Nothing was published.")));
    }
    let given = arguments.clone();
    let parsed = match confirmed_call::parse(tool, arguments, &[]) {
        Ok(parsed) => parsed,
        Err(mut problems) => {
            let things: Vec<&NumberedThing> = NumberedThing::in_problems(&problems)
                .filter(|thing| tool.arguments.iter().any(|argument| argument.name == thing.argument))
                .collect();
            problems.extend(components::describe_bare_names(handler, &given).await);
            for thing in things {
                problems.extend(thing.describe_in_place(handler).await);
            }
            return Ok(report::invalid_arguments(&problems));
        }
    };
    let page = handler.require_page().await?;
    let api = handler.api();
    let now = (handler.inputs.now)();
    let call = match parsed {
        ParsedCall::Direct(mut call) => {
            if let Some(problem) = names::resolve(handler, &mut call.write).await {
                return Ok(report::invalid_arguments(&[problem]));
            }
            call.keep_resolved_names();
            call
        }
        ParsedCall::Confirming(confirming) => match resolve(handler, tool, page.id, &confirming) {
            Ok(call) => call,
            Err(reason) => return Ok(report::invalid_token(&reason, &Roots::PAGE)),
        },
    };
    let write = &call.write;
    let fingerprint = fingerprint(tool.name, page.id, write, call.key.as_deref());
    let store = MemoryWriteStore::new(&handler.writes, write, &fingerprint, now);
    let request = WriteRequest {
        asker: handler.asker(),
        tool,
        page: &page,
        api: &api,
        incidents: Some(&api),
        lists: handler,
        write,
        call: &call,
        fingerprint: &fingerprint,
        input,
        policy: &policy(&handler.settings.policy, tool),
        keys: &handler.confirm_keys,
        now,
        random: handler.inputs.random,
        store: &store,
        roots: &Roots::PAGE,
        read_error: &|error| handler.read_error(SUMMARY, error),
    };
    request.respond().await
}

/// Names the tools that are switched on.
fn unknown_tool(handler: &PageHandler<'_>, name: &str) -> Error {
    let names: Vec<&str> = handler.settings.tools.on().map(|tool| tool.name).collect();
    let hint = format!(". The tools here are: {}. Nothing was published.", names.join(", "));
    Error::UnknownTool { name: name.to_owned(), hint }
}

/// Brings back the call that was previewed.
fn resolve(
    handler: &PageHandler<'_>,
    tool: &Tool,
    page_id: PageId,
    confirming: &ConfirmingCall,
) -> Result<ToolCallWrite, ConfirmationError> {
    let now = (handler.inputs.now)();
    let token = confirming.token(&ConfirmTokens { keys: &handler.confirm_keys, asker: handler.asker() }, now)?;
    confirming.resolve(tool, page_id, handler.writes.find_preview(&token.hash, now))
}

/// Irreversible writes are confirmed even where the client cannot ask its person, unless the operator said never.
fn policy(settings: &WritePolicy, tool: &Tool) -> WritePolicy {
    let confirm = match settings.confirm {
        ConfirmMode::WhenSupported if tool.effect == Effect::Destroys => ConfirmMode::Always,
        confirm => confirm,
    };
    WritePolicy { confirm, ..settings.clone() }
}
