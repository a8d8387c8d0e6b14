//! Every resource, through the whole path; who sees what; how many calls it takes.

use crate::support::flow::user;
use crate::support::{TestApp, json, surface};
use serde_json::{Value, json};

const ALL: &str = "mcp.pages.read mcp.incidents.read";

fn error_of(app: &TestApp, token: &str, uri: &str) -> Value {
    json(&app.call(token, "resources/read", json!({"uri": uri})))["error"].clone()
}

#[test]
fn the_signed_in_person_and_their_pages_can_be_read() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    assert_eq!(app.read(&token, "statibeat://me")["email"], "mara@northwind.example");
    let pages = app.read(&token, "statibeat://pages");
    let ids: Vec<i64> =
        pages["pages"].as_array().expect("a list").iter().filter_map(|page| page["id"].as_i64()).collect();
    assert_eq!(ids, [42, 43], "and nothing of another organization");
}

#[test]
fn every_listed_resource_can_be_read_and_names_its_page() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, surface::EVERYTHING).access;
    let listed = json(&app.call(&token, "resources/list", json!({})))["result"]["resources"].clone();
    let uris: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|entry| entry["uri"].as_str()).collect();
    assert_eq!(uris.len(), 3 + 2);
    for uri in uris {
        let body = app.read(&token, uri);
        if let Some(page) = uri.strip_prefix("statibeat://pages/").and_then(|rest| rest.split('/').next()) {
            assert_eq!(body["page"]["id"].to_string(), page, "{uri}: {body}");
            assert!(body["page"]["name"].is_string(), "{uri}");
        }
    }
}

#[test]
fn a_window_that_statibeat_does_not_compute_is_refused_and_not_clamped() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.analytics.read").access;
    let uri = |days: &str| format!("statibeat://pages/42/analytics/summary?window_days={days}");
    assert_eq!(app.read(&token, &uri("7"))["daily"]["rows"].as_array().map(Vec::len), Some(7));
    let default = app.read(&token, "statibeat://pages/42/analytics/summary");
    assert_eq!(default["analytics"]["window_days"], 30);
    app.upstream.take_calls();
    for days in ["0", "91", "x", "-1", "07"] {
        assert_eq!(error_of(&app, &token, &uri(days))["code"], -32602, "{days}");
    }
    assert!(app.upstream.take_calls().is_empty());
}

#[test]
fn an_incident_is_read_with_its_recent_updates() {
    let app = TestApp::new();
    let token = app.connect(user::INES_VIEWER, ALL).access;
    let active = app.read(&token, "statibeat://pages/42/incidents/active");
    let id = active["incidents"][0]["id"].as_i64().expect("an id");
    let detail = app.read(&token, &format!("statibeat://pages/42/incidents/{id}"));
    assert_eq!(detail["incident"]["id"], id);
    assert!(!detail["updates"]["items"].as_array().expect("updates").is_empty());
}

#[test]
fn the_hierarchy_is_a_tree_three_levels_deep() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    let tree = app.read(&token, "statibeat://pages/42/hierarchy").to_string();
    assert!(tree.matches(r#""children":[{"#).count() >= 2, "{tree}");
}

/// P7
/// Makes the two pages of a person more than a part of a list holds.
fn many_pages(document: &mut Value) {
    let pages =
        document["items"].as_array_mut().filter(|items| items.iter().any(|item| item["permissions"].is_array()));
    let Some(pages) = pages else { return };
    let copies = (0..120).map(|index| {
        let mut page = pages[0].clone();
        page["id"] = json!(1000 + index);
        page
    });
    *pages = copies.collect();
    document["total"] = json!(120);
}

#[test]
fn a_list_for_many_pages_comes_in_parts_that_cursors_lead_through() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, surface::EVERYTHING).access;
    app.upstream.rewrite(many_pages);
    let (mut uris, mut parts, mut params) = (std::collections::BTreeSet::new(), 0, json!({}));
    loop {
        let part = json(&app.call(&token, "resources/list", params))["result"].clone();
        let entries = part["resources"].as_array().expect("a list");
        assert!(entries.len() <= 100);
        let new = entries.iter().filter(|entry| uris.insert(entry["uri"].to_string())).count();
        assert_eq!(new, entries.len(), "nothing is listed twice");
        parts += 1;
        match part.get("nextCursor") {
            Some(next) => params = json!({ "cursor": next }),
            None => break,
        }
    }
    assert_eq!((uris.len(), parts), (3 + 120, 2));
    let pages = app.read(&token, "statibeat://pages");
    assert_eq!((&pages["total"], pages["truncated"].is_boolean()), (&json!(120), true));
}

#[test]
fn an_unknown_and_a_forbidden_page_answer_alike() {
    let app = TestApp::new();
    let token = app.connect(user::THEO_MANAGER, ALL).access;
    let normal =
        |id: &str| error_of(&app, &token, &format!("statibeat://pages/{id}/summary")).to_string().replace(id, "X");
    let unknown = normal("999999");
    assert!(unknown.contains("-32002"), "{unknown}");
    for forbidden in ["43", "77"] {
        assert_eq!(normal(forbidden), unknown, "{forbidden}");
    }
}

/// P6
#[test]
fn resource_without_its_scope_gets_403_and_no_upstream_call() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
    app.upstream.take_calls();
    let answer = app.call(&token, "resources/read", json!({"uri": "statibeat://pages/42/incidents/active"}));
    assert_eq!(answer.status(), 403);
    assert!(app.upstream.take_calls().is_empty());
}

#[test]
fn a_read_takes_one_database_read_and_no_upstream_call_it_does_not_need() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, ALL).access;
    app.ping(&token);
    let pages = "GET /api/v1/me/pages";
    // The consent page has listed the pages within the last minute.
    let admin = "GET /api/v1/orgs/7/pages/42/admin";
    let incident = app.read(&token, "statibeat://pages/42/incidents/active")["incidents"][0]["id"].to_string();
    for (uri, calls) in [
        ("statibeat://me".to_owned(), vec!["GET /api/v1/me".to_owned()]),
        ("statibeat://pages".to_owned(), vec![pages.to_owned()]),
        ("statibeat://pages/42/summary".to_owned(), vec![format!("{admin}/summary")]),
        (
            "statibeat://pages/42/hierarchy".to_owned(),
            vec![format!("{admin}/hierarchy/levels"), format!("{admin}/hierarchy/items")],
        ),
        ("statibeat://pages/42/incidents/active".to_owned(), vec![format!("{admin}/incidents?status=active&limit=50")]),
        (format!("statibeat://pages/42/incidents/{incident}"), vec![format!("{admin}/incidents/{incident}")]),
    ] {
        let batches = app.db.batches.get();
        app.upstream.take_calls();
        app.read(&token, &uri);
        assert_eq!(app.upstream.take_calls(), calls, "{uri}");
        assert_eq!(app.db.batches.get() - batches, 1, "{uri}");
    }
}
