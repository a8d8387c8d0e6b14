//! The names of the settings, with what each is for: for the reader of settings, the help, the man page and the document.

/// Every name, with what it is for; the order of the help.
pub const NAMES: [(&str, &str); 12] = [
    (API_TOKEN, "API token of the page; required"),
    (BASE_URL, "https://<host of the page>; required"),
    (ORGANIZATION_ID, "with the next one: the page by number, on the application host"),
    (PAGE_ID, "with the one before: the page by number, on the application host"),
    (READ_ONLY, "true: no tools at all"),
    (ALLOWED_TOOLS, "names of the tools to offer, separated by commas or blanks; all when unset"),
    (CONFIRM, "always, when-supported (default) or never: when a write is confirmed first"),
    (LINT, "rules for public text, as in blame=off secret=refuse; hidden-character refuses unless named"),
    (CONNECT_TIMEOUT, "seconds to reach StatiBeat, 1 to 60; 5 when unset"),
    (TIMEOUT, "seconds for a whole answer of StatiBeat, 1 to 300; 30 when unset"),
    (LOG_LEVEL, "error, warn (default), info or debug; the log goes to standard error"),
    (SLACK_ACTOR, "team:user, for a trusted server that acts for a Slack user; off when unset"),
];

pub const API_TOKEN: &str = "STATIBEAT_API_TOKEN";
pub const BASE_URL: &str = "STATIBEAT_BASE_URL";
/// The page by number: its owner.
pub const ORGANIZATION_ID: &str = "STATIBEAT_ORGANIZATION_ID";
pub const PAGE_ID: &str = "STATIBEAT_PAGE_ID";
pub const READ_ONLY: &str = "STATIBEAT_MCP_READ_ONLY";
pub const ALLOWED_TOOLS: &str = "STATIBEAT_MCP_ALLOWED_TOOLS";
/// When a write is confirmed.
pub const CONFIRM: &str = "STATIBEAT_MCP_CONFIRM";
pub const LINT: &str = "STATIBEAT_MCP_LINT";
pub const CONNECT_TIMEOUT: &str = "STATIBEAT_MCP_CONNECT_TIMEOUT";
pub const TIMEOUT: &str = "STATIBEAT_MCP_TIMEOUT";
/// What is worth a line.
pub const LOG_LEVEL: &str = "STATIBEAT_MCP_LOG_LEVEL";
/// For whom a trusted server acts.
pub const SLACK_ACTOR: &str = "STATIBEAT_MCP_SLACK_ACTOR";
