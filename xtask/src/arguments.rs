//! The command line behind the npm commands: what there is, and what is said about a wrong one.

use crate::operations::{deploy, erase, listing, revoke, secrets, smoke, upstream};
use crate::test::{self, long};
use crate::{bench, build, start};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

/// Builds, runs, tests, deploys and operates StatiBeat Hosted MCP.
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Compile the library to wasm, into build/.
    Build(build::Options),
    /// Run the connector and the StatiBeat simulator on this machine.
    Start(start::Options),
    /// Forget what earlier starts stored: database, counters, simulator.
    Reset(start::ResetOptions),
    /// Run every test, or those whose names match.
    Test(test::Options),
    /// Simulate the whole worker: stories in which a seed decides every order, fault and crash.
    Simulate(long::Simulate),
    /// Run every test, then count the assertions of docs/acceptance.md that are proven.
    Acceptance,
    /// Explore every order of requests, faults and delays within wide bounds.
    Model,
    /// Let requests race with revocations on the real D1.
    Races(long::Races),
    /// Feed every parser of outside bytes with libFuzzer.
    Fuzz(long::Fuzz),
    /// Change the authorization server and check whether a test fails.
    Mutants(long::Mutants),
    /// Measure the worker against the least that a worker does, and write docs/performance.md.
    Bench(bench::Options),
    /// Let clients work at half of the measured peak while the purge runs, and look for errors and growing memory.
    Soak(bench::SoakOptions),
    /// Build everything, then run the official MCP conformance suite.
    Conformance,
    /// Build everything, then take a picture of every page and state, into screenshots/.
    Screenshots(test::Screenshots),
    /// Build everything, then tell the whole story on the terminal.
    Demo,
    /// Build the page server for others: optimized, with size, checksum, man page and completions, into target/page/.
    Page(build::page_server::Options),
    /// Compare the page server with a Node.js server that offers the same tools.
    BenchPage(bench::PageOptions),
    /// Check, migrate and deploy an environment, then check the deployed server as a client sees it.
    Deploy(deploy::Options),
    /// Make, rotate or store the secrets of an environment.
    Secrets(secrets::Options),
    /// End everybody's connections, or those of one client or person, from outside.
    Revoke(revoke::Options),
    /// Delete what the database has about one person.
    Erase(erase::EraseOptions),
    /// Delete old rows of the audit log.
    AuditTrim(erase::TrimOptions),
    /// Check a deployed server as a client sees it.
    Smoke(smoke::Options),
    /// Write what registries and plugin stores are given of an environment, into build/listing/.
    Listing(listing::Options),
    /// Check a StatiBeat server against docs/statibeat-api.yaml.
    UpstreamCheck(upstream::Options),
}

impl Arguments {
    /// Reads a command line without the program's own name. The error is a text for the terminal, and the exit code: 0 for `--help`.
    pub fn read(words: &[String]) -> Result<Self, (String, u8)> {
        Self::try_parse_from(std::iter::once(&"xtask".to_owned()).chain(words)).map_err(|error| {
            let subcommand = words.first().map(String::as_str).unwrap_or_default();
            let mut text = error.render().to_string();
            if error.kind() == ErrorKind::UnknownArgument {
                text.extend(["\n", &list_options(subcommand), "\n"]);
            }
            let text = text.replace(&format!("xtask {subcommand}"), &format!("{} --", npm_command(subcommand)));
            (text, u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

/// One line with every option of a subcommand.
fn list_options(subcommand: &str) -> String {
    let command = Arguments::command();
    let arguments = command.find_subcommand(subcommand).into_iter().flat_map(clap::Command::get_arguments);
    let options: Vec<String> = arguments.filter_map(|one| Some(format!("--{}", one.get_long()?))).collect();
    if options.is_empty() {
        "There are no options besides --help.".to_owned()
    } else {
        format!("The options are {} and --help.", options.join(", "))
    }
}

/// The npm command of package.json that runs a subcommand.
fn npm_command(subcommand: &str) -> String {
    match subcommand {
        "start" | "test" => format!("npm {subcommand}"),
        "page" => "npm run page:build".to_owned(),
        "bench-page" => "npm run bench:page".to_owned(),
        "audit-trim" => "npm run audit:trim".to_owned(),
        "upstream-check" => "npm run upstream:check".to_owned(),
        other => format!("npm run {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Each npm command with the words that it passes to this program.
    fn npm_commands() -> Vec<(String, Vec<String>)> {
        let package: Value = serde_json::from_str(include_str!("../../package.json")).expect("JSON");
        let scripts = package["scripts"].as_object().expect("scripts");
        let words = |script: &Value| {
            let words = script.as_str().and_then(|text| text.strip_prefix("node dev/launch.mjs "));
            words.unwrap_or_else(|| panic!("{script} runs something else")).split(' ').map(str::to_owned).collect()
        };
        scripts.iter().map(|(name, script)| (name.clone(), words(script))).collect()
    }

    /// The text and the exit code of a command line that does not run anything.
    fn answer(words: &[String], further: &str) -> (String, u8) {
        let words: Vec<String> = words.iter().cloned().chain([further.to_owned()]).collect();
        Arguments::read(&words).err().unwrap_or_else(|| panic!("{words:?} would run"))
    }

    fn options(subcommand: &str) -> Vec<String> {
        let command = Arguments::command();
        let arguments = command.find_subcommand(subcommand).expect("a subcommand").get_arguments();
        arguments.filter_map(|one| Some(format!("--{}", one.get_long()?))).collect()
    }

    #[test]
    fn help_of_every_npm_command_explains_every_option_and_succeeds() {
        for (name, words) in npm_commands() {
            let (help, code) = answer(&words, "--help");
            assert_eq!(code, 0, "{name}");
            assert!(help.contains(&format!("Usage: {} --", npm_command(&words[0]))), "{name}: {help}");
            for option in options(&words[0]) {
                assert!(help.contains(&option), "{name}: {option}");
            }
        }
        for command in Arguments::command().get_subcommands() {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} {argument} is not explained", command.get_name());
            }
        }
    }

    #[test]
    fn unknown_option_of_every_npm_command_exits_with_2_and_the_valid_ones() {
        for (name, words) in npm_commands() {
            let (text, code) = answer(&words, "--unknown");
            assert_eq!(code, 2, "{name}");
            assert!(text.contains("--unknown") && text.contains("--help"), "{name}: {text}");
            for option in options(&words[0]) {
                assert!(text.contains(&option), "{name}: {option}: {text}");
            }
        }
    }

    #[test]
    fn smoke_takes_an_environment_or_an_origin_and_nothing_else() {
        let read = |words: &str| Arguments::read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for words in ["smoke --env local", "smoke --url https://mcp.example.com", "smoke --url http://localhost:8686/"]
        {
            assert!(read(words).is_ok(), "{words}");
        }
        for (words, says) in [
            ("smoke", "<--env <NAME>|--url <URL>>"),
            ("smoke --env local --url http://localhost:8686", "cannot be used with"),
            ("smoke --url nope", "it must be an origin"),
            ("smoke --url localhost:8686", "it must be an origin"),
            ("smoke --url https://mcp.example.com/mcp", "it must be an origin"),
        ] {
            let (text, code) = read(words).err().unwrap_or_else(|| panic!("{words} would run"));
            assert!(code == 2 && text.contains(says), "{words}: {text}");
        }
    }

    #[test]
    fn simulate_takes_whole_numbers_within_its_bounds_and_names_them_otherwise() {
        let read = |words: &str| Arguments::read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for words in [
            "simulate --seeds 1",
            "simulate --seed 0 --seeds 1000000000000",
            "simulate --from 7",
            "simulate --weakened --seeds 5",
        ] {
            assert!(read(words).is_ok(), "{words}");
        }
        let (count, seed) = ("whole number from 1 to 1000000000000", "whole number from 0 to 1000000000000");
        for (words, says) in [
            ("simulate --seeds 0", count),
            ("simulate --seeds -1", count),
            ("simulate --seeds=-1", count),
            ("simulate --seeds abc", count),
            ("simulate --seeds 1e6", count),
            ("simulate --seeds 1.5", count),
            ("simulate --seeds 99999999999999999999", count),
            ("simulate --seed -1", seed),
            ("simulate --seed 1000000000001", seed),
            ("simulate --seed 0x1", seed),
            ("simulate --seeds", "a value is required for '--seeds <SEEDS>'"),
            ("simulate --seed 1 --from 2", "cannot be used multiple times"),
            ("simulate --weakened --seed 5", "cannot be used with"),
            ("simulate 5", "The options are --seeds, --seed, --weakened"),
        ] {
            let (text, code) = read(words).err().unwrap_or_else(|| panic!("{words} would run"));
            assert!(code == 2 && text.contains(says), "{words}: {text}");
        }
    }

    #[test]
    fn every_subcommand_has_an_npm_command() {
        let named: Vec<String> = npm_commands().into_iter().map(|(_, words)| words[0].clone()).collect();
        for command in Arguments::command().get_subcommands() {
            assert!(named.iter().any(|name| name == command.get_name()), "{}", command.get_name());
        }
    }
}
