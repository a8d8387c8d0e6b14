//! One call of a tool: read, checked, and carried out. Whatever becomes of it is on record.
//!
//! The order is one of safety: what costs nothing and tells nothing comes first (scope, arguments), then what the person
//! may do on the page, then what they see of it, and the write last.

use super::access::Denied;
use super::write::record::{self, Noted};
use super::write::{self, Attempt};
use super::{HostedSurface, PAGES, access, ended, page_argument, stage};
use crate::catalog::policy::WritePolicy;
use crate::catalog::{self, Tool, Write};
use crate::mcp::{CallFacts, Dialogue, Error, Handled, ToolOutcome};
use crate::model::ids::PageId;
use crate::model::outcome::{Outcome, Reason};
use crate::model::scope::Requirement;
use crate::storage::audit::{AuditId, Target};
use crate::storage::idempotency::{self, Key};
use crate::upstream::identity::AccessiblePage;
use crate::writes::approval::{Approval, ApprovalRequest, Duplicate, WriteStore};
use crate::writes::call_arguments::{self, CallArguments};
use crate::writes::checks::lifecycle::{LifecycleError, StageChange};
use crate::writes::checks::{overlap, schedule};
use crate::writes::fingerprint::{WriteFingerprint, check_external_id};
use crate::writes::report;
use async_trait::async_trait;
use futures_util::future::join;
use serde_json::{Map, Value};
use std::cell::Cell;

/// Calls the tool of that name.
pub async fn call(
    surface: &HostedSurface<'_>,
    name: &str,
    arguments: Map<String, Value>,
    dialogue: &Dialogue,
) -> Handled<ToolOutcome> {
    let found = catalog::find_tool(name).and_then(|tool| Some((tool, tool.hosted?)));
    let Some((tool, requirement)) = found else { return Error::UnknownTool(name.to_owned()).into() };
    let about = About::new(tool, &arguments);
    let result = perform(surface, (tool, requirement), arguments, &about, dialogue).await;
    Handled { result, facts: about.facts.get() }
}

async fn perform(
    surface: &HostedSurface<'_>,
    (tool, requirement): (&'static Tool, Requirement),
    arguments: Map<String, Value>,
    about: &About,
    dialogue: &Dialogue,
) -> Result<ToolOutcome, Error> {
    if let Err(missing) = access::check_scope(surface.guard.caller.scopes, &requirement) {
        about.refused(surface, Reason::Scope).await;
        return Err(missing.into());
    }
    let call = match Call::parse(tool, arguments) {
        Ok(call) => call,
        Err(problems) => {
            about.refused(surface, Reason::Arguments).await;
            return Ok(report::bad_arguments(&problems));
        }
    };
    let stage_change = StageChange::find(&call.write);
    if let Some(change) = &stage_change
        && let Err(missing) = stage::check_scopes(surface.guard.caller.scopes, requirement.scope, change)
    {
        about.refused(surface, Reason::Scope).await;
        return Err(missing);
    }
    let page = match surface.page(call.page_id, &requirement).await {
        Ok(Ok(page)) => {
            about.reached(page.id);
            page
        }
        Ok(Err(reason)) => {
            about.is_reached.set(reason != Denied::Page);
            about.refused(surface, if reason == Denied::Page { Reason::Page } else { Reason::Role }).await;
            return Ok(ended::denied(&reason, call.page_id));
        }
        Err(error) => {
            about.noted(surface, Outcome::Failed, error.reason()).await;
            return Err(nothing_published(surface.trouble(PAGES, &error)));
        }
    };
    // A write that was requested before is not looked at again: repeating the call tells how it ended.
    let fingerprint = WriteFingerprint::new(tool.name, page.id, &call.write, call.how.key.as_deref());
    if let Some(change) = &stage_change
        && !about.is_known(surface, &fingerprint).await
        && let Err(refusal) = stage::check(surface, &page, change).await
    {
        return about.unmoved(surface, &page, &refusal).await;
    }
    carry_out(surface, (tool, &requirement), &page, &call, (&fingerprint, about), dialogue).await
}

/// Trouble before anything was sent says so.
fn nothing_published(trouble: Error) -> Error {
    if let Error::Unavailable { reason, retry_after } = trouble {
        return Error::Unavailable { reason: format!("{reason} Nothing was published."), retry_after };
    }
    trouble
}

/// Carries out what the person may do.
async fn carry_out(
    surface: &HostedSurface<'_>,
    (tool, requirement): (&'static Tool, &Requirement),
    page: &AccessiblePage,
    call: &Call,
    (fingerprint, about): (&WriteFingerprint, &About),
    dialogue: &Dialogue,
) -> Result<ToolOutcome, Error> {
    let (guard, write) = (&surface.guard, &call.write);
    // Nobody is asked to confirm what cannot be done. How an earlier call ended may still be learned.
    if guard.caller.are_writes_paused && !call.how.is_preview && !about.is_known(surface, fingerprint).await {
        about.refused(surface, Reason::WritesPaused).await;
        return Ok(ended::paused());
    }
    let api = surface.api().page(page, requirement.scope);
    let incidents = surface.incidents(page);
    let policy = WritePolicy { confirm: guard.policy.confirm.stricter(guard.caller.confirm), ..guard.policy.clone() };
    let request = ApprovalRequest {
        asker: [&guard.caller.user_id.0, &guard.caller.grant_id.0],
        tool,
        page,
        api: &api,
        incidents: incidents.as_ref(),
        write,
        how: &call.how,
        fingerprint,
        dialogue,
        policy: &policy,
        seals: guard.seals,
        now: guard.now,
        random: guard.random,
        store: &AuditLog { surface, about },
        trouble: &|error| surface.trouble(PAGES, &error),
    };
    let (warnings, approval) = match request.decide().await? {
        Approval::Approved { warnings, confirmation } => (warnings, confirmation),
        Approval::Respond(outcome) => return Ok(outcome),
    };
    let attempt = Attempt { tool: tool.name, page_id: page.id, write, fingerprint, approval: approval.as_ref() };
    // What else is planned is looked up beside the write, which does not wait for it.
    let (end, overlaps) =
        join(write::perform(guard, &api, &attempt), overlap::look(&api, incidents.as_ref(), write, guard.now)).await;
    let (outcome, reason) = record::outcome(&end.result);
    about.ended(outcome, reason);
    let made = end.result.as_ref().ok().and_then(|posted| posted.document["id"].as_i64());
    let overlaps = overlaps.into_iter().filter_map(|overlap| overlap.remark(made));
    let warnings = warnings.into_iter().chain(overlaps).collect();
    let told = ended::ended(tool, page, guard.caller.scopes, &end, guard.now)?;
    Ok(report::with_remarks(told, warnings, schedule::echo(write, &page.raw).as_deref()))
}

/// The audit log and the leases, as a wish asks them.
struct AuditLog<'a> {
    surface: &'a HostedSurface<'a>,
    about: &'a About,
}

#[async_trait(?Send)]
impl WriteStore for AuditLog<'_> {
    async fn is_known(&self, fingerprint: &WriteFingerprint) -> bool {
        self.about.is_known(self.surface, fingerprint).await
    }

    /// A storage that does not say counts as none: acquiring the lease says it for certain.
    async fn find_duplicate(&self, fingerprint: &WriteFingerprint) -> Option<Duplicate> {
        let guard = &self.surface.guard;
        let duplicate =
            idempotency::find_duplicate(guard.db, &key(self.surface, fingerprint), guard.now).await.ok()??;
        Some(Duplicate { words: ended::same_elsewhere(&duplicate, guard.now), name: duplicate.external_id })
    }

    async fn record_unsent(&self, outcome: Outcome, reason: Reason) -> Option<String> {
        self.about.noted(self.surface, outcome, reason).await.map(|id| id.0)
    }
}

fn key<'a>(surface: &'a HostedSurface<'_>, fingerprint: &'a WriteFingerprint) -> Key<'a> {
    let WriteFingerprint { key_hash, digest, fields, .. } = fingerprint;
    Key { grant_id: &surface.guard.caller.grant_id, hash: key_hash, fingerprint: digest, fields }
}

/// What the record says about a call that does not get as far as a lease.
struct About {
    tool: &'static str,
    asked_page_id: Option<PageId>,
    title: Option<String>,
    /// Whether the caller was found to see the page. Before that, the row belongs to no page and has no title: whoever
    /// administers the page that was named must not read what a stranger wrote.
    is_reached: Cell<bool>,
    /// Whether the write was requested before, once somebody has wanted to know.
    is_known: Cell<Option<bool>>,
    /// What is reported of the call.
    facts: Cell<CallFacts>,
}

impl About {
    /// As much as can be told before the arguments are checked.
    fn new(tool: &'static Tool, arguments: &Map<String, Value>) -> Self {
        let page_id = arguments.get("page_id").and_then(Value::as_i64).filter(|id| *id > 0 && *id < 1 << 53);
        let title = arguments.get("title").and_then(Value::as_str).map(str::to_owned);
        let asked_page_id = page_id.map(PageId);
        let (is_reached, is_known, facts) = (Cell::default(), Cell::default(), Cell::default());
        Self { tool: tool.name, asked_page_id, title, is_reached, is_known, facts }
    }

    fn reached(&self, page_id: PageId) {
        self.is_reached.set(true);
        self.facts.set(CallFacts { page: Some(page_id), ..self.facts.get() });
    }

    fn ended(&self, outcome: Outcome, reason: Option<Reason>) {
        self.facts.set(CallFacts { outcome: Some(outcome), reason, ..self.facts.get() });
    }

    /// Whether the write was requested before: then it was confirmed, and repeating the call may tell how it ended. A storage
    /// that does not say counts as no.
    async fn is_known(&self, surface: &HostedSurface<'_>, fingerprint: &WriteFingerprint) -> bool {
        if let Some(known) = self.is_known.get() {
            return known;
        }
        let guard = &surface.guard;
        let known = idempotency::is_known(guard.db, &key(surface, fingerprint), guard.now).await.unwrap_or(false);
        self.is_known.set(Some(known));
        known
    }

    async fn refused(&self, surface: &HostedSurface<'_>, reason: Reason) {
        self.noted(surface, Outcome::Refused, reason).await;
    }

    async fn unmoved(
        &self,
        surface: &HostedSurface<'_>,
        page: &AccessiblePage,
        refusal: &stage::Refusal,
    ) -> Result<ToolOutcome, Error> {
        match refusal {
            stage::Refusal::Role(reason) => {
                self.refused(surface, Reason::Role).await;
                Ok(ended::denied(reason, page.id))
            }
            stage::Refusal::LifecycleError(unmoved) => {
                match unmoved {
                    LifecycleError::NotAllowed(_) => self.refused(surface, Reason::Stage).await,
                    LifecycleError::Unread(error) => drop(self.noted(surface, Outcome::Failed, error.reason()).await),
                }
                unmoved.respond()
            }
        }
    }

    async fn noted(&self, surface: &HostedSurface<'_>, outcome: Outcome, reason: Reason) -> Option<AuditId> {
        self.ended(outcome, Some(reason));
        let is_reached = self.is_reached.get();
        let target = Target {
            page_id: self.asked_page_id.filter(|_| is_reached),
            asked_page_id: self.asked_page_id,
            tool: self.tool,
            id: None,
            title: self.title.as_deref().filter(|_| is_reached),
        };
        match record::note(&surface.guard, target, outcome, reason).await {
            Noted::Row(id) => Some(id),
            Noted::Failed => None,
            Noted::TooMany => {
                self.facts.set(CallFacts { is_unrecorded: true, ..self.facts.get() });
                None
            }
        }
    }
}

/// What a call of a tool asks for.
struct Call {
    page_id: PageId,
    write: Write,
    how: CallArguments,
}

impl Call {
    /// Reads the arguments, or says everything that is wrong with them.
    fn parse(tool: &Tool, mut arguments: Map<String, Value>) -> Result<Self, Vec<String>> {
        let page_id = page_argument::take(&mut arguments);
        let how = call_arguments::take(&mut arguments);
        let write = (tool.write)(Value::Object(arguments)).map_err(|error| error.0).and_then(check_external_id);
        match (page_id, how, write) {
            (Ok(page_id), Ok(how), Ok(write)) => Ok(Self { page_id, write, how }),
            (page_id, how, write) => Err([page_id.err(), how.err(), write.err()].into_iter().flatten().collect()),
        }
    }
}
