//! What pages owe people wherever they are: a way on, and nothing of a stranger's making.

use crate::support::browser::Browser;
use crate::support::database::Failure;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::{PUBLIC_URL, TestApp, header};

const PAGE: &str = "https://mcp.example/mcp/admin";
const WAY_BACK: &str = r#"<a class="button main" href="/mcp/admin">Open the Hosted MCP page</a>"#;

#[test]
fn trouble_at_the_hosted_mcp_page_leads_back_to_it_and_not_to_an_app() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.upstream.inject_times(3, None, "/api/v1/me/pages", FaultKind::DropBefore);
    let upstream = browser.open(PAGE);
    app.db.fail_after(0, Failure::Before);
    let storage = browser.open(PAGE);
    let foreign = browser.open("https://mcp.example/mcp/admin/callback?state=x");
    let elsewhere = browser.open(&format!("{PUBLIC_URL}/mcp/admin/callback?state={}", "s".repeat(43)));
    let other = TestApp::new();
    let browser = Browser::new(&other);
    browser.open_admin_page(user::MARA_ADMIN);
    other.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let disabled = browser.open(PAGE);
    for (shown, status, title) in [
        (&upstream, 503, "Something is not answering"),
        (&storage, 503, "Something is not answering"),
        (&foreign, 400, "Sign-in did not work"),
        (&elsewhere, 403, "This was started in another browser"),
        (&disabled, 403, "Your account is disabled"),
    ] {
        assert_eq!(shown.status, status, "{}", shown.body);
        assert!(shown.body.contains(title) && shown.body.contains(WAY_BACK), "{}", shown.body);
        assert!(!shown.body.contains("your app"), "{}", shown.body);
    }
    assert_eq!(header(&upstream.response, "retry-after"), "10");
}
