//! Requests at the same time, in every order that their database batches can come in.

use crate::support::browser::{Browser, Shown};
use crate::support::flow::{CALLBACK, CLIENT, Tokens, VERIFIER, authorize_url, token_error, tokens, user};
use crate::support::{PUBLIC_URL, TestApp, request};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use std::future::Future;
use std::pin::Pin;

const SCOPE: &str = "mcp.pages.read mcp.incidents.read";

type Running<'a> = Pin<Box<dyn Future<Output = Response<Bytes>> + 'a>>;

/// A form post of the client.
fn post(path: &str, fields: &[(&str, &str)]) -> Request<Bytes> {
    let all = [("client_id", CLIENT)].into_iter().chain(fields.iter().copied());
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    request("POST", path, &[("content-type", "application/x-www-form-urlencoded")], body)
}

fn redemption(code: &str) -> Request<Bytes> {
    let proof = [("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    post("/mcp/oauth/token", &[&[("grant_type", "authorization_code")][..], &proof].concat())
}

fn refreshing(token: &str) -> Request<Bytes> {
    post("/mcp/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

fn revocation(token: &str) -> Request<Bytes> {
    post("/mcp/oauth/revoke", &[("token", token)])
}

/// An answer to a consent form, from its browser.
fn answering(browser: &Browser<'_>, consent: &Shown, answer: &str) -> Request<Bytes> {
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("request", consent.hidden("request")), ("person", consent.hidden("person"))])
        .extend_pairs([
            ("answer", answer),
            ("scope", "mcp.pages.read"),
            ("pages", "all"),
            ("lifetime", "until-revoked"),
        ])
        .finish();
    let cookies: Vec<_> = browser.cookies().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let media_type = ("content-type", "application/x-www-form-urlencoded");
    request("POST", "/mcp/oauth/consent", &[media_type, ("origin", PUBLIC_URL), ("cookie", &cookies.join("; "))], body)
}

/// Lets the requests run by turns: each number says whose next batch it is, among those that still run. The answers, and
/// how many ran at each turn.
fn interleave(app: &TestApp, requests: Vec<Request<Bytes>>, turns: &[usize]) -> (Vec<Response<Bytes>>, Vec<usize>) {
    app.db.is_stepwise.set(true);
    let mut running: Vec<Option<Running<'_>>> =
        requests.into_iter().map(|request| Some(Box::pin(app.start(request)) as Running<'_>)).collect();
    let mut answers: Vec<Option<Response<Bytes>>> = running.iter().map(|_| None).collect();
    for request in running.iter_mut().flatten() {
        assert!(request.as_mut().now_or_never().is_none(), "it stands before its first batch");
    }
    let mut choices = Vec::new();
    while running.iter().any(Option::is_some) {
        let left: Vec<usize> = (0..running.len()).filter(|at| running[*at].is_some()).collect();
        let turn = turns.get(choices.len()).copied().unwrap_or(0);
        choices.push(left.len());
        let at = left[turn % left.len()];
        if let Some(answer) = running[at].as_mut().expect("it runs").as_mut().now_or_never() {
            (answers[at], running[at]) = (Some(answer), None);
        }
    }
    app.db.is_stepwise.set(false);
    (answers.into_iter().map(|answer| answer.expect("it ended")).collect(), choices)
}

/// Calls `story` with one list of turns after the other until every order was seen; how many there were.
fn in_every_order(mut story: impl FnMut(&[usize]) -> Vec<usize>) -> usize {
    let (mut turns, mut count) = (Vec::new(), 0);
    loop {
        count += 1;
        let choices = story(&turns);
        turns.resize(choices.len(), 0);
        let Some(last) = (0..turns.len()).rev().find(|at| turns[*at] + 1 < choices[*at]) else { return count };
        turns.truncate(last + 1);
        turns[last] += 1;
    }
}

#[track_caller]
fn nothing_works(app: &TestApp, answers: &[Response<Bytes>], turns: &[usize]) {
    for answer in answers.iter().filter(|answer| answer.status() == 200 && !answer.body().is_empty()) {
        let pair = tokens(answer);
        assert_eq!(app.ping(&pair.access), 401, "after {turns:?}");
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (400, "invalid_grant".into()), "after {turns:?}");
    }
}

fn connected(app: &TestApp) -> Tokens {
    app.db.forget();
    app.limiter.forget();
    app.connect(user::MARA_ADMIN, SCOPE)
}

/// K11
#[test]
fn one_of_three_concurrent_redemptions_succeeds_and_its_tokens_work() {
    let app = TestApp::new();
    let orders = in_every_order(|turns| {
        app.db.forget();
        app.limiter.forget();
        let code = app.code(user::MARA_ADMIN, SCOPE);
        let (answers, choices) = interleave(&app, (0..3).map(|_| redemption(&code)).collect(), turns);
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == 200);
        assert_eq!(won.len(), 1, "after {turns:?}");
        assert!(lost.iter().all(|answer| token_error(answer) == (400, "invalid_grant".into())), "after {turns:?}");
        let pair = tokens(won[0]);
        assert_eq!(app.ping(&pair.access), 200, "after {turns:?}");
        assert_eq!(app.refresh(&pair.refresh, &[]).status(), 200, "after {turns:?}");
        choices
    });
    assert!(orders > 30, "{orders}");
}

/// R6
#[test]
fn refreshes_in_any_order_get_one_successor_and_an_access_token_each() {
    let app = TestApp::new();
    let orders = in_every_order(|turns| {
        let pair = connected(&app);
        let (answers, choices) = interleave(&app, (0..2).map(|_| refreshing(&pair.refresh)).collect(), turns);
        let given: Vec<Tokens> = answers.iter().map(tokens).collect();
        assert_eq!(given[0].refresh, given[1].refresh, "after {turns:?}");
        assert_ne!(given[0].access, given[1].access, "after {turns:?}");
        assert!(given.iter().all(|pair| app.ping(&pair.access) == 200), "after {turns:?}");
        assert_eq!(app.db.count("SELECT count(*) FROM refresh_tokens"), 2, "after {turns:?}");
        choices
    });
    assert!(orders >= 6, "{orders}");
}

/// R14
#[test]
fn after_a_revocation_in_any_order_with_two_refreshes_nothing_works() {
    let app = TestApp::new();
    let orders = in_every_order(|turns| {
        let pair = connected(&app);
        let requests = vec![revocation(&pair.refresh), refreshing(&pair.refresh), refreshing(&pair.refresh)];
        let (answers, choices) = interleave(&app, requests, turns);
        assert_eq!(answers[0].status(), 200, "after {turns:?}");
        assert_eq!(app.ping(&pair.access), 401, "after {turns:?}");
        assert_eq!(token_error(&app.refresh(&pair.refresh, &[])), (400, "invalid_grant".into()), "after {turns:?}");
        nothing_works(&app, &answers, turns);
        choices
    });
    assert!(orders > 30, "{orders}");
}

/// K12, K14
#[test]
fn after_a_late_replay_in_any_order_with_a_refresh_nothing_works() {
    let app = TestApp::new();
    let orders = in_every_order(|turns| {
        app.db.forget();
        app.limiter.forget();
        let code = app.code(user::MARA_ADMIN, SCOPE);
        let pair = tokens(&app.redeem(&code, &[]));
        app.advance(std::time::Duration::from_secs(10));
        let (answers, choices) = interleave(&app, vec![redemption(&code), refreshing(&pair.refresh)], turns);
        assert_eq!(token_error(&answers[0]), (400, "invalid_grant".into()), "after {turns:?}");
        assert_eq!(app.ping(&pair.access), 401, "after {turns:?}");
        nothing_works(&app, &answers, turns);
        choices
    });
    assert!(orders >= 6, "{orders}");
}

/// R8, R14
#[test]
fn a_token_of_the_past_beside_its_successors_first_use_leaves_one_family_or_none() {
    let app = TestApp::new();
    in_every_order(|turns| {
        let first = connected(&app);
        let second = tokens(&app.refresh(&first.refresh, &[]));
        let requests = vec![refreshing(&first.refresh), refreshing(&second.refresh)];
        let (answers, choices) = interleave(&app, requests, turns);
        let ended = app.db.count("SELECT count(*) FROM grants WHERE revoked_at IS NOT NULL") == 1;
        assert_eq!(ended, answers[0].status() == 400, "after {turns:?}");
        if ended {
            nothing_works(&app, &answers, turns);
        } else if answers[0].status() != 503 {
            // 503: late, its siblings had moved on; that costs nobody the connection.
            assert_eq!(tokens(&answers[0]).refresh, second.refresh, "after {turns:?}");
        }
        assert!(app.db.count("SELECT count(*) FROM refresh_tokens") <= 3, "after {turns:?}");
        choices
    });
}

#[test]
fn refresh_that_two_rotations_overtake_gets_503_and_ends_no_connection() {
    let app = TestApp::new();
    let first = app.connect(user::MARA_ADMIN, SCOPE);
    app.db.is_stepwise.set(true);
    let mut late = Box::pin(app.start(refreshing(&first.refresh)));
    for _ in 0..2 {
        assert!(late.as_mut().now_or_never().is_none(), "it stands before its rotation");
    }
    app.db.is_stepwise.set(false);
    let second = tokens(&app.refresh(&first.refresh, &[]));
    let third = tokens(&app.refresh(&second.refresh, &[]));
    let answer = late.now_or_never().expect("nothing waits");
    assert_eq!(token_error(&answer), (503, "temporarily_unavailable".into()));
    assert_eq!((app.ping(&third.access), app.refresh(&third.refresh, &[]).status().as_u16()), (200, 200));
}

#[test]
fn one_of_two_concurrent_consent_answers_counts_and_the_other_gets_400() {
    let app = TestApp::new();
    for answers in
        [["approve", "approve"], ["approve", "deny"], ["deny", "deny"], ["switch", "approve"], ["switch", "switch"]]
    {
        let orders = in_every_order(|turns| {
            app.db.forget();
            app.limiter.forget();
            let browser = Browser::new(&app);
            let consent = browser.sign_in(&authorize_url(&[]), user::MARA_ADMIN);
            let requests = answers.iter().map(|answer| answering(&browser, &consent, answer)).collect();
            let (responses, choices) = interleave(&app, requests, turns);
            let mut statuses: Vec<u16> = responses.iter().map(|response| response.status().as_u16()).collect();
            let is_approved =
                answers.iter().zip(&statuses).any(|(answer, status)| (*answer, *status) == ("approve", 200));
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 400], "{answers:?} after {turns:?}");
            assert_eq!(
                app.db.count("SELECT count(*) FROM codes"),
                i64::from(is_approved),
                "{answers:?} after {turns:?}"
            );
            choices
        });
        assert!(orders >= 6, "{orders}");
    }
}
