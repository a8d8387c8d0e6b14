//! The names of the settings, with what each is for: for the reader of settings, the help, the man page and the document.

/// Every name, with what it is for; the order of the help.
pub const NAMES: [(&str, &str); 12] = [
    (API_TOKEN, "API token of the page; required"),
    (BASE_URL, "https origin of the page, or of the application host if both ids below are set; required"),
    (ORGANIZATION_ID, "id of the organization; requires STATIBEAT_PAGE_ID"),
    (PAGE_ID, "id of the page on the application host; requires STATIBEAT_ORGANIZATION_ID"),
    (READ_ONLY, "true: offers resources and prompts, but no tools"),
    (ALLOWED_TOOLS, "names of the tools to offer, separated by commas or white space; default: all"),
    (CONFIRM, "writes that need a confirmation: always, when-supported (default) or never"),
    (
        TEXT_RULES,
        "rules for public text, as in blame=off email=warn phone-number=confirm; default: secret refuses, hidden-character, internal-host, ip-address and email need a confirmed preview, others warn",
    ),
    (CONNECT_TIMEOUT, "timeout for connecting to StatiBeat, 1 to 60 seconds; default: 5"),
    (TIMEOUT, "timeout for a complete response of StatiBeat, 1 to 300 seconds; default: 30"),
    (LOG_LEVEL, "error, warn (default), info or debug; the log is written to standard error"),
    (SLACK_ACTOR, "team:user, the Slack user for whom a trusted server acts; default: none"),
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
pub const TEXT_RULES: &str = "STATIBEAT_MCP_TEXT_RULES";
pub const CONNECT_TIMEOUT: &str = "STATIBEAT_MCP_CONNECT_TIMEOUT";
pub const TIMEOUT: &str = "STATIBEAT_MCP_TIMEOUT";
/// The lowest level that is logged.
pub const LOG_LEVEL: &str = "STATIBEAT_MCP_LOG_LEVEL";
/// For whom a trusted server acts.
pub const SLACK_ACTOR: &str = "STATIBEAT_MCP_SLACK_ACTOR";
