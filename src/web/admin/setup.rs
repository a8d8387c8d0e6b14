//! Instructions for connecting a client, and the connector's addresses: as JSON, and as two sections of the page.

use super::super::context::RequestContext;
use super::super::routes::Route;
use crate::model::scope::Scope;
use maud::{Markup, html};
use serde::Serialize;
use url::Url;

#[derive(Serialize)]
pub(super) struct Setup {
    resource_url: Url,
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    revocation_endpoint: Url,
    registration_endpoint: Option<Url>,
    admin_page: Url,
    scopes: Vec<OfferedScope>,
    approved_clients: Vec<ApprovedClient>,
}

#[derive(Serialize)]
struct OfferedScope {
    name: &'static str,
    description: &'static str,
    posts_publicly: bool,
}

/// A web app that the operator approved.
#[derive(Serialize)]
struct ApprovedClient {
    client_id: String,
    redirect_host: String,
}

impl Setup {
    pub fn new(ctx: &RequestContext<'_>) -> Self {
        let (endpoints, config) = (ctx.endpoints(), &ctx.app.config);
        let approved = config.allowed_redirects.iter();
        let approved =
            approved.map(|(id, uri)| ApprovedClient { client_id: id.to_string(), redirect_host: uri.host() });
        Self {
            resource_url: endpoints.resource,
            issuer: endpoints.issuer.to_owned(),
            authorization_endpoint: endpoints.authorize,
            token_endpoint: endpoints.token,
            revocation_endpoint: endpoints.revoke,
            registration_endpoint: endpoints.register,
            admin_page: Route::AdminPage.url(&config.public_url),
            scopes: Scope::ALL
                .iter()
                .map(|scope| OfferedScope {
                    name: scope.as_str(),
                    description: scope.consent_sentence(),
                    posts_publicly: scope.is_write(),
                })
                .collect(),
            approved_clients: approved.collect(),
        }
    }

    /// The Resource URL, with instructions for each client.
    pub fn connect_section(&self, has_connections: bool) -> Markup {
        let url = self.resource_url.as_str();
        html! {
            section.card aria-labelledby="connect" {
                h2 #connect { (if has_connections { "Connect another app" } else { "Connect an app" }) }
                p { "Add this address to your app. The app then sends you here to sign in and choose what it may do." }
                (instructions(url))
            }
        }
    }

    /// The addresses that a client set up by hand needs, by name.
    fn addresses(&self) -> Vec<(&'static str, &str)> {
        let always = [
            ("Authorization server", &*self.issuer),
            ("Authorization endpoint", self.authorization_endpoint.as_str()),
            ("Token endpoint", self.token_endpoint.as_str()),
            ("Revocation endpoint", self.revocation_endpoint.as_str()),
        ];
        let register = self.registration_endpoint.as_ref().map(|url| ("Registration endpoint", url.as_str()));
        always.into_iter().chain(register).collect()
    }

    /// Addresses, scopes and approved clients, for setting a client up by hand.
    pub fn details_section(&self) -> Markup {
        html! {
            section.card aria-labelledby="details" {
                details.folded {
                    summary { h2 #details { "Technical details" } }
                dl.details {
                    @for (name, address) in self.addresses() {
                        dt { (name) } dd.copyable { code data-copy={ "the address of the " (name.to_lowercase()) } { (address) } }
                    }
                    dt { "Method" } dd { "OAuth authorization code with PKCE S256, no client secret" }
                }
                h3 { "Supported scopes" }
                dl.details { @for scope in &self.scopes { dt { code { (scope.name) } } dd { (scope.description) } } }
                h3 { "Approved web apps" }
                ul.plain {
                    @for client in &self.approved_clients {
                        li { code { (client.client_id) } " " span.soft { "redirects to " (client.redirect_host) } }
                    }
                }
                p.soft { "Apps on your own computer need no approval. The consent page says what is known about each of them." }
                }
            }
        }
    }
}

/// The Resource URL to copy, and how to add it to each client.
pub(in crate::web) fn instructions(url: &str) -> Markup {
    html! {
        label.field for="resource-url" { "Resource URL" }
        div.copyable { input.copy #resource-url type="text" readonly value=(url) spellcheck="false" aria-describedby="copy-hint" data-copy="the Resource URL"; }
        p.soft #copy-hint { "Select the whole address, then copy it." }
        @for (client, how, line) in steps(url) {
            details {
                summary { (client) }
                p { (how) }
                @if let Some(line) = line { div.copyable { pre tabindex="0" role="region" aria-label={ "To copy for " (client) } data-copy={ "the line for " (client) } { code { (line) } } } }
            }
        }
    }
}

/// Client, instruction, and the command or configuration to copy where it is not the URL itself.
fn steps(url: &str) -> [(&'static str, &'static str, Option<String>); 6] {
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
