//! Skills: instructions for a workflow, as files that a host loads when the work begins ([SEP-2640](https://modelcontextprotocol.io/seps/2640-skills-extension),
//! extension `io.modelcontextprotocol/skills`, for versions without a handshake).
//!
//! Each of ours is one Markdown file in the format of [Agent Skills](https://agentskills.io/specification). A host checks what it reads
//! against digest and size of the entry, so a text depends on the release alone, never on a page.

use super::handler_error::Error;
use crate::model::visible::quote;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub const MARKDOWN: &str = "text/markdown";
/// Scheme of the URIs of skill files.
const SCHEME: &str = "skill://";
/// Path before the name, so that files of several servers can be told apart.
const ROOT: &str = "skill://statibeat/";
/// Longest URI that is quoted, in characters.
const URI_MAX: usize = 200;

/// A skill with its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// At most 64 lowercase letters, digits and single hyphens.
    pub name: String,
    /// Purpose and occasion: all that a model sees before the skill is loaded.
    pub description: String,
    /// The Markdown with its frontmatter, as hosts read it.
    pub file: String,
}

/// Description of a skill in `skills/list` and `skills/get`.
#[derive(Serialize)]
pub struct SkillEntry<'a> {
    frontmatter: Frontmatter<'a>,
    resources: [SkillResource; 1],
    uri: String,
}

#[derive(Serialize)]
struct Frontmatter<'a> {
    description: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct SkillResource {
    digest: String,
    size: usize,
    uri: String,
}

#[derive(Serialize)]
pub struct GetSkillResult<'a> {
    pub skill: SkillEntry<'a>,
}

/// True for a URI that can only be a skill's file.
pub fn is_skill_uri(uri: &str) -> bool {
    uri.starts_with(SCHEME)
}

impl Skill {
    pub fn new(name: String, description: String, instructions: &str) -> Self {
        // A JSON string is a YAML string too, whatever the sentence holds.
        let quoted = serde_json::Value::from(description.as_str());
        let file = format!("---\nname: {name}\ndescription: {quoted}\n---\n\n{instructions}\n");
        Self { name, description, file }
    }

    pub fn uri(&self) -> String {
        format!("{ROOT}{}/SKILL.md", self.name)
    }

    pub fn entry(&self) -> SkillEntry<'_> {
        let digest = Sha256::digest(&self.file).iter().fold("sha256:".to_owned(), |mut digest, byte| {
            let _ = write!(digest, "{byte:02x}");
            digest
        });
        SkillEntry {
            frontmatter: Frontmatter { description: &self.description, name: &self.name },
            resources: [SkillResource { digest, size: self.file.len(), uri: self.uri() }],
            uri: self.uri(),
        }
    }

    /// The one with that URI; the error names those that there are.
    pub fn find(skills: Vec<Skill>, uri: &str) -> Result<Skill, Error> {
        let known: Vec<String> = skills.iter().map(Skill::uri).collect();
        skills.into_iter().find(|skill| skill.uri() == uri).ok_or_else(|| {
            let quoted = quote(uri, URI_MAX);
            let message = match known.as_slice() {
                [] => format!("No such skill: {quoted}. This connection has no skills."),
                known => format!("No such skill: {quoted}. The skills here are: {}.", known.join(", ")),
            };
            Error::ResourceNotFound { uri: uri.to_owned(), message }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entry_has_the_digest_and_size_of_the_file() {
        let skill = Skill::new("greet".to_owned(), "Says \"hello\": to all.".to_owned(), "# Greet");
        assert_eq!(skill.file, "---\nname: greet\ndescription: \"Says \\\"hello\\\": to all.\"\n---\n\n# Greet\n");
        let uri = "skill://statibeat/greet/SKILL.md";
        // sha256sum of those 68 bytes.
        let digest = "sha256:36344b745db598eca6130ebde6c2cc44b3910ca0d98a758bd03665cd2ab328f1";
        assert_eq!(
            serde_json::to_value(skill.entry()).expect("JSON"),
            json!({
                "uri": uri,
                "frontmatter": { "name": "greet", "description": "Says \"hello\": to all." },
                "resources": [{ "uri": uri, "digest": digest, "size": 68 }],
            })
        );
    }

    #[test]
    fn unknown_uri_is_answered_with_those_that_exist() {
        let skill = || Skill::new("greet".to_owned(), "Says hello.".to_owned(), "");
        assert_eq!(Skill::find(vec![skill()], &skill().uri()), Ok(skill()));
        let message = |skills| Skill::find(skills, "skill://x").expect_err("unknown").to_string();
        assert!(message(vec![skill()]).ends_with("The skills here are: skill://statibeat/greet/SKILL.md."));
        assert!(message(vec![]).ends_with("This connection has no skills."));
    }
}
