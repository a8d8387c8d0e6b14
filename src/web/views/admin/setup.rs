//! How to connect a client, and the connector's addresses.

use super::Overview;
use crate::catalog::scope::Scope;
use maud::{Markup, html};

/// The Resource URL, and what to do with it in each client.
pub(super) fn connect(view: &Overview<'_>) -> Markup {
    let url = view.endpoints.resource.as_str();
    html! {
        section.card aria-labelledby="connect" {
            h2 #connect { "Connect an app" }
            p { "Add this address to your app. It sends you here to sign in and to choose what it may do." }
            label.field for="resource-url" { "Resource URL" }
            input.copy #resource-url type="text" readonly value=(url) spellcheck="false" aria-describedby="copy-hint";
            p.soft #copy-hint { "Tab into the field or triple-click it, then copy." }
            @for (client, steps, line) in lines(url) {
                details {
                    summary { (client) }
                    p { (steps) }
                    @if let Some(line) = line { pre tabindex="0" role="region" aria-label=(format!("To copy for {client}")) { code { (line) } } }
                }
            }
        }
    }
}

/// Client, what to do, and what to paste if it is not the address itself.
fn lines(url: &str) -> [(&'static str, &'static str, Option<String>); 6] {
    [
        ("Claude", "In Claude, open Settings, Connectors, Add custom connector, and paste the Resource URL.", None),
        (
            "Claude Code",
            "Run this in a terminal, then /mcp inside Claude Code to sign in.",
            Some(format!("claude mcp add --transport http statibeat {url}")),
        ),
        (
            "Cursor",
            "Put this into ~/.cursor/mcp.json, then press Connect in Cursor's settings.",
            Some(format!(r#"{{ "mcpServers": {{ "statibeat": {{ "url": "{url}" }} }} }}"#)),
        ),
        (
            "VS Code",
            "Run this in a terminal, then start the server from the MCP list.",
            Some(format!(r#"code --add-mcp '{{"name":"statibeat","type":"http","url":"{url}"}}'"#)),
        ),
        (
            "ChatGPT",
            "In ChatGPT, open Settings, Apps and Connectors, create a connector and paste the Resource URL; authentication is OAuth.",
            None,
        ),
        (
            "MCP Inspector",
            "Run this in a terminal to try every resource and tool by hand.",
            Some(format!("npx @modelcontextprotocol/inspector --transport http --server-url {url}")),
        ),
    ]
}

/// Addresses, scopes and approved clients, for those who set a client up by hand.
pub(super) fn details(view: &Overview<'_>) -> Markup {
    let endpoints = view.endpoints;
    html! {
        section.card aria-labelledby="details" {
            h2 #details { "Technical details" }
            dl.facts {
                dt { "Authorization server" } dd { code { (endpoints.issuer) } }
                dt { "Authorization endpoint" } dd { code { (endpoints.authorize) } }
                dt { "Token endpoint" } dd { code { (endpoints.token) } }
                dt { "Revocation endpoint" } dd { code { (endpoints.revoke) } }
                @if let Some(register) = &endpoints.register { dt { "Registration endpoint" } dd { code { (register) } } }
                dt { "Method" } dd { "OAuth authorization code with PKCE S256, no client secret" }
            }
            h3 { "Supported scopes" }
            dl.facts { @for scope in Scope::ALL { dt { code { (scope.as_str()) } } dd { (scope.consent_sentence()) } } }
            h3 { "Approved web apps" }
            ul.plain {
                @for (client_id, redirect_uri) in view.approved.iter() {
                    li { code { (client_id) } span.soft { " answers at " (redirect_uri.host()) } }
                }
            }
            p.soft { "Apps on your own computer need no approval here; the consent page says what is known of each." }
        }
    }
}
