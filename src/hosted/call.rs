//! One call of a tool: read, checked, and carried out. Whatever becomes of it is on record.
//!
//! The order is one of safety: what costs nothing and tells nothing comes first (scope, arguments), then what the person
//! may do on the page, then what they see of it, and the write last.

use super::access::Denied;
use super::call_record::CallRecord;
use super::surface::{HostedSurface, PAGES};
use super::write_store::D1WriteStore;
use super::{access, lifecycle, page_argument};
use crate::catalog::policy::WritePolicy;
use crate::catalog::uri::Roots;
use crate::catalog::{self, Tool, Write};
use crate::mcp::{Error, Handled, InputContext, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::outcome::{Outcome, Reason};
use crate::model::scope::Requirement;
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
    surface: &HostedSurface<'_>,
    name: &str,
    arguments: Map<String, Value>,
    input: &InputContext,
) -> Handled<ToolOutcome> {
    let found = catalog::find_tool(name).and_then(|tool| Some((tool, tool.hosted?)));
    let Some((tool, requirement)) = found else { return Error::UnknownTool(name.to_owned()).into() };
    let call = ToolCall { surface, tool, requirement, record: CallRecord::new(&surface.guard, tool, &arguments) };
    let result = match call.check(arguments).await {
        Ok((page, arguments)) => call.carry_out(&page, &arguments, input).await,
        Err(Respond(response)) => response,
    };
    Handled { result, facts: call.record.facts() }
}

/// A call of a tool by somebody whose access is being found out.
struct ToolCall<'a> {
    surface: &'a HostedSurface<'a>,
    tool: &'static Tool,
    requirement: Requirement,
    record: CallRecord<'a>,
}

impl ToolCall<'_> {
    /// Checks scopes, arguments, and what the person may do on the page; the error is recorded.
    async fn check(&self, arguments: Map<String, Value>) -> Result<(AccessiblePage, ParsedArguments), Respond> {
        let (surface, record) = (self.surface, &self.record);
        let scopes = surface.guard.caller.scopes;
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
        if let Some(change) = StageChange::find(&arguments.write)
            && let Err(missing) = lifecycle::check_scopes(scopes, self.requirement.scope, &change)
        {
            record.refuse(Reason::Scope).await;
            return Err(missing.into());
        }
        match surface.page(arguments.page_id, &self.requirement).await {
            Ok(Ok(page)) => {
                record.set_page(page.id);
                Ok((page, arguments))
            }
            Ok(Err(denied @ Denied::Page)) => {
                record.refuse(Reason::Page).await;
                Err(access::denied_write(&denied, arguments.page_id).into())
            }
            Ok(Err(denied @ Denied::Role { .. })) => {
                record.set_reached();
                record.refuse(Reason::Role).await;
                Err(access::denied_write(&denied, arguments.page_id).into())
            }
            Err(error) => {
                record.append(Outcome::Failed, error.reason()).await;
                Err(nothing_published(surface.trouble(PAGES, &error)).into())
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
        let guard = &self.surface.guard;
        let fingerprint = fingerprint(self.tool.name, page.id, write, options.key.as_deref());
        let store = D1WriteStore::new(guard, &self.record, page.id, write, &fingerprint);
        // A write that was requested before is not looked at again: repeating the call tells how it ended.
        if let Some(change) = StageChange::find(write)
            && !store.is_known().await
            && let Err(Respond(response)) = lifecycle::check(self.surface, page, &change, &self.record).await
        {
            return response;
        }
        // Nobody is asked to confirm what cannot be done. How an earlier call ended may still be learned.
        if guard.caller.are_writes_paused && !options.is_preview && !store.is_known().await {
            self.record.refuse(Reason::WritesPaused).await;
            return Ok(report::paused());
        }
        let incidents = self.surface.incidents(page);
        let confirm = guard.policy.confirm.stricter(guard.caller.confirm);
        let request = WriteRequest {
            asker: [&guard.caller.user_id.0, &guard.caller.grant_id.0],
            tool: self.tool,
            page,
            api: &self.surface.api().page(page, self.requirement.scope),
            incidents: incidents.as_ref(),
            write,
            options,
            fingerprint: &fingerprint,
            input,
            policy: &WritePolicy { confirm, ..guard.policy.clone() },
            keys: guard.seals,
            now: guard.now,
            random: guard.random,
            store: &store,
            roots: &Roots::HOSTED,
            read_error: &|error| self.surface.trouble(PAGES, error),
        };
        let mut outcome = request.respond().await?;
        // A link that the client has no scope to follow would only send it into a refusal.
        let can_follow = |needs: Requirement| guard.caller.scopes.contains(needs.scope);
        outcome.links.retain(|(_, entry)| entry.hosted.is_some_and(can_follow));
        Ok(outcome)
    }
}

/// Trouble before anything was sent says so.
fn nothing_published(trouble: Error) -> Error {
    if let Error::Unavailable { reason, retry_after } = trouble {
        return Error::Unavailable { reason: format!("{reason} Nothing was published."), retry_after };
    }
    trouble
}

/// What a call of a tool asks for.
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
        let write = tool.parse_write(Value::Object(arguments)).map_err(|error| error.0).and_then(check_external_id);
        match (page_id, options, write) {
            (Ok(page_id), Ok(options), Ok(write)) => Ok(Self { page_id, write, options }),
            (page_id, options, write) => {
                Err([page_id.err(), options.err(), write.err()].into_iter().flatten().collect())
            }
        }
    }
}
