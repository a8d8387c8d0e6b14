//! Prompts: the text with the arguments filled in, and the resources it needs, freshly read.
//!
//! Many clients cannot read resources, so a prompt brings them along. The first resource of a prompt is what it is
//! about: without it there is no prompt. Of the others, what cannot be had is said in the text.

use super::REASON_MAX;
use crate::catalog::{self, Prompt, PromptArgument, Reach, Resource, Variables};
use crate::mcp::{Error, PromptMessage, PromptOutcome, ResourceContents};
use crate::model::ids::PageId;
use crate::model::visible::{self, quote};

/// Longest argument that is put into a text, in characters.
const ARGUMENT_MAX: usize = 4000;

/// The error for a name that no prompt has.
pub fn unknown(name: &str) -> Error {
    Error::UnknownPrompt(name.chars().take(100).collect())
}

/// The resources that a prompt puts before the model.
pub fn entries(prompt: &Prompt) -> impl Iterator<Item = &'static Resource> {
    prompt.resources.iter().filter_map(|name| catalog::find_resource(name))
}

/// The arguments that name a resource's variables.
pub fn variables(arguments: &Variables) -> Variables {
    let own = arguments.iter().filter(|(name, _)| name.ends_with("_id"));
    own.map(|(name, id)| (name.clone(), id.clone())).collect()
}

/// The text and what was read for it, in the order of the prompt's resources.
pub fn outcome(
    prompt: &Prompt,
    arguments: &Variables,
    reach: Reach,
    contents: Vec<Result<ResourceContents, Error>>,
) -> Result<PromptOutcome, Error> {
    let mut words = (prompt.text)(arguments, reach);
    let mut embedded = Vec::new();
    for (index, (entry, contents)) in entries(prompt).zip(contents).enumerate() {
        match contents {
            Ok(contents) => embedded.push(PromptMessage::Resource(contents)),
            Err(error @ (Error::Forbidden(_) | Error::Unavailable { .. } | Error::ResourceNotFound(_)))
                if index > 0 =>
            {
                let reason = quote(&error.to_string(), REASON_MAX);
                let missing = format!("\n\nNot available now: {} ({reason}). Say so where it matters.", entry.title);
                words.push_str(&missing);
            }
            Err(error) => return Err(error),
        }
    }
    let messages = std::iter::once(PromptMessage::Text(words)).chain(embedded).collect();
    Ok(PromptOutcome { description: prompt.description, messages })
}

/// Exactly these arguments, cleaned; ids are ids.
pub fn check<'a>(
    arguments: impl IntoIterator<Item = &'a PromptArgument>,
    mut given: Variables,
) -> Result<Variables, Error> {
    let wrong = |words: String| Error::InvalidParams(words);
    let mut checked = Variables::new();
    for argument in arguments {
        let value = given.remove(argument.name).map(|value| visible::clean(&value).trim().to_owned());
        match value.filter(|value| !value.is_empty()) {
            Some(value) if argument.name.ends_with("_id") && PageId::parse(&value).is_none() => {
                return Err(wrong(format!("{} must be a positive whole number", argument.name)));
            }
            Some(value) => checked.insert(argument.name.to_owned(), visible::cap(&value, ARGUMENT_MAX)),
            None if argument.required => return Err(wrong(format!("{} is required", argument.name))),
            None => None,
        };
    }
    match given.keys().next() {
        Some(unknown) => Err(wrong(format!("unknown argument {}", quote(unknown, 64)))),
        None => Ok(checked),
    }
}
