//! One call of a tool: read, looked over, confirmed, carried out once.

use super::memory::{Claimed, Ending};
use super::{PageSurface, SUMMARY, tools};
use crate::catalog::policy::{Confirm, WritePolicy};
use crate::catalog::uri::Roots;
use crate::catalog::{Effect, Tool, Write};
use crate::mcp::{Dialogue, Error, ToolOutcome};
use crate::model::outcome::{Outcome, Reason};
use crate::model::timestamp::Timestamp;
use crate::upstream::ApiErrorKind;
use crate::writes::approval::{Approval, ApprovalRequest, WriteStore};
use crate::writes::call_arguments::{self, CallArguments};
use crate::writes::checks::lifecycle::StageChange;
use crate::writes::checks::{overlap, schedule};
use crate::writes::confirm_token::Confirmation;
use crate::writes::execute::{Sending, WriteError, WriteOrigin, WriteReport};
use crate::writes::fingerprint::{WriteFingerprint, check_external_id};
use crate::writes::report;
use async_trait::async_trait;
use futures_util::future::join;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// When to ask again about a write that another call is at.
const SOON: Duration = Duration::from_secs(5);

/// Calls the tool of that name.
pub async fn call(
    surface: &PageSurface<'_>,
    name: &str,
    arguments: Map<String, Value>,
    dialogue: &Dialogue,
) -> Result<ToolOutcome, Error> {
    let tool = tools::all().find(|tool| tool.name == name).ok_or_else(|| Error::UnknownTool(name.to_owned()))?;
    if let Some(reason) = surface.settings.tools.off(tool) {
        return Ok(report::error(format!("{name} is switched off on this server: {reason}. Nothing was published.")));
    }
    let (write, how) = match parse(tool, arguments) {
        Ok(parsed) => parsed,
        Err(problems) => return Ok(report::bad_arguments(&problems)),
    };
    let page = surface.page_or_trouble().await?;
    let fingerprint = WriteFingerprint::new(tool.name, page.id, &write, how.key.as_deref());
    let api = surface.api();
    // A write that was requested before is not looked at again: repeating the call tells how it ended.
    if let Some(change) = StageChange::find(&write)
        && !surface.memory.is_known(&fingerprint)
        && let Err(unmoved) = change.check([&api, &api]).await
    {
        return unmoved.respond();
    }
    let now = (surface.outside.now)();
    let request = ApprovalRequest {
        asker: ["page", &surface.process],
        tool,
        page,
        api: &api,
        incidents: Some(&api),
        write: &write,
        how: &how,
        fingerprint: &fingerprint,
        dialogue,
        policy: &policy(&surface.settings.policy, tool),
        seals: &surface.seals,
        now,
        random: surface.outside.random,
        store: surface,
        trouble: &|error| surface.trouble(SUMMARY, &error),
    };
    let (warnings, approval) = match request.decide().await? {
        Approval::Approved { warnings, confirmation } => (warnings, confirmation),
        Approval::Respond(outcome) => return Ok(outcome),
    };
    // What else is planned is looked up beside the write, which does not wait for it.
    let (posted, overlaps) = join(
        perform(surface, &write, &fingerprint, approval.as_ref(), now),
        overlap::look(&api, Some(&api), &write, now),
    )
    .await;
    let made = posted.as_ref().ok().and_then(|posted| posted.document["id"].as_i64());
    let warnings =
        warnings.into_iter().chain(overlaps.into_iter().filter_map(|overlap| overlap.remark(made))).collect();
    let told = match posted {
        Ok(posted) => report::done(tool, page, &Roots::PAGE, &posted, None),
        Err(reason) => report::error(report::not_written(&reason)?),
    };
    Ok(report::with_remarks(told, warnings, schedule::echo(&write, &page.raw).as_deref()))
}

/// Reads the arguments, or says everything that is wrong with them.
fn parse(tool: &Tool, mut arguments: Map<String, Value>) -> Result<(Write, CallArguments), Vec<String>> {
    let how = call_arguments::take(&mut arguments);
    let write = (tool.write)(Value::Object(arguments)).map_err(|error| error.0).and_then(check_external_id);
    match (how, write) {
        (Ok(how), Ok(write)) => Ok((write, how)),
        (how, write) => Err([how.err(), write.err()].into_iter().flatten().collect()),
    }
}

/// What cannot be brought back is confirmed even where the client cannot ask its person, unless the operator said never.
fn policy(settings: &WritePolicy, tool: &Tool) -> WritePolicy {
    let confirm = match settings.confirm {
        Confirm::WhenSupported if tool.effect == Effect::Destroys => Confirm::Always,
        confirm => confirm,
    };
    WritePolicy { confirm, ..settings.clone() }
}

/// Nothing outlives the process, so only what was requested is remembered.
#[async_trait(?Send)]
impl WriteStore for PageSurface<'_> {
    async fn is_known(&self, fingerprint: &WriteFingerprint) -> bool {
        self.memory.is_known(fingerprint)
    }

    async fn record_unsent(&self, _: Outcome, _: Reason) -> Option<String> {
        None
    }
}

/// Carries a write out: claim, find out, look around, post, find out again, remember.
async fn perform(
    surface: &PageSurface<'_>,
    write: &Write,
    fingerprint: &WriteFingerprint,
    approval: Option<&Confirmation>,
    now: Timestamp,
) -> Result<WriteReport, WriteError> {
    let attempt = match surface.memory.claim(fingerprint, &external_id(surface, write, fingerprint), approval, now) {
        Claimed::Yours(attempt) => attempt,
        Claimed::Replay(posted) => return Ok(WriteReport { made: WriteOrigin::Earlier, ..posted }),
        Claimed::Running => return Err(WriteError::Running { retry_after: SOON }),
        Claimed::Conflict(fields) => return Err(WriteError::KeyConflict { fields }),
        Claimed::TokenRedeemed => return Err(WriteError::TokenRedeemed),
    };
    let sending = Sending {
        api: &surface.api(),
        write,
        external_id: &attempt.external_id.clone(),
        seen: approval.map(|approval| approval.shown.possible_duplicates.as_slice()).unwrap_or_default(),
        is_taken_over: attempt.is_taken_over,
        now,
    };
    let result = carry_out(&sending).await;
    attempt.finish(&match &result {
        Ok(posted) if is_remembered(write, fingerprint) => Ending::Done(posted),
        Ok(_) => Ending::DoneOnce,
        Err(reason) if is_certain(reason) => Ending::NotDone,
        Err(_) if !write.operation.takes_external_id() && !fingerprint.has_own_key => Ending::NotDone,
        Err(_) => Ending::Unknown,
    });
    result
}

async fn carry_out(sending: &Sending<'_>) -> Result<WriteReport, WriteError> {
    let posted = |document, made| WriteReport { document, made, remaining: None };
    if sending.is_taken_over && sending.write.operation.takes_external_id() {
        if let Some(document) = sending.look_up().await.map_err(WriteError::Unresolved)? {
            return Ok(posted(document, WriteOrigin::EarlierVerified));
        }
    } else {
        sending.check_similar().await?;
    }
    let (document, made) = sending.post().await?;
    Ok(posted(if document.is_null() { gone(sending.write) } else { document }, made))
}

/// StatiBeat shows nothing of what was deleted; its id is in the operation.
fn gone(write: &Write) -> Value {
    json!({ "id": write.operation.target_id() })
}

/// The client's own name for the write; or one that follows from its key, so that another process makes the same; or one
/// of this process alone.
fn external_id(surface: &PageSurface<'_>, write: &Write, fingerprint: &WriteFingerprint) -> String {
    match write.external_id() {
        Some(name) => name.to_owned(),
        None if fingerprint.has_own_key => format!("mcp-{}", fingerprint.key_hash),
        None => {
            surface.count.set(surface.count.get() + 1);
            format!("mcp-{}-{}", surface.process, surface.count.get())
        }
    }
}

/// What adds to the page is the same thing when it is asked for again. What changes it may be meant again, unless the
/// client says by a key that it is not.
fn is_remembered(write: &Write, fingerprint: &WriteFingerprint) -> bool {
    write.operation.takes_external_id() || fingerprint.has_own_key
}

/// Whether nothing was done for certain.
fn is_certain(reason: &WriteError) -> bool {
    match reason {
        WriteError::Running { .. }
        | WriteError::KeyConflict { .. }
        | WriteError::TokenRedeemed
        | WriteError::PossibleDuplicates(_)
        | WriteError::Unchecked(_)
        | WriteError::Invalid { .. } => true,
        WriteError::Unresolved(_) | WriteError::Unconfirmed(_) => false,
        WriteError::Upstream(error) => error.kind != ApiErrorKind::OutcomeUnknown,
    }
}
