//! Exactly once, through the whole path: repeated calls, lost answers, storage that stumbles, keys that conflict.

use crate::support::TestApp;
use crate::support::database::Failure;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use serde_json::{Value, json};
use std::time::Duration;

const ALL: &str = "mcp.pages.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read mcp.maintenances.write";
const POSTS: &str = "/api/v1/orgs/*/pages/*/admin/incidents";
const LOOK_UPS: &str = "/api/v1/orgs/*/pages/*/admin/incidents/external/*";

struct Story {
    app: TestApp,
    token: String,
}

impl Story {
    fn new() -> Self {
        let app = TestApp::new();
        let token = app.connect(user::THEO_MANAGER, ALL).access;
        // The first use of a connection is noted in the database; that is over now.
        app.ping(&token);
        app.upstream.take_calls();
        Self { app, token }
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.app.call_tool(&self.token, tool, &arguments)
    }

    fn create(&self, arguments: Value) -> Value {
        self.call("create_incident", arguments)
    }

    /// Returns the number of incidents of this title on the page.
    fn published(&self, title: &str) -> usize {
        let active = self.app.read(&self.token, "statibeat://pages/42/incidents/active");
        active["incidents"].as_array().expect("a list").iter().filter(|incident| incident["title"] == title).count()
    }

    fn audited(&self, outcome: &str) -> i64 {
        self.app.db.count(&format!("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = '{outcome}'"))
    }
}

fn outage() -> Value {
    json!({ "page_id": 42, "title": "API down", "description": "Requests fail.", "affected_items_freetext": "Public API" })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut arguments = outage();
    arguments[name] = value.into();
    arguments
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("text")
}

#[test]
fn a_repeated_call_gets_the_first_result_and_posts_nothing() {
    let story = Story::new();
    let first = story.create(outage());
    let again = story.create(outage());
    assert_eq!(story.app.take_posts(), 1);
    let (first, again) = (&first["structuredContent"], &again["structuredContent"]);
    assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
    for field in ["incident_id", "title", "status", "state", "public_url", "admin_url", "resource_uri"] {
        assert_eq!(first[field], again[field], "{field}");
    }
    assert_eq!(first["remaining_writes"], again["remaining_writes"], "a replay costs nothing");
    assert_ne!(first["audit_id"], again["audit_id"]);
    assert_eq!((story.audited("done"), story.audited("replayed")), (1, 1));
}

#[test]
fn another_write_under_the_same_key_is_a_conflict_that_names_what_differs() {
    let story = Story::new();
    story.create(with("idempotency_key", "k"));
    let conflict = story
        .create(json!({ "page_id": 42, "title": "Other", "description": "Requests fail.", "idempotency_key": "k" }));
    assert!(conflict["isError"] == true && text(&conflict).contains("`title`"), "{conflict}");
    assert!(
        text(&conflict).contains("`affected_items_freetext`") && !text(&conflict).contains("`description`"),
        "{conflict}"
    );
    assert_eq!(story.app.take_posts(), 1);
}

#[test]
fn key_of_another_tools_write_is_a_conflict_that_names_no_argument() {
    let story = Story::new();
    story.create(with("idempotency_key", "k"));
    let update = json!({ "page_id": 42, "incident_id": 1001, "message": "On it.", "idempotency_key": "k" });
    let refused = story.call("add_incident_update", update);
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(text(&refused).contains("used for a call of another tool. Nothing was published."), "{refused}");
    assert!(!text(&refused).contains('`'), "{refused}");
}

#[test]
fn another_key_publishes_the_same_text_once_more() {
    let story = Story::new();
    let update = json!({ "page_id": 42, "title": "Notice", "description": "Nothing is named." });
    let keyed = |key: &str| {
        let mut arguments = update.clone();
        arguments["idempotency_key"] = json!(key);
        arguments
    };
    story.create(keyed("a"));
    story.create(keyed("b"));
    story.create(keyed("a"));
    assert_eq!((story.app.take_posts(), story.published("Notice")), (2, 2));
}

#[test]
fn lost_response_is_looked_up_before_answering() {
    let story = Story::new();
    story.app.upstream.inject(Some("POST"), POSTS, FaultKind::DropAfter);
    let result = story.create(outage());
    assert_eq!(
        (&result["isError"], &result["structuredContent"]["replayed"]),
        (&json!(false), &json!(false)),
        "{result}"
    );
    assert_eq!((story.app.take_posts(), story.published("API down"), story.audited("done")), (1, 1, 1));
}

#[test]
fn a_request_that_never_arrived_is_unknown_until_it_is_repeated() {
    let story = Story::new();
    story.app.upstream.inject(Some("POST"), POSTS, FaultKind::DropBefore);
    let lost = story.create(outage());
    assert!(lost["isError"] == true && text(&lost).contains("Call again"), "{lost}");
    assert_eq!((story.app.take_posts(), story.published("API down"), story.audited("unknown")), (1, 0, 1));
    let again = story.create(outage());
    assert_eq!(again["structuredContent"]["replayed"], false, "{again}");
    assert_eq!((story.app.take_posts(), story.published("API down")), (1, 1));
    let resolved = "SELECT count(*) FROM audit WHERE outcome = 'unknown' AND resolution = 'done'";
    assert_eq!(story.app.db.count(resolved), 1);
}

#[test]
fn write_with_an_unknown_outcome_is_not_posted_again_while_it_cannot_be_looked_up() {
    let story = Story::new();
    story.app.upstream.inject(Some("POST"), POSTS, FaultKind::DropBefore);
    story.create(outage());
    assert_eq!(story.app.take_posts(), 1);
    for code in [500, 403] {
        let failing = FaultKind::Status { code, retry_after: None };
        story.app.upstream.inject_times(3, Some("GET"), LOOK_UPS, failing);
        let unresolved = story.create(outage());
        assert_eq!(unresolved["isError"], true, "{code}: {unresolved}");
        assert_eq!((story.app.take_posts(), story.published("API down")), (0, 0), "{code}");
        story.app.upstream.simulator.clear_faults();
    }
    assert_eq!(story.create(outage())["structuredContent"]["replayed"], false);
    assert_eq!((story.app.take_posts(), story.published("API down")), (1, 1));
}

#[test]
fn write_under_the_clients_own_id_that_was_published_unseen_is_found_without_another_request() {
    let story = Story::new();
    let own = with("external_id", "ours");
    story.app.upstream.inject(Some("POST"), POSTS, FaultKind::DropAfter);
    let failing = FaultKind::Status { code: 500, retry_after: None };
    story.app.upstream.inject_times(3, Some("GET"), LOOK_UPS, failing);
    let unknown = story.create(own.clone());
    assert_eq!((&unknown["isError"], story.app.take_posts()), (&json!(true), 1), "{unknown}");
    story.app.upstream.simulator.clear_faults();
    let found = story.create(own);
    assert_eq!(found["structuredContent"]["replayed"], true, "{found}");
    assert_eq!((story.app.take_posts(), story.published("API down")), (0, 1));
}

#[test]
fn a_write_whose_end_could_not_be_stored_is_found_by_the_next_call() {
    for failure in [Failure::Before, Failure::After] {
        let story = Story::new();
        // The token check, the lease and its last check pass; the end does not.
        story.app.db.fail_after(3, failure);
        let first = story.create(outage());
        assert_ne!(first["isError"], true, "{first}");
        story.app.db.heal();
        story.app.advance(Duration::from_mins(2));
        let again = story.create(outage());
        assert_eq!(again["structuredContent"]["replayed"], true, "{again}");
        assert_eq!(again["structuredContent"]["incident_id"], first["structuredContent"]["incident_id"]);
        assert_eq!((story.app.take_posts(), story.published("API down")), (1, 1));
    }
}

#[test]
fn lease_that_could_not_be_stored_posts_nothing() {
    for failure in [Failure::Before, Failure::After] {
        let story = Story::new();
        story.app.db.fail_after(1, failure);
        let refused = story.create(outage());
        assert!(refused["isError"] == true && text(&refused).contains("nothing was published"), "{refused}");
        story.app.db.heal();
        assert_eq!(story.app.take_posts(), 0);
        story.app.advance(Duration::from_mins(2));
        assert_eq!(story.create(outage())["structuredContent"]["replayed"], false);
        assert_eq!((story.app.take_posts(), story.published("API down")), (1, 1));
    }
}

#[test]
fn lease_of_unconfirmed_acquisition_is_reported_as_running() {
    let story = Story::new();
    story.app.db.fail_after(1, Failure::After);
    story.create(outage());
    story.app.db.heal();
    let running = story.create(outage());
    assert!(running["isError"] == true && text(&running).contains("120 seconds"), "{running}");
    assert_eq!(story.app.take_posts(), 0);
}

#[test]
fn another_incident_on_the_same_components_is_asked_about() {
    let story = Story::new();
    let first = story.create(outage());
    story.app.advance(Duration::from_mins(6));
    let second = story.create(with("title", "API gone"));
    let id = first["structuredContent"]["incident_id"].to_string();
    assert!(second["isError"] == true && text(&second).contains(&id), "{second}");
    assert!(
        text(&second).contains("opened 6 minutes ago") && text(&second).contains("add_incident_update"),
        "{second}"
    );
    assert_eq!((story.app.take_posts(), story.audited("refused")), (1, 1));
    story.app.advance(Duration::from_mins(40));
    let later = story.create(with("title", "API gone"));
    assert!(later["isError"] == true && text(&later).contains("opened 46 minutes ago"), "{later}");
}

#[test]
fn new_incident_like_an_open_one_is_asked_about_with_what_matches() {
    let story = Story::new();
    // Incident 1001 affects components 102 and 103.
    for (affected, title, says) in [
        (json!([{ "id": 102 }]), "Logins fail", "affects the same component (\"API Gateway\")"),
        (json!([]), "errors in Europe:  API gateway", "has nearly the same title"),
    ] {
        let arguments =
            json!({ "page_id": 42, "title": title, "description": "It fails.", "affected_items": affected });
        let asked = story.create(arguments);
        assert!(asked["isError"] == true && text(&asked).contains("incident 1001"), "{asked}");
        assert!(text(&asked).contains(says), "{says}: {asked}");
    }
    assert_eq!(story.app.take_posts(), 0);
}

#[test]
fn external_id_used_by_another_write_is_refused() {
    let story = Story::new();
    assert_ne!(story.create(with("external_id", "ours"))["isError"], true);
    let mut other = with("external_id", "ours");
    other["title"] = json!("Other");
    other["affected_items_freetext"] = json!("Something else");
    story.app.upstream.inject(Some("POST"), POSTS, FaultKind::DropBefore);
    assert_eq!(story.create(other.clone())["isError"], true);
    let refused = story.create(other);
    assert!(refused["isError"] == true && text(&refused).contains("external_id is taken"), "{refused}");
    assert_eq!(story.published("Other"), 0);
    for bad in ["1/updates", "..", "a b", ""] {
        assert_eq!(story.create(with("external_id", bad))["isError"], true, "{bad}");
    }
}

#[test]
fn statibeat_knows_a_write_by_a_name_that_leads_to_its_audit_row() {
    let story = Story::new();
    let receipt = story.create(outage())["structuredContent"].clone();
    let requests = story.app.upstream.simulator.requests();
    let post = requests.iter().rfind(|request| request.method == "POST").expect("a post");
    let body: Value = serde_json::from_slice(&post.body).expect("JSON");
    assert_eq!(body["external_id"], format!("mcp-{}", receipt["audit_id"].as_str().expect("text")));
}

#[test]
fn a_preview_shows_everything_and_posts_nothing() {
    let story = Story::new();
    let mut arguments = with("preview", true);
    arguments["affected_items"] = json!([{ "id": 101 }]);
    arguments["description"] = json!("Node 10.0.4.17 fails.");
    let shown = story.create(arguments);
    let preview = &shown["structuredContent"]["preview"];
    assert_eq!((story.app.take_posts(), story.audited("previewed")), (0, 1), "{shown}");
    assert_eq!(preview["public_text"]["description"], "Node 10.0.4.17 fails.");
    assert!(preview["recipients"]["channels"].is_object(), "{shown}");
    assert!(preview["components"][0]["before"].is_string(), "{shown}");
    let warnings = shown["structuredContent"]["warnings"].to_string();
    assert!(warnings.contains("ip-address"), "{warnings}");
    let handle = preview["confirm"].as_str().expect("a handle");
    assert!(text(&shown).contains(handle) && text(&shown).contains("nothing was published"), "{shown}");
}

#[test]
fn a_handle_confirms_its_write_once() {
    let story = Story::new();
    let handle = |story: &Story, arguments: Value| {
        let mut arguments = arguments;
        arguments["preview"] = json!(true);
        story.create(arguments)["structuredContent"]["preview"]["confirm"].clone()
    };
    story.create(outage());
    let similar = with("title", "Another");
    let confirmed = |arguments: &Value, handle: &Value| {
        let mut arguments = arguments.clone();
        arguments["confirm"] = handle.clone();
        arguments
    };
    assert_eq!(story.create(similar.clone())["isError"], true, "it looks like the first one");
    let of_similar = handle(&story, similar.clone());
    story.app.take_posts();
    let swapped = story.create(confirmed(&with("title", "A third"), &of_similar));
    assert!(
        swapped["isError"] == true && text(&swapped).contains("`title` differs from what was previewed"),
        "{swapped}"
    );
    assert_ne!(story.create(confirmed(&similar, &of_similar))["isError"], true);
    assert_eq!(story.app.take_posts(), 1);
    assert_eq!(story.create(confirmed(&similar, &of_similar))["structuredContent"]["replayed"], true);
    story.app.advance(Duration::from_mins(10));
    let late = story.create(confirmed(&similar, &of_similar));
    assert!(late["isError"] == true && text(&late).contains("10 minutes"), "{late}");
    assert_eq!(story.app.take_posts(), 0);
}

#[test]
fn unconfirmed_write_is_refused_if_every_write_needs_confirmation() {
    let app = TestApp::with(|name| (name == "HOSTED_MCP_CONFIRM_WRITES").then_some("always"));
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    let story = Story { app, token };
    story.app.take_posts();
    let bare = story.create(outage());
    assert!(bare["isError"] == true && text(&bare).contains("preview: true"), "{bare}");
    let handle = story.create(with("preview", true))["structuredContent"]["preview"]["confirm"].clone();
    assert_eq!(story.app.take_posts(), 0);
    assert_ne!(story.create(with("confirm", handle))["isError"], true);
    assert_eq!(story.app.take_posts(), 1);
    assert_eq!(story.create(outage())["structuredContent"]["replayed"], true, "a repeat needs no new confirmation");
}

#[test]
fn a_rule_warns_or_refuses_as_the_operator_says() {
    let story = Story::new();
    let warned = story.create(with("description", "Human error."));
    assert!(
        warned["structuredContent"]["warnings"][0].as_str().is_some_and(|text| text.starts_with("blame")),
        "{warned}"
    );
    let app = TestApp::with(|name| (name == "HOSTED_MCP_TEXT_RULES").then_some("blame=refuse"));
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    let story = Story { app, token };
    story.app.take_posts();
    let refused = story.create(with("description", "Human error."));
    assert!(refused["isError"] == true && text(&refused).contains("blame"), "{refused}");
    assert_eq!((story.app.take_posts(), story.audited("refused")), (0, 1));
}

#[test]
fn every_refusal_of_a_write_is_audited() {
    let story = Story::new();
    let reader = story.app.connect(user::THEO_MANAGER, "mcp.pages.read").access;
    let viewer = story.app.connect(user::INES_VIEWER, ALL).access;
    for (token, arguments) in [
        (&reader, outage()),
        (&viewer, outage()),
        (&story.token, with("page_id", 77)),
        (&story.token, with("title", 7)),
        (&story.token, with("confirm", "made.up.handle")),
    ] {
        story.app.call(token, "tools/call", json!({ "name": "create_incident", "arguments": arguments }));
    }
    for detail in ["scope", "role", "page", "arguments", "confirm_token_invalid"] {
        let row =
            format!("SELECT count(*) FROM audit WHERE kind = 'write' AND outcome = 'refused' AND detail = '{detail}'");
        assert_eq!(story.app.db.count(&row), 1, "{detail}");
    }
    assert_eq!(story.app.take_posts(), 0);
}
