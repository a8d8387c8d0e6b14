//! The surface over a scripted StatiBeat: what it asks for, and how often.

use super::settings::Settings;
use super::*;
use crate::model::timestamp::Timestamp;
use crate::upstream::testing::{FakeHttp, NOW};
use serde_json::json;
use std::cell::Cell;
use std::time::Duration;

fn context() -> Value {
    json!({ "organization": { "id": 3 }, "page": { "id": 7, "name": "Acme" } })
}

/// Bytes that a key ring does not take for a placeholder.
fn numbered(buffer: &mut [u8]) {
    for (byte, number) in buffer.iter_mut().zip(0..) {
        *byte = number;
    }
}

async fn with<T>(http: &FakeHttp, test: impl AsyncFnOnce(&PageHandler<'_>) -> T) -> T {
    with_clock(http, &|| NOW, test).await
}

async fn with_clock<T>(
    http: &FakeHttp,
    now: &dyn Fn() -> Timestamp,
    test: impl AsyncFnOnce(&PageHandler<'_>) -> T,
) -> T {
    let values = [("STATIBEAT_API_TOKEN", "secret"), ("STATIBEAT_BASE_URL", "https://status.example")];
    let find = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let settings = Settings::from_lookup(&find).expect("settings");
    let inputs = PageInputs { http, now, random: &numbered, log: &|_| {} };
    test(&PageHandler::new(&settings, inputs)).await
}

fn requested_paths(http: &FakeHttp) -> Vec<String> {
    http.sent().iter().map(|request| request.uri().path().replacen("/api/v1/", "", 1)).collect()
}

#[tokio::test]
async fn lists_ask_statibeat_for_nothing() {
    let http = FakeHttp::answering([]);
    with(&http, async |handler| {
        assert!(handler.resources().await.expect("a list").iter().all(|one| one.uri.starts_with("statibeat://page/")));
        assert!(
            !handler.resource_templates().is_empty() && handler.prompts().len() == 9 && handler.tools().len() == 16
        );
    })
    .await;
    assert!(requested_paths(&http).is_empty());
}

#[tokio::test]
async fn page_is_asked_for_once_a_minute() {
    let mut renamed = context();
    renamed["page"]["name"] = json!("Acme Cloud");
    let statuses = || (200, json!([]));
    let http = FakeHttp::answering([(200, context()), statuses(), statuses(), (200, renamed), statuses()]);
    let now = Cell::new(NOW);
    with_clock(&http, &|| now.get(), async |handler| {
        for (seconds, name) in [(0, "Acme"), (59, "Acme"), (60, "Acme Cloud")] {
            now.set(NOW + Duration::from_secs(seconds));
            let shown = handler.read("statibeat://page/status-definitions").await.result.expect("a body");
            assert_eq!(shown.body["page"]["name"], name, "after {seconds} s");
        }
    })
    .await;
    let read = "admin/status-definitions";
    assert_eq!(requested_paths(&http), ["context", read, read, "context", read]);
}

#[tokio::test]
async fn page_server_lists_no_resource_of_a_person_or_of_many_pages() {
    let http = FakeHttp::answering([]);
    with(&http, async |handler| {
        for uri in ["statibeat://me", "statibeat://pages", "statibeat://pages/7/summary", "statibeat://page", ""] {
            let found = handler.read(uri).await.result.map(|contents| contents.uri);
            assert!(matches!(&found, Err(Error::ResourceNotFound { .. })), "{uri}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn rejected_token_is_reported_and_checked_again_on_the_next_call() {
    let http = FakeHttp::answering([(401, json!({ "error": "revoked" })), (200, context()), (200, json!([]))]);
    with(&http, async |handler| {
        let refused = handler.read("statibeat://page/lifecycle-stages").await.result.map(|contents| contents.uri);
        assert!(matches!(refused, Err(Error::Forbidden(text)) if text.contains("STATIBEAT_API_TOKEN")));
        assert!(handler.read("statibeat://page/lifecycle-stages").await.result.is_ok());
    })
    .await;
}
