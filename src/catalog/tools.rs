//! TOOLS: everything a client can do. A tool is one argument type and what its call means upstream.

pub mod incidents;

use super::arguments;
use super::scope::Requirement;
use super::uri::Roots;
use super::{ArgumentError, Effect, Resource, Tool, Write};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Every tool, in the order of lists.
pub static TOOLS: &[Tool] = &[incidents::CREATE_INCIDENT];

/// A write that upstream carried out, and what the surface knows about it.
pub struct Written<'a> {
    /// The answer to the write: the document that was made.
    pub answer: &'a Value,
    /// The page, with `id` and `name`, as the accessible-pages list shows it.
    pub page: &'a Value,
    /// How the surface spells resource URIs.
    pub roots: &'a Roots,
    /// Names the audit entry, where there is one.
    pub audit_id: Option<&'a str>,
    /// How many writes the limit still allows, if there is a limit.
    pub remaining_writes: Option<u32>,
    /// A repeat of an earlier call: nothing was written now.
    pub replayed: bool,
}

/// What a call tells its client after the write.
pub struct Done {
    /// For people and models.
    pub text: String,
    /// Conforms to the tool's output schema.
    pub structured: Value,
    /// Resources worth reading next: URI and entry.
    pub links: Vec<(String, &'static Resource)>,
}

/// An argument type: the tool's schema, parser and meaning.
pub(super) trait Arguments: DeserializeOwned + JsonSchema {
    /// The structured result.
    type Report: Serialize + JsonSchema;

    /// The write that these arguments mean.
    fn into_write(self) -> Write;

    /// What to tell the client. Never fails, because the write is already done.
    fn report(written: &Written<'_>) -> Done;
}

const fn tool<A: Arguments>(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    hosted: Option<Requirement>,
) -> Tool {
    Tool {
        name,
        title,
        description,
        effect,
        hosted,
        input_schema: arguments::input_schema::<A>,
        output_schema: arguments::output_schema::<A::Report>,
        write: write::<A>,
        report: A::report,
    }
}

fn write<A: Arguments>(given: Value) -> Result<Write, ArgumentError> {
    arguments::parse::<A>(given).map(A::into_write)
}
