//! Refusals that show what could have been named instead: only what this person and this grant may see.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{authorize_url, tokens, user};
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Value, json};

const BOTH_PAGES: &str =
    r#"42 "Northwind Cloud Status" (slug "northwind"), 43 "Northwind EU Status" (slug "northwind-eu")"#;

/// The text of a refused call.
fn refusal(app: &TestApp, token: &str, tool: &str, arguments: Value) -> String {
    let result = app.call_tool(token, tool, &arguments);
    assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
    result["content"][0]["text"].as_str().expect("a text").to_owned()
}

fn read_error(app: &TestApp, token: &str, uri: &str) -> String {
    let error = json(&app.call(token, "resources/read", json!({ "uri": uri })))["error"].clone();
    assert_eq!((&error["code"], &error["data"]["uri"]), (&json!(-32002), &json!(uri)), "{error}");
    error["message"].as_str().expect("a message").to_owned()
}

fn incident(page_id: Value, more: Value) -> Value {
    let mut arguments = json!({ "page_id": page_id, "title": "Slow", "description": "It is slow." });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

fn update(incident_id: i64, more: Value) -> Value {
    let mut arguments = json!({ "page_id": 42, "incident_id": incident_id, "message": "We are on it." });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

/// A connection that reaches one page only.
fn connect_to_page(app: &TestApp, user_id: &str, page: &str) -> String {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("scope", EVERYTHING)]), user_id);
    let scopes = EVERYTHING.split_whitespace().map(|scope| ("scope", scope));
    let rest = [("answer", "approve"), ("pages", "these"), ("page", page), ("lifetime", "7d")];
    let fields: Vec<_> = scopes.chain(rest).collect();
    let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[])).access
}

#[track_caller]
fn assert_says(text: &str, words: &[&str]) {
    assert!(words.iter().all(|words| text.contains(words)), "{words:?}: {text}");
}

#[test]
fn wrong_page_is_answered_with_the_pages_that_this_person_and_grant_reach() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for page_id in [json!(99), json!(77), json!("nothing"), Value::Null, json!(9_007_199_254_740_993_i64)] {
        let text = refusal(&app, &mara, "create_incident", incident(page_id, json!({})));
        assert_says(&text, &[BOTH_PAGES, "Nothing was published."]);
        assert!(!text.contains("Globex"), "{text}");
    }
    for meant in ["northwind-eu", "Northwind EU Status"] {
        let text = refusal(&app, &mara, "create_incident", incident(json!(meant), json!({})));
        assert_says(&text, &["`page_id` must be the number of a page: 43"]);
    }
    let theo = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let narrow = connect_to_page(&app, user::MARA_ADMIN, "42");
    for token in [&theo, &narrow] {
        for page_id in [json!(43), json!("northwind-eu"), json!(99)] {
            let text = refusal(&app, token, "create_incident", incident(page_id, json!({})));
            assert_says(&text, &["Your pages: 42 \"Northwind Cloud Status\" (slug \"northwind\")"]);
            assert!(!text.contains("EU"), "{text}");
        }
        for uri in
            ["statibeat://pages/43/summary", "statibeat://pages/43/nothing", "statibeat://pages/northwind-eu/summary"]
        {
            let text = read_error(&app, token, uri);
            assert_says(&text, &["Your pages: 42 \"Northwind Cloud Status\" (slug \"northwind\")"]);
            assert!(!text.contains("EU Status"), "{text}");
        }
    }
    app.upstream.simulator.set_role(2, 42, None).expect("Theo has a role");
    let text = refusal(&app, &theo, "create_incident", incident(json!(42), json!({})));
    assert_says(&text, &["There is no page 42 that you can access. This connection can access no page."]);
}

#[test]
fn wrong_incident_is_answered_with_the_open_ones_and_where_it_is() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let open = r#"Open incidents (statibeat://pages/42/incidents/active): 1003 "Delayed SMS delivery" ("#;
    for (id, words) in [
        (9999, "Page 42 has no incident 9999 that you can see. No page that you can see has it."),
        (1201, "Page 42 has no incident 1201 that you can see. No page that you can see has it."),
        (1101, "It is on page 43 (\"Northwind EU Status\")."),
    ] {
        for more in [json!({}), json!({ "preview": true }), json!({ "lifecycle_stage_id": 2 })] {
            let text = refusal(&app, &mara, "add_incident_update", update(id, more));
            assert_says(&text, &[words, open, "1001 \"API gateway errors in Europe\"", "Nothing was published."]);
            assert!(!text.contains("1101 ") || id == 1101, "{text}");
        }
        assert_says(&read_error(&app, &mara, &format!("statibeat://pages/42/incidents/{id}")), &[words, open]);
    }
    let maintenance = json!({ "page_id": 42, "maintenance_id": 9999, "message": "On time." });
    let text = refusal(&app, &mara, "add_maintenance_update", maintenance);
    assert_says(
        &text,
        &["Page 42 has no maintenance 9999", "Maintenances in progress or planned (statibeat://pages/42/", "2001 "],
    );
    let narrow = connect_to_page(&app, user::MARA_ADMIN, "42");
    let text = refusal(&app, &narrow, "add_incident_update", update(1101, json!({})));
    assert!(text.contains("has no incident 1101") && !text.contains("43"), "{text}");
}

#[test]
fn open_incidents_are_hidden_from_callers_without_access() {
    let app = TestApp::new();
    let writer = app.connect(user::MARA_ADMIN, "mcp.pages.read mcp.incidents.write").access;
    let text = refusal(&app, &writer, "add_incident_update", update(9999, json!({})));
    assert_eq!(
        text.split(" (Audit entry").next(),
        Some("Page 42 has no incident 9999 that you can see. Nothing was published.")
    );
    let blind = app.connect(user::MARA_ADMIN, "mcp.incidents.write").access;
    let items = json!({ "affected_items": ["Search"] });
    let text = refusal(&app, &blind, "create_incident", incident(json!(42), items));
    assert!(!text.contains("113") && !text.contains("API Platform"), "{text}");
    let text = refusal(
        &app,
        &blind,
        "create_incident",
        incident(json!(42), json!({ "affected_items": [{ "slug": "serach" }] })),
    );
    assert!(!text.contains("113") && !text.contains("\"Search\""), "{text}");
}

#[test]
fn wrong_component_is_answered_with_near_ones_else_with_the_top_level() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (items, words) in [
        (json!(["Search"]), "\"Search\" is {\"id\": 113} (\"Search\")"),
        (json!(["object-storage"]), "\"object-storage\" is {\"id\": 122} (\"Object Storage\")"),
        (json!([{ "name": "Webhook" }]), "did you mean {\"id\": 104} (\"Webhooks\")?"),
        (json!([{ "id": "Reports" }]), "\"Reports\" is {\"id\": 114} (\"Reports\")"),
        (json!([{ "slug": "Object Storage" }]), "did you mean {\"id\": 122} (\"Object Storage\")"),
        (json!([{ "slug": "sms" }]), "did you mean {\"id\": 133} (\"SMS Delivery\")?"),
        (json!(["Checkout"]), "the top level has {\"id\": 100} (\"API Platform\"), {\"id\": 110} (\"Dashboard\")"),
        (json!([{ "id": 203 }]), "no component of this page has id 203; the top level has {\"id\": 100}"),
    ] {
        let text = refusal(&app, &mara, "create_incident", incident(json!(42), json!({ "affected_items": items })));
        assert_says(&text, &[words, "Nothing was published."]);
    }
    // The page is not given by number either: both are said at once.
    let items = json!({ "affected_items": ["Search"] });
    let text = refusal(&app, &mara, "create_incident", incident(json!("northwind"), items));
    assert_says(&text, &["`page_id` must be the number of a page: 42", "\"Search\" is {\"id\": 113}"]);
}

#[test]
fn refused_stage_or_status_says_why_and_who_sets_it() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let admin_url = "/admin/pages/42/incidents/1001";
    for stage in [json!(4), json!("Resolved"), json!("4")] {
        for preview in [false, true] {
            let more = json!({ "lifecycle_stage_id": stage, "preview": preview });
            let text = refusal(&app, &mara, "add_incident_update", update(1001, more));
            assert_says(
                &text,
                &[
                    "4 (\"Resolved\") ends it and is set by a person at ",
                    admin_url,
                    "must be one of: 1 (\"Investigating\")",
                    "(got 4)",
                ],
            );
        }
    }
    for more in [
        json!({ "lifecycle_stage_id": 2 }),
        json!({ "lifecycle_stage_id": 2, "preview": true }),
        json!({ "status": "degraded" }),
    ] {
        let text = refusal(&app, &mara, "add_incident_update", update(1004, more));
        assert_says(
            &text,
            &[
                "only a message can be added",
                "if the problem is back, use create_incident. Open incidents (",
                "/admin/pages/42/incidents/1004",
            ],
        );
    }
    let text = refusal(&app, &mara, "create_incident", incident(json!(42), json!({ "status": "intermittent" })));
    assert_says(&text, &["\"partial_outage\"", "because \"intermittent\" is archived"]);
    let text = refusal(&app, &mara, "add_incident_update", update(1001, json!({ "status": "resolved" })));
    assert_says(&text, &["because \"resolved\" is a stage, which a person sets in StatiBeat"]);
}

#[test]
fn wrong_uri_is_answered_with_what_would_have_worked() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (uri, words) in [
        ("statibeat://pages/42", "statibeat://pages/42/ followed by one of: "),
        ("statibeat://pages/42/incidents", "statibeat://pages/42/incidents/active"),
        ("statibeat://pages/northwind/summary", "must be the number of a page: 42"),
        ("statibeat://pages/{page_id}/summary", BOTH_PAGES),
        ("statibeat://incidents/active", BOTH_PAGES),
        ("statibeat://pages/42/beats/gateway/events", "`beat_id` must be the number of a Beat"),
        ("statibeat://pages/42/beats/9999/events", "Beats (statibeat://pages/42/beats): 501 "),
        (
            "statibeat://pages/42/beats/actions/9999",
            "Pending Beat actions (statibeat://pages/42/beats/actions/pending): 703 ",
        ),
        ("statibeat://pages/42/maintenances/9999", "statibeat://pages/42/maintenances/upcoming"),
        ("statibeat://pages/42/analytics/summary?days=7", "`days` is not known"),
        (
            "statibeat://pages/42/hierarchy?under_id=9999",
            "Components at the top level (statibeat://pages/42/hierarchy): 100 ",
        ),
        ("https://northwind.example/", "statibeat://overview"),
    ] {
        assert_says(&read_error(&app, &mara, uri), &[words]);
    }
}

#[test]
fn equivalent_spellings_of_a_uri_are_one_resource() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (uri, same) in [
        ("STATIBEAT://Pages/%34%32/./incidents/active", "statibeat://pages/42/incidents/active"),
        ("statibeat://pages/42/hierarchy?under_id=", "statibeat://pages/42/hierarchy"),
        ("statibeat://pages/42/analytics/summary?window_days=", "statibeat://pages/42/analytics/summary"),
        ("statibeat://pages/42/incidents/active?cursor=", "statibeat://pages/42/incidents/active"),
    ] {
        assert_eq!(app.read(&mara, uri), app.read(&mara, same), "{uri}");
    }
}
