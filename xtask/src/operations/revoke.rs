//! `npm run revoke`: ends connections from outside, in an emergency.

mod statements;

use crate::process::{run, step};
use crate::project::Project;
use crate::wrangler::Wrangler;
use anyhow::Result;
use clap::Args;
use statements::Whose;

#[derive(Args)]
pub struct Options {
    /// The environment, as in wrangler.toml; `local` for the database of `npm start`.
    #[arg(long)]
    env: String,
    #[command(flatten)]
    whose: Selection,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
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

pub fn revoke(project: &Project, options: &Options) -> Result<()> {
    let wrangler = Wrangler::new(project)?;
    let whose = match (&options.whose.client, &options.whose.user) {
        (Some(client), _) => Whose::Client(client),
        (_, Some(user)) => Whose::User(user),
        _ => Whose::Everybody,
    };
    step("end the connections", || run(&mut wrangler.execute(&options.env, &statements::ending(&whose))))
}
