//! Addresses that people, directories and clients are pointed to. Each is absent unless its variable is set; a bad one is reported and stays
//! absent, because a wrong link is no reason to switch the connector off.

use super::variables::ConfigProblem;
use crate::model::links::Links;
use url::Url;

/// Longest challenge of a directory, in bytes.
const LONGEST_CHALLENGE: usize = 256;

/// Reads the links, and says what is wrong with those that are left out.
pub fn read(lookup: &dyn Fn(&'static str) -> String) -> (Links, Vec<ConfigProblem>) {
    let mut problems = Vec::new();
    let mut read = |variable: &'static str, schemes: &[&str]| {
        let value = lookup(variable);
        let value = value.trim();
        let url = (!value.is_empty()).then(|| Url::parse(value).ok().filter(|url| schemes.contains(&url.scheme())))?;
        if url.is_none() {
            let reason = format!("is left out: it must be a URL that begins with {}", schemes.join(": or ") + ":");
            problems.push(ConfigProblem { variable: variable.into(), reason });
        }
        url
    };
    let links = Links {
        website: read("HOSTED_MCP_WEBSITE_URL", &["https"]),
        documentation: read("HOSTED_MCP_DOCUMENTATION_URL", &["https"]),
        privacy: read("HOSTED_MCP_PRIVACY_URL", &["https"]),
        terms: read("HOSTED_MCP_TERMS_URL", &["https"]),
        status: read("HOSTED_MCP_STATUS_URL", &["https"]),
        support: read("HOSTED_MCP_SUPPORT_URL", &["https", "mailto"]),
        security_contact: read("HOSTED_MCP_SECURITY_CONTACT", &["https", "mailto"]),
        openai_challenge: None,
    };
    let challenge = lookup("HOSTED_MCP_OPENAI_CHALLENGE").trim().to_owned();
    let is_plain = challenge.len() <= LONGEST_CHALLENGE && challenge.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_plain {
        let reason = format!("is left out: it must be at most {LONGEST_CHALLENGE} visible ASCII characters");
        problems.push(ConfigProblem { variable: "HOSTED_MCP_OPENAI_CHALLENGE".into(), reason });
    }
    let openai_challenge = Some(challenge).filter(|text| is_plain && !text.is_empty());
    (Links { openai_challenge, ..links }, problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> (Links, Vec<String>) {
        let value = |name: &'static str| {
            set.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value).to_owned()
        };
        let (links, problems) = super::read(&value);
        (links, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn links_that_are_not_set_are_absent_without_a_problem() {
        let (links, problems) = read(&[]);
        assert!(links.website.is_none() && links.security_contact.is_none() && links.openai_challenge.is_none());
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn link_of_another_scheme_is_left_out_and_named() {
        for bad in ["http://docs.example", "javascript:alert(1)", "docs.example/help", "mailto:help@docs.example"] {
            let (links, problems) =
                read(&[("HOSTED_MCP_PRIVACY_URL", bad), ("HOSTED_MCP_TERMS_URL", "https://docs.example/terms")]);
            assert!(links.privacy.is_none() && links.terms.is_some(), "{bad}");
            assert_eq!(
                problems,
                ["HOSTED_MCP_PRIVACY_URL is left out: it must be a URL that begins with https:"],
                "{bad}"
            );
        }
        let (links, _) = read(&[
            ("HOSTED_MCP_SECURITY_CONTACT", "mailto:security@docs.example"),
            ("HOSTED_MCP_SUPPORT_URL", "mailto:help@docs.example"),
        ]);
        assert!(links.security_contact.is_some() && links.support.is_some());
        let (links, problems) = read(&[("HOSTED_MCP_SUPPORT_URL", "help@docs.example")]);
        assert!(links.support.is_none());
        assert_eq!(
            problems,
            ["HOSTED_MCP_SUPPORT_URL is left out: it must be a URL that begins with https: or mailto:"]
        );
    }

    #[test]
    fn challenge_with_a_line_break_is_left_out() {
        assert_eq!(read(&[("HOSTED_MCP_OPENAI_CHALLENGE", " abc-1 ")]).0.openai_challenge.as_deref(), Some("abc-1"));
        let (links, problems) = read(&[("HOSTED_MCP_OPENAI_CHALLENGE", "abc\ndef")]);
        assert!(links.openai_challenge.is_none());
        assert_eq!(problems.len(), 1);
    }
}
