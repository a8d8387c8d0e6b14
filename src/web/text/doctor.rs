//! The connection doctor, and connections that are no more.

use crate::mcp::version::ProtocolVersion;
use crate::web::admin::{ScopeCheck, Verdict};

pub const NAME: &str = "Connection doctor";

/// Of which connection, for those who hear it.
pub fn of(client: &str) -> String {
    format!("of {client}:")
}

/// How a connection is doing.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Well => "Working",
        Verdict::Unused => "Not used yet",
        Verdict::Paused => "Writes paused",
        Verdict::Trouble => "Needs a look",
    }
}

pub const LAST_CALL: &str = "Last call";
pub const NO_CALL: &str = "The app has not called yet. Finish connecting it, then ask it for your pages.";
/// What the program says of itself.
pub const CALLS_ITSELF: &str = "Calls itself";
pub const SAYS_ITSELF: &str = "As the app says itself; nobody has checked it.";
pub const SAYS_NOTHING: &str = "It has not said.";
pub const SPEAKS: &str = "Speaks";
pub const SPEAKS_NOTHING: &str = "Nothing yet that StatiBeat understands.";

/// A revision of the protocol, and what that means.
pub fn revision(revision: ProtocolVersion) -> (String, &'static str) {
    let means = if revision.has_handshake() { "(earlier: with a handshake)" } else { "(current: no handshake)" };
    (format!("MCP {}", revision.as_str()), means)
}

pub const REFRESHED: &str = "Sign-in refreshed";
pub const NOT_REFRESHED: &str = "Not yet; the first one comes within an hour of use.";

/// How often, in front of when.
pub fn refreshed(times: i64) -> String {
    if times == 1 { "Once:".to_owned() } else { format!("{times} times, last:") }
}

pub fn refreshes_refused(times: i64) -> String {
    format!("Refused: {times}")
}

pub const REFRESH_REPEATED: &str = "Refresh token sent twice";
pub const REFRESH_REFUSED: &str = "Refresh refused";
pub const LAST_ERROR: &str = "Last error";
pub const NO_ERROR: &str = "None.";
pub const OVER: &str = "It has worked again since.";
/// Pages that admins blocked it from.
pub const BLOCKED: &str = "Blocked on";

/// Which pages, and whose turn it is.
pub fn blocked(pages: &str) -> String {
    format!(
        "{pages}. An admin of the page decided so; ask them if you need it. Connecting again or another app on your computer does not change it."
    )
}

pub fn permissions(client: &str) -> String {
    format!("Permissions of {client}")
}

pub const COLUMNS: [&str; 4] = ["Permission", "Asked for", "Granted", "Your role allows it"];
/// Whether a scope was asked for.
pub const NOT_KNOWN: &str = "Not known";

/// Where a scope is worth something.
pub fn usable(check: &ScopeCheck) -> String {
    match (check.usable_on, check.reached) {
        (_, 0) => "It reaches no page now".to_owned(),
        (usable, reached) if usable == reached => "On every page it reaches".to_owned(),
        (0, _) => "On no page it reaches".to_owned(),
        (usable, reached) => format!("On {usable} of {reached} pages"),
    }
}

/// Connections that are no more.
pub fn ended(count: usize) -> String {
    format!("Ended in the last 30 days ({count})")
}

pub fn ended_at(ago: &str) -> String {
    format!("Ended {ago}")
}
