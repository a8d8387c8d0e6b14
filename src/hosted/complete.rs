//! Completion: suggests ids and keys that the person may see.
//!
//! Completion never fails: unknown, ungranted or inaccessible arguments get no suggestions.

use super::access;
use super::handler::{HostedHandler, PAGES};
use super::page_argument::{PAGE_ID, choose_page};
use crate::catalog::uri::{Roots, expand};
use crate::catalog::{self, Variables, resources::RESOURCES};
use crate::features::completion::{Candidate, CompletionSource, fixed_values, matching, source};
use crate::mcp::{Completion, CompletionTarget, Error, Handled, Suggestions};
use crate::model::scope::Scope;
use crate::upstream::ApiError;
use crate::upstream::identity::AccessiblePage;

/// Values that match the typed text, best first.
pub async fn suggest(handler: &HostedHandler<'_>, sought: &Completion) -> Handled<Suggestions> {
    if !is_known(handler, sought) {
        return Ok(Suggestions::default()).into();
    }
    let mut page = None;
    let values = match (sought.argument.as_str(), fixed_values(&sought.target, &sought.argument, &sought.typed)) {
        (_, Some(values)) => Ok(values),
        (PAGE_ID, None) => pages(handler).await.map(|candidates| matching(candidates, &sought.typed)),
        (argument, None) => match source(argument) {
            Some(source) => of_page(handler, sought, source, &mut page)
                .await
                .map(|candidates| source.matching(candidates, &sought.typed)),
            None => Ok(vec![]),
        },
    };
    let suggestions = match values {
        Ok(values) => Ok(Suggestions(values)),
        Err(Error::AccessEnded) => Err(Error::AccessEnded),
        Err(_) => Ok(Suggestions::default()),
    };
    Handled::on_page(suggestions, page.map(|page| page.id))
}

/// Returns whether the prompt or resource has this argument and the caller has its scopes.
fn is_known(handler: &HostedHandler<'_>, sought: &Completion) -> bool {
    match &sought.target {
        CompletionTarget::Prompt(name) => catalog::find_prompt(name).is_some_and(|prompt| {
            let is_granted = prompt.scopes().is_some_and(|needed| handler.context.caller.scopes.covers(needed));
            is_granted && prompt.arguments.iter().any(|one| one.name == sought.argument)
        }),
        CompletionTarget::Resource(template) => {
            let entry = RESOURCES.iter().find(|entry| Roots::HOSTED.listed_template(entry) == *template);
            let scopes = handler.context.caller.scopes;
            let granted = entry.and_then(|entry| entry.hosted).is_some_and(|needs| scopes.contains(needs.scope));
            granted && template.contains(&format!("{{{}}}", sought.argument))
        }
    }
}

async fn pages(handler: &HostedHandler<'_>) -> Result<Vec<Candidate>, Error> {
    // Any scope opens the list.
    let Some(scope) = handler.context.caller.scopes.iter().next() else { return Ok(vec![]) };
    let pages = handler.pages(scope).await.map_err(|error| handler.read_error(PAGES, &error))?;
    let candidate = |page: &AccessiblePage| Candidate::new(&page.id.to_string(), &page.name).with_slug(page.slug());
    Ok(pages.iter().map(candidate).collect())
}

/// Candidates from the page that was chosen, which is left in `page`.
async fn of_page(
    handler: &HostedHandler<'_>,
    sought: &Completion,
    source: &CompletionSource,
    page: &mut Option<AccessiblePage>,
) -> Result<Vec<Candidate>, Error> {
    let read_error = |error: ApiError| handler.read_error(PAGES, &error);
    let (mut candidates, none) = (Vec::new(), Variables::new());
    for entry in source.resources_for(&sought.target).iter().filter_map(|name| catalog::find_resource(name)) {
        let Some(needs) = entry.hosted.filter(|needs| handler.context.caller.scopes.contains(needs.scope)) else {
            continue;
        };
        if page.is_none() {
            *page = chosen_page(handler, sought, needs.scope).await.map_err(read_error)?;
        }
        let Some(page) = page.as_ref().filter(|page| access::check_role(page, &needs).is_ok()) else { continue };
        for path in entry.reads.iter().filter(|read| !read.is_optional).filter_map(|read| expand(read.path, &none)) {
            let answer = handler.api().page(page, needs.scope).get(&path).await.map_err(read_error)?;
            candidates.extend(source.candidates(&answer));
        }
    }
    Ok(candidates)
}

/// The page that was chosen, in any way that a prompt takes, or the only one.
async fn chosen_page(
    handler: &HostedHandler<'_>,
    sought: &Completion,
    scope: Scope,
) -> Result<Option<AccessiblePage>, ApiError> {
    let chosen = sought.chosen.get(PAGE_ID).map(|value| value.trim()).filter(|value| !value.is_empty());
    let pages = handler.pages(scope).await?;
    Ok(choose_page(&pages, chosen).ok().cloned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scene, pages};
    use super::*;
    use crate::model::scope::ScopeSet;
    use crate::upstream::testing::FakeHttp;
    use serde_json::{Value, json};

    /// Two kinds of ids behind one argument, each with a permission of its own.
    const BOTH: CompletionSource = CompletionSource {
        argument: "id",
        resources: &["incidents_active", "maintenances_active"],
        field: "id",
        refused_at_end: 0,
        is_list: false,
    };

    /// Returns the number of ids suggested to a role with these permissions, and the requests to StatiBeat. StatiBeat itself
    /// would let the role read everything.
    async fn suggested(permissions: &[&str]) -> (usize, Vec<String>) {
        let list = |id: u32| json!([{ "id": id, "title": "t" }]);
        let answers = [pages(permissions), list(1), list(2), Value::Null];
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering(answers.map(|answer| (200, answer))));
        let sought = Completion {
            target: CompletionTarget::Prompt("any".into()),
            argument: "id".into(),
            typed: String::new(),
            chosen: Variables::from_iter([("page_id".to_owned(), "7".to_owned())]),
        };
        let candidates = scene.run(async |handler| of_page(handler, &sought, &BOTH, &mut None).await).await;
        (candidates.expect("candidates").len(), scene.requested_paths().split_off(1))
    }

    #[tokio::test]
    async fn ids_that_the_role_may_not_read_are_neither_asked_for_nor_suggested() {
        let both = suggested(&["page.read", "incidents.read", "maintenances.read"]).await;
        assert_eq!((both.0, both.1.len()), (2, 2));
        let (count, asked) = suggested(&["page.read", "incidents.read"]).await;
        assert!(count == 1 && asked.len() == 1 && asked[0].contains("/incidents"), "{asked:?}");
        assert_eq!(suggested(&["page.read", "hierarchy.read"]).await.0, 0);
        assert_eq!(suggested(&["incidents.read", "maintenances.read"]).await.0, 0, "the page is not theirs to see");
    }

    #[tokio::test]
    async fn source_whose_scope_was_not_granted_is_not_asked() {
        let scene = Scene::new(Scope::BeatsRead.into(), FakeHttp::answering([(200, Value::Null)]));
        let sought = Completion {
            target: CompletionTarget::Prompt("any".into()),
            argument: "id".into(),
            typed: String::new(),
            chosen: Variables::from_iter([("page_id".to_owned(), "7".to_owned())]),
        };
        let candidates = scene.run(async |handler| of_page(handler, &sought, &BOTH, &mut None).await).await;
        assert!(candidates.is_ok_and(|candidates| candidates.is_empty()) && scene.requested_paths().is_empty());
    }
}
