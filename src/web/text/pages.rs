//! The Hosted MCP page's frame, and the small pages around it.

pub const SIGN_OUT: &str = "Sign out";

pub fn account(name: &str, email: &str) -> String {
    format!("{name} · {email}")
}

/// The zone that times are told in.
pub fn times_in(zone: &str) -> String {
    format!("Times in {zone}")
}

pub const TIME_ZONE: &str = "Time zone";
pub const USE_ZONE: &str = "Use this zone";
/// For somebody who is not signed in.
pub const WELCOME: &str = "Connect Claude, Cursor, ChatGPT and other AI apps to your StatiBeat pages, see what they do, and end a connection at any time.";
pub const SIGN_IN: &str = "Sign in with StatiBeat";
pub const SIGNED_OUT: &str = "You are signed out";
pub const SIGNED_OUT_TITLE: &str = "Signed out";
pub const SIGNED_OUT_MEANS: &str = "Your connections go on working. Your StatiBeat session itself is not ended here.";
pub const SIGN_IN_AGAIN: &str = "Sign in again";
/// To come back as somebody else.
pub const ANOTHER_ACCOUNT: &str = "Use another account";
pub const UNAVAILABLE: &str = "Hosted MCP is not available here";
pub const UNAVAILABLE_TITLE: &str = "Hosted MCP is not available";
pub const UNAVAILABLE_MEANS: &str =
    "The connector is not switched on in this environment, so there is nothing to connect or to look after.";
pub const UNAVAILABLE_ADVICE: &str =
    "If you expected it, ask the people who run this environment to enable Hosted MCP.";
