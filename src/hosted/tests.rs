//! Lists, reads and calls, as far as access decides them.

use super::testing::{Scene, pages};
use super::*;
use crate::catalog::tools::TOOLS;
use crate::model::scope::{Scope, ScopeSet};
use crate::ports::HttpError;
use crate::upstream::testing::{FakeHttp, claims_of};
use serde_json::json;

const READER: &[&str] = &["page.read", "incidents.read", "hierarchy.read"];
const MANAGER: &[&str] = &["page.read", "incidents.read", "incidents.manage"];

async fn read(scene: &Scene, uri: &str) -> Result<Value, Error> {
    scene.run(async |handler| Ok(handler.read(uri).await.result?.body)).await
}

async fn call(scene: &Scene, arguments: Value) -> Result<ToolOutcome, Error> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    scene.run(async |handler| handler.call("create_incident", arguments, &InputContext::default()).await.result).await
}

async fn refusal(scene: &Scene, arguments: Value) -> String {
    let outcome = call(scene, arguments).await.expect("an outcome");
    assert!(outcome.is_error && outcome.structured.is_none());
    outcome.text
}

fn incident() -> Value {
    json!({ "page_id": 7, "title": "Slow", "description": "It is slow." })
}

#[tokio::test]
async fn a_page_read_asks_for_the_pages_and_then_for_its_own_reads() {
    let answers = [(200, pages(READER)), (200, json!([])), (200, json!([]))];
    let scene = Scene::new(ScopeSet::baseline(), FakeHttp::answering(answers));
    read(&scene, "statibeat://pages/7/hierarchy").await.expect("a body");
    let page = "/orgs/3/pages/7/admin";
    assert_eq!(
        scene.requested_paths(),
        ["/me/pages", &format!("{page}/hierarchy/levels"), &format!("{page}/hierarchy/items")]
    );
}

/// Reads an incident twice, with these answers to the second read; returns the result and its requests.
async fn read_again(answers: &[(u16, Value)]) -> (Result<Value, Error>, Vec<String>) {
    let first = [(200, pages(READER)), (200, json!({ "id": 9, "title": "first" }))];
    let answers = FakeHttp::answering(first.into_iter().chain(answers.iter().cloned()));
    let scene = Scene::new(Scope::IncidentsRead.into(), answers);
    read(&scene, "statibeat://pages/7/incidents/9").await.expect("a body");
    let answer = read(&scene, "statibeat://pages/7/incidents/9").await;
    (answer, scene.requested_paths().split_off(2))
}

const INCIDENT: &str = "/orgs/3/pages/7/admin/incidents/9";

#[tokio::test]
async fn page_seen_before_is_read_without_its_list() {
    let (answer, asked) = read_again(&[(200, json!({ "id": 9, "title": "second" }))]).await;
    assert!(answer.expect("a body").to_string().contains("second"));
    assert_eq!(asked, [INCIDENT]);
}

#[tokio::test]
async fn refused_read_of_a_page_seen_before_is_explained_from_the_list() {
    for (status, list) in
        [(404, json!({ "items": [] })), (403, pages(&["page.read"])), (404, pages(&["incidents.read"]))]
    {
        let (answer, asked) = read_again(&[(status, json!({ "error": "no" })), (200, list)]).await;
        assert!(matches!(answer, Err(Error::ResourceNotFound { .. } | Error::Forbidden(_))), "{answer:?}");
        assert_eq!(asked, [INCIDENT, "/me/pages"]);
    }
}

#[tokio::test]
async fn page_that_moved_to_another_organization_is_read_at_its_new_address() {
    let mut moved = pages(READER);
    moved["items"][0]["organization_id"] = json!(4);
    let (old, new) = ((404, json!({ "error": "no" })), (200, json!({ "id": 9, "title": "new" })));
    let (answer, asked) = read_again(&[old, (200, moved), new]).await;
    assert!(answer.expect("a body").to_string().contains("new"));
    assert_eq!(asked.last().map(String::as_str), Some("/orgs/4/pages/7/admin/incidents/9"));
}

#[tokio::test]
async fn a_session_read_asks_for_nothing_else() {
    let scene = Scene::new(ScopeSet::baseline(), FakeHttp::answering([(200, json!({ "id": 42 }))]));
    assert_eq!(read(&scene, "statibeat://me").await.expect("a body")["id"], 42);
    assert_eq!(scene.requested_paths(), ["/me"]);
}

#[tokio::test]
async fn every_call_of_a_read_carries_only_the_scope_of_its_entry() {
    let answers = [(200, pages(READER)), (200, json!({ "id": 9 }))];
    let scene = Scene::new(ScopeSet::all(), FakeHttp::answering(answers));
    read(&scene, "statibeat://pages/7/incidents/9").await.expect("a body");
    for request in scene.http.sent() {
        assert_eq!(claims_of(&request)["scope"], "mcp.incidents.read");
    }
}

#[tokio::test]
async fn an_unknown_page_and_a_forbidden_page_answer_alike() {
    let of = async |permissions: &[&str], uri: &str| {
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(permissions))]));
        let error = read(&scene, uri).await.expect_err("no access");
        assert_eq!(scene.requested_paths(), ["/me/pages"]);
        error
    };
    let not_found =
        |uri: &str, message: &str| Error::ResourceNotFound { uri: uri.to_owned(), message: message.to_owned() };
    let (forbidden, unknown) = ("statibeat://pages/7/summary", "statibeat://pages/8/summary");
    assert_eq!(
        of(&["incidents.read"], forbidden).await,
        not_found(forbidden, "There is no page 7 that you can access. This connection can access no page.")
    );
    assert_eq!(
        of(READER, unknown).await,
        not_found(unknown, "There is no page 8 that you can access. Your pages: 7 \"Acme\".")
    );
}

#[tokio::test]
async fn unknown_uri_asks_statibeat_for_nothing_but_the_pages_it_could_be_about() {
    for (uri, words, requested) in [
        ("statibeat://nothing", "There are statibeat://me", vec![]),
        ("https://pages/7/summary", "There are statibeat://me", vec![]),
        ("", "There are statibeat://me", vec![]),
        ("statibeat://pages/07/summary", "`page_id` must be a whole number", vec!["/me/pages"]),
        ("statibeat://pages/acme/summary", "`page_id` must be the number of a page: 7", vec!["/me/pages"]),
        ("statibeat://pages/{page_id}/summary", "Your pages: 7 \"Acme\"", vec!["/me/pages"]),
        ("statibeat://incidents/active", "Did you mean statibeat://pages/7/incidents/active?", vec!["/me/pages"]),
        ("statibeat://pages/7/incidents", "statibeat://pages/7/incidents/resolved", vec!["/me/pages"]),
        ("statibeat://pages/8/incidents", "There is no page 8 that you can access. Your pages: 7", vec!["/me/pages"]),
    ] {
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(READER))]));
        let error = read(&scene, uri).await.expect_err("no such resource");
        assert!(matches!(&error, Error::ResourceNotFound { message, .. } if message.contains(words)), "{uri}: {error}");
        assert_eq!(scene.requested_paths(), requested, "{uri}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_answered_before_anything_is_asked() {
    let scene = Scene::new(Scope::PagesRead.into(), FakeHttp::answering([]));
    let needed = ScopeSet::from(Scope::IncidentsRead);
    let answer = read(&scene, "statibeat://pages/7/incidents/active").await;
    assert_eq!(answer, Err(Error::InsufficientScope { needed }));
}

#[tokio::test]
async fn a_missing_role_is_forbidden_in_words_and_reads_nothing_more() {
    let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(&["page.read"]))]));
    let answer = read(&scene, "statibeat://pages/7/incidents/active").await;
    assert!(matches!(answer, Err(Error::Forbidden(text)) if text.contains("see incidents")));
    assert_eq!(scene.requested_paths(), ["/me/pages"]);
}

#[tokio::test]
async fn upstream_failure_is_answered_by_its_kind() {
    let uri = "statibeat://pages/7/incidents/9";
    let of = async |status, text: &str| {
        let answer = (status, json!({ "error": text }));
        let answers = [(200, pages(READER)), answer.clone(), answer.clone(), answer.clone(), answer];
        read(&Scene::new(ScopeSet::all(), FakeHttp::answering(answers)), uri).await.expect_err("an error")
    };
    assert!(matches!(of(404, "x").await, Error::ResourceNotFound { .. }));
    assert_eq!(of(400, "bad id").await, Error::InvalidParams("StatiBeat refused: \"bad id\"".to_owned()));
    assert_eq!(of(401, "user is disabled").await, Error::AccessEnded);
    assert!(matches!(of(401, "expired").await, Error::Untrusted(_)));
    assert!(matches!(of(429, "x").await, Error::Unavailable { .. }));
    assert!(matches!(of(503, "at 10.0.0.7").await, Error::Unavailable { reason, .. } if !reason.contains("10.0")));
    let lost = Scene::new(ScopeSet::all(), FakeHttp::script([Err(HttpError::Timeout)]));
    assert!(matches!(read(&lost, uri).await, Err(Error::Unavailable { .. })));
    assert_eq!(lost.log.borrow().len(), 1, "what clients do not see is in the log");
}

#[tokio::test]
async fn lists_show_what_scope_and_role_allow_together() {
    let listed = async |scopes: ScopeSet, permissions: &[&str]| -> Vec<String> {
        let scene = Scene::new(scopes, FakeHttp::answering([(200, pages(permissions))]));
        let listed = scene.run(async |handler| handler.resources().await).await.expect("a list");
        listed.into_iter().map(|resource| resource.uri.replace("statibeat://", "")).collect()
    };
    let all = ["me", "pages", "overview", "pages/7/writing"];
    let writing = [
        "page.read",
        "status_definitions.read",
        "lifecycle_stages.read",
        "maintenance_lifecycle_stages.read",
        "hierarchy.read",
    ];
    assert_eq!(listed(ScopeSet::all(), &writing).await, all);
    assert_eq!(listed(ScopeSet::all(), &writing[..4]).await, all[..3]);
    assert_eq!(listed(ScopeSet::all(), &writing[1..]).await, all[..3], "a page that cannot be read is not there");
    assert_eq!(listed(Scope::AnalyticsRead.into(), READER).await, Vec::<String>::new());
}

fn parsed(entry: &ListEntry) -> Value {
    serde_json::from_str(entry.get()).expect("JSON")
}

#[tokio::test]
async fn incidents_of_a_page_take_their_scope_and_role() {
    let has_access = async |scopes: ScopeSet, permissions: &[&str]| {
        let page = AccessiblePage::parse(&pages(permissions)["items"][0]).expect("a page");
        let scene = Scene::new(scopes, FakeHttp::answering([]));
        scene.run(async |handler| handler.incidents(&page).is_some()).await
    };
    assert!(has_access(Scope::IncidentsRead.into(), READER).await);
    assert!(!has_access(Scope::MaintenancesWrite.into(), READER).await);
    assert!(!has_access(ScopeSet::all(), &["page.read", "maintenances.manage"]).await);
}

#[tokio::test]
async fn templates_are_those_of_granted_scopes() {
    let scene = Scene::new(Scope::IncidentsRead.into(), FakeHttp::answering([]));
    let templates = scene.run(async |handler| handler.resource_templates()).await;
    let uris: Vec<Value> = templates.iter().map(|entry| parsed(entry)["uriTemplate"].clone()).collect();
    let paths = ["active", "resolved?item_id={item_id}", "{incident_id}"];
    assert_eq!(uris, paths.map(|path| format!("statibeat://pages/{{page_id}}/incidents/{path}")));
}

#[tokio::test]
async fn tools_are_listed_without_their_scope_and_need_a_page() {
    let scene = Scene::new(ScopeSet::EMPTY, FakeHttp::answering([]));
    let tools = scene.run(async |handler| handler.tools()).await;
    assert_eq!(tools.len(), TOOLS.iter().filter(|tool| tool.hosted.is_some()).count());
    for tool in tools.iter().map(parsed) {
        let schema = &tool["inputSchema"];
        assert_eq!(schema["required"][0], "page_id", "{tool}");
        assert_eq!(schema["properties"]["page_id"]["type"], "integer", "{tool}");
    }
}

#[tokio::test]
async fn a_call_without_its_scope_names_write_and_read() {
    let scene = Scene::new(ScopeSet::baseline(), FakeHttp::answering([]));
    let needed = ScopeSet::from_iter([Scope::IncidentsWrite, Scope::IncidentsRead]);
    assert_eq!(call(&scene, incident()).await.err(), Some(Error::InsufficientScope { needed }));
}

#[tokio::test]
async fn an_unknown_tool_is_named() {
    let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([]));
    let answer = scene
        .run(async |handler| handler.call("delete_incident", Map::new(), &InputContext::default()).await.result)
        .await;
    let error = answer.err().expect("no such tool").to_string();
    for words in ["\"delete_incident\"", "add_maintenance_update", "a person in StatiBeat", "admin_url"] {
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_all_named_and_nothing_is_asked_for_but_the_pages() {
    let arguments = |page_id: Value| json!({ "page_id": page_id, "title": "x", "color": "red" });
    for (page_id, requested) in [(json!(7), vec![]), (json!("seven"), vec!["/me/pages"])] {
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(MANAGER))]));
        let text = refusal(&scene, arguments(page_id)).await;
        for problem in ["`description`", "`color`"] {
            assert!(text.contains(problem), "{problem} in {text}");
        }
        let names_page =
            text.contains("`page_id` must be the number of a page (got text \"seven\"). Your pages: 7 \"Acme\";");
        assert_eq!(
            (names_page, scene.requested_paths()),
            (!requested.is_empty(), requested.iter().map(ToString::to_string).collect())
        );
    }
}

#[tokio::test]
async fn a_call_to_an_unknown_page_and_to_a_forbidden_page_answer_alike() {
    let of = async |permissions: &[&str], page_id: i64| {
        let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(permissions))]));
        let mut arguments = incident();
        arguments["page_id"] = json!(page_id);
        let text = refusal(&scene, arguments).await;
        assert_eq!(scene.requested_paths(), ["/me/pages"]);
        text.replace(&page_id.to_string(), "N")
    };
    assert_eq!(of(&["incidents.manage"], 7).await, of(&["incidents.manage"], 8).await);
}

#[tokio::test]
async fn a_call_without_the_role_posts_nothing() {
    let scene = Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(READER))]));
    let text = refusal(&scene, incident()).await;
    assert!(text.contains("manage incidents") && text.contains("Nothing was published"), "{text}");
    assert_eq!(scene.requested_paths(), ["/me/pages"]);
    let counted = scene.limiter.charged.borrow();
    assert!(!counted.iter().any(|counter| counter.starts_with("write:")), "no write is counted: {counted:?}");
}

#[tokio::test]
async fn a_call_reports_what_was_made() {
    let made = json!({ "id": 9, "title": "Slow", "status": "degraded" });
    let scene =
        Scene::new(ScopeSet::all(), FakeHttp::answering([(200, pages(MANAGER)), (200, json!([])), (201, made)]));
    let outcome = call(&scene, incident()).await.expect("an outcome");
    let structured = outcome.structured.expect("a report");
    assert!(!outcome.is_error);
    assert_eq!((&structured["incident_id"], &structured["page_id"]), (&json!(9), &json!(7)));
    assert_eq!((&structured["remaining_writes"], &structured["replayed"]), (&json!(29), &json!(false)));
    assert_eq!(structured["audit_id"], scene.audit().await[0].id.as_str());
    assert_eq!(outcome.links[0].0, "statibeat://pages/7/incidents/9");
    let schema =
        crate::catalog::find_tool("create_incident").and_then(crate::catalog::Tool::output_schema).expect("a schema");
    assert!(jsonschema::is_valid(&schema, &structured));
}

#[tokio::test]
async fn links_stay_within_the_granted_scopes() {
    let scene = Scene::new(
        Scope::IncidentsWrite.into(),
        FakeHttp::answering([(200, pages(MANAGER)), (200, json!([])), (201, json!({ "id": 9 }))]),
    );
    assert!(call(&scene, incident()).await.expect("an outcome").links.is_empty());
}
