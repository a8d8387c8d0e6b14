//! The Hosted MCP page's frame, and the small pages around it.

/// To leave.
pub const SIGN_OUT: &str = "Sign out";

/// Who is signed in.
pub fn account(name: &str, email: &str) -> String {
    format!("{name} · {email}")
}

/// The zone that times are told in.
pub fn times_in(zone: &str) -> String {
    format!("Times in {zone}")
}

/// To choose another.
pub const TIME_ZONE: &str = "Time zone";
/// Chooses it.
pub const USE_ZONE: &str = "Use this zone";
/// For somebody who is not signed in.
pub const WELCOME: &str = "Connect Claude, Cursor, ChatGPT and other AI apps to your StatiBeat pages, see what they do, and end a connection at any time.";
/// To sign in.
pub const SIGN_IN: &str = "Sign in with StatiBeat";
/// After signing out.
pub const SIGNED_OUT: &str = "You are signed out";
/// In the window's title.
pub const SIGNED_OUT_TITLE: &str = "Signed out";
/// What that means.
pub const SIGNED_OUT_MEANS: &str = "Your connections go on working. Your StatiBeat session itself is not ended here.";
/// To come back.
pub const SIGN_IN_AGAIN: &str = "Sign in again";
/// To come back as somebody else.
pub const ANOTHER_ACCOUNT: &str = "Use another account";
/// The connector is off.
pub const UNAVAILABLE: &str = "Hosted MCP is not available here";
/// In the window's title.
pub const UNAVAILABLE_TITLE: &str = "Hosted MCP is not available";
/// What that means.
pub const UNAVAILABLE_MEANS: &str =
    "The connector is not switched on in this environment, so there is nothing to connect or to look after.";
/// Whose turn it is.
pub const UNAVAILABLE_ADVICE: &str =
    "If you expected it, ask the people who run this environment to enable Hosted MCP.";
