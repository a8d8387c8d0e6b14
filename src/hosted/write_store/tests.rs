//! Each way a write can end: what is posted, what is recorded, what is said.

use super::super::testing::{Scene, pages};
use super::*;
use crate::mcp::{Error, InputContext, ServerHandler as _, ToolOutcome};
use crate::model::scope::ScopeSet;
use crate::ports::{Decision, HttpError, LimiterError};
use crate::upstream::testing::{FakeHttp, claims_of};
use serde_json::{Value, json};
use std::time::Duration;

const MANAGER: &[&str] = &["page.read", "incidents.manage"];

/// The pages, an effect that cannot be read, and then this answer to the post.
fn scene(status: u16, answer: Value) -> Scene {
    Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(MANAGER)), (200, json!([])), (status, answer)]))
}

fn refusing(status: u16, text: &str) -> Scene {
    scene(status, json!({ "error": text }))
}

async fn call(scene: &Scene) -> Result<ToolOutcome, Error> {
    call_with(scene, "create_incident", json!({ "page_id": 7, "title": "Slow", "description": "It is slow." })).await
}

async fn call_with(scene: &Scene, tool: &str, arguments: Value) -> Result<ToolOutcome, Error> {
    let Value::Object(arguments) = arguments else { unreachable!("an object") };
    scene.run(async |handler| handler.call(tool, arguments, &InputContext::default()).await.result).await
}

/// The number of requests that publish something.
fn posts(scene: &Scene) -> usize {
    let is_post =
        |request: &&http::Request<_>| request.method() == http::Method::POST && request.uri().query().is_none();
    scene.http.sent().iter().filter(is_post).count()
}

/// The one row's outcome and detail.
async fn recorded(scene: &Scene) -> (String, Option<String>) {
    let rows = scene.audit().await;
    assert_eq!(rows.len(), 1, "one attempt, one row");
    (rows[0].outcome.clone(), rows[0].detail.clone())
}

async fn check(scene: Scene, outcome: &str, detail: &str, says: &str) {
    let answer = call(&scene).await.expect("an outcome");
    assert!(answer.is_error && answer.text.contains(says), "{}", answer.text);
    assert_eq!(recorded(&scene).await, (outcome.to_owned(), Some(detail.to_owned())));
}

#[tokio::test]
async fn a_write_is_counted_posted_once_and_recorded() {
    let scene = scene(201, json!({ "id": 9 }));
    call(&scene).await.expect("an outcome");
    assert_eq!(posts(&scene), 1);
    assert_eq!(
        *scene.limiter.charged.borrow(),
        ["write:grant:grant-1", "write:page:7"],
        "the connection before the page"
    );
    let row = scene.audit().await.remove(0);
    assert_eq!((row.kind.as_str(), row.outcome.as_str(), row.detail), ("write", "done", None));
    assert_eq!((row.page_id, row.tool.as_deref()), (Some(PageId::new(7).expect("an id")), Some("create_incident")));
    assert_eq!((row.target_id.as_deref(), row.title.as_deref()), (Some("9"), Some("Slow")));
    assert_eq!(row.request_id, "request-1");
}

#[tokio::test]
async fn write_that_statibeat_already_had_is_distinguished_from_a_new_one() {
    let scene = scene(200, json!({ "id": 9 }));
    let report = call(&scene).await.expect("an outcome").structured.expect("a report");
    assert_eq!(report["replayed"], true);
    assert_eq!(recorded(&scene).await, ("done".to_owned(), Some("existed_already".to_owned())));
}

#[tokio::test]
async fn a_write_carries_the_write_scope_and_its_page_alone() {
    let scene = scene(201, json!({ "id": 9 }));
    call(&scene).await.expect("an outcome");
    let sent = scene.http.sent();
    let claims = claims_of(&sent[2]);
    assert_eq!((&claims["scope"], &claims["page_id"]), (&json!("mcp.incidents.write"), &json!(7)));
}

#[tokio::test]
async fn a_failed_read_for_the_duplicate_check_stops_no_write() {
    let incident =
        |named: Value| json!({ "page_id": 7, "title": "Slow", "description": "Slow.", "affected_items": named });
    let update = json!({ "page_id": 7, "incident_id": 9, "message": "It is slow." });
    for (tool, arguments, failed) in [
        ("create_incident", incident(json!([])), 501),
        ("create_incident", incident(json!([{ "id": 1 }])), 403),
        ("add_incident_update", update, 501),
    ] {
        let answers = [(200, pages(MANAGER)), (failed, json!({ "error": "no" })), (201, json!({ "id": 9 }))];
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering(answers));
        let answer = call_with(&scene, tool, arguments).await.expect("an outcome");
        assert!(!answer.is_error, "{tool}: {}", answer.text);
        assert_eq!((posts(&scene), recorded(&scene).await.0.as_str()), (1, "done"));
    }
}

#[tokio::test]
async fn a_limiter_outage_posts_nothing() {
    let answers = [(200, pages(MANAGER)), (200, json!([]))];
    let scene = Scene::new(ScopeSet::all(), FakeHttp::answering(answers)).limited(Err(LimiterError("down".into())));
    let answer = call(&scene).await.expect("an outcome");
    assert!(answer.is_error && answer.text.contains("nothing was published"), "{}", answer.text);
    assert_eq!(posts(&scene), 0);
    assert_eq!(recorded(&scene).await, ("failed".to_owned(), Some("limiter_unavailable".to_owned())));
}

#[tokio::test]
async fn a_write_over_the_limit_posts_nothing_and_names_the_wait() {
    let retry_after = Duration::from_secs(12);
    let answers = [(200, pages(MANAGER)), (200, json!([]))];
    let scene =
        Scene::new(ScopeSet::all(), FakeHttp::answering(answers)).limited(Ok(Decision::Limited { retry_after }));
    let answer = call(&scene).await.expect("an outcome");
    assert!(answer.is_error && answer.text.contains("12 seconds"), "{}", answer.text);
    assert_eq!(posts(&scene), 0);
    assert_eq!(recorded(&scene).await, ("limited".to_owned(), Some("connection".to_owned())));
}

#[tokio::test]
async fn each_refusal_of_statibeat_is_recorded_with_its_reason() {
    check(refusing(400, "unknown status"), "refused", "upstream_invalid", "unknown status").await;
    check(refusing(403, "no"), "refused", "upstream_forbidden", "StatiBeat refused: \"no\".").await;
    check(refusing(404, "gone"), "refused", "upstream_not_found", "Nothing was published").await;
    check(refusing(409, "external_id is taken"), "refused", "upstream_invalid", "external_id is taken").await;
    check(refusing(429, ""), "limited", "upstream_rate_limited", "limiting requests").await;
}

#[tokio::test]
async fn unconfirmed_write_has_unknown_outcome_and_is_not_repeated() {
    let says = "may or may not have been published";
    for error in [HttpError::Timeout, HttpError::Transport("reset".into()), HttpError::TooLarge] {
        let listed = FakeHttp::answering([(200, pages(MANAGER)), (200, json!([]))])
            .then(Err(error.clone()))
            .then(Err(error.clone()))
            .then(Err(error));
        let scene = Scene::new(ScopeSet::all(), listed);
        let answer = call(&scene).await.expect("an outcome");
        assert!(answer.is_error && answer.text.contains(says), "{}", answer.text);
        assert_eq!((posts(&scene), recorded(&scene).await.0.as_str()), (1, "unknown"));
    }
}

#[tokio::test]
async fn a_person_whose_access_ended_ends_the_call_and_is_recorded() {
    let scene = refusing(401, "user is disabled");
    assert_eq!(call(&scene).await.err(), Some(Error::AccessEnded));
    assert_eq!(recorded(&scene).await, ("refused".to_owned(), Some("user_ended".to_owned())));
}

#[tokio::test]
async fn a_refused_credential_is_our_fault_and_is_recorded() {
    let scene = refusing(401, "unknown key");
    assert!(matches!(call(&scene).await, Err(Error::Untrusted(_))));
    assert_eq!(recorded(&scene).await, ("failed".to_owned(), Some("credential_refused".to_owned())));
}

#[tokio::test]
async fn write_with_server_error_is_looked_up_before_answering() {
    for status in [500, 503] {
        let answers =
            [(200, pages(MANAGER)), (200, json!([])), (status, json!({})), (200, json!({ "id": 9, "title": "Slow" }))];
        let found = Scene::new(ScopeSet::all(), FakeHttp::answering(answers));
        let report = call(&found).await.expect("an outcome").structured.expect("a report");
        assert_eq!((&report["incident_id"], &report["replayed"]), (&json!(9), &json!(false)));
        assert_eq!(recorded(&found).await, ("done".to_owned(), Some("found_after_lost_answer".to_owned())));
        let answers = [(200, pages(MANAGER)), (200, json!([])), (status, json!({})), (404, json!({}))];
        let says = "may or may not have been published";
        check(Scene::new(ScopeSet::all(), FakeHttp::answering(answers)), "unknown", "outcome_unknown", says).await;
    }
}

#[tokio::test]
async fn nothing_is_posted_that_cannot_be_put_on_record() {
    let answers = [(200, pages(MANAGER)), (200, json!([]))];
    let mut scene = Scene::new(ScopeSet::all(), FakeHttp::answering(answers));
    scene.db.is_down = true;
    let answer = call(&scene).await.expect("an outcome");
    assert!(answer.is_error && answer.text.contains("nothing was published"), "{}", answer.text);
    assert_eq!(posts(&scene), 0);
    assert!(scene.log.borrow()[0].contains("request-1"));
}

#[test]
fn published_text_is_not_stored() {
    let document = json!({
        "id": 9, "incident_id": 4, "title": "T", "description": "secret", "message": "secret", "impact": "secret",
        "lifecycle_stage": { "id": 1, "name": "Investigating" }, "updates": [{ "message": "secret" }],
        "latest_update": { "message": "secret" }, "author": { "name": "secret" }, "external_id": "x",
    });
    let kept = remembered(&document);
    assert!(!kept.to_string().contains("secret"), "{kept}");
    assert_eq!((&kept["id"], &kept["incident_id"], &kept["title"]), (&json!(9), &json!(4), &json!("T")));
    assert_eq!(kept["lifecycle_stage"]["name"], "Investigating");
}
