//! Completion: ids and keys of this page that could be meant. Never refuses; what cannot be read has no suggestions.

use super::handler::{PageHandler, offered};
use crate::catalog::uri::{Roots, expand};
use crate::catalog::{self, Variables};
use crate::features::completion::{Candidate, CompletionSource, fixed_values, source};
use crate::mcp::{Completion, CompletionTarget, Error, Suggestions};

/// Values that fit what was typed, best first.
pub async fn suggest(handler: &PageHandler<'_>, sought: &Completion) -> Result<Suggestions, Error> {
    if !is_known(sought) {
        return Ok(Suggestions::default());
    }
    if let Some(values) = fixed_values(&sought.target, &sought.argument, &sought.typed) {
        return Ok(Suggestions(values));
    }
    let Some(source) = source(&sought.argument) else { return Ok(Suggestions::default()) };
    let candidates = of_page(handler, source, sought).await;
    Ok(Suggestions(source.matching(candidates, &sought.typed)))
}

/// `true` if what the argument belongs to is offered, and has such an argument.
fn is_known(sought: &Completion) -> bool {
    match &sought.target {
        CompletionTarget::Prompt(name) => catalog::find_prompt(name)
            .is_some_and(|prompt| PageHandler::prompt_arguments(prompt).iter().any(|one| one.name == sought.argument)),
        CompletionTarget::Resource(template) => {
            offered().any(|entry| Roots::PAGE.listed_template(entry) == *template)
                && template.contains(&format!("{{{}}}", sought.argument))
        }
    }
}

async fn of_page(handler: &PageHandler<'_>, source: &CompletionSource, sought: &Completion) -> Vec<Candidate> {
    let entries = source.resources_for(&sought.target).iter().filter_map(|name| catalog::find_resource(name));
    let reads = entries.flat_map(|entry| entry.reads).filter(|read| !read.is_optional);
    let paths: Vec<String> = reads.filter_map(|read| expand(read.path, &Variables::new())).collect();
    let answers = handler.api().get_all(&paths).await;
    answers.iter().flatten().flat_map(|answer| source.candidates(answer)).collect()
}
