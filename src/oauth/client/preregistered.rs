//! Preregistered public clients: which `client_id` they send and where on a loopback address they listen.
//!
//! These clients identify themselves by the URL of a metadata document (draft-ietf-oauth-client-id-metadata-document).
//! The document is never fetched: vendors block requests from data centers, and fetching URLs from requests enables
//! SSRF. The table below was compared with the documents by hand; each entry's comment has the date. Ids are compared
//! byte by byte, never by host, because one host publishes several clients.
//!
//! Entries cover loopback redirect URIs only; https ones must be on the operator's allow-list. A client whose loopback
//! redirect URI is unknown has no entry: it works as an unverified client.

use super::id::ClientId;
use super::redirect::RedirectUri;

pub struct PreregisteredClient {
    id: &'static str,
    pub name: &'static str,
    loopback: Loopback,
    /// The document's `client_uri`. No document had a `policy_uri` or `tos_uri`, 2026-11.
    pub site: Option<&'static str>,
}

/// Loopback redirect URIs of a client. The port is always free (RFC 8252 7.3).
enum Loopback {
    /// None: it runs on its vendor's servers.
    Never,
    /// One of these, written without a port.
    At(&'static [&'static str]),
    /// One of these, written without a port, or one plain path segment below it.
    Below(&'static [&'static str]),
}

const TABLE: [PreregisteredClient; 13] = [
    // Vendor's document as pasted by three projects, 2026-09-21, 09-24 and 09-29.
    known("https://claude.ai/oauth/mcp-oauth-client-metadata", "Claude", Loopback::Never)
        .with_site("https://claude.ai/"),
    // Vendor's document, 2026-07-29, 09-08 and 09-21; one version sent 127.0.0.1 (anthropics/claude-code #37747).
    known(
        "https://claude.ai/oauth/claude-code-client-metadata",
        "Claude Code",
        Loopback::At(&["http://localhost/callback", "http://127.0.0.1/callback"]),
    )
    .with_site("https://claude.ai/"),
    // Vendor's document, 2026-09-08, 09-21 and 09-24.
    known("https://chatgpt.com/oauth/client.json", "ChatGPT", Loopback::Never),
    // Vendor's document, 2026-09-24, says /callback; the program appends an id to it (codex-rs, perform_oauth_login.rs,
    // read 2026-07-29).
    known(
        "https://chatgpt.com/oauth/codex/client.json",
        "Codex",
        Loopback::Below(&["http://127.0.0.1/callback", "http://localhost/callback"]),
    )
    .with_site("https://chatgpt.com/codex"),
    // Vendor's document, 2026-09-21; src/vs/base/common/oauth.ts. Another port is used when 33418 is taken.
    known("https://vscode.dev/oauth/client-metadata.json", "Visual Studio Code", Loopback::At(&["http://127.0.0.1/"]))
        .with_site("https://vscode.dev/product"),
    // As above.
    known(
        "https://insiders.vscode.dev/oauth/client-metadata.json",
        "Visual Studio Code Insiders",
        Loopback::At(&["http://127.0.0.1/"]),
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
    known(
        "https://opencode.ai/oauth/opencode/client.json",
        "OpenCode",
        Loopback::At(&[
            "http://127.0.0.1/callback",
            "http://localhost/callback",
            "http://127.0.0.1/mcp/oauth/callback",
        ]),
    )
    .with_site("https://opencode.ai/"),
    // As reported 2026-11: any port of 127.0.0.1, this path.
    known(
        "https://github.com/copilot/cli/client-metadata.json",
        "GitHub Copilot CLI",
        Loopback::At(&["http://127.0.0.1/callback"]),
    ),
    // Vendor's catalog, 2026-09; hosted, its redirect URI was not seen.
    known("https://www.notion.so/oauth/mcp-client-metadata.json", "Notion", Loopback::Never),
    // As above.
    known("https://app.notion.com/oauth/mcp-client-metadata.json", "Notion", Loopback::Never),
];

const fn known(id: &'static str, name: &'static str, loopback: Loopback) -> PreregisteredClient {
    PreregisteredClient { id, name, loopback, site: None }
}

/// Finds the client with exactly this id.
pub fn find(id: &ClientId) -> Option<&'static PreregisteredClient> {
    TABLE.iter().find(|client| client.id == id.as_str())
}

impl PreregisteredClient {
    const fn with_site(self, site: &'static str) -> Self {
        Self { site: Some(site), ..self }
    }

    /// Returns whether the redirect URI is one of the client's, ignoring the port.
    pub fn listens_at(&self, redirect_uri: &RedirectUri) -> bool {
        match self.loopback {
            Loopback::Never => false,
            Loopback::At(places) => places.contains(&redirect_uri.without_port().as_str()),
            Loopback::Below(places) => is_at_or_below(&redirect_uri.without_port(), places),
        }
    }
}

fn is_at_or_below(uri: &str, places: &[&str]) -> bool {
    let is_segment = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let mut below = places.iter().filter_map(|place| uri.strip_prefix(place));
    below.any(|rest| rest.is_empty() || rest.strip_prefix('/').is_some_and(is_segment))
}

#[cfg(test)]
mod tests {
    use super::super::redirect::RedirectKind;
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
            for address in [Some(client.id), client.site].into_iter().flatten() {
                let url = url::Url::parse(address).expect("a URL");
                assert_eq!((url.as_str(), url.scheme()), (address, "https"));
            }
            if let Loopback::At(places) | Loopback::Below(places) = client.loopback {
                for place in places {
                    let uri = RedirectUri::parse(place).expect("a redirect URI");
                    assert_eq!((uri.kind(), uri.without_port().as_str()), (RedirectKind::Loopback, *place));
                    assert!(!place.contains('?') && client.listens_at(&uri), "{place}");
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
        assert!(!listens(CODE, "https://localhost:3118/callback") && !listens(CODE, "https://127.0.0.1/callback"));
        assert!(listens("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:33418/"));
        assert!(listens("https://vscode.dev/oauth/client-metadata.json", "http://127.0.0.1:33418"));
    }

    #[test]
    fn codex_listens_at_its_callback_or_one_plain_segment_below_it() {
        const CODEX: &str = "https://chatgpt.com/oauth/codex/client.json";
        for good in [
            "http://127.0.0.1:5000/callback/AbC_123-xyz",
            "http://127.0.0.1:5000/callback",
            "http://localhost:5000/callback",
        ] {
            assert!(listens(CODEX, good), "{good}");
        }
        for bad in [
            "http://[::1]:5000/callback",
            "http://127.0.0.2:5000/callback",
            "http://127.0.0.1:5000/",
            "http://127.0.0.1:5000/other",
            "http://127.0.0.1:5000/callbacks",
            "http://127.0.0.1:5000/callback/",
            "http://127.0.0.1:5000/callback/a/b",
            "http://127.0.0.1:5000/callback/%2e%2e%2fother",
            "http://127.0.0.1:5000/callback?next=1",
            "http://127.0.0.1:5000/callback/abc?next=1",
        ] {
            assert!(!listens(CODEX, bad), "{bad}");
        }
    }

    #[test]
    fn known_client_has_no_query_on_loopback() {
        for client in &TABLE {
            let (Loopback::At(places) | Loopback::Below(places)) = client.loopback else { continue };
            for place in places {
                let uri = RedirectUri::parse(&format!("{place}?x=1")).expect("a redirect URI");
                assert!(!client.listens_at(&uri), "{uri}");
            }
        }
    }

    #[test]
    fn opencode_listens_at_the_paths_it_was_seen_with() {
        const OPENCODE: &str = "https://opencode.ai/oauth/opencode/client.json";
        assert!(listens(OPENCODE, "http://127.0.0.1:19876/mcp/oauth/callback"));
        assert!(listens(OPENCODE, "http://127.0.0.1:1/callback") && listens(OPENCODE, "http://localhost:1/callback"));
        assert!(
            !listens(OPENCODE, "http://127.0.0.1:19876/anything")
                && !listens(OPENCODE, "http://127.0.0.1:1/callback/x")
        );
    }

    #[test]
    fn a_client_on_its_vendors_servers_never_answers_on_loopback() {
        assert!(!listens("https://claude.ai/oauth/mcp-oauth-client-metadata", "http://localhost:1/callback"));
    }
}
