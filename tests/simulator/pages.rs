//! The page itself, its public face, analytics, and addresses that lead nowhere.

use serde_json::json;

use crate::story::{PAGE, Story, request};

const ADMIN: &str = "sb_demo_admin_42";

#[test]
fn the_summary_counts_what_is_open() {
    let summary = Story::new().user(3, "mcp.pages.read", "GET", &format!("{PAGE}/summary"), None).json;
    assert_eq!(
        summary["overall_status"],
        json!({ "key": "partial_outage", "name": "Partial outage", "operational": false })
    );
    let counts = json!({ "active_incidents": 3, "active_maintenances": 1, "upcoming_maintenances": 2 });
    assert_eq!(summary["counts"], counts);
}

#[test]
fn the_hierarchy_is_three_levels_deep() {
    let story = Story::new();
    let items = story.user(3, "mcp.pages.read", "GET", &format!("{PAGE}/hierarchy/items"), None);
    assert!(items.items().len() >= 25);
    for item in items.items() {
        let parent = items.items().iter().find(|other| other["id"] == item["parent_id"]);
        let above = parent.map_or(0, |parent| parent["level"].as_u64().unwrap_or(0));
        assert_eq!(item["level"], above + 1, "{}", item["name"]);
    }
    assert!(items.items().iter().any(|item| item["level"] == 3));
}

#[test]
fn exactly_one_status_is_operational_and_it_comes_first() {
    let statuses = Story::new().user(3, "mcp.pages.read", "GET", &format!("{PAGE}/status-definitions"), None);
    let operational: Vec<_> = statuses.items().iter().map(|status| status["operational"] == true).collect();
    assert_eq!(operational, [true, false, false, false, false]);
}

#[test]
fn the_analytics_window_is_refused_outside_its_bounds() {
    let story = Story::new();
    let get = |query: &str| story.token(ADMIN, "GET", &format!("{PAGE}/analytics/summary{query}"), None);
    let days = |query: &str| get(query).json["daily"].as_array().map(Vec::len);
    assert_eq!((days(""), days("?window_days=1"), days("?window_days=90")), (Some(30), Some(1), Some(90)));
    for bad in ["?window_days=0", "?window_days=91", "?window_days=-1", "?window_days=7.5", "?days=7"] {
        assert_eq!(get(bad).status, 400, "{bad}");
    }
    assert_eq!(get("?window_days=90").json, get("?window_days=90").json);
}

#[test]
fn the_public_sees_public_pages_only() {
    let story = Story::new();
    for path in ["/api/v1/settings", "/api/v1/incidents", "/api/v1/maintenances"] {
        let of_host = |host: &str| {
            let mut request = request("GET", path, None, None);
            request.headers_mut().insert("host", host.parse().expect("a host"));
            story.send(&request).status
        };
        assert_eq!(of_host("northwind.localhost:8687"), 200);
        assert_eq!((of_host("northwind-eu.localhost:8687"), of_host("nowhere.localhost")), (404, 404));
    }
}

#[test]
fn an_address_that_leads_nowhere_is_not_found() {
    let story = Story::new();
    for path in ["/", "/api/v1", "/api/v2/me", "/api/v1/orgs/7/pages/42/admin", "/api/v1/admin/nothing", "/mcp"] {
        assert_eq!(story.send_unchecked(&request("GET", path, Some(ADMIN), None)).error(), "route not found", "{path}");
    }
    for path in ["/incidents/0", "/incidents/007", "/incidents/-1", "/incidents/x", "/incidents/99999999999999999999"] {
        let refused = story.token(ADMIN, "GET", &format!("{PAGE}{path}"), None);
        assert_eq!((refused.status, refused.error()), (400, "invalid ID parameter"), "{path}");
    }
}

#[test]
fn another_method_is_answered_with_the_ones_that_work() {
    let story = Story::new();
    let put = story.send_unchecked(&request("PUT", &format!("{PAGE}/incidents"), Some(ADMIN), None));
    assert_eq!((put.status, put.header("allow")), (405, "GET, POST"));
    let delete = story.send_unchecked(&request("DELETE", "/api/v1/me", Some(ADMIN), None));
    assert_eq!((delete.status, delete.header("allow")), (405, "GET"));
}
