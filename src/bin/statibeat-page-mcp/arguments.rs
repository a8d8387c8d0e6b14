//! The command line: everything else is read from the environment. The man page and the completions are made of this too.

use clap::{Arg, ArgAction, Command};

/// The flag that looks whether the settings work.
pub const CHECK: &str = "check";

/// The command line; `settings` are the names of the environment, with what each is for.
pub fn command(version: &'static str, settings: &[(&str, &str)]) -> Command {
    let width = settings.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<String> = settings.iter().map(|(name, words)| format!("  {name:width$}  {words}")).collect();
    Command::new("statibeat-page-mcp")
        .version(version)
        .about("MCP server for one StatiBeat status page, over standard input and output")
        .arg(
            Arg::new(CHECK)
                .long("check")
                .action(ArgAction::SetTrue)
                .help("Connect, say which page this is, what the token may do and which tools are on, and end"),
        )
        .after_help(format!("Environment:\n{}", lines.join("\n")))
}
