//! One call of a tool: read, checked, and carried out. Whatever becomes of it is on record.
//!
//! The order is one of safety: what costs nothing and tells nothing comes first (scope, arguments), then what the person
//! may do on the page, then what they see of it, and the write last.

use super::access::Denied;
use super::call_arguments::{self, CallArguments};
use super::confirmation::{self, Approval, Purpose};
use super::preview::Preview;
use super::write::asked::{Asked, is_external_id};
use super::write::{self, Attempt, Guard, record};
use super::{HostedSurface, PAGES, access, clock, outcome, page_argument, preview, stage};
use crate::catalog::policy::Confirm;
use crate::catalog::scope::Scope;
use crate::catalog::{self, Tool, Write, lint};
use crate::ids::PageId;
use crate::mcp::{Dialogue, Error, Question, QuestionKind, Questions, ToolOutcome};
use crate::storage::audit::{AuditId, Outcome, Target};
use crate::storage::idempotency::{self, Key};
use crate::upstream::identity::AccessiblePage;
use serde_json::{Map, Value, json};

/// The key of the question, which its answer repeats.
const QUESTION: &str = "confirm";

/// Calls the tool of that name.
pub async fn call(
    surface: &HostedSurface<'_>,
    name: &str,
    arguments: Map<String, Value>,
    dialogue: &Dialogue,
) -> Result<ToolOutcome, Error> {
    let unknown = || Error::UnknownTool(name.to_owned());
    let tool = catalog::find_tool(name).ok_or_else(unknown)?;
    let requirement = tool.hosted.ok_or_else(unknown)?;
    let about = About::new(tool, &arguments);
    if let Err(missing) = access::check_scope(surface.guard.caller.scopes, &requirement) {
        about.refused(surface, "scope").await;
        return Err(missing.into());
    }
    let call = match Call::parse(tool, arguments) {
        Ok(call) => call,
        Err(problems) => {
            about.refused(surface, "arguments").await;
            return Ok(outcome::bad_arguments(&problems));
        }
    };
    if let Some(change) = &call.write.stage
        && let Err(missing) = stage::check_scopes(surface.guard.caller.scopes, requirement.scope, change)
    {
        about.refused(surface, "scope").await;
        return Err(missing);
    }
    let page = match surface.page(call.page_id, &requirement).await {
        Ok(Ok(page)) => page,
        Ok(Err(reason)) => {
            about.refused(surface, if reason == Denied::Page { "page" } else { "role" }).await;
            return Ok(outcome::denied(&reason, call.page_id));
        }
        Err(error) => {
            about.noted(surface, Outcome::Failed, error.reason()).await;
            return Err(surface.trouble(PAGES, error));
        }
    };
    // A write that was asked for before is not looked at again: repeating the call tells how it ended.
    let asked = Asked::new(tool.name, page.id, &call.write, call.how.key.as_deref());
    if let Some(change) = &call.write.stage
        && !is_known(surface, &asked).await
        && let Err(refusal) = stage::check(surface, &page, change).await?
    {
        about.refused(surface, "stage").await;
        return Ok(refusal);
    }
    Wish { surface, tool, scope: requirement.scope, page: &page, call: &call, asked: &asked, about: &about, dialogue }
        .carry_out()
        .await
}

/// A write that the person may make.
struct Wish<'a> {
    surface: &'a HostedSurface<'a>,
    tool: &'static Tool,
    scope: Scope,
    page: &'a AccessiblePage,
    call: &'a Call,
    asked: &'a Asked,
    about: &'a About,
    dialogue: &'a Dialogue,
}

impl Wish<'_> {
    async fn carry_out(&self) -> Result<ToolOutcome, Error> {
        let Self { surface, tool, page, asked, .. } = *self;
        let Call { write, how, .. } = self.call;
        let warnings = match self.look_over().await {
            Ok(warnings) => warnings,
            Err(refusal) => return Ok(refusal),
        };
        if how.is_preview {
            return self.show(warnings).await;
        }
        let approval = match self.approval(&warnings).await? {
            Ok(approval) => approval,
            Err(refusal) => return Ok(refusal),
        };
        let approval = approval.as_ref();
        let attempt = Attempt { tool: tool.name, scope: self.scope, page_id: page.id, write, asked, approval };
        let ended = write::perform(&surface.guard, &surface.api().page(page), &attempt).await;
        let outcome = outcome::ended(tool, page, surface.guard.caller.scopes, &ended)?;
        Ok(outcome::with_remarks(outcome, warnings, clock::echo(write, &page.raw).as_deref()))
    }

    /// What looks wrong in texts and times; or the refusal, where the operator or the calendar does not let it through.
    async fn look_over(&self) -> Result<Vec<String>, ToolOutcome> {
        let Self { surface, about, .. } = *self;
        let (write, policy) = (&self.call.write, surface.guard.policy);
        let found = lint::check(&write.path, &write.body, |rule| !policy.rules_off.contains(&rule));
        let refusing = found.iter().filter(|found| policy.rules_that_refuse.contains(&found.rule));
        let refusing: Vec<String> = refusing.map(ToString::to_string).collect();
        if !refusing.is_empty() {
            about.refused(surface, "lint").await;
            return Err(outcome::lint_refused(&refusing));
        }
        let odd = match clock::check(write, surface.guard.now) {
            Ok(odd) => odd,
            // What was asked for before may be over by now.
            Err(_) if is_known(surface, self.asked).await => Vec::new(),
            Err(problem) => {
                about.refused(surface, "times").await;
                return Err(outcome::bad_arguments(&[problem]));
            }
        };
        Ok(found.iter().map(ToString::to_string).chain(odd).collect())
    }

    async fn show(&self, warnings: Vec<String>) -> Result<ToolOutcome, Error> {
        let Self { surface, page, .. } = *self;
        let shown = self.preview(Purpose::Preview, warnings).await?;
        let audit_id = self.about.noted(surface, Outcome::Previewed, "asked_for").await;
        Ok(shown.into_outcome(page, &self.call.write, audit_id.as_ref().map(|id| id.0.as_str())))
    }

    async fn preview(&self, purpose: Purpose, warnings: Vec<String>) -> Result<Preview, Error> {
        let Self { surface, tool, scope, page, asked, .. } = *self;
        let subject = preview::subject(surface, tool, page, asked);
        match preview::make(surface, scope, page, &self.call.write, (purpose, &subject)).await {
            Ok(shown) => Ok(shown.with_warnings(warnings)),
            Err(error) => {
                self.about.noted(surface, Outcome::Failed, error.reason()).await;
                Err(surface.trouble(PAGES, error))
            }
        }
    }

    /// Who confirms the write: the person where the client can ask them, otherwise a preview's handle, or nobody. The
    /// inner error is what to tell instead of writing.
    async fn approval(&self, warnings: &[String]) -> Result<Result<Option<Approval>, ToolOutcome>, Error> {
        let can_ask = self.surface.guard.policy.confirm != Confirm::Never && self.dialogue.can(QuestionKind::Form);
        match self.dialogue.state() {
            Some(state) if can_ask => self.answered(state, warnings).await,
            // What was confirmed before is not asked about again: repeating the call tells how it ended.
            None if can_ask && !is_known(self.surface, self.asked).await => Err(self.question(warnings).await),
            _ => Ok(self.handed_over().await),
        }
    }

    /// The person's answer, which the state says was to this very question.
    async fn answered(&self, state: &str, warnings: &[String]) -> Result<Result<Option<Approval>, ToolOutcome>, Error> {
        let approval = match self.opened(Purpose::Question, state).await {
            Ok(approval) => approval,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.dialogue.form(QUESTION) {
            Some(Ok(form)) if form.get("publish") == Some(&Value::Bool(true)) => Ok(Ok(Some(approval))),
            Some(_) => {
                self.about.noted(self.surface, Outcome::Declined, "by_person").await;
                Ok(Err(outcome::declined()))
            }
            None => Err(self.question(warnings).await),
        }
    }

    /// Asks the person. The row stays the only one if no answer ever comes.
    async fn question(&self, warnings: &[String]) -> Error {
        let shown = match self.preview(Purpose::Question, warnings.to_vec()).await {
            Ok(shown) => shown,
            Err(error) => return error,
        };
        self.about.noted(self.surface, Outcome::Previewed, "question").await;
        let message = format!("Publish this? {}", shown.sentences(self.page, &self.call.write));
        let schema = json!({
            "type": "object",
            "properties": { "publish": { "type": "boolean", "title": "Publish now", "default": true } },
            "required": ["publish"],
        });
        let asked = [(QUESTION, Question::form(&message, &schema))].into();
        Error::InputRequired(Questions { asked, state: Some(shown.into_handle()) })
    }

    /// The handle that the call brings, opened; or the refusal, where it does not open or one is needed.
    async fn handed_over(&self) -> Result<Option<Approval>, ToolOutcome> {
        let Self { surface, about, .. } = *self;
        let policy = surface.guard.policy;
        let Some(text) = &self.call.how.handle else {
            if policy.confirm == Confirm::Always && !is_known(surface, self.asked).await {
                about.refused(surface, "unconfirmed").await;
                return Err(outcome::needs_preview());
            }
            return Ok(None);
        };
        self.opened(Purpose::Preview, text).await.map(Some)
    }

    async fn opened(&self, purpose: Purpose, text: &str) -> Result<Approval, ToolOutcome> {
        let Self { surface, about, .. } = *self;
        let Guard { seals, now, .. } = surface.guard;
        let subject = preview::subject(surface, self.tool, self.page, self.asked);
        match confirmation::open(seals, purpose, &subject, text, now) {
            Ok(approval) => Ok(approval),
            Err(reason) => {
                about.refused(surface, "handle").await;
                Err(outcome::bad_handle(reason))
            }
        }
    }
}

/// Whether the write was asked for before: then it was confirmed, and repeating the call may tell how it ended. A storage
/// that does not say counts as no.
async fn is_known(surface: &HostedSurface<'_>, asked: &Asked) -> bool {
    let Asked { key_hash, digest, fields, .. } = asked;
    let key = Key { grant_id: &surface.guard.caller.grant_id, hash: key_hash, digest, fields };
    idempotency::is_known(surface.guard.db, &key, surface.guard.now).await.unwrap_or(false)
}

/// What the record says about a call that does not get as far as a claim.
struct About {
    tool: &'static str,
    page_id: Option<PageId>,
    title: Option<String>,
}

impl About {
    /// As much as can be told before the arguments are checked.
    fn new(tool: &'static Tool, arguments: &Map<String, Value>) -> Self {
        let page_id = arguments.get("page_id").and_then(Value::as_i64).filter(|id| *id > 0 && *id < 1 << 53);
        let title = arguments.get("title").and_then(Value::as_str).map(str::to_owned);
        Self { tool: tool.name, page_id: page_id.map(PageId), title }
    }

    async fn refused(&self, surface: &HostedSurface<'_>, why: &'static str) {
        self.noted(surface, Outcome::Refused, why).await;
    }

    async fn noted(&self, surface: &HostedSurface<'_>, outcome: Outcome, why: &'static str) -> Option<AuditId> {
        let target = Target { page_id: self.page_id, tool: self.tool, id: None, title: self.title.as_deref() };
        record::note(&surface.guard, target, outcome, why).await
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
        let write = (tool.write)(Value::Object(arguments)).map_err(|error| error.0).and_then(checked);
        match (page_id, how, write) {
            (Ok(page_id), Ok(how), Ok(write)) => Ok(Self { page_id, write, how }),
            (page_id, how, write) => Err([page_id.err(), how.err(), write.err()].into_iter().flatten().collect()),
        }
    }
}

/// The client's own name for a write also stands in paths, so it must be one that StatiBeat would take.
fn checked(write: Write) -> Result<Write, String> {
    match write.body.get("external_id").and_then(Value::as_str) {
        Some(name) if !is_external_id(name) => {
            Err("`external_id` must have 1 to 128 letters, digits, dots, underscores, colons or hyphens".to_owned())
        }
        _ => Ok(write),
    }
}
