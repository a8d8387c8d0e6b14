//! Permissions: roles, token permissions, and pages that are not there for everybody.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::story::{CONTRACT, NOW, PAGE, Story};
use statibeat_contract::Operation;

const ALL_SCOPES: &str = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read \
                          mcp.maintenances.write mcp.analytics.read";

/// The external id of an incident of the seed, and of what [`named`] adds.
const NAMED: &str = "pagerduty-Q2TXAPI";

/// A story in which updates and a maintenance have an external id as well.
fn named() -> Story {
    let story = Story::new();
    let time = |at: i64| jiff::Timestamp::from_second(at).expect("in range").to_string();
    let update = json!({ "message": "M", "external_id": NAMED });
    let window = json!({
        "title": "T", "description": "D", "starts_at": time(NOW + 60), "ends_at": time(NOW + 120), "external_id": NAMED,
    });
    for (path, body) in
        [("/incidents/1001/updates", update.clone()), ("/maintenances/2001/updates", update), ("/maintenances", window)]
    {
        assert_eq!(story.user(1, ALL_SCOPES, "POST", &format!("{PAGE}{path}"), Some(body)).status, 201, "{path}");
    }
    story
}

/// The page operations whose openness to the connector is as asked, with a path that works.
fn operations(open_to_connector: bool) -> Vec<(&'static Operation, String)> {
    let fitting = CONTRACT.operations().iter().filter(|known| {
        let page_bound = known.path_pointer.contains("~1admin~1");
        page_bound && known.scopes.as_ref().is_some_and(|list| list.is_empty() != open_to_connector)
    });
    let with_path = fitting.map(|operation| {
        let template = operation.path_pointer.trim_start_matches("/paths/").replace("~1", "/");
        let noun = template.split('/').nth(2).unwrap_or("");
        let id = match noun {
            "maintenances" => "2001",
            "beats" => "501",
            _ => "1001",
        };
        let path = template.replace("{id}", id).replace("{external_id}", NAMED).replace("{update_external_id}", NAMED);
        (operation, path.replacen("/admin", PAGE, 1))
    });
    with_path.collect()
}

fn body_for(operation: &Operation) -> Option<Value> {
    let time = |at: i64| jiff::Timestamp::from_second(at).expect("in range").to_string();
    match operation.id.as_str() {
        "createIncident" => Some(json!({ "title": "T", "description": "D" })),
        "scheduleMaintenance" => Some(json!({
            "title": "T", "description": "D", "starts_at": time(NOW + 60), "ends_at": time(NOW + 120),
        })),
        "addIncidentUpdate" | "addMaintenanceUpdate" => Some(json!({ "message": "M" })),
        _ => None,
    }
}

/// The status each hosted operation gives a user.
fn statuses(story: &Story, user: u64) -> BTreeMap<String, (u16, String)> {
    let calls = operations(true).into_iter().map(|(operation, path)| {
        let reply = story.user(user, ALL_SCOPES, &operation.method, &path, body_for(operation));
        (operation.id.clone(), (reply.status, operation.permission.clone().unwrap_or_default()))
    });
    calls.collect()
}

#[test]
fn each_operation_takes_exactly_the_scopes_that_the_contract_names() {
    let story = named();
    for (operation, path) in operations(true) {
        let named = operation.scopes.as_deref().unwrap_or_default();
        for scope in ALL_SCOPES.split_whitespace() {
            let reply = story.user(1, scope, &operation.method, &path, body_for(operation));
            let covered = named.iter().any(|known| known == scope);
            assert_eq!(reply.status != 403, covered, "{} with {scope}", operation.id);
        }
    }
}

#[test]
fn operations_without_scopes_are_closed_to_the_connector() {
    let closed = operations(false);
    assert!(closed.len() > 15);
    for (operation, path) in closed {
        let refused = Story::new().user(1, ALL_SCOPES, &operation.method, &path, None);
        assert_eq!(refused.error(), "this endpoint is not open to the connector", "{}", operation.id);
    }
}

#[test]
fn managers_and_admins_may_use_all_of_the_connector() {
    let story = named();
    for user in [1, 2] {
        for (operation, (status, _)) in statuses(&story, user) {
            assert!(status < 300, "user {user}: {operation} gives {status}");
        }
    }
}

#[test]
fn a_viewer_may_read_all_but_analytics_and_write_nothing() {
    for (operation, (status, permission)) in statuses(&named(), 3) {
        let allowed = permission.rsplit('.').next() == Some("read") && permission != "analytics.read";
        assert_eq!(status, if allowed { 200 } else { 403 }, "{operation} ({permission})");
    }
}

#[test]
fn a_viewer_may_not_create_an_incident() {
    let body = json!({ "title": "T", "description": "D" });
    let path = format!("{PAGE}/incidents");
    let refused = Story::new().user(3, "mcp.incidents.write", "POST", &path, Some(body));
    assert_eq!(refused.error(), "permission incidents.manage is required on this page");
}

#[test]
fn a_page_of_others_and_a_page_that_is_not_there_look_the_same() {
    let story = Story::new();
    let pages = ["/orgs/9/pages/77", "/orgs/7/pages/77", "/orgs/9/pages/42", "/orgs/7/pages/4242", "/orgs/1/pages/1"];
    for user in [1, 2, 3, 4] {
        for page in pages {
            let refused = story.user(user, "mcp.pages.read", "GET", &format!("/api/v1{page}/admin/summary"), None);
            assert_eq!((refused.status, refused.json.to_string()), (404, r#"{"error":"page not found"}"#.to_owned()));
        }
    }
    let refused = story.user(4, "mcp.pages.read", "GET", &format!("{PAGE}/summary"), None);
    assert_eq!((refused.status, refused.error()), (404, "page not found"));
}

#[test]
fn the_other_organization_exists_for_its_own() {
    let own = Story::new().user(9, "mcp.pages.read", "GET", "/api/v1/orgs/9/pages/77/admin/summary", None);
    assert_eq!((own.status, &own.json["name"]), (200, &json!("Globex Status")));
}

#[test]
fn a_changed_role_counts_from_the_next_call_on() {
    let story = Story::new();
    let call = || story.user(2, "mcp.analytics.read", "GET", &format!("{PAGE}/analytics/summary"), None).status;
    assert_eq!(call(), 200);
    story.simulator.set_role(2, 42, Some("page_viewer")).expect("a known role");
    assert_eq!(call(), 403);
    story.simulator.set_role(2, 42, None).expect("a known user");
    assert_eq!(call(), 404);
    assert!(story.simulator.set_role(2, 42, Some("page_owner")).is_err());
    assert!(story.simulator.set_role(2, 4242, None).is_err());
}

#[test]
fn the_list_of_pages_says_what_the_role_allows() {
    let story = Story::new();
    let pages = |user| story.user(user, "mcp.pages.read", "GET", "/api/v1/me/pages", None);
    let ids = |user| pages(user).items().iter().filter_map(|page| page["id"].as_u64()).collect::<Vec<_>>();
    assert_eq!((ids(1), ids(2), ids(3), ids(4)), (vec![42, 43], vec![42], vec![42], vec![]));
    let permissions = pages(3).items()[0]["permissions"].clone();
    let expected = [
        "page.read",
        "status_definitions.read",
        "lifecycle_stages.read",
        "maintenance_lifecycle_stages.read",
        "hierarchy.read",
        "incidents.read",
        "maintenances.read",
        "synthetic_monitors.read",
    ];
    assert_eq!(permissions, json!(expected));
    assert_eq!(pages(2).items()[0]["permissions"].as_array().map(Vec::len), Some(12));
}

#[test]
fn a_token_reaches_as_far_as_its_permission_and_its_role() {
    let story = Story::new();
    let body = || Some(json!({ "title": "T", "description": "D" }));
    let write = |token: &str| story.token(token, "POST", "/api/v1/admin/incidents", body()).status;
    assert_eq!((write("sb_demo_admin_42"), write("sb_demo_write_42"), write("sb_demo_read_42")), (201, 201, 403));
    assert_eq!(story.token("sb_demo_read_42", "GET", "/api/v1/admin/analytics/summary", None).status, 200);
    assert_eq!(story.token("sb_demo_read_42", "GET", "/api/v1/admin/beats/actions", None).status, 403);
}

#[test]
fn a_token_is_of_one_page_and_of_no_user() {
    let story = Story::new();
    let other = story.token("sb_demo_admin_42", "GET", "/api/v1/orgs/7/pages/43/admin/summary", None);
    assert_eq!((other.status, other.error()), (404, "page not found"));
    assert_eq!(story.token("sb_demo_admin_42", "GET", "/api/v1/me", None).status, 403);
    let mut elsewhere = crate::story::request("GET", "/api/v1/admin/summary", Some("sb_demo_admin_42"), None);
    elsewhere.headers_mut().insert("host", "northwind-eu.localhost:8687".parse().expect("a host"));
    assert_eq!(story.send(&elsewhere).status, 404);
}
