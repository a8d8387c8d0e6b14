//! Every page links to the next step, and shows nothing that a stranger controls.

use crate::support::browser::Browser;
use crate::support::database::Failure;
use crate::support::flow::{CLIENT, authorize_url, user};
use crate::support::forge::{Forged, identity_answer};
use crate::support::simulator::FaultKind;
use crate::support::{PUBLIC_URL, TestApp, header, request};
use http::Response;
use serde_json::{Value, json};
use statibeat_mcp::oauth::secret::AdminSignInState;

const PAGE: &str = "https://mcp.example/mcp/admin";
const WAY_BACK: &str = r#"<a class="button main" href="/mcp/admin">Open the Hosted MCP page</a>"#;

#[test]
fn admin_error_pages_link_to_the_hosted_mcp_page() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    app.upstream.inject_times(3, None, "/api/v1/me/pages", FaultKind::DropBefore);
    let upstream = browser.open(PAGE);
    app.db.fail_after(0, Failure::Before);
    let noted = app.log.borrow().len();
    let storage = browser.open(PAGE);
    assert!(app.log.borrow().len() > noted, "the log says what failed");
    let foreign = browser.open("https://mcp.example/mcp/admin/callback?state=x");
    let state = AdminSignInState::issue(&[1; 32], &app.config.checksum_keys);
    let elsewhere = browser.open(&format!("{PUBLIC_URL}/mcp/admin/callback?state={}", state.expose()));
    let other = TestApp::new();
    let browser = Browser::new(&other);
    browser.open_admin_page(user::MARA_ADMIN);
    other.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let disabled = browser.open(PAGE);
    for (shown, status, title) in [
        (&upstream, 503, "Something isn't responding"),
        (&storage, 503, "Something isn't responding"),
        (&foreign, 400, "Sign-in didn't work"),
        (&elsewhere, 403, "This was started in another browser"),
        (&disabled, 403, "Your account is disabled"),
    ] {
        assert_eq!(shown.status, status, "{}", shown.body);
        assert!(shown.body.contains(title) && shown.body.contains(WAY_BACK), "{}", shown.body);
        assert!(!shown.body.contains("your app"), "{}", shown.body);
    }
    assert_eq!(header(&upstream.response, "retry-after"), "10");
}

#[test]
fn done_notice_requires_a_same_origin_link() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let connection = browser.open_connection(user::MARA_ADMIN, CLIENT).url;
    let narrowed = format!("{}?{}&narrowed=1", connection.path(), connection.query().expect("a connection"));
    let cookies = browser.into_cookies();
    let cookie: Vec<String> = cookies.iter().map(|((_, name), value)| format!("{name}={value}")).collect();
    let shown = |path: &str, words: &str, site: &str| {
        let headers = [("cookie", cookie.join("; ")), ("sec-fetch-site", site.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = app.send(request("GET", path, &headers, ""));
        assert_eq!(page.status(), 200);
        String::from_utf8_lossy(page.body()).contains(words)
    };
    for (path, words) in [
        ("/mcp/admin?done=revoke-all", "All your connections are ended"),
        (narrowed.as_str(), "The approval is narrowed"),
    ] {
        assert!(shown(path, words, "same-origin"), "an action leads here");
        for site in ["cross-site", "same-site", "none"] {
            assert!(!shown(path, words, site), "{site}");
        }
    }
}

/// Markup, a reversal, an invisible character and a line break.
const STRANGE: &str = "<script>x</script>\u{202e}evil\u{2066}\u{200b}\n";

fn has_nothing_strange(page: &str) {
    assert!(page.contains("&lt;script&gt;x&lt;/script&gt;evil"), "it is shown as text: {page}");
    assert!(!page.contains("<script>x"), "{page}");
    for hidden in ['\u{202e}', '\u{2066}', '\u{200b}'] {
        assert!(!page.contains(hidden), "{hidden:?} in {page}");
    }
}

/// StatiBeat's answers with every page and every title named strangely.
fn rename(answer: Response<bytes::Bytes>) -> Response<bytes::Bytes> {
    let Ok(mut document) = serde_json::from_slice::<Value>(answer.body()) else { return answer };
    for item in document["items"].as_array_mut().into_iter().flatten() {
        item["name"] = STRANGE.into();
    }
    answer.map(|_| document.to_string().into())
}

/// C7
#[test]
fn markup_and_invisible_characters_in_names_and_titles_are_neutralized() {
    let app = TestApp::new();
    app.upstream.tamper(|_, answer| Ok(rename(answer)));
    let access = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.read mcp.incidents.write").access;
    let arguments = json!({ "page_id": 42, "title": STRANGE, "description": "d", "status": "degraded", "affected_items_freetext": "API" });
    app.call(&access, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    app.db.execute("UPDATE audit SET title = '<script>x</script>\u{202e}evil\u{2066}\u{200b}' WHERE kind = 'write'");
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let forged = Forged::good(&app, &sign_in.hidden("state")).claim("name", STRANGE).claim("email", STRANGE).token();
    app.upstream.tamper(move |asked, answer| {
        Ok(if asked.uri().path().ends_with("/exchange") { identity_answer(&forged) } else { rename(answer) })
    });
    let consent = browser.choose_user(&sign_in, user::MARA_ADMIN);
    assert!(consent.body.contains("Allow"), "{}", consent.body);
    has_nothing_strange(&consent.body);
    app.upstream.tamper(|_, answer| Ok(rename(answer)));
    let page = Browser::new(&app).open_admin_page(user::MARA_ADMIN).body;
    assert!(page.contains("Create incident"), "{page}");
    has_nothing_strange(&page);
}
