//! The consent page, and the pages that lead from it.

use super::WithLink;
use crate::oauth::grant::GrantLifetime;

pub fn title(client: &str) -> String {
    format!("Connect {client} to StatiBeat?")
}

/// "Only these pages", and none ticked.
pub const NO_PAGE: &str = "Nothing is connected yet: choose at least one page, or all pages.";
pub const APP: &str = "App";
pub const DESTINATION: &str = "Access goes to";
pub const ACCOUNT: &str = "Your account";
/// To answer as somebody else.
pub const SWITCH: &str = "Use another account";
/// An app that registered itself.
pub const SELF_NAMED: &str = "The app chose its name itself. Nobody has checked it.";
/// An app that nothing is known of.
pub const UNKNOWN: &str = "Nothing is known about this app. Nobody has checked it.";
pub const LOCAL: &str = "It runs on this computer. Go on only if you have just started connecting it yourself: any program here could use the same name.";
pub const READS: &str = "It may read";
pub const READ_BRIDGE: &str =
    "Read all this through tools as well, for apps that only know tools; it allows nothing more.";
pub const WRITES: &str = "It may post publicly, in your name";
pub const WRITES_HINT: &str = "Customers see at once what it posts. Leave these unticked if it should only read.";
/// A scope that the person's role allows nowhere.
pub const NO_EFFECT: &str = "Without effect for now: your role allows it on none of your pages.";
pub const PAGES: &str = "On which pages";
pub const ALL_PAGES: &str = "All pages I can see, now and later";
pub const THESE_PAGES: &str = "Only these pages";
pub const PAGE_LIST: &str = "Pages";
pub const LIFETIME: &str = "For how long";
/// What no connection can do.
pub const NEVER: &str =
    "It can never do more than your own role on a page allows, and never deletes, resolves or changes settings.";
pub const END: WithLink =
    ["You can end this connection at any time on the ", "Hosted MCP page", ", or in the app itself."];
pub const ALLOW: &str = "Allow";
pub const DENY: &str = "Don't allow";

/// A scope that the person's role does not allow on these pages.
pub fn not_on(pages: &str) -> String {
    format!("Not on {pages}: your role there does not allow it.")
}

/// Which pages "all" are at the moment.
pub fn all_now(pages: &str) -> String {
    format!("Now: {pages}")
}

pub fn lifetime(lifetime: GrantLifetime) -> String {
    match lifetime {
        GrantLifetime::UntilRevoked => "Until I end it".into(),
        GrantLifetime::Days(1) => "1 day".into(),
        GrantLifetime::Days(days) => format!("{days} days"),
    }
}

/// Title, what happened, and what to do, after the answer.
pub fn left(client: &str, is_approved: bool) -> (&'static str, String, &'static str) {
    if is_approved {
        (
            "Connected",
            format!("{client} is connected. You are being sent back to it."),
            "When the app says that it is connected, you can close this tab.",
        )
    } else {
        (
            "Not connected",
            format!("{client} was not connected. You are being sent back to it."),
            "Nothing was shared. You can close this tab.",
        )
    }
}

/// The way to the client.
pub fn go_on_to(client: &str) -> String {
    format!("Continue to {client}")
}

/// Another account is to be chosen.
pub const CHOOSE_ACCOUNT: &str = "Choose an account";
pub const TO_SIGN_IN: &str = "You are being sent to StatiBeat's sign-in.";
pub const GO_ON_TO_SIGN_IN: &str = "Continue to sign-in";
