//! Completion: ids and keys of this page that could be meant. Never refuses; what cannot be read has no suggestions.

use super::handler::{PageHandler, offered};
use crate::catalog::uri::Roots;
use crate::catalog::{self};
use crate::features::completion::{Candidate, CompletionSource, WINDOWS, candidates_of, matching, source};
use crate::mcp::{Completion, CompletionTarget, Error, Suggestions};

/// Values that fit what was typed, best first.
pub async fn suggest(handler: &PageHandler<'_>, sought: &Completion) -> Result<Suggestions, Error> {
    if !is_known(sought) {
        return Ok(Suggestions::default());
    }
    let candidates = match sought.argument.as_str() {
        "window_days" => WINDOWS.map(|days| Candidate::new(days, days)).to_vec(),
        argument => match source(argument) {
            Some(source) => of_page(handler, source).await,
            None => vec![],
        },
    };
    Ok(Suggestions(matching(candidates, &sought.typed)))
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

async fn of_page(handler: &PageHandler<'_>, source: &CompletionSource) -> Vec<Candidate> {
    let entries = source.resources.iter().filter_map(|name| catalog::find_resource(name));
    let paths: Vec<String> = entries.flat_map(|entry| entry.reads).map(|read| read.path.to_owned()).collect();
    let answers = handler.api().get_all(&paths).await;
    answers.iter().flatten().flat_map(|answer| candidates_of(answer, source.field)).collect()
}
