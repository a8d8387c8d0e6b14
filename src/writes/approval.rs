//! A write that its caller may make, on the way to being carried out: looked over, previewed, confirmed.
//!
//! What comes of it is either something to tell the client (a warning that refuses, a preview, a question to the person) or
//! the leave to write, with the warnings and with what confirmed it.

use super::call_arguments::CallArguments;
use super::checks::{schedule, text};
use super::confirm_token::{self, ConfirmTokenPurpose, ConfirmTokenSubject, Confirmation, ShownDuplicates};
use super::fingerprint::WriteFingerprint;
use super::preview::{self, Preview, Sources};
use super::report;
use crate::catalog::policy::{Confirm, WritePolicy};
use crate::catalog::{Tool, Write};
use crate::keyring::KeyRing;
use crate::mcp::{Dialogue, Error, Question, QuestionKind, Questions, ToolOutcome};
use crate::model::outcome::{Outcome, Reason};
use crate::model::timestamp::Timestamp;
use crate::upstream::identity::AccessiblePage;
use crate::upstream::{ApiError, PageClient};
use async_trait::async_trait;
use serde_json::{Value, json};

/// The key of the question, which its answer repeats.
const QUESTION: &str = "confirm";

/// What a surface remembers of its calls.
#[async_trait(?Send)]
pub trait WriteStore {
    /// Whether the write was requested before: then it was confirmed, and repeating the call may tell how it ended.
    async fn is_known(&self, fingerprint: &WriteFingerprint) -> bool;

    /// The same write through another connection, if one was made or begun a moment ago.
    async fn find_duplicate(&self, _fingerprint: &WriteFingerprint) -> Option<Duplicate> {
        None
    }

    /// Notes a call that ends without writing; answers the name of the entry, where there is one.
    async fn record_unsent(&self, outcome: Outcome, reason: Reason) -> Option<String>;
}

/// The same write through another connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    pub name: String,
    pub words: String,
}

/// A write that its caller may make.
pub struct ApprovalRequest<'a> {
    /// Who asks: the person, and what they act under.
    pub asker: [&'a str; 2],
    pub tool: &'static Tool,
    pub page: &'a AccessiblePage,
    pub api: &'a PageClient<'a>,
    /// The way to its incidents, where the caller may read them.
    pub incidents: Option<&'a PageClient<'a>>,
    pub write: &'a Write,
    /// How the call wants it carried out.
    pub how: &'a CallArguments,
    pub fingerprint: &'a WriteFingerprint,
    /// What can be asked of the client.
    pub dialogue: &'a Dialogue,
    /// What the operator decided about writes.
    pub policy: &'a WritePolicy,
    /// Seals the handles of previews.
    pub seals: &'a KeyRing,
    pub now: Timestamp,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    pub store: &'a dyn WriteStore,
    /// What trouble upstream means to the client.
    pub trouble: &'a dyn Fn(ApiError) -> Error,
}

/// The decision on a write.
pub enum Approval {
    Approved {
        /// What looks wrong and is let through.
        warnings: Vec<String>,
        /// What confirmed it, where something did.
        confirmation: Option<Confirmation>,
    },
    /// Tell the client this; nothing is written.
    Respond(ToolOutcome),
}

impl ApprovalRequest<'_> {
    /// Looks the write over, shows it where that was requested, and finds out who confirms it.
    pub async fn decide(&self) -> Result<Approval, Error> {
        let warnings = match self.look_over().await {
            Ok(warnings) => warnings,
            Err(refusal) => return Ok(Approval::Respond(refusal)),
        };
        if self.how.is_preview {
            return self.show(warnings).await.map(Approval::Respond);
        }
        Ok(match self.approval(&warnings).await? {
            Ok(confirmation) => Approval::Approved { warnings, confirmation },
            Err(refusal) => Approval::Respond(refusal),
        })
    }

    /// What looks wrong in texts and times; or the refusal, where the operator or the calendar does not let it through.
    async fn look_over(&self) -> Result<Vec<String>, ToolOutcome> {
        let Self { write, policy, .. } = *self;
        let found = text::check(write.operation, &write.body, |rule| !policy.rules_off.contains(&rule));
        let refusing = found.iter().filter(|found| policy.rules_that_refuse.contains(&found.rule));
        let refusing: Vec<String> = refusing.map(ToString::to_string).collect();
        if !refusing.is_empty() {
            self.store.record_unsent(Outcome::Refused, Reason::Lint).await;
            return Err(report::lint_refused(&refusing));
        }
        let odd = match schedule::check(write, &self.page.raw, self.now) {
            Ok(odd) => odd,
            // What was requested before may be over by now.
            Err(_) if self.store.is_known(self.fingerprint).await => Vec::new(),
            Err(problem) => {
                self.store.record_unsent(Outcome::Refused, Reason::Times).await;
                return Err(report::bad_arguments(&[problem]));
            }
        };
        Ok(found.iter().map(ToString::to_string).chain(odd).collect())
    }

    async fn show(&self, warnings: Vec<String>) -> Result<ToolOutcome, Error> {
        let shown = self.preview(ConfirmTokenPurpose::Preview, warnings).await?;
        let entry = self.store.record_unsent(Outcome::Previewed, Reason::AskedFor).await;
        Ok(shown.into_outcome(self.page, self.write, entry.as_deref()))
    }

    async fn preview(&self, purpose: ConfirmTokenPurpose, warnings: Vec<String>) -> Result<Preview, Error> {
        let sources = Sources { api: self.api, incidents: self.incidents };
        // A name of the client's own says by itself that both are one.
        let duplicate = match self.write.external_id() {
            Some(_) => None,
            None => self.store.find_duplicate(self.fingerprint).await,
        };
        let (name, words) = duplicate.map(|Duplicate { name, words }| (name, words)).unzip();
        let seal = |shown: &[i64]| {
            self.seal(purpose, ShownDuplicates { possible_duplicates: shown.to_vec(), duplicate: name })
        };
        match preview::make(&sources, self.write, self.now, seal).await {
            Ok(shown) => Ok(shown.with_warnings(words.into_iter().chain(warnings))),
            Err(error) => {
                self.store.record_unsent(Outcome::Failed, error.reason()).await;
                Err((self.trouble)(error))
            }
        }
    }

    fn seal(&self, purpose: ConfirmTokenPurpose, shown: ShownDuplicates) -> String {
        let mut random = [0; 16];
        (self.random)(&mut random);
        confirm_token::seal(self.seals, purpose, &self.subject(), shown, self.now, random)
    }

    /// What a handle for this call is bound to.
    fn subject(&self) -> ConfirmTokenSubject<'_> {
        ConfirmTokenSubject {
            asker: self.asker,
            tool: self.tool.name,
            page_id: self.page.id,
            digest: &self.fingerprint.digest,
            key_hash: &self.fingerprint.key_hash,
        }
    }

    /// Who confirms the write: the person where the client can ask them, otherwise a preview's handle, or nobody. The
    /// inner error is what to tell instead of writing.
    async fn approval(&self, warnings: &[String]) -> Result<Result<Option<Confirmation>, ToolOutcome>, Error> {
        let can_ask = self.policy.confirm != Confirm::Never && self.dialogue.can(QuestionKind::Form);
        match self.dialogue.state() {
            Some(state) if can_ask => self.answered(state, warnings).await,
            // What was confirmed before is not asked about again: repeating the call tells how it ended.
            None if can_ask && !self.store.is_known(self.fingerprint).await => Err(self.question(warnings).await),
            _ => Ok(self.handed_over().await),
        }
    }

    /// The person's answer, which the state says was to this very question.
    async fn answered(
        &self,
        state: &str,
        warnings: &[String],
    ) -> Result<Result<Option<Confirmation>, ToolOutcome>, Error> {
        let approval = match self.opened(ConfirmTokenPurpose::Question, state).await {
            Ok(approval) => approval,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match self.dialogue.form(QUESTION) {
            Some(Ok(form)) if form.get("publish") == Some(&Value::Bool(true)) => Ok(Ok(Some(approval))),
            Some(_) => {
                self.store.record_unsent(Outcome::Declined, Reason::ByPerson).await;
                Ok(Err(report::declined()))
            }
            None => Err(self.question(warnings).await),
        }
    }

    /// Asks the person. The row stays the only one if no answer ever comes.
    async fn question(&self, warnings: &[String]) -> Error {
        let shown = match self.preview(ConfirmTokenPurpose::Question, warnings.to_vec()).await {
            Ok(shown) => shown,
            Err(error) => return error,
        };
        self.store.record_unsent(Outcome::Previewed, Reason::Question).await;
        let message = format!("Publish this? {}", shown.sentences(self.page, self.write));
        let schema = json!({
            "type": "object",
            "properties": { "publish": { "type": "boolean", "title": "Publish now", "default": true } },
            "required": ["publish"],
        });
        let asked = [(QUESTION, Question::form(&message, &schema))].into();
        Error::InputRequired(Questions { asked, state: Some(shown.into_handle()) })
    }

    /// The handle that the call brings, opened; or the refusal, where it does not open or one is needed.
    async fn handed_over(&self) -> Result<Option<Confirmation>, ToolOutcome> {
        let Some(text) = &self.how.handle else {
            if self.policy.confirm == Confirm::Always && !self.store.is_known(self.fingerprint).await {
                self.store.record_unsent(Outcome::Refused, Reason::Unconfirmed).await;
                return Err(report::needs_preview());
            }
            return Ok(None);
        };
        self.opened(ConfirmTokenPurpose::Preview, text).await.map(Some)
    }

    async fn opened(&self, purpose: ConfirmTokenPurpose, text: &str) -> Result<Confirmation, ToolOutcome> {
        match confirm_token::open(self.seals, purpose, &self.subject(), text, self.now) {
            Ok(approval) => Ok(approval),
            Err(reason) => {
                self.store.record_unsent(Outcome::Refused, Reason::Handle).await;
                Err(report::bad_handle(reason))
            }
        }
    }
}
