//! Every variable and secret of the worker, with its default and meaning, and the form of what is wrong with one.

use std::borrow::Cow;
use std::fmt;

/// A variable or secret of the worker.
pub struct Variable {
    pub name: &'static str,
    /// True if it must never stand in a file that is committed.
    pub is_secret: bool,
    /// The value where the variable is absent; `None`: it is required.
    pub default: Option<&'static str>,
    pub meaning: &'static str,
}

const fn variable(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Variable {
    Variable { name, is_secret: false, default, meaning }
}

const fn secret(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, is_secret: true, default: None, meaning }
}

/// One thing that is wrong with the configuration. Never carries a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    pub variable: Cow<'static, str>,
    /// The fault, and a correct value.
    pub reason: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.reason)
    }
}

/// Every variable there is, in the order of the README.
pub const VARIABLES: [Variable; 29] = [
    variable(
        "HOSTED_MCP_ENABLED",
        Some("false"),
        "`true` serves the connector; otherwise each of its routes answers 404",
    ),
    variable(
        "HOSTED_MCP_ENVIRONMENT",
        None,
        "name of this environment; every key is bound to it, so secrets of one environment are invalid in another",
    ),
    variable(
        "HOSTED_MCP_PUBLIC_URL",
        None,
        "origin of this server as clients see it, and the issuer; https, or http on loopback",
    ),
    variable("HOSTED_MCP_UPSTREAM_URL", None, "origin of StatiBeat's REST API"),
    variable("HOSTED_MCP_SIGN_IN_URL", None, "StatiBeat's sign-in page for connectors"),
    variable("HOSTED_MCP_IDENTITY_KEYS", None, "StatiBeat's public Ed25519 keys for sign-in, `kid:base64url`"),
    variable(
        "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS",
        Some(""),
        "`client_id=redirect_uri` entries separated by commas, white space or new lines; the entry `known-clients` stands for the pairs that docs/clients.md lists; all other redirect URIs except loopback are refused",
    ),
    variable(
        "HOSTED_MCP_ALLOWED_ORIGINS",
        Some(""),
        "origins of further websites whose pages may call the MCP endpoint, separated by commas or white space; desktop apps, browser extensions, pages on loopback and the listed clients' own websites always may",
    ),
    variable("HOSTED_MCP_REGISTRATION", Some("on"), "`off` removes the registration endpoint"),
    variable(
        "HOSTED_MCP_UNVERIFIED_CLIENTS",
        Some("on"),
        "`off` refuses loopback clients whose id is neither listed, nor a preregistered public client, nor registered here, nor the URL of the client's own metadata document",
    ),
    variable(
        "HOSTED_MCP_READ_BRIDGE",
        Some("on"),
        "`on` lets people give clients without resource support two tools that read resources; `off` removes these tools",
    ),
    variable(
        "HOSTED_MCP_CONFIRM_WRITES",
        Some("when-supported"),
        "`always`, `when-supported` or `never`: when a write needs confirmation, by the person or by a preview's confirm token",
    ),
    variable(
        "HOSTED_MCP_TEXT_RULES",
        Some(""),
        "rules for public text as `rule=off`, `rule=warn`, `rule=confirm` (published only after a confirmed preview) or `rule=refuse`, separated by commas or white space; by default, `secret` refuses, `hidden-character`, `internal-host`, `ip-address` and `email` need a confirmed preview, and all others warn",
    ),
    variable(
        "HOSTED_MCP_LOG_LEVEL",
        Some("info"),
        "lowest level of log lines that are written: `info`, `warn` or `error`",
    ),
    variable(
        "HOSTED_MCP_LOG_SHARE",
        Some("0.1"),
        "share of the log lines of successful reads, those of metadata documents among them, that are written, from 0 to 1 with up to three decimals; the lines of writes, sign-ins, refusals and failures are always written, and metrics count every request",
    ),
    variable(
        "HOSTED_MCP_LOG_POINTS",
        Some("on"),
        "`off` keeps a local server, which has no Analytics Engine, from writing each data point as a second log line; a deployed server never does",
    ),
    variable(
        "HOSTED_MCP_WEBSITE_URL",
        Some(""),
        "https address about the product, for `serverInfo`, which then also has a description and icons, and for the page at `/`",
    ),
    variable(
        "HOSTED_MCP_DOCUMENTATION_URL",
        Some(""),
        "https address of the documentation, for the metadata, `/llms.txt` and the page at `/`",
    ),
    variable(
        "HOSTED_MCP_PRIVACY_URL",
        Some(""),
        "https address of the privacy policy, for the metadata and the page at `/`",
    ),
    variable(
        "HOSTED_MCP_TERMS_URL",
        Some(""),
        "https address of the terms of service, for the metadata and the page at `/`",
    ),
    variable(
        "HOSTED_MCP_STATUS_URL",
        Some(""),
        "https address of the status page of this service, for the page at `/`",
    ),
    variable(
        "HOSTED_MCP_SUPPORT_URL",
        Some(""),
        "https or mailto address of the people who help, for every page that tells somebody to ask",
    ),
    variable("HOSTED_MCP_SECURITY_CONTACT", Some(""), "https or mailto address for `/.well-known/security.txt`"),
    variable(
        "HOSTED_MCP_OPENAI_CHALLENGE",
        Some(""),
        "text of `/.well-known/openai-apps-challenge`, as OpenAI's portal shows it",
    ),
    secret(
        "HOSTED_MCP_CHECKSUM_KEYS",
        "key ring of the checksums of tokens and cookies, `kid:base64url(32 bytes)`, newest first",
    ),
    secret("HOSTED_MCP_ROTATION_KEYS", "key ring that derives refresh successors"),
    secret("HOSTED_MCP_CLIENT_KEYS", "key ring of registered client ids; keep old keys for a year"),
    secret("HOSTED_MCP_ASSERTION_KEYS", "key ring (Ed25519 seeds) of assertions to StatiBeat"),
    Variable {
        default: Some(""),
        ..secret(
            "HOSTED_MCP_HEALTH_TOKEN",
            "value of the `X-Health-Token` header for readiness at `/mcp/health` and for `/mcp/health/clients`; if empty, both are unavailable",
        )
    },
];
