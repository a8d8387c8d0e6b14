//! Pinned facts about public clients: which `client_id` they send and where on a loopback address they listen.
//!
//! These clients name themselves by the URL of a metadata document (draft-ietf-oauth-client-id-metadata-document). The
//! document is never fetched: vendors answer data centers with a challenge, and a server that fetches what a request
//! names can be sent anywhere. The table below was compared with the documents by hand; the last comparison is in each
//! entry's comment. An id is compared byte by byte, never by its host: one host publishes several clients.
//!
//! An entry says nothing about https redirect URIs. Those work only when the operator lists them.

use super::client::ClientId;
use super::redirect::{RedirectKind, RedirectUri};

/// A public client.
pub struct KnownClient {
    id: &'static str,
    /// For people.
    pub name: &'static str,
    loopback: Loopback,
}

/// Where on this computer a client listens. The port is always free (RFC 8252 7.3).
enum Loopback {
    /// Nowhere: it runs on its vendor's servers.
    Never,
    /// At one of these, written without a port.
    At(&'static [&'static str]),
    /// On one of these hosts, on any path: what it sends is not what its document says.
    AnyPath(&'static [&'static str]),
}

const LOCALHOST: &str = "localhost";
const IPV4: &str = "127.0.0.1";

const TABLE: [KnownClient; 13] = [
    // Vendor's document as pasted by three projects, 2026-09-21, 09-24 and 09-29.
    known("https://claude.ai/oauth/mcp-oauth-client-metadata", "Claude", Loopback::Never),
    // Vendor's document, 2026-07-29, 09-08 and 09-21; one version sent 127.0.0.1 (anthropics/claude-code #37747).
    known(
        "https://claude.ai/oauth/claude-code-client-metadata",
        "Claude Code",
        Loopback::At(&["http://localhost/callback", "http://127.0.0.1/callback"]),
    ),
    // Vendor's document, 2026-09-08, 09-21 and 09-24.
    known("https://chatgpt.com/oauth/client.json", "ChatGPT", Loopback::Never),
    // Vendor's document, 2026-09-24, says /callback; the program appends an id to it (codex-rs, perform_oauth_login.rs,
    // read 2026-07-29).
    known("https://chatgpt.com/oauth/codex/client.json", "Codex", Loopback::AnyPath(&[IPV4, LOCALHOST])),
    // Vendor's document, 2026-09-21; src/vs/base/common/oauth.ts. Another port is used when 33418 is taken.
    known("https://vscode.dev/oauth/client-metadata.json", "Visual Studio Code", Loopback::At(&["http://127.0.0.1/"])),
    // As above.
    known(
        "https://insiders.vscode.dev/oauth/client-metadata.json",
        "Visual Studio Code Insiders",
        Loopback::At(&["http://127.0.0.1/"]),
    ),
    // The id from a vendor's catalog test and a public allow-list, 2026-09; its redirect URI was not seen.
    known(
        "https://github.com/copilot/cli/client-metadata.json",
        "GitHub Copilot CLI",
        Loopback::AnyPath(&[IPV4, LOCALHOST]),
    ),
    // Vendor's document, 2026-09-21; crates/context_server/src/oauth.rs.
    known("https://zed.dev/oauth/client-metadata.json", "Zed", Loopback::At(&["http://127.0.0.1/callback"])),
    // Vendor's document, 2026-07-29 and 09-21; crates/goose/src/oauth/mod.rs.
    known(
        "https://goose-docs.ai/oauth/client-metadata.json",
        "Goose",
        Loopback::At(&["http://127.0.0.1/oauth_callback", "http://[::1]/oauth_callback"]),
    ),
    // The client's repository, 2026-09.
    known(
        "https://www.mcpjam.com/.well-known/oauth/client-metadata.json",
        "MCPJam",
        Loopback::At(&["http://localhost/oauth/callback"]),
    ),
    // Vendor's document, 2026-09-24, says /callback; the program listens at 127.0.0.1:19876/mcp/oauth/callback
    // (elmohq/elmo #684, 2026-09-01).
    known("https://opencode.ai/oauth/opencode/client.json", "OpenCode", Loopback::AnyPath(&[IPV4, LOCALHOST])),
    // Vendor's catalog, 2026-09; hosted, its redirect URI was not seen.
    known("https://www.notion.so/oauth/mcp-client-metadata.json", "Notion", Loopback::Never),
    // As above.
    known("https://app.notion.com/oauth/mcp-client-metadata.json", "Notion", Loopback::Never),
];

const fn known(id: &'static str, name: &'static str, loopback: Loopback) -> KnownClient {
    KnownClient { id, name, loopback }
}

/// The client of exactly that id.
pub fn find(id: &ClientId) -> Option<&'static KnownClient> {
    TABLE.iter().find(|client| client.id == id.as_str())
}

impl KnownClient {
    /// Whether the client listens there, on whatever port.
    pub fn listens_at(&self, redirect_uri: &RedirectUri) -> bool {
        if redirect_uri.kind() != RedirectKind::Loopback {
            return false;
        }
        match self.loopback {
            Loopback::Never => false,
            Loopback::At(places) => places.contains(&redirect_uri.without_port().as_str()),
            Loopback::AnyPath(hosts) => hosts.contains(&redirect_uri.host().as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ClientId {
        ClientId::parse(text).expect("fits")
    }

    fn listens(client_id: &str, uri: &str) -> bool {
        let client = find(&id(client_id)).expect("pinned");
        client.listens_at(&RedirectUri::parse(uri).expect("fits"))
    }

    #[test]
    fn every_entry_is_a_plain_url_with_plain_places() {
        for client in &TABLE {
            assert_eq!(url::Url::parse(client.id).expect("a URL").as_str(), client.id);
            if let Loopback::At(places) = client.loopback {
                for place in places {
                    let uri = RedirectUri::parse(place).expect("a redirect URI");
                    assert_eq!((uri.kind(), uri.without_port().as_str()), (RedirectKind::Loopback, *place));
                }
            }
        }
    }

    /// G12
    #[test]
    fn an_id_is_compared_byte_by_byte_and_never_by_host() {
        for unknown in [
            "https://claude.ai/oauth/other",
            "https://claude.ai/oauth/claude-code-client-metadata/",
            "https://claude.ai/oauth/claude-code-client-metadata?x=1",
            "https://chatgpt.com/oauth/abc/client.json",
        ] {
            assert!(find(&id(unknown)).is_none(), "{unknown}");
        }
    }

    /// G11
    #[test]
    fn another_spelling_of_a_pinned_url_is_unknown() {
        for unknown in [
            "http://claude.ai/oauth/claude-code-client-metadata",
            "https://claude.ai",
            "https://user@claude.ai/oauth/claude-code-client-metadata",
            "https://claude.ai/oauth/claude-code-client-metadata#x",
            "https://claude.ai/oauth/./claude-code-client-metadata",
            "https://claude.ai/oauth/%2e/claude-code-client-metadata",
            "https://claude.ai:443/oauth/claude-code-client-metadata",
            "https://CLAUDE.ai/oauth/claude-code-client-metadata",
        ] {
            assert!(find(&id(unknown)).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_pinned_client_is_bound_to_its_hosts_and_paths_but_to_no_port() {
        const CODE: &str = "https://claude.ai/oauth/claude-code-client-metadata";
        assert!(listens(CODE, "http://localhost:3118/callback") && listens(CODE, "http://127.0.0.1:50000/callback"));
        assert!(!listens(CODE, "http://localhost:3118/other") && !listens(CODE, "http://[::1]:3118/callback"));
        assert!(!listens(CODE, "http://localhost:3118/callback?x=1"));
        assert!(listens("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:33418/"));
        assert!(listens("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:33418"));
    }

    #[test]
    fn codex_may_listen_on_any_path_of_its_two_hosts() {
        const CODEX: &str = "https://chatgpt.com/oauth/codex/client.json";
        assert!(listens(CODEX, "http://127.0.0.1:5000/callback/AbC_123-xyz"));
        assert!(listens(CODEX, "http://localhost:5000/callback"));
        assert!(!listens(CODEX, "http://[::1]:5000/callback") && !listens(CODEX, "http://127.0.0.2:5000/callback"));
    }

    #[test]
    fn a_client_on_its_vendors_servers_never_answers_on_loopback() {
        assert!(!listens("https://claude.ai/oauth/mcp-oauth-client-metadata", "http://localhost:1/callback"));
    }
}
