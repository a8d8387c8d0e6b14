//! Handles one tool call: parses, checks and executes it. Every result is audited.
//!
//! The order of the checks matters for security: first those without I/O that reveal nothing (scope, arguments), then
//! the person's role on the page, then data of the page, and the write last.

use super::access::AccessDenied;
use super::call_record::CallRecord;
use super::handler::{CallContext, HostedHandler, PAGES};
use super::page_argument::PageArgumentError;
use super::page_lists::HostedPageLists;
use super::page_names::PageNames;
use super::write_store::D1WriteStore;
use super::{access, page_argument};
use crate::alternatives::components;
use crate::alternatives::targets::NumberedThing;
use crate::catalog::tools::{RESOURCE_TOOLS, TOOLS};
use crate::catalog::uri::Roots;
use crate::catalog::{self, Tool};
use crate::mcp::{Error, Handled, InputContext, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::missing_access::MissingAccess;
use crate::model::outcome::{Outcome, Reason};
use crate::model::scope::{Requirement, ScopeSet};
use crate::model::write_policy::WritePolicy;
use crate::storage::{previews, tokens};
use crate::upstream::AccessiblePage;
use crate::writes::WriteRequest;
use crate::writes::approval::Respond;
use crate::writes::call_arguments::is_preview;
use crate::writes::checks::names;
use crate::writes::confirm_token::ConfirmTokens;
use crate::writes::confirmed_call::{self, ConfirmingCall, ParsedCall, ToolCallWrite};
use crate::writes::fingerprint::fingerprint;
use crate::writes::report;
use crate::writes::store::WriteStore as _;
use futures_util::future::join;
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
    let granted = handler.context.caller.scopes;
    let needed = ScopeSet::from(requirement.scope);
    let requirement =
        if is_preview(&arguments) { access::preview_requirement(granted, requirement) } else { requirement };
    let call = ToolCall { handler, tool, requirement, record: CallRecord::new(&handler.context, tool, &arguments) };
    let result = match call.check(arguments).await {
        Ok(mut allowed) => {
            let lists = HostedPageLists { handler, page: &allowed.page };
            if let Some(problem) = names::resolve(&lists, &mut allowed.call.write).await {
                call.record.refuse(Reason::Stage).await;
                Ok(report::invalid_arguments(&[problem]))
            } else {
                allowed.call.keep_resolved_names();
                let outcome = call.carry_out(&allowed, input).await;
                let is_allowed = granted.covers(needed);
                outcome.map(|outcome| if is_allowed { outcome } else { say_what_publishing_needs(outcome, needed) })
            }
        }
        Err(Respond(response)) => response,
    };
    Handled { result, details: call.record.details() }
}

/// The same error for every unknown name, so that it doesn't reveal the tools of other servers: the tools here, and who
/// does the rest.
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

/// A tool call before its access check.
struct ToolCall<'a> {
    handler: &'a HostedHandler<'a>,
    tool: &'static Tool,
    requirement: Requirement,
    record: CallRecord<'a>,
}

impl ToolCall<'_> {
    /// Checks scopes, arguments, what the person may do on the page, and then what the call confirms; the error is recorded.
    async fn check(&self, arguments: Map<String, Value>) -> Result<AllowedCall, Respond> {
        let (handler, record) = (self.handler, &self.record);
        if let Err(missing) = access::check_scope(handler.context.caller.scopes, &self.requirement) {
            let is_challenge_lost = self.is_challenge_lost().await;
            record.set_missing(MissingAccess::Scopes(missing.0));
            record.refuse(Reason::Scope).await;
            return Err(if is_challenge_lost {
                report::error(missing.0.describe_missing()).into()
            } else {
                Error::from(missing).into()
            });
        }
        let given = arguments.clone();
        let (page_id, parsed) = match self.parse(arguments) {
            Ok(parsed) => parsed,
            Err(invalid) => {
                if let Some(argument) = self.first_missing_argument(&invalid) {
                    record.set_missing(MissingAccess::Argument(argument));
                }
                record.refuse(Reason::Arguments).await;
                return Err(report::invalid_arguments(&self.describe(invalid, &given).await).into());
            }
        };
        match parsed {
            ParsedCall::Direct(call) => Ok(AllowedCall { page: self.find_page(page_id).await?, call, is_known: None }),
            ParsedCall::Confirming(confirming) => self.check_confirming(page_id, &confirming).await,
        }
    }

    /// Returns whether the client answered the challenge of an earlier call with a mere refresh. Such a client shows nothing of another
    /// challenge to anybody; a tool error reaches its model. The first answer is always a challenge: a client that can step up asks
    /// the person again, who may have changed their mind.
    async fn is_challenge_lost(&self) -> bool {
        let CallContext { db, caller, now, .. } = self.handler.context;
        let found = tokens::is_refreshed_after_scope_refusal(db, &caller.user_id, &caller.grant_id, now);
        found.await.unwrap_or(false)
    }

    /// Reads the arguments, or says everything that is wrong with them.
    fn parse(&self, mut arguments: Map<String, Value>) -> Result<(PageId, ParsedCall), InvalidArguments> {
        let page_id = page_argument::take_page_id(&mut arguments);
        match (page_id, confirmed_call::parse(self.tool, arguments, &[page_argument::PAGE_ID])) {
            (Ok(page_id), Ok(parsed)) => Ok((page_id, parsed)),
            (page_id, parsed) => Err(InvalidArguments { page_id, problems: parsed.err().unwrap_or_default() }),
        }
    }

    /// The first argument that is missing or wrong.
    fn first_missing_argument(&self, invalid: &InvalidArguments) -> Option<&'static str> {
        if invalid.page_id.is_err() {
            return Some(page_argument::PAGE_ID);
        }
        let names = self.tool.arguments.iter().map(|argument| argument.name);
        names
            .filter_map(|name| {
                let quoted = format!("`{name}`");
                Some((invalid.problems.iter().position(|problem| problem.contains(&quoted))?, name))
            })
            .min()
            .map(|(_, name)| name)
    }

    /// Everything that is wrong with the arguments, and what the page and its components are called by number.
    async fn describe(&self, invalid: InvalidArguments, given: &Map<String, Value>) -> Vec<String> {
        let InvalidArguments { page_id, mut problems } = invalid;
        let things: Vec<&NumberedThing> = NumberedThing::in_problems(&problems)
            .filter(|thing| self.tool.arguments.iter().any(|argument| argument.name == thing.argument))
            .collect();
        if page_id.is_ok() && things.is_empty() && !components::has_bare_names(given) {
            return problems;
        }
        let pages = self.handler.visible_pages().await;
        let names = pages.as_deref().map(PageNames::new);
        let page_id = page_id.or_else(|error| {
            problems.insert(0, error.describe(names.as_ref()));
            names.as_ref().and_then(|names| error.find_meant(names)).ok_or(())
        });
        let page = pages.iter().flatten().find(|page| Ok(page.id) == page_id);
        if let Some(page) = page {
            let lists = HostedPageLists { handler: self.handler, page };
            problems.extend(components::describe_bare_names(&lists, given).await);
            for thing in things {
                problems.extend(thing.describe_in_place(&lists).await);
            }
        }
        problems
    }

    /// Restores the previewed call. The preview is read while StatiBeat lists the pages, and is revealed only to
    /// callers who can access the page.
    async fn check_confirming(&self, page_id: PageId, confirming: &ConfirmingCall) -> Result<AllowedCall, Respond> {
        let context = &self.handler.context;
        let tokens = ConfirmTokens { keys: context.seals, asker: context.asker() };
        let token = confirming.token(&tokens, context.now);
        let find_preview = async || match &token {
            Ok(token) => previews::find(context.db, &context.caller.grant_id, &token.hash, context.now).await,
            Err(_) => Ok(None),
        };
        let (page, found) = join(self.find_page(page_id), find_preview()).await;
        let page = page?;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                (context.log)(&format!("{error}; request {} was not posted", context.request_id));
                self.record.append(Outcome::Failed, Reason::StorageUnavailable).await;
                return Err(report::preview_not_read().into());
            }
        };
        let is_known = found.as_ref().map(|found| found.is_known);
        let resolved = token.and_then(|_| confirming.resolve(self.tool, page_id, found));
        match resolved {
            Ok(call) => {
                self.record.set_title(&call.arguments);
                Ok(AllowedCall { page, call, is_known })
            }
            Err(reason) => {
                self.record.refuse(Reason::InvalidToken).await;
                Err(report::invalid_token(&reason, &Roots::HOSTED).into())
            }
        }
    }

    async fn find_page(&self, page_id: PageId) -> Result<AccessiblePage, Respond> {
        let (handler, record) = (self.handler, &self.record);
        match handler.page(page_id, &self.requirement).await {
            Ok(Ok(page)) => {
                record.set_page(page.id);
                Ok(page)
            }
            Ok(Err(denied @ AccessDenied::Page(_))) => {
                record.set_missing(denied.missing(page_id));
                record.refuse(Reason::Page).await;
                Err(access::denied_write(&denied, page_id).into())
            }
            Ok(Err(denied @ AccessDenied::Role { .. })) => {
                record.set_reached();
                record.set_missing(denied.missing(page_id));
                record.refuse(Reason::Role).await;
                Err(access::denied_write(&denied, page_id).into())
            }
            Err(error) => {
                record.append(Outcome::Failed, error.reason()).await;
                Err(nothing_published(handler.read_error(PAGES, &error)).into())
            }
        }
    }

    /// Carries out what the person may do.
    async fn carry_out(&self, allowed: &AllowedCall, input: &InputContext) -> Result<ToolOutcome, Error> {
        let AllowedCall { page, call, is_known } = allowed;
        let context = &self.handler.context;
        let lists = HostedPageLists { handler: self.handler, page };
        let write = &call.write;
        let fingerprint = fingerprint(self.tool.name, page.id, write, call.key.as_deref());
        let store = D1WriteStore::new(context, &self.record, page.id, write, &fingerprint);
        if let Some(is_known) = is_known {
            store.set_known(*is_known);
        }
        // Refuses before a preview or question what could not be published. The result of an earlier call may still be
        // returned.
        if context.caller.are_writes_paused && !store.is_known().await {
            self.record.refuse(Reason::WritesPaused).await;
            return Ok(report::paused());
        }
        let incidents = self.handler.incidents(page);
        let confirm = context.policy.confirm.stricter(context.caller.confirm);
        let request = WriteRequest {
            asker: context.asker(),
            tool: self.tool,
            page,
            api: &self.handler.api().page(page, self.requirement.scope),
            incidents: incidents.as_ref(),
            lists: &lists,
            write,
            call,
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
        // Links only resources whose scope the client has.
        let can_follow = |needs: Requirement| context.caller.scopes.contains(needs.scope);
        outcome.links.retain(|(_, entry)| entry.hosted.is_some_and(can_follow));
        Ok(outcome)
    }
}

/// A preview of what this connection may not publish.
fn say_what_publishing_needs(outcome: ToolOutcome, needed: ScopeSet) -> ToolOutcome {
    let text = format!("{}\nTo publish it, this connection needs more: {}", outcome.text, needed.describe_missing());
    ToolOutcome { text, ..outcome }
}

/// Adds to errors before the POST that nothing was published.
fn nothing_published(read_error: Error) -> Error {
    if let Error::Unavailable { reason, retry_after } = read_error {
        return Error::Unavailable { reason: format!("{reason} Nothing was published."), retry_after };
    }
    read_error
}

/// The faults of a call's arguments.
struct InvalidArguments {
    page_id: Result<PageId, PageArgumentError>,
    /// Those of the other arguments.
    problems: Vec<String>,
}

/// A call that passed its access check.
struct AllowedCall {
    page: AccessiblePage,
    call: ToolCallWrite,
    /// True if the write was requested before, where that was read with its preview.
    is_known: Option<bool>,
}
