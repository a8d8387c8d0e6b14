//! What a request tells of its client besides what it asks for: the program's name, the revision it speaks, and why there
//! was no result. For a surface that keeps an eye on its clients; nothing is decided by it.
//!
//! A name comes from outside: it is cleaned, cut to one short line, and never believed.

use super::Error;
use super::era::{CLIENT_KEY, Revision};
use super::error::{Failure, ProtocolError};
use super::message::Request;
use crate::model::visible;
use serde_json::Value;

/// Longest name or version kept, in characters.
const NAME_LIMIT: usize = 80;

/// One request, as it turned out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The program, if it said.
    pub program: Option<Program>,
    /// What it speaks, if we speak it too.
    pub revision: Option<Revision>,
    /// Why it got no result, if it got none.
    pub trouble: Option<Trouble>,
}

/// A program as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

impl Program {
    /// From `clientInfo`: of a handshake, or of a modern envelope.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let envelope = request.params.get("_meta").and_then(|meta| meta.get(CLIENT_KEY));
        let handshake = || request.params.get("clientInfo").filter(|_| request.method == "initialize");
        let info = envelope.or_else(handshake)?;
        let line = |field| info.get(field).and_then(Value::as_str).map(one_line).unwrap_or_default();
        let program = Self { name: line("name"), version: line("version") };
        (!program.name.is_empty()).then_some(program)
    }
}

fn one_line(text: &str) -> String {
    // Cut first: cleaning need not look at a megabyte.
    let start: String = text.chars().take(4 * NAME_LIMIT).collect();
    let words = visible::clean(&start).split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(NAME_LIMIT).collect()
}

/// Why a request got no result, without anything that was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It speaks no revision that we speak.
    Revision,
    /// It breaks the protocol in another way, or asks for a method that is not there.
    Protocol,
    /// It calls a tool or prompt that is not there.
    NoSuchTool,
    /// It reads what is not there, or not for it.
    NotFound,
    /// Its parameters do not fit.
    Parameters,
    /// It was not granted the scope.
    Scope,
    /// The person's role does not allow it.
    Role,
    /// A tool said no, and why.
    Tool,
    /// It lacks an ability that an answer needs.
    Capability,
    /// The person can no longer act at all.
    PersonEnded,
    /// StatiBeat gave no answer in time.
    Upstream,
    /// The fault is ours, or between StatiBeat and us.
    Ours,
}

impl Trouble {
    pub const ALL: [Self; 12] = [
        Self::Revision,
        Self::Protocol,
        Self::NoSuchTool,
        Self::NotFound,
        Self::Parameters,
        Self::Scope,
        Self::Role,
        Self::Tool,
        Self::Capability,
        Self::PersonEnded,
        Self::Upstream,
        Self::Ours,
    ];

    /// The word it is kept by.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revision => "revision",
            Self::Protocol => "protocol",
            Self::NoSuchTool => "no_such_tool",
            Self::NotFound => "not_found",
            Self::Parameters => "parameters",
            Self::Scope => "scope",
            Self::Role => "role",
            Self::Tool => "tool",
            Self::Capability => "capability",
            Self::PersonEnded => "person_ended",
            Self::Upstream => "upstream",
            Self::Ours => "ours",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.as_str() == word)
    }

    /// Of a request without a result.
    pub(super) fn of(failure: &Failure) -> Option<Self> {
        Some(match failure {
            Failure::Protocol(ProtocolError::UnknownVersion(_) | ProtocolError::UnsupportedVersion(_)) => {
                Self::Revision
            }
            Failure::Protocol(_) => Self::Protocol,
            Failure::Surface(error) => match error {
                // A question is none, and an ended connection has nobody left to look after it.
                Error::InputRequired(_) | Error::GrantEnded => return None,
                Error::MissingCapability(_) => Self::Capability,
                Error::UnknownTool(_) | Error::UnknownPrompt(_) => Self::NoSuchTool,
                Error::ResourceNotFound(_) => Self::NotFound,
                Error::InvalidParams(_) => Self::Parameters,
                Error::InsufficientScope { .. } => Self::Scope,
                Error::Forbidden(_) => Self::Role,
                Error::AccessEnded => Self::PersonEnded,
                Error::Unavailable { .. } => Self::Upstream,
                Error::Untrusted(_) | Error::Internal(_) => Self::Ours,
            },
        })
    }

    /// Of a result that is itself a refusal.
    pub(super) fn of_answer(answer: &Value) -> Option<Self> {
        (answer["result"]["isError"] == true).then_some(Self::Tool)
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::{Message, parse};
    use super::*;
    use serde_json::json;

    fn program(method: &str, params: &Value) -> Option<Program> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        match parse(message.as_bytes()) {
            Ok(Message::Request(request)) => Program::of(&request),
            other => panic!("{other:?}"),
        }
    }

    fn cursor() -> Program {
        Program { name: "Cursor".into(), version: "1.9".into() }
    }

    #[test]
    fn a_program_is_named_by_a_handshake_or_a_modern_envelope_and_nothing_else() {
        let info = json!({ "name": "Cursor", "version": "1.9" });
        assert_eq!(program("initialize", &json!({ "clientInfo": info })), Some(cursor()));
        assert_eq!(program("tools/list", &json!({ "_meta": { CLIENT_KEY: info } })), Some(cursor()));
        assert_eq!(program("tools/call", &json!({ "clientInfo": info })), None);
        assert_eq!(program("initialize", &json!({ "clientInfo": { "version": "1" } })), None);
        assert_eq!(program("initialize", &json!({ "clientInfo": { "name": 7 } })), None);
    }

    #[test]
    fn a_name_from_outside_becomes_one_short_line_without_hidden_characters() {
        let info = json!({ "name": format!("  A\u{202e}b\n\tc {}", "x".repeat(1_000_000)), "version": "1\u{0}" });
        let program = program("initialize", &json!({ "clientInfo": info })).expect("a program");
        assert!(program.name.starts_with("Ab c xxx"), "{}", program.name);
        assert_eq!((program.name.chars().count(), program.version.as_str()), (NAME_LIMIT, "1"));
    }

    #[test]
    fn every_word_reads_back() {
        for trouble in Trouble::ALL {
            assert_eq!(Trouble::parse(trouble.as_str()), Some(trouble));
        }
    }
}
