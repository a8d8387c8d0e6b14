//! `npm run listing`: what registries and plugin stores are given of an environment, once nothing in it is a placeholder.

#[path = "../../../dev/reference/listing.rs"]
mod published;

use crate::project::Project;
use crate::wrangler_config::{Environment, WranglerConfig};
use anyhow::{Context, Result, bail};
use clap::Args;
use published::ListedAddresses;
use std::fs;

/// Variables that directories ask for, with what they want there.
const ASKED_FOR: [(&str, &str); 5] = [
    ("HOSTED_MCP_PUBLIC_URL", "the address of the connector"),
    ("HOSTED_MCP_WEBSITE_URL", "a page about the product"),
    ("HOSTED_MCP_DOCUMENTATION_URL", "public documentation with at least three examples"),
    ("HOSTED_MCP_PRIVACY_URL", "the privacy policy"),
    ("HOSTED_MCP_TERMS_URL", "the terms of service"),
];

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml, whose addresses are published.
    #[arg(long, value_name = "NAME")]
    env: String,
}

/// Writes the files into build/listing/, or names everything that is missing.
pub fn listing(project: &Project, options: &Options) -> Result<()> {
    let file = WranglerConfig::read(project)?;
    let environment = file.environment(&options.env)?;
    let missing = find_missing(&environment);
    if !missing.is_empty() {
        bail!(
            "to settle in {} before {} can be listed:\n  {}",
            crate::wrangler_config::FILE,
            options.env,
            missing.join("\n  ")
        );
    }
    let listed = ListedAddresses::from_variables(|name| environment.variable(name)).context("no public address")?;
    let folder = project.path("build/listing").join(&options.env);
    for (path, text) in published::files(&listed) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(path, text)?;
    }
    println!("Wrote {}. Next, as README.md and docs/listing.md say:", folder.display());
    println!(
        "  1. in that folder: mcp-publisher login dns --domain statibeat.com --private-key <key>, then mcp-publisher publish"
    );
    println!("  2. push the content of plugins/ to the public repository of the plugin");
    println!("  3. fill in the directories' forms with docs/listing.md");
    Ok(())
}

fn find_missing(environment: &Environment<'_>) -> Vec<String> {
    let problem = |(name, what): &(&str, &str)| match environment.variable(name).filter(|value| !value.is_empty()) {
        None => Some(format!("{name} is not set: {what}")),
        Some(value) if value.contains(".invalid") => Some(format!("{name} is a placeholder ({value}): {what}")),
        Some(value) if !value.starts_with("https://") => Some(format!("{name} is not https ({value}): {what}")),
        Some(_) => None,
    };
    ASKED_FOR.iter().filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(vars: &str) -> Vec<String> {
        let file = WranglerConfig::parse(&format!("[env.production.vars]\n{vars}")).expect("TOML");
        find_missing(&file.environment("production").expect("an environment"))
    }

    #[test]
    fn every_address_that_is_absent_or_a_placeholder_is_named() {
        let names: Vec<String> = ASKED_FOR.iter().map(|(name, _)| (*name).to_owned()).collect();
        let problems = missing(
            "HOSTED_MCP_PUBLIC_URL = \"https://mcp.statibeat.invalid\"\nHOSTED_MCP_TERMS_URL = \"http://a.example\"",
        );
        assert_eq!(problems.len(), names.len(), "{problems:?}");
        assert!(problems.iter().zip(&names).all(|(problem, name)| problem.starts_with(name.as_str())), "{problems:?}");
        let set: Vec<String> = names.iter().map(|name| format!("{name} = \"https://a.example/\"")).collect();
        assert_eq!(missing(&set.join("\n")), [""; 0]);
    }
}
