//! The cost of the lists for a model, in tokens of a published vocabulary.

use crate::support::flow::user;
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt};
use crate::support::{TestApp, json, tokens};
use serde_json::json;
use statibeat_mcp::catalog::tools::TOOLS;

#[test]
fn the_list_of_tools_costs_at_most_3000_tokens() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    let result = json(&app.call(&token, "tools/list", json!({})))["result"].clone();
    assert_eq!(result["tools"].as_array().map(Vec::len), Some(TOOLS.len()), "{result}");
    let cost = tokens::count_json(&result);
    eprintln!("tools/list: {cost} tokens");
    assert!(cost <= 3000, "{cost} tokens: {result}");
}

/// Bytes sent to a client before its first call, for a person with three pages.
#[test]
fn the_lists_with_three_pages_take_at_most_18_kilobytes() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    app.upstream.simulator.set_role(1, 77, Some("page_admin")).expect("a role");
    let handshake =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } });
    let cost = |method: &str| {
        let params = if method == "initialize" { handshake.clone() } else { json!({}) };
        let bytes = app.call(&token, method, params).into_body().len();
        eprintln!("{method}: {bytes} bytes");
        bytes
    };
    let methods = ["initialize", "tools/list", "resources/list", "resources/templates/list", "prompts/list"];
    let total: usize = methods.into_iter().map(cost).sum();
    assert!(total <= 18_000, "{total} bytes");
}

#[test]
fn no_resource_costs_more_than_8000_tokens() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for uri in URIS {
        app.upstream.take_calls();
        let body = app.read(&token, uri);
        let (cost, calls) = (tokens::count_json(&body), app.upstream.take_calls().len());
        eprintln!("{uri}: {cost} tokens, {calls} upstream calls");
        assert!(cost <= 8000, "{uri}: {cost} tokens");
        let own = match uri {
            // The pages, and six parts of each of the two.
            "statibeat://overview" => 13,
            uri if uri.ends_with("/writing") => 7,
            uri if uri.contains("/beats/actions/7") => 3,
            uri if uri.ends_with("/beats/501") => 4,
            uri if uri.ends_with("/hierarchy") || uri.ends_with("/incidents/1001") => 2,
            _ => 1,
        };
        // The person's pages are known since the consent page.
        assert_eq!(calls, own, "{uri}");
    }
}

/// The number of reads that each prompt's resources take.
const PROMPTS_READ: [(&str, usize); PROMPTS.len()] = [
    ("draft_customer_incident", 8),
    ("draft_incident_update", 4),
    ("plan_maintenance_window", 9),
    ("review_existing_incident_state", 4),
    ("summarize_current_beat_health", 4),
    ("investigate_beat_failure", 6),
    ("review_pending_beat_action", 4),
    ("draft_maintenance_update", 2),
    ("prepare_resolution", 4),
];

#[test]
fn no_prompt_costs_more_than_8000_tokens() {
    let app = TestApp::new();
    let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
    for (name, _) in PROMPTS {
        app.upstream.take_calls();
        let result = json(&app.call(&token, "prompts/get", prompt(name)))["result"].clone();
        let (cost, calls) = (tokens::count_json(&result), app.upstream.take_calls().len());
        eprintln!("{name}: {cost} tokens, {calls} upstream calls");
        assert!(cost <= 8000, "{name}: {cost} tokens");
        let reads = PROMPTS_READ.iter().find(|(known, _)| *known == name).map(|(_, reads)| *reads);
        assert_eq!(Some(calls), reads, "{name}: its resources");
    }
}

/// Full lists of the longest texts, in scripts where a token is a byte or three.
#[test]
fn list_stays_within_its_budget_for_any_content() {
    for letter in ["東", "\""] {
        let app = TestApp::new();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        let text = letter.repeat(5000);
        app.upstream.rewrite(move |document| lengthen(document, &text));
        for uri in URIS.into_iter().filter(|uri| !uri.ends_with("/me") && !uri.ends_with("//pages")) {
            let body = app.read(&token, uri);
            assert!(body.to_string().len() <= 60_000, "{uri} with {letter:?}: {}", body.to_string().len());
        }
    }
}

/// Makes every list a hundred entries long and every text long.
fn lengthen(document: &mut serde_json::Value, text: &str) {
    let is_pages = document["items"][0]["permissions"].is_array();
    if is_pages {
        return;
    }
    if let Some(items) = document["items"].as_array_mut().filter(|items| !items.is_empty()) {
        let copies: Vec<_> = (0..100).map(|index| items[index % items.len()].clone()).collect();
        *items = copies;
    }
    for list in ["items", "updates"] {
        for item in document[list].as_array_mut().into_iter().flatten() {
            for field in ["title", "description", "message", "evidence_summary", "name"] {
                item[field] = text.into();
            }
        }
    }
    if document.get("title").is_some() {
        document["description"] = text.into();
    }
}
