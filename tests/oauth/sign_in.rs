//! Back from StatiBeat's sign-in: whose browser, which visit, and whether the person named is to be believed.

use crate::support::browser::{Browser, Shown, parameter};
use crate::support::database::Failure;
use crate::support::flow::{authorize_url, user};
use crate::support::forge::{Forged, identity_answer};
use crate::support::simulator::FaultKind;
use crate::support::{PUBLIC_URL, TestApp, UPSTREAM_URL, header, json};
use statibeat_mcp::ports::HttpError;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use url::Url;

const EXCHANGE: &str = "/api/v1/connector/sign-in/exchange";

/// The address that StatiBeat sends the browser back to once a person was chosen, not yet followed.
fn way_back(browser: &Browser<'_>, sign_in: &Shown, user_id: &str) -> Url {
    let (state, challenge) = (sign_in.hidden("state"), sign_in.hidden("code_challenge"));
    let fields = [
        ("connector_id", "hosted-mcp"),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("user_id", user_id),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let url = Url::parse(&format!("{UPSTREAM_URL}/connector/sign-in")).expect("a URL");
    let answer = browser.request("POST", &url, body, UPSTREAM_URL);
    Url::parse(header(&answer, "location")).expect("a URL")
}

fn go(browser: &Browser<'_>, url: &Url) -> u16 {
    browser.request("GET", url, String::new(), "").status().as_u16()
}

/// C2
#[test]
fn return_without_the_browser_binding_cookie_gets_403() {
    let app = TestApp::new();
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    let back = way_back(&victim, &victim.open(&authorize_url(&[])), user::MARA_ADMIN);
    attacker.open(&authorize_url(&[]));
    let before = app.db.dump();
    assert_eq!(go(&attacker, &back), 403);
    assert_eq!(go(&Browser::new(&app), &back), 403);
    assert_eq!(app.db.dump(), before);
    assert_eq!(go(&victim, &back), 302, "the visit is untouched");
}

/// C2
#[test]
fn return_with_the_cookie_of_another_request_gets_403() {
    let app = TestApp::new();
    let (victim, attacker) = (Browser::new(&app), Browser::new(&app));
    let back = way_back(&victim, &victim.open(&authorize_url(&[])), user::MARA_ADMIN);
    let before = app.db.dump();
    let own = attacker.open(&authorize_url(&[]));
    attacker.rename_cookie(&own.hidden("state"), &parameter(&back, "state").expect("a state"));
    let rows = app.db.dump();
    assert_eq!(go(&attacker, &back), 403);
    assert_eq!(app.db.dump(), rows);
    assert!(before.lines().all(|row| rows.contains(row)));
    assert_eq!(go(&victim, &back), 302, "the visit is untouched");
}

/// C3
#[test]
fn used_or_expired_state_gets_400() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let back = way_back(&browser, &browser.open(&authorize_url(&[])), user::MARA_ADMIN);
    assert_eq!(go(&browser, &back), 302);
    let before = app.db.dump();
    assert_eq!(go(&browser, &back), 400, "used");
    assert_eq!(go(&Browser::new(&app), &back), 403, "and another browser learns nothing of that");
    assert_eq!(app.db.dump(), before);
    let late = way_back(&browser, &browser.open(&authorize_url(&[])), user::MARA_ADMIN);
    let before = app.db.dump();
    app.advance(Duration::from_mins(10));
    assert_eq!(go(&browser, &late), 400);
    assert_eq!(app.db.dump(), before);
}

/// C3
#[test]
fn expired_or_used_statibeat_code_gets_400() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let late = way_back(&browser, &browser.open(&authorize_url(&[])), user::MARA_ADMIN);
    app.advance(Duration::from_mins(1));
    assert_eq!(go(&browser, &late), 400);
    let first = way_back(&browser, &browser.open(&authorize_url(&[])), user::MARA_ADMIN);
    assert_eq!(go(&browser, &first), 302);
    let second = browser.open(&authorize_url(&[])).hidden("state");
    let code = parameter(&first, "code").expect("a code");
    let replayed = Url::parse(&format!("{PUBLIC_URL}/mcp/oauth/callback?code={code}&state={second}")).expect("a URL");
    assert_eq!(go(&browser, &replayed), 400);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 0);
}

/// Signs in while `forge` answers in StatiBeat's place: 400, nobody signed in, one audit row with this reason.
#[track_caller]
fn not_believed(reason: &str, forge: impl Fn(Forged) -> String + 'static) {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let token = forge(Forged::good(&app, &sign_in.hidden("state")));
    app.upstream.tamper(move |_, _| Ok(identity_answer(&token)));
    let back = way_back(&browser, &sign_in, user::MARA_ADMIN);
    let answer = browser.request("GET", &back, String::new(), "");
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (400, ""), "{reason}");
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM grants"), 0);
    let row =
        format!("SELECT count(*) FROM audit WHERE kind = 'sign_in' AND outcome = 'refused' AND detail = '{reason}'");
    assert_eq!(app.db.count(&row), 1, "{reason}: {}", app.db.dump());
}

/// C13
#[test]
fn forged_identity_is_rejected_and_audited() {
    not_believed("identity_audience", |good| good.claim("aud", "https://other.example").token());
    not_believed("identity_issuer", |good| good.claim("iss", "https://evil.example").token());
    not_believed("identity_environment", |good| good.claim("env", "production").token());
    not_believed("identity_state", |good| good.claim("state_hash", "A".repeat(43)).token());
    not_believed("identity_signature", |good| good.by_another_key().token());
    not_believed("identity_unknown_key", |good| good.header("kid", "other").token());
    not_believed("identity_algorithm", |good| good.header("alg", "none").token());
    not_believed("identity_type", |good| good.header("typ", "statibeat-obo+jwt").token());
    not_believed("identity_critical", |good| good.header("crit", vec!["b64"]).token());
    not_believed("identity_malformed", |good| {
        format!("{}.", good.token().rsplit_once('.').expect("parts").0.split_once('.').expect("parts").0)
    });
    not_believed("identity_expired", |good| {
        let issued = good.claims["iat"].as_i64().expect("a number");
        good.claim("iat", issued - 60).claim("exp", issued).token()
    });
}

/// C13
#[test]
fn identity_of_another_sign_in_is_rejected() {
    let app = TestApp::new();
    let kept: Rc<RefCell<Option<String>>> = Rc::default();
    let keep = Rc::clone(&kept);
    app.upstream.tamper(move |request, answer| {
        if request.uri().path() != EXCHANGE {
            return Ok(answer);
        }
        let token = json(&answer)["identity"].as_str().expect("a token").to_owned();
        let first = keep.borrow_mut().get_or_insert(token).clone();
        Ok(identity_answer(&first))
    });
    let browser = Browser::new(&app);
    assert_eq!(browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN).status, 200);
    assert_eq!(browser.sign_in(&authorize_url(&[]), user::INES_VIEWER).status, 400);
    assert_eq!(app.db.count("SELECT count(*) FROM audit WHERE detail = 'identity_state'"), 1);
}

/// C12
#[test]
fn outage_or_timeout_at_sign_in_ends_the_authorization_request() {
    let app = TestApp::new();
    app.upstream.tamper(|_, _| Err(HttpError::Timeout));
    let shown = Browser::new(&app).sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    assert_eq!((shown.status, header(&shown.response, "location")), (503, ""));
    assert!(shown.body.contains("Something isn't responding") && !header(&shown.response, "retry-after").is_empty());
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM codes"), 0);
}

/// C12
#[test]
fn person_disabled_after_sign_in_gets_no_consent_page() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    let again = browser.open(consent.url.as_str());
    assert!(again.status == 403 && again.body.contains("disabled"), "{}", again.body);
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"), 0);
}

/// C12
#[test]
fn consent_page_can_be_reloaded_after_an_upstream_error() {
    let app = TestApp::new();
    // A read is tried twice before it is given up.
    app.upstream.inject_times(2, None, "/api/v1/me/pages", FaultKind::Status { code: 500, retry_after: None });
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
    assert_eq!(consent.status, 503);
    assert_eq!(browser.open(consent.url.as_str()).status, 200);
}

/// A28
#[test]
fn storage_outage_after_sign_in_redirects_with_temporarily_unavailable() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let back = way_back(&browser, &browser.open(&authorize_url(&[])), user::MARA_ADMIN);
    app.db.fail_after(0, Failure::Before);
    let answer = browser.request("GET", &back, String::new(), "");
    let target = Url::parse(header(&answer, "location")).expect("a URL");
    assert_eq!((answer.status().as_u16(), target.host_str()), (302, Some("127.0.0.1")));
    assert_eq!(parameter(&target, "error").as_deref(), Some("temporarily_unavailable"));
    assert_eq!(
        (parameter(&target, "state").as_deref(), parameter(&target, "iss").as_deref()),
        (Some("xyz"), Some(PUBLIC_URL))
    );
}

/// A32
#[test]
fn sign_in_returns_to_the_request_it_was_started_for() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let (first, second) = (
        browser.open(&authorize_url(&[("state", "one"), ("scope", "mcp.pages.read")])),
        browser.open(&authorize_url(&[("state", "two"), ("scope", "mcp.beats.read")])),
    );
    let late = browser.choose_user(&second, user::MARA_ADMIN);
    let early = browser.choose_user(&first, user::THEO_MANAGER);
    assert_eq!((early.ticked(), late.ticked()), (vec!["mcp.pages.read".to_owned()], vec!["mcp.beats.read".to_owned()]));
    let states = [early, late].map(|page| parameter(&browser.answer(&page, "approve").leaves_for(), "state"));
    assert_eq!(states, [Some("one".into()), Some("two".into())]);
}

/// C14
#[test]
fn no_page_sets_cross_origin_opener_policy() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let back = way_back(&browser, &sign_in, user::MARA_ADMIN);
    let returned = browser.request("GET", &back, String::new(), "");
    let consent = browser.open(header(&returned, "location"));
    let left = browser.answer(&consent, "approve");
    for answer in [&app.get(&authorize_url(&[])), &returned, &consent.response, &left.response] {
        assert_eq!(header(answer, "cross-origin-opener-policy"), "");
    }
}

#[test]
fn canceled_sign_in_sends_access_denied_to_the_client() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let (state, challenge) = (sign_in.hidden("state"), sign_in.hidden("code_challenge"));
    let fields = [
        ("connector_id", "hosted-mcp"),
        ("state", &state),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("action", "cancel"),
    ];
    let shown = browser.submit(&sign_in, "https://api.statibeat.example/connector/sign-in", &fields);
    assert!(shown.body.contains("was not connected"), "{}", shown.body);
    let back = shown.leaves_for();
    assert!(back.as_str().starts_with("http://127.0.0.1:33418/callback?"), "{back}");
    assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&back, "state").as_deref(), Some("xyz"));
    assert_eq!(browser.open(shown.url.as_str()).status, 400, "the sign-in works once");
    assert_eq!(app.db.count("SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL"), 0);
}

/// C3
#[test]
fn a_sign_in_state_works_once() {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[]));
    let state = sign_in.hidden("state");
    let back = Url::parse(&format!("{PUBLIC_URL}/mcp/oauth/callback?code=made-up&state={state}")).expect("a URL");
    assert_eq!(browser.request("GET", &back, String::new(), "").status(), 400, "StatiBeat knows no such code");
    assert_eq!(browser.choose_user(&sign_in, user::MARA_ADMIN).status, 400, "the visit is over");
}
