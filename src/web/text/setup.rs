//! How to connect a client, and the connector's addresses.

pub const CONNECT: &str = "Connect an app";
/// The same for somebody who has one.
pub const CONNECT_ANOTHER: &str = "Connect another app";
pub const CONNECT_HINT: &str =
    "Add this address to your app. It sends you here to sign in and to choose what it may do.";
pub const RESOURCE_URL: &str = "Resource URL";
pub const COPY_HINT: &str = "Tab into the field or triple-click it, then copy.";

/// A client, what to do in it, and what to paste if it is not the address itself.
pub struct Steps {
    pub client: &'static str,
    pub how: &'static str,
    pub line: Option<String>,
}

/// What stands in front of a line to paste.
pub fn line_for(client: &str) -> String {
    format!("To copy for {client}")
}

/// The clients that people use most.
pub fn clients(url: &str) -> [Steps; 6] {
    let steps = |client, how, line| Steps { client, how, line };
    [
        steps(
            "Claude",
            "In Claude, open Settings, Connectors, Add custom connector, and paste the Resource URL.",
            None,
        ),
        steps(
            "Claude Code",
            "Run this in a terminal, then /mcp inside Claude Code to sign in.",
            Some(format!("claude mcp add --transport http statibeat {url}")),
        ),
        steps(
            "Cursor",
            "Put this into ~/.cursor/mcp.json, then press Connect in Cursor's settings.",
            Some(format!(r#"{{ "mcpServers": {{ "statibeat": {{ "url": "{url}" }} }} }}"#)),
        ),
        steps(
            "VS Code",
            "Run this in a terminal, then start the server from the MCP list.",
            Some(format!(r#"code --add-mcp '{{"name":"statibeat","type":"http","url":"{url}"}}'"#)),
        ),
        steps(
            "ChatGPT",
            "In ChatGPT, open Settings, Apps and Connectors, create a connector and paste the Resource URL; authentication is OAuth.",
            None,
        ),
        steps(
            "MCP Inspector",
            "Run this in a terminal to try every resource and tool by hand.",
            Some(format!("npx @modelcontextprotocol/inspector --transport http --server-url {url}")),
        ),
    ]
}

/// The section for those who set a client up by hand.
pub const DETAILS: &str = "Technical details";
pub const ISSUER: &str = "Authorization server";
pub const AUTHORIZE: &str = "Authorization endpoint";
pub const TOKEN: &str = "Token endpoint";
pub const REVOKE: &str = "Revocation endpoint";
pub const REGISTER: &str = "Registration endpoint";
/// How a client signs in.
pub const METHOD: &str = "Method";
/// How a client signs in.
pub const METHOD_USED: &str = "OAuth authorization code with PKCE S256, no client secret";
pub const SCOPES: &str = "Supported scopes";
pub const APPROVED: &str = "Approved web apps";
pub const LOCAL_APPS: &str =
    "Apps on your own computer need no approval here; the consent page says what is known of each.";

/// Where an approved client takes its answer.
pub fn answers_at(host: &str) -> String {
    format!("answers at {host}")
}

/// Clients that could not connect, for operators.
pub mod refused {
    use crate::oauth::client::diagnosis::{Advice, Never};

    /// What an operator can do about one.
    pub const fn advice(advice: &Advice) -> &'static str {
        match advice {
            Advice::Add(_) => {
                "The address is not approved for this app. It is on the host of the app's maker: if you trust it, add the line to the list of approved web apps."
            }
            Advice::Check => {
                "The address is not approved for this app, and nothing here proves that it belongs to it. Ask the app's maker for its client_id and its exact redirect URI before you approve anything."
            }
            Advice::Never(why) => never(*why),
        }
    }

    /// Why nothing will make it work.
    const fn never(why: Never) -> &'static str {
        match why {
            Never::NotSecure => {
                "This can never be approved. Only https addresses, and http addresses of the user's own computer, can ever receive an answer. The app must use one of these."
            }
            Never::OtherLoopback => {
                "This can never be approved. The address is on the user's own computer, but not one that this app is known or registered with. Connecting the app anew mends a stale registration."
            }
            Never::Registered => {
                "This can never be approved. The app registered itself, which is only for apps on the user's own computer. A web app needs a fixed client_id from its maker."
            }
            Never::NotWritable => {
                "This can never be approved. Its client_id or address cannot be written into the list. The app must use plainer ones."
            }
        }
    }
}
