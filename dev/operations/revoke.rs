//! The SQL that ends connections from outside, for an emergency.

mod statements;

use clap::Args;
use statements::Whose;

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Options {
    /// Every connection of everybody, every open sign-in, every session of the Hosted MCP page.
    #[arg(long)]
    everything: bool,
    /// Every connection of one client, by its client id.
    #[arg(long)]
    client: Option<String>,
    /// Every connection of one person, by their StatiBeat user id.
    #[arg(long)]
    user: Option<String>,
}

/// Prints the statements; xtask hands them to wrangler.
pub fn run(options: &Options) {
    let whose = match (&options.client, &options.user) {
        (Some(client), _) => Whose::Client(client),
        (_, Some(user)) => Whose::User(user),
        _ => Whose::Everybody,
    };
    println!("{}", statements::ending(&whose));
}
