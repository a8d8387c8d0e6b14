//! For each rule what it must see, where, and what it must leave alone.

use super::*;
use serde_json::json;

fn seen(path: &str, field: &str, text: &str) -> Vec<(&'static str, usize)> {
    check(path, &json!({ field: text }), |_| true)
        .into_iter()
        .map(|warning| (warning.rule.name(), warning.at))
        .collect()
}

fn check_text(text: &str, expected: &[(&'static str, usize)]) {
    assert_eq!(seen("incidents", "description", text), expected, "{text}");
}

#[test]
fn internals_are_seen_where_they_stand() {
    check_text("Database db-1.internal is slow.", &[("internal-host", 9)]);
    check_text("See https://grafana.corp/d/1", &[("internal-host", 4)]);
    check_text("Host api.svc:8080 fails", &[("internal-host", 5)]);
    check_text("Node 10.0.4.17 is gone.", &[("ip-address", 5)]);
    check_text("at [fe80::1:2]", &[("ip-address", 4)]);
    check_text("Ask mara@northwind.example", &[("email", 4)]);
}

#[test]
fn secrets_are_seen() {
    for text in [
        "ghp_abcdefghij0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "token=0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
    ] {
        assert_eq!(seen("incidents", "description", text).first().map(|(name, _)| *name), Some("secret"), "{text}");
    }
}

#[test]
fn blame_promises_and_contradictions_are_seen() {
    check_text("It was human error.", &[("blame", 7)]);
    check_text("Our provider's fault", &[("blame", 12)]);
    check_text("Back within 30 minutes.", &[("promised-time", 5)]);
    check_text("It will be fixed by noon.", &[("promised-time", 3)]);
    check_text("The issue is resolved.", &[("says-resolved", 10)]);
    assert_eq!(seen("maintenances", "description", "The upgrade has been completed."), [("wrong-tense", 12)]);
    assert_eq!(seen("maintenances/1/updates", "message", "The first part has been completed."), []);
}

#[test]
fn titles_have_rules_of_their_own() {
    let title = |text: &str| seen("incidents", "title", text);
    assert_eq!(title("…"), [("empty-title", 0)]);
    assert_eq!(title("EVERYTHING IS DOWN"), [("shouting-title", 0)]);
    assert_eq!(title("API down!!"), [("shouting-title", 8)]);
    assert_eq!(title(&"a ".repeat(51)), [("too-long", 100)]);
    assert_eq!(title("API DNS TLS"), [("shouting-title", 0)]);
    assert_eq!(title("HTTP 503"), []);
}

#[test]
fn ordinary_news_passes() {
    for text in [
        "We are investigating elevated error rates on the Public API. Version 10.4.2 is affected.",
        "Störung in Zürich: Anfragen dauern länger. 影響を受けています。",
        "Customers in eu-central-1 see errors at https://status.northwind.example/incidents/9001.",
        "Requests time out after 30 seconds; 5 of 12 regions are affected, in part.",
        "It started at 10:45 UTC.",
    ] {
        check_text(text, &[]);
    }
}

#[test]
fn a_rule_can_be_switched_off_by_its_name() {
    for rule in RULES {
        assert_eq!(Rule::find(rule.name()), Some(rule));
    }
    let off = Rule::find("blame").expect("a rule");
    assert_eq!(check("incidents", &json!({ "title": "Human error" }), |rule| rule != off), []);
}

#[test]
fn a_warning_says_rule_field_and_place() {
    let warning = check("incidents", &json!({ "message": "on 10.0.0.1" }), |_| true).remove(0);
    assert_eq!(warning.to_string(), "ip-address: `message` at character 3 shows the address of a machine");
}
