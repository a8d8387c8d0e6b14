//! Tool calls ready for execution: from their own arguments, or restored from the preview that they confirm.
//!
//! A confirmed call publishes its preview. Arguments that it repeats must equal those of the preview.

use super::call_arguments::{self, CallArguments, KEY, to_publish};
use super::confirm_token::{self, ConfirmToken, ConfirmTokenError, ConfirmTokens};
use super::fingerprint::{check_external_id, fingerprint};
use crate::catalog::uri::Roots;
use crate::catalog::{Tool, Write};
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::visible::{line, quote};
use crate::model::write::{Confirmation, FoundPreview, KeptPreview, WriteFingerprint};
use serde_json::{Map, Value};

/// The arguments of a call, as far as they can be read without its preview.
pub enum ParsedCall {
    Direct(ToolCallWrite),
    Confirming(ConfirmingCall),
}

/// The write of a call, and how it is to be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCallWrite {
    pub write: Write,
    /// The idempotency key that the client gave, if it gave one.
    pub key: Option<String>,
    pub is_preview: bool,
    /// The confirmation, where the call brought the confirm token of a preview.
    pub confirmation: Option<Confirmation>,
    /// True if the call confirms a write about which its client closed a question without an answer: it is not asked once more.
    pub is_question_cancelled: bool,
    /// The arguments that the write was read from, the idempotency key included.
    pub arguments: Map<String, Value>,
}

impl ToolCallWrite {
    /// Keeps what the names of a status and a stage were found to mean, so that a confirmation looks up nothing and comes to the
    /// same write.
    pub fn keep_resolved_names(&mut self) {
        for name in ["status", "lifecycle_stage_id"] {
            if let (Some(given), Some(resolved)) = (self.arguments.get_mut(name), self.write.body.get(name)) {
                given.clone_from(resolved);
            }
        }
    }
}

/// A call that confirms a preview.
pub struct ConfirmingCall {
    token: String,
    /// The arguments that it gives besides the token.
    given: Map<String, Value>,
}

/// Reads a call's arguments, or says everything that is wrong with them. `added` names those that the program took out already.
pub fn parse(tool: &Tool, mut arguments: Map<String, Value>, added: &[&str]) -> Result<ParsedCall, Vec<String>> {
    let confirms = arguments.get("confirm").is_some_and(|token| !token.is_null());
    let taken = call_arguments::take(&mut arguments);
    if confirms {
        let CallArguments { key, confirm_token, .. } = taken?;
        insert_key(&mut arguments, key);
        let call = ConfirmingCall { token: confirm_token.unwrap_or_default(), given: arguments };
        return Ok(ParsedCall::Confirming(call));
    }
    match (taken, read_write(tool, &arguments, added)) {
        (Ok(CallArguments { key, is_preview, .. }), Ok(write)) => {
            insert_key(&mut arguments, key.clone());
            let (confirmation, is_question_cancelled) = (None, false);
            let call = ToolCallWrite { write, key, is_preview, confirmation, is_question_cancelled, arguments };
            Ok(ParsedCall::Direct(call))
        }
        (taken, write) => Err(taken.err().into_iter().flatten().chain(write.err()).collect()),
    }
}

fn insert_key(arguments: &mut Map<String, Value>, key: Option<String>) {
    arguments.extend(key.map(|key| (KEY.to_owned(), key.into())));
}

fn read_write(tool: &Tool, arguments: &Map<String, Value>, added: &[&str]) -> Result<Write, String> {
    let added: Vec<&str> = call_arguments::NAMES.iter().chain(added).copied().collect();
    tool.parse_write(Value::Object(arguments.clone()), &added).map_err(|error| error.0).and_then(check_external_id)
}

/// The write and the idempotency key in arguments that may hold both.
fn read_kept(tool: &Tool, arguments: &Map<String, Value>) -> Result<(Write, Option<String>), String> {
    let mut arguments = arguments.clone();
    let key = arguments.remove(KEY).and_then(|key| key.as_str().map(str::to_owned));
    Ok((read_write(tool, &arguments, &[])?, key))
}

impl ConfirmingCall {
    /// Checks the token, without a query.
    pub fn token(&self, tokens: &ConfirmTokens<'_>, now: Timestamp) -> Result<ConfirmToken, ConfirmationError> {
        tokens.parse(&self.token, now).map_err(|reason| match reason {
            ConfirmTokenError::Unknown => ConfirmationError::Unknown { came: quote(&self.token, 40) },
            ConfirmTokenError::Expired => ConfirmationError::Expired,
        })
    }

    /// The call as it was previewed, if nothing that this one gives says otherwise. `found`: what the token names.
    pub fn resolve(
        &self,
        tool: &Tool,
        page_id: PageId,
        found: Option<FoundPreview>,
    ) -> Result<ToolCallWrite, ConfirmationError> {
        let found = found.ok_or(ConfirmationError::NotKept)?;
        if found.is_of_other_grant {
            return Err(ConfirmationError::OtherSignIn);
        }
        let FoundPreview { preview: kept, is_question_cancelled, .. } = found;
        if kept.tool != tool.name {
            return Err(ConfirmationError::OtherTool(kept.tool));
        }
        if kept.page_id != page_id {
            return Err(ConfirmationError::Differs(vec!["page_id".to_owned()]));
        }
        let (write, key) = read_kept(tool, &kept.arguments).map_err(|_| ConfirmationError::NotKept)?;
        let previewed = fingerprint(tool.name, page_id, &write, key.as_deref());
        // A deployment in between may read the same arguments in another way.
        if (&previewed.digest, &previewed.key_hash) != (&kept.digest, &kept.key_hash) {
            return Err(ConfirmationError::NotKept);
        }
        let differing = self.differing_arguments(tool, page_id, &kept, &previewed);
        if !differing.is_empty() {
            return Err(ConfirmationError::Differs(differing));
        }
        let KeptPreview { token_hash: nonce, arguments, shown, expires_at, .. } = kept;
        let confirmation = Some(Confirmation { nonce, expires_at, shown });
        Ok(ToolCallWrite { write, key, is_preview: false, confirmation, is_question_cancelled, arguments })
    }

    /// The names of the given arguments that are not as they were previewed, however they are spelled.
    fn differing_arguments(
        &self,
        tool: &Tool,
        page_id: PageId,
        kept: &KeptPreview,
        previewed: &WriteFingerprint,
    ) -> Vec<String> {
        let given =
            self.given.iter().filter(|(name, value)| !value.is_null() && kept.arguments.get(*name) != Some(value));
        let changed: Map<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        if changed.is_empty() {
            return Vec::new();
        }
        let mut merged = kept.arguments.clone();
        merged.extend(changed.clone());
        match read_kept(tool, &merged) {
            Ok((write, key)) => {
                let is_other_key = changed.contains_key(KEY).then(|| KEY.to_owned());
                let now = fingerprint(tool.name, page_id, &write, key.as_deref());
                now.differing_fields(&previewed.fields).into_iter().chain(is_other_key).collect()
            }
            Err(_) => changed.keys().map(|name| line(name, 64)).collect(),
        }
    }
}

/// Why a confirm token publishes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmationError {
    /// It was not issued to this connection.
    Unknown {
        /// The text that came, quoted.
        came: String,
    },
    Expired,
    /// Its preview was made under another grant of the connection: before a step-up, or by the same client on another device.
    OtherSignIn,
    /// Its preview made room for newer ones, or can no longer be read as it was.
    NotKept,
    /// Its preview was of this tool.
    OtherTool(String),
    /// These arguments are not as they were previewed.
    Differs(Vec<String>),
}

impl ConfirmationError {
    /// Says what is wrong with the token, and the next call to make.
    pub fn describe(&self, roots: &Roots) -> String {
        let to_publish = to_publish(roots);
        match self {
            Self::Unknown { came } => format!(
                "`confirm`: {came} is not a confirm token of this connection. Nothing was published. {} Preview this write \
                 first.",
                confirm_token::DESCRIPTION
            ),
            Self::Expired => "This confirm token is older than 10 minutes. Nothing was published by this call. Ask for a new \
                preview with all arguments and preview: true; if the write was published before, it says so."
                .to_owned(),
            Self::OtherSignIn => "This confirm token is of another sign-in of this app. Its confirm tokens don't work with this sign-in: the \
                person has connected it again since that preview, or uses it on another device as well. Nothing was published. Preview \
                this write again with all arguments and preview: true, and confirm with the new token."
                .to_owned(),
            Self::NotKept => "The preview of this confirm token is no longer kept. Nothing was published by this call. Ask for a new \
                preview with all arguments and preview: true."
                .to_owned(),
            Self::OtherTool(tool) => {
                format!("This confirm token is of a preview of {tool}. Nothing was published. {to_publish}, by {tool}.")
            }
            Self::Differs(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.replace('`', "'"))).collect();
                let verb = if names.len() == 1 { "differs" } else { "differ" };
                format!(
                    "{} {verb} from what was previewed. Nothing was published. {to_publish}: that publishes exactly what was \
                     previewed. For anything else, ask for a new preview with preview: true.",
                    names.join(", ")
                )
            }
        }
    }
}
