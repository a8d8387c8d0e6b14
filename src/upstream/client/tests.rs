use super::super::circuit_breaker::FAILURES;
use super::super::testing::{ClientFixture, FakeHttp, claims_of};
use super::*;
use crate::catalog::Write;
use crate::model::operation::Operation;
use serde_json::json;

fn page() -> AccessiblePage {
    AccessiblePage::parse(&json!({ "id": 7, "organization_id": 3, "name": "Acme", "permissions": [] })).expect("a page")
}

#[tokio::test]
async fn the_assertion_carries_only_the_scope_this_call_needs() {
    let http = FakeHttp::answering([(200, json!({})), (200, json!({}))]);
    let fixture = ClientFixture::new();
    let client = fixture.client(&http);
    let user = fixture.user(&client);
    user.get(Scope::PagesRead, "me").await.expect("an answer");
    user.page(&page(), Scope::IncidentsRead).get("incidents/9").await.expect("an answer");
    let sent = http.sent();
    let (me, incident) = (claims_of(&sent[0]), claims_of(&sent[1]));
    assert_eq!((&me["scope"], me.get("page_id")), (&json!("mcp.pages.read"), None));
    assert_eq!((&incident["scope"], &incident["page_id"]), (&json!("mcp.incidents.read"), &json!(7)));
    assert_ne!(me["jti"], incident["jti"]);
}

#[tokio::test]
async fn a_call_is_addressed_and_attributed() {
    let http = FakeHttp::answering([(200, json!({}))]);
    let fixture = ClientFixture::new();
    let client = fixture.client(&http);
    fixture.user(&client).page(&page(), Scope::IncidentsRead).get("incidents?limit=5").await.expect("an answer");
    let request = &http.sent()[0];
    let url = "https://api.example/api/v1/orgs/3/pages/7/admin/incidents";
    assert_eq!(request.uri().to_string(), format!("{url}?limit=5"));
    assert_eq!(claims_of(request)["htu"], url);
    let header = |name: &str| request.headers()[name].to_str().expect("text");
    assert_eq!(header("x-statibeat-source"), "hosted_mcp");
    assert_eq!(header("x-statibeat-client-id"), "cursor");
    assert_eq!(header("x-statibeat-connection-id"), "grant-1");
    assert_eq!(header("x-request-id"), "request-1");
}

#[tokio::test]
async fn a_write_is_bound_to_its_body() {
    let http = FakeHttp::answering([(201, json!({ "id": 1 }))]);
    let fixture = ClientFixture::new();
    let client = fixture.client(&http);
    let write = Write::new(Operation::CreateIncident, json!({ "title": "t" }));
    let answer = fixture.user(&client).page(&page(), Scope::IncidentsWrite).write(&write).await.expect("an answer");
    assert!(answer.is_new);
    let request = &http.sent()[0];
    assert_eq!((request.method(), request.body().as_ref()), (&Method::POST, br#"{"title":"t"}"#.as_slice()));
    assert_eq!(claims_of(request)["bh"], "_TLwGVSoLYGSQxvwyNL-ItjBCp1iofSq2WIosGXmzGU");
    assert_eq!(request.headers()[CONTENT_TYPE], JSON);
}

#[tokio::test]
async fn a_read_is_repeated_once_with_an_assertion_of_its_own_and_a_write_never() {
    let lost = || Err(crate::ports::HttpError::Transport("reset".into()));
    let http = FakeHttp::script([lost()]).then(lost()).then(lost());
    let fixture = ClientFixture::new();
    let client = fixture.client(&http);
    assert!(fixture.user(&client).get(Scope::PagesRead, "me").await.is_err());
    let sent = http.sent();
    assert_eq!(sent.len(), 2);
    assert_ne!(claims_of(&sent[0])["jti"], claims_of(&sent[1])["jti"]);
    let write = Write::new(Operation::CreateIncident, json!({}));
    assert!(fixture.user(&client).page(&page(), Scope::IncidentsWrite).write(&write).await.is_err());
    assert_eq!(http.sent().len(), 3);
}

#[tokio::test]
async fn dry_run_is_bound_to_its_body_and_repeated_like_a_read() {
    let lost = Err(crate::ports::HttpError::Transport("reset".into()));
    let effect = http::Response::builder().status(200).body(Bytes::from_static(b"{}")).expect("a response");
    let http = FakeHttp::script([lost]).then(Ok(effect));
    let fixture = ClientFixture::new();
    let client = fixture.client(&http);
    let write = Write::new(Operation::CreateIncident, json!({ "title": "t" }));
    fixture.user(&client).page(&page(), Scope::IncidentsWrite).dry_run(&write).await.expect("an answer");
    let url = "https://api.example/api/v1/orgs/3/pages/7/admin/incidents";
    let sent = http.sent();
    assert_eq!(sent.len(), 2);
    for request in &sent {
        assert_eq!((request.method(), request.uri().to_string()), (&Method::POST, format!("{url}?dry_run=true")));
        assert_eq!((&claims_of(request)["htu"], &claims_of(request)["htm"]), (&json!(url), &json!("POST")));
        assert_eq!(claims_of(request)["bh"], "_TLwGVSoLYGSQxvwyNL-ItjBCp1iofSq2WIosGXmzGU");
    }
    assert_ne!(claims_of(&sent[0])["jti"], claims_of(&sent[1])["jti"]);
}

#[tokio::test]
async fn assertion_is_signed_with_the_time_of_its_own_sending() {
    let http = FakeHttp::answering([(200, json!({})), (503, json!({})), (200, json!({}))]);
    let fixture = ClientFixture::new();
    let clock = || (http.sent().len() as u64 * 60 + 7) * 1000;
    let client = Client { clock: &clock, ..fixture.client(&http) };
    fixture.user(&client).get(Scope::PagesRead, "me").await.expect("an answer");
    fixture.user(&client).get(Scope::PagesRead, "me").await.expect("an answer to the second try");
    let times = |request| (claims_of(request)["iat"].clone(), claims_of(request)["exp"].clone());
    let times: Vec<_> = http.sent().iter().map(times).collect();
    assert_eq!(times, [7, 67, 127].map(|sent_at| (json!(sent_at), json!(sent_at + 60))));
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_no_utf_8_is_malformed() {
    for body in [&b"<html>"[..], b"{\"name\":\"\xff\"}", b"\xff", b""] {
        let http = FakeHttp::script([Ok(http::Response::new(Bytes::copy_from_slice(body)))]);
        let fixture = ClientFixture::new();
        let client = fixture.client(&http);
        let answer = fixture.user(&client).get(Scope::PagesRead, "me").await;
        assert!(answer.is_err_and(|error| error.kind == ApiErrorKind::Malformed), "{body:?}");
    }
}

#[tokio::test]
async fn error_that_is_no_outage_does_not_open_the_circuit() {
    for (status, body) in
        [(302, "{}"), (400, "{}"), (401, "{}"), (403, "{}"), (404, "{}"), (429, "{}"), (200, "<html>")]
    {
        let answer = || Ok(http::Response::builder().status(status).body(Bytes::from(body)).expect("a response"));
        let http = FakeHttp::script((0..=FAILURES).map(|_| answer()));
        let fixture = ClientFixture::new();
        let client = fixture.client(&http);
        for _ in 0..=FAILURES {
            let error = fixture.user(&client).get(Scope::PagesRead, "me").await.expect_err("an error");
            assert_ne!(error.kind, ApiErrorKind::CircuitOpen, "{status}");
        }
    }
}
