//! The command line behind the npm commands: what there is, and what is said about a wrong one.

use crate::node::XTASK;
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
    /// Reads a command line without the program's own name, and the variables of the environment by name. The error is a text for the
    /// terminal, and the exit code: 0 for `--help`.
    pub fn read(words: &[String], variable: impl Fn(&str) -> Option<String>) -> Result<Self, (String, u8)> {
        refuse_swallowed_options(words, variable)?;
        Self::try_parse_from(std::iter::once(&"xtask".to_owned()).chain(words)).map_err(|error| {
            let subcommand = words.first().map(String::as_str).unwrap_or_default();
            let mut text = error.render().to_string();
            if error.kind() == ErrorKind::UnknownArgument {
                text.extend(["\n", &list_options(subcommand), "\n"]);
            }
            let npm_command = npm_command(npm_script(subcommand));
            let text = text.replace(&format!("xtask {subcommand}"), &format!("{npm_command} --"));
            (text, u8::try_from(error.exit_code()).unwrap_or(2))
        })
    }
}

/// Refuses options that npm has kept for itself, as it does with those that no `--` precedes, in variables of the environment. npm 12 refuses
/// those that it doesn't know; older versions warn and pass a value on without its option. Every version keeps its own, as `--dry-run`.
/// A build that wrangler calls has no command line of npm's.
fn refuse_swallowed_options(words: &[String], variable: impl Fn(&str) -> Option<String>) -> Result<(), (String, u8)> {
    let (Some(script), None) = (variable("npm_lifecycle_event"), variable(XTASK)) else { return Ok(()) };
    let is_given = |name: &str| words.iter().any(|word| word.split('=').next() == Some(&format!("--{name}")));
    let is_swallowed = |name: &&str| {
        let kept = variable(&format!("npm_config_{}", name.replace('-', "_")));
        kept.is_some_and(|value| !value.is_empty()) && !is_given(name)
    };
    let command = Arguments::command();
    let arguments = words.first().and_then(|word| Some(command.find_subcommand(word)?.get_arguments()));
    let swallowed = arguments.into_iter().flatten().filter_map(|argument| {
        let name = argument.get_long_and_visible_aliases()?.into_iter().find(is_swallowed)?;
        let value = argument.get_value_names().filter(|_| argument.get_action().takes_values());
        Some(format!("--{name}{}", value.map(|names| format!(" <{}>", names.join(" "))).unwrap_or_default()))
    });
    let options = swallowed.collect::<Vec<_>>().join(" ");
    if options.is_empty() {
        return Ok(());
    }
    let (line, subcommand) =
        (format!("{} -- {options}", npm_command(&script)), words.first().map_or("", String::as_str));
    let text = format!(
        "error: npm kept `{options}` for itself: write it after a `--`, as in `{line}`; if it is a setting of npm's here, run \
         `cargo xtask {subcommand}` instead of npm\n"
    );
    Err((text, 2))
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

/// The script of package.json that runs a subcommand.
fn npm_script(subcommand: &str) -> &str {
    match subcommand {
        "page" => "page:build",
        "bench-page" => "bench:page",
        "audit-trim" => "audit:trim",
        "upstream-check" => "upstream:check",
        other => other,
    }
}

fn npm_command(script: &str) -> String {
    if matches!(script, "start" | "test") { format!("npm {script}") } else { format!("npm run {script}") }
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

    fn read(words: &[String]) -> Result<Arguments, (String, u8)> {
        Arguments::read(words, |_| None)
    }

    /// The text and the exit code of a command line that does not run anything.
    fn answer(words: &[String], further: &str) -> (String, u8) {
        let words: Vec<String> = words.iter().cloned().chain([further.to_owned()]).collect();
        read(&words).err().unwrap_or_else(|| panic!("{words:?} would run"))
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
            assert!(help.contains(&format!("Usage: {} --", npm_command(npm_script(&words[0])))), "{name}: {help}");
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
        let read = |words: &str| read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
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
        let read = |words: &str| read(&words.split(' ').map(str::to_owned).collect::<Vec<_>>());
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

    /// Each with the variables that npm 10 and 11 set for what was typed.
    #[test]
    fn option_that_npm_keeps_for_itself_is_refused_with_the_line_to_write() {
        let read = |script: &str, words: &str, kept: &[(&str, &str)]| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let variables = kept.iter().copied().chain([("npm_lifecycle_event", script)]);
            let variables: Vec<(&str, &str)> = variables.chain([("npm_config_user_agent", "npm/11.19.1")]).collect();
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            Arguments::read(&words, variable)
        };
        let (seeds, worker) = ("npm run simulate -- --seeds <SEEDS>", "npm run test:worker -- --accept");
        for (script, words, name, value, line) in [
            ("simulate", "simulate", "weakened", "true", "npm run simulate -- --weakened"),
            ("simulate", "simulate 5", "seeds", "true", seeds),
            ("simulate", "simulate", "seeds", "5", seeds),
            ("simulate", "simulate", "from", "5", "npm run simulate -- --from <SEED>"),
            ("revoke", "revoke --env local --everything", "dry_run", "true", "npm run revoke -- --dry-run"),
            ("test:worker", "test --worker", "accept", "true", worker),
            ("start", "start", "simulator_port", "9000", "npm start -- --simulator-port <SIMULATOR_PORT>"),
        ] {
            let kept = (format!("npm_config_{name}"), value);
            let (text, code) = read(script, words, &[(&kept.0, value)]).err().expect(words);
            assert!(code == 2 && text.contains(&format!("as in `{line}`")), "{words}: {text}");
            let past_npm = format!("`cargo xtask {}`", words.split(' ').next().expect("a subcommand"));
            assert!(text.contains(&past_npm), "{text}");
        }
        // `--no-weakened`, a setting of npm, an option that is on the command line as well, and a build that wrangler calls.
        assert!(read("simulate", "simulate", &[("npm_config_weakened", "")]).is_ok());
        assert!(read("simulate", "simulate", &[("npm_config_force", "true")]).is_ok());
        assert!(read("simulate", "simulate --seeds=5", &[("npm_config_seeds", "9")]).is_ok());
        assert!(read("start", "build", &[("npm_config_dev", "true"), (XTASK, "xtask")]).is_ok());
    }

    #[test]
    fn every_subcommand_has_an_npm_command() {
        let named: Vec<String> = npm_commands().into_iter().map(|(_, words)| words[0].clone()).collect();
        for command in Arguments::command().get_subcommands() {
            assert!(named.iter().any(|name| name == command.get_name()), "{}", command.get_name());
        }
    }
}
