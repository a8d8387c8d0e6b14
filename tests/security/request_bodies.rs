//! Reading request bodies: nothing before the head has been accepted, never more than the route needs.

use crate::support::browser::Browser;
use crate::support::flow::user;
use crate::support::{BREAK, PIECE, PUBLIC_URL, RESOURCE, TestApp, header, json, request};
use bytes::Bytes;
use http::Response;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");
const MESSAGE_LIMIT: usize = 448 * 1024;
const FORM_LIMIT: usize = 16 * 1024;

/// The body bytes that were read for one request.
fn send(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (Response<Bytes>, usize) {
    let before = app.body_bytes_read.get();
    let answer = app.send(request(method, path, headers, body));
    (answer, app.body_bytes_read.get() - before)
}

#[test]
fn no_byte_of_150_senders_without_a_token_is_read() {
    let app = TestApp::new();
    let long = "x".repeat(64 * 1024);
    for _ in 0..150 {
        let (answer, read) = send(&app, "POST", "/mcp", &[JSON], &long);
        assert_eq!((answer.status().as_u16(), read), (401, 0));
        assert_ne!(header(&answer, "www-authenticate"), "");
    }
}

#[test]
fn a_body_is_not_read_for_a_token_that_does_not_work() {
    let app = TestApp::new();
    let ended = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.revoke(&ended.refresh, &[]);
    let body = "x".repeat(100_000);
    for token in ["made-up".to_owned(), ended.access] {
        let authorization = format!("Bearer {token}");
        let (answer, read) = send(&app, "POST", "/mcp", &[("authorization", &authorization), JSON], &body);
        assert_eq!((answer.status().as_u16(), read), (401, 0), "{token}");
    }
}

#[test]
fn a_body_is_not_read_where_the_origin_the_path_or_the_method_is_wrong() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let authorization = format!("Bearer {}", pair.access);
    let bearer = ("authorization", authorization.as_str());
    let body = "x".repeat(1000);
    for (method, path, headers, status) in [
        ("POST", "/mcp", vec![bearer, JSON, ("origin", "https://evil.example")], 403),
        ("PUT", "/mcp", vec![bearer, JSON], 405),
        ("GET", "/mcp", vec![bearer, JSON], 405),
        ("OPTIONS", "/mcp", vec![JSON], 204),
        ("POST", "/mcp/health", vec![JSON], 405),
        ("POST", "/no/such/path", vec![FORM], 404),
        ("PUT", "/mcp/oauth/token", vec![FORM], 405),
        ("GET", "/mcp/admin", vec![FORM], 200),
        ("GET", "/mcp/oauth/consent", vec![FORM], 400),
    ] {
        let (answer, read) = send(&app, method, path, &headers, &body);
        assert_eq!((answer.status().as_u16(), read), (status, 0), "{method} {path}");
    }
}

#[test]
fn form_of_another_sites_page_is_refused_unread() {
    let app = TestApp::new();
    let body = "x".repeat(1000);
    for path in ["/mcp/oauth/consent", "/mcp/admin/action", "/mcp/admin/sign-out"] {
        for origin in [vec![("origin", "https://evil.example")], vec![("origin", "null")], vec![]] {
            let headers: Vec<_> = [FORM].into_iter().chain(origin).collect();
            let (answer, read) = send(&app, "POST", path, &headers, &body);
            assert_eq!((answer.status().as_u16(), read), (403, 0), "{path} {headers:?}");
        }
        let (_, read) = send(&app, "POST", path, &[FORM, ("origin", PUBLIC_URL)], &body);
        assert_eq!(read, body.len(), "{path} from a page of ours");
    }
}

#[test]
fn a_form_that_does_not_say_that_it_is_one_is_not_read() {
    let app = TestApp::new();
    let body = "x".repeat(1000);
    for (path, status) in [
        ("/mcp/oauth/token", 400),
        ("/mcp/oauth/revoke", 400),
        ("/mcp/oauth/register", 400),
        ("/mcp/oauth/consent", 400),
        ("/mcp/admin/sign-out", 200),
    ] {
        for headers in [vec![], vec![("content-type", "text/plain")], vec![FORM, JSON]] {
            let own = ("origin", "https://mcp.example");
            let (answer, read) = send(&app, "POST", path, &[headers, vec![own]].concat(), &body);
            assert_eq!((answer.status().as_u16(), read), (status, 0), "{path}: {:?}", answer.body());
        }
    }
}

#[test]
fn a_length_over_the_limit_is_refused_when_it_is_announced() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let authorization = format!("Bearer {}", pair.access);
    let bearer = ("authorization", authorization.as_str());
    let announced = |limit: usize| (limit + 1).to_string();
    let (message, form) = (announced(MESSAGE_LIMIT), announced(FORM_LIMIT));
    for (path, headers, status) in [
        ("/mcp", vec![bearer, JSON, ("content-length", message.as_str())], 413),
        ("/mcp/oauth/token", vec![FORM, ("content-length", form.as_str())], 400),
        ("/mcp/oauth/revoke", vec![FORM, ("content-length", form.as_str())], 400),
        ("/mcp/oauth/register", vec![JSON, ("content-length", form.as_str())], 400),
    ] {
        let (answer, read) = send(&app, "POST", path, &headers, "x");
        assert_eq!((answer.status().as_u16(), read), (status, 0), "{path}");
        let error = &json(&answer)["error"];
        assert!(error.is_string() || error["message"].is_string(), "{path}: {error}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "*", "{path}");
    }
}

#[test]
fn a_body_of_unknown_length_is_read_no_further_than_the_limit() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let authorization = format!("Bearer {}", pair.access);
    let body = "x".repeat(2 * 1024 * 1024);
    for (path, headers, limit, status) in [
        ("/mcp", vec![("authorization", authorization.as_str()), JSON], MESSAGE_LIMIT, 413),
        ("/mcp/oauth/token", vec![FORM], FORM_LIMIT, 400),
        ("/mcp/oauth/revoke", vec![FORM], FORM_LIMIT, 400),
        ("/mcp/oauth/register", vec![JSON], FORM_LIMIT, 400),
        ("/mcp/oauth/consent", vec![FORM, ("origin", "https://mcp.example")], FORM_LIMIT, 400),
        ("/mcp/admin/action", vec![FORM, ("origin", "https://mcp.example")], 4 * FORM_LIMIT, 200),
    ] {
        let (answer, read) = send(&app, "POST", path, &headers, &body);
        assert_eq!((answer.status().as_u16(), read), (status, limit + PIECE), "{path}");
    }
}

#[test]
fn a_body_that_breaks_off_is_answered_as_unreadable() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let headers = [("authorization", format!("Bearer {}", pair.access)), ("content-type", JSON.1.to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = format!("{}{}", "x".repeat(PIECE), String::from_utf8_lossy(BREAK));
    let (answer, read) = send(&app, "POST", "/mcp", &headers, &body);
    assert_eq!((answer.status().as_u16(), read), (400, PIECE));
    assert_eq!(app.last_record().reason, Some("broken_body"));
}

#[test]
fn the_forms_of_a_browser_and_a_message_of_a_client_are_read_whole() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let before = app.body_bytes_read.get();
    assert_eq!(app.refresh(&pair.refresh, &[("resource", RESOURCE)]).status(), 200);
    assert!(app.body_bytes_read.get() > before);
}
