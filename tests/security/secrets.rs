//! Where secrets must not be: the log, the database, the audit, the counters' names, the upstream's requests, error pages.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CLIENT, VERIFIER, authorize_url, tokens, user};
use crate::support::{TestApp, header};
use serde_json::json;
use std::time::Duration;

/// A run that meets every secret there is, and many faults.
struct Run {
    app: TestApp,
    secrets: Vec<(&'static str, String)>,
    errors: String,
}

/// The random middle of a code or token: the prefix is public.
fn middle(secret: &str) -> String {
    secret[9..52].to_owned()
}

fn run() -> Run {
    let app = TestApp::new();
    let browser = Browser::new(&app);
    let sign_in = browser.open(&authorize_url(&[("state", "the-clients-own-state")]));
    let mut secrets = vec![("state handle", sign_in.hidden("state")), ("verifier", VERIFIER.to_owned())];
    let cookie = |response: &http::Response<bytes::Bytes>| {
        let text = header(response, "set-cookie");
        text.split(';').next().and_then(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned())
    };
    secrets.extend(cookie(&app.get(&authorize_url(&[]))).map(|value| ("authorization request cookie", value)));
    let consent = browser.choose_user(&sign_in, user::MARA_ADMIN);
    secrets.push(("consent handle", consent.hidden("request")));
    let code = parameter(&browser.answer(&consent, "approve").leaves_for(), "code").expect("a code");
    let first = tokens(&app.redeem(&code, &[]));
    let second = tokens(&app.refresh(&first.refresh, &[]));
    for (name, secret) in [
        ("code", &code),
        ("access token", &first.access),
        ("refresh token", &first.refresh),
        ("second access token", &second.access),
        ("second refresh token", &second.refresh),
    ] {
        secrets.push((name, middle(secret)));
    }
    let mut errors = String::new();
    let mut keep = |answer: http::Response<bytes::Bytes>| errors += &format!("{answer:?}\n");
    keep(app.redeem(&code, &[("code_verifier", &"w".repeat(43))]));
    keep(app.refresh(&first.refresh, &[("client_id", "other")]));
    keep(app.refresh(&second.access, &[]));
    keep(app.call(&second.refresh, "ping", json!({})));
    keep(app.call(&code, "ping", json!({})));
    app.read(&second.access, "statibeat://pages");
    app.upstream.simulator.set_user_disabled(1, true).expect("a user");
    keep(app.call(&second.access, "resources/read", json!({"uri": "statibeat://pages"})));
    app.advance(Duration::from_mins(2));
    keep(app.refresh(&first.refresh, &[]));
    keep(app.redeem(&code, &[]));
    keep(browser.open(consent.url.as_str()).response);
    Run { app, secrets, errors }
}

#[track_caller]
fn holds_none(place: &str, text: &str, secrets: &[(&'static str, String)]) {
    for (name, secret) in secrets {
        assert!(!text.contains(secret.as_str()), "{place} holds the {name}");
    }
}

/// X1
#[test]
fn no_secret_is_ever_logged() {
    let Run { app, secrets, errors } = run();
    let log = app.lines();
    assert!(log.lines().count() >= 15 && log.contains("\"reason\":"), "the requests and why were logged: {log}");
    holds_none("the log", &log, &secrets);
    assert!(!log.contains("the-clients-own-state") && !log.contains("mara@"), "nor anything of people or clients");
    holds_none("an error answer", &errors, &secrets);
}

/// X2
#[test]
fn no_secret_is_stored() {
    let Run { app, secrets, .. } = run();
    let dump = app.db.dump_everything();
    assert!(dump.contains(CLIENT) && dump.contains("refresh_tokens: "), "the dump is a dump");
    holds_none("the database", &dump, &secrets);
    holds_none("a counter's name", &app.limiter.names(), &secrets);
}

/// X2, P11
#[test]
fn no_secret_of_a_client_goes_upstream() {
    let Run { app, secrets, .. } = run();
    let sent = app.upstream.sent.borrow().clone();
    let of_clients: Vec<_> =
        secrets.into_iter().filter(|(name, _)| name.ends_with("token") || *name == "code").collect();
    assert!(of_clients.len() >= 5 && sent.contains("/api/v1/me"));
    holds_none("a request upstream", &sent, &of_clients);
}

/// X2
#[test]
fn stolen_database_contains_no_usable_secret() {
    let app = TestApp::new();
    let pair = app.connect(user::MARA_ADMIN, "mcp.pages.read");
    app.code(user::MARA_ADMIN, "mcp.pages.read");
    let dump = app.db.dump_everything();
    let before = dump.clone();
    let words = dump.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    for word in words.filter(|word| word.len() >= 22) {
        for guess in [word.to_owned(), format!("sbmcp_at_{word}"), format!("sbmcp_rt_{word}.AAAAAAAAAAA")] {
            assert_ne!(app.ping(&guess), 200);
            assert_ne!(app.refresh(&guess, &[]).status(), 200);
            assert_ne!(app.redeem(&guess, &[]).status(), 200);
        }
    }
    assert_eq!(app.db.dump_everything(), before);
    assert_eq!(app.ping(&pair.access), 200);
}
