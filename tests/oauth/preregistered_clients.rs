//! Pinned public clients: where they may listen, how they are shown, and that nobody is asked about them.

use crate::support::browser::Browser;
use crate::support::flow::{authorize_url, token_error, user};
use crate::support::{TestApp, header};

const CLAUDE_CODE: &str = "https://claude.ai/oauth/claude-code-client-metadata";
const CODEX: &str = "https://chatgpt.com/oauth/codex/client.json";
const OPENCODE: &str = "https://opencode.ai/oauth/opencode/client.json";
const COPILOT: &str = "https://github.com/copilot/cli/client-metadata.json";
const NOBODYS: &str = "https://app.example/oauth/client-metadata.json";

fn status(app: &TestApp, client_id: &str, redirect_uri: &str) -> u16 {
    let answer = app.get(&authorize_url(&[("client_id", client_id), ("redirect_uri", redirect_uri)]));
    assert_eq!(header(&answer, "location").is_empty(), answer.status() == 400, "{client_id} {redirect_uri}");
    answer.status().as_u16()
}

/// C6
#[test]
fn a_pinned_client_is_shown_by_its_name_and_still_as_a_program_on_this_computer() {
    let app = TestApp::new();
    let url = authorize_url(&[("client_id", CLAUDE_CODE), ("redirect_uri", "http://localhost:3118/callback")]);
    let page = Browser::new(&app).sign_in(&url, user::MARA_ADMIN).body;
    for text in ["Connect Claude Code to StatiBeat?", "Known app", CLAUDE_CODE, "runs on this computer"] {
        assert!(page.contains(text), "no {text} in {page}");
    }
    assert!(!page.contains("Unverified"));
}

/// A10
#[test]
fn a_pinned_client_may_use_any_port_of_its_places_and_no_other_place() {
    let app = TestApp::new();
    assert_eq!(status(&app, CLAUDE_CODE, "http://localhost:50123/callback"), 302);
    assert_eq!(status(&app, CLAUDE_CODE, "http://127.0.0.1:50123/callback"), 302);
    assert_eq!(status(&app, CODEX, "http://127.0.0.1:1455/callback/Zm9vYmFyYmF6"), 302);
    assert_eq!(status(&app, OPENCODE, "http://127.0.0.1:19876/mcp/oauth/callback"), 302);
    assert_eq!(status(&app, COPILOT, "http://127.0.0.1:41873/callback"), 302);
    let before = app.db.dump();
    for (client_id, redirect_uri) in [
        (COPILOT, "http://localhost:41873/callback"),
        (CLAUDE_CODE, "http://localhost:3118/other"),
        (CLAUDE_CODE, "http://localhost:3118/callback/"),
        (CLAUDE_CODE, "http://[::1]:3118/callback"),
        (CLAUDE_CODE, "http://127.0.0.2:3118/callback"),
        (CODEX, "http://[::1]:1455/callback"),
        (CODEX, "http://127.0.0.1:1455/anything"),
        (CODEX, "http://127.0.0.1:1455/callback/a/b"),
        (CODEX, "http://127.0.0.1:1455/callback?next=1"),
        (OPENCODE, "http://127.0.0.1:19876/anything"),
        (OPENCODE, "http://127.0.0.1:19876/callback?next=1"),
        ("https://claude.ai/oauth/mcp-oauth-client-metadata", "http://localhost:3118/callback"),
    ] {
        assert_eq!(status(&app, client_id, redirect_uri), 400, "{client_id} {redirect_uri}");
    }
    assert_eq!(app.db.dump(), before);
}

/// G11, G12
#[test]
fn another_spelling_of_a_pinned_id_is_an_unverified_client_under_its_whole_id() {
    for id in [
        "https://claude.ai/oauth/other",
        "http://claude.ai/oauth/claude-code-client-metadata",
        "https://claude.ai",
        "https://user@claude.ai/oauth/claude-code-client-metadata",
        "https://claude.ai/oauth/claude-code-client-metadata#x",
        "https://claude.ai/oauth/./claude-code-client-metadata",
        "https://claude.ai/oauth/%2e/claude-code-client-metadata",
        "https://claude.ai:443/oauth/claude-code-client-metadata",
        "https://CLAUDE.ai/oauth/claude-code-client-metadata",
    ] {
        let app = TestApp::new();
        let url = authorize_url(&[("client_id", id), ("redirect_uri", "http://localhost:3118/callback")]);
        let page = Browser::new(&app).sign_in(&url, user::MARA_ADMIN).body;
        assert!(page.contains("Unverified app") && page.contains(id), "{id}: {page}");
        assert!(!page.contains("Claude Code") && !page.contains("Connect claude.ai to"), "{id}");
    }
}

/// A10
#[test]
fn client_id_with_surrounding_whitespace_is_refused_at_every_endpoint() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let before = app.db.dump();
    for id in [
        format!(" {CLAUDE_CODE}"),
        format!("{CLAUDE_CODE} "),
        format!("{CLAUDE_CODE}\t"),
        format!("{CLAUDE_CODE}\u{a0}"),
    ] {
        assert_eq!(status(&app, &id, "http://localhost:3118/callback"), 400, "{id:?}");
        assert_eq!(status(&app, &id, "http://localhost:3118/other"), 400, "{id:?}");
        for answer in [
            app.redeem("garbage", &[("client_id", &id)]),
            app.refresh(&pair.refresh, &[("client_id", &id)]),
            app.revoke(&pair.refresh, &[("client_id", &id)]),
        ] {
            assert_eq!(token_error(&answer), (400, "invalid_client".into()), "{id:?}");
        }
    }
    assert_eq!(app.db.dump(), before);
}

/// A client whose redirect URI nobody has seen is not vouched for.
#[test]
fn client_of_an_unseen_redirect_uri_works_and_is_shown_as_unverified() {
    let app = TestApp::new();
    let url = authorize_url(&[("client_id", NOBODYS), ("redirect_uri", "http://127.0.0.1:9/any?x=1")]);
    let page = Browser::new(&app).sign_in(&url, user::MARA_ADMIN).body;
    assert!(page.contains("Unverified app") && page.contains(NOBODYS) && !page.contains("Known app"), "{page}");
}

/// G11, G12
#[test]
fn an_operator_may_require_ids_that_are_known() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_UNVERIFIED_CLIENTS").then_some("off"));
    let before = app.db.dump();
    for id in ["some-tool", "http://app.example/client.json", "https://CLAUDE.ai/oauth/claude-code-client-metadata"] {
        let answer = app.get(&authorize_url(&[("client_id", id), ("redirect_uri", "http://localhost:3118/callback")]));
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (400, ""), "{id}");
    }
    assert_eq!(app.db.dump(), before);
    assert_eq!(status(&app, CLAUDE_CODE, "http://localhost:3118/callback"), 302);
    // Its document is never read, and a registration would have proved as little: it works, shown as unverified.
    let own_document = "https://app.example/client.json";
    assert_eq!(status(&app, own_document, "http://localhost:3118/callback"), 302);
    assert_eq!(status(&app, own_document, "https://app.example/callback"), 400);
}

/// G13
#[test]
fn identifying_a_client_makes_no_request() {
    let app = TestApp::new();
    status(&app, CLAUDE_CODE, "http://localhost:3118/callback");
    status(&app, "https://example.com/client.json", "http://localhost:3118/callback");
    app.redeem("garbage", &[("client_id", "https://example.com/client.json")]);
    app.refresh("garbage", &[("client_id", CLAUDE_CODE)]);
    assert!(app.upstream.take_calls().is_empty());
}
