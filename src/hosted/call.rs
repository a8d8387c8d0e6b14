//! One call of a tool: read, checked, and carried out. Whatever becomes of it is on record.
//!
//! The order is one of safety: what costs nothing and tells nothing comes first (scope, arguments), then what the person
//! may do on the page, then what they see of it, and the write last.

use super::access::AccessDenied;
use super::call_record::CallRecord;
use super::handler::{HostedHandler, PAGES};
use super::write_store::D1WriteStore;
use super::{access, lifecycle, names, page_argument};
use crate::catalog::tools::{RESOURCE_TOOLS, TOOLS};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Tool, Write};
use crate::mcp::{Error, Handled, InputContext, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::outcome::{Outcome, Reason};
use crate::model::scope::Requirement;
use crate::model::write_policy::WritePolicy;
use crate::upstream::AccessiblePage;
use crate::writes::WriteRequest;
use crate::writes::approval::Respond;
use crate::writes::call_arguments::{self, CallArguments};
use crate::writes::checks::lifecycle::StageChange;
use crate::writes::fingerprint::{check_external_id, fingerprint};
use crate::writes::report;
use crate::writes::store::WriteStore as _;
use serde_json::{Map, Value};

/// Calls the tool of that name.
pub async fn call(
    handler: &HostedHandler<'_>,
    name: &str,
    arguments: Map<String, Value>,
    input: &InputContext,
) -> Handled<ToolOutcome> {
    let found = catalog::find_tool(name).and_then(|tool| Some((tool, tool.hosted?)));
    let Some((tool, requirement)) = found else { return unknown_tool(handler, name).into() };
    let call = ToolCall { handler, tool, requirement, record: CallRecord::new(&handler.context, tool, &arguments) };
    let result = match call.check(arguments).await {
        Ok((page, mut arguments)) => match names::resolve(handler, &page, &mut arguments.write).await {
            Ok(()) => call.carry_out(&page, &arguments, input).await,
            Err(Respond(response)) => {
                call.record.refuse(Reason::Stage).await;
                response
            }
        },
        Err(Respond(response)) => response,
    };
    Handled { result, details: call.record.details() }
}

/// Says the same of every name, so that nobody learns what other servers offer: the tools here, and who does the rest.
fn unknown_tool(handler: &HostedHandler<'_>, name: &str) -> Error {
    let writes = TOOLS.iter().filter(|tool| tool.hosted.is_some());
    let reads = RESOURCE_TOOLS.iter().filter(|_| handler.has_resource_tools);
    let names: Vec<&str> = writes.chain(reads).map(|tool| tool.name).collect();
    let hint = format!(
        ". The tools here are: {}. Whatever else is to be done with an incident, a maintenance or a Beat (resolve, reopen, edit, \
         delete, complete, cancel, run, approve, reject) is done by a person in StatiBeat: an incident or maintenance at its \
         admin_url, a pending Beat action at its review_url. Nothing was published.",
        names.join(", ")
    );
    Error::UnknownTool { name: name.to_owned(), hint }
}

/// A call of a tool by somebody whose access is being found out.
struct ToolCall<'a> {
    handler: &'a HostedHandler<'a>,
    tool: &'static Tool,
    requirement: Requirement,
    record: CallRecord<'a>,
}

impl ToolCall<'_> {
    /// Checks scopes, arguments, and what the person may do on the page; the error is recorded.
    async fn check(&self, arguments: Map<String, Value>) -> Result<(AccessiblePage, ParsedArguments), Respond> {
        let (handler, record) = (self.handler, &self.record);
        let scopes = handler.context.caller.scopes;
        if let Err(missing) = access::check_scope(scopes, &self.requirement) {
            record.refuse(Reason::Scope).await;
            return Err(Error::from(missing).into());
        }
        let arguments = match ParsedArguments::parse(self.tool, arguments) {
            Ok(arguments) => arguments,
            Err(problems) => {
                record.refuse(Reason::Arguments).await;
                return Err(report::invalid_arguments(&problems).into());
            }
        };
        if !arguments.options.is_preview
            && let Some(change) = StageChange::find(&arguments.write)
            && let Err(missing) = lifecycle::check_scopes(scopes, self.requirement.scope, &change)
        {
            record.refuse(Reason::Scope).await;
            return Err(missing.into());
        }
        match handler.page(arguments.page_id, &self.requirement).await {
            Ok(Ok(page)) => {
                record.set_page(page.id);
                Ok((page, arguments))
            }
            Ok(Err(denied @ AccessDenied::Page)) => {
                record.refuse(Reason::Page).await;
                Err(access::denied_write(&denied, arguments.page_id).into())
            }
            Ok(Err(denied @ AccessDenied::Role { .. })) => {
                record.set_reached();
                record.refuse(Reason::Role).await;
                Err(access::denied_write(&denied, arguments.page_id).into())
            }
            Err(error) => {
                record.append(Outcome::Failed, error.reason()).await;
                Err(nothing_published(handler.read_error(PAGES, &error)).into())
            }
        }
    }

    /// Carries out what the person may do.
    async fn carry_out(
        &self,
        page: &AccessiblePage,
        arguments: &ParsedArguments,
        input: &InputContext,
    ) -> Result<ToolOutcome, Error> {
        let ParsedArguments { write, options, .. } = arguments;
        let context = &self.handler.context;
        let fingerprint = fingerprint(self.tool.name, page.id, write, options.key.as_deref());
        let store = D1WriteStore::new(context, &self.record, page.id, write, &fingerprint);
        // A write that was requested before is not looked at again: repeating the call tells how it ended. A preview needs no look:
        // StatiBeat says whether the stage can be moved.
        if !options.is_preview
            && let Some(change) = StageChange::find(write)
            && !store.is_known().await
            && let Err(Respond(response)) = lifecycle::check(self.handler, page, &change, &self.record).await
        {
            return response;
        }
        // Nothing is shown or asked about that cannot be done. How an earlier call ended may still be learned.
        if context.caller.are_writes_paused && !store.is_known().await {
            self.record.refuse(Reason::WritesPaused).await;
            return Ok(report::paused());
        }
        let incidents = self.handler.incidents(page);
        let confirm = context.policy.confirm.stricter(context.caller.confirm);
        let request = WriteRequest {
            asker: [&context.caller.user_id.0, &context.caller.grant_id.0],
            tool: self.tool,
            page,
            api: &self.handler.api().page(page, self.requirement.scope),
            incidents: incidents.as_ref(),
            write,
            options,
            fingerprint: &fingerprint,
            input,
            policy: &WritePolicy { confirm, ..context.policy.clone() },
            keys: context.seals,
            now: context.now,
            random: context.random,
            store: &store,
            roots: &Roots::HOSTED,
            read_error: &|error| self.handler.read_error(PAGES, error),
        };
        let mut outcome = request.respond().await?;
        // A link that the client has no scope to follow would only send it into a refusal.
        let can_follow = |needs: Requirement| context.caller.scopes.contains(needs.scope);
        outcome.links.retain(|(_, entry)| entry.hosted.is_some_and(can_follow));
        Ok(outcome)
    }
}

/// Trouble before anything was sent says so.
fn nothing_published(read_error: Error) -> Error {
    if let Error::Unavailable { reason, retry_after } = read_error {
        return Error::Unavailable { reason: format!("{reason} Nothing was published."), retry_after };
    }
    read_error
}

/// The parsed arguments of a tool call.
struct ParsedArguments {
    page_id: PageId,
    write: Write,
    options: CallArguments,
}

impl ParsedArguments {
    /// Reads the arguments, or says everything that is wrong with them.
    fn parse(tool: &Tool, mut arguments: Map<String, Value>) -> Result<Self, Vec<String>> {
        let page_id = page_argument::take(&mut arguments);
        let options = call_arguments::take(&mut arguments);
        let added = [page_argument::NAME].into_iter().chain(call_arguments::NAMES).collect::<Vec<_>>();
        let write =
            tool.parse_write(Value::Object(arguments), &added).map_err(|error| error.0).and_then(check_external_id);
        match (page_id, options, write) {
            (Ok(page_id), Ok(options), Ok(write)) => Ok(Self { page_id, write, options }),
            (page_id, options, write) => {
                Err([page_id.err(), options.err(), write.err()].into_iter().flatten().collect())
            }
        }
    }
}
