//! Requests that another site's page makes a browser send use up no limit that a person or client meets.

use crate::support::browser::Browser;
use crate::support::flow::{CLIENT, authorize_url, user};
use crate::support::{PUBLIC_URL, TestApp, header, request};
use serde_json::json;

const EVIL: (&str, &str) = ("origin", "https://evil.example");
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const ADMIN_SIGN_IN: &str = "https://mcp.example/mcp/admin/sign-in";

fn mode(mode: &'static str) -> (&'static str, &'static str) {
    ("sec-fetch-mode", mode)
}

fn office() -> TestApp {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    app
}

fn status(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    app.send(request(method, path, headers, body)).status().as_u16()
}

fn registration() -> String {
    json!({"redirect_uris": ["http://localhost:1/cb"]}).to_string()
}

/// Loads of an address that are no visit of a person.
const LOADS: [&[(&str, &str)]; 6] = [
    &[CROSS, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")],
    &[CROSS, ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "empty")],
    &[CROSS, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
    &[CROSS, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "object")],
    &[CROSS, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document"), ("sec-purpose", "prefetch")],
    &[CROSS, ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), EVIL],
];

#[test]
fn loads_caused_by_another_page_are_refused_uncounted() {
    let app = office();
    let before = app.db.dump();
    for path in [&authorize_url(&[]), ADMIN_SIGN_IN] {
        for method in ["GET", "HEAD"] {
            for _ in 0..30 {
                for load in LOADS {
                    assert_eq!(status(&app, method, path, load, ""), 403, "{path} {load:?}");
                }
            }
        }
    }
    assert_eq!((app.limiter.names(), app.db.dump()), (String::new(), before));
    for path in [&authorize_url(&[]), ADMIN_SIGN_IN] {
        for headers in [
            vec![],
            vec![mode("cors")], // Node.js' `fetch`
            vec![("sec-fetch-site", "none"), mode("navigate"), ("sec-fetch-dest", "document")],
            vec![CROSS, mode("navigate"), ("sec-fetch-dest", "document")],
        ] {
            assert_eq!(status(&app, "GET", path, &headers, ""), 302, "{path} {headers:?}");
        }
    }
}

#[test]
fn every_page_is_for_tabs_and_the_api_is_not() {
    let app = office();
    for path in ["oauth/callback", "oauth/consent", "admin", "admin/callback", "admin/action"] {
        let answer = status(&app, "GET", &format!("{PUBLIC_URL}/mcp/{path}?state=x&request=x"), LOADS[0], "");
        assert_eq!((answer, app.last_record().reason), (403, Some("caused_by_another_page")), "{path}");
    }
    let api = format!("{PUBLIC_URL}/mcp/admin/api/connections");
    status(&app, "GET", &api, LOADS[5], "");
    assert_ne!(app.last_record().reason, Some("caused_by_another_page"));
}

#[test]
fn forms_of_another_site_reach_no_endpoint_of_clients() {
    let app = office();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.limiter.forget();
    let form = format!("token=x&client_id={CLIENT}&grant_type=refresh_token&refresh_token=x");
    for kind in [mode("no-cors"), mode("navigate")] {
        for _ in 0..70 {
            for path in ["/mcp/oauth/revoke", "/mcp/oauth/token"] {
                assert_eq!(status(&app, "POST", path, &[EVIL, CROSS, kind, FORM], &form), 403, "{path}");
            }
            let blind = [EVIL, CROSS, kind, ("content-type", "text/plain")];
            assert_eq!(status(&app, "POST", "/mcp/oauth/register", &blind, &registration()), 403);
        }
    }
    // A browser that does not say what causes a request.
    for _ in 0..70 {
        let blind = [EVIL, ("content-type", "text/plain")];
        assert_eq!(status(&app, "POST", "/mcp/oauth/register", &blind, &registration()), 400);
    }
    assert_eq!(app.limiter.names(), "");
    assert_eq!(status(&app, "POST", "/mcp/oauth/register", &[JSON], &registration()), 201);
    assert_eq!(app.revoke(&pair.refresh, &[]).status(), 200);
}

#[test]
fn requests_of_another_sites_scripts_are_counted_by_themselves() {
    let app = office();
    let script = [EVIL, CROSS, mode("cors")];
    let form = format!("token=x&client_id={CLIENT}&grant_type=refresh_token&refresh_token=x");
    let register = |headers: &[(&str, &str)]| status(&app, "POST", "/mcp/oauth/register", headers, &registration());
    let different = |number| {
        let body = json!({"redirect_uris": ["http://localhost:1/cb"], "client_name": format!("Client {number}")});
        status(&app, "POST", "/mcp/oauth/register", &[script.as_slice(), &[JSON]].concat(), &body.to_string())
    };
    let statuses: Vec<u16> = (0..61).map(different).collect();
    assert_eq!((statuses[59], statuses[60]), (201, 429));
    for path in ["/mcp/oauth/revoke", "/mcp/oauth/token"] {
        let headers = [script.as_slice(), &[FORM]].concat();
        let statuses: Vec<u16> = (0..61).map(|_| status(&app, "POST", path, &headers, &form)).collect();
        assert_eq!(statuses.last(), Some(&429), "{path}");
        assert_ne!(status(&app, "POST", path, &[FORM], &form), 429, "{path}: a client of the same office");
    }
    assert_eq!(register(&[JSON]), 201, "a client of the same office");
    let inspector = [JSON, CROSS, mode("cors"), ("origin", "http://localhost:6274")];
    assert_eq!(register(&inspector), 201, "a page on loopback is a program of its machine");
    assert_eq!(register(&[JSON, ("origin", "https://claude.ai")]), 201, "a listed client's page");
    assert_eq!(register(&[JSON, ("origin", "https://mcp.example")]), 201, "a page of the connector itself");
}

#[test]
fn navigations_from_other_sites_admin_page_and_apps_have_separate_limits() {
    let app = office();
    let led = [CROSS, mode("navigate"), ("sec-fetch-dest", "document")];
    let visit = |path: &str, headers: &[(&str, &str)]| status(&app, "GET", path, headers, "");
    let statuses: Vec<u16> = (0..121).map(|_| visit(&authorize_url(&[]), &led)).collect();
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(visit(&authorize_url(&[]), &[]), 302, "an app that opens a browser");
    for _ in 0..120 {
        visit(&authorize_url(&[]), &[]);
    }
    assert_eq!(visit(&authorize_url(&[]), &[]), 429);
    assert_eq!(visit(ADMIN_SIGN_IN, &[]), 302);
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    assert_eq!(browser.open("https://mcp.example/mcp/admin").status, 200);
}

#[test]
fn made_up_returns_to_the_admin_page_use_up_no_sign_in() {
    let app = office();
    for _ in 0..130 {
        let back = format!("{PUBLIC_URL}/mcp/admin/callback?code=x&state={}", "s".repeat(43));
        let answer = app.get(&back);
        assert!([400, 429].contains(&answer.status().as_u16()), "made-up states have a limit of their own");
        assert_eq!(header(&answer, "location"), "");
    }
    assert_eq!(app.get(ADMIN_SIGN_IN).status(), 302);
}
