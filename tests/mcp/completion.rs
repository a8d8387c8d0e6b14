//! Completion: only what the person may see, and never a refusal.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS, prompt as with_arguments};
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use statibeat_mcp::catalog::find_prompt;

fn values(app: &TestApp, token: &str, reference: &Value, argument: (&str, &str), page: Option<&str>) -> Vec<String> {
    let context = page.map_or(json!({}), |page| json!({ "arguments": { "page_id": page } }));
    let argument = json!({ "name": argument.0, "value": argument.1 });
    let params = json!({ "ref": reference, "argument": argument, "context": context });
    let answer = json(&app.call(token, "completion/complete", params));
    let values = answer["result"]["completion"]["values"].as_array().unwrap_or_else(|| panic!("{answer}"));
    values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect()
}

fn template(path: &str) -> Value {
    json!({ "type": "ref/resource", "uri": format!("statibeat://pages/{{page_id}}/{path}") })
}

fn prompt(name: &str) -> Value {
    json!({ "type": "ref/prompt", "name": name })
}

#[test]
fn each_argument_is_completed_from_what_is_there() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let of = |reference: &Value, argument, page| values(&app, &token, reference, argument, page);
    let incident = template("incidents/{incident_id}");
    let pages = ["42 Northwind Cloud Status", "43 Northwind EU Status"];
    assert_eq!(of(&incident, ("page_id", ""), None), pages);
    for typed in ["eu", "northwind-eu", "d-eu", "43", "NORTHWIND EU"] {
        assert_eq!(of(&incident, ("page_id", typed), None), pages[1..], "{typed}: a part of number, name or slug");
    }
    assert_eq!(of(&incident, ("page_id", "northwind"), None), pages, "the slug of one, the beginning of the other's");
    for page in ["43", pages[1], "northwind-eu", "Northwind EU Status"] {
        assert_eq!(of(&incident, ("incident_id", ""), Some(page)).len(), 1, "{page}: as prompts take a page");
    }
    let gateway = of(&incident, ("incident_id", "gateway"), Some("42"));
    assert_eq!(gateway[0], "1001 API gateway errors in Europe", "by a part of the title");
    assert_eq!(of(&template("maintenances/{maintenance_id}"), ("maintenance_id", ""), Some("43")).len(), 2);
    assert_eq!(of(&template("beats/{beat_id}"), ("beat_id", "55"), Some("43")), ["551 Key store"]);
    assert_eq!(of(&prompt("review_pending_beat_action"), ("action_id", ""), Some("42")).len(), 3);
    assert_eq!(of(&prompt("draft_incident_update"), ("stage", "mon"), Some("42")), ["3 Monitoring"]);
    assert!(of(&prompt("draft_incident_update"), ("stage", "reso"), Some("42")).is_empty(), "a person resolves");
    assert_eq!(of(&prompt("draft_customer_incident"), ("status", "deg"), Some("42")).len(), 1);
    assert!(of(&prompt("draft_customer_incident"), ("status", "inter"), Some("42")).is_empty(), "archived");
    let services = of(&prompt("plan_maintenance_window"), ("affected_services", "102, sear"), Some("42"));
    assert!(services.iter().any(|value| value.starts_with("102,") && value.ends_with("Search")), "{services:?}");
    let under = of(
        &template("hierarchy?under_id={under_id}&not_operational={not_operational}"),
        ("under_id", "gateway"),
        Some("42"),
    );
    assert!(under[0].starts_with("102 API"), "{under:?}");
    assert_eq!(of(&prompt("draft_maintenance_update"), ("change", "d"), None), ["delayed"]);
    assert_eq!(of(&prompt("prepare_resolution"), ("incident_id", ""), Some("42")).len(), 3, "open ones alone");
    let window = template("analytics/summary?window_days={window_days}");
    assert_eq!(of(&window, ("window_days", "3"), Some("42")), ["30"]);
}

#[test]
fn suggested_value_is_taken_by_its_prompt() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let mut played = 0;
    for (name, _) in PROMPTS {
        for argument in find_prompt(name).expect("a prompt").arguments {
            for value in values(&app, &token, &prompt(name), (argument.name, ""), Some("42")) {
                let mut params = with_arguments(name);
                params["arguments"][argument.name] = json!(value);
                // An incident of page 42 is not on another page.
                if argument.name == "page_id" && !value.starts_with("42 ") {
                    continue;
                }
                let answer = json(&app.call(&token, "prompts/get", params));
                assert!(answer["result"].is_object(), "{name} {} {value:?}: {answer}", argument.name);
                played += 1;
            }
        }
    }
    assert!(played > 60, "{played} values");
}

#[test]
fn nothing_is_suggested_that_the_person_may_not_see() {
    let app = TestApp::new();
    let theo = app.connect(user::THEO_MANAGER, EVERYTHING).access;
    let ines = app.connect(user::INES_VIEWER, EVERYTHING).access;
    let narrow = app.connect(user::MARA_ADMIN, "mcp.pages.read").access;
    let incident = template("incidents/{incident_id}");
    assert_eq!(values(&app, &theo, &incident, ("page_id", ""), None).len(), 1);
    assert!(values(&app, &theo, &incident, ("incident_id", ""), None).len() > 1, "there is one page");
    for page in ["43", "77", "999999", "x"] {
        assert!(values(&app, &theo, &incident, ("incident_id", ""), Some(page)).is_empty(), "{page}");
    }
    let action = prompt("review_pending_beat_action");
    assert!(values(&app, &ines, &action, ("action_id", ""), Some("42")).is_empty(), "needs manage");
    assert!(values(&app, &narrow, &incident, ("page_id", ""), None).is_empty(), "the scope was not granted");
}

#[test]
fn completion_of_an_unknown_argument_is_empty() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for reference in [prompt("no_such"), template("no/{such_id}"), json!({ "type": "ref/resource", "uri": "x" })] {
        assert!(values(&app, &token, &reference, ("page_id", ""), None).is_empty(), "{reference}");
    }
    assert!(values(&app, &token, &prompt("draft_incident_update"), ("no_such", ""), Some("42")).is_empty());
    for reference in [prompt("draft_incident_update"), template("incidents/{incident_id}")] {
        assert!(values(&app, &token, &reference, ("beat_id", ""), Some("42")).is_empty(), "not an argument of it");
    }
    assert!(
        values(&app, &token, &prompt("draft_incident_update"), ("incident_id", ""), None).is_empty(),
        "no page yet"
    );
}
