//! Handles and cookies of ours: what was made up or belongs elsewhere ends without a query, and too much of it is limited.

use crate::support::browser::{Browser, cookie_name};
use crate::support::flow::{authorize_url, user};
use crate::support::{PUBLIC_URL, TestApp, header, request};
use bytes::Bytes;
use http::{Request, Response};

/// The limit of one address and minute.
const LIMIT: usize = 60;

/// A request that presents a text as a handle or cookie.
type Present = fn(&Prepared, &str) -> Request<Bytes>;

/// Handles of ours that somebody may know, without the cookies that belong to them.
struct Prepared {
    state: String,
    consent: String,
    admin_state: String,
    session: String,
}

impl Prepared {
    fn new(app: &TestApp) -> Self {
        let browser = Browser::new(app);
        let state = browser.open(&authorize_url(&[])).hidden("state");
        let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN).hidden("request");
        let admin_state = browser.open(&format!("{PUBLIC_URL}/mcp/admin/sign-in")).hidden("state");
        browser.open_admin_page(user::MARA_ADMIN);
        let session = browser.cookies()["__Host-sbmcp_admin"].clone();
        Self { state, consent, admin_state, session }
    }
}

fn get(path: &str, cookie: &str) -> Request<Bytes> {
    request("GET", path, &[("cookie", cookie)], "")
}

fn post(path: &str, cookie: &str, body: &str) -> Request<Bytes> {
    let headers = [("cookie", cookie), ("origin", PUBLIC_URL), ("content-type", "application/x-www-form-urlencoded")];
    request("POST", path, &headers, body)
}

/// Every place where a handle or cookie of ours is read.
const PLACES: [(&str, Present); 13] = [
    ("state of a sign-in", |_, text| get(&format!("/mcp/oauth/callback?code=x&state={text}"), "")),
    ("cookie of a sign-in", |ours, text| {
        let cookie = format!("{}={text}", cookie_name(&ours.state));
        get(&format!("/mcp/oauth/callback?code=x&state={}", ours.state), &cookie)
    }),
    ("handle of a consent page", |_, text| get(&format!("/mcp/oauth/consent?request={text}"), "")),
    ("cookie of a consent page", |ours, text| {
        let cookie = format!("{}={text}", cookie_name(&ours.consent));
        get(&format!("/mcp/oauth/consent?request={}", ours.consent), &cookie)
    }),
    ("handle of a consent form", |_, text| {
        post("/mcp/oauth/consent", "", &format!("request={text}&person=1&answer=approve"))
    }),
    ("cookie of a consent form", |ours, text| {
        let cookie = format!("{}={text}", cookie_name(&ours.consent));
        post("/mcp/oauth/consent", &cookie, &format!("request={}&person=1&answer=approve", ours.consent))
    }),
    ("state of an admin sign-in", |_, text| get(&format!("/mcp/admin/callback?code=x&state={text}"), "")),
    ("cookie of an admin sign-in", |ours, text| {
        let cookie = format!("{}={text}", cookie_name(&ours.admin_state));
        get(&format!("/mcp/admin/callback?code=x&state={}", ours.admin_state), &cookie)
    }),
    ("session of the admin page", |_, text| get("/mcp/admin", &format!("__Host-sbmcp_admin={text}"))),
    ("session of the admin API", |_, text| get("/mcp/admin/api/connections", &format!("__Host-sbmcp_admin={text}"))),
    ("token of the admin API", |_, text| {
        request("GET", "/mcp/admin/api/setup", &[("authorization", &format!("Bearer {text}"))], "")
    }),
    ("session of an action", |_, text| {
        post("/mcp/admin/action", &format!("__Host-sbmcp_admin={text}"), "action=revoke-all&token=x")
    }),
    ("token of an admin form", |ours, text| {
        let cookie = format!("__Host-sbmcp_admin={}", ours.session);
        post("/mcp/admin/action", &cookie, &format!("action=revoke-all&token={text}"))
    }),
];

#[test]
fn made_up_handles_and_cookies_cost_no_query_and_are_limited() {
    for (place, present) in PLACES {
        let app = TestApp::new();
        app.address.set(Some("192.0.2.1"));
        let ours = Prepared::new(&app);
        let (before, batches) = (app.db.dump(), app.db.batches.get());
        let upstream = app.upstream.sent.borrow().len();
        let send = |n: usize| -> Response<Bytes> { app.send(present(&ours, &format!("made-up-{n}"))) };
        for n in 0..LIMIT {
            assert_ne!(send(n).status(), 429, "{place}: number {n}");
        }
        let limited = send(LIMIT);
        assert_eq!(limited.status(), 429, "{place}");
        assert_ne!(header(&limited, "retry-after"), "", "{place}");
        assert_eq!((app.db.dump(), app.db.batches.get()), (before, batches), "{place}: the database is not even asked");
        assert_eq!(app.upstream.sent.borrow().len(), upstream, "{place}: nor is StatiBeat");
        // What is ours is never limited for what others make up.
        let browser = Browser::new(&app);
        assert_eq!(browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN).status, 200, "{place}");
        assert_eq!(browser.open_admin_page(user::MARA_ADMIN).status, 200, "{place}");
        app.address.set(Some("192.0.2.2"));
        assert_ne!(send(0).status(), 429, "{place}: another address");
    }
}

#[test]
fn token_of_another_use_ends_without_a_query() {
    let app = TestApp::new();
    let ours = Prepared::new(&app);
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    let code = app.code(user::MARA_ADMIN, "mcp.pages.read");
    let tokens = [
        ("state of a sign-in", ours.state.clone()),
        ("handle of a consent", ours.consent.clone()),
        ("state of an admin sign-in", ours.admin_state.clone()),
        ("session of", ours.session.clone()),
        ("an access token", pair.access),
        ("a refresh token", pair.refresh),
        ("a code", code),
    ];
    let batches = app.db.batches.get();
    for (place, present) in PLACES {
        for (own_use, token) in &tokens {
            if place.starts_with(own_use) {
                continue;
            }
            app.limiter.forget();
            let answer = app.send(present(&ours, token));
            assert!(answer.status().as_u16() < 500, "{place}: {own_use}");
            assert_eq!(app.db.batches.get(), batches, "{place}: {own_use}");
        }
    }
}

#[test]
fn forms_shown_in_another_browser_are_limited() {
    let app = TestApp::new();
    app.address.set(Some("192.0.2.1"));
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    let stranger = Browser::new(&app);
    for _ in 0..LIMIT {
        assert_eq!(stranger.open(consent.url.as_str()).status, 403);
    }
    let batches = app.db.batches.get();
    let limited = stranger.open(consent.url.as_str());
    assert!(limited.status == 429 && limited.body.contains("You can try again in "), "{}", limited.body);
    assert_eq!(app.db.batches.get(), batches);
    assert_eq!(browser.open(consent.url.as_str()).status, 200, "its own browser is not limited");
}

#[test]
fn made_up_codes_in_one_browser_ask_statibeat_five_times() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let state = browser.open(&authorize_url(&[])).hidden("state");
    let (name, sealed) = browser.cookies().into_iter().next().expect("one cookie");
    let sent = || app.upstream.sent.borrow().matches("sign-in/exchange").count();
    let before = sent();
    let statuses: Vec<u16> = (0..8)
        .map(|n| {
            let path = format!("/mcp/oauth/callback?code=made-up-{n}&state={state}");
            app.send(get(&path, &format!("{name}={sealed}"))).status().as_u16()
        })
        .collect();
    assert_eq!(statuses, [400, 400, 400, 400, 400, 429, 429, 429]);
    assert!(sent() - before <= 5, "{}", sent() - before);
}
