//! Everything Hosted MCP offers on page 42, with ids of the seeded StatiBeat; written out by hand.

pub const EVERYTHING: &str = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write \
                              mcp.maintenances.read mcp.maintenances.write mcp.analytics.read";

/// The scopes that a client gets which asks for none in particular.
pub const READS: [&str; 5] =
    ["mcp.pages.read", "mcp.beats.read", "mcp.incidents.read", "mcp.maintenances.read", "mcp.analytics.read"];

/// One URI for each resource.
pub const URIS: [&str; 23] = [
    "statibeat://me",
    "statibeat://pages",
    "statibeat://overview",
    "statibeat://pages/42/writing",
    "statibeat://pages/42/summary",
    "statibeat://pages/42/status-definitions",
    "statibeat://pages/42/lifecycle-stages",
    "statibeat://pages/42/maintenance-lifecycle-stages",
    "statibeat://pages/42/hierarchy",
    "statibeat://pages/42/incidents/active",
    "statibeat://pages/42/incidents/resolved",
    "statibeat://pages/42/incidents/1001",
    "statibeat://pages/42/maintenances/active",
    "statibeat://pages/42/maintenances/upcoming",
    "statibeat://pages/42/maintenances/2001",
    "statibeat://pages/42/analytics/summary",
    "statibeat://pages/42/beats",
    "statibeat://pages/42/beat-groups",
    "statibeat://pages/42/beats/actions/pending",
    "statibeat://pages/42/beats/actions/701",
    "statibeat://pages/42/beats/failures",
    "statibeat://pages/42/beats/501",
    "statibeat://pages/42/beats/501/events",
];

/// Each prompt with the arguments it requires besides the page.
pub const PROMPTS: [(&str, &[(&str, &str)]); 9] = [
    ("draft_customer_incident", &[("symptoms", "Requests to the API time out.")]),
    ("draft_incident_update", &[("incident_id", "1001")]),
    ("plan_maintenance_window", &[("change_summary", "We replace the database.")]),
    ("review_existing_incident_state", &[("incident_id", "1001")]),
    ("summarize_current_beat_health", &[]),
    ("investigate_beat_failure", &[("beat_id", "501")]),
    ("review_pending_beat_action", &[("action_id", "701")]),
    ("draft_maintenance_update", &[("maintenance_id", "2001")]),
    ("prepare_resolution", &[("incident_id", "1001")]),
];

/// The arguments of `prompts/get` on page 42.
pub fn prompt(name: &str) -> serde_json::Value {
    let (_, own) = PROMPTS.into_iter().find(|(known, _)| *known == name).expect("a prompt");
    let arguments: serde_json::Map<String, serde_json::Value> =
        own.iter().chain(&[("page_id", "42")]).map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    serde_json::json!({ "name": name, "arguments": arguments })
}

/// Each tool with arguments that work on page 42.
pub fn tools() -> [(&'static str, serde_json::Value); 4] {
    [
        ("create_incident", serde_json::json!({ "page_id": 42, "title": "Slow", "description": "It is slow." })),
        ("add_incident_update", serde_json::json!({ "page_id": 42, "incident_id": 1001, "message": "We are on it." })),
        (
            "schedule_maintenance",
            serde_json::json!({
                "page_id": 42, "title": "Upgrade", "description": "We upgrade.",
                "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:00:00Z",
            }),
        ),
        ("add_maintenance_update", serde_json::json!({ "page_id": 42, "maintenance_id": 2001, "message": "On time." })),
    ]
}

/// The resources that a prompt's text brings along: URI and body of each block.
pub fn blocks(text: &str) -> Vec<(String, serde_json::Value)> {
    let parts = text.split("\n\n=== ").skip(1);
    let block = parts.map(|part| {
        let (head, body) = part.split_once('\n').expect("a block has a body");
        let uri = head.split_once(" (").expect("a block has a title").0;
        (uri.to_owned(), serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
    });
    block.collect()
}

/// The text of a prompt before its first block.
pub fn task(text: &str) -> &str {
    text.split("\n\n=== ").next().unwrap_or_default()
}
