//! The approval of a write before it is executed: checks of texts and times, the preview, the person's answer.
//!
//! Returns the approval with its warnings and confirmation, or the response to the client: an error, a preview, or an
//! input request.

use super::WriteRequest;
use super::checks::{contradiction, lifecycle, overlap, schedule, text};
use super::confirm_token::{self, ConfirmToken, ConfirmTokenPurpose, ConfirmTokens};
use super::effect::WriteEffect;
use super::outcome::WriteError;
use super::preview::{Preview, PreviewSeal, Reader, effect_warnings};
use super::question_state::QuestionState;
use super::report;
use super::store::PreviewNotKept;
use crate::mcp::{ElicitationRefusal, Error, InputRequest, InputRequestKind, InputRequiredResult, ToolOutcome};
use crate::model::outcome::{Outcome, Reason};
use crate::model::write::{Confirmation, EarlierCall, EarlierCalls, KeptPreview, LeaseRefusal, ShownDuplicates};
use crate::model::write_policy::{ConfirmMode, TextRuleAction};
use crate::upstream::ApiError;
use futures_util::future::join3;
use serde_json::{Value, json};

/// The key of the question, which its answer repeats.
const QUESTION: &str = "confirm";

/// The leave to execute a write.
pub struct Approved {
    /// Warnings that do not stop the write.
    pub warnings: Vec<String>,
    /// The confirmation, where the write needed one.
    pub confirmation: Option<Confirmation>,
}

/// The findings in the texts and times of a write.
struct CheckedContent {
    /// All findings, as warnings in words.
    warnings: Vec<String>,
    /// Those among it that are published only after a confirmed preview.
    to_confirm: Vec<String>,
}

/// The response to the client when nothing is written.
pub struct Respond(pub Result<ToolOutcome, Error>);

impl From<ToolOutcome> for Respond {
    fn from(outcome: ToolOutcome) -> Self {
        Self(Ok(outcome))
    }
}

impl From<Error> for Respond {
    fn from(error: Error) -> Self {
        Self(Err(error))
    }
}

impl WriteRequest<'_> {
    /// Checks the write, shows it where that was asked for, and finds out who confirms it.
    pub(super) async fn approve(&self) -> Result<Approved, Respond> {
        let CheckedContent { mut warnings, to_confirm } = self.check_content().await?;
        if self.call.is_preview {
            let preview = self.preview(ConfirmTokenPurpose::Preview, &warnings).await?;
            return Err(self.keep(preview).await.into());
        }
        let confirmation = self.find_confirmation(&warnings).await?;
        // What was confirmed before is not refused now: repeating the call tells how it ended.
        if confirmation.is_none() && !to_confirm.is_empty() && !self.store.is_known().await {
            self.store.record_unsent(Outcome::Refused, Reason::TextRule).await;
            return Err(report::text_needs_preview(&to_confirm).into());
        }
        // A write that was requested before is not looked at again: repeating the call tells how it ended.
        if contradiction::needs_effect(self.write) && !self.store.is_known().await {
            warnings.extend(self.check_effect().await?);
        }
        Ok(Approved { warnings, confirmation })
    }

    /// Checks the effect of a write that is about to be posted; returns the warnings, or the error where it would end its incident
    /// or maintenance or StatiBeat would refuse it. Only a stage has to wait for StatiBeat's answer.
    async fn check_effect(&self) -> Result<Vec<String>, Respond> {
        match self.api.dry_run(self.write).await.and_then(WriteEffect::parse) {
            Ok(effect) if effect.already_exists => Ok(Vec::new()),
            Ok(effect) => {
                self.refuse_closing_stage(&effect).await?;
                Ok(effect_warnings(self, &effect))
            }
            Err(error) if error.is_refusal() => Err(self.refuse_effect(error).await),
            Err(_) if lifecycle::StageChange::find(self.write).is_none() => Ok(Vec::new()),
            Err(error) => {
                self.store.record_unsent(Outcome::Failed, error.reason()).await;
                Err(Respond(report::not_looked(&error)))
            }
        }
    }

    async fn refuse_closing_stage(&self, effect: &WriteEffect) -> Result<(), Respond> {
        let Some(problem) = lifecycle::closing_stage(self.lists, self.write, effect).await else { return Ok(()) };
        self.store.record_unsent(Outcome::Refused, Reason::Stage).await;
        Err(report::invalid_arguments(&[problem]).into())
    }

    /// Checks texts and times; returns the warnings, or the refusal where the operator's rules or the calendar do not allow it.
    async fn check_content(&self) -> Result<CheckedContent, Respond> {
        let Self { write, policy, .. } = *self;
        let found = text::check(write.operation, &write.given, |rule| policy.action(rule) != TextRuleAction::Off);
        let words_for = |action| {
            let found = found.iter().filter(|found| policy.action(found.rule) == action);
            found.map(ToString::to_string).collect::<Vec<_>>()
        };
        let refusing = words_for(TextRuleAction::Refuse);
        if !refusing.is_empty() {
            self.store.record_unsent(Outcome::Refused, Reason::TextRule).await;
            return Err(report::text_refused(&refusing).into());
        }
        let unusual = match schedule::check(write, &self.page.raw, self.now) {
            Ok(unusual) => unusual,
            // What was requested before may be over by now.
            Err(_) if self.store.is_known().await => Vec::new(),
            Err(problem) => {
                self.store.record_unsent(Outcome::Refused, Reason::Times).await;
                return Err(report::invalid_arguments(&[problem]).into());
            }
        };
        let other_times = contradiction::find_in_schedule(write, &self.page.raw);
        let warnings = found.iter().map(ToString::to_string).chain(unusual).chain(other_times).collect();
        Ok(CheckedContent { warnings, to_confirm: words_for(TextRuleAction::Confirm) })
    }

    /// Shows the write, from StatiBeat's own description of its effect; or says why it cannot be published, or that it is
    /// already. Everything is looked up in parallel.
    async fn preview(&self, purpose: ConfirmTokenPurpose, warnings: &[String]) -> Result<Preview, Respond> {
        let looks = join3(
            self.api.dry_run(self.write),
            overlap::read_open_incidents(self.incidents, self.write, self.now),
            self.store.find_earlier(),
        );
        let (effect, open_incidents, EarlierCalls { same_key, duplicate }) = looks.await;
        if let Some(earlier) = same_key {
            return Err(self.answer_earlier(earlier).await);
        }
        let effect = match effect.and_then(WriteEffect::parse) {
            Ok(effect) => effect,
            Err(error) => return Err(self.refuse_effect(error).await),
        };
        if effect.already_exists {
            let existing = effect.notice().cloned().unwrap_or_default();
            return Err(self.answer_earlier(EarlierCall::Completed(existing)).await);
        }
        self.refuse_closing_stage(&effect).await?;
        // A name of the client's own says by itself that both are one.
        let duplicate = duplicate.filter(|_| self.write.external_id().is_none());
        let description = duplicate.as_ref().map(ToString::to_string);
        let duplicate = duplicate.map(|duplicate| duplicate.external_id);
        let seal =
            |shown: &[i64]| self.seal(purpose, ShownDuplicates { possible_duplicates: shown.to_vec(), duplicate });
        let overlaps = if overlap::applies_to(self.write) {
            overlap::find(&effect.related, open_incidents.as_ref(), self.write, self.now)
        } else {
            Vec::new()
        };
        let overlaps = overlaps.into_iter().filter_map(|overlap| overlap.to_warning(None));
        let others = overlaps.chain(description).chain(warnings.iter().cloned());
        Ok(Preview::new(self, effect, seal).with_warnings(others))
    }

    /// The answer about a write that was requested before, by this connection or under the same `external_id`.
    async fn answer_earlier(&self, earlier: EarlierCall) -> Respond {
        let (outcome, reason, answer) = match earlier {
            EarlierCall::Conflict(fields) => {
                let error = WriteError::Refused(LeaseRefusal::KeyConflict { fields });
                let (outcome, reason) = error.classify();
                (
                    outcome,
                    reason,
                    report::not_written(&error, self.page.id, &|name| self.lists.has_tool(name)).map(report::error),
                )
            }
            EarlierCall::Unfinished => (Outcome::Refused, Reason::StillRunning, Ok(report::unfinished())),
            EarlierCall::Completed(document) => {
                (Outcome::Previewed, Reason::ExistedAlready, Ok(report::already_published(self, &document)))
            }
        };
        self.store.record_unsent(outcome, reason).await;
        Respond(answer)
    }

    /// The answer where StatiBeat does not describe the effect: the error that the write would get.
    async fn refuse_effect(&self, error: ApiError) -> Respond {
        if !error.is_refusal() {
            self.store.record_unsent(Outcome::Failed, error.reason()).await;
            return (self.read_error)(&error).into();
        }
        let error = self.explain_refusal(error).await;
        let (outcome, reason) = error.classify();
        self.store.record_unsent(outcome, reason).await;
        Respond(report::not_written(&error, self.page.id, &|name| self.lists.has_tool(name)).map(report::error))
    }

    /// Makes what confirms the write, once it has been shown.
    fn seal(&self, purpose: ConfirmTokenPurpose, shown: ShownDuplicates) -> PreviewSeal {
        match purpose {
            ConfirmTokenPurpose::InputRequest => {
                let mut random = [0; 16];
                (self.random)(&mut random);
                PreviewSeal { text: self.question_state().sign(shown, self.now, random), kept: None }
            }
            ConfirmTokenPurpose::Preview => {
                let mut random = [0; confirm_token::RANDOM];
                (self.random)(&mut random);
                let Self { keys, asker, fingerprint, .. } = *self;
                let (token, text) = ConfirmTokens { keys, asker }.issue(self.now, random);
                let ConfirmToken { hash: token_hash, expires_at } = token;
                let kept = KeptPreview {
                    token_hash,
                    tool: self.tool.name.to_owned(),
                    page_id: self.page.id,
                    arguments: self.call.arguments.clone(),
                    key_hash: fingerprint.key_hash.clone(),
                    digest: fingerprint.digest.clone(),
                    shown,
                    expires_at,
                };
                PreviewSeal { text, kept: Some(kept) }
            }
        }
    }

    /// Keeps a preview, so that its token alone publishes it, and shows it.
    async fn keep(&self, preview: Preview) -> ToolOutcome {
        let Some(kept) = preview.kept() else { return report::preview_not_kept() };
        match self.store.keep_preview(kept).await {
            Ok(row) => preview.into_outcome(self, row.as_deref()),
            Err(PreviewNotKept) => report::preview_not_kept(),
        }
    }

    fn question_state(&self) -> QuestionState<'_> {
        let Self { keys, asker, fingerprint, .. } = *self;
        QuestionState { keys, asker, tool: self.tool.name, page_id: self.page.id, fingerprint }
    }

    /// Finds the confirmation of the write: by the person where the client can ask them, otherwise a preview's token, or nobody.
    async fn find_confirmation(&self, warnings: &[String]) -> Result<Option<Confirmation>, Respond> {
        let can_ask = self.policy.confirm != ConfirmMode::Never
            && self.input.supports(InputRequestKind::Elicitation)
            && !self.call.is_question_cancelled;
        match self.input.request_state() {
            Some(state) if can_ask => self.read_answer(state, warnings).await.map(Some),
            // What was confirmed before is not asked about again: repeating the call tells how it ended.
            None if can_ask && !self.store.is_known().await => Err(self.ask(warnings).await),
            _ => self.require_confirmation().await,
        }
    }

    /// The person's answer, which the state says was to this very question.
    async fn read_answer(&self, state: &str, warnings: &[String]) -> Result<Confirmation, Respond> {
        let confirmation = match self.question_state().open(state, self.now) {
            Ok(confirmation) => confirmation,
            Err(reason) => {
                self.store.record_unsent(Outcome::Refused, Reason::InvalidToken).await;
                return Err(report::invalid_state(reason).into());
            }
        };
        match self.input.elicited(QUESTION) {
            Some(Ok(form)) if form.get("publish") == Some(&Value::Bool(true)) => Ok(confirmation),
            Some(Err(ElicitationRefusal::Cancelled)) => {
                self.store.keep_cancelled_question(self.now + confirm_token::LIFETIME).await;
                self.store.record_unsent(Outcome::Declined, Reason::Cancelled).await;
                Err(report::cancelled(self).into())
            }
            Some(Ok(_) | Err(ElicitationRefusal::Declined)) => {
                self.store.record_unsent(Outcome::Declined, Reason::ByPerson).await;
                Err(report::declined(self).into())
            }
            None => Err(self.ask(warnings).await),
        }
    }

    /// Asks the person. The row stays the only one if no answer ever comes.
    async fn ask(&self, warnings: &[String]) -> Respond {
        let preview = match self.preview(ConfirmTokenPurpose::InputRequest, warnings).await {
            Ok(preview) => preview,
            Err(response) => return response,
        };
        self.store.record_unsent(Outcome::Previewed, Reason::InputRequest).await;
        let message = format!("Publish this? {}", preview.sentences(self, Reader::Person));
        let schema = json!({
            "type": "object",
            "properties": { "publish": { "type": "boolean", "title": "Publish now", "default": true } },
            "required": ["publish"],
        });
        let asked = [(QUESTION, InputRequest::form(&message, &schema))].into();
        Error::InputRequired(InputRequiredResult { input_requests: asked, request_state: Some(preview.into_state()) })
            .into()
    }

    /// The confirmation that the call's confirm token stands for; or the refusal, where one is needed and missing.
    async fn require_confirmation(&self) -> Result<Option<Confirmation>, Respond> {
        let confirmation = self.call.confirmation.clone();
        if confirmation.is_none() && self.policy.confirm == ConfirmMode::Always && !self.store.is_known().await {
            self.store.record_unsent(Outcome::Refused, Reason::Unconfirmed).await;
            return Err(report::needs_preview().into());
        }
        Ok(confirmation)
    }
}
