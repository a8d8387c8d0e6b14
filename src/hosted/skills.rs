//! Skills, rendered once per instance, because they change only with a release. The caller's scopes only select among them.

use super::instructions::FULL_INSTRUCTIONS;
use super::prompt::SERVER;
use crate::catalog::prompts::PROMPTS;
use crate::features::skills;
use crate::mcp::{Error, Skill};
use crate::model::scope::{Scope, ScopeSet};
use std::sync::OnceLock;

/// Every skill of Hosted MCP, with the scopes without which it cannot do its work.
pub fn all() -> &'static [(ScopeSet, Skill)] {
    static SKILLS: OnceLock<Vec<(ScopeSet, Skill)>> = OnceLock::new();
    SKILLS.get_or_init(|| {
        // Whatever is done, it begins with a page.
        let guide = (Scope::PagesRead.into(), skills::guide(FULL_INSTRUCTIONS, SERVER));
        let of_prompts =
            PROMPTS.iter().filter_map(|prompt| Some((prompt.scopes()?, skills::of_prompt(prompt, SERVER))));
        std::iter::once(guide).chain(of_prompts).collect()
    })
}

pub(super) fn granted(scopes: ScopeSet) -> Vec<Skill> {
    all().iter().filter(|(needed, _)| scopes.covers(*needed)).map(|(_, skill)| skill.clone()).collect()
}

/// The skill of that URI. One whose scopes were not granted asks for them, as its prompt does.
pub(super) fn find(scopes: ScopeSet, uri: &str) -> Result<Skill, Error> {
    match all().iter().find(|(_, skill)| skill.uri() == uri) {
        Some((needed, _)) if !scopes.covers(*needed) => Err(Error::InsufficientScope { needed: *needed }),
        _ => Skill::find(granted(scopes), uri),
    }
}
