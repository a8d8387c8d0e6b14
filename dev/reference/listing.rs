//! Files for registries and plugin stores, of one environment: `server.json` of the
//! [MCP registry](https://github.com/modelcontextprotocol/registry), and the folder `plugins/`, which is published as a repository of its
//! own: one plugin for Claude Code, Codex, Cursor and every host of [Agent Plugins](https://agent-plugins.org).

use serde_json::{Value, json};
use statibeat_mcp::catalog::llms;
use statibeat_mcp::hosted::skills;

/// Name of the plugin, and of the server in the settings of its hosts.
const NAME: &str = "statibeat";
const TITLE: &str = "StatiBeat";
const VERSION: &str = env!("CARGO_PKG_VERSION");
const LICENSE: &str = "Apache-2.0";
const PLUGIN: &str = "plugins/statibeat";

/// The addresses of an environment that end up in public files.
pub struct ListedAddresses {
    pub public_url: String,
    pub website: Option<String>,
    pub privacy: Option<String>,
    pub terms: Option<String>,
}

impl ListedAddresses {
    /// From the variables of an environment; `None` without a public address.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let variable = |name| variable(name).filter(|value| !value.is_empty());
        Some(Self {
            public_url: variable("HOSTED_MCP_PUBLIC_URL")?.trim_end_matches('/').to_owned(),
            website: variable("HOSTED_MCP_WEBSITE_URL"),
            privacy: variable("HOSTED_MCP_PRIVACY_URL"),
            terms: variable("HOSTED_MCP_TERMS_URL"),
        })
    }

    fn resource_url(&self) -> String {
        format!("{}/mcp", self.public_url)
    }
}

/// Path and text of every file.
pub fn files(listed: &ListedAddresses) -> Vec<(String, String)> {
    let mut files = vec![("server.json".to_owned(), print(&server(listed)))];
    let own = |name: &str| format!("{PLUGIN}/{name}");
    let manifests = [
        ("plugins/.claude-plugin/marketplace.json".to_owned(), marketplace(&json!("./statibeat"))),
        ("plugins/.cursor-plugin/marketplace.json".to_owned(), marketplace(&json!("statibeat"))),
        ("plugins/.agents/plugins/marketplace.json".to_owned(), codex_marketplace()),
        (own("plugin.json"), portable_manifest(listed)),
        (own("mcp.json"), portable_servers(listed)),
        (own(".mcp.json"), json!({ "mcpServers": { NAME: { "type": "http", "url": listed.resource_url() } } })),
        (own(".claude-plugin/plugin.json"), manifest(listed)),
        (own(".cursor-plugin/plugin.json"), cursor_manifest(listed)),
        (own(".codex-plugin/plugin.json"), codex_manifest(listed)),
    ];
    files.extend(manifests.into_iter().map(|(path, value)| (path, print(&value))));
    files.extend(
        skills::all().iter().map(|(_, skill)| (own(&format!("skills/{}/SKILL.md", skill.name)), skill.file.clone())),
    );
    files
}

fn print(value: &Value) -> String {
    format!("{value:#}\n")
}

/// One remote at a fixed address: a client must be able to connect without asking for a host.
fn server(listed: &ListedAddresses) -> Value {
    let icon = |name: &str, theme: &str| {
        let src = format!("{}/{name}", listed.public_url);
        json!({ "src": src, "mimeType": "image/png", "sizes": ["128x128"], "theme": theme })
    };
    let server = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.statibeat/hosted-mcp",
        "title": TITLE,
        "description": llms::SUMMARY,
        "version": VERSION,
        "icons": [icon("icon-light.png", "light"), icon("icon-dark.png", "dark")],
        "remotes": [{ "type": "streamable-http", "url": listed.resource_url() }],
    });
    with(server, "websiteUrl", listed.website.as_deref())
}

fn with(mut object: Value, name: &str, value: Option<&str>) -> Value {
    if let Some(value) = value {
        object[name] = json!(value);
    }
    object
}

/// Members that every format has.
fn manifest(listed: &ListedAddresses) -> Value {
    let manifest = json!({
        "name": NAME,
        "version": VERSION,
        "description": llms::SUMMARY,
        "author": { "name": TITLE },
        "license": LICENSE,
        "keywords": ["status page", "incidents", "maintenance", "monitoring"],
    });
    with(manifest, "homepage", listed.website.as_deref())
}

/// Agent Plugins 1.0, whose schema allows no other members; skills and servers stand where it expects them.
fn portable_manifest(listed: &ListedAddresses) -> Value {
    let mut manifest = manifest(listed);
    manifest["$schema"] = json!("https://agent-plugins.org/schemas/1.0.0/plugin.schema.json");
    manifest
}

fn portable_servers(listed: &ListedAddresses) -> Value {
    json!({
        "$schema": "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json",
        "mcpServers": { NAME: { "type": "streamable-http", "url": listed.resource_url() } },
    })
}

/// Cursor keeps only the files that a manifest names.
fn cursor_manifest(listed: &ListedAddresses) -> Value {
    let mut manifest = manifest(listed);
    manifest["displayName"] = json!(TITLE);
    manifest["skills"] = json!("./skills/");
    manifest["mcpServers"] = json!("./mcp.json");
    manifest
}

fn codex_manifest(listed: &ListedAddresses) -> Value {
    let mut manifest = manifest(listed);
    manifest["skills"] = json!("./skills/");
    manifest["mcpServers"] = json!("./.mcp.json");
    let interface = json!({
        "displayName": TITLE,
        "shortDescription": llms::SUMMARY,
        "developerName": TITLE,
        "category": "Productivity",
        "defaultPrompt": ["Which of my status pages have open incidents?"],
    });
    let interface = with(interface, "websiteURL", listed.website.as_deref());
    let interface = with(interface, "privacyPolicyURL", listed.privacy.as_deref());
    manifest["interface"] = with(interface, "termsOfServiceURL", listed.terms.as_deref());
    manifest
}

/// The catalog of the published repository, for Claude Code and Cursor.
fn marketplace(source: &Value) -> Value {
    json!({
        "name": NAME,
        "owner": { "name": TITLE },
        // Claude Code reads a description here as well as at the top, where the schema of Cursor allows none.
        "metadata": { "description": llms::SUMMARY },
        "plugins": [{ "name": NAME, "source": source, "description": llms::SUMMARY }],
    })
}

fn codex_marketplace() -> Value {
    json!({
        "name": NAME,
        "interface": { "displayName": TITLE },
        "plugins": [{
            "name": NAME,
            "source": { "source": "local", "path": "./statibeat" },
            "policy": { "installation": "AVAILABLE", "authentication": "ON_INSTALL" },
            "category": "Productivity",
        }],
    })
}
