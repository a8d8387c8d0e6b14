//! The error page of a refused redirect URI: the cause, and the person's next step.

use crate::support::TestApp;
use crate::support::flow::authorize_url;

/// A7, A10
#[test]
fn each_refused_redirect_has_its_own_sentence_and_says_what_helps() {
    let says = |client: &str, uri: &str, sentences: [&str; 2]| {
        let answer = TestApp::new().get(&authorize_url(&[("client_id", client), ("redirect_uri", uri)]));
        let page = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!(answer.status(), 400, "{uri}");
        assert!(sentences.iter().all(|sentence| page.contains(sentence)) && !page.contains(uri), "{uri}: {page}");
    };
    let code = "https://claude.ai/oauth/claude-code-client-metadata";
    says(code, "claude://claude.ai/mcp-auth-callback/sdk", ["claude:// address", "Claude Code in a terminal"]);
    says("x", "cursor://anysphere.cursor-mcp/oauth/callback", ["cursor:// address", "Update Cursor to 3.10.17"]);
    says("x", "vscode://x/y", ["a scheme of its own", "the makers of the app"]);
    says("x", "http://tool.example/cb", ["http on another computer", "the makers of the app"]);
    says("x", "https://tool.example/cb#x", ["has a fragment", "the makers of the app"]);
    says("x", "https://tool.example/cb", ["has not approved", "the people who run this connector"]);
    says("x", "http://localhost/cb?code=1", ["already has code", "the makers of the app"]);
    says(code, "http://localhost:3118/other", ["the app is known with", "add it again"]);
    let connector = "https://global.consent.azure-apim.net/redirect/mvp-5fstatibeat-5fdfde809e1caf448f";
    says("x", connector, ["one Copilot Studio connector", "in the list of refused clients"]);
}
